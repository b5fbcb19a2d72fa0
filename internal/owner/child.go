package owner

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// startChild starts a child, after claiming its id when that is the user's own choice. An id that somebody else has
// comes back through the parent's inbox, so that it is part of its history. born is when it was decided; zero: by a replay.
func (i *instance) startChild(o *output, ref history.Ref, s *history.Slot, born time.Time) {
	start := &history.Start{
		Run: 1, Orchestrator: s.Name, Input: s.Args,
		Parent: &history.Parent{Address: i.addr, Ref: ref}, Born: born,
		Root: i.start.Record.(*history.Start).ChildRoot(i.addr.ID), Baggage: i.baggage(),
	}
	start.Trace, start.TraceState = i.trace()
	if s.Child != nil {
		start.Version, start.Tags = s.Child.Version, s.Child.Tags
	}
	if s.Child == nil || !s.Child.OwnID {
		i.putChild(o, s, start, 0)
		return
	}
	start.Claim = i.outputID(ref)
	if born.IsZero() && i.machine != nil && i.machine.Ended() == nil && !i.machine.Pending(ref) && i.p.cfg.keeps(DoubtUnknown) {
		i.putChild(o, s, start, 0) // it has had its claim, unless it was cancelled before; that may have expired with the child
		return
	}
	i.claim(o, s, start, 0)
}

// putChild publishes a child's start. The fence saves work.
func (i *instance) putChild(o *output, s *history.Slot, start *history.Start, fence uint64) {
	i.append(o, backend.Append{To: s.Target, Record: start, Fenced: true, Fence: fence}, func(err error) {
		if errors.Is(err, backend.ErrConflict) {
			i.whoseStart(o, s, start)
			return
		}
		if tooLarge(err) {
			i.childTooLarge(o, s, start, err)
			return
		}
		i.stored(o, err)
	})
}

// claim makes an own id unique in the hub. The claim holds the whole start, so that whoever meets it can finish it (H11).
// rev is that of a state which was deleted before.
func (i *instance) claim(o *output, s *history.Slot, start *history.Start, rev uint64) {
	now := i.p.be.Clock().Now()
	state := backend.State{
		Address: s.Target, Name: s.Name, Version: start.Version, Status: history.Pending, Run: start.Run,
		Created: now, Updated: now, Parent: start.Parent, Root: start.Root, Tags: start.Tags, Claim: start,
	}
	i.p.begin()
	i.p.be.PutState(state, rev, func(_ uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				i.putChild(o, s, start, 0)
			case tooLarge(err):
				i.childTooLarge(o, s, start, err)
			case !errors.Is(err, backend.ErrConflict):
				i.stored(o, err)
			default:
				i.whoseClaim(o, s, start)
			}
		})
	})
}

// whoseClaim finds out whether the state that stands in the way of a claim is our own, made before.
func (i *instance) whoseClaim(o *output, s *history.Slot, start *history.Start) {
	i.p.begin()
	i.p.be.GetState(s.Target.ID, func(got backend.State, rev uint64, err error) {
		i.locked(func() {
			switch {
			case errors.Is(err, backend.ErrNotFound) && rev > 0:
				i.claimPurged(o, s, start, rev)
			case errors.Is(err, backend.ErrNotFound):
				i.retry(err, func() { o.do(o) })
			case err != nil:
				i.stored(o, err)
			case sameParent(got.Parent, start.Parent):
				start.Run = got.Run
				i.putChild(o, s, start, 0)
			default:
				i.refuse(o, s, start)
			}
		})
	})
}

// claimPurged claims the id of an instance that was purged, unless the log says that the child has been answered for: it
// may be the one that was purged, or have been refused before.
func (i *instance) claimPurged(o *output, s *history.Slot, start *history.Start, rev uint64) {
	i.read(i.applied, func(k backend.Known, err error) {
		switch {
		case err != nil:
			i.stored(o, err)
		case i.p.cfg.keeps(DoubtPurged) && i.answered(k, start.Parent.Ref):
			i.stored(o, nil)
		default:
			i.claimAbove(o, s, start, rev)
		}
	})
}

// answered reports whether a slot is complete, or of the past, by what log and archive hold.
func (i *instance) answered(k backend.Known, ref history.Ref) bool {
	base, tail := i.newestBase(k.Loaded)
	execution := k.Execution()
	if base != nil {
		execution = base.Record.(*history.Turn).Execution + 1
	}
	if k.Run() != ref.Run || execution != ref.Execution || k.Archive.Run == ref.Run && !k.Archive.Snapshot() {
		return true
	}
	return slices.ContainsFunc(tail, func(m history.Message) bool {
		d, done := m.Record.(*history.Done)
		t, turn := m.Record.(*history.Turn)
		return done && d.Ref == ref || turn && t.Run == ref.Run && t.End != nil && t.End.Status.Final()
	})
}

// claimAbove claims with a run above every one that is known, else the child's owner takes the start for an old one (H10).
func (i *instance) claimAbove(o *output, s *history.Slot, start *history.Start, rev uint64) {
	i.p.begin()
	i.p.be.GetArchive(s.Target, func(a backend.Archive, _ uint64, err error) {
		i.locked(func() {
			if err != nil && !errors.Is(err, backend.ErrNotFound) {
				i.stored(o, err)
				return
			}
			start.Run = a.Run + 1
			i.claim(o, s, start, rev)
		})
	})
}

// whoseStart finds out whether the start that stands in the way is our own, sent before, or of a run that ours replaces.
func (i *instance) whoseStart(o *output, s *history.Slot, start *history.Start) {
	i.p.begin()
	i.p.be.Load(s.Target, 0, func(l backend.Loaded, err error) {
		i.locked(func() {
			switch {
			case err != nil:
				i.stored(o, err)
			case l.Start == nil: // purged in between
				i.retry(nil, func() { o.do(o) })
			case sameParent(l.Start.Record.(*history.Start).Parent, start.Parent):
				i.stored(o, nil)
			case l.Start.Record.(*history.Start).Run < start.Run:
				i.putChild(o, s, start, l.Start.Seq)
			default:
				i.refuse(o, s, start)
			}
		})
	})
}

func (i *instance) refuse(o *output, s *history.Slot, start *history.Start) {
	i.failChild(o, s, start, history.FailConflict,
		fmt.Sprintf("instance %q exists already: choose another id for the child, or attach to it from outside", s.Target.ID))
}

func (i *instance) childTooLarge(o *output, s *history.Slot, start *history.Start, err error) {
	i.failChild(o, s, start, history.FailTooLarge, fmt.Sprintf("child %q cannot be started, its start with an input of %d bytes cannot be stored: %v", s.Target.ID, len(s.Args), err))
}

func (i *instance) failChild(o *output, s *history.Slot, start *history.Start, kind, message string) {
	if i.machine != nil && !i.machine.Pending(start.Parent.Ref) {
		i.stored(o, nil) // sent again after it was refused: each answer would be one more message to answer for
		return
	}
	done := &history.Done{Ref: start.Parent.Ref, Name: s.Name, Failure: &history.Failure{Kind: kind, Name: s.Name, Message: message}}
	i.p.begin()
	i.p.be.Append(backend.Append{To: i.addr, Record: done}, func(seq uint64, err error) {
		i.locked(func() {
			i.stored(o, err)
			i.made(seq, done, err)
		})
	})
}

func sameParent(a, b *history.Parent) bool { return a != nil && b != nil && *a == *b }
