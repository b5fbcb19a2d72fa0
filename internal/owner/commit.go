package owner

import (
	"errors"
	"slices"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// commit is a turn on its way into the log.
type commit struct {
	cause  *cause
	turn   *history.Turn
	after  []*output // ordinary turns: follows the record; ending turns: precedes it (H3)
	issued bool      // after has been sent
}

// commit stores what a message made the machine decide. known tells what the log already holds of it; nil: nothing.
func (i *instance) commit(c *cause, turn engine.Turn, err error, known *records) {
	if err != nil {
		i.parkFor(err)
		return
	}
	if turn.End == nil || turn.End.Status == history.ContinuedAsNew {
		i.touch()
	}
	var record []history.Slot
	aborted := abortedBy(&turn)
	for n := range turn.Slots {
		s := &turn.Slots[n]
		if s.Kind != history.SlotActivity {
			record = append(record, *s)
		} else if turn.End == nil && !known.has(s.N) && !aborted[s.N] { // what nobody waited for is cancelled by the end
			i.startActivity(c, s, turn.Cause, known)
		}
	}
	after := i.outputs(c, &turn, record, known)
	missing := record // a turn of many slots may have been recorded in part
	if known != nil {
		missing = slices.DeleteFunc(slices.Clone(record), func(s history.Slot) bool { return known.has(s.N) })
	}
	if turn.End == nil && len(missing) == 0 {
		i.issue(c, turn.Cause, after, known)
		i.settle()
		return
	}
	run, execution := i.machine.Ref()
	if turn.End != nil && turn.End.Base != nil && execution > 0 {
		turn.End.Base.Began = i.began
	}
	i.commits = append(i.commits, &commit{cause: c, after: after, turn: &history.Turn{
		Run: run, Execution: execution, At: turn.Cause, Base: i.base, Slots: missing, End: turn.End,
	}})
	i.owe(c, len(after))
	if turn.End != nil {
		i.phase = ending
		c.open++ // the record; i.open is what the record waits for
	} else {
		i.owe(c, 1)
	}
	i.advance()
}

// issue sends outputs whose turn is recorded or needs no record. Those of a replayed turn wait until somebody asks.
func (i *instance) issue(c *cause, seq uint64, after []*output, known *records) {
	if len(after) == 0 {
		return
	}
	if known != nil {
		if seq > i.settled {
			i.unknown, i.behind = append(i.unknown, unknown{seq: seq, outputs: after}), nil
		}
		return
	}
	i.owe(c, len(after))
	i.follow(seq, after)
}

// follow sends outputs that message seq caused, after those that still wait for the record of an earlier turn.
func (i *instance) follow(seq uint64, outputs []*output) {
	for n := len(i.commits) - 1; n >= 0; n-- {
		if c := i.commits[n]; c.turn.At < seq && !c.issued && i.p.cfg.keeps(SettleTarget) {
			c.after = append(c.after, outputs...)
			return
		}
	}
	for _, o := range outputs {
		i.send(o)
	}
}

// advance records turns one after the other: the fence of each is the sequence of the one before.
func (i *instance) advance() {
	if len(i.commits) == 0 || i.recording {
		return
	}
	c := i.commits[0]
	if c.turn.End != nil && i.p.cfg.keeps(OutboxBeforeEnd) {
		// H2, H3: what ends or truncates history comes after everything that was decided before it.
		if !c.issued {
			c.issued = true
			if i.p.cfg.keeps(SettleBeforeEnd) {
				i.resendAll()
			}
			for _, o := range c.after {
				i.send(o)
			}
		}
		if i.open > 0 || i.recording || len(i.commits) == 0 || i.commits[0] != c { // an output that was settled at once has come here too
			return
		}
	}
	i.record(c)
}

func (i *instance) record(c *commit) {
	i.recording = true
	final := c.turn.End != nil && c.turn.End.Status.Final()
	a := backend.Append{To: i.addr, Record: c.turn, Fence: i.fence, Fenced: !final || i.p.cfg.keeps(FenceFinal)}
	i.p.begin()
	i.p.be.Append(a, func(seq uint64, err error) {
		i.locked(func() { i.recorded(c, seq, err) })
	})
}

func (i *instance) recorded(c *commit, seq uint64, err error) {
	i.recording = false
	if len(i.commits) == 0 || i.commits[0] != c {
		return // dropped meanwhile: what waits reads the log
	}
	switch {
	case err == nil:
	case errors.Is(err, backend.ErrConflict):
		// Another owner has written, or our own copy whose answer was lost: the log knows, memory does not.
		i.lose()
		return
	case tooLarge(err):
		i.turnTooLarge(c, err)
		return
	case unfit(err):
		i.parkFor(err)
		return
	default:
		i.retry(err, i.advance)
		return
	}
	i.fence = seq
	i.commits = i.commits[1:]
	i.past.add(history.Message{Seq: seq, Record: c.turn})
	if c.turn.End != nil {
		c.cause.open--
		i.end(c, seq)
		return
	}
	i.paid(c.cause)
	for _, o := range c.after {
		i.send(o)
	}
	i.advance()
	i.settle()
}

// end goes on after a record that ends an execution or a run.
func (i *instance) end(c *commit, seq uint64) {
	if !i.p.cfg.keeps(OutboxBeforeEnd) {
		for _, o := range c.after {
			i.send(o)
		}
	}
	if c.turn.End.Status != history.ContinuedAsNew {
		i.finish(c.turn, i.p.be.Clock().Now(), false)
		return
	}
	i.tellEnded(c.turn.End, c.turn.End.Base.Clock, false)
	i.next(c.cause, seq, c.turn)
}

// next begins the execution that a continue-as-new record describes, with what has queued for it.
func (i *instance) next(c *cause, seq uint64, turn *history.Turn) {
	base := history.Message{Seq: seq, Record: turn}
	i.execution, i.began, i.traced = turn.Execution+1, turn.End.Base.Clock, false
	i.start = startOf(base) // it may be of another version
	i.tellStarted()
	prog, ok := i.program()
	if !ok {
		i.park(unknownCode(i.start.Record.(*history.Start)))
		return
	}
	i.stopAlarms()
	i.closeMachine()
	i.base, i.need, i.frozen = seq, turn.At+1, 0
	i.past.reset(base)
	i.machine = engine.Resume(i.engineConfig(prog), base)
	i.phase = live
	began := i.beginTurn()
	first, err := i.machine.Begin()
	i.endTurn(began)
	i.commit(c, first, err, nil)
	i.drain()
}

// drain applies what waited, as long as nothing makes it wait again.
func (i *instance) drain() {
	for i.phase == live && len(i.rest) > 0 {
		m := i.rest[0]
		i.rest = i.rest[1:]
		i.apply(m, i.hold(m.Seq, nil))
	}
	for i.phase == live && len(i.queue) > 0 && !i.dead {
		d := i.queue[0]
		i.queue = i.queue[1:]
		i.deliver(d)
	}
	i.answerAsked()
	i.freezeWanted()
}

// lose drops the instance because the log is ahead of it; the messages it held come again.
func (i *instance) lose() {
	again := i.again
	i.giveBack()
	if again {
		i.p.visit(i.addr, i.applied)
	}
}

// locked runs the end of an asynchronous call under the partition's mutex, unless the instance has been dropped.
func (i *instance) locked(fn func()) {
	i.p.mu.Lock()
	defer i.p.mu.Unlock()
	if !i.dead {
		fn()
	}
	i.p.end()
}

// dropCommits forgets turns that will not be recorded, with what was to follow from them.
func (i *instance) dropCommits() {
	for _, c := range i.commits {
		for _, o := range c.after {
			if !c.issued {
				i.owe(o.cause, -1)
			}
		}
		if c.turn.End == nil {
			i.owe(c.cause, -1)
		} else {
			c.cause.open--
		}
	}
	i.commits = nil
}
