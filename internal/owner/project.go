package owner

import (
	"errors"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// touch notes that the projection is behind. It is written coalesced: a short orchestration writes it once, at its end.
func (i *instance) touch() {
	if i.dead || !i.dirtySince.IsZero() {
		return
	}
	i.dirtySince = i.p.be.Clock().Now()
	i.p.dirty = append(i.p.dirty, i)
	i.p.tick()
}

// clean takes the instance off the list of those to be projected.
func (i *instance) clean() {
	if i.dirtySince.IsZero() {
		return
	}
	i.dirtySince = time.Time{}
	n := slices.Index(i.p.dirty, i)
	i.p.dirty = slices.Delete(i.p.dirty, n, n+1)
}

// project writes the state of a live instance. While a write is under way its end looks again; the end of the instance
// projects the final state, a load or a park the state it comes to.
func (i *instance) project() {
	if i.dirtySince.After(i.proven) {
		i.proven = i.dirtySince
	}
	i.clean()
	if i.projecting || i.phase != live {
		i.projectAgain = i.projecting
		i.p.checkDrained()
		return
	}
	i.projecting = true
	s := i.state()
	i.putState(s, func() {
		i.projecting = false
		i.projected = max(i.projected, s.At)
		if i.finalWaits {
			i.projectFinal()
			return
		}
		if i.projectAgain {
			i.projectAgain = false
			i.touch()
		}
		if i.marked && !i.busy() && len(i.unknown) == 0 {
			i.unmark(i.settle)
			return
		}
		i.settle()
		i.p.evict() // it may be idle now, and no other may come
	})
}

// state is what the projection shows of a live instance.
func (i *instance) state() backend.State {
	s := i.stateOf(history.Running)
	s.At = i.applied
	s.Updated = i.machine.Clock()
	s.Custom = i.machine.CustomStatus()
	s.Waiting = i.machine.Waiting()
	if i.owesNothing() {
		i.settled = i.applied
	}
	s.Need, s.Settled = i.need, i.settled
	s.Full = i.machine.Full()
	if i.machine.Delayed() {
		s.Status, s.Scheduled = history.Pending, i.start.Record.(*history.Start).At
	}
	if i.machine.Suspended() {
		s.Status = history.Suspended
	}
	return s
}

func (i *instance) stateOf(status history.Status) backend.State {
	start, created := i.start.Record.(*history.Start), i.start.Time
	if start.Prior != nil {
		created = start.Prior.Started
	}
	return backend.State{
		Address: i.addr, Name: start.Orchestrator, Version: start.Version, Status: status, Run: i.run,
		Created: created, Updated: i.start.Time, Parent: start.Parent, Root: start.Root, Tags: start.Tags,
	}
}

// projectFinal writes the last state of the run and then acknowledges everything: the instance leaves memory.
func (i *instance) projectFinal() {
	if i.projecting {
		i.finalWaits = true
		return
	}
	s := i.stateOf(i.final.End.Status)
	s.At, s.Ended = i.final.At, i.over
	s.Custom = i.custom
	s.Finished = i.finished
	s.Updated = s.Finished
	if f := i.final.End.Failure; f != nil {
		s.Failure = f.Message
	}
	i.projecting = true
	i.putState(s, func() {
		i.projecting = false
		i.acknowledgeAll()
	})
}

// putState compares and sets the projection, never backwards in (run, position); a final state beats every other of
// its run (H12).
func (i *instance) putState(s backend.State, then func()) {
	switch {
	case i.rev > 0:
	case s.Status.Final() && i.expired():
		i.compareState(s, then) // what is there must not stay as it is
		return
	case !s.Status.Final() && i.doubtful():
		i.retry(nil, i.lose)
		return
	}
	i.p.begin()
	i.p.be.PutState(s, i.rev, func(rev uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				i.rev = rev
				if !s.Status.Final() { // of the end there is the hint
					i.p.be.Signal(StateTopic(i.addr.ID), nil)
				}
				then()
			case errors.Is(err, backend.ErrConflict):
				i.compareState(s, then)
			case unfit(err):
				i.p.cfg.Logger.Error("durable: the projection cannot be written; the instance goes on, its messages stay unacknowledged", observe.KeyInstance, i.addr.ID, observe.KeyError, err)
				fallthrough
			default:
				i.retry(err, func() { i.putState(s, then) })
			}
		})
	})
}

