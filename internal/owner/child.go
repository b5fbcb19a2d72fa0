package owner

import (
	"errors"
	"fmt"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// startChild starts a child, after claiming its id when that is the user's own choice. An id that somebody else has
// comes back through the parent's inbox, so that it is part of its history.
func (i *instance) startChild(o *output, ref history.Ref, s *history.Slot) {
	start := &history.Start{
		Run: 1, Orchestrator: s.Name, Input: s.Args,
		Parent: &history.Parent{Address: i.addr, Ref: ref},
	}
	if s.Child != nil {
		start.Version, start.Tags = s.Child.Version, s.Child.Tags
	}
	put := func() {
		i.append(o, backend.Append{To: s.Target, Record: start, Fenced: true}, func(err error) {
			if errors.Is(err, backend.ErrConflict) {
				i.whoseStart(o, s, start)
				return
			}
			i.stored(o, err)
		})
	}
	if s.Child == nil || !s.Child.OwnID {
		put()
		return
	}
	start.Claim = i.outputID(ref)
	i.claim(o, s, start, put)
}

// claim makes an own id unique in the hub. The claim holds the whole start, so that whoever meets it can finish it (H11).
func (i *instance) claim(o *output, s *history.Slot, start *history.Start, then func()) {
	now := i.p.be.Clock().Now()
	state := backend.State{
		Address: s.Target, Name: s.Name, Version: start.Version, Status: history.Pending, Run: 1,
		Created: now, Updated: now, Parent: start.Parent, Tags: start.Tags, Claim: start,
	}
	i.p.begin()
	i.p.be.PutState(state, 0, func(_ uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				then()
			case !errors.Is(err, backend.ErrConflict):
				i.stored(o, err)
			default:
				i.p.begin()
				i.p.be.GetState(s.Target.ID, func(got backend.State, _ uint64, err error) {
					i.locked(func() {
						switch {
						case errors.Is(err, backend.ErrNotFound):
							i.retry(err, func() { o.do(o) })
						case err != nil:
							i.stored(o, err)
						case sameParent(got.Parent, start.Parent):
							then()
						default:
							i.refuse(o, s, start)
						}
					})
				})
			}
		})
	})
}

// whoseStart finds out whether the start that stands in the way is our own, sent before.
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
			default:
				i.refuse(o, s, start)
			}
		})
	})
}

func (i *instance) refuse(o *output, s *history.Slot, start *history.Start) {
	done := &history.Done{Ref: start.Parent.Ref, Name: s.Name, Failure: &history.Failure{
		Kind: history.FailConflict, Name: s.Name,
		Message: fmt.Sprintf("instance %q exists already: choose another id for the child, or attach to it from outside", s.Target.ID),
	}}
	i.append(o, backend.Append{To: i.addr, Record: done}, func(err error) { i.stored(o, err) })
}

func sameParent(a, b *history.Parent) bool { return a != nil && b != nil && *a == *b }
