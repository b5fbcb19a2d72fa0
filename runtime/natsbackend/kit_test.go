package natsbackend_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// patience bounds every wait of a test. It is never a measure: a test that reaches it has failed. It is shorter than
// AckWait, so that nothing passes only because the server delivers again by itself.
const patience = 25 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// serve starts a server in a directory of the test.
func serve(t *testing.T, cfg embedded.Config) *embedded.Server {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	s, err := embedded.Start(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// open connects to a hub of the server, creating it.
func open(t *testing.T, s *embedded.Server, cfg natsbackend.Config) *natsbackend.Backend {
	t.Helper()
	b, err := s.Backend(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// fresh is a hub of its own.
func fresh(t *testing.T) *natsbackend.Backend {
	t.Helper()
	return open(t, serve(t, embedded.Config{}), natsbackend.Config{})
}

type result[T any] struct {
	v   T
	err error
}

// await calls and waits for the callback.
func await[T any](t *testing.T, call func(done func(T, error))) (T, error) {
	t.Helper()
	answer := make(chan result[T], 1)
	call(func(v T, err error) { answer <- result[T]{v, err} })
	r := receive(t, answer)
	return r.v, r.err
}

func receive[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return v
}

// put appends a record and fails the test if that fails.
func put(t *testing.T, b backend.Backend, to history.Address, r history.Record) uint64 {
	t.Helper()
	seq, err := await(t, func(done func(uint64, error)) { b.Append(backend.Append{To: to, Record: r}, done) })
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func load(t *testing.T, b backend.Backend, of history.Address, reach uint64) backend.Loaded {
	t.Helper()
	l, err := await(t, func(done func(backend.Loaded, error)) { b.Load(of, reach, done) })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// inbox opens the partition of an instance; its deliveries come through the channel.
func inbox(t *testing.T, b backend.Backend, of history.Address) (in backend.Inbox, deliveries chan backend.Delivery, horizon uint64) {
	t.Helper()
	if err := b.EnsureGroup(within(t), of.Group); err != nil {
		t.Fatal(err)
	}
	in = b.Inbox(of.Group, history.Partition(of.ID, b.Info().Partitions))
	deliveries = make(chan backend.Delivery, 10_000)
	horizon, err := in.Open(within(t), func(d backend.Delivery) { deliveries <- d })
	if err != nil {
		t.Fatal(err)
	}
	return in, deliveries, horizon
}

var anna = history.Address{Group: "example.com/membership", ID: "anna@example.com"}

// stream opens a stream of the hub "default" behind the backend's back.
func stream(t *testing.T, s *embedded.Server, name string) jetstream.Stream {
	t.Helper()
	nc, err := nats.Connect("", s.Option())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	st, err := js.Stream(within(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func subjectOf(t *testing.T, s *embedded.Server, seq uint64) string {
	t.Helper()
	m, err := stream(t, s, "DURABLE_default").GetMsg(within(t), seq)
	if err != nil {
		t.Fatal(err)
	}
	return m.Subject
}

// work starts a worker, which the test stops.
func work(t *testing.T, b *natsbackend.Backend, bindings ...durable.Binding) *durable.Worker {
	t.Helper()
	code := &durable.Registry{}
	if err := code.Add(bindings...); err != nil {
		t.Fatal(err)
	}
	w := durable.NewWorker(b, code, durable.WorkerConfig{})
	if err := w.Start(within(t)); err != nil {
		t.Fatal(err)
	}
	return w
}

// clientOf makes a client for the time of the test.
func clientOf(t *testing.T, b *natsbackend.Backend) *durable.Client {
	t.Helper()
	c := durable.NewClient(b, durable.ClientConfig{})
	t.Cleanup(func() { c.Close() })
	return c
}
