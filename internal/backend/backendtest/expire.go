package backendtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

var expiries = []promise{
	{"an entry goes with its run", expireArchive},
	{"all entries are listed, without what is the user's", listArchives},
	{"starts and turn records of the log are listed", listLog},
	{"a base that has left the log, of a run that is over", shortenedEnd},
	{"a sweep removes nothing that is needed", sweep},
}

func expireArchive(t *testing.T, h Hub) {
	c := connect(t, h)
	long := c.Info().Retention
	if long != long.WithDefaults() || long.Shortest() < time.Minute {
		t.Fatalf("the hub keeps runs for %+v", long)
	}
	a := backend.Archive{Address: anna, Run: 1, Status: history.Failed, Ended: c.Clock().Now().Add(-2 * long.Failed), Custom: json, Messages: history.Messages{{Seq: 1, Record: start(1)}}}
	seq, err := c.putArchive(a, 0)
	if err != nil {
		t.Fatal(err)
	}
	end := within(t)
	for {
		got, at, err := c.getArchive(anna)
		if errors.Is(err, backend.ErrNotFound) {
			break
		}
		if err != nil || at != seq || got.Ended.IsZero() || end.Err() != nil {
			t.Fatalf("entry %d, %+v, %v: want it until it is gone", at, got, err)
		}
	}
	if _, err := c.putArchive(a, seq); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("an update of what has expired: %v, want a conflict", err)
	}
	if _, err := c.putArchive(a, 0); err != nil {
		t.Errorf("another one: %v", err)
	}
}

func listArchives(t *testing.T, h Hub) {
	c := connect(t, h)
	want := []backend.Archive{
		{Address: anna, Run: 3, Status: history.Completed, Ended: due},
		{Address: odd, Run: 1, Status: history.Running, At: 7},
	}
	for _, a := range want {
		a.Messages, a.Custom, a.Late = history.Messages{{Seq: 1, Record: start(1)}}, json, history.Messages{{Seq: 9, Record: event("1")}}
		if _, err := c.putArchive(a, 0); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]backend.Archive{}
	if err := c.ListArchives(within(t), func(a backend.Archive) bool { got[a.ID] = a; return true }); err != nil {
		t.Fatal(err)
	}
	differs(t, "entries", map[string]backend.Archive{anna.ID: want[0], odd.ID: want[1]}, got)
	n := 0
	if err := c.ListArchives(within(t), func(backend.Archive) bool { n++; return false }); err != nil || n != 1 {
		t.Errorf("%d entries, %v, want one for who has enough", n, err)
	}
	over, cancel := context.WithCancel(within(t))
	cancel()
	if err := c.ListArchives(over, func(backend.Archive) bool { return true }); err == nil {
		t.Error("a list goes on when nobody waits for it")
	}
}

func listLog(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	c.put(anna, &history.Turn{Run: 1, At: first})
	c.put(anna, event("1"))
	c.put(odd, start(4))
	type seen struct {
		ID  string
		Run uint32
	}
	got := map[seen]int{}
	if err := c.ListLog(within(t), func(of history.Address, run uint32) bool { got[seen{of.ID, run}]++; return true }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[seen]int{{anna.ID, 1}: 2, {odd.ID, 4}: 1}, got); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
}

func shortenedEnd(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	base := c.put(anna, continuing(1, 0, first))
	done := c.put(anna, event("1"))
	turn := c.put(anna, &history.Turn{Run: 1, Execution: 1, At: done, Base: base, End: &history.End{Status: history.Completed}})
	c.shorten(done)
	if l := c.load(anna, turn); !l.Cut || !l.Over || l.Base != nil {
		t.Errorf("%+v, want it to tell that the run is over and its base gone", l)
	}
	late := c.put(anna, start(1))
	if l := c.load(anna, late); l.Cut || l.Start == nil || l.Start.Seq != late || len(l.Tail) > 0 {
		t.Errorf("with a start behind: %+v, want no more than that", l)
	}
}

func sweep(t *testing.T, h Hub) {
	c := connect(t, h)
	seq := c.put(anna, start(1))
	if _, err := await(t, "a sweep", func(done func(struct{}, error)) {
		c.Sweep(func(err error) { done(struct{}{}, err) })
	}); err != nil {
		t.Fatal(err)
	}
	c.loadedAs(anna, seq, 0, 0)
}
