package holes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// h9: an event is stored before the start. The start is claimed, so its owner loads.
func h9(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "e"))
	}
	t, g := w.worker(programs{"prog": prog})
	w.owns(g)
	early := w.event("i", "e", "1", 1)
	if w.early {
		t.promise(func() {
			t.before = []history.Message{{Seq: early, Time: w.client.Clock().Now(), Record: &history.Event{Name: "e", ID: "1", Payload: encode(1)}}}
		})
	}
	w.put("i", &history.Start{Run: 1, Orchestrator: "prog", Claim: "mine"})
	w.event("i", "e", "2", 2)
	return w.ends("i", history.Completed, 2)
}

// h11: a client claims an id and dies before it sends the start; another one looks at the instance.
func h11(w *world) error {
	prog := func(_ *engine.Coroutine, input history.Payload) (history.Payload, error) { return input, nil }
	_, g := w.worker(programs{"prog": prog})
	w.owns(g)
	start := &history.Start{Run: 1, Orchestrator: "prog", Input: encode(11), Claim: "mine"}
	long := w.client.Clock().Now().Add(-time.Minute)
	claim := backend.State{Address: at("i"), Name: "prog", Status: history.Pending, Run: 1, Created: long, Updated: long, Claim: start}
	if w.bareClaim {
		claim.Claim = nil
	}
	if _, err := wait(w, func(done func(uint64, error)) { w.client.PutState(claim, 0, done) }); err != nil {
		return err
	}
	c := durable.NewClient(w.client, durable.ClientConfig{})
	err := w.beside("get", func() error { _, err := c.Get(context.Background(), "i"); return err })
	if err != nil && !w.bareClaim {
		return err
	}
	return w.ends("i", history.Completed, 11)
}

// h10: the start of an instance that has ended and left the log arrives a second time.
func h10(w *world) error {
	if w.memory == nil {
		return nil // nothing purges the log on JetStream yet
	}
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := activity(co, "X", 1)
		co.Await(f)
		return result(value(f))
	}
	t, g := w.worker(programs{"prog": prog})
	w.owns(g)
	w.start("i", "prog", nil)
	w.has("i", func(r history.Record) bool { return r.Kind() == history.KindTask })
	seq := w.complete("i", w.tasks("i")[0], 1)
	if err := w.ends("i", history.Completed, 1); err != nil {
		return err
	}
	w.after(time.Second)
	w.memory.Purge(seq + 10)
	start := &history.Start{Run: 1, Orchestrator: "prog", Claim: "mine"}
	if _, err := w.try(backend.Append{To: at("i"), Record: start, Fenced: true}); err != nil {
		return fmt.Errorf("the copy is refused: %w", err)
	}
	t.OnAppend(nil)
	w.after(2 * time.Second)
	if tasks := w.tasks("i"); len(tasks) > 0 {
		return errors.New("it runs again")
	}
	return nil
}

// h12: a frozen worker's write of Running lands after another has projected the end.
func h12(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "e"))
	}
	code := programs{"prog": prog}
	t, g := w.worker(code)
	w.owns(g)
	held := make(chan struct{}, 1)
	t.OnPutState(func(backend.State) backendtest.Fate {
		held <- struct{}{}
		return backendtest.Hold
	})
	w.start("i", "prog", nil)
	if !w.until(func() bool { return len(held) == 1 }) {
		return errors.New("not projected")
	}
	replace(w, t, code)
	w.event("i", "e", "1", 4)
	if err := w.ends("i", history.Completed, 4); err != nil {
		return err
	}
	t.OnPutState(nil)
	t.Release()
	w.after(3 * time.Second)
	if s := w.state("i"); s.Status != history.Completed {
		return fmt.Errorf("projected as %s", s.Status)
	}
	return nil
}

// replace has another worker take over from one that is frozen: it says and hears nothing, but does not know it.
func replace(w *world, t *tap, code programs) {
	t.freeze()
	_, g := w.worker(code)
	w.owns(g)
}

// ended waits for the final record in the log.
func ended(w *world, id string) error {
	if !w.has(id, isFinal) {
		return fmt.Errorf("%s has no final record", id)
	}
	return nil
}

func isFinal(r history.Record) bool {
	t, ok := r.(*history.Turn)
	return ok && t.End != nil && t.End.Status.Final()
}

