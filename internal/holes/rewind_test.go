package holes

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// slotsError is an orchestrator's error that came from slots.
type slotsError struct {
	error
	slots []uint32
}

// kin are a parent, a child that fails with its activity, one that waits, continues as new, and waits again, and one that
// waits once.
var kin = programs{
	"parent": func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f, patient, short := child(co, "c", "child", 1), child(co, "d", "patient", 0), child(co, "s", "patient", 1)
		co.Await(f)
		if _, failure := f.Result(); failure == nil {
			co.Await(patient)
			co.Await(short)
			return result(value(patient) + value(short))
		}
		return gives(f)
	},
	"patient": func(co *engine.Coroutine, input history.Payload) (history.Payload, error) {
		n := receive(co, "e")
		if string(input) == "0" {
			return nil, &engine.ContinueAsNew{Input: encode(n)}
		}
		return encode(n), nil
	},
	"child": func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		before, f := activity(co, "Before", 1), activity(co, "X", 1)
		co.Await(before)
		co.Await(f)
		return gives(f)
	},
}

func gives(f *engine.Future) (history.Payload, error) {
	if _, failure := f.Result(); failure != nil {
		return nil, slotsError{errors.New(failure.Message), []uint32{f.Slot()}}
	}
	return result(value(f))
}

// strike has misfortune befall the nth request of a worker from now on.
func strike(t *tap, n int, fate backendtest.Fate) {
	count := 0
	next := func() backendtest.Fate {
		if count++; count == n {
			return fate
		}
		return backendtest.Pass
	}
	t.OnAppend(func(backend.Append) backendtest.Fate { return next() })
	t.OnPutState(func(backend.State) backendtest.Fate { return next() })
	t.OnPutArchive(func(backend.Archive) backendtest.Fate { return next() })
}

// rewinding fails parent and child, and rewinds the parent. Misfortune strikes the nth request of the worker that does
// it, or the mth of the one that sees the end; 0: none.
func rewinding(w *world, n, m int, fate backendtest.Fate) error {
	t, g := w.worker(kin)
	w.owns(g)
	w.start("p", "parent", nil)
	if err := answer(w, 1, "Before", &history.Done{Result: encode(1)}); err != nil {
		return err
	}
	if err := answer(w, 1, "X", &history.Done{Failure: &history.Failure{Message: "broken"}}); err != nil {
		return err
	}
	if err := w.ends("p", history.Failed, nil); err != nil {
		return err
	}
	strike(t, n, fate)
	control := &history.Control{Verb: history.Rewind, ID: "again", Run: 1}
	w.put("p", control)
	w.put("p", control)
	w.after(time.Second)
	t, _ = w.worker(kin)
	if err := answer(w, 2, "X", &history.Done{Result: encode(5)}); err != nil {
		return err
	}
	if !w.has("d", func(r history.Record) bool { return r.Kind() == history.KindControl }) {
		return errors.New("the child that waits is not asked")
	}
	w.event("d", "e", "1", 6)
	if !w.until(func() bool { return w.load("d").Base != nil }) {
		return errors.New("the child that waits does not continue as new")
	}
	w.after(time.Second)
	t.Kill() // the next worker knows of it what the base holds
	t, g = w.worker(kin)
	w.owns(g)
	strike(t, m, fate)
	w.event("s", "e", "1", 8)
	w.after(time.Second)
	t.Kill()
	w.worker(kin)
	w.event("d", "e", "2", 7)
	for id, want := range map[string]int{"p": 15, "c": 5} {
		if !w.until(func() bool { return w.state(id).Run == 2 }) {
			return fmt.Errorf("%s is projected as %+v, want run 2", id, w.state(id))
		}
		if err := w.ends(id, history.Completed, want); err != nil {
			return err
		}
	}
	w.after(40 * time.Second) // what was not acknowledged comes again
	for _, id := range []string{"p", "c"} {
		if run := w.load(id).Start.Record.(*history.Start).Run; run != 2 {
			return fmt.Errorf("%s is in run %d, want 2", id, run)
		}
	}
	for _, task := range w.tasks("c") {
		if task.Name == "Before" {
			return errors.New("what had a result ran again")
		}
	}
	if err := startedOnce(w); err != nil {
		return err
	}
	if w.memory != nil && len(w.memory.Unacked()) > 2 { // the tasks: nobody works here
		return fmt.Errorf("not acknowledged: %+v", w.memory.Unacked())
	}
	return nil
}

// startedOnce checks that the log holds one start of every run.
func startedOnce(w *world) error {
	if w.memory == nil {
		return nil
	}
	starts := map[string]bool{}
	for _, m := range w.memory.Log() {
		if s, ok := m.Message.Record.(*history.Start); ok {
			key := fmt.Sprint(m.To.ID, " run ", s.Run)
			if starts[key] {
				return fmt.Errorf("%s is started twice", key)
			}
			starts[key] = true
		}
	}
	return nil
}

// answer waits for a task of a run of the child, and completes it.
func answer(w *world, run uint32, name string, done *history.Done) error {
	var task *history.Task
	if !w.until(func() bool {
		for _, t := range w.tasks("c") {
			if t.Run == run && t.Name == name {
				task = t
			}
		}
		return task != nil
	}) {
		return fmt.Errorf("no task %s of run %d", name, run)
	}
	done.Ref, done.Name, done.Hash, done.Attempt = task.Ref, name, history.ArgsHash(task.Args), 1
	w.put("c", done)
	return nil
}

