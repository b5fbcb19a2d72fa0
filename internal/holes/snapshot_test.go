package holes

import (
	"errors"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
)

// freeze has the owner move an instance out of the log and waits until the projection says so: it gives what the log
// must keep.
func (w *world) freeze(id string, upTo uint64) (need uint64, err error) {
	w.client.Signal(owner.FreezeTopic(group, 0), owner.AskFreeze(id, 0))
	before := w.state(id).Need
	if !w.until(func() bool { need = w.state(id).Need; return need > before }) {
		a, err := w.archive(id)
		return 0, fmt.Errorf("%s is not moved out of the log: %+v, archive %s at %d (%v), want %d", id, w.state(id), a.Status, a.At, err, upTo)
	}
	if a, err := w.archive(id); err != nil || a.At < upTo {
		return 0, fmt.Errorf("%s has a snapshot at %d (%v), want %d", id, a.At, err, upTo)
	}
	return need, nil
}

func (w *world) shorten(before uint64) {
	w.t.Helper()
	if _, err := wait(w, func(done func(struct{}, error)) { w.client.Shorten(before, func(err error) { done(struct{}{}, err) }) }); err != nil {
		w.t.Fatal(err)
	}
}

// applied waits until an instance is projected with everything up to a message.
func (w *world) applied(id string, seq uint64) error {
	if !w.until(func() bool { return w.state(id).At >= seq }) {
		return fmt.Errorf("%s is not projected with message %d: %+v", id, seq, w.state(id))
	}
	return nil
}

// sum adds up three events.
var sum = programs{"sum": func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
	return result(receive(co, "e") + receive(co, "e") + receive(co, "e"))
}}

// lateStart: a copy of a start comes when the run has ended and left the log. Its owner takes it for new only if it was
// decided just now.
func lateStart(w *world) error {
	prog := func(*engine.Coroutine, history.Payload) (history.Payload, error) { return result(1) }
	_, g := w.worker(programs{"prog": prog})
	w.owns(g)
	start := &history.Start{Run: 1, Orchestrator: "prog", Born: time.Now().Add(-20 * time.Second)}
	if w.memory != nil {
		start.Born = w.memory.Now().Add(-20 * time.Second)
	}
	w.put("i", start)
	if err := w.ends("i", history.Completed, 1); err != nil {
		return err
	}
	w.shorten(w.put("mark", &history.Control{Verb: history.Suspend, ID: "m"}))
	late := w.put("i", start)
	w.start("other", "prog", nil)
	if err := w.ends("other", history.Completed, 1); err != nil {
		return err
	}
	w.after(2 * time.Second)
	l, err := wait(w, func(done func(backend.Loaded, error)) { w.client.LoadAfter(at("i"), late, 0, done) })
	if err != nil || len(l.Tail) > 0 {
		return fmt.Errorf("the run lives again: %+v (%v)", l.Tail, err)
	}
	return nil
}

// h14snapshot: a frozen worker's snapshot lands after another has made a later one, and the log has been shortened.
func h14snapshot(w *world) error {
	t, g := w.worker(sum)
	w.owns(g)
	w.start("i", "sum", nil)
	if err := w.applied("i", w.event("i", "e", "1", 1)); err != nil {
		return err
	}
	held := make(chan struct{}, 9)
	t.OnPutArchive(func(backend.Archive) backendtest.Fate { held <- struct{}{}; return backendtest.Hold })
	w.client.Signal(owner.FreezeTopic(group, 0), owner.AskFreeze("i", 0))
	if !w.until(func() bool { return len(held) > 0 }) {
		return errors.New("no snapshot is made")
	}
	replace(w, t, sum)
	second := w.event("i", "e", "2", 20)
	if err := w.applied("i", second); err != nil {
		return err
	}
	need, err := w.freeze("i", second)
	if err != nil {
		return err
	}
	w.shorten(need)
	t.OnPutArchive(nil)
	t.Release()
	w.after(5 * time.Second)
	if a, err := w.archive("i"); err != nil || a.At != second {
		return fmt.Errorf("the archive holds a snapshot at %d (%v), want %d", a.At, err, second)
	}
	return nil
}

// h15: another snapshot is made, and the log shortened, between the two reads of a load.
func h15(w *world) error {
	t, g := w.worker(sum)
	w.owns(g)
	w.start("i", "sum", nil)
	first := w.event("i", "e", "1", 1)
	if err := w.applied("i", first); err != nil {
		return err
	}
	need, err := w.freeze("i", first)
	if err != nil {
		return err
	}
	w.shorten(need)
	t.freeze()
	slow, g := w.worker(sum)
	slow.promise(func() { slow.slow = true })
	w.owns(g)
	second := w.event("i", "e", "2", 20)
	if !w.until(func() bool { return slow.loads() > 0 }) {
		return errors.New("nobody loads the instance")
	}
	// What somebody else would do who had it all.
	a, entry, err := w.entry("i")
	if err != nil {
		return err
	}
	a.At = second
	l := w.loadAfter("i", first)
	a.Messages = append(a.Messages, l.Tail...)
	if _, err := wait(w, func(done func(uint64, error)) { w.client.PutArchive(a, entry, done) }); err != nil {
		return err
	}
	w.shorten(second + 1)
	slow.resume()
	w.event("i", "e", "3", 300)
	return w.ends("i", history.Completed, 321)
}

