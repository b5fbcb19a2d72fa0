package backend

import (
	"errors"
	"fmt"

	"github.com/durablegen/durablegen/internal/history"
)

// Known is all that log and archive hold of an instance.
type Known struct {
	Loaded          // begins with the snapshot, if there is one of the current run
	Archive Archive // the entry as it is; the zero value if there is none
	Entry   uint64  // its sequence; 0: there is none
	Fence   uint64  // sequence of the newest start in the log, the fence of the next; 0: none
}

// know puts together what has been read. A start that has left the log is in the base.
func know(l Loaded, a Archive, entry uint64) Known {
	k := Known{Loaded: l, Archive: a, Entry: entry}
	if l.Start != nil {
		k.Fence = l.Start.Seq
	}
	if run := l.Run(); l.Start == nil && run > 0 || run > 0 && l.Start.Record.(*history.Start).Run < run {
		k.Start = StartOf(l.Base)
	}
	return k
}

// StartOf gives the start of the run that a base belongs to, with the input that the run began with and the version that
// goes on.
func StartOf(base *history.Message) *history.Message {
	t := base.Record.(*history.Turn)
	start := t.End.Base.Start
	start.Run, start.Input = t.Run, t.End.Base.First
	return &history.Message{Seq: t.At, Time: t.End.Base.Started, Record: &start}
}

// First is the start of the run as it first began, with the version of then; nil when there is none.
func (l *Loaded) First() *history.Start {
	if l.Start == nil {
		return nil
	}
	start, base := l.Start.Record.(*history.Start), l.Base
	if base == nil {
		base = start.Prior.Base()
	}
	if base == nil {
		return start
	}
	t := base.Record.(*history.Turn)
	if v := t.End.Base.Version; v != nil && l.Run() == start.Run {
		first := *start
		first.Version = *v
		return &first
	}
	return start
}

// Run is the newest run that the log or the snapshot knows, 0 for none.
func (l *Loaded) Run() (run uint32) {
	if l.Start != nil {
		run = l.Start.Record.(*history.Start).Run
	}
	if l.Base != nil {
		run = max(run, l.Base.Record.(*history.Turn).Run)
	}
	return run
}

// Execution is the number of the execution that Tail belongs to, or the one before if the tail has another base.
func (l *Loaded) Execution() uint32 {
	switch {
	case l.Base != nil:
		return l.Base.Record.(*history.Turn).Execution + 1
	case l.Start != nil:
		return l.Start.Record.(*history.Start).Prior.Execution()
	}
	return 0
}

// Snapshot reports whether the entry is of a live run.
func (a *Archive) Snapshot() bool { return !a.Purged && len(a.Messages) > 0 && !a.Status.Final() }

// Read reads log and archive, the log first (H15): a snapshot made in between covers what left the log before it was
// read. The result reaches reach as that of Load does.
func Read(b Backend, of history.Address, reach uint64, done func(Known, error)) {
	b.Load(of, reach, func(l Loaded, err error) {
		if err != nil {
			done(Known{}, err)
			return
		}
		addArchive(b, of, reach, l, false, done)
	})
}

// Undecided reports whether the log holds the start of an instance and no turn record of it: it exists then and has not
// ended, however long its inbox is, of which nothing is read. Else Read tells.
func Undecided(b Backend, of history.Address, done func(bool, error)) {
	b.LoadAfter(of, TheEnd-1, 0, func(l Loaded, err error) {
		done(l.Start != nil && l.TurnSeq == 0, err)
	})
}

// addArchive completes what was loaded with the entry in the archive. A tail that begins behind the snapshot is read
// again from where the snapshot ends (after): the start it followed was a copy that came late, or there is none any more.
func addArchive(b Backend, of history.Address, reach uint64, l Loaded, after bool, done func(Known, error)) {
	b.GetArchive(of, func(a Archive, entry uint64, err error) {
		switch {
		case errors.Is(err, ErrNotFound) && l.Cut && l.Over:
			done(Known{}, nil) // it has expired
		case errors.Is(err, ErrNotFound) && l.Cut:
			done(Known{}, fmt.Errorf("backend: the history of %s/%s is in the archive no more than in the log", of.Group, of.ID))
		case errors.Is(err, ErrNotFound):
			done(know(l, Archive{}, 0), nil)
		case err != nil:
			done(Known{}, err)
		case after && l.Run() > a.Run: // begun meanwhile
			Read(b, of, reach, done)
		case !a.Snapshot() || l.Run() > a.Run || l.Run() == a.Run && l.Base != nil && l.Execution() > a.Execution():
			done(know(l, a, entry), nil)
		case !after && (l.From > a.At || l.Run() < a.Run):
			b.LoadAfter(of, a.At, reach, func(l Loaded, err error) {
				if err != nil {
					done(Known{}, err)
					return
				}
				addArchive(b, of, reach, l, true, done)
			})
		default:
			k := Known{Loaded: Join(a, l), Archive: a, Entry: entry}
			if l.Start != nil {
				k.Fence = l.Start.Seq
			}
			done(k, nil)
		}
	})
}

// Execution is the number of the execution that a snapshot begins with.
func (a *Archive) Execution() uint32 {
	l := a.beginning()
	return l.Execution()
}

// First is the start of the run as it first began, with the version of then; nil when nothing is left of it.
func (a *Archive) First() *history.Start {
	if len(a.Messages) == 0 {
		return nil
	}
	l := a.beginning()
	return l.First()
}

// beginning is what the first message of an entry says.
func (a *Archive) beginning() (l Loaded) {
	first := a.Messages[0]
	if t, ok := first.Record.(*history.Turn); ok && t.End != nil && t.End.Base != nil {
		l.Base, l.Start = &first, StartOf(&first)
		return l
	}
	if _, ok := first.Record.(*history.Start); ok {
		l.Start = &first
	}
	return l
}

// Join puts a snapshot before a tail, and drops from the tail what the snapshot covers.
func Join(a Archive, l Loaded) Loaded {
	out := a.beginning()
	out.TurnSeq, out.Err = l.TurnSeq, l.Err
	if out.Err == nil {
		out.Err = a.Err
	}
	records := map[uint64]bool{}
	for _, m := range a.Messages[1:] {
		out.Tail = append(out.Tail, m)
		records[m.Seq] = true
	}
	for _, m := range l.Tail {
		if m.Kind().Inbox() && m.Seq > a.At || !m.Kind().Inbox() && !records[m.Seq] {
			out.Tail = append(out.Tail, m)
		}
	}
	return out
}
