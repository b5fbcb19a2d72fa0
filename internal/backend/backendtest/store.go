package backendtest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

var stores = []promise{
	{"states are compared and set", compareStates},
	{"states come back as they were put", keepStates},
	{"states are listed", listStates},
	{"states are found page by page", findStates},
	{"a deleted state leaves its revision", deleteStates},
	{"archive entries are compared and set", compareArchives},
	{"archive entries come back as they were put", keepArchives},
}

func (c *client) putState(s backend.State, rev uint64) (uint64, error) {
	c.t.Helper()
	return await(c.t, "a state", func(done func(uint64, error)) { c.PutState(s, rev, done) })
}

func (c *client) getState(id string) (backend.State, uint64, error) {
	c.t.Helper()
	return awaitRev(c.t, "a state", func(done func(backend.State, uint64, error)) { c.GetState(id, done) })
}

func (c *client) deleteState(id string, rev uint64) error {
	c.t.Helper()
	_, err := await(c.t, "a deletion", func(done func(struct{}, error)) {
		c.DeleteState(id, rev, func(err error) { done(struct{}{}, err) })
	})
	return err
}

func (c *client) putArchive(a backend.Archive, expect uint64) (uint64, error) {
	c.t.Helper()
	return await(c.t, "an archive entry", func(done func(uint64, error)) { c.PutArchive(a, expect, done) })
}

func (c *client) getArchive(of history.Address) (backend.Archive, uint64, error) {
	c.t.Helper()
	return awaitRev(c.t, "an archive entry", func(done func(backend.Archive, uint64, error)) { c.GetArchive(of, done) })
}

// comparedAndSet checks the revisions of a store. put writes value n under a key, get tells the value and its revision.
func comparedAndSet(t *testing.T, put func(n int, rev uint64) (uint64, error), get func() (int, uint64, error)) {
	if n, _, err := get(); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("before there was one: %d, error %v, want ErrNotFound", n, err)
	}
	if _, err := put(0, 5); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("an update of nothing: %v, want ErrConflict", err)
	}
	var rev uint64
	for n := 1; n <= 3; n++ {
		next, err := put(n, rev)
		if err != nil {
			t.Fatalf("value %d at revision %d: %v", n, rev, err)
		}
		if next <= rev {
			t.Errorf("value %d has revision %d after %d", n, next, rev)
		}
		for _, stale := range []uint64{0, rev, next + 1} {
			if _, err := put(-1, stale); !errors.Is(err, backend.ErrConflict) {
				t.Errorf("revision %d while it is %d: %v, want ErrConflict", stale, next, err)
			}
		}
		if got, at, err := get(); got != n || at != next || err != nil {
			t.Errorf("value %d at revision %d, error %v, want %d at %d", got, at, err, n, next)
		}
		rev = next
	}
}

func compareStates(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	comparedAndSet(t, func(n int, rev uint64) (uint64, error) {
		return a.putState(backend.State{Address: anna, Run: uint32(n)}, rev)
	}, func() (int, uint64, error) {
		s, rev, err := b.getState(anna.ID)
		return int(s.Run), rev, err
	})
}

// states are a state with nothing and one with everything.
var states = []backend.State{
	{Address: anna, Status: history.Pending},
	{
		Address: odd, Name: "club.Join", Version: text, Status: history.Suspended, Run: 4_000_000_000, At: 1 << 50,
		Created: due, Updated: due.AddDate(1, 0, 0), Finished: due.AddDate(2, 0, 0), Custom: json, Failure: text,
		Parent: &history.Parent{Address: anna, Ref: ref}, Root: text, Tags: map[string]string{text: text}, Waiting: text, Parked: text,
		Claim: &history.Start{Run: 1, Orchestrator: "club.Join", Input: json, Claim: text}, Scheduled: due, Full: true,
	},
}