// TestRewindSurvives: whatever happens to the worker on the way, there is one new run of parent and child.
func TestRewindSurvives(t *testing.T) {
	t.Parallel()
	fates := map[string]backendtest.Fate{
		"crash before": backendtest.Crash, "crash after": backendtest.CrashAfter, "lost": backendtest.Drop,
		"answer lost": backendtest.LoseAnswer, "twice": backendtest.Repeat,
	}
	const requests, last = 9, 7 // of the worker that rewinds, and of the one that sees the end
	for n := range requests + last {
		n, m := n+1, 0
		if n > requests {
			n, m = 0, n-requests
		}
		for name, fate := range fates {
			t.Run(fmt.Sprintf("%d %d %s", n, m, name), func(t *testing.T) {
				t.Parallel()
				if err := rewinding(inMemory(t), n, m, fate); err != nil {
					t.Error(err)
				}
			})
		}
	}
	for _, n := range []int{1, 3, 5} {
		t.Run(fmt.Sprintf("%d crash after, JetStream", n), func(t *testing.T) {
			t.Parallel()
			if err := rewinding(onJetStream(t), n, 2, backendtest.CrashAfter); err != nil {
				t.Error(err)
			}
		})
	}
}

// failed makes a world with an instance whose activity has failed.
func failed(w *world, id string, parent *history.Parent) (*tap, error) {
	t, g := w.worker(kin)
	w.owns(g)
	w.put(id, &history.Start{Run: 1, Orchestrator: "child", Parent: parent, Born: w.memory.Now()})
	for _, name := range []string{"Before", "X"} {
		done := &history.Done{Failure: &history.Failure{Message: "broken"}}
		if name == "Before" {
			done = &history.Done{Result: encode(1)}
		}
		if err := answer(w, 1, name, done); err != nil {
			return nil, err
		}
	}
	return t, w.ends(id, history.Failed, nil)
}

// TestRewindAcknowledgedInVain: a stale owner has acknowledged the request. The log holds it behind the end, so whoever
// loads the instance sees to it.
func TestRewindAcknowledgedInVain(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	tap, err := failed(w, "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	tap.OnDelivery(func(d backend.Delivery) backendtest.Fate {
		if d.Message.Kind() != history.KindControl {
			return backendtest.Pass
		}
		d.Ack()
		return backendtest.Drop
	})
	w.put("c", &history.Control{Verb: history.Rewind, ID: "again", Run: 1})
	w.after(time.Second)
	w.event("c", "late", "1", 1)
	if err := answer(w, 2, "X", &history.Done{Result: encode(5)}); err != nil {
		t.Error(err)
	}
}

// TestRewindByClientAndParent: both ask for it before it happens. The parent hears of the end under its new reference.
func TestRewindByClientAndParent(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	parent := history.Parent{Address: at("p"), Ref: history.Ref{Run: 1}}
	tap, err := failed(w, "c", &parent)
	if err != nil {
		t.Fatal(err)
	}
	tap.Kill()
	w.put("c", &history.Control{Verb: history.Rewind, ID: "client", Run: 1})
	renewed := parent
	renewed.Run = 2
	w.put("c", &history.Control{Verb: history.Rewind, ID: "parent", Parent: &renewed, Child: "child"})
	w.worker(kin)
	if err := answer(w, 2, "X", &history.Done{Result: encode(5)}); err != nil {
		t.Fatal(err)
	}
	heard := func() (heard bool) {
		for _, m := range w.memory.Log() {
			done, ok := m.Message.Record.(*history.Done)
			heard = heard || ok && m.To == parent.Address && done.Ref == renewed.Ref && done.Failure == nil
		}
		return heard
	}
	if !w.until(heard) {
		t.Error("the parent does not hear of the end")
	}
	if err := startedOnce(w); err != nil {
		t.Error(err)
	}
}

// TestRewindKeepsEventsBehindTheEnd: one that came before the rewind, and one that comes while it is under way.
func TestRewindKeepsEventsBehindTheEnd(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	tap, err := failed(w, "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	w.event("c", "e", "1", 2)
	w.after(time.Second)
	held := make(chan struct{}, 9)
	tap.OnAppend(func(a backend.Append) backendtest.Fate {
		if a.Record.Kind() != history.KindStart {
			return backendtest.Pass
		}
		held <- struct{}{}
		return backendtest.Hold
	})
	w.put("c", &history.Control{Verb: history.Rewind, ID: "again", Run: 1})
	if !w.until(func() bool { return len(held) > 0 }) {
		t.Fatal("it is not rewound")
	}
	w.event("c", "e", "2", 3)
	tap.Release()
	if err := answer(w, 2, "X", &history.Done{Result: encode(5)}); err != nil {
		t.Fatal(err)
	}
	w.event("c", "e", "3", 4)
	if !w.until(func() bool { return w.state("c").Run == 2 }) {
		t.Fatal("not projected")
	}
	if err := w.ends("c", history.Completed, 5); err != nil {
		t.Error(err)
	}
	var ids []string
	for _, m := range w.load("c").Tail {
		if e, ok := m.Record.(*history.Event); ok {
			ids = append(ids, e.ID)
		}
	}
	prior := 0
	for _, m := range w.load("c").Start.Record.(*history.Start).Prior.Messages {
		if m.Kind() == history.KindEvent {
			prior++
		}
	}
	if fmt.Sprint(ids) != "[2 3]" && fmt.Sprint(ids) != "[3 2]" || prior != 1 {
		t.Errorf("the new run has %d events of the old one and then %v, want the first and [2 3]", prior, ids)
	}
}
