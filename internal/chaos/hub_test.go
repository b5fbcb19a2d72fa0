package chaos_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/chaos/harness"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// until waits until cond says "" and fails with what it says else.
func until(t *testing.T, cond func(ctx context.Context) string) {
	t.Helper()
	ctx := within(t)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		missing := cond(ctx)
		if missing == "" {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatal(missing)
		}
	}
}

// serve starts a server that lives as long as the test.
func serve(t *testing.T) *embedded.Server {
	t.Helper()
	s := start(t, t.TempDir(), "127.0.0.1:0")
	t.Cleanup(func() { s.Close() })
	return s
}

func start(t *testing.T, dir, listen string) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(within(t), embedded.Config{Dir: dir, Listen: listen})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func address(url string) string { return strings.TrimPrefix(url, "nats://") }

func connect(t *testing.T, cfg natsbackend.Config) *natsbackend.Backend {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = failureLog(t, "backend")
	}
	b, err := natsbackend.Connect(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// work starts a worker in this process. It stops with the test, or before.
func work(t *testing.T, b durable.Backend, l *ledger) (stop func(context.Context)) {
	t.Helper()
	var log harness.Lines
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the worker said:\n%s", log.Tail())
		}
	})
	return workSaying(t, b, l, &log)
}

// workSaying is work with a log to look at.
func workSaying(t *testing.T, b durable.Backend, l *ledger, log *harness.Lines) (stop func(context.Context)) {
	t.Helper()
	cfg := durable.WorkerConfig{Logger: slog.New(slog.NewTextHandler(log, nil))}
	w := durable.NewWorker(b, harness.Registry(l.Enter), cfg)
	if err := w.Start(within(t)); err != nil {
		t.Fatal(err)
	}
	stop = func(ctx context.Context) {
		l.allow(1 << 30)
		if err := w.Stop(ctx); err != nil {
			t.Errorf("stop the worker: %v", err)
		}
	}
	t.Cleanup(func() { stop(within(t)) })
	return stop
}

// failureLog gives a logger whose end is shown when the test fails.
func failureLog(t *testing.T, name string) *slog.Logger {
	var l harness.Lines
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s said:\n%s", name, l.Tail())
		}
	})
	return slog.New(slog.NewTextHandler(&l, nil))
}

// ledger is a harness.Ledger whose failures are the test's.
type ledger struct{ *harness.Ledger }

func openLedger(t *testing.T) *ledger {
	t.Helper()
	l, err := harness.OpenLedger()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return &ledger{l}
}

func (l *ledger) allow(n int) { l.Allow(n) }

// reach waits until there are n different effects. It gives up when the test has failed.
func (l *ledger) reach(t *testing.T, n int) {
	t.Helper()
	if err := l.Reach(within(t), n, t.Failed); err != nil || t.Failed() {
		t.Fatalf("waiting for %d effects: %v", n, err)
	}
}

// load is a harness.Load of one client whose failures are the test's.
type load struct {
	*harness.Load
	t       *testing.T
	url     string
	client  *durable.Client
	be      *natsbackend.Backend // the client's
	started time.Time
}

// newLoad connects a client, which creates the hub.
func newLoad(t *testing.T, cfg natsbackend.Config, l *ledger) *load {
	t.Helper()
	cfg.Provision = true
	b := connect(t, cfg)
	c := durable.NewClient(b, durable.ClientConfig{Logger: failureLog(t, "client")})
	t.Cleanup(func() { c.Close() })
	loaded := harness.NewLoad(l.Ledger, harness.Client{Durable: c, Backend: b})
	loaded.Fail = func(err error) { t.Error(err) }
	return &load{Load: loaded, t: t, url: cfg.URL, client: c, be: b, started: time.Now()}
}

// begin runs n errands, at most atOnce at the same time, in the background.
func (l *load) begin(n, atOnce int) {
	l.t.Helper()
	l.Begin(within(l.t), n, atOnce)
}

// finish waits for all errands and checks everything that is left of them.
func (l *load) finish() {
	l.t.Helper()
	if l.Finish() != nil || l.t.Failed() {
		return // it has been told
	}
	l.t.Logf("the errands ended after %v", time.Since(l.started).Round(time.Millisecond))
	nc, err := nats.Connect(l.url)
	if err != nil {
		l.t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		l.t.Fatal(err)
	}
	a, err := l.Audit(within(l.t), js)
	if err != nil {
		l.t.Error(err)
	}
	l.t.Logf("%d errands, %d effects, %d of them repeated; in the log again: %d tasks, %d results", a.Errands, a.Effects, a.Again, a.Tasks, a.Results)
	l.t.Logf("settled after %v", time.Since(l.started).Round(time.Millisecond))
}
