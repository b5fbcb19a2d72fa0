package owner

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// output is something a turn sends beyond its record: a schedule, a cancellation, a child, an event, a termination.
type output struct {
	cause *cause
	seq   uint64 // of the message that caused it
	chain string // outputs of one chain are stored one after the other (H5)
	ahead bool   // of an unknown one: it was sent, perhaps for the sake of a later one of its chain
	then  func() // called when it is stored, if not nil
	do    func(o *output)
}

const (
	firstRetry = 200 * time.Millisecond // after an error that says nothing about what is stored, then twice as long
	lastRetry  = 10 * time.Second
	alarmBelow = time.Second // due times nearer than this are also armed in memory
)

// outputs lists what a turn sends after its record (before it, when it ends something).
func (i *instance) outputs(c *cause, turn *engine.Turn, slots []history.Slot, known *records) []*output {
	n := len(turn.Cancel) + len(turn.Abort) + len(turn.Terminate) + len(turn.CancelChild) + len(turn.Again) + len(slots)
	if n == 0 {
		return nil
	}
	out := make([]*output, 0, n)
	add := func(chain string, do func(o *output)) {
		if !i.p.cfg.keeps(OrderTargets) {
			chain = ""
		}
		out = append(out, &output{cause: c, seq: turn.Cause, chain: chain, do: do})
	}
	run, execution := i.machine.Ref()
	var born time.Time
	if known == nil {
		born = i.machine.Clock()
	}
	for n := range slots {
		s := &slots[n]
		ref := history.Ref{Run: run, Execution: execution, Slot: s.N}
		switch s.Kind {
		case history.SlotTimer:
			if turn.End == nil { // one that is left over is cancelled by the end
				add(timerChain(ref), func(o *output) { i.arm(o, ref, s.Due) })
			}
		case history.SlotChild:
			add(s.Target.ID, func(o *output) { i.startChild(o, ref, s, born) })
		case history.SlotSend:
			add(s.Target.ID, func(o *output) { i.sendEvent(o, ref, s) })
		}
	}
	for _, ref := range turn.Cancel {
		if turn.End == nil || !within(slots, ref.Slot) {
			add(timerChain(ref), func(o *output) { i.disarm(o, ref) })
		}
	}
	for _, a := range turn.Abort {
		if !within(turn.Slots, a.Slot) && !i.stopLocal(a.Slot) { // else its task was never sent
			add(timerChain(a.Ref), func(o *output) { i.abort(o, a) })
		}
	}
	for n := range turn.Again {
		s := &turn.Again[n]
		ref := history.Ref{Run: run, Execution: execution, Slot: s.N}
		if s.Kind == history.SlotTimer {
			add(timerChain(ref), func(o *output) { i.arm(o, ref, s.Due) })
		} else {
			add(s.Target.ID, func(o *output) { i.askAgain(o, ref, s) })
		}
	}
	for _, child := range turn.Terminate {
		add(child.ID, func(o *output) { i.terminateChild(o, child) })
	}
	for _, child := range turn.CancelChild {
		add(child.ID, func(o *output) { i.cancelChild(o, child) })
	}
	return out
}

// abortedBy gives the activities that a turn ends, by slot: the task of one that it begins, too, is not worth sending.
func abortedBy(turn *engine.Turn) map[uint32]bool {
	if len(turn.Abort) == 0 {
		return nil
	}
	slots := make(map[uint32]bool, len(turn.Abort))
	for _, a := range turn.Abort {
		slots[a.Slot] = true
	}
	return slots
}

// within reports whether slots, which are in order, have one of a number.
func within(slots []history.Slot, n uint32) bool {
	_, ok := slices.BinarySearchFunc(slots, n, func(s history.Slot, n uint32) int { return cmp.Compare(s.N, n) })
	return ok
}

func timerChain(ref history.Ref) string { return "timer " + ref.String() }

// send lets an output go unless an earlier one of its chain is under way. What a replay decided for the same target, and
// nobody knows to be stored, goes before it: a start must not come after what the child is told later.
func (i *instance) send(o *output) {
	if o.chain == "" {
		o.do(o)
		return
	}
	if i.p.cfg.keeps(SettleTarget) {
		i.precede(o.chain, o.seq)
	}
	i.enqueue(o)
}

// precede sends what is unknown of a chain and was decided by messages before seq, once. It stays unknown, because the
// message that caused it answers for it.
func (i *instance) precede(chain string, seq uint64) {
	if len(i.unknown) == 0 {
		return
	}
	if i.behind == nil {
		i.behind = map[string][]*output{}
		for _, u := range i.unknown {
			for _, o := range u.outputs {
				i.behind[o.chain] = append(i.behind[o.chain], o)
			}
		}
	}
	rest := i.behind[chain]
	for ; len(rest) > 0 && rest[0].seq < seq; rest = rest[1:] {
		if o := rest[0]; !o.ahead {
			o.ahead = true
			i.owe(nil, 1)
			i.enqueue(&output{chain: chain, do: o.do})
		}
	}
	if len(rest) == 0 {
		delete(i.behind, chain)
	} else {
		i.behind[chain] = rest
	}
}

