package owner

import (
	"errors"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// past collects the history of an execution for the archive, up to a size; above it the log is read at the end.
type past struct {
	messages history.Messages
	size     int
	over     bool
	holes    bool // some were dropped
}

const (
	usualPast = 8         // messages of a short run: a start, three activities, the end
	pastLimit = 256 << 10 // bytes an instance keeps in memory for its archive
	hintLimit = 8 << 10   // largest outcome that travels with the hint that an instance has ended, in bytes
)

// add appends a message and tells its place.
func (p *past) add(m history.Message) int {
	if p.over {
		return -1
	}
	p.size += 48 + sizeOf(m.Record)
	if p.size > pastLimit {
		p.messages, p.over = nil, true
		return -1
	}
	if p.messages == nil {
		p.messages = make(history.Messages, 0, usualPast)
	}
	p.messages = append(p.messages, m)
	return len(p.messages) - 1
}

// number tells the sequence that a message added before has got.
func (p *past) number(place int, r history.Record, seq uint64) {
	if place >= 0 && place < len(p.messages) && p.messages[place].Record == r {
		p.messages[place].Seq = seq
	}
}

// drop leaves out a message that was added before and is not stored.
func (p *past) drop(place int, r history.Record) {
	if place >= 0 && place < len(p.messages) && p.messages[place].Record == r {
		p.messages[place].Record, p.holes = nil, true
	}
}

// list gives the history so far; it is not to be changed.
func (p *past) list() []history.Message {
	if !p.holes {
		return p.messages
	}
	return slices.DeleteFunc(slices.Clone(p.messages), func(m history.Message) bool { return m.Record == nil })
}

func (p *past) reset(first history.Message, rest ...history.Message) {
	*p = past{}
	p.add(first)
	for _, m := range rest {
		p.add(m)
	}
}

func sizeOf(r history.Record) int {
	switch r := r.(type) {
	case *history.Start:
		n := len(r.Input)
		if r.Prior != nil {
			for _, m := range r.Prior.Messages {
				n += 48 + sizeOf(m.Record)
			}
		}
		return n
	case *history.Done:
		return len(r.Result)
	case *history.Task:
		return len(r.Args)
	case *history.Event:
		return len(r.Payload)
	case *history.Turn:
		n := 0
		for _, s := range r.Slots {
			n += 64 + len(s.Args)
		}
		return n
	}
	return 0
}

// HintTopic is where the end of an instance is told, at most once.
func HintTopic(id string) string { return "end." + history.EncodeID(id) }

// StateTopic is where it is told, at most once, that the projection of a live instance has changed.
func StateTopic(id string) string { return "state." + history.EncodeID(id) }

// finish stores what follows from the record that ended the run: the parent hears, the history is archived, then the
// projection says so. All of it is done again from the record when anything is lost on the way; again: it is.
func (i *instance) finish(t *history.Turn, at time.Time, again bool) {
	i.phase = ended
	i.over = at
	i.final, i.failed = t, t.End.Status == history.Failed
	i.stopAlarms()
	if i.machine != nil {
		i.custom, i.finished = i.machine.CustomStatus(), i.machine.Clock()
	}
	i.closeMachine()
	ended := i.finished
	if ended.IsZero() { // it was ended without its code
		ended = at
	}
	i.tellEnded(t.End, ended, again)
	i.hint()
	i.conclude(i.archive)
}

// conclude stores what follows from the end, and then projects it. The parent comes before the archive: once an entry has
// expired nobody may know any more who is to be told.
func (i *instance) conclude(archive func(then func())) {
	rest := func() { archive(i.projectFinal) }
	if parent := i.start.Record.(*history.Start).Parent; parent != nil {
		i.tellParent(parent, rest)
		return
	}
	rest()
}

// unlessConcluded goes on with a run that has ended unless its projection says so: that comes last, so that nothing is
// owed any more. A parent that was told again with every late message would have to be acknowledged for it, for ever.
func (i *instance) unlessConcluded(then func()) {
	i.p.begin()
	i.p.be.GetState(i.addr.ID, func(s backend.State, rev uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil && (s.Run > i.run || s.Run == i.run && s.Status.Final()):
				i.rev = rev
				i.acknowledgeAll()
			case err == nil || errors.Is(err, backend.ErrNotFound):
				then()
			default:
				i.retry(err, func() { i.unlessConcluded(then) })
			}
		})
	})
}

// hint tells waiters that the run has ended. It comes after the final record is stored, so it is true.
func (i *instance) hint() {
	end := i.final.End
	o := Outcome{ID: i.addr.ID, Run: i.run, Status: end.Status, Result: end.Result, Failure: end.Failure}
	data, err := o.encode()
	if err != nil || len(data) > hintLimit {
		o = Outcome{ID: i.addr.ID, Run: i.run}
		data, err = o.encode()
	}
	if err != nil {
		return // a hint may get lost
	}
	if notify := i.start.Record.(*history.Start).Notify; notify != "" {
		i.p.be.Signal(notify, data)
	}
	i.p.be.Signal(HintTopic(i.addr.ID), data)
}

