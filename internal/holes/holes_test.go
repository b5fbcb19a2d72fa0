package holes

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
	durable "github.com/durablegen/durablegen/runtime"
)

// hole is a scenario and the rule that it needs. play ends well, or tells what went wrong.
type hole struct {
	name  string
	rule  owner.Repair
	rules engine.Rule
	off   func(w *world) // for a rule that is a promise of the backend: breaks it
	play  func(w *world) error
}

var holes = []hole{
	{name: "H1 a load that contains its trigger can still miss the middle", rule: owner.ReachDelivered, play: h1},
	{name: "H2 redelivery out of order loses the outbox of an earlier message", rule: owner.SettleBeforeEnd, play: h2},
	{name: "H3 record first is wrong for the ending turn", rule: owner.OutboxBeforeEnd, play: h3},
	{name: "H4 a load cannot see other instances' subjects", rule: owner.ResendOutputs, play: h4},
	{name: "H5 a pipelined outbox reorders", rule: owner.OrderTargets, play: h5},
	{name: "H6 nothing dedupes events", rules: engine.DropSeen, play: h6},
	{name: "H7 a timer's token is reused by the next execution", rule: owner.TimerTokens, play: h7},
	{name: "H8 the base of ContinueAsNew is an inbox position", rule: owner.BaseAt, play: h8},
	{name: "H9 history begins at the start", off: func(w *world) { w.early = true }, play: h9},
	{name: "H10 a start whose run has ended is dropped", rule: owner.CheckRun, play: h10},
	{name: "H11 a claim without a start is finished by whoever meets it", off: func(w *world) { w.bareClaim = true }, play: h11},
	{name: "H12 a zombie's projection goes back in time", rule: owner.ProjectForward, play: h12},
	{name: "H13 crash between archive and projection", rule: owner.ProjectArchived, play: h13},
	{name: "H14 a zombie's archive overwrites a newer one", rule: owner.FenceArchive, play: h14},
	{name: "H19 terminate without the code is not a function of the inbox", rule: owner.FenceFinal, play: h19},
	{name: "H20 a parked instance is taken up", rule: owner.MarkParked, play: h20},
	{name: "H21 the owner's timer is early by the log's clock", rules: engine.IgnoreEarly, play: h21},
	{name: "H23 nothing found is believed from the leader only", off: func(w *world) { w.blind = true }, play: h23},
	{name: "I4 an ack before the store", rule: owner.AckAfterStore, play: ackAfterStore},
	{name: "I5 a gap in the deliveries", rule: owner.ContiguousOrder, play: gap},
	{name: "I5 a flush gives back what it held", rule: owner.NakOnFlush, play: giveBack},
}

func TestHoles(t *testing.T) {
	t.Parallel()
	for _, h := range holes {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			if err := h.play(inMemory(t)); err != nil {
				t.Errorf("with all rules: %v", err)
			}
			w := inMemory(t)
			w.without, w.rules = h.rule, h.rules
			if h.off != nil {
				h.off(w)
			}
			if err := h.play(w); err == nil {
				t.Errorf("without its rule it ends just as well")
			} else {
				t.Logf("without its rule: %v", err)
			}
		})
	}
}

