package health_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/health"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

type patient struct{ live, ready error }

func (p patient) Live() error                 { return p.live }
func (p patient) Ready(context.Context) error { return p.ready }

func TestHandler(t *testing.T) {
	t.Parallel()
	ill := errors.New("durable: not well")
	for _, c := range []struct {
		method, path string
		worker       patient
		code         int
		body         string
	}{
		{"GET", "/livez", patient{}, 200, "ok\n"},
		{"GET", "/readyz", patient{}, 200, "ok\n"},
		{"GET", "/livez", patient{ready: ill}, 200, "ok\n"},
		{"GET", "/readyz", patient{ready: ill}, 503, "durable: not well\n"},
		{"GET", "/livez", patient{live: ill}, 503, "durable: not well\n"},
		{"HEAD", "/livez", patient{live: ill}, 503, ""},
		{"POST", "/livez", patient{}, 405, "Method Not Allowed\n"},
		{"GET", "/healthz", patient{}, 404, "404 page not found\n"},
	} {
		rec := httptest.NewRecorder()
		health.Handler(c.worker).ServeHTTP(rec, httptest.NewRequest(c.method, c.path, nil))
		if body := rec.Body.String(); rec.Code != c.code || body != c.body && c.method != "HEAD" {
			t.Errorf("%s %s of %+v: %d %q, want %d %q", c.method, c.path, c.worker, rec.Code, body, c.code, c.body)
		}
	}
}

// club is a hub on a server of its own, with a worker that is connected to it as other processes are.
type club struct {
	server *embedded.Server
	worker *durable.Worker
	probes http.Handler
}

func newClub(t *testing.T, options ...nats.Option) *club {
	t.Helper()
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	hub, err := natsbackend.Connect(t.Context(), natsbackend.Config{URL: server.URL(), Provision: true, Options: options})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Close() })
	var code durable.Registry
	nap := &durable.Orchestrator{Name: "club.Nap", Group: "club", Source: "example.com/club.Nap"}
	if err := code.Add(durable.BindOrchestrator(nap, func(durable.Context, durable.None) (int, error) { return 1, nil })); err != nil {
		t.Fatal(err)
	}
	w := durable.NewWorker(hub, &code, durable.WorkerConfig{DrainTimeout: time.Second})
	return &club{server, w, health.Handler(w)}
}

// ask gives the answer to a probe.
func (c *club) ask(path string) (code int, body string) {
	rec := httptest.NewRecorder()
	c.probes.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return rec.Code, rec.Body.String()
}

func (c *club) wants(t *testing.T, path string, code int, words ...string) {
	t.Helper()
	got, body := c.ask(path)
	for _, w := range words {
		if got != code || !strings.Contains(body, w) {
			t.Errorf("%s: %d %q, want %d and %q", path, got, body, code, w)
		}
	}
}

// TestHubIsGone: a worker whose hub was emptied behind its back is not ready.
func TestHubIsGone(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	c.wants(t, "/readyz", 503, "not started")
	if err := c.worker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.wants(t, "/readyz", 200, "ok")
	nc, err := nats.Connect(c.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	meta, err := js.KeyValue(t.Context(), "durable_default_meta")
	if err != nil {
		t.Fatal(err)
	}
	names, err := meta.ListKeysFiltered(t.Context(), "name.>")
	if err != nil {
		t.Fatal(err)
	}
	for key := range names.Keys() {
		if err := meta.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	c.wants(t, "/livez", 200, "ok")
	c.wants(t, "/readyz", 503, "club.Nap", "made anew")
}

// TestServerIsAway: that is no reason to kill the worker, which waits for it.
func TestServerIsAway(t *testing.T) {
	t.Parallel()
	lost := make(chan struct{}, 100)
	c := newClub(t, nats.DisconnectErrHandler(func(*nats.Conn, error) { lost <- struct{}{} }))
	if err := c.worker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.server.Close(); err != nil {
		t.Fatal(err)
	}
	<-lost
	c.wants(t, "/livez", 200, "ok")
	c.wants(t, "/readyz", 503, "not connected")
}

// TestConnectionIsGivenUp: options may limit how often a connection is made again. Then only a new process helps: Run returns
// an error, so that the program exits with one.
func TestConnectionIsGivenUp(t *testing.T) {
	t.Parallel()
	c := newClub(t, nats.MaxReconnects(1))
	end := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { end <- c.worker.Run(ctx) }()
	for code := 0; code != 200; { // it asks the server
		code, _ = c.ask("/readyz")
	}
	if err := c.server.Close(); err != nil {
		t.Fatal(err)
	}
	err := <-end
	if !errors.Is(err, durable.ErrClosed) || !strings.Contains(err.Error(), "given up") {
		t.Errorf("Run: %v, want ErrClosed and why", err)
	}
}
