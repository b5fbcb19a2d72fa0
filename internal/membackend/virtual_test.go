package membackend_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

var to = history.Address{Group: "g", ID: "i"}

// bench is a virtual hub whose group and activity exist.
type bench struct {
	*membackend.Memory
	t *testing.T
	v *membackend.View // of a client
}

func newBench(t *testing.T, cfg membackend.Config) *bench {
	t.Helper()
	m := membackend.New(cfg)
	b := &bench{m, t, m.View("client")}
	if err := b.v.EnsureGroup(context.Background(), to.Group); err != nil {
		t.Fatal(err)
	}
	if err := b.v.EnsureActivity(context.Background(), backend.Activity{Name: "a"}); err != nil {
		t.Fatal(err)
	}
	return b
}

// put appends a record and runs until it is stored.
func (b *bench) put(r history.Record) (seq uint64) {
	b.t.Helper()
	b.v.Append(backend.Append{To: to, Record: r}, func(s uint64, err error) {
		if err != nil {
			b.t.Fatalf("append a %T: %v", r, err)
		}
		seq = s
	})
	if !b.Run(func() bool { return seq != 0 }) {
		b.t.Fatalf("the append of a %T is not answered", r)
	}
	return seq
}

// heard is a delivery as tests compare it.
type heard struct {
	Seq, Order uint64
	Attempts   int
}

// worker is a view that has opened an inbox.
type worker struct {
	*membackend.View
	inbox   backend.Inbox
	got     []heard
	horizon uint64
	ack     bool
	last    backend.Delivery
}

func (b *bench) worker(name string) *worker {
	b.t.Helper()
	w := &worker{View: b.View(name), ack: true}
	w.inbox = w.Inbox(to.Group, history.Partition(to.ID, w.Info().Partitions))
	w.open(b.t)
	return w
}

