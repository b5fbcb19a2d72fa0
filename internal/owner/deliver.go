package owner

import (
	"errors"
	"fmt"
	"slices"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// delivery is an event whose sender waits until it is stored, or refused. Which of the two comes back through the
// sender's own inbox (I8, H22), and only when that is stored is the output (I4).
type delivery struct {
	o     *output
	ref   history.Ref
	slot  *history.Slot
	event *history.Event
}

// deliverEvent looks for the receiver. A slot that is complete, because this is done again or its scope was cancelled, needs
// nothing: each answer would be one more message to answer for.
func (i *instance) deliverEvent(d delivery) {
	if i.machine != nil && !i.machine.Pending(d.ref) {
		i.pass(d.o)
		return
	}
	i.p.begin()
	i.p.be.GetState(d.slot.Target.ID, func(s backend.State, rev uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil && s.Claim != nil && s.Run == 1 && s.Err == nil:
				i.beginClaim(d, s, 0) // without a look at the log, which may be long
			case err == nil && (s.Claim != nil || s.Status.Final()):
				i.deliverBy(d, s)
			case err == nil:
				i.putDelivery(d, s.Address)
			case errors.Is(err, backend.ErrNotFound) && rev == 0:
				i.deliverUnprojected(d)
			case errors.Is(err, backend.ErrNotFound): // purged
				i.confirm(d, history.FailNotFound)
			default:
				i.stored(d.o, err)
			}
		})
	})
}

// deliverUnprojected asks the log for a young instance.
func (i *instance) deliverUnprojected(d delivery) {
	i.p.begin()
	i.p.be.Group(d.slot.Target.ID, func(group string, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				i.deliverYoung(d, history.Address{Group: group, ID: d.slot.Target.ID})
			case errors.Is(err, backend.ErrNotFound):
				i.confirm(d, history.FailNotFound)
			default:
				i.stored(d.o, err)
			}
		})
	})
}

// deliverYoung delivers to an instance that only the log knows, unless that shows what has ended and expired.
func (i *instance) deliverYoung(d delivery, to history.Address) {
	i.p.begin()
	backend.Undecided(i.p.be, to, func(undecided bool, err error) {
		i.locked(func() {
			switch {
			case err != nil:
				i.stored(d.o, err)
			case undecided:
				i.putDelivery(d, to)
			default:
				i.deliverDecided(d, to)
			}
		})
	})
}

// deliverDecided looks at the whole history of such an instance.
func (i *instance) deliverDecided(d delivery, to history.Address) {
	i.p.begin()
	backend.Read(i.p.be, to, backend.TheEnd, func(k backend.Known, err error) {
		i.locked(func() {
			switch {
			case err != nil:
				i.stored(d.o, err)
			case i.retention().Forgotten(k, i.p.be.Clock().Now()) && i.p.cfg.keeps(ForgetExpired):
				i.confirm(d, history.FailNotFound)
			default:
				i.putDelivery(d, to)
			}
		})
	})
}

// deliverBy looks at what log and archive hold of a receiver that is claimed, or has ended as far as its projection
// tells. One that has ended refuses the event unless it has it: from a try before, whose answer was lost.
func (i *instance) deliverBy(d delivery, s backend.State) {
	i.p.begin()
	backend.Read(i.p.be, s.Address, backend.TheEnd, func(k backend.Known, err error) {
		i.locked(func() {
			switch {
			case err != nil:
				i.stored(d.o, err)
			case s.Claim == nil && k.Run() > s.Run, s.Claim != nil && k.Run() >= s.Run:
				i.putDelivery(d, s.Address) // it has begun, and is not projected yet
			case s.Claim != nil && s.Err != nil:
				i.stored(d.o, s.Err) // whoever can read the claim begins it
			case s.Claim != nil:
				i.beginClaim(d, s, k.Fence)
			case i.p.cfg.keeps(DoubtEnded) && hasEvent(k, d.event.ID):
				i.confirm(d, "")
			default:
				i.confirm(d, history.FailFinished)
			}
		})
	})
}

// beginClaim publishes the start of a claim: what comes before it is nothing (I7).
func (i *instance) beginClaim(d delivery, s backend.State, fence uint64) {
	i.append(d.o, backend.Append{To: s.Address, Record: s.Claim, Fenced: true, Fence: fence}, func(err error) {
		switch {
		case err == nil || s.Run == 1 && errors.Is(err, backend.ErrConflict): // which has begun
			i.putDelivery(d, s.Address)
		case errors.Is(err, backend.ErrConflict):
			i.retry(nil, func() { i.deliverEvent(d) })
		default:
			i.stored(d.o, err)
		}
	})
}

func (i *instance) putDelivery(d delivery, to history.Address) {
	i.append(d.o, backend.Append{To: to, Record: d.event}, func(err error) {
		if err != nil {
			i.stored(d.o, err)
			return
		}
		i.confirm(d, "")
	})
}

// confirm completes the slot; kind is why the event was refused, "" if it was not. Nobody waits for that once the
// execution has ended, or the slot is complete.
func (i *instance) confirm(d delivery, kind string) {
	if i.machine == nil || i.machine.Ended() != nil || !i.machine.Pending(d.ref) {
		i.stored(d.o, nil)
		return
	}
	done := &history.Done{Ref: d.ref, Name: d.slot.Name, Hash: history.ArgsHash(d.slot.Args)}
	switch kind {
	case history.FailNotFound:
		done.Failure = d.refused(kind, "there is no such instance")
	case history.FailFinished:
		done.Failure = d.refused(kind, "the instance has ended")
	}
	i.p.begin()
	i.p.be.Append(backend.Append{To: i.addr, Record: done}, func(seq uint64, err error) {
		i.locked(func() {
			i.stored(d.o, err)
			i.made(seq, done, err)
		})
	})
}

func (d delivery) refused(kind, why string) *history.Failure {
	return &history.Failure{Kind: kind, Message: fmt.Sprintf("durable: event %s cannot be delivered to %q: %s", d.slot.Name, d.slot.Target.ID, why)}
}

// hasEvent reports whether an event is in the history of an instance, or behind its end.
func hasEvent(k backend.Known, id string) bool {
	var first []history.Message
	for _, m := range []*history.Message{k.Start, k.Base} {
		if m != nil {
			first = append(first, *m)
		}
	}
	return holdsEvent(first, id) || holdsEvent(k.Tail, id) || holdsEvent(k.Archive.Messages, id) || holdsEvent(k.Archive.Late, id)
}

func holdsEvent(messages []history.Message, id string) bool {
	return slices.ContainsFunc(messages, func(m history.Message) bool {
		switch r := m.Record.(type) {
		case *history.Event:
			return r.ID == id
		case *history.Start:
			return r.Prior != nil && holdsEvent(r.Prior.Messages, id)
		case *history.Turn: // what the executions before have seen
			return r.End != nil && r.End.Base != nil && (holdsEvent(r.End.Base.Held, id) ||
				slices.ContainsFunc(r.End.Base.Seen, func(s history.SeenID) bool { return s.ID == id }))
		}
		return false
	})
}
