package owner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Mark says that nobody runs an instance. It is stored before the messages that led to it are acknowledged,
// with the highest of them, so that whoever can run the instance later knows how far it must read (H20).
type Mark struct {
	history.Address
	Name    string   `json:"name"`
	Version string   `json:"version,omitempty"`
	Reason  string   `json:"reason,omitempty"` // when there is no projection that tells it
	Acked   uint64   `json:"acked"`
	From    uint64   `json:"from,omitempty"` // the lowest: the log must keep what follows
	Tried   []string `json:"tried"`          // workers that cannot run it
}

const (
	markPrefix  = "parked"
	triedLimit  = 32
	metaTimeout = 10 * time.Second
	parkedEvery = 5 * time.Second
)

// parkedTopic is where the mark of an instance just parked is told, at most once.
func parkedTopic(group string) string { return "parked." + history.EncodeID(group) }

func (m Mark) encode() []byte {
	data, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return data
}

func markKey(a history.Address) string {
	return markPrefix + "." + history.EncodeID(a.Group) + "." + history.EncodeID(a.ID)
}

func unknownCode(s *history.Start) string {
	return fmt.Sprintf("no worker for %s version %s", s.Orchestrator, cmp.Or(s.Version, history.FirstVersion))
}

// parkFor stops an instance on an error that repeating it does not mend.
func (i *instance) parkFor(err error) {
	i.p.cfg.Logger.Error("durable: instance parked", observe.KeyInstance, i.addr.ID, observe.KeyError, err)
	i.park(err.Error())
}

// park stops an instance until fitting code appears.
func (i *instance) park(reason string) {
	if i.dead || i.phase == parked || i.terminateBlind() {
		return
	}
	i.stopAlarms()
	i.closeMachine()
	if !i.blind && i.tail == nil && i.toBeTerminated() {
		i.loadBlind()
		return
	}
	i.phase = parked
	i.reason = reason
	i.tellParked()
	i.remark()
}

// loadBlind reads the instance again to terminate it: the log knows its children.
func (i *instance) loadBlind() {
	i.blind = true
	i.dropCommits()
	i.load()
}

// toBeTerminated reports whether a terminate waits behind what could not be stored.
func (i *instance) toBeTerminated() bool {
	ends := func(m history.Message) bool {
		c, ok := m.Record.(*history.Control)
		return ok && c.Verb == history.Terminate
	}
	return slices.ContainsFunc(i.rest, ends) ||
		slices.ContainsFunc(i.queue, func(d backend.Delivery) bool { return ends(d.Message) })
}

// remark stores the mark, or a higher position in it, then the projection, then acknowledges.
func (i *instance) remark() {
	if i.marking || i.unmarking {
		i.markAgain = true
		return
	}
	i.marking = true
	m := Mark{Address: i.addr, Acked: i.applied, Tried: []string{i.p.cfg.Worker}}
	if s, ok := i.start.Record.(*history.Start); ok {
		m.Name, m.Version = s.Orchestrator, s.Version
	} else {
		m.Reason = i.reason
	}
	m.From = backend.TheEnd // below what the messages say that are acknowledged through it, the projection tells
	for _, c := range i.causes {
		m.Acked, m.From = max(m.Acked, c.seq), min(m.From, c.seq)
	}
	for _, d := range i.queue {
		m.Acked, m.From = max(m.Acked, d.Message.Seq), min(m.From, d.Message.Seq)
	}
	i.background(func(ctx context.Context) (err error) {
		m, err = putMark(ctx, i.p.be.Meta(), m)
		return err
	}, func(err error) {
		if err != nil { // still marking: what is not in the mark must not be acknowledged
			i.retry(err, func() {
				i.marking = false
				i.remark()
			})
			return
		}
		i.marking = false
		switch {
		case i.markAgain:
			i.markAgain = false
			i.remark()
		default:
			i.mark = m
			i.projectParked()
		}
	})
	if !i.p.cfg.keeps(MarkParked) {
		i.acknowledgeAll()
	}
}

// background runs a blocking call outside of the mutex and hands its result back under it.
func (i *instance) background(call func(context.Context) error, done func(error)) {
	i.p.begin()
	i.p.be.Clock().After(0, func() {
		ctx, cancel := context.WithTimeout(context.Background(), metaTimeout)
		defer cancel()
		err := call(ctx)
		i.locked(func() { done(err) })
	})
}

// putMark stores a mark, joined with the one that is there.
func putMark(ctx context.Context, meta backend.Meta, m Mark) (Mark, error) {
	for {
		old, rev, err := meta.Get(ctx, markKey(m.Address))
		if err != nil && !errors.Is(err, backend.ErrNotFound) {
			return m, err
		}
		var had Mark
		if err == nil && json.Unmarshal(old, &had) == nil {
			m.Acked, m.From = max(m.Acked, had.Acked), min(m.From, had.From)
			for _, w := range had.Tried {
				if !slices.Contains(m.Tried, w) && len(m.Tried) < triedLimit {
					m.Tried = append(m.Tried, w)
				}
			}
		}
		if _, err = meta.Put(ctx, markKey(m.Address), m.encode(), rev); !errors.Is(err, backend.ErrConflict) {
			return m, err
		}
	}
}

