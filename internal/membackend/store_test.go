package membackend_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

func TestStoreSharesNoMemory(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.worker("w")
	e := &history.Event{Name: "e", ID: "1", Payload: history.Payload(`"before"`)}
	b.v.Append(backend.Append{To: to, Record: e}, func(uint64, error) {})
	copy(e.Payload, `"after!`)
	b.RunFor(time.Second)
	got := w.last.Message.Record.(*history.Event)
	if string(got.Payload) != `"before"` {
		t.Errorf("the caller changed what is stored: %s", got.Payload)
	}
	copy(got.Payload, `"broken`)
	if again := b.Log()[0].Message.Record.(*history.Event); string(again.Payload) != `"before"` {
		t.Errorf("a receiver changed what is stored: %s", again.Payload)
	}
}

func TestAckWait(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.worker("w")
	w.ack = false
	b.put(event("1"))
	b.RunFor(29 * time.Second)
	w.took(t, heard{1, 1, 1})
	w.ack = true
	b.RunFor(2 * time.Second)
	w.took(t, heard{1, 2, 2})
	b.RunFor(time.Hour)
	w.took(t)
	if open := b.Unacked(); len(open) > 0 {
		t.Errorf("not acknowledged: %+v", open)
	}
}

// A reset goes back to the floor: what was acknowledged above it comes again, as on the server.
func TestTakeoverBeginsAtTheFloor(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	old := b.worker("old")
	old.ack = false
	var ds []backend.Delivery
	for n := range 3 {
		b.put(event(fmt.Sprint(n)))
		b.RunFor(time.Second)
		ds = append(ds, old.last)
	}
	ds[2].Ack()
	b.RunFor(time.Second)
	w := b.worker("new")
	b.RunFor(time.Second)
	w.took(t, heard{1, 4, 1}, heard{2, 5, 1}, heard{3, 6, 1})
	if w.horizon != 3 {
		t.Errorf("horizon %d, want 3", w.horizon)
	}
	b.RunFor(time.Hour)
	w.took(t)
}

func TestPurge(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	start := b.put(&history.Start{Run: 1, Orchestrator: "o"})
	b.put(event("1"))
	last := b.put(&history.Turn{Run: 1, At: start})
	b.Purge(last)
	w := b.worker("w")
	b.RunFor(time.Second)
	w.took(t) // purged before it was delivered (H17)
	var l backend.Loaded
	b.v.Load(to, last, func(got backend.Loaded, err error) { l = got })
	b.RunFor(time.Second)
	if l.Start != nil || len(l.Tail) > 0 || l.TurnSeq != last {
		t.Errorf("load after the purge: %+v", l)
	}
	var err error
	b.v.Append(backend.Append{To: to, Record: &history.Start{Run: 1, Orchestrator: "o"}, Fenced: true}, func(_ uint64, e error) { err = e })
	b.RunFor(time.Second)
	if err != nil {
		t.Errorf("fence 0 after a purge: %v, want it to hold (H10)", err)
	}
	if n := len(b.Log()); n != 4 {
		t.Errorf("the ghost holds %d messages, want all 4", n)
	}
}

func TestForeignMessages(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.worker("w")
	b.put(&history.Start{Run: 1, Orchestrator: "o"})
	seq := b.Inject(to, history.KindDone, "", []history.Field{{Key: "Durable-Done", Value: "nonsense"}}, []byte("?"))
	b.RunFor(time.Second)
	if w.last.Err == nil || w.last.Message.Seq != seq || w.last.Message.Record != nil {
		t.Errorf("delivery of a foreign message: %+v", w.last)
	}
	var failed error
	b.v.Load(to, seq, func(l backend.Loaded, err error) {
		if failed = err; len(l.Tail) > 0 {
			t.Errorf("a foreign message is part of the inbox: %+v", l.Tail)
		}
	})
	b.RunFor(time.Second)
	if failed != nil {
		t.Errorf("load: %v", failed)
	}
}

// A schedule leaves the log in the step in which it fires.
func TestFiringRemovesTheSchedule(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	timer := &history.Timer{Ref: history.Ref{Run: 1}, Due: b.Now().Add(time.Second)}
	b.put(timer)
	fenced := func() (err error) {
		b.v.Append(backend.Append{To: to, Record: timer, Fenced: true}, func(_ uint64, e error) { err = e })
		b.RunFor(500 * time.Millisecond)
		return err
	}
	if err := fenced(); !is(err, backend.ErrConflict) {
		t.Errorf("while it is scheduled: %v, want ErrConflict", err)
	}
	b.RunFor(2 * time.Second)
	if err := fenced(); err != nil {
		t.Errorf("after it fired: %v", err)
	}
}

// What is on its way when a queue stops goes to others at once, not after the ack wait.
func TestStopGivesBackWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{Latency: time.Second})
	queue := func(name string, got *int) backend.TaskQueue {
		q, err := b.View(name).Tasks("a", func(d backend.TaskDelivery) { *got++; d.Ack() })
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	var first, second int
	q := queue("first", &first)
	q.Grant(1)
	b.RunFor(5 * time.Second)
	b.v.Append(backend.Append{To: to, Record: &history.Task{Name: "a", Attempt: 1}}, func(uint64, error) {})
	b.Run(func() bool { return len(b.Log()) == 1 })
	q.Stop(t.Context())
	queue("second", &second).Grant(1)
	b.RunFor(4 * time.Second)
	if first != 0 || second != 1 {
		t.Errorf("%d tasks for the queue that stopped, %d for the other, want 0 and 1", first, second)
	}
}

func TestSignalOnItsWayWhenTheListenerStops(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	heardOf := 0
	stop, err := b.v.Listen("t", func([]byte) { heardOf++ })
	if err != nil {
		t.Fatal(err)
	}
	b.v.Signal("t", nil)
	b.Step() // it has reached the store
	stop()
	b.RunFor(time.Second)
	if heardOf != 0 {
		t.Error("heard after stop")
	}
}