func (i *instance) enqueue(o *output) {
	if i.chains == nil {
		i.chains = map[string][]*output{}
	}
	i.chains[o.chain] = append(i.chains[o.chain], o)
	if len(i.chains[o.chain]) == 1 {
		o.do(o)
	}
}

// stored ends an output: done, dropped, or to be tried again.
func (i *instance) stored(o *output, err error) {
	switch {
	case err == nil:
	case unfit(err):
		i.parkFor(err)
		return
	default:
		i.retry(err, func() { o.do(o) })
		return
	}
	i.paid(o.cause)
	if o.then != nil {
		o.then()
	}
	if o.chain != "" {
		rest := i.chains[o.chain][1:]
		if len(rest) == 0 {
			delete(i.chains, o.chain)
		} else {
			i.chains[o.chain] = rest
			rest[0].do(rest[0])
		}
	}
	i.advance()
	i.settle()
}

// retry does something again after an error that left open what is stored. Receivers drop what they get twice.
func (i *instance) retry(err error, again func()) {
	if errors.Is(err, backend.ErrClosed) {
		return // nothing will be stored any more; nothing has been acknowledged
	}
	refused := 0
	if unfit(err) {
		refused = 1
		if i.p.drained != nil {
			i.giveBack() // the next owner may be allowed to
			return
		}
	}
	wait := min(firstRetry<<min(i.tries, 8), lastRetry)
	if err != nil {
		i.tries++
	}
	i.retries++
	i.refused += refused
	i.p.begin()
	i.p.be.Clock().After(wait, func() {
		i.p.mu.Lock()
		defer i.p.mu.Unlock()
		if !i.dead { // else remove has ended it
			i.retries--
			i.refused -= refused
			again()
			i.p.end()
		}
	})
}

// append stores a record on behalf of an output.
func (i *instance) append(o *output, a backend.Append, done func(error)) {
	i.p.begin()
	i.p.be.Append(a, func(_ uint64, err error) {
		i.locked(func() { done(err) })
	})
}

// startActivity has an activity run: in this process, or by a worker that gets its task, which is the record of its slot: nothing
// else has to be stored first.
func (i *instance) startActivity(c *cause, s *history.Slot, seq uint64, known *records) {
	task := i.taskOf(s)
	if s.Local {
		replayed := known != nil
		if replayed && !i.machine.Pending(task.Ref) {
			return // it was cancelled, and has left no record
		}
		if first := !replayed || i.news > 0 && seq >= i.news; first && i.runLocal(task) {
			return
		}
	}
	i.owe(c, 1)
	i.putTask(c, task, i.past.add(history.Message{Record: task}))
}

func (i *instance) taskOf(s *history.Slot) *history.Task {
	run, execution := i.machine.Ref()
	parent, state := i.trace()
	return &history.Task{
		Ref:  history.Ref{Run: run, Execution: execution, Slot: s.N},
		Name: s.Name, Args: s.Args, Attempt: 1, Policy: s.Policy, Site: s.Site, Trace: parent, TraceState: state, Baggage: i.baggage(),
	}
}

func (i *instance) putTask(c *cause, task *history.Task, place int) {
	i.p.begin()
	i.p.be.Append(backend.Append{To: i.addr, Record: task}, func(seq uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				i.past.number(place, task, seq)
				i.forgetLocal(task.Slot)
				i.paid(c)
				i.advance()
				i.settle()
			case tooLarge(err):
				i.past.drop(place, task)
				i.taskTooLarge(c, task, err)
			case unfit(err):
				i.parkFor(err)
			default:
				i.retry(err, func() { i.putTask(c, task, place) })
			}
		})
	})
}

// arm schedules a timer in the store and, when it is near, in memory: the store fires up to 250 ms late.
func (i *instance) arm(o *output, ref history.Ref, due time.Time) {
	if i.machine == nil || !i.machine.Pending(ref) {
		i.pass(o) // sent again after it has fired, or was cancelled: it would fire once more
		return
	}
	token := ref
	if !i.p.cfg.keeps(TimerTokens) {
		token.Run, token.Execution = 0, 0
	}
	i.append(o, backend.Append{To: i.addr, Record: &history.Timer{Ref: token, Due: due}}, func(err error) { i.stored(o, err) })
	wait := due.Sub(i.p.be.Clock().Now())
	if wait >= alarmBelow {
		return
	}
	if i.alarms == nil {
		i.alarms = map[uint32]func(){}
	}
	i.alarms[ref.Slot] = i.p.be.Clock().After(max(wait, 0)+time.Millisecond, func() { i.ring(ref, due) })
}

