package natsbackend_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

func start(run uint32) *history.Start {
	return &history.Start{Run: run, Orchestrator: "membership.SignUp", Input: history.Payload(`{"phone":"+49 170"}`)}
}

func done(slot uint32) *history.Done {
	return &history.Done{Ref: history.Ref{Run: 1, Slot: slot}, Name: "membership.SendChallenge", Hash: 7, Attempt: 1, Result: history.Payload(`1234`)}
}

func turn(run, execution uint32, at, base uint64, end *history.End) *history.Turn {
	return &history.Turn{Run: run, Execution: execution, At: at, Base: base, End: end}
}

func continuedAsNew(run uint32) *history.End {
	return &history.End{Status: history.ContinuedAsNew, Base: &history.Base{Start: *start(run), Started: time.Unix(1_700_000_000, 0).UTC(), Clock: time.Unix(1_700_000_001, 0).UTC()}}
}

func TestFenceRefusesAStaleTurn(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	fenced := func(fence uint64) (uint64, error) {
		return await(t, func(done func(uint64, error)) {
			b.Append(backend.Append{To: anna, Record: turn(1, 0, 1, 0, nil), Fenced: true, Fence: fence}, done)
		})
	}
	first, err := fenced(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fenced(0); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("a second first turn: %v, want a conflict", err)
	}
	second, err := fenced(first)
	if err != nil || second <= first {
		t.Errorf("a turn after the first: %d, %v", second, err)
	}
	if _, err := fenced(first); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("a turn with a stale fence: %v, want a conflict", err)
	}
}

func TestAppendsOfOneCallerAreInOrder(t *testing.T) {
	t.Parallel()
	b := open(t, serve(t, embedded.Config{}), natsbackend.Config{InlinePayload: 1000})
	const n = 6000 // more than the window
	answers := make(chan result[uint64], n)
	for i := range n {
		d := done(uint32(i))
		if i%1000 == 500 { // through the object store, in the middle
			d.Result = history.Payload(`"` + string(make([]byte, 2000)) + `"`)
		}
		b.Append(backend.Append{To: anna, Record: d}, func(seq uint64, err error) { answers <- result[uint64]{seq, err} })
	}
	for range n {
		if r := receive(t, answers); r.err != nil {
			t.Fatal(r.err)
		}
	}
	put(t, b, anna, start(1))
	_, deliveries, _ := inbox(t, b, anna)
	for i := range n {
		d := receive(t, deliveries)
		if got := d.Message.Record.(*history.Done).Slot; got != uint32(i) {
			t.Fatalf("delivery %d is of slot %d: %v", i, got, d.Err)
		}
		d.Ack()
	}
}

// TestLoad gives for every shape of a log what Load makes of it. Each step appends to one instance; sequences are
// those of the hub, which starts empty.
func TestLoad(t *testing.T) {
	t.Parallel()
	event := &history.Event{Name: "approved", ID: "c1", Payload: history.Payload(`true`)}
	task := &history.Task{Ref: history.Ref{Run: 1}, Name: "membership.SendChallenge", Attempt: 1, Args: history.Payload(`1`)}
	for _, c := range []struct {
		name    string
		records []history.Record
		start   uint64
		base    uint64
		tail    []uint64
		turn    uint64
	}{
		{name: "nothing"},
		{name: "an event before the start does not exist", records: []history.Record{event}},
		{name: "fresh", records: []history.Record{start(1), task, done(0), event}, start: 1, tail: []uint64{2, 3, 4}},
		{name: "messages before the start are left out", records: []history.Record{event, start(1), done(0)}, start: 2, tail: []uint64{3}},
		{name: "with turns", records: []history.Record{start(1), turn(1, 0, 1, 0, nil), done(0), turn(1, 0, 3, 0, nil)}, start: 1, tail: []uint64{2, 3, 4}, turn: 4},
		{
			name:    "a schedule is not history",
			records: []history.Record{start(1), &history.Timer{Ref: history.Ref{Run: 1, Slot: 3}, Due: time.Now().Add(time.Hour)}, done(0)},
			start:   1, tail: []uint64{3},
		},
		{
			name:    "replaced run",
			records: []history.Record{start(1), turn(1, 0, 1, 0, &history.End{Status: history.Completed}), start(2), done(0)},
			start:   3, tail: []uint64{4}, turn: 2,
		},
		{
			name:    "replaced run that had continued as new",
			records: []history.Record{start(1), turn(1, 0, 1, 0, continuedAsNew(1)), turn(1, 1, 1, 2, &history.End{Status: history.Completed}), start(2), done(0)},
			start:   4, tail: []uint64{5}, turn: 3,
		},
		{
			name:    "continued as new: the tail follows its cause, not the record (H8)",
			records: []history.Record{start(1), event, done(0), turn(1, 0, 2, 0, continuedAsNew(1)), event},
			start:   1, base: 4, tail: []uint64{3, 4, 5}, turn: 4,
		},
		{
			name:    "in the second execution",
			records: []history.Record{start(1), event, turn(1, 0, 2, 0, continuedAsNew(1)), event, turn(1, 1, 4, 3, nil), event},
			start:   1, base: 3, tail: []uint64{3, 4, 5, 6}, turn: 5,
		},
		{
			name:    "continued as new twice",
			records: []history.Record{start(1), event, turn(1, 0, 2, 0, continuedAsNew(1)), event, turn(1, 1, 4, 3, continuedAsNew(1)), event},
			start:   1, base: 5, tail: []uint64{5, 6}, turn: 5,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := fresh(t)
			var last uint64
			for _, r := range c.records {
				last = put(t, b, anna, r)
			}
			l := load(t, b, anna, last)
			var startSeq, baseSeq uint64
			if l.Start != nil {
				startSeq = l.Start.Seq
			}
			if l.Base != nil {
				baseSeq = l.Base.Seq
			}
			var tail []uint64
			for _, m := range l.Tail {
				tail = append(tail, m.Seq)
				if diff := cmp.Diff(c.records[m.Seq-1], m.Record); diff != "" {
					t.Errorf("message %d (-want +got):\n%s", m.Seq, diff)
				}
			}
			want := fmt.Sprint(c.start, c.base, c.tail, c.turn)
			if got := fmt.Sprint(startSeq, baseSeq, tail, l.TurnSeq); got != want {
				t.Errorf("start, base, tail, turn: %s, want %s", got, want)
			}
		})
	}
}

