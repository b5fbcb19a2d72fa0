package holes

import (
	"errors"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
)

// three waits for three events, after an activity that nobody waits for.
func three(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
	a := receive(co, "e")
	activity(co, "X", a)
	b := receive(co, "e")
	c := receive(co, "e")
	return result([]int{a, b, c})
}

// h1: the first event stays unacknowledged because its task's answer is late; the second is applied and acknowledged; a
// flush brings the first again, and the replica that answers the load has come no further than asked.
func h1(w *world) error {
	t, g := w.worker(programs{"three": three})
	w.owns(g)
	t.OnLoad(func(_ history.Address, reach uint64) uint64 { return reach })
	t.OnAppend(fateOf(history.KindTask, backendtest.Hold))
	w.start("i", "three", nil)
	w.event("i", "e", "1", 1)
	second := w.event("i", "e", "2", 2)
	if !w.until(func() bool { return w.state("i").At >= second }) {
		return errors.New("the second event is not applied")
	}
	t.OnAppend(nil)
	flushed(w, t)
	w.after(50 * time.Millisecond) // what was given back is delivered first
	w.event("i", "e", "3", 3)
	return w.ends("i", history.Completed, []int{1, 2, 3})
}

// flushed makes the worker lose a delivery and notice it with the next.
func flushed(w *world, t *tap) {
	lost := make(chan struct{})
	t.OnDelivery(func(d backend.Delivery) backendtest.Fate {
		if d.To.ID != "lost" {
			return backendtest.Pass
		}
		select {
		case <-lost:
		default:
			close(lost)
		}
		return backendtest.Drop
	})
	w.event("lost", "e", "x", 0)
	w.until(func() bool {
		select {
		case <-lost:
			return true
		default:
			return false
		}
	})
	w.event("noticed", "e", "x", 0)
}

// h2: the first event decides a send that is not stored when its worker dies; the second event, which ends the instance,
// is redelivered first.
func h2(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		a := receive(co, "e")
		send(co, "j", "gift", a)
		return result(a + receive(co, "e"))
	}
	gift := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "gift"))
	}
	code := programs{"prog": prog, "gift": gift}
	t, g := w.worker(code)
	w.owns(g)
	w.start("j", "gift", nil)
	w.start("i", "prog", nil)
	t.OnAppend(lost(history.KindEvent))
	first := w.event("i", "e", "1", 1)
	if !w.has("i", isTurn) {
		return errors.New("the send is not recorded")
	}
	w.event("i", "e", "2", 2)
	w.after(100 * time.Millisecond)
	t.Kill()
	u, _ := w.worker(code)
	held := false
	u.OnDelivery(func(d backend.Delivery) backendtest.Fate { // the first comes again after its ack wait
		if d.Message.Seq == first && !held {
			held = true
			return backendtest.Drop
		}
		return backendtest.Pass
	})
	if err := w.ends("i", history.Completed, 3); err != nil {
		return err
	}
	return w.ends("j", history.Completed, 1)
}

func isTurn(r history.Record) bool { return r.Kind() == history.KindTurn }

// h3: one turn decides a send and continues as new; the worker dies before the send is stored.
func h3(w *world) error {
	prog := func(co *engine.Coroutine, input history.Payload) (history.Payload, error) {
		if string(input) == "2" {
			return result("done")
		}
		send(co, "j", "gift", 7)
		return nil, &engine.ContinueAsNew{Input: encode(2)}
	}
	gift := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "gift"))
	}
	code := programs{"prog": prog, "gift": gift}
	t, g := w.worker(code)
	w.owns(g)
	w.start("j", "gift", nil)
	t.OnAppend(lost(history.KindEvent))
	w.start("i", "prog", nil)
	w.after(500 * time.Millisecond)
	t.Kill()
	w.worker(code)
	if err := w.ends("i", history.Completed, "done"); err != nil {
		return err
	}
	return w.ends("j", history.Completed, 7)
}

// h4: the record of a child is stored, its start is not, and the worker dies.
func h4(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := child(co, "c", "one", nil)
		co.Await(f)
		return result(value(f))
	}
	code := programs{"prog": prog, "one": func(*engine.Coroutine, history.Payload) (history.Payload, error) { return result(1) }}
	t, g := w.worker(code)
	w.owns(g)
	t.OnAppend(lost(history.KindStart))
	w.start("i", "prog", nil)
	if !w.has("i", isTurn) {
		return errors.New("the child is not recorded")
	}
	t.Kill()
	w.worker(code)
	return w.ends("i", history.Completed, 1)
}

// h5: the start of a child is late, the event that follows it is not.
func h5(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := child(co, "c", "gift", nil)
		send(co, "c", "gift", 5)
		co.Await(f)
		return result(value(f))
	}
	gift := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "gift"))
	}
	t, g := w.worker(programs{"prog": prog, "gift": gift})
	w.owns(g)
	t.OnAppend(fateOf(history.KindStart, backendtest.Hold))
	w.start("i", "prog", nil)
	w.after(500 * time.Millisecond)
	t.OnAppend(nil)
	t.Release()
	return w.ends("i", history.Completed, 5)
}