// h13: the archive is written, the final projection is not, and the worker dies. The start has left the log.
func h13(w *world) error {
	if w.memory == nil {
		return nil // nothing purges the log on JetStream yet
	}
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "e"))
	}
	code := programs{"prog": prog}
	t, g := w.worker(code)
	w.owns(g)
	seq := w.start("i", "prog", nil)
	if !w.until(func() bool { return w.state("i").Status == history.Running }) {
		return errors.New("not projected")
	}
	w.after(100 * time.Millisecond)
	t.OnPutState(func(backend.State) backendtest.Fate { return backendtest.Drop })
	w.event("i", "e", "1", 13)
	if !w.until(func() bool { _, err := w.archive("i"); return err == nil }) {
		return errors.New("not archived")
	}
	t.Kill()
	w.memory.Purge(seq + 1)
	w.worker(code)
	return w.ends("i", history.Completed, 13)
}

// h14: a frozen worker's archive of the first run lands after the second run has been archived.
func h14(w *world) error {
	prog := func(_ *engine.Coroutine, input history.Payload) (history.Payload, error) { return input, nil }
	code := programs{"prog": prog}
	t, g := w.worker(code)
	w.owns(g)
	t.OnPutArchive(func(backend.Archive) backendtest.Fate { return backendtest.Hold })
	w.start("i", "prog", 1)
	if err := ended(w, "i"); err != nil {
		return err
	}
	w.after(100 * time.Millisecond)
	// Another worker finishes the first run while this one is frozen, and a client replaces it.
	replace(w, t, code)
	if err := w.ends("i", history.Completed, 1); err != nil {
		return err
	}
	l := w.load("i")
	if _, err := w.try(backend.Append{To: at("i"), Record: &history.Start{Run: 2, Orchestrator: "prog", Input: encode(2)}, Fenced: true, Fence: l.Start.Seq}); err != nil {
		return err
	}
	if !w.until(func() bool { a, err := w.archive("i"); return err == nil && a.Run == 2 }) {
		return errors.New("the second run is not archived")
	}
	t.OnPutArchive(nil)
	t.Release()
	w.after(5 * time.Second)
	if a, err := w.archive("i"); err != nil || a.Run != 2 {
		return fmt.Errorf("the archive holds run %d (%v)", a.Run, err)
	}
	return nil
}

// h19: a worker without the code ends a parked instance; one with the code would decide otherwise.
func h19(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "e"))
	}
	none := programs{"other": prog}
	t, g := w.worker(none)
	w.owns(g)
	t.OnPutArchive(func(backend.Archive) backendtest.Fate { return backendtest.Crash }) // nothing but the record is left
	w.start("i", "prog", nil)
	w.event("i", "e", "1", 1) // would complete it
	w.put("i", &history.Control{Verb: history.Terminate, ID: "t", Reason: "enough"})
	if err := ended(w, "i"); err != nil {
		return err
	}
	w.worker(programs{"other": prog, "prog": prog})
	w.after(2 * time.Second)
	w.put("i", &history.Control{Verb: history.Suspend, ID: "s"}) // a late message makes somebody look again
	w.after(2 * time.Second)
	if err := w.ends("i", history.Terminated, nil); err != nil {
		return err
	}
	final := map[history.Status]bool{}
	for _, m := range w.load("i").Tail {
		if isFinal(m.Record) {
			final[m.Record.(*history.Turn).End.Status] = true
		}
	}
	if len(final) != 1 {
		return fmt.Errorf("the log holds the ends %v", final)
	}
	return nil
}

// h20: nobody knows the code; then a worker comes that does, while no message does.
func h20(w *world) error {
	prog := func(*engine.Coroutine, history.Payload) (history.Payload, error) { return result(20) }
	one := func(*engine.Coroutine, history.Payload) (history.Payload, error) { return result(1) }
	_, g := w.worker(programs{"one": one})
	w.owns(g)
	w.start("i", "prog", nil)
	if w.without == 0 && !w.until(func() bool { return w.state("i").Parked != "" }) {
		return fmt.Errorf("not shown as parked: %+v", w.state("i"))
	}
	w.worker(programs{"one": one, "prog": prog})
	return w.ends("i", history.Completed, 20)
}