// pass counts an output as stored that need not be, later like any answer: who sends several counts on none being
// answered before the last is sent.
func (i *instance) pass(o *output) {
	i.p.begin()
	i.p.be.Clock().After(0, func() {
		i.locked(func() { i.stored(o, nil) })
	})
}

// ring fires a timer from memory. The machine applies it when it is delivered, never here, and ignores it when the
// log's clock says it is early (I8); then the schedule in the store is the backstop.
func (i *instance) ring(ref history.Ref, due time.Time) {
	i.p.mu.Lock()
	defer i.p.mu.Unlock()
	if i.dead || i.machine == nil || i.alarms[ref.Slot] == nil {
		return
	}
	if run, execution := i.machine.Ref(); run != ref.Run || execution != ref.Execution {
		return
	}
	delete(i.alarms, ref.Slot)
	i.p.begin()
	fired := &history.Fired{Ref: ref, Due: due}
	i.p.be.Append(backend.Append{To: i.addr, Record: fired}, func(seq uint64, err error) {
		i.locked(func() { i.made(seq, fired, err) })
	})
}

// made ends the storing of a message that the owner has made for the instance itself. It is applied when it is delivered,
// never here: another owner may have made it too, and others may come before it (H22).
func (i *instance) made(seq uint64, r history.Record, err error) {
	if err == nil && r.Kind().Inbox() && i.phase == live && seq > i.applied && !i.p.cfg.keeps(ApplyDelivered) {
		i.apply(history.Message{Seq: seq, Time: i.p.be.Clock().Now(), Record: r}, i.hold(seq, nil))
	}
}

func (i *instance) disarm(o *output, ref history.Ref) {
	if stop := i.alarms[ref.Slot]; stop != nil {
		stop()
		delete(i.alarms, ref.Slot)
	}
	i.p.begin()
	i.p.be.CancelTimer(i.addr, ref, func(err error) {
		i.locked(func() { i.stored(o, err) })
	})
}

func (i *instance) stopAlarms() {
	for _, stop := range i.alarms {
		stop()
	}
	i.alarms = nil
}

// sendEvent sends an event to another instance, whose group may have to be looked up.
func (i *instance) sendEvent(o *output, ref history.Ref, s *history.Slot) {
	event := &history.Event{Name: s.Name, ID: i.outputID(ref), Payload: s.Args}
	event.Trace, _ = i.trace()
	if s.Confirm {
		i.deliverEvent(delivery{o, ref, s, event})
		return
	}
	i.groupOf(s.Target, func(to history.Address, err error) {
		if errors.Is(err, backend.ErrNotFound) {
			i.p.cfg.Logger.Warn("durable: event dropped, nobody has this id", "event", s.Name, "from", i.addr.ID, "to", s.Target.ID)
			err = nil
		} else if err == nil {
			i.append(o, backend.Append{To: to, Record: event}, func(err error) { i.stored(o, err) })
			return
		}
		i.stored(o, err)
	})
}

func (i *instance) terminateChild(o *output, child history.Address) {
	control := &history.Control{
		Verb: history.Terminate, Reason: "parent " + i.addr.ID + " was terminated",
		ID: fmt.Sprintf("%s/%s/%d/terminate", i.addr.Group, i.addr.ID, i.run),
	}
	i.append(o, backend.Append{To: child, Record: control}, func(err error) { i.stored(o, err) })
}

// abort tells the worker that runs an activity that nobody waits for it any more, which may get lost, and removes the
// schedule of another attempt if there is one.
func (i *instance) abort(o *output, a engine.Aborted) {
	i.p.be.Signal(backend.AbortTopic(a.Name), backend.Abort{From: i.addr, Ref: a.Ref}.Encode())
	i.disarm(o, a.Ref)
}

func (i *instance) cancelChild(o *output, child engine.Child) {
	control := &history.Control{Verb: history.Cancel, Reason: "parent " + i.addr.ID + " was canceled", ID: i.outputID(child.Ref) + "/cancel"}
	i.append(o, backend.Append{To: child.Address, Record: control}, func(err error) { i.stored(o, err) })
}

// outputID identifies a send for its receiver, which drops what it has seen (H6).
func (i *instance) outputID(ref history.Ref) string {
	return i.addr.Group + "/" + i.addr.ID + "/" + ref.String()
}

// groupOf completes an address: the sender of an event knows only the id.
func (i *instance) groupOf(to history.Address, done func(history.Address, error)) {
	if to.Group != "" {
		done(to, nil)
		return
	}
	i.p.begin()
	i.p.be.GetState(to.ID, func(s backend.State, rev uint64, err error) {
		i.locked(func() {
			if rev > 0 || !errors.Is(err, backend.ErrNotFound) { // found, or purged
				done(s.Address, err)
				return
			}
			// A young instance is not projected yet; the log knows it.
			i.p.begin()
			i.p.be.Group(to.ID, func(group string, err error) {
				i.locked(func() { done(history.Address{Group: group, ID: to.ID}, err) })
			})
		})
	})
}