// h6: an event arrives twice.
func h6(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		a := receive(co, "e")
		return result([]int{a, receive(co, "e")})
	}
	_, g := w.worker(programs{"prog": prog})
	w.owns(g)
	w.start("i", "prog", nil)
	w.event("i", "e", "1", 1)
	w.event("i", "e", "1", 1)
	w.event("i", "e", "2", 2)
	return w.ends("i", history.Completed, []int{1, 2})
}

// h7: an abandoned activity of the first execution fails late, and its retry takes the place of the second execution's
// timer.
func h7(w *world) error {
	prog := func(co *engine.Coroutine, input history.Payload) (history.Payload, error) {
		if string(input) == "2" {
			f := timer(co, 10*time.Second)
			co.Await(f)
			return result("fired")
		}
		activity(co, "X", 1)
		receive(co, "go")
		return nil, &engine.ContinueAsNew{Input: encode(2)}
	}
	_, g := w.worker(programs{"prog": prog})
	w.owns(g)
	w.start("i", "prog", nil)
	if !w.has("i", func(r history.Record) bool { return r.Kind() == history.KindTask }) {
		return errors.New("no task")
	}
	task := *w.tasks("i")[0]
	w.event("i", "go", "1", 0)
	if !w.has("i", func(r history.Record) bool { t, ok := r.(*history.Turn); return ok && t.Execution == 1 }) {
		return errors.New("the timer is not recorded")
	}
	w.after(200 * time.Millisecond)
	again := task
	again.Attempt = 2
	ref := task.Ref
	if w.without&owner.TimerTokens != 0 {
		ref.Run, ref.Execution = 0, 0 // as an activity worker without the rule would have named it
	}
	w.put("i", &history.Timer{Ref: ref, Due: w.client.Clock().Now().Add(time.Hour), Task: &again})
	return w.ends("i", history.Completed, "fired")
}

// h8: an event is stored between the message that continues as new and the record of that; its receiver is loaded after
// it was acknowledged.
func h8(w *world) error {
	prog := func(co *engine.Coroutine, input history.Payload) (history.Payload, error) {
		if string(input) == "2" {
			late := receive(co, "late")
			return result(late + receive(co, "fin"))
		}
		receive(co, "go")
		return nil, &engine.ContinueAsNew{Input: encode(2)}
	}
	code := programs{"prog": prog}
	t, g := w.worker(code)
	w.owns(g)
	w.start("i", "prog", nil)
	held := make(chan struct{}, 1)
	t.OnAppend(func(a backend.Append) backendtest.Fate {
		if isTurn(a.Record) {
			held <- struct{}{}
			return backendtest.Hold
		}
		return backendtest.Pass
	})
	w.event("i", "go", "1", 0)
	w.until(func() bool { return len(held) == 1 })
	late := w.event("i", "late", "2", 8)
	t.OnAppend(nil)
	t.Release()
	if !w.until(func() bool { return w.state("i").At >= late }) {
		return errors.New("the late event is not applied")
	}
	w.after(100 * time.Millisecond)
	t.Kill()
	w.worker(code)
	w.event("i", "fin", "3", 1)
	return w.ends("i", history.Completed, 9)
}

// h24: a child is recorded, its start is not stored, and the worker dies. Before what caused the start is delivered
// again, something else makes the instance send an event to the child.
func h24(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := child(co, "c", "waiter", nil)
		send(co, "c", "gift", receive(co, "e"))
		co.Await(f)
		return result(value(f))
	}
	waiter := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "gift"))
	}
	code := programs{"prog": prog, "waiter": waiter}
	t, g := w.worker(code)
	w.owns(g)
	t.OnAppend(lost(history.KindStart))
	start := w.start("i", "prog", nil)
	if !w.has("i", isTurn) {
		return errors.New("the child is not recorded")
	}
	t.Kill()
	u, _ := w.worker(code)
	u.OnDelivery(func(d backend.Delivery) backendtest.Fate { // the start comes again after its ack wait
		if d.Message.Seq == start && d.Attempts < 3 {
			return backendtest.Drop
		}
		return backendtest.Pass
	})
	w.event("i", "e", "1", 7)
	return w.ends("i", history.Completed, 7)
}

// h25: the record of a child is under way when the child is cancelled, which has no record of its own.
func h25(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		scope := co.Scope(nil)
		co.ScheduleIn(scope, history.Slot{Kind: history.SlotChild, Name: "waiter", Args: encode(1), Target: at("c")})
		n := receive(co, "e")
		co.CancelScope(scope, &history.Failure{Kind: history.FailCanceled, Message: "enough"})
		return result(n + receive(co, "e"))
	}
	waiter := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := co.Receive("never")
		co.Await(f)
		_, failure := f.Result()
		return nil, errors.New(failure.Message)
	}
	t, g := w.worker(programs{"prog": prog, "waiter": waiter})
	w.owns(g)
	t.OnAppend(fateOf(history.KindTurn, backendtest.Hold))
	w.start("i", "prog", nil)
	w.event("i", "e", "1", 1)
	w.after(100 * time.Millisecond)
	t.OnAppend(nil)
	t.Release()
	if err := w.ends("c", history.Failed, nil); err != nil {
		return err
	}
	w.event("i", "e", "2", 2)
	return w.ends("i", history.Completed, 3)
}
