package owner

import (
	"errors"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// touch notes that the projection is behind. It is written coalesced: a short orchestration writes it once, at its end.
func (i *instance) touch() {
	if _, is := i.p.dirty[i]; is || i.dead {
		return
	}
	i.p.dirty[i] = struct{}{}
	i.dirtySince = i.p.be.Clock().Now()
	i.p.tick()
}

// project writes the state of a live instance.
func (i *instance) project() {
	if i.projecting || i.dead {
		return
	}
	if i.phase != live {
		delete(i.p.dirty, i) // the end projects the final state; a load or park, the state it comes to
		i.p.checkDrained()
		return
	}
	delete(i.p.dirty, i)
	i.projecting = true
	s := i.state()
	i.putState(s, func() {
		i.projecting = false
		i.projected = max(i.projected, s.At)
		if i.finalWaits {
			i.projectFinal()
			return
		}
		i.p.checkDrained()
		i.settle()
	})
}

// state is what the projection shows of a live instance.
func (i *instance) state() backend.State {
	s := i.stateOf(history.Running)
	s.At = i.applied
	s.Updated = i.machine.Clock()
	s.Custom = i.machine.CustomStatus()
	s.Waiting = i.machine.Waiting()
	if i.machine.Suspended() {
		s.Status = history.Suspended
	}
	return s
}

func (i *instance) stateOf(status history.Status) backend.State {
	start := i.start.Record.(*history.Start)
	return backend.State{
		Address: i.addr, Name: start.Orchestrator, Version: start.Version, Status: status, Run: i.run,
		Created: i.start.Time, Updated: i.start.Time, Parent: start.Parent, Tags: start.Tags,
	}
}

// projectFinal writes the last state of the run and then acknowledges everything: the instance leaves memory.
func (i *instance) projectFinal() {
	if i.projecting {
		i.finalWaits = true
		return
	}
	s := i.stateOf(i.final.End.Status)
	s.At = i.final.At
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
	i.p.begin()
	i.p.be.PutState(s, i.rev, func(rev uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				i.rev = rev
				then()
			case errors.Is(err, backend.ErrConflict):
				i.compareState(s, then)
			default:
				if unfit(err) {
					i.p.cfg.Logger.Error("durable: the projection cannot be written; the instance goes on, its messages stay unacknowledged", "instance", i.addr.ID, "error", err)
				}
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
				i.rev = 0
				i.putState(s, then)
			case err != nil:
				i.retry(err, func() { i.compareState(s, then) })
			case got.Parked != "" && s.Parked == "" && got.Run == s.Run:
				i.rev = rev
				i.unpark(s, then)
			case newer(got, s) && i.p.cfg.keeps(ProjectForward):
				i.rev = rev
				then()
			default:
				i.rev = rev
				if s.Status.Final() && s.Custom == nil {
					s.Custom = got.Custom // an end found by a load has run no code that could tell
				}
				i.putState(s, then)
			}
		})
	})
}

// newer reports whether what is stored says at least as much as s.
func newer(got, s backend.State) bool {
	switch {
	case got.Run != s.Run:
		return got.Run > s.Run
	case got.Status.Final():
		return true
	case s.Status.Final() || got.Claim != nil:
		return false
	default:
		return got.At >= s.At && (got.Parked == "" || s.Parked != "")
	}
}