func TestLoadOfALongHistoryAmongOthers(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	bob := history.Address{Group: anna.Group, ID: "bob"}
	first := put(t, b, anna, start(1))
	const n = 1500 // several pages
	answers := make(chan result[uint64], 2*n)
	reply := func(seq uint64, err error) { answers <- result[uint64]{seq, err} }
	for i := range n {
		b.Append(backend.Append{To: anna, Record: done(uint32(i))}, reply)
		b.Append(backend.Append{To: bob, Record: done(uint32(i))}, reply)
	}
	var last uint64
	for range 2 * n {
		r := receive(t, answers)
		if r.err != nil {
			t.Fatal(r.err)
		}
		last = max(last, r.v)
	}
	l := load(t, b, anna, last)
	if l.Start == nil || l.Start.Seq != first || len(l.Tail) != n {
		t.Fatalf("start %v and %d messages, want %d", l.Start, len(l.Tail), n)
	}
	for i, m := range l.Tail {
		if got := m.Record.(*history.Done).Slot; got != uint32(i) {
			t.Fatalf("message %d is of slot %d", i, got)
		}
	}
}

func TestGroupOfAnInstance(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	put(t, b, anna, start(1))
	group, err := await(t, func(done func(string, error)) { b.Group(anna.ID, done) })
	if err != nil || group != anna.Group {
		t.Errorf("group %q, %v", group, err)
	}
	if _, err := await(t, func(done func(string, error)) { b.Group("nobody", done) }); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("of an unknown instance: %v, want not found", err)
	}
}

func TestTimersFireAndAreCancelled(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	_, deliveries, _ := inbox(t, b, anna)
	ref := func(slot uint32) history.Ref { return history.Ref{Run: 1, Slot: slot} }
	now := time.Now()
	cancelled := &history.Timer{Ref: ref(1), Due: now.Add(300 * time.Millisecond)}
	replaced := &history.Timer{Ref: ref(2), Due: now.Add(time.Hour)}
	kept := &history.Timer{Ref: ref(2), Due: now.Add(900 * time.Millisecond)}
	put(t, b, anna, cancelled)
	put(t, b, anna, replaced)
	put(t, b, anna, kept)
	cancel := func(ref history.Ref) error {
		_, err := await(t, func(done func(struct{}, error)) {
			b.CancelTimer(anna, ref, func(err error) { done(struct{}{}, err) })
		})
		return err
	}
	if err := cancel(ref(1)); err != nil {
		t.Fatal(err)
	}
	if err := cancel(ref(9)); err != nil {
		t.Errorf("cancelling what never was: %v", err)
	}
	d := receive(t, deliveries)
	fired, ok := d.Message.Record.(*history.Fired)
	if !ok || fired.Ref != ref(2) || !fired.Due.Equal(kept.Due) {
		t.Errorf("%#v fired, %v; want slot 2", d.Message.Record, d.Err)
	}
	if d.Message.Time.Before(kept.Due) {
		t.Errorf("fired at %v, before it was due at %v", d.Message.Time, kept.Due)
	}
	d.Ack()
	if err := cancel(ref(2)); err != nil {
		t.Errorf("cancelling what has fired: %v", err)
	}
}

func TestATimerSchedulesARetry(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	task := &history.Task{Ref: history.Ref{Run: 1}, Name: "membership.SendChallenge", Attempt: 2, Args: history.Payload(`["a"]`), LastErr: "no signal"}
	_, deliveries := queue(t, b, task.Name, 1)
	put(t, b, anna, &history.Timer{Ref: task.Ref, Due: time.Now(), Task: task})
	d := receive(t, deliveries)
	if diff := cmp.Diff(task, d.Task); diff != "" || d.Err != nil || d.From != anna {
		t.Errorf("from %v: %v (-want +got):\n%s", d.From, d.Err, diff)
	}
}
