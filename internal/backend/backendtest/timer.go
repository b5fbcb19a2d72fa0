package backendtest

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

var timers = []promise{
	{"fires once, not before it is due", fireOnce},
	{"one that is overdue fires", fireOverdue},
	{"a new schedule of a slot replaces the old one", replaceTimer},
	{"slots of other executions are other timers", timersApart},
	{"cancelled before it fires", cancelBefore},
	{"cancelled after it fired, or when it never was", cancelLate},
	{"a retry brings the task", retryTimer},
	{"the next attempt can be seen", seeRetry},
}

// Due times are this far from now: near enough to wait for, and far enough to be in the future when they are stored.
const (
	near = 400 * time.Millisecond
	far  = 1500 * time.Millisecond // after near, also if near fires late
	away = time.Hour
)

func slot(n uint32) history.Ref { return history.Ref{Run: 1, Slot: n} }

// arm schedules a timer and gives its due time.
func (c *client) arm(ref history.Ref, after time.Duration) time.Time {
	c.t.Helper()
	due := c.Clock().Now().Add(after).UTC().Round(time.Nanosecond)
	c.put(anna, &history.Timer{Ref: ref, Due: due})
	return due
}

// fired receives the firing of a timer.
func (b *box) fired(ref history.Ref, due time.Time) {
	b.t.Helper()
	d := b.next()
	differs[history.Record](b.t, "delivery", &history.Fired{Ref: ref, Due: due}, d.Message.Record)
	if d.Message.Time.Before(due) {
		b.t.Errorf("timer %v, due at %v, fired at %v", ref, due, d.Message.Time)
	}
}

func fireOnce(t *testing.T, h Hub) {
	c := connect(t, h)
	b := c.open(anna)
	c.put(anna, start(1))
	b.next()
	due := c.arm(slot(1), near)
	later := c.arm(slot(2), far)
	b.fired(slot(1), due)
	b.fired(slot(2), later)
	var fired int
	for _, m := range c.load(anna, 1).Tail {
		switch m.Record.(type) {
		case *history.Fired:
			fired++
		default:
			t.Errorf("a load has a %T", m.Record)
		}
	}
	if fired != 2 {
		t.Errorf("the log has %d firings of 2 timers", fired)
	}
}

func fireOverdue(t *testing.T, h Hub) {
	c := connect(t, h)
	b := c.open(anna)
	b.fired(slot(1), c.arm(slot(1), -time.Minute))
}

func replaceTimer(t *testing.T, h Hub) {
	c := connect(t, h)
	b := c.open(anna)
	c.arm(slot(1), away)
	sooner := c.arm(slot(1), near)
	replaced := c.arm(slot(2), near)
	c.arm(slot(2), away)
	c.intime(replaced)
	last := c.arm(slot(3), far)
	b.fired(slot(1), sooner)
	b.fired(slot(3), last)
}

// intime ends the test if a timer was due already when it was replaced or cancelled: the machine stood still, and
// whatever happens now shows nothing.
func (c *client) intime(due time.Time) {
	c.t.Helper()
	if late := c.Clock().Now().Sub(due); late > 0 {
		c.t.Logf("the machine stood still: a timer that was to be stopped was due %v before that", late)
		runtime.Goexit()
	}
}

func timersApart(t *testing.T, h Hub) {
	c := connect(t, h)
	b := c.open(anna)
	refs := []history.Ref{{Run: 1, Slot: 1}, {Run: 1, Execution: 1, Slot: 1}, {Run: 2, Slot: 1}, {Run: 1, Slot: 11}}
	want := map[history.Ref]bool{}
	for _, ref := range refs {
		c.arm(ref, near)
		want[ref] = true
	}
	got := map[history.Ref]bool{}
	for range refs {
		if f, ok := b.next().Message.Record.(*history.Fired); ok {
			got[f.Ref] = true
		}
	}
	differs(t, "timers that fired", want, got)
}

func cancelBefore(t *testing.T, h Hub) {
	c := connect(t, h)
	b := c.open(anna)
	canceled := c.arm(slot(1), near)
	c.cancel(anna, slot(1))
	c.intime(canceled)
	due := c.arm(slot(2), far)
	b.fired(slot(2), due)
	// The slot may be armed again.
	b.fired(slot(1), c.arm(slot(1), near))
}

func cancelLate(t *testing.T, h Hub) {
	c := connect(t, h)
	b := c.open(anna)
	b.fired(slot(1), c.arm(slot(1), near))
	c.cancel(anna, slot(1))
	c.cancel(anna, slot(2))
	c.cancel(odd, slot(1))
	last := c.put(anna, event("last"))
	b.want(1, last)
}

func retryTimer(t *testing.T, h Hub) {
	c := connect(t, h)
	q := c.tasks(charge, backend.Activity{Name: charge})
	q.Grant(2)
	first := task(charge, 5)
	c.put(odd, first)
	q.next().Ack()
	again := *first
	again.Attempt, again.LastErr, again.Args = 2, "declined: ключ, 100 %", blob
	due := c.Clock().Now().Add(near)
	seq := c.put(odd, &history.Timer{Ref: first.Ref, Due: due, Task: &again})
	d := q.next()
	if d.From != odd || d.Seq <= seq || d.Attempts != 1 {
		t.Errorf("task %d from %v for the %d. time, want a new one from %v", d.Seq, d.From, d.Attempts, odd)
	}
	differs(t, "the task", &again, d.Task)
}

// nextAttempt reads the schedule of a slot's next attempt.
func (c *client) nextAttempt(of history.Address, ref history.Ref) (*history.Timer, error) {
	c.t.Helper()
	return await(c.t, "the schedule of a task", func(done func(*history.Timer, error)) { c.Retry(of, ref, done) })
}

func seeRetry(t *testing.T, h Hub) {
	c := connect(t, h)
	due := c.Clock().Now().Add(away).UTC().Round(0)
	again := task(charge, 5)
	again.Attempt, again.LastErr, again.Args = 4, "declined: ключ, 100 %", blob
	c.put(odd, &history.Timer{Ref: again.Ref, Due: due, Task: again})
	c.put(odd, &history.Timer{Ref: slot(6), Due: due})
	got, err := c.nextAttempt(odd, again.Ref)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Due.Equal(due) || got.Ref != again.Ref {
		t.Errorf("it is due at %v for %v, want %v for %v", got.Due, got.Ref, due, again.Ref)
	}
	differs(t, "the task", again, got.Task)
	for _, ref := range []history.Ref{slot(6), slot(7)} { // a timer of the orchestrator, and none
		if _, err := c.nextAttempt(odd, ref); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("slot %s: got %v, want ErrNotFound", ref, err)
		}
	}
	c.cancel(odd, again.Ref)
	if _, err := c.nextAttempt(odd, again.Ref); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("after it was cancelled: got %v, want ErrNotFound", err)
	}
}
