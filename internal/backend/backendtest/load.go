package backendtest

import (
	"errors"
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

var loads = []promise{
	{"nothing is there", loadNothing},
	{"a fresh run", loadFresh},
	{"history begins at the start", loadFromStart},
	{"it reaches what others appended", loadReaches},
	{"a replaced run", loadReplaced},
	{"continued as new: the tail follows its cause, not the record", loadContinued},
	{"continued as new, with records since", loadContinuedOn},
	{"continued as new twice", loadContinuedTwice},
	{"continued as new and ended", loadContinuedEnd},
	{"a new run after a run that continued as new", loadReplacedContinued},
	{"the group of an instance", findGroup},
	{"an instance that has decided nothing", undecided},
}

// loadedAs checks a load: sequences of start, base and tail (0: none), and the fence.
func (c *client) loadedAs(of history.Address, start, base, fence uint64, tail ...uint64) {
	c.t.Helper()
	type shape struct {
		Start, Base, Fence uint64
		Tail               []uint64
	}
	seq := func(m *history.Message) uint64 {
		if m == nil {
			return 0
		}
		return m.Seq
	}
	l := c.load(of, max(start, base, fence, 1))
	got := shape{seq(l.Start), seq(l.Base), l.TurnSeq, nil}
	for _, m := range l.Tail {
		got.Tail = append(got.Tail, m.Seq)
	}
	differs(c.t, "sequences of the load", shape{start, base, fence, tail}, got)
}

func loadNothing(t *testing.T, h Hub) {
	c := connect(t, h)
	c.loadedAs(anna, 0, 0, 0)
	c.put(anna, event("1")) // with no start it belongs to no run
	c.loadedAs(anna, 0, 0, 0)
}

func loadFresh(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	c.loadedAs(anna, first, 0, 0)
	taken := c.put(anna, task(charge, 0))
	done := c.put(anna, &history.Done{Ref: slot(0), Name: charge})
	turn := c.put(anna, &history.Turn{Run: 1, At: done})
	c.put(anna, &history.Timer{Ref: slot(1), Due: due}) // schedules are left out
	sent := c.put(anna, event("1"))
	steered := c.put(anna, &history.Control{Verb: history.Suspend, ID: "2"})
	c.put(odd, event("of another instance"))
	c.loadedAs(anna, first, 0, turn, taken, done, turn, sent, steered)
}

func loadFromStart(t *testing.T, h Hub) {
	c := connect(t, h)
	c.put(anna, event("early"))
	first := c.put(anna, start(1))
	late := c.put(anna, event("late"))
	c.loadedAs(anna, first, 0, 0, late)
}

func loadReaches(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	a.put(anna, start(1))
	for range 50 {
		seq := a.put(anna, event("1"))
		if l := b.load(anna, seq); len(l.Tail) == 0 || l.Tail[len(l.Tail)-1].Seq < seq {
			t.Fatalf("a load that has to reach %d has %d messages", seq, len(l.Tail))
		}
	}
}

func loadReplaced(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	end := c.put(anna, &history.Turn{Run: 1, At: first, End: &history.End{Status: history.Completed}})
	second := c.put(anna, start(2))
	c.loadedAs(anna, second, 0, end)
	later := c.put(anna, event("1"))
	c.loadedAs(anna, second, 0, end, later)
	turn := c.put(anna, &history.Turn{Run: 2, At: later})
	c.loadedAs(anna, second, 0, turn, later, turn)
}

func loadContinued(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	cause := c.put(anna, event("cause"))
	between := c.put(anna, event("between")) // H8
	record := continuing(1, 0, cause)
	base := c.put(anna, record)
	after := c.put(anna, event("after"))
	c.loadedAs(anna, first, base, base, between, base, after)
	differs[history.Record](t, "base", record, c.load(anna, after).Base.Record)
}

func loadContinuedOn(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	base := c.put(anna, continuing(1, 0, first))
	cause := c.put(anna, event("1"))
	turn := c.put(anna, &history.Turn{Run: 1, Execution: 1, At: cause, Base: base})
	c.loadedAs(anna, first, base, turn, base, cause, turn)
}

func loadContinuedTwice(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	base := c.put(anna, continuing(1, 0, first))
	cause := c.put(anna, event("1"))
	again := continuing(1, 1, cause)
	again.Base = base
	second := c.put(anna, again)
	c.loadedAs(anna, first, second, second, second)
	turn := c.put(anna, &history.Turn{Run: 1, Execution: 2, At: cause, Base: second})
	c.loadedAs(anna, first, second, turn, second, turn)
}

func loadContinuedEnd(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	base := c.put(anna, continuing(1, 0, first))
	cause := c.put(anna, event("1"))
	end := c.put(anna, &history.Turn{Run: 1, Execution: 1, At: cause, Base: base, End: &history.End{Status: history.Completed}})
	late := c.put(anna, event("late"))
	c.loadedAs(anna, first, base, end, base, cause, end, late)
}

func loadReplacedContinued(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	base := c.put(anna, continuing(1, 0, first))
	end := c.put(anna, &history.Turn{Run: 1, Execution: 1, At: base, Base: base, End: &history.End{Status: history.Completed}})
	second := c.put(anna, start(2))
	c.loadedAs(anna, second, 0, end)
}

func findGroup(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	find := func(id string) (string, error) {
		t.Helper()
		return await(t, "the group of "+id, func(done func(string, error)) { b.Group(id, done) })
	}
	if group, err := find(anna.ID); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("group of an unknown instance: %q, error %v, want ErrNotFound", group, err)
	}
	a.put(anna, start(1))
	a.put(odd, start(1))
	for _, want := range []history.Address{anna, odd, {Group: "moved", ID: anna.ID}} {
		if want.Group == "moved" {
			a.put(want, start(2)) // the newest start tells
		}
		if group, err := find(want.ID); group != want.Group || err != nil {
			t.Errorf("group of %q: %q, error %v, want %q", want.ID, group, err, want.Group)
		}
	}
}

func undecided(t *testing.T, h Hub) {
	c := connect(t, h)
	is := func(what string, want bool) {
		t.Helper()
		got, err := await(t, "an answer", func(done func(bool, error)) { backend.Undecided(c, anna, done) })
		if got != want || err != nil {
			t.Errorf("%s: %t, error %v, want %t", what, got, err, want)
		}
	}
	is("nobody", false)
	c.put(anna, event("early"))
	is("no start", false)
	first := c.put(anna, start(1))
	is("a start", true)
	c.put(anna, event("late"))
	c.put(anna, task(charge, 0))
	is("a task and an event, but no turn", true)
	if l := c.loadAfter(anna, backend.TheEnd-1); len(l.Tail) > 0 {
		t.Errorf("%d messages are read to tell", len(l.Tail))
	}
	c.put(anna, &history.Turn{Run: 1, At: first})
	is("a turn", false)
}