func (i *instance) compareState(s backend.State, then func()) {
	i.p.begin()
	i.p.be.GetState(i.addr.ID, func(got backend.State, rev uint64, err error) {
		i.locked(func() {
			switch {
			case errors.Is(err, backend.ErrNotFound):
				i.projectDeleted(s, rev, then)
			case err != nil:
				i.retry(err, func() { i.compareState(s, then) })
			case got.Parked != "" && s.Parked == "" && got.Run == s.Run:
				i.rev = rev
				i.forgive(got)
				s.Need, s.Settled = i.need, i.settled
				i.unpark(s, then)
			case newer(got, s) && i.p.cfg.keeps(ProjectForward):
				i.overtaken(got, s, rev, then)
			default:
				i.rev = rev
				if s.Parked != "" {
					s.At = max(s.At, got.At)
				}
				if got.Run == s.Run && !s.Status.Final() { // both only grow
					i.need, i.settled = max(i.need, got.Need), max(i.settled, got.Settled)
					s.Need, s.Settled = i.need, i.settled
				}
				if s.Status.Final() && s.Custom == nil {
					s.Custom = got.Custom // an end found by a load has run no code that could tell
				}
				i.putState(s, then)
			}
		})
	})
}

// projectDeleted writes a state where one was deleted at rev, unless that was the purge of this run: then somebody else
// has ended what may still live here.
func (i *instance) projectDeleted(s backend.State, rev uint64, then func()) {
	switch {
	case s.Status.Final() && i.expired():
		then()
		return
	case !s.Status.Final() && i.rev > 0 && i.p.cfg.keeps(DoubtGone):
		i.retry(nil, i.lose) // it was there: the run may have ended and expired
		return
	case rev == 0:
		i.rev = 0
		i.putState(s, then)
		return
	}
	i.p.begin()
	i.p.be.GetArchive(i.addr, func(a backend.Archive, _ uint64, err error) {
		i.locked(func() {
			purged := err == nil && a.Purged && a.Run >= s.Run && i.p.cfg.keeps(HonourPurge)
			switch {
			case err != nil && !errors.Is(err, backend.ErrNotFound):
				i.retry(err, func() { i.projectDeleted(s, rev, then) })
			case purged && s.Status.Final():
				then()
			case purged:
				i.lose()
			default:
				i.rev = rev
				i.putState(s, then)
			}
		})
	})
}

// overtaken deals with a projection that says at least as much as ours. Its revision is ours only if it says the same:
// with the revision of what is ahead, the next write would set it back.
func (i *instance) overtaken(got, s backend.State, rev uint64, then func()) {
	switch {
	case s.Status.Final():
	case got.Run > s.Run || got.Status.Final():
		i.retry(nil, i.lose) // somebody has ended what still lives here; not at once, should the log not know it yet
		return
	case got.At == s.At:
		i.rev = rev
	}
	then()
}

// newer reports whether what is stored says at least as much as s. That nobody runs an instance is told whatever position
// it had come to: a program that does not fit its history comes to none.
func newer(got, s backend.State) bool {
	switch {
	case got.Run != s.Run:
		return got.Run > s.Run
	case got.Status.Final():
		return true
	case s.Status.Final() || got.Claim != nil:
		return false
	case s.Parked != "":
		return got.Parked == s.Parked && got.At >= s.At
	}
	return got.At > s.At || got.At == s.At && got.Need >= s.Need
}