func (w *worker) open(t *testing.T) {
	t.Helper()
	var err error
	w.horizon, err = w.inbox.Open(context.Background(), func(d backend.Delivery) {
		w.got = append(w.got, heard{d.Message.Seq, d.Order, d.Attempts})
		w.last = d
		if w.ack {
			d.Ack()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// took checks what came since it was asked last.
func (w *worker) took(t *testing.T, want ...heard) {
	t.Helper()
	if diff := cmp.Diff(want, w.got); diff != "" {
		t.Errorf("deliveries of %s (-want +got):\n%s", w.Name(), diff)
	}
	w.got = nil
}

func event(id string) *history.Event { return &history.Event{Name: "e", ID: id} }

// trace runs a busy hub under all faults and writes down what everybody sees.
func trace(seed uint64) (out []string) {
	m := membackend.New(membackend.Config{Seed: seed, Faults: membackend.Faults{
		RequestLost: .1, AnswerLost: .1, RequestDelayed: .1, RecordDoubled: .1,
		DeliveryLost: .1, DeliveryRepeated: .1, Shuffled: .5, AckLost: .1, SignalLost: .1,
		LagLoads: .1, LagStates: .1, LagArchives: .1,
	}})
	defer m.Close()
	note := func(format string, args ...any) {
		out = append(out, m.Now().Format(time.RFC3339Nano)+" "+fmt.Sprintf(format, args...))
	}
	ctx := context.Background()
	for n := range 3 {
		v := m.View(fmt.Sprint("w", n))
		for v.EnsureGroup(ctx, "g") != nil || v.EnsureActivity(ctx, backend.Activity{Name: "a"}) != nil {
			note("w%d: not yet", n)
		}
		for p := range v.Info().Partitions {
			_, err := v.Inbox("g", p).Open(ctx, func(d backend.Delivery) {
				note("w%d: %d %d %d", n, d.Message.Seq, d.Order, d.Attempts)
				v.Load(d.To, d.Message.Seq, func(l backend.Loaded, err error) { note("w%d: load %d %v", n, len(l.Tail), err) })
				v.PutState(backend.State{Address: d.To}, 0, func(rev uint64, err error) { note("w%d: state %d %v", n, rev, err) })
				v.Append(backend.Append{To: d.To, Record: &history.Task{Name: "a", Attempt: 1}}, func(seq uint64, err error) { note("w%d: task %d %v", n, seq, err) })
				v.Clock().After(50*time.Millisecond, d.Ack)
			})
			note("w%d: open %d: %v", n, p, err)
		}
		if q, err := v.Tasks("a", func(d backend.TaskDelivery) {
			note("w%d: task %d %d", n, d.Seq, d.Attempts)
			d.Ack()
		}); err == nil {
			q.Grant(20)
		}
		stop, err := v.Listen("topic", func(data []byte) { note("w%d: signal %s", n, data) })
		note("w%d: listen %v %v", n, stop != nil, err)
	}
	c := m.View("client")
	for n := range 40 {
		at := history.Address{Group: "g", ID: fmt.Sprint(n % 7)}
		c.Append(backend.Append{To: at, Record: event(fmt.Sprint(n))}, func(seq uint64, err error) { note("event %d: %d %v", n, seq, err) })
		c.Append(backend.Append{To: at, Record: &history.Timer{Ref: history.Ref{Slot: uint32(n)}, Due: m.Now().Add(time.Second)}}, func(uint64, error) {})
		c.Signal("topic", fmt.Append(nil, n))
		m.RunFor(100 * time.Millisecond)
	}
	m.RunFor(2 * time.Minute)
	for _, s := range m.Log() {
		note("log %d %v %T", s.Message.Seq, s.To, s.Message.Record)
	}
	return out
}

func TestOneSeedIsOneRun(t *testing.T) {
	t.Parallel()
	first := trace(7)
	if diff := cmp.Diff(first, trace(7)); diff != "" {
		t.Errorf("two runs with one seed (-first +second):\n%s", diff)
	}
	if len(first) < 300 {
		t.Errorf("only %d things happened", len(first))
	}
	if slices.Equal(first, trace(8)) {
		t.Error("two seeds make the same run")
	}
}

func TestVirtualTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	began := b.Now()
	var rang []time.Duration
	note := func() { rang = append(rang, b.Now().Sub(began)) }
	clock := b.v.Clock()
	clock.After(3*time.Hour, note)
	clock.After(time.Second, note)
	clock.After(time.Second, func() { note(); clock.After(time.Second, note) })
	stop := clock.After(time.Minute, note)
	b.RunFor(10 * time.Second)
	stop()
	b.RunFor(10 * time.Hour)
	want := []time.Duration{time.Second, time.Second, 2 * time.Second, 3 * time.Hour}
	if diff := cmp.Diff(want, rang); diff != "" {
		t.Errorf("timers rang after (-want +got):\n%s", diff)
	}
	if took := b.Now().Sub(began); took != 10*time.Hour+10*time.Second {
		t.Errorf("the clock went on for %v", took)
	}
	if b.Step() {
		t.Error("something is left to happen")
	}
}

func TestNothingHappensByItself(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	answered := false
	b.v.Append(backend.Append{To: to, Record: event("1")}, func(uint64, error) { answered = true })
	if answered || len(b.Log()) > 0 {
		t.Error("an append was stored or answered without a step")
	}
	if !b.Run(func() bool { return answered }) {
		t.Error("an append is never answered")
	}
	if b.Run(func() bool { return false }) {
		t.Error("Run reports a condition that never holds")
	}
}

func TestBlockingCallsWithinEvents(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	ran := false
	b.v.Clock().After(time.Second, func() {
		ctx := context.Background()
		rev, err := b.v.Meta().Put(ctx, "k", []byte("v"), 0)
		value, at, err2 := b.v.Meta().Get(ctx, "k")
		if err != nil || err2 != nil || string(value) != "v" || at != rev {
			t.Errorf("Put %v, Get %q %v", err, value, err2)
		}
		b.worker("other")
		ran = true
	})
	b.Run(func() bool { return ran })
	if !ran {
		t.Error("the event did not end")
	}
}

func TestTimersAreLateNeverEarly(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{Seed: 3})
	due := map[uint32]time.Time{}
	for slot := range uint32(200) {
		due[slot] = b.Now().Add(time.Duration(slot) * 10 * time.Millisecond)
		b.put(&history.Timer{Ref: history.Ref{Slot: slot}, Due: due[slot]})
	}
	b.RunFor(time.Minute)
	var latest time.Duration
	for _, s := range b.Log() {
		if f, ok := s.Message.Record.(*history.Fired); ok {
			late := s.Message.Time.Sub(due[f.Slot])
			if late < 0 {
				t.Errorf("timer %d fired %v early", f.Slot, -late)
			}
			latest = max(latest, late)
			delete(due, f.Slot)
		}
	}
	if len(due) > 0 || latest < 100*time.Millisecond {
		t.Errorf("%d timers did not fire; the latest was late by %v, want up to 250ms", len(due), latest)
	}
}

func TestStepOfALiveHubPanics(t *testing.T) {
	t.Parallel()
	m := membackend.New(membackend.Config{Live: true})
	defer m.Close()
	defer func() {
		if recover() == nil {
			t.Error("Step on a live hub returned")
		}
	}()
	m.Step()
}

func is(err, target error) bool { return errors.Is(err, target) }

func TestOneSubjectKeepsItsOrder(t *testing.T) {
	t.Parallel()
	mixed := false
	for seed := range uint64(20) {
		b := newBench(t, membackend.Config{Seed: seed})
		var want []string
		for n := range 10 {
			want = append(want, fmt.Sprint(n))
			b.v.Append(backend.Append{To: to, Record: event(want[n])}, func(uint64, error) {})
			b.v.Append(backend.Append{To: to, Record: &history.Turn{Run: 1, At: uint64(n)}}, func(uint64, error) {})
		}
		b.RunFor(time.Second)
		var got []string
		var kinds []history.Kind
		for _, s := range b.Log() {
			kinds = append(kinds, s.Message.Kind())
			if e, ok := s.Message.Record.(*history.Event); ok {
				got = append(got, e.ID)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d: events of one caller (-want +got):\n%s", seed, diff)
		}
		for n, k := range kinds {
			mixed = mixed || k != kinds[n%2]
		}
	}
	if !mixed {
		t.Error("records of different subjects never overtake one another")
	}
}

func TestCloseInVirtualTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.worker("w")
	var answers []error
	for range 3 {
		w.Append(backend.Append{To: to, Record: event("1")}, func(_ uint64, err error) { answers = append(answers, err) })
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(answers) != 3 {
		t.Errorf("Close answered %d of 3 calls", len(answers))
	}
	w.Append(backend.Append{To: to, Record: event("2")}, func(_ uint64, err error) { answers = append(answers, err) })
	if len(answers) != 3 {
		t.Error("answered within the call")
	}
	b.RunFor(time.Minute)
	if len(answers) != 4 {
		t.Errorf("%d answers to 4 calls", len(answers))
	}
	for _, err := range answers {
		if !is(err, backend.ErrClosed) {
			t.Errorf("answer %v, want ErrClosed", err)
		}
	}
	w.took(t)
}

// Whoever does not hear that it has the partition does not have it, and neither has the one before.
func TestOpenWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.View("w")
	in := w.Inbox(to.Group, history.Partition(to.ID, w.Info().Partitions))
	got := 0
	b.SetFaults(membackend.Faults{AnswerLost: 1})
	if _, err := in.Open(context.Background(), func(backend.Delivery) { got++ }); !is(err, backend.ErrUnavailable) {
		t.Fatalf("Open: %v, want ErrUnavailable", err)
	}
	b.SetFaults(membackend.Faults{})
	b.put(event("1"))
	b.RunFor(time.Second)
	if got != 0 {
		t.Error("delivered to an inbox whose Open has failed")
	}
	if _, err := in.Open(context.Background(), func(backend.Delivery) { got++ }); err != nil {
		t.Fatalf("Open again: %v", err)
	}
	b.RunFor(time.Second)
	if got != 1 {
		t.Errorf("%d deliveries, want 1", got)
	}
}