// projectParked shows the instance as parked and lets it go.
func (i *instance) projectParked() {
	if i.projecting {
		i.retry(nil, i.projectParked)
		return
	}
	if i.start.Record == nil { // parked before anything was read: the mark is all there is
		i.parkingDone()
		return
	}
	s := i.stateOf(history.Running)
	s.At = i.applied
	s.Parked = i.reason
	s.Need, s.Settled = i.need, i.settled
	i.projecting = true
	i.putState(s, func() {
		i.projecting = false
		if !i.marking && !i.markAgain {
			i.parkingDone()
		}
	})
}

// parkingDone lets the instance go, unless it was terminated meanwhile: that needs no code.
func (i *instance) parkingDone() {
	for _, d := range i.queue {
		if c, ok := d.Message.Record.(*history.Control); ok && c.Verb == history.Terminate && d.Message.Seq > i.reach {
			i.loadBlind()
			return
		}
	}
	i.acknowledgeAll()
	i.p.be.Signal(parkedTopic(i.addr.Group), i.mark.encode())
}

// visit takes up an instance that has a mark, whether this worker owns its partition or not (I3 allows it). The mark goes
// once everything that it says was acknowledged has been read, and all that was decided is stored.
func (p *Partition) visit(addr history.Address, reach uint64) {
	i := p.instances[addr.ID]
	if i != nil && i.phase == live && reach > i.known() && p.cfg.keeps(RereadParked) {
		i.reread(reach)
		return
	}
	if i != nil {
		i.marked = true
		i.settleMark()
		return
	}
	i = p.add(addr)
	i.again, i.marked = true, true
	p.delivered = max(p.delivered, reach)
	i.load()
}

// reread drops the instance and takes it up anew. What is known to be stored stays known: it may be what keeps others
// parking it.
func (i *instance) reread(reach uint64) {
	settled := i.settled
	if i.owesNothing() && i.p.cfg.keeps(TellSettled) {
		settled = i.applied
	}
	i.giveBack()
	i.p.visit(i.addr, reach)
	i.p.instances[i.addr.ID].settled = settled
}

// owesNothing reports whether everything that was decided so far is stored.
func (i *instance) owesNothing() bool {
	return i.open == 0 && len(i.unknown) == 0 && len(i.commits) == 0 && i.phase == live
}

// known is how far an instance in memory has read the log.
func (i *instance) known() uint64 { return max(i.reach, i.applied) }

// settleMark sends again what a replay decided: what led to the mark is acknowledged, and is not delivered again. What the
// projection says to be stored is not sent again: a message to itself, or to another parked one, would be a reason to
// take the instance up anew, for ever.
func (i *instance) settleMark() {
	if i.phase != live {
		return // its end, or its parking, sees to the mark
	}
	i.p.begin()
	i.p.be.GetState(i.addr.ID, func(s backend.State, _ uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				i.forgive(s)
				i.settleAll()
			case errors.Is(err, backend.ErrNotFound):
				i.settleAll()
			default:
				i.retry(err, i.settleMark)
			}
		})
	})
}

// forgive forgets what a replay decided and the projection says to be stored.
func (i *instance) forgive(s backend.State) {
	if s.Run != i.run || !i.p.cfg.keeps(TellSettled) {
		return
	}
	i.need, i.settled = max(i.need, s.Need), max(i.settled, s.Settled)
	i.unknown = slices.DeleteFunc(i.unknown, func(u unknown) bool { return u.seq <= i.settled })
	i.behind = nil
}

func (i *instance) settleAll() {
	if i.phase != live {
		return
	}
	i.resendAll()
	if i.busy() {
		i.retry(nil, i.settleAll)
		return
	}
	i.project() // at once: what is settled must be known before somebody parks it again
}

// unpark goes on with an instance that the projection shows as parked, as visit does, and then says that it runs.
func (i *instance) unpark(s backend.State, then func()) {
	i.readMark(func(acked uint64) {
		if acked > i.known() && i.p.cfg.keeps(RereadParked) {
			i.reread(acked)
			return
		}
		i.runAgain(s, then)
	})
}

func (i *instance) runAgain(s backend.State, then func()) {
	i.resendAll()
	switch {
	case i.phase == parked: // again: what is shown is still so
		i.projecting = false
		return
	case i.busy():
		i.retry(nil, func() { i.runAgain(s, then) })
		return
	}
	i.p.begin()
	i.p.be.PutState(s, i.rev, func(rev uint64, err error) {
		i.locked(func() {
			if err != nil {
				i.retry(err, func() { i.compareState(s, then) })
				return
			}
			i.rev = rev
			i.unmark(then)
		})
	})
}

