package backendtest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// patience bounds every wait. It measures nothing: only a test that fails reaches it.
const patience = 60 * time.Second

// client is a view of the hub that waits for its answers and fails the test on errors.
type client struct {
	backend.Backend
	t *testing.T
}

func connect(t *testing.T, h Hub) *client {
	t.Helper()
	return &client{h.View(), t}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// receive waits for the next value.
func receive[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
	return v
}

type answer[T any] struct {
	v   T
	rev uint64
	err error
}

// await makes a call and waits for its callback.
func await[T any](t *testing.T, what string, call func(done func(T, error))) (T, error) {
	t.Helper()
	c := make(chan answer[T], 1)
	call(func(v T, err error) { c <- answer[T]{v: v, err: err} })
	a := receive(t, c, "the answer to "+what)
	return a.v, a.err
}

// awaitRev is await for callbacks that also tell a revision.
func awaitRev[T any](t *testing.T, what string, call func(done func(T, uint64, error))) (T, uint64, error) {
	t.Helper()
	c := make(chan answer[T], 1)
	call(func(v T, rev uint64, err error) { c <- answer[T]{v, rev, err} })
	a := receive(t, c, "the answer to "+what)
	return a.v, a.rev, a.err
}

func (c *client) try(a backend.Append) (uint64, error) {
	c.t.Helper()
	return await(c.t, fmt.Sprintf("an append of a %T", a.Record), func(done func(uint64, error)) { c.Append(a, done) })
}

// put appends without a fence.
func (c *client) put(to history.Address, r history.Record) uint64 {
	c.t.Helper()
	seq, err := c.try(backend.Append{To: to, Record: r})
	if err != nil {
		c.t.Fatalf("append a %T: %v", r, err)
	}
	return seq
}

func (c *client) cancel(to history.Address, ref history.Ref) {
	c.t.Helper()
	_, err := await(c.t, "the cancellation of a timer", func(done func(struct{}, error)) {
		c.CancelTimer(to, ref, func(err error) { done(struct{}{}, err) })
	})
	if err != nil {
		c.t.Fatalf("cancel timer %v: %v", ref, err)
	}
}

func (c *client) load(of history.Address, reach uint64) backend.Loaded {
	c.t.Helper()
	l, err := await(c.t, "a load", func(done func(backend.Loaded, error)) { c.Load(of, reach, done) })
	if err != nil {
		c.t.Fatalf("load %v: %v", of, err)
	}
	return l
}

// box is an open inbox and what it got.
type box struct {
	backend.Inbox
	t       *testing.T
	horizon uint64
	got     chan backend.Delivery
	order   uint64 // of the delivery received last
}

// roomy is how many deliveries a test's channel holds, more than any test makes.
const roomy = 10_000

// open takes over the partition of an instance.
func (c *client) open(of history.Address) *box {
	c.t.Helper()
	ctx := within(c.t)
	if err := c.EnsureGroup(ctx, of.Group); err != nil {
		c.t.Fatalf("EnsureGroup: %v", err)
	}
	b := &box{t: c.t, Inbox: c.Inbox(of.Group, c.partition(of)), got: make(chan backend.Delivery, roomy)}
	b.reopen()
	return b
}

// reopen takes it over again.
func (b *box) reopen() {
	b.t.Helper()
	var running atomic.Bool
	horizon, err := b.Open(within(b.t), func(d backend.Delivery) {
		if !running.CompareAndSwap(false, true) {
			b.t.Error("deliver was called while it ran")
		}
		b.got <- d
		running.Store(false)
	})
	if err != nil {
		b.t.Fatalf("open an inbox: %v", err)
	}
	b.horizon, b.order = horizon, 0
}

func (b *box) release() {
	b.t.Helper()
	if err := b.Release(within(b.t)); err != nil {
		b.t.Fatalf("release an inbox: %v", err)
	}
}

func (c *client) partition(of history.Address) int {
	return history.Partition(of.ID, c.Info().Partitions)
}

// next waits for the next delivery, which has to follow the one before it.
func (b *box) next() backend.Delivery {
	b.t.Helper()
	d := receive(b.t, b.got, "a delivery")
	if b.order != 0 && d.Order != b.order+1 {
		b.t.Errorf("delivery %d of message %d follows delivery %d", d.Order, d.Message.Seq, b.order)
	}
	b.order = d.Order
	if d.Err != nil {
		b.t.Errorf("delivery of message %d: %v", d.Message.Seq, d.Err)
	}
	return d
}

// want receives the deliveries of sequences, in this order, each for the given time.
func (b *box) want(attempts int, seqs ...uint64) []backend.Delivery {
	b.t.Helper()
	var ds []backend.Delivery
	for _, seq := range seqs {
		d := b.next()
		if d.Message.Seq != seq || d.Attempts != attempts {
			b.t.Fatalf("delivery of message %d for the %d. time, want message %d for the %d. time", d.Message.Seq, d.Attempts, seq, attempts)
		}
		ds = append(ds, d)
	}
	return ds
}

// silent checks that nothing has come.
func (b *box) silent() {
	b.t.Helper()
	select {
	case d := <-b.got:
		b.t.Errorf("delivery of message %d, to one that must not get it", d.Message.Seq)
	default:
	}
}

// flush waits until the store has taken the acknowledgements sent before: what is sent through one inbox is taken in
// order, so the message of d, given back, comes again after them.
func (b *box) flush(d backend.Delivery) backend.Delivery {
	b.t.Helper()
	d.Nak()
	return b.want(d.Attempts+1, d.Message.Seq)[0]
}

// differs fails the test with a diff unless the values are equal.
func differs[T any](t *testing.T, what string, want, got T, opts ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want, got, opts...); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
