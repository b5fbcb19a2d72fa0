package doctor_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	"github.com/durablegen/durablegen/internal/owner"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/doctor"
)

// ward is a hub with instances that have ended in several ways, and others that wait. Time is virtual.
type ward struct {
	t      *testing.T
	hub    *membackend.View
	client *durable.Client
	worker *durable.Worker
	before map[string]backend.State
}

func orchestrator(name string) *durable.Orchestrator {
	return &durable.Orchestrator{Name: "flow." + name, Group: "flow", Source: "example.com/flow." + name}
}

var ends, parent, waits = orchestrator("Ends"), orchestrator("Parent"), orchestrator("Waits")

func bindings() []durable.Binding {
	return []durable.Binding{
		durable.BindOrchestrator(ends, func(ctx durable.Context, n int) (int, error) {
			ctx.SetStatus(map[string]int{"half": n / 2})
			if n < 0 {
				return 0, errors.New("negative")
			}
			return n, durable.Sleep(ctx, time.Second)
		}),
		durable.BindOrchestrator(parent, func(ctx durable.Context, n int) (int, error) {
			return durable.StartChild[int](ctx, ends, n).Get(ctx)
		}),
		durable.BindOrchestrator(waits, func(ctx durable.Context, laps int) (int, error) {
			ctx.SetStatus(map[string]int{"laps": laps})
			n, err := durable.ReceiveEvent[int](ctx, "go").Get(ctx)
			if err == nil && n < 0 {
				return 0, durable.ContinueWith(ctx, laps+1)
			}
			return laps + n, err
		}),
	}
}

// inWard fills a hub, and lets its workers rest.
func inWard(t *testing.T, test func(t *testing.T, w *ward)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := membackend.New(membackend.Config{Live: true, Partitions: 2})
		t.Cleanup(func() { must(t, m.Close()) })
		w := &ward{t: t, hub: m.View("client")}
		w.client = durable.NewClient(w.hub, durable.ClientConfig{})
		t.Cleanup(func() { must(t, w.client.Close()) })
		w.work(m)
		w.start(ends, "completed", 7)
		w.start(ends, "failed", -7)
		w.start(parent, "parent", 8)
		w.start(waits, "waits", 0)
		w.start(waits, "laps", 0)
		must(t, w.client.Raise(t.Context(), "laps", "go", -1))
		w.start(waits, "terminated", 0)
		must(t, w.client.Terminate(t.Context(), "terminated", "enough"))
		w.pass(10 * time.Second)
		if w.before = w.states(); len(w.before) != 7 { // with a child
			t.Fatalf("%d states before anything happens", len(w.before))
		}
		test(t, w)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *ward) work(m *membackend.Memory) {
	var r durable.Registry
	must(w.t, r.Add(bindings()...))
	w.worker = durable.NewWorker(m.View("worker"), &r, durable.WorkerConfig{})
	must(w.t, w.worker.Start(w.t.Context()))
	w.t.Cleanup(w.rest)
}

// rest stops the worker. It may be called twice.
func (w *ward) rest() {
	if w.worker != nil {
		must(w.t, w.worker.Stop(context.Background()))
		w.worker = nil
	}
}

func (w *ward) start(o *durable.Orchestrator, id string, in int) {
	w.t.Helper()
	_, err := durable.StartInstance[int](w.t.Context(), w.client, o, in, durable.InstanceID(id))
	must(w.t, err)
}

func (w *ward) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (w *ward) states() map[string]backend.State {
	w.t.Helper()
	all := map[string]backend.State{}
	must(w.t, w.hub.ListStates(w.t.Context(), func(s backend.State) bool { all[s.ID] = s; return true }))
	return all
}

func wait[T any](call func(done func(T, error))) (T, error) {
	type answer struct {
		v   T
		err error
	}
	c := make(chan answer, 1)
	call(func(v T, err error) { c <- answer{v, err} })
	a := <-c
	return a.v, a.err
}

func (w *ward) rev(id string) uint64 {
	w.t.Helper()
	rev, err := wait(func(done func(uint64, error)) {
		w.hub.GetState(id, func(_ backend.State, rev uint64, err error) { done(rev, err) })
	})
	if !errors.Is(err, backend.ErrNotFound) {
		must(w.t, err)
	}
	return rev
}

func (w *ward) remove(id string) {
	w.t.Helper()
	_, err := wait(func(done func(struct{}, error)) {
		w.hub.DeleteState(id, w.rev(id), func(err error) { done(struct{}{}, err) })
	})
	must(w.t, err)
}

func (w *ward) put(s backend.State) {
	w.t.Helper()
	_, err := wait(func(done func(uint64, error)) { w.hub.PutState(s, w.rev(s.ID), done) })
	must(w.t, err)
}

// examine tells what is wrong with whom; all of it must be mended if fix is set.
func (w *ward) examine(fix bool) map[string]doctor.Kind {
	w.t.Helper()
	r, err := doctor.Examine(w.t.Context(), w.hub, doctor.Config{Fix: fix})
	must(w.t, err)
	found := map[string]doctor.Kind{}
	for _, f := range r.Findings {
		found[f.ID] = f.Kind
		if f.Fixed != fix || f.What == "" || f.Cure == "" {
			w.t.Errorf("%+v, want it to be fixed: %t", f, fix)
		}
	}
	return found
}

