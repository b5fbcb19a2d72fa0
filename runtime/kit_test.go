package durable_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

// The tests run in a synctest bubble over a hub in memory: time passes only when everything waits, so that hours cost
// nothing, and a goroutine that is left behind fails its test.

// hub is a task hub with a client.
type hub struct {
	t      *testing.T
	m      *membackend.Memory
	client *durable.Client
}

// inHub runs a test on a hub of its own.
func inHub(t *testing.T, test func(t *testing.T, h *hub)) {
	t.Helper()
	inHubOf(t, membackend.Config{}, test)
}

func inHubOf(t *testing.T, cfg membackend.Config, test func(t *testing.T, h *hub)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg.Live, cfg.Partitions = true, 2
		h := &hub{t: t, m: membackend.New(cfg)}
		t.Cleanup(func() { must(t, h.m.Close()) })
		h.client = h.newClient()
		test(t, h)
	})
}

// newClient makes a client that knows nothing of what others have started.
func (h *hub) newClient() *durable.Client {
	c := durable.NewClient(h.m.View("client"), durable.ClientConfig{})
	h.t.Cleanup(func() { must(h.t, c.Close()) })
	return c
}

// work starts a worker for the bindings; the end of the test stops it.
func (h *hub) work(bindings ...durable.Binding) *durable.Worker {
	h.t.Helper()
	return h.workAs(durable.WorkerConfig{}, bindings...)
}

func (h *hub) workAs(cfg durable.WorkerConfig, bindings ...durable.Binding) *durable.Worker {
	h.t.Helper()
	w := durable.NewWorker(h.m.View("worker"), registry(h.t, bindings...), cfg)
	must(h.t, w.Start(h.t.Context()))
	h.t.Cleanup(func() { h.stop(w) })
	return w
}

func (h *hub) stop(w *durable.Worker) {
	h.t.Helper()
	must(h.t, w.Stop(context.Background()))
}

// pass lets virtual time go by: long enough for everything that does not wait for more to come to rest.
func (h *hub) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// get reads an instance after its projection has caught up.
func (h *hub) get(id string) durable.Instance {
	h.t.Helper()
	h.pass(time.Second)
	inst, err := h.client.Get(h.t.Context(), id)
	must(h.t, err)
	return inst
}

// taken is the time since begin, in the bubble.
func taken(begin time.Time) time.Duration { return time.Since(begin).Round(time.Millisecond) }

func registry(t *testing.T, bindings ...durable.Binding) *durable.Registry {
	t.Helper()
	r := &durable.Registry{}
	must(t, r.Add(bindings...))
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// flow names an orchestrator of the tests.
func flow(name string) *durable.Orchestrator {
	return &durable.Orchestrator{Name: "flow." + name, Group: "flow", Source: "example.com/flow." + name}
}

// task names an activity of the tests.
func task(name string) *durable.Activity {
	return &durable.Activity{Name: "flow." + name, Source: "example.com/flow." + name}
}

// call calls an activity and waits.
func call[R any](ctx durable.Context, a *durable.Activity, args any, opts ...durable.CallOption) (R, error) {
	return durable.StartActivity[R](ctx, a, args, opts...).Get(ctx)
}

func start[R any](h *hub, o *durable.Orchestrator, args any, opts ...durable.StartOption) durable.Handle[R] {
	h.t.Helper()
	handle, err := durable.StartInstance[R](h.t.Context(), h.client, o, args, opts...)
	must(h.t, err)
	return handle
}

// want waits for the end of an instance and compares its result.
func want[R comparable](h *hub, handle durable.Handle[R], want R) {
	h.t.Helper()
	got, err := handle.Wait(h.t.Context())
	must(h.t, err)
	if got != want {
		h.t.Fatalf("instance %s gives %v, want %v", handle.ID(), got, want)
	}
}

// fails waits for the end of an instance that does not end well.
func fails[R any](h *hub, handle durable.Handle[R]) error {
	h.t.Helper()
	got, err := handle.Wait(h.t.Context())
	if err == nil {
		h.t.Fatalf("instance %s gives %v, want an error", handle.ID(), got)
	}
	return err
}

// says checks that an error has all of the words in its text: where, what, and what to do.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

// notes collects what activities do, in order.
type notes struct {
	mu   sync.Mutex
	list []string
}

func (n *notes) addf(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, fmt.Sprintf(format, args...))
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.list...)
}

// logger writes the text of records into notes.
func (n *notes) logger() *slog.Logger { return slog.New(noteHandler{n}) }

type noteHandler struct{ n *notes }

func (h noteHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h noteHandler) Handle(_ context.Context, r slog.Record) error {
	h.n.addf("%s", r.Message)
	return nil
}
func (h noteHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h noteHandler) WithGroup(string) slog.Handler      { return h }
