package natsbackend_test

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// queue opens a task queue; its deliveries come through the channel.
func queue(t *testing.T, b backend.Backend, activity string, grant int) (backend.TaskQueue, chan backend.TaskDelivery) {
	t.Helper()
	if err := b.EnsureActivity(within(t), backend.Activity{Name: activity}); err != nil {
		t.Fatal(err)
	}
	deliveries := make(chan backend.TaskDelivery, 1000)
	q, err := b.Tasks(activity, func(d backend.TaskDelivery) { deliveries <- d })
	if err != nil {
		t.Fatal(err)
	}
	q.Grant(grant)
	return q, deliveries
}

func TestTakeOver(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	a, b := open(t, s, natsbackend.Config{}), open(t, s, natsbackend.Config{})
	first, firstGot, _ := inbox(t, a, anna)
	var last uint64
	for slot := range uint32(3) {
		last = put(t, a, anna, done(slot))
	}
	for range 3 {
		receive(t, firstGot) // held, not acknowledged
	}
	_, secondGot, horizon := inbox(t, b, anna)
	if horizon != last {
		t.Errorf("horizon %d, want %d: somebody has seen it", horizon, last)
	}
	for slot := range uint32(3) {
		d := receive(t, secondGot)
		if got := d.Message.Record.(*history.Done).Slot; got != slot {
			t.Errorf("slot %d delivered again, want %d", got, slot)
		}
		d.Ack()
	}
	for slot := range uint32(100) {
		put(t, a, anna, done(3+slot))
	}
	for range 100 {
		receive(t, secondGot).Ack()
	}
	if len(firstGot) > 0 {
		t.Errorf("the first owner was served %d messages after the second took over", len(firstGot))
	}
	if err := first.Release(within(t)); err != nil {
		t.Errorf("release of what somebody took over: %v", err)
	}
	put(t, a, anna, done(200))
	receive(t, secondGot).Ack() // the release did not unpin the new owner for good
}

func TestTakeOverFromAnIdleOwner(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	a, b := open(t, s, natsbackend.Config{}), open(t, s, natsbackend.Config{})
	inbox(t, a, anna) // its request waits, unpinned
	_, got, _ := inbox(t, b, anna)
	put(t, a, anna, done(1))
	receive(t, got).Ack()
}

func TestReleaseGivesBack(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	a, b := open(t, s, natsbackend.Config{}), open(t, s, natsbackend.Config{})
	if err := a.EnsureGroup(within(t), anna.Group); err != nil {
		t.Fatal(err)
	}
	p := history.Partition(anna.ID, a.Info().Partitions)
	first := a.Inbox(anna.Group, p)
	entered, leave := make(chan struct{}, 100), make(chan struct{})
	if _, err := first.Open(within(t), func(d backend.Delivery) {
		entered <- struct{}{}
		<-leave
		d.Ack()
	}); err != nil {
		t.Fatal(err)
	}
	for slot := range uint32(20) {
		put(t, a, anna, done(slot))
	}
	receive(t, entered)
	released := make(chan error, 1)
	go func() { released <- first.Release(within(t)) }()
	close(leave) // Release waits for the deliverer, which waits for this
	if err := receive(t, released); err != nil {
		t.Fatal(err)
	}
	acknowledged := len(entered) + 1
	_, got, _ := inbox(t, b, anna)
	for range 20 - acknowledged {
		receive(t, got).Ack()
	}
	put(t, a, anna, done(99))
	if d := receive(t, got); d.Message.Record.(*history.Done).Slot != 99 {
		t.Errorf("slot %d came, want 99", d.Message.Record.(*history.Done).Slot)
	}
}

func TestNakDeliversAgain(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	_, got, _ := inbox(t, b, anna)
	put(t, b, anna, done(1))
	d := receive(t, got)
	d.Nak()
	again := receive(t, got)
	if again.Message.Seq != d.Message.Seq || again.Attempts != 2 || again.Order != d.Order+1 {
		t.Errorf("again: message %d, attempt %d, order %d after order %d", again.Message.Seq, again.Attempts, again.Order, d.Order)
	}
}

func TestForeignMessageIsDeliveredAsAnError(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{})
	_, got, _ := inbox(t, b, anna)
	seq := put(t, b, anna, start(1))
	d := receive(t, got)
	nc, err := nats.Connect("", s.Option())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	subject := subjectOf(t, s, seq)
	if err := errors.Join(nc.Publish(subject, []byte("hello")), nc.Flush()); err != nil {
		t.Fatal(err)
	}
	put(t, b, anna, done(1))
	bad := receive(t, got)
	if bad.Err == nil || bad.Message.Record != nil || bad.Message.Seq <= d.Message.Seq {
		t.Errorf("delivery %+v, want an error and a sequence", bad)
	}
	if d := receive(t, got); d.Err != nil {
		t.Errorf("what follows: %v", d.Err)
	}
}

func TestTasksComeAsGranted(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	const name = "membership.SendChallenge"
	q, got := queue(t, b, name, 2)
	for slot := range uint32(10) {
		put(t, b, anna, &history.Task{Ref: history.Ref{Run: 1, Slot: slot}, Name: name, Attempt: 1})
	}
	receive(t, got).Ack()
	receive(t, got).Ack()
	other, otherGot := queue(t, b, name, 3) // another worker: it gets what the first has no credit for
	for range 3 {
		d := receive(t, otherGot)
		d.Progress()
		d.Ack()
	}
	if len(got) != 0 || len(otherGot) != 0 {
		t.Errorf("%d and %d tasks came beyond the grant", len(got), len(otherGot))
	}
	other.Stop(t.Context())
	q.Grant(5)
	for range 5 {
		receive(t, got).Ack()
	}
	q.Stop(t.Context())
}

func TestAStoppedQueueGivesBack(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	const name = "membership.SendChallenge"
	q, _ := queue(t, b, name, 100)
	q.Stop(t.Context())
	_, got := queue(t, b, name, 1)
	put(t, b, anna, &history.Task{Ref: history.Ref{Run: 1}, Name: name, Attempt: 1})
	receive(t, got).Ack()
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	inbox(t, b, anna)
	queue(t, b, "a", 5)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := await(t, func(done func(uint64, error)) { b.Append(backend.Append{To: anna, Record: start(1)}, done) }); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("append: %v, want closed", err)
	}
	if _, err := await(t, func(done func(backend.Loaded, error)) { b.Load(anna, 0, done) }); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("load: %v, want closed", err)
	}
	if _, err := b.Inbox("g", 0).Open(within(t), func(backend.Delivery) {}); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("open: %v, want closed", err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}
