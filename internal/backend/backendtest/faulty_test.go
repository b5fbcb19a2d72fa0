package backendtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

// clear is a live hub whose views are decorated, without rules.
type clear struct{ m *membackend.Memory }

func (h clear) View() backend.Backend { return backendtest.NewFaulty(h.m.View("client")) }

func TestFaultyWithoutRulesIsTransparent(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backendtest.Hub {
		m := membackend.New(membackend.Config{Live: true})
		t.Cleanup(func() { m.Close() })
		return clear{m}
	})
}

var to = history.Address{Group: "g", ID: "i"}

// rig is a decorated view of a virtual hub, and a plain one.
type rig struct {
	t *testing.T
	m *membackend.Memory
	*backendtest.Faulty
	plain *membackend.View
}

func newRig(t *testing.T) *rig {
	t.Parallel()
	m := membackend.New(membackend.Config{Seed: 1})
	r := &rig{t, m, backendtest.NewFaulty(m.View("faulty")), m.View("plain")}
	if err := r.EnsureGroup(context.Background(), to.Group); err != nil {
		t.Fatal(err)
	}
	if err := r.EnsureActivity(context.Background(), backend.Activity{Name: "a"}); err != nil {
		t.Fatal(err)
	}
	return r
}

// stored lists the ids of the events that were ever stored.
func (r *rig) stored() (ids []string) {
	for _, s := range r.m.Log() {
		if e, ok := s.Message.Record.(*history.Event); ok {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// answers collects what calls report.
type answers struct{ lost, stored int }

func (a *answers) add(_ uint64, err error) {
	switch {
	case err == nil:
		a.stored++
	case errors.Is(err, backend.ErrUnavailable):
		a.lost++
	}
}

func append1(b backend.Backend, id string, done func(uint64, error)) {
	b.Append(backend.Append{To: to, Record: &history.Event{Name: "e", ID: id}}, done)
}

// only gives a fate to the event with this id.
func only(id string, fate backendtest.Fate) func(backend.Append) backendtest.Fate {
	return func(a backend.Append) backendtest.Fate {
		if a.Record.(*history.Event).ID == id {
			return fate
		}
		return backendtest.Pass
	}
}

func TestFatesOfAppends(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		fate     backendtest.Fate
		stored   []string // before Release, or the end of a delay
		answers  answers
		then     []string
		thenSaid answers
	}{
		{"pass", backendtest.Pass, []string{"1", "2"}, answers{stored: 2}, []string{"1", "2"}, answers{stored: 2}},
		{"drop", backendtest.Drop, []string{"2"}, answers{lost: 1, stored: 1}, []string{"2"}, answers{lost: 1, stored: 1}},
		{"lose the answer", backendtest.LoseAnswer, []string{"1", "2"}, answers{lost: 1, stored: 1}, []string{"1", "2"}, answers{lost: 1, stored: 1}},
		{"hold", backendtest.Hold, []string{"2"}, answers{stored: 1}, []string{"2", "1"}, answers{stored: 2}},
		{"delay", backendtest.Delay(time.Minute), []string{"2"}, answers{stored: 1}, []string{"2", "1"}, answers{stored: 2}},
		{"repeat", backendtest.Repeat, []string{"1", "1", "2"}, answers{stored: 2}, []string{"1", "1", "2"}, answers{stored: 2}},
		{"crash", backendtest.Crash, nil, answers{}, nil, answers{}},
		{"crash after", backendtest.CrashAfter, []string{"1"}, answers{}, []string{"1"}, answers{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.OnAppend(only("1", c.fate))
			var got answers
			append1(r, "1", got.add)
			append1(r, "2", got.add)
			if got != (answers{}) {
				t.Errorf("answered within the call: %+v", got)
			}
			check := func(when string, ids []string, want answers) {
				t.Helper()
				if diff := cmp.Diff(ids, r.stored()); diff != "" {
					t.Errorf("%s: stored (-want +got):\n%s", when, diff)
				}
				if got != want {
					t.Errorf("%s: answers %+v, want %+v", when, got, want)
				}
			}
			r.m.RunFor(10 * time.Second)
			check("at first", c.stored, c.answers)
			if c.name == "hold" {
				r.Release()
			}
			r.m.RunFor(time.Minute)
			check("then", c.then, c.thenSaid)
		})
	}
}

func TestHeldRequestsLandAfterDeath(t *testing.T) {
	r := newRig(t)
	r.OnAppend(only("1", backendtest.Hold))
	var got answers
	append1(r, "1", got.add)
	r.Kill()
	append1(r, "2", got.add)
	r.Release()
	r.m.RunFor(time.Minute)
	if diff := cmp.Diff([]string{"1"}, r.stored()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if got != (answers{}) {
		t.Errorf("the dead hear answers: %+v", got)
	}
}

func TestFatesOfDeliveries(t *testing.T) {
	t.Parallel()
	type heard struct {
		ID       string
		Order    uint64
		Attempts int
	}
	for _, c := range []struct {
		name string
		fate backendtest.Fate
		want []heard // of events 1 to 3, the second of which has the fate
	}{
		{"pass", backendtest.Pass, []heard{{"1", 1, 1}, {"2", 2, 1}, {"3", 3, 1}}},
		{"drop", backendtest.Drop, []heard{{"1", 1, 1}, {"3", 3, 1}}},
		{"hold", backendtest.Hold, []heard{{"1", 1, 1}, {"3", 3, 1}, {"2", 2, 1}}},
		{"delay", backendtest.Delay(5 * time.Second), []heard{{"1", 1, 1}, {"3", 3, 1}, {"2", 2, 1}}},
		{"repeat", backendtest.Repeat, []heard{{"1", 1, 1}, {"2", 2, 1}, {"2", 3, 2}, {"3", 4, 1}}},
		{"crash", backendtest.Crash, []heard{{"1", 1, 1}}},
		{"crash after", backendtest.CrashAfter, []heard{{"1", 1, 1}, {"2", 2, 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.OnDelivery(func(d backend.Delivery) backendtest.Fate {
				if d.Message.Record.(*history.Event).ID == "2" {
					return c.fate
				}
				return backendtest.Pass
			})
			var got []heard
			in := r.Inbox(to.Group, history.Partition(to.ID, r.Info().Partitions))
			if _, err := in.Open(context.Background(), func(d backend.Delivery) {
				got = append(got, heard{d.Message.Record.(*history.Event).ID, d.Order, d.Attempts})
			}); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"1", "2", "3"} {
				append1(r.plain, id, func(uint64, error) {})
			}
			r.m.RunFor(20 * time.Second) // less than the ack wait
			r.Release()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("deliveries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFatesOfTasks(t *testing.T) {
	r := newRig(t)
	r.OnTask(func(d backend.TaskDelivery) backendtest.Fate {
		return []backendtest.Fate{backendtest.Drop, backendtest.Repeat, backendtest.Pass}[d.Task.Slot]
	})
	var got []uint32
	q, err := r.Tasks("a", func(d backend.TaskDelivery) {
		got = append(got, d.Task.Slot)
		d.Ack()
	})
	if err != nil {
		t.Fatal(err)
	}
	q.Grant(3)
	for slot := range uint32(3) {
		r.plain.Append(backend.Append{To: to, Record: &history.Task{Ref: history.Ref{Run: 1, Slot: slot}, Name: "a", Attempt: 1}}, func(uint64, error) {})
		r.m.RunFor(time.Second)
	}
	if diff := cmp.Diff([]uint32{1, 1, 2}, got); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}

func TestLaggingLoads(t *testing.T) {
	r := newRig(t)
	for _, record := range []history.Record{
		&history.Start{Run: 1, Orchestrator: "o"}, &history.Event{Name: "e", ID: "2"}, &history.Turn{Run: 1, At: 2},
		&history.Event{Name: "e", ID: "4"},
		&history.Turn{Run: 1, At: 4, End: &history.End{Status: history.ContinuedAsNew, Base: &history.Base{Start: history.Start{Run: 1}}}},
		&history.Event{Name: "e", ID: "6"}, &history.Turn{Run: 1, Execution: 1, At: 6, Base: 5},
	} {
		r.plain.Append(backend.Append{To: to, Record: record}, func(uint64, error) {})
		r.m.RunFor(time.Second)
	}
	type shape struct {
		Start, Base bool
		TurnSeq     uint64
		Tail        int
	}
	for _, c := range []struct {
		upTo uint64
		want shape
	}{
		{0, shape{true, true, 7, 3}},
		{7, shape{true, true, 7, 3}},
		{6, shape{true, true, 5, 2}},
		{5, shape{true, true, 5, 1}},
		{4, shape{}}, // as if nothing were there (H23)
	} {
		r.OnLoad(func(history.Address, uint64) uint64 { return c.upTo })
		var got *shape
		r.Load(to, 7, func(l backend.Loaded, err error) {
			if err != nil {
				t.Error(err)
			}
			got = &shape{l.Start != nil, l.Base != nil, l.TurnSeq, len(l.Tail)}
		})
		r.m.RunFor(time.Second)
		if diff := cmp.Diff(&c.want, got); diff != "" {
			t.Errorf("load up to %d (-want +got):\n%s", c.upTo, diff)
		}
	}
}

func TestStoresHaveFates(t *testing.T) {
	r := newRig(t)
	r.OnPutState(func(s backend.State) backendtest.Fate {
		if s.Status.Final() {
			return backendtest.Hold
		}
		return backendtest.Pass
	})
	r.OnPutArchive(func(backend.Archive) backendtest.Fate { return backendtest.LoseAnswer })
	var states, archives answers
	r.PutState(backend.State{Address: to, Status: history.Running}, 0, states.add)
	r.PutState(backend.State{Address: to, Status: history.Completed}, 1, states.add)
	r.PutArchive(backend.Archive{Address: to}, 0, archives.add)
	r.m.RunFor(time.Minute)
	if states != (answers{stored: 1}) || archives != (answers{lost: 1}) {
		t.Errorf("states %+v, archives %+v, want one held and one lost", states, archives)
	}
	r.Release()
	r.m.RunFor(time.Minute)
	if states != (answers{stored: 2}) {
		t.Errorf("states %+v after the release", states)
	}
}

func TestTheDeadHearNothing(t *testing.T) {
	r := newRig(t)
	heard := 0
	note := func() { heard++ }
	if _, err := r.Listen("topic", func([]byte) { note() }); err != nil {
		t.Fatal(err)
	}
	r.Clock().After(time.Second, note)
	r.Load(to, 1, func(backend.Loaded, error) { note() })
	r.GetState(to.ID, func(backend.State, uint64, error) { note() })
	r.Kill()
	r.plain.Signal("topic", nil)
	r.m.RunFor(time.Minute)
	if heard != 0 {
		t.Errorf("a killed worker heard %d things", heard)
	}
	ctx := context.Background()
	_, _, get := r.Meta().Get(ctx, "k")
	_, open := r.Inbox(to.Group, 0).Open(ctx, func(backend.Delivery) {})
	_, tasks := r.Tasks("a", func(backend.TaskDelivery) {})
	for what, err := range map[string]error{"get": get, "open": open, "tasks": tasks, "group": r.EnsureGroup(ctx, "g")} {
		if !errors.Is(err, backend.ErrClosed) {
			t.Errorf("%s of a killed worker: %v, want ErrClosed", what, err)
		}
	}
	if r.Connected() {
		t.Error("a killed worker is connected")
	}
}