// h16: a worker dies when the projection has moved what the log must keep, and timers are not armed again.
func h16(w *world) error {
	code := programs{"prog": func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := timer(co, 20*time.Minute)
		receive(co, "e")
		co.Await(f)
		return result(16)
	}}
	t, g := w.worker(code)
	w.owns(g)
	if err := w.applied("i", w.start("i", "prog", nil)); err != nil {
		return err
	}
	w.after(time.Second)
	event := w.event("i", "e", "1", 1) // behind the schedule
	if err := w.applied("i", event); err != nil {
		return err
	}
	t.OnAppend(lost(history.KindTimer))
	need, _ := w.freeze("i", event) // with the rule it does not come to that
	t.Kill()
	w.shorten(need)
	w.worker(code)
	w.after(21 * time.Minute)
	return w.ends("i", history.Completed, 16)
}

// h17: the task of an activity that nobody serves yet is older than a snapshot.
func h17(w *world) error {
	_, g := w.worker(programs{"prog": func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := activity(co, "later", 1)
		n := receive(co, "e")
		co.Await(f)
		return result(n + value(f))
	}})
	w.owns(g)
	w.start("i", "prog", nil)
	event := w.event("i", "e", "1", 10)
	if err := w.applied("i", event); err != nil {
		return err
	}
	need, err := w.freeze("i", event)
	if err != nil {
		return err
	}
	w.shorten(need)
	if err := w.serve("later", 7); err != nil {
		return err
	}
	return w.ends("i", history.Completed, 17)
}

// h18: an instance is projected, and what it has read acknowledged, while the log is being shortened.
func h18(w *world) error {
	code := programs{"sum": sum["sum"]}
	w.retention = owner.Retention{Every: 100 * time.Millisecond, Age: time.Millisecond}
	t, g := w.worker(code)
	w.owns(g)
	t.OnPutState(func(backend.State) backendtest.Fate { return backendtest.Hold })
	w.start("i", "sum", nil)
	event := w.event("i", "e", "1", 1)
	w.put("mark", &history.Control{Verb: history.Suspend, ID: "m"})
	w.after(time.Second)
	t.promise(func() { t.slowFloor = true })
	if !w.until(func() bool { return t.floors() > 0 }) {
		return errors.New("nobody shortens the log")
	}
	t.OnPutState(nil)
	t.Release()
	if err := w.applied("i", event); err != nil {
		return err
	}
	w.after(time.Second)
	t.resume()
	w.after(2 * time.Second)
	replace(w, t, code)
	w.event("i", "e", "2", 20)
	w.event("i", "e", "3", 300)
	return w.ends("i", history.Completed, 321)
}

// blindEnd: a worker without the code ends an instance that has continued as new.
func blindEnd(w *world) error {
	prog := func(co *engine.Coroutine, input history.Payload) (history.Payload, error) {
		if string(input) != "2" {
			return nil, &engine.ContinueAsNew{Input: encode(2)}
		}
		return result(receive(co, "e"))
	}
	t, g := w.worker(programs{"prog": prog})
	w.owns(g)
	w.start("i", "prog", 1)
	if !w.until(func() bool { return w.load("i").Base != nil }) {
		return errors.New("not continued as new")
	}
	w.after(time.Second)
	t.freeze()
	none, g := w.worker(programs{"other": prog})
	w.owns(g)
	none.OnPutArchive(func(backend.Archive) backendtest.Fate { return backendtest.Crash })
	w.put("i", &history.Control{Verb: history.Terminate, ID: "t", Reason: "enough"})
	if err := ended(w, "i"); err != nil {
		return err
	}
	w.event("i", "e", "1", 1)
	w.worker(programs{"other": prog, "prog": prog})
	return w.ends("i", history.Terminated, nil)
}

// shortened: the log is shortened while instances come and go, and one waits.
func shortened(w *world) error {
	w.retention = owner.Retention{Every: 20 * time.Millisecond, Keep: 5, Age: 40 * time.Millisecond}
	t, g := w.worker(sum)
	w.owns(g)
	w.start("waits", "sum", nil)
	w.event("waits", "e", "1", 1)
	for n := range 20 {
		id := fmt.Sprint("i", n)
		w.start(id, "sum", nil)
		for _, e := range []string{"1", "2", "3"} {
			w.event(id, "e", e, n)
		}
		if err := w.ends(id, history.Completed, 3*n); err != nil {
			return err
		}
	}
	if !w.until(func() bool {
		w.after(50 * time.Millisecond)
		return w.load("waits").Start == nil && w.load("i19").Start == nil
	}) {
		return errors.New("the log is not shortened")
	}
	replace(w, t, sum)
	w.event("waits", "e", "2", 20)
	w.event("waits", "e", "3", 300)
	return w.ends("waits", history.Completed, 321)
}

// parkedHolds: an instance that nobody can run holds the log from its start on, and nothing before.
func parkedHolds(w *world) error {
	w.retention = owner.Retention{Every: 20 * time.Millisecond, Age: 40 * time.Millisecond}
	t, g := w.worker(sum)
	w.owns(g)
	w.start("before", "sum", nil)
	for _, e := range []string{"1", "2", "3"} {
		w.event("before", "e", e, 1)
	}
	if err := w.ends("before", history.Completed, 3); err != nil {
		return err
	}
	w.start("i", "later", nil)
	if !w.until(func() bool { return w.state("i").Parked != "" }) {
		return errors.New("it is not parked")
	}
	if !w.until(func() bool { w.after(50 * time.Millisecond); return w.load("before").Start == nil }) {
		return errors.New("what came before is held too")
	}
	w.after(time.Second)
	t.freeze()
	w.worker(programs{"later": sum["sum"], "sum": sum["sum"]})
	for _, e := range []string{"1", "2", "3"} {
		w.event("i", "e", e, 7)
	}
	return w.ends("i", history.Completed, 21)
}