// parkedUnprojected: what an instance sends first is refused, so it is parked before anything was projected. The projection
// says so, also when it is taken up and refused once more, and a worker that may send goes on.
func parkedUnprojected(w *world) error {
	code := programs{"one": one, "parent": func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := child(co, "c", "one", nil)
		co.Await(f)
		return result(value(f))
	}}
	t, g := w.worker(code)
	t.deny(history.KindStart)
	w.owns(g)
	w.start("i", "parent", nil)
	if !w.until(func() bool { return w.state("i").Parked != "" }) {
		return fmt.Errorf("not shown as parked: %+v", w.state("i"))
	}
	// An event has it taken up and shown as running, which is when it is refused again. One that comes before it is let go is
	// only noted in the mark.
	if !w.until(t.letGo) {
		return errors.New("parked, and not let go")
	}
	seq := w.event("i", "again", "again-1", 1)
	if !w.until(func() bool { s := w.state("i"); return s.Parked != "" && s.At >= seq }) {
		return fmt.Errorf("not let go again: %+v", w.state("i"))
	}
	if err := g.Stop(w.t.Context()); err != nil {
		return err
	}
	w.worker(code)
	return w.ends("i", history.Completed, 1)
}

// h21: the clock of the owner is ahead of the log's, so its own timer fires before the log's time has come.
func h21(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		due := co.Now().Add(300 * time.Millisecond)
		co.Await(timer(co, 300*time.Millisecond))
		return result(!co.Now().Before(due))
	}
	_, g := w.worker(programs{"prog": prog})
	w.owns(g)
	w.start("i", "prog", nil)
	if !w.has("i", isTurn) {
		return errors.New("no timer")
	}
	due := w.load("i").Start.Time.Add(300 * time.Millisecond)
	w.put("i", &history.Fired{Ref: history.Ref{Run: 1}, Due: due}) // what such an owner sends
	return w.ends("i", history.Completed, true)
}

// h23: the replica that answers a load has not seen the start yet.
func h23(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "e"))
	}
	code := programs{"prog": prog}
	t, g := w.worker(code)
	w.owns(g)
	w.start("i", "prog", nil)
	if !w.until(func() bool { return w.state("i").Status == history.Running }) {
		return errors.New("not projected")
	}
	t.Kill()
	u, h := w.worker(code)
	u.promise(func() { u.blind = w.blind })
	w.owns(h)
	w.event("i", "e", "1", 23)
	return w.ends("i", history.Completed, 23)
}

// ackAfterStore: a worker dies before the task of a start is stored.
func ackAfterStore(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := activity(co, "X", 1)
		co.Await(f)
		return result(value(f))
	}
	code := programs{"prog": prog}
	t, g := w.worker(code)
	w.owns(g)
	t.OnAppend(lost(history.KindTask))
	w.start("i", "prog", nil)
	w.after(500 * time.Millisecond)
	t.Kill()
	_, h := w.worker(code)
	w.owns(h)
	if !w.until(func() bool { return len(w.tasks("i")) > 0 }) {
		return errors.New("the task is lost")
	}
	w.complete("i", w.tasks("i")[0], 9)
	return w.ends("i", history.Completed, 9)
}

// gap: a delivery gets lost between two others.
func gap(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		a := receive(co, "e")
		return result([]int{a, receive(co, "e")})
	}
	t, g := w.worker(programs{"prog": prog})
	w.owns(g)
	w.start("i", "prog", nil)
	if !w.until(func() bool { return w.state("i").Status == history.Running }) {
		return errors.New("not projected")
	}
	dropped := false
	t.OnDelivery(func(d backend.Delivery) backendtest.Fate {
		if !dropped && d.Message.Kind() == history.KindEvent {
			dropped = true
			return backendtest.Drop
		}
		return backendtest.Pass
	})
	w.event("i", "e", "1", 1)
	w.event("i", "e", "2", 2)
	return w.ends("i", history.Completed, []int{1, 2})
}

// giveBack: a flush must not leave a held message to its ack wait.
func giveBack(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := activity(co, "X", 1)
		co.Await(f)
		return result(value(f))
	}
	t, g := w.worker(programs{"prog": prog})
	w.owns(g)
	t.OnAppend(lost(history.KindTask))
	w.start("i", "prog", nil)
	w.after(300 * time.Millisecond) // the next attempt is a while off
	t.OnAppend(nil)
	flushed(w, t)
	began := w.client.Clock().Now()
	if !w.until(func() bool { return len(w.tasks("i")) > 0 }) {
		return errors.New("the task is lost")
	}
	if waited := w.client.Clock().Now().Sub(began); w.memory != nil && waited > 5*time.Second {
		return fmt.Errorf("the task came only after %v", waited)
	}
	w.complete("i", w.tasks("i")[0], 9)
	return w.ends("i", history.Completed, 9)
}
