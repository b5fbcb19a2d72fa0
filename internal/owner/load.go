package owner

import (
	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// records is what the log holds of the decisions of one execution.
type records struct {
	slots map[uint32]bool
	list  []engine.Recorded
}

func (r *records) has(n uint32) bool { return r != nil && r.slots[n] }

func (r *records) add(s history.Slot, seq uint64) {
	if r.slots[s.N] {
		return // the first record of a slot wins (I2)
	}
	if r.slots == nil {
		r.slots = map[uint32]bool{}
	}
	r.slots[s.N] = true
	r.list = append(r.list, engine.Recorded{Slot: s, Seq: seq})
}

// recordsOf collects the slots of (run, execution) from the log.
func recordsOf(tail []history.Message, run, execution uint32) *records {
	r := &records{}
	for _, m := range tail {
		switch rec := m.Record.(type) {
		case *history.Task:
			if rec.Run == run && rec.Execution == execution {
				r.add(history.Slot{N: rec.Slot, Kind: history.SlotActivity, Name: rec.Name, Args: rec.Args, Policy: rec.Policy, Site: rec.Site}, m.Seq)
			}
		case *history.Done:
			if rec.Local && rec.Run == run && rec.Execution == execution {
				r.add(rec.LocalSlot(), m.Seq)
			}
		case *history.Turn:
			if rec.Run == run && rec.Execution == execution {
				for _, s := range rec.Slots {
					r.add(s, m.Seq)
				}
			}
		}
	}
	return r
}

// load reads the instance from the log and the archive.
func (i *instance) load() {
	i.phase = loading
	i.beginLoad()
	i.reach = i.p.delivered
	reach := i.reach
	switch {
	case !i.p.cfg.keeps(ReachDelivered) && len(i.queue) > 0:
		reach = i.queue[0].Message.Seq
	case i.p.unsure && i.p.cfg.keeps(ReachEnd):
		reach = backend.TheEnd
	}
	i.read(reach, func(k backend.Known, err error) {
		switch {
		case err == nil:
			i.loaded(k)
		case unfit(err):
			i.parkFor(err)
		default:
			i.retry(err, i.load)
		}
	})
}

// read reads what log and archive hold.
func (i *instance) read(reach uint64, done func(backend.Known, error)) {
	i.p.begin()
	read := backend.Read
	if !i.p.cfg.keeps(TailFirst) {
		read = readSnapshotFirst
	}
	read(i.p.be, i.addr, reach, func(k backend.Known, err error) {
		i.locked(func() { done(k, err) })
	})
}

// readSnapshotFirst is how not to do it: another snapshot may be made before the tail is read, and the log shortened.
func readSnapshotFirst(b backend.Backend, of history.Address, reach uint64, done func(backend.Known, error)) {
	b.GetArchive(of, func(a backend.Archive, entry uint64, err error) {
		if err != nil || !a.Snapshot() {
			backend.Read(b, of, reach, done)
			return
		}
		b.LoadAfter(of, a.At, reach, func(l backend.Loaded, err error) {
			done(backend.Known{Loaded: backend.Join(a, l), Archive: a, Entry: entry}, err)
		})
	})
}

// loaded decides what log and archive say: a run to go on with, one that has ended, or nothing.
func (i *instance) loaded(k backend.Known) {
	run := k.Run()
	i.entry, i.proven = k.Entry, i.p.be.Clock().Now()
	if run > 0 {
		i.askedBehind(run, k.Tail)
	}
	switch over := k.Entry > 0 && !k.Archive.Snapshot(); {
	case over && (k.Archive.Run >= run && i.p.cfg.keeps(CheckRun) || run == 0):
		// H10: once the log is shortened, the start of a run that ended long ago finds an empty subject and is stored, and
		// so are records of former owners.
		i.archived(k.Archive)
	case run == 0:
		// The leader knows no run: history begins at the start, what came before it is nothing (I7).
		i.absent = true
		i.acknowledgeAll()
	case i.onlyStarted(k):
		i.doubt(k)
	default:
		i.rebuild(k)
	}
}

// archived answers for an instance that has ended and left the log.
func (i *instance) archived(a backend.Archive) {
	i.run = a.Run
	if len(a.Messages) == 0 || !i.p.cfg.keeps(ProjectArchived) { // a purged run is not there
		i.acknowledgeAll()
		return
	}
	i.start, i.failed = startOf(a.Messages[0]), a.Status == history.Failed
	i.start.Record = startIn(a)
	final, ok := a.Messages[len(a.Messages)-1].Record.(*history.Turn)
	if !ok || final.End == nil {
		i.acknowledgeAll()
		return
	}
	i.unlessConcluded(func() { // the archive may be all that its owner has come to
		if err := a.Unreadable(); err != nil {
			i.parkFor(err)
			return
		}
		i.phase = ended
		i.final, i.finished = final, a.Messages[len(a.Messages)-1].Time
		i.over, i.custom = a.Ended, a.Custom
		i.conclude(func(then func()) { then() })
	})
}

// startOf gives the start of a history that begins with a start or with a base.
func startOf(m history.Message) history.Message {
	if t, ok := m.Record.(*history.Turn); ok && t.End != nil && t.End.Base != nil {
		return *backend.StartOf(&m)
	}
	return m
}

// rebuild replays the current execution of the current run and goes on from there.
func (i *instance) rebuild(k backend.Known) {
	l := k.Loaded
	i.run = l.Run()
	base, tail := i.newestBase(l)
	i.fence = l.TurnSeq
	execution := uint32(0)
	var first history.Message
	if base != nil { // the start may have left the log, or be a copy of an older run's that came late
		i.start, i.base, execution, first = startOf(*base), base.Seq, base.Record.(*history.Turn).Execution+1, *base
		i.need, i.began = base.Record.(*history.Turn).At+1, base.Record.(*history.Turn).End.Base.Clock
	} else {
		i.start, first = *l.Start, *l.Start
		execution = l.Start.Record.(*history.Start).Prior.Execution()
		i.need, i.began = l.Start.Seq, l.Start.Time
	}
	if k.Archive.Snapshot() && k.Archive.Run == i.run {
		i.settled, i.need = max(i.settled, k.Archive.At), 0 // what the log must keep, the projection knows
	}
	i.execution = execution
	sealed := l.Unreadable()
	n := i.lastOf(tail)
	i.past.reset(first, tail[:n]...)
	if n > 0 && i.p.cfg.keeps(FenceFinal) {
		if t, ok := tail[n-1].Record.(*history.Turn); ok && t.Run == i.run && t.End != nil && t.End.Status.Final() {
			i.heedAll(tail, t.At)
			if sealed != nil {
				i.unlessConcluded(func() { i.parkFor(sealed) })
				return
			}
			// The first final record is authoritative, also against what a replay would decide (I2).
			i.applied, i.finished = tail[n-1].Seq, tail[n-1].Time
			i.finish(t, tail[n-1].Time, true)
			return
		}
	}
	if base != nil {
		i.tellUntold(base.Record.(*history.Turn))
	} else if i.news > 0 && l.Start.Seq >= i.news {
		i.tellStarted()
	}
	i.tail = tail
	defer func() { i.tail = nil }()
	if i.blind && i.terminateBlind() {
		return
	}
	if sealed != nil {
		i.parkFor(sealed)
		return
	}
	prog, ok := i.program()
	if !ok {
		i.park(unknownCode(i.start.Record.(*history.Start)))
		return
	}
	i.replay(prog, base, tail, recordsOf(tail, i.run, execution))
}

// newestBase finds the record that the current execution began from, and what follows its cause (H8).
func (i *instance) newestBase(l backend.Loaded) (*history.Message, []history.Message) {
	return newestBase(i.run, l.Base, l.Tail, i.p.cfg.keeps(BaseAt))
}

func newestBase(run uint32, base *history.Message, log []history.Message, fromCause bool) (*history.Message, []history.Message) {
	for n := range log {
		t, ok := log[n].Record.(*history.Turn)
		if ok && t.Run == run && t.End != nil && t.End.Status == history.ContinuedAsNew {
			if base == nil || t.Execution > base.Record.(*history.Turn).Execution {
				base = &log[n]
			}
		}
	}
	if base == nil {
		return nil, log
	}
	after := base.Record.(*history.Turn).At
	if !fromCause {
		after = base.Seq
	}
	execution := base.Record.(*history.Turn).Execution + 1
	var tail []history.Message
	for _, m := range log {
		if m.Seq > after && m.Seq != base.Seq && !older(m, run, execution) {
			tail = append(tail, m)
		}
	}
	return base, tail
}

// older reports whether a message records a decision of an earlier execution: it was stored after the cause of the base.
func older(m history.Message, run, execution uint32) bool {
	switch r := m.Record.(type) {
	case *history.Turn:
		return r.Run == run && r.Execution < execution
	case *history.Task:
		return r.Run == run && r.Execution < execution
	}
	return false
}

// replay runs the machine over the loaded inbox, and commits the turns that the log does not hold yet once all of it has
// been found to fit (I6).
func (i *instance) replay(prog engine.Program, base *history.Message, tail []history.Message, known *records) {
	i.phase = live
	i.touch()
	if base != nil {
		i.machine = engine.Resume(i.engineConfig(prog), *base)
		i.applied = base.Record.(*history.Turn).At
	} else {
		i.machine = engine.New(i.engineConfig(prog), i.start)
		i.applied = i.start.Seq
		if prior := i.start.Record.(*history.Start).Prior; prior != nil {
			i.machine.Recall(recordsOf(prior.Messages, i.run, prior.Execution()).list)
		}
	}
	i.machine.Expect(known.list)
	turns, rest, err := i.rerun(tail)
	if err != nil { // nothing has been sent yet: a program that does not fit decides nothing
		i.parkFor(err)
		return
	}
	i.endLoad(1 + len(tail))
	i.rest = rest
	for _, turn := range turns {
		i.commit(i.hold(turn.Cause, nil), turn, nil, known)
	}
	i.drain()
	if i.marked {
		i.settleMark()
	}
	if !i.dead {
		i.settle()
	}
}

// rerun applies the loaded inbox and checks it against the records. It stops where the execution ends; what follows
// belongs to the next.
func (i *instance) rerun(tail []history.Message) (turns []engine.Turn, rest []history.Message, err error) {
	turn, err := i.machine.Begin()
	for n := 0; err == nil; n++ {
		turns = append(turns, turn)
		for n < len(tail) && (!tail[n].Kind().Inbox() || tail[n].Kind() == history.KindStart) {
			n++
		}
		if turn.End != nil {
			rest = inboxOf(tail[n:])
			break
		}
		if n == len(tail) {
			break
		}
		i.applied = tail[n].Seq
		i.heed(tail[n])
		turn, err = i.machine.Apply(tail[n])
	}
	if err == nil {
		err = i.machine.Replayed()
	}
	return turns, rest, err
}

func inboxOf(messages []history.Message) []history.Message {
	var inbox []history.Message
	for _, m := range messages {
		if m.Kind().Inbox() && m.Kind() != history.KindStart {
			inbox = append(inbox, m)
		}
	}
	return inbox
}
