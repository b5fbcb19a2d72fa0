package owner

import (
	"errors"
	"slices"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// A snapshot moves the history of a live instance from the log into the archive. The order is what matters (H16): the
// position is frozen when everything up to it is stored, timers are armed again, the snapshot is stored (compare and
// set), and only then the projection tells that the log need not keep what is below.

// freezeWanted begins a snapshot that is asked for, unless one is being made or the instance is not live.
func (i *instance) freezeWanted() {
	if i.wanted && !i.freezing && i.phase == live {
		i.wanted, i.freezing = false, true
		i.whenSettled()
	}
}

// whenSettled waits until nothing is owed that was decided so far (H2).
func (i *instance) whenSettled() {
	if i.phase != live {
		i.freezing = false
		return
	}
	i.resendAll()
	if i.open > 0 || len(i.commits) > 0 {
		i.retry(nil, i.whenSettled)
		return
	}
	at, run, base := i.applied, i.run, i.base
	if i.frozen == at {
		i.snapshot(at, nil)
		return
	}
	if !i.past.over {
		i.snapshot(at, slices.Clone(i.past.list()))
		return
	}
	i.history(func(messages []history.Message) {
		if i.phase != live || i.run != run || i.base != base || messages[0].Seq > at && base == 0 {
			i.freezing = false
			return
		}
		i.snapshot(at, upTo(at, messages))
	})
}

// upTo leaves out what of the inbox follows a position. Records that follow it are of it, or are made again.
func upTo(at uint64, messages []history.Message) []history.Message {
	return slices.DeleteFunc(messages, func(m history.Message) bool { return m.Kind().Inbox() && m.Seq > at })
}

// snapshot stores what is known of the instance up to a position; nil: that has been done. The log need not keep what this
// worker has read or been delivered since, without a gap, which was for others; nor, then, what is acknowledged: had any of it
// been for this instance it would have been projected before, and the write that tells the need would conflict.
func (i *instance) snapshot(at uint64, messages []history.Message) {
	need := at + 1
	if len(i.queue) == 0 && i.applied == at {
		need = max(max(at, i.reach, i.p.served)+1, i.floor)
	}
	if messages != nil {
		i.firstTask = i.firstOpenTask(messages)
	}
	if i.firstTask > 0 && i.p.cfg.keeps(NeedTasks) {
		need = min(need, i.firstTask)
	}
	if need <= i.need {
		i.freezing = false // an old task holds the log anyway
		return
	}
	a := backend.Archive{Address: i.addr, Run: i.run, Status: history.Running, At: at, Messages: messages}
	store := func() {
		if messages == nil {
			i.snapshotStored(a, need)
			return
		}
		i.putSnapshot(a, need)
	}
	if i.p.cfg.keeps(RearmFirst) {
		i.rearm(store)
	} else {
		store() // as one that dies before it arms them
	}
}

// firstOpenTask finds the oldest task of a slot that waits: perhaps nobody has it, or another attempt is scheduled (H17).
func (i *instance) firstOpenTask(messages []history.Message) (first uint64) {
	for _, m := range messages {
		if t, ok := m.Record.(*history.Task); ok && i.machine.Pending(t.Ref) && (first == 0 || m.Seq < first) {
			first = m.Seq
		}
	}
	return first
}

// rearm schedules all pending timers anew: their messages may be about to leave the log.
func (i *instance) rearm(then func()) {
	if i.machine == nil {
		return // it has ended meanwhile
	}
	timers := i.machine.Timers()
	open := len(timers)
	if open == 0 {
		then()
		return
	}
	run, execution := i.machine.Ref()
	i.owe(nil, open)
	for _, s := range timers {
		ref := history.Ref{Run: run, Execution: execution, Slot: s.N}
		o := &output{chain: timerChain(ref)}
		o.do = func(o *output) {
			if i.machine == nil || !i.machine.Pending(ref) {
				i.pass(o)
				return
			}
			i.append(o, backend.Append{To: i.addr, Record: &history.Timer{Ref: ref, Due: s.Due}}, func(err error) { i.stored(o, err) })
		}
		o.then = func() {
			if open--; open == 0 {
				then()
			}
		}
		i.enqueue(o)
	}
}

// putSnapshot compares and sets: a snapshot never replaces a newer one, nor the history of a run that has ended (H14).
func (i *instance) putSnapshot(a backend.Archive, need uint64) {
	if i.entry == 0 && i.doubtful() {
		i.freezing = false
		i.retry(nil, i.lose)
		return
	}
	i.p.begin()
	i.p.be.PutArchive(a, i.entry, func(seq uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				i.entry = seq
				i.snapshotStored(a, need)
			case errors.Is(err, backend.ErrConflict):
				i.otherSnapshot(a, need)
			case unfit(err):
				i.freezing = false
				i.p.cfg.Logger.Warn("durable: the log cannot be shortened past an instance: its history cannot be stored as a snapshot", observe.KeyInstance, i.addr.ID, observe.KeyError, err)
			default:
				i.retry(err, func() { i.putSnapshot(a, need) })
			}
		})
	})
}

// snapshotStored has the projection tell what the log need not keep any more.
func (i *instance) snapshotStored(a backend.Archive, need uint64) {
	i.freezing = false
	if i.run == a.Run && i.phase == live {
		i.frozen, i.need = max(i.frozen, a.At), max(i.need, need)
		i.touch()
	}
}

func (i *instance) otherSnapshot(a backend.Archive, need uint64) {
	i.p.begin()
	i.p.be.GetArchive(i.addr, func(got backend.Archive, entry uint64, err error) {
		i.locked(func() {
			ahead := got.Run > a.Run || got.Run == a.Run && (!got.Snapshot() || got.At >= a.At)
			switch {
			case err != nil && !errors.Is(err, backend.ErrNotFound):
				i.retry(err, func() { i.otherSnapshot(a, need) })
			case err == nil && ahead && i.p.cfg.keeps(FenceArchive):
				i.freezing = false
				if got.Run > i.run || !got.Snapshot() || got.At > i.applied {
					i.retry(nil, i.lose) // what is in memory is behind
					return
				}
				i.entry = entry
			case err != nil && i.entry > 0 && i.p.cfg.keeps(DoubtGone): // the run may have ended and expired
				i.freezing = false
				i.retry(nil, i.lose)
			default:
				i.entry = entry
				i.putSnapshot(a, need)
			}
		})
	})
}