func (i *instance) tellParent(parent *history.Parent, then func()) {
	end := i.final.End
	done := &history.Done{Ref: parent.Ref, Name: i.start.Record.(*history.Start).Orchestrator, Result: end.Result, Failure: end.Failure}
	i.p.begin()
	i.p.be.Append(backend.Append{To: parent.Address, Record: done}, func(_ uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				then()
			case unfit(err):
				i.parkFor(err)
			default:
				i.retry(err, func() { i.tellParent(parent, then) })
			}
		})
	})
}

// archive writes the history of the run as one entry.
func (i *instance) archive(then func()) {
	if i.past.over {
		i.readPast(then)
		return
	}
	i.putArchive(i.archiveOf(i.past.list()), i.entry, then)
}

// readPast reads a history that was too large to keep.
func (i *instance) readPast(then func()) {
	i.history(func(messages []history.Message) {
		messages = messages[:1+i.lastOf(messages[1:])]
		i.putArchive(i.archiveOf(messages), i.entry, then)
	})
}

func (i *instance) archiveOf(messages []history.Message) backend.Archive {
	return backend.Archive{Address: i.addr, Run: i.run, Status: i.final.End.Status, Ended: i.over, Custom: i.custom, Messages: messages}
}

// history reads the history of the current execution.
func (i *instance) history(then func(messages []history.Message)) {
	i.read(i.applied, func(k backend.Known, err error) {
		if err != nil || k.Run() != i.run || k.Start == nil && k.Base == nil {
			i.retry(err, func() { i.history(then) })
			return
		}
		base, tail := i.newestBase(k.Loaded)
		if base == nil {
			base = k.Start
		}
		then(append([]history.Message{*base}, tail...))
	})
}

// lastOf gives the length of a history up to its final record.
func (i *instance) lastOf(tail []history.Message) int {
	for n, m := range tail {
		if t, ok := m.Record.(*history.Turn); ok && t.Run == i.run && t.End != nil && t.End.Status.Final() {
			return n + 1
		}
	}
	return len(tail)
}

// putArchive compares and sets: a final entry is never replaced by the same run or an older one (H14).
func (i *instance) putArchive(a backend.Archive, expect uint64, then func()) {
	if expect == 0 && i.expired() {
		then()
		return
	}
	i.p.begin()
	i.p.be.PutArchive(a, expect, func(_ uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				then()
			case errors.Is(err, backend.ErrConflict):
				i.otherArchive(a, then)
			case errors.Is(err, backend.ErrTooLarge) && len(a.Messages) > 2:
				// The ends are worth more than nothing; the log has the rest for as long as it is kept.
				last := a.Messages[len(a.Messages)-1].Seq
				a.Partial, a.Messages = true, history.Messages{withoutPrior(a.Messages[0]), {Seq: last, Record: i.final}}
				i.putArchive(a, expect, then)
			case unfit(err):
				i.parkFor(err)
			default:
				i.retry(err, func() { i.putArchive(a, expect, then) })
			}
		})
	})
}

func (i *instance) otherArchive(a backend.Archive, then func()) {
	i.p.begin()
	i.p.be.GetArchive(i.addr, func(got backend.Archive, seq uint64, err error) {
		i.locked(func() {
			switch {
			case err != nil && !errors.Is(err, backend.ErrNotFound):
				i.retry(err, func() { i.otherArchive(a, then) })
			case err == nil && (got.Run > i.run || got.Run == i.run && !got.Snapshot()) && i.p.cfg.keeps(FenceArchive):
				then()
			default:
				i.putArchive(a, seq, then)
			}
		})
	})
}

// acknowledgeAll ends an instance that has nothing left to store. What belongs to a later run, or came after the load
// that found nothing had begun, is looked at anew.
func (i *instance) acknowledgeAll() {
	if i.marked && i.phase != parked {
		i.unmark(i.acknowledgeAll)
		return
	}
	if i.rewindNext() || i.keepLate() {
		return
	}
	causes, queue := i.causes, i.queue
	i.causes, i.queue = nil, nil
	i.p.remove(i)
	for _, c := range causes {
		if c.receipt != nil {
			c.receipt.Ack()
		}
	}
	later := false
	for _, d := range queue {
		s, ok := d.Message.Record.(*history.Start)
		later = later || ok && s.Run > i.run || i.gone && d.Message.Kind() == history.KindEvent || i.absent && d.Message.Seq > i.reach
		if later {
			i.p.dispatch(d)
		} else {
			d.Ack()
		}
	}
}