// TestHolesOnJetStream plays the scenarios that need no look into the store, with all rules in force.
func TestHolesOnJetStream(t *testing.T) {
	t.Parallel()
	for _, h := range holes {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			if err := h.play(onJetStream(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

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
	t.onLoad = func(_ history.Address, reach uint64) uint64 { return reach }
	t.onAppend = func(a backend.Append) fate {
		if a.Record.Kind() == history.KindTask {
			return loseAnswer
		}
		return pass
	}
	w.start("i", "three", nil)
	w.event("i", "e", "1", 1)
	second := w.event("i", "e", "2", 2)
	if !w.until(func() bool { return w.state("i").At >= second }) {
		return errors.New("the second event is not applied")
	}
	t.onAppend = nil
	flushed(w, t)
	w.event("i", "e", "3", 3)
	return w.ends("i", history.Completed, []int{1, 2, 3})
}

// flushed makes the worker lose a delivery and notice it with the next.
func flushed(w *world, t *tap) {
	lost := make(chan struct{})
	t.onDrop = func(d backend.Delivery) bool {
		if d.To.ID != "lost" {
			return false
		}
		select {
		case <-lost:
		default:
			close(lost)
		}
		return true
	}
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
	t.onAppend = lost(history.KindEvent)
	first := w.event("i", "e", "1", 1)
	if !w.has("i", isTurn) {
		return errors.New("the send is not recorded")
	}
	w.event("i", "e", "2", 2)
	w.after(100 * time.Millisecond)
	t.kill()
	u, _ := w.worker(code)
	held := false
	u.onDrop = func(d backend.Delivery) bool { // the first comes again after its ack wait
		if d.Message.Seq == first && !held {
			held = true
			return true
		}
		return false
	}
	if err := w.ends("i", history.Completed, 3); err != nil {
		return err
	}
	return w.ends("j", history.Completed, 1)
}

func isTurn(r history.Record) bool { return r.Kind() == history.KindTurn }

// lost makes the appends of a kind disappear.
func lost(kind history.Kind) func(backend.Append) fate {
	return func(a backend.Append) fate {
		if a.Record.Kind() == kind {
			return lose
		}
		return pass
	}
}

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
	t.onAppend = lost(history.KindEvent)
	w.start("i", "prog", nil)
	w.after(500 * time.Millisecond)
	t.kill()
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
	t.onAppend = lost(history.KindStart)
	w.start("i", "prog", nil)
	if !w.has("i", isTurn) {
		return errors.New("the child is not recorded")
	}
	t.kill()
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
	t.onAppend = func(a backend.Append) fate {
		if a.Record.Kind() == history.KindStart {
			return hold
		}
		return pass
	}
	w.start("i", "prog", nil)
	w.after(500 * time.Millisecond)
	t.release()
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
	t.onAppend = func(a backend.Append) fate {
		if isTurn(a.Record) {
			held <- struct{}{}
			return hold
		}
		return pass
	}
	w.event("i", "go", "1", 0)
	w.until(func() bool { return len(held) == 1 })
	late := w.event("i", "late", "2", 8)
	t.release()
	if !w.until(func() bool { return w.state("i").At >= late }) {
		return errors.New("the late event is not applied")
	}
	w.after(100 * time.Millisecond)
	t.kill()
	w.worker(code)
	w.event("i", "fin", "3", 1)
	return w.ends("i", history.Completed, 9)
}

// h9: an event is stored before the start. The start is claimed, so its owner loads.
func h9(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "e"))
	}
	t, g := w.worker(programs{"prog": prog})
	w.owns(g)
	early := w.event("i", "e", "1", 1)
	if w.early {
		t.before = []history.Message{{Seq: early, Time: w.client.Clock().Now(), Record: &history.Event{Name: "e", ID: "1", Payload: encode(1)}}}
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
	met := make(chan error, 1)
	go func() { _, err := c.Get(context.Background(), "i"); met <- err }()
	if !w.until(func() bool { return len(met) == 1 }) {
		return errors.New("get does not return")
	}
	if err := <-met; err != nil && !w.bareClaim {
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
	t.onAppend = nil
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
	t.onState = func(backend.State) fate {
		held <- struct{}{}
		return hold
	}
	w.start("i", "prog", nil)
	if !w.until(func() bool { return len(held) == 1 }) {
		return errors.New("not projected")
	}
	replace(w, t, code)
	w.event("i", "e", "1", 4)
	if err := w.ends("i", history.Completed, 4); err != nil {
		return err
	}
	t.release()
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
	t.onState = func(backend.State) fate { return lose }
	w.event("i", "e", "1", 13)
	if !w.until(func() bool { _, err := w.archive("i"); return err == nil }) {
		return errors.New("not archived")
	}
	t.kill()
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
	t.onEntry = func(backend.Archive) fate { return hold }
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
	t.release()
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
	_, g := w.worker(none)
	w.owns(g)
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
	t.kill()
	u, h := w.worker(code)
	u.blind = w.blind
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
	t.onAppend = lost(history.KindTask)
	w.start("i", "prog", nil)
	w.after(500 * time.Millisecond)
	t.kill()
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
	t.onDrop = func(d backend.Delivery) bool {
		if !dropped && d.Message.Kind() == history.KindEvent {
			dropped = true
			return true
		}
		return false
	}
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
	t.onAppend = lost(history.KindTask)
	w.start("i", "prog", nil)
	w.after(200 * time.Millisecond)
	t.onAppend = nil
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