func keepStates(t *testing.T, h Hub) {
	c := connect(t, h)
	for _, s := range states {
		if _, err := c.putState(s, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range states {
		got, _, err := c.getState(s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if claimed := s.Claim != nil; claimed == got.Stored.IsZero() {
			t.Errorf("stored at %v, want it to be told of claims", got.Stored)
		}
		got.Stored = time.Time{}
		differs(t, "state", s, got)
	}
}

func listStates(t *testing.T, h Hub) {
	c := connect(t, h)
	list := func(most int) (ids []string) {
		t.Helper()
		err := c.ListStates(within(t), func(s backend.State) bool {
			ids = append(ids, fmt.Sprint(s.ID, s.Run))
			return len(ids) < most
		})
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		slices.Sort(ids)
		return ids
	}
	differs(t, "states of an empty hub", nil, list(10))
	var want []string
	for n := range 5 {
		id := fmt.Sprint(odd.ID, n)
		rev, err := c.putState(backend.State{Address: history.Address{ID: id}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.putState(backend.State{Address: history.Address{ID: id}, Run: 2}, rev); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(id, 2))
	}
	differs(t, "states", want, list(10))
	if got := list(2); len(got) != 2 {
		t.Errorf("yield said that it has enough after 2 states, and got %d", len(got))
	}
}

func deleteStates(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	if err := a.deleteState(anna.ID, 7); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("a deletion of nothing: %v, want ErrConflict", err)
	}
	var rev uint64
	for n := 1; n <= 2; n++ { // what is deleted can be written again, and deleted again
		put, err := a.putState(backend.State{Address: anna, Run: uint32(n)}, rev)
		if err != nil {
			t.Fatalf("state %d at revision %d: %v", n, rev, err)
		}
		for _, stale := range []uint64{0, rev, put + 1} {
			if err := a.deleteState(anna.ID, stale); !errors.Is(err, backend.ErrConflict) {
				t.Errorf("a deletion of revision %d while it is %d: %v, want ErrConflict", stale, put, err)
			}
		}
		if err := a.deleteState(anna.ID, put); err != nil {
			t.Fatal(err)
		}
		_, gone, err := b.getState(anna.ID)
		if !errors.Is(err, backend.ErrNotFound) || gone <= put {
			t.Errorf("after its deletion it has revision %d, error %v, want one after %d and ErrNotFound", gone, err, put)
		}
		for _, stale := range []uint64{0, put} {
			if _, err := a.putState(backend.State{Address: anna}, stale); !errors.Is(err, backend.ErrConflict) {
				t.Errorf("revision %d while it was deleted as %d: %v, want ErrConflict", stale, gone, err)
			}
		}
		if err := b.ListStates(within(t), func(s backend.State) bool {
			t.Errorf("after its deletion it is listed: %+v", s)
			return true
		}); err != nil {
			t.Error(err)
		}
		rev = gone
	}
}

func compareArchives(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	comparedAndSet(t, func(n int, rev uint64) (uint64, error) {
		return a.putArchive(backend.Archive{Address: anna, Run: uint32(n)}, rev)
	}, func() (int, uint64, error) {
		e, rev, err := b.getArchive(anna)
		return int(e.Run), rev, err
	})
}

func keepArchives(t *testing.T, h Hub) {
	c := connect(t, h)
	full := backend.Archive{Address: odd, Run: 7, Status: history.Failed}
	for n, r := range records {
		if r.record.Kind() != history.KindTimer {
			full.Messages = append(full.Messages, history.Message{Seq: uint64(n + 1), Time: due, Record: r.record})
		}
	}
	purged := backend.Archive{Address: history.Address{Group: anna.Group, ID: "gone"}, Run: 3, Status: history.Failed, Purged: true}
	for _, a := range []backend.Archive{{Address: anna, Status: history.Completed}, full, purged} {
		seq, err := c.putArchive(a, 0)
		if err != nil {
			t.Fatal(err)
		}
		got, at, err := c.getArchive(a.Address)
		if err != nil {
			t.Fatal(err)
		}
		if at != seq {
			t.Errorf("entry %d was stored as %d", at, seq)
		}
		differs(t, "archive entry", a, got)
	}
}

// findStates lists two pages of what has been put, replaced and deleted, and counts it.
func findStates(t *testing.T, h Hub) {
	c := connect(t, h)
	child := func(id string, of string) backend.State {
		s := backend.State{Address: history.Address{Group: "club", ID: id}, Name: "club.Join", Status: history.Running, Created: due}
		s.Parent = &history.Parent{Address: history.Address{Group: "club", ID: of}, Ref: ref}
		return s
	}
	tagged := backend.State{Address: odd, Name: "shop.Join", Status: history.Failed, Created: due.AddDate(0, 0, -1), Finished: due, Tags: map[string]string{"a=b": "c"}}
	all := []backend.State{child("b", "top"), child("a", "top"), child("c", "b"), tagged, child("gone", "top")}
	for n, s := range all {
		rev, err := c.putState(s, 0)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case s.ID == "gone":
			err = c.deleteState(s.ID, rev)
		case n%2 == 0: // it moves, and stands where it stood
			_, err = c.putState(s, rev)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []struct {
		name string
		backend.Query
		want []string
	}{
		{"all", backend.Query{}, []string{"a", "b", "c", odd.ID}},
		{"status", backend.Query{Statuses: []history.Status{history.Failed, history.Pending}}, []string{odd.ID}},
		{"name", backend.Query{Name: "club.Join"}, []string{"a", "b", "c"}},
		{"part of a name", backend.Query{Name: "Join"}, []string{"a", "b", "c", odd.ID}},
		{"prefix", backend.Query{IDPrefix: odd.ID[:3]}, []string{odd.ID}},
		{"parent", backend.Query{ParentID: "top"}, []string{"a", "b"}},
		{"root", backend.Query{RootID: "top"}, []string{"a", "b"}},
		{"tag", backend.Query{Tags: map[string]string{"a=b": "c"}}, []string{odd.ID}},
		{"created", backend.Query{CreatedFrom: due}, []string{"a", "b", "c"}},
		{"created before", backend.Query{CreatedBefore: due}, []string{odd.ID}},
		{"finished", backend.Query{FinishedFrom: due}, []string{odd.ID}},
		{"none", backend.Query{Name: "club.Leave"}, nil},
	} {
		var got []string
		for page, more := []backend.State(nil), true; more; {
			var err error
			q.Limit = 2
			if page, more, err = c.FindStates(within(t), q.Query); err != nil {
				t.Fatal(err)
			}
			for _, s := range page {
				got = append(got, s.ID)
			}
			if more {
				at := page[len(page)-1].Place()
				q.After = &at
			}
		}
		differs(t, q.name, q.want, got)
		counts, err := c.CountStates(within(t), q.Query)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, k := range counts {
			n += k
		}
		differs(t, "count of "+q.name, len(q.want), n)
	}
}