// readMark tells up to where messages were acknowledged that led to a mark; 0 when there is none.
func (i *instance) readMark(then func(acked uint64)) {
	var m Mark
	i.background(func(ctx context.Context) error {
		value, _, err := i.p.be.Meta().Get(ctx, markKey(i.addr))
		if errors.Is(err, backend.ErrNotFound) {
			return nil
		}
		if err == nil {
			_ = json.Unmarshal(value, &m) // one that is broken tells nothing
		}
		return err
	}, func(err error) {
		if err != nil {
			i.retry(err, func() { i.readMark(then) })
			return
		}
		then(m.Acked)
	})
}

// unmark removes the mark, unless somebody has parked the instance again meanwhile: what that acknowledged must be read.
func (i *instance) unmark(then func()) {
	i.unmarking = true
	if i.phase == parked {
		i.parkAgain()
		return
	}
	known := i.known()
	if !i.p.cfg.keeps(RereadParked) {
		known = math.MaxUint64
	}
	var acked uint64
	i.background(func(ctx context.Context) (err error) {
		acked, err = dropMark(ctx, i.p.be.Meta(), i.addr, known)
		return err
	}, func(err error) {
		switch {
		case i.phase == parked:
			i.parkAgain()
		case err != nil: // still unmarking: a new mark waits
			i.retry(err, func() { i.unmark(then) })
		case acked > known:
			i.reread(acked)
		default:
			i.marked, i.unmarking = false, false
			then()
		}
	})
}

// parkAgain goes on with parking that has waited for the mark before to be removed: the removal may have met the new one.
func (i *instance) parkAgain() {
	i.unmarking, i.projecting, i.markAgain = false, false, false
	i.remark()
}

// dropMark removes a mark that tells of nothing above known. It gives what the mark that it leaves tells.
func dropMark(ctx context.Context, meta backend.Meta, a history.Address, known uint64) (acked uint64, err error) {
	for {
		value, rev, err := meta.Get(ctx, markKey(a))
		if errors.Is(err, backend.ErrNotFound) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		var m Mark
		if json.Unmarshal(value, &m) == nil && m.Acked > known {
			return m.Acked, nil
		}
		if err = meta.Delete(ctx, markKey(a), rev); err == nil || !errors.Is(err, backend.ErrConflict) {
			return 0, err
		}
	}
}

// leave drops an instance that was taken up without owning its partition, once it has nothing under way.
func (i *instance) leave() {
	if i.p.owned {
		i.again = false
		return
	}
	i.p.remove(i)
}

// terminateBlind ends an instance whose code nobody here has, when its inbox holds a terminate. The record is fenced
// and authoritative, because a worker with the code might decide something else (H19). Children that are recorded are
// started first, then terminated, unless they are to go on.
func (i *instance) terminateBlind() bool {
	tail := i.tail
	var at *history.Message
	for n := range tail {
		if c, ok := tail[n].Record.(*history.Control); ok && c.Verb == history.Terminate {
			at = &tail[n]
			break
		}
	}
	if at == nil {
		return false
	}
	control := at.Record.(*history.Control)
	reason := cmp.Or(control.Reason, "terminated")
	i.stopAlarms()
	i.closeMachine()
	i.phase = ending
	i.applied = tail[len(tail)-1].Seq
	c := i.hold(at.Seq, nil)
	turn := &history.Turn{Run: i.run, Execution: i.execution, At: at.Seq, Base: i.base, End: &history.End{
		Status:  history.Terminated,
		Failure: &history.Failure{Kind: history.FailTerminated, Message: reason, Name: i.start.Record.(*history.Start).Orchestrator},
	}}
	var after []*output
	ends := func(child history.Address) {
		if !control.Alone {
			after = append(after, &output{seq: at.Seq, chain: child.ID, do: func(o *output) { i.terminateChild(o, child) }})
		}
	}
	for _, child := range i.childrenBefore() {
		ends(child)
	}
	for _, m := range tail {
		t, ok := m.Record.(*history.Turn)
		if !ok || t.Run != i.run {
			continue
		}
		for n := range t.Slots {
			s := &t.Slots[n]
			if s.Kind != history.SlotChild {
				continue
			}
			ref := history.Ref{Run: t.Run, Execution: t.Execution, Slot: s.N}
			after = append(after, &output{seq: at.Seq, chain: s.Target.ID, do: func(o *output) { i.startChild(o, ref, s, time.Time{}) }})
			ends(s.Target)
		}
	}
	i.commits = append(i.commits, &commit{cause: c, turn: turn, after: after})
	i.owe(nil, len(after))
	c.open++
	i.advance()
	return true
}
