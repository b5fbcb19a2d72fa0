package backendtest

import (
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

var retentions = []promise{
	{"a tail that follows a sequence", loadAfter},
	{"the floor is what some consumer has not had acknowledged", floorOfInbox},
	{"a task that nobody has taken holds the floor", floorOfTask},
	{"a log nobody consumes has no floor but its end", floorOfNobody},
	{"what is below is gone, the rest stays", shortened},
	{"a schedule below fires no more", shortenedTimer},
	{"an execution whose base has left the log", shortenedBase},
	{"what was shortened is not delivered", shortenedInbox},
	{"live states, and what has changed since", liveStates},
}

// floors reads the floor until it is what the test expects: acknowledgements are under way.
func (c *client) floors() (floor, next uint64) {
	c.t.Helper()
	floor, next, err := awaitRev(c.t, "the floor", c.Floor)
	if err != nil {
		c.t.Fatalf("Floor: %v", err)
	}
	return floor, next
}

func (c *client) shorten(before uint64) {
	c.t.Helper()
	_, err := await(c.t, "shortening", func(done func(struct{}, error)) {
		c.Shorten(before, func(err error) { done(struct{}{}, err) })
	})
	if err != nil {
		c.t.Fatalf("shorten the log below %d: %v", before, err)
	}
}

func (c *client) loadAfter(of history.Address, after uint64) backend.Loaded {
	c.t.Helper()
	l, err := await(c.t, "a load", func(done func(backend.Loaded, error)) { c.LoadAfter(of, after, 1, done) })
	if err != nil {
		c.t.Fatalf("load %v after %d: %v", of, after, err)
	}
	return l
}

func seqsOf(tail []history.Message) (seqs []uint64) {
	for _, m := range tail {
		seqs = append(seqs, m.Seq)
	}
	return seqs
}

func loadAfter(t *testing.T, h Hub) {
	c := connect(t, h)
	if l := c.loadAfter(anna, 0); l.Start != nil || len(l.Tail) > 0 {
		t.Errorf("of an instance that never was: %+v", l)
	}
	first := c.put(anna, start(1))
	one := c.put(anna, event("1"))
	turn := c.put(anna, &history.Turn{Run: 1, At: one})
	c.put(anna, &history.Timer{Ref: slot(1), Due: due})
	again := c.put(anna, start(1)) // a copy: the tail does not begin there
	two := c.put(anna, event("2"))
	l := c.loadAfter(anna, first)
	differs(t, "tail", []uint64{one, turn, again, two}, seqsOf(l.Tail))
	if l.From != first || l.TurnSeq != turn || l.Start == nil || l.Start.Seq != again || l.Base != nil {
		t.Errorf("from %d, fence %d, start %+v, base %v", l.From, l.TurnSeq, l.Start, l.Base)
	}
	differs(t, "the rest", []uint64{two}, seqsOf(c.loadAfter(anna, again).Tail))
}

func floorOfInbox(t *testing.T, h Hub) {
	c := connect(t, h)
	in := c.open(anna)
	seqs := c.putEvents(anna, "1", "2", "3")
	ds := in.want(1, seqs...)
	if floor, next := c.floors(); floor != seqs[0] || next != seqs[2]+1 {
		t.Errorf("floor %d, next %d, want %d and %d", floor, next, seqs[0], seqs[2]+1)
	}
	ds[1].Ack() // not in order: the floor stays
	ds[2] = in.flush(ds[2])
	if floor, _ := c.floors(); floor > seqs[0] {
		t.Errorf("floor %d, want %d", floor, seqs[0])
	}
	ds[0].Ack()
	in.flush(ds[2])
	if floor, _ := c.floors(); floor != seqs[2] {
		t.Errorf("floor %d, want %d", floor, seqs[2])
	}
}

func floorOfTask(t *testing.T, h Hub) {
	c, end := connect(t, h), within(t)
	if err := c.EnsureActivity(end, backend.Activity{Name: charge}); err != nil {
		t.Fatal(err)
	}
	c.put(anna, event("1")) // its group has no consumers
	waiting := c.put(anna, task(charge, 0))
	c.put(anna, event("2"))
	for floor, _ := c.floors(); floor > waiting; floor, _ = c.floors() {
		if end.Err() != nil {
			t.Fatalf("floor %d, want at most %d", floor, waiting)
		}
	}
}

func floorOfNobody(t *testing.T, h Hub) {
	c := connect(t, h)
	if floor, next := c.floors(); floor != next {
		t.Errorf("of an empty log: floor %d, next %d", floor, next)
	}
	last := c.put(anna, event("1"))
	if floor, next := c.floors(); floor != last+1 || next != last+1 {
		t.Errorf("floor %d, next %d, want %d twice", floor, next, last+1)
	}
}

func shortened(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	turn := c.put(anna, &history.Turn{Run: 1, At: first})
	kept := c.put(odd, start(1))
	late := c.put(anna, event("1"))
	c.shorten(kept)
	c.loadedAs(anna, 0, 0, 0)
	c.loadedAs(odd, kept, 0, 0)
	differs(t, "what is left", []uint64{late}, seqsOf(c.loadAfter(anna, turn).Tail))
	if _, err := c.try(backend.Append{To: anna, Record: start(1), Fenced: true}); err != nil {
		t.Errorf("a start where the first one has left the log: %v, want it to be stored: its owner knows better (H10)", err)
	}
	c.shorten(kept) // again is no harm
	c.loadedAs(odd, kept, 0, 0)
}

func shortenedTimer(t *testing.T, h Hub) {
	c := connect(t, h)
	in := c.open(anna)
	c.arm(slot(1), near)
	c.arm(slot(2), away)
	after := c.put(odd, event("1"))
	c.arm(slot(2), near) // armed again, above the mark
	c.shorten(after)
	gone := c.Clock().Now()
	c.arm(slot(3), far)
	for seen := map[history.Ref]bool{}; !seen[slot(2)] || !seen[slot(3)]; {
		m := in.next().Message
		ref := m.Record.(*history.Fired).Ref
		if ref == slot(1) && m.Time.After(gone) {
			t.Error("a timer that has left the log has fired")
		}
		seen[ref] = true
	}
}

func shortenedBase(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	base := c.put(anna, continuing(1, 0, first))
	done := c.put(anna, event("1"))
	turn := c.put(anna, &history.Turn{Run: 1, Execution: 1, At: done, Base: base})
	if l := c.load(anna, turn); l.Cut || l.Base == nil || l.Base.Seq != base || l.From != first {
		t.Errorf("before: %+v", l)
	}
	c.shorten(done)
	if l := c.load(anna, turn); !l.Cut || l.Base != nil || l.TurnSeq != turn {
		t.Errorf("after: %+v, want it to tell that the base is gone", l)
	}
}

func shortenedInbox(t *testing.T, h Hub) {
	c := connect(t, h)
	seqs := c.putEvents(anna, "1", "2", "3")
	c.shorten(seqs[2])
	c.open(anna).want(1, seqs[2])
}

func liveStates(t *testing.T, h Hub) {
	c := connect(t, h)
	type seen struct {
		ID   string
		Need uint64
		Live bool
	}
	var since uint64
	changes := func() (got []seen) {
		t.Helper()
		newest, err := c.LiveStates(within(t), since, func(a history.Address, need uint64, live bool) {
			if live && a.Group != "club" {
				t.Errorf("%s is of group %q", a.ID, a.Group)
			}
			got = append(got, seen{a.ID, need, live})
		})
		if err != nil {
			t.Fatal(err)
		}
		since = newest
		return got
	}
	put := func(s backend.State, rev uint64) uint64 {
		t.Helper()
		s.Group = "club"
		rev, err := await(t, "a put", func(done func(uint64, error)) { c.PutState(s, rev, done) })
		if err != nil {
			t.Fatal(err)
		}
		return rev
	}
	state := func(id string, s history.Status, need uint64) backend.State {
		return backend.State{Address: history.Address{ID: id}, Status: s, Run: 1, Need: need}
	}
	differs(t, "of an empty hub", nil, changes())
	one := put(state("one", history.Running, 7), 0)
	claim := state("claimed", history.Pending, 0)
	claim.Claim = start(1)
	put(claim, 0)
	put(state("over", history.Completed, 0), 0)
	two := put(state("two", history.Suspended, 9), 0)
	differs(t, "all", []seen{{"one", 7, true}, {"claimed", 0, false}, {"over", 0, false}, {"two", 9, true}}, changes())
	differs(t, "with nothing new", nil, changes())
	put(state("one", history.Running, 12), one)
	if _, err := await(t, "a deletion", func(done func(struct{}, error)) {
		c.DeleteState("two", two, func(err error) { done(struct{}{}, err) })
	}); err != nil {
		t.Fatal(err)
	}
	differs(t, "changes", []seen{{"one", 12, true}, {"two", 0, false}}, changes())
}