// asBefore compares the projection with what it was. What the owner says of when it looked may differ.
func (w *ward) asBefore() {
	w.t.Helper()
	w.pass(time.Second)
	if diff := cmp.Diff(w.before, w.states()); diff != "" {
		w.t.Errorf("the projection (-before +now):\n%s", diff)
	}
	if found := w.examine(false); len(found) > 0 {
		w.t.Errorf("found again: %v", found)
	}
}

func (w *ward) found(want map[string]doctor.Kind, fix bool) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.examine(fix)); diff != "" {
		w.t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestAHealthyHub(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) { w.asBefore() })
}

// TestEverythingIsMissing: the whole projection is made again, by an owner that has its instances in memory.
func TestEverythingIsMissing(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		want := map[string]doctor.Kind{}
		for id := range w.before {
			w.remove(id)
			want[id] = doctor.Missing
		}
		w.found(want, false)
		w.found(want, true)
		w.asBefore()
		must(t, w.client.Raise(t.Context(), "waits", "go", 5))
		must(t, w.client.Raise(t.Context(), "laps", "go", 6))
		for id, want := range map[string]string{"waits": "5", "laps": "7", "completed": "7"} {
			inst, err := w.client.Wait(t.Context(), id)
			must(t, err)
			if string(inst.Result) != want {
				t.Errorf("%s gives %s, want %s", id, inst.Result, want)
			}
		}
	})
}

// TestStaleCopiesAreBack: what was shown earlier, of live instances and of those that have ended.
func TestStaleCopiesAreBack(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		old := func(id string, change func(s *backend.State)) {
			s := w.before[id]
			change(&s)
			w.put(s)
		}
		runs := func(s *backend.State) { s.Status, s.At, s.Finished, s.Custom = history.Running, 1, time.Time{}, nil }
		old("completed", runs)
		old("failed", runs)
		old("laps", runs)
		old("waits", func(s *backend.State) { s.Status, s.Run = history.Failed, 0 })
		w.found(map[string]doctor.Kind{"completed": doctor.Stale, "failed": doctor.Stale, "laps": doctor.Stale, "waits": doctor.Stale}, true)
		w.asBefore()
	})
}

// TestNobodyKnows: states, claims and marks of instances that there are not.
func TestNobodyKnows(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		w.put(backend.State{Address: history.Address{Group: "flow", ID: "ghost"}, Name: ends.Name, Status: history.Running, Run: 1})
		w.put(backend.State{Address: history.Address{Group: "flow", ID: "past"}, Name: ends.Name, Status: history.Failed, Run: 1, Finished: time.Now()})
		mark, err := json.Marshal(owner.Mark{Address: history.Address{Group: "flow", ID: "nobody"}, Acked: 1})
		must(t, err)
		_, err = w.hub.Meta().Put(t.Context(), "parked.flow.nobody", mark, 0)
		must(t, err)
		start := &history.Start{Run: 1, Orchestrator: ends.Name, Input: []byte("4"), Claim: "c", Born: time.Now()}
		w.put(backend.State{Address: history.Address{Group: "flow", ID: "claimed"}, Name: ends.Name, Status: history.Pending, Run: 1, Claim: start})
		want := map[string]doctor.Kind{"ghost": doctor.Orphaned, "past": doctor.Orphaned, "nobody": doctor.Marked, "claimed": doctor.Claimed}
		w.pass(10 * time.Second)
		w.found(want, false)
		w.found(want, true)
		inst, err := w.client.Wait(t.Context(), "claimed")
		must(t, err)
		if string(inst.Result) != "4" {
			t.Errorf("the claimed instance gives %s", inst.Result)
		}
		w.pass(10 * time.Second)
		if found := w.examine(false); len(found) > 0 {
			t.Errorf("found again: %v", found)
		}
	})
}

// TestWithoutWorkers: what has ended is mended, and what lives is shown, though its owner is missing.
func TestWithoutWorkers(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		w.rest()
		w.remove("completed")
		w.remove("waits")
		r, err := doctor.Examine(t.Context(), w.hub, doctor.Config{Fix: true})
		must(t, err)
		if f := r.Findings; len(f) != 3 || r.Left() != 2 || f[0].Kind != doctor.Unserved || f[2].ID != "waits" || f[2].Err == nil {
			t.Errorf("%+v, want that the worker is missing, and only who waits is left to its owner", f)
		}
		now := w.states()
		if diff := cmp.Diff(w.before["completed"], now["completed"]); diff != "" {
			t.Errorf("of the ended one (-before +now):\n%s", diff)
		}
		if s := now["waits"]; s.Status != history.Running || s.Name != waits.Name || s.Need != 0 {
			t.Errorf("of the live one: %+v, want what the log tells, and all of that needed", s)
		}
	})
}
