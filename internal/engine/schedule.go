package engine

import (
	"crypto/sha1"
	"encoding/hex"

	"github.com/durablegen/durablegen/internal/history"
)

// Schedule decides a slot: an activity, timer, child, send or version marker. It allots the number; Due of a timer is
// the caller's, from Now; a child without an id gets one made of this instance and the slot. Where the log holds a
// record of the slot, the two must agree (I6) and the recorded one stands. Markers, and sends without Confirm, are complete
// at once.
//
// The result of a version marker is its recorded Args. A marker whose place in the log another slot holds, be it another
// marker, was not there when that was decided: it takes no slot and its result is nil. The first answer for a marker's
// name stays.
func (c *Coroutine) Schedule(s history.Slot) *Future { return c.ScheduleIn(nil, s) }

// ScheduleIn is Schedule in a scope. In one that was cancelled, what would have to be waited for is complete at once, with
// the cause as its failure, and takes no slot.
func (c *Coroutine) ScheduleIn(in *Scope, s history.Slot) *Future { return c.schedule(in, s, Strict) }

// ScheduleArgs is ScheduleIn with another policy for arguments that are not those of the record.
func (c *Coroutine) ScheduleArgs(in *Scope, s history.Slot, args Arguments) *Future {
	return c.schedule(in, s, args)
}

func (c *Coroutine) schedule(in *Scope, s history.Slot, args Arguments) *Future {
	m := c.decide()
	if at := m.scope(in); at.cause != nil && waitsFor(&s) {
		return m.cancelled(at)
	}
	if s.Kind == history.SlotVersion {
		if f := m.versions[s.Name]; f != nil {
			return f
		}
	}
	s.N = m.next
	made := s.Kind == history.SlotChild && s.Target.ID == ""
	switch s.Kind {
	case history.SlotSend:
		s.Name = eventName(s.Name)
	case history.SlotChild:
		if s.Target.ID == "" {
			s.Target.ID = m.childID(s.N)
		}
	}
	if r, ok := m.expected[s.N]; ok {
		if s.Kind == history.SlotVersion && otherThan(&s, &r.Slot) {
			return m.marker(s.Name, nil)
		}
		if !m.matches(&r.Slot, &s, args) {
			m.broken = m.mismatch(r, s)
			c.block() // for ever: nothing runs on from here
		}
		delete(m.expected, s.N)
		m.warn(r, &s, args)
		s = recordedAs(&r.Slot, &s)
		m.prior.replaced(s.N)
	} else {
		if m.prior != nil {
			if s.Kind == history.SlotVersion && m.prior.holdsOther(&s) {
				return m.marker(s.Name, nil)
			}
			if r, ok := m.prior.recall(m, &s, made, args); ok {
				m.next++
				f := m.future(&r)
				f.scope = in
				return f
			}
		}
		if s.Site == "" {
			s.Site = site(3)
		}
	}
	m.next++
	m.turn.Slots = append(m.turn.Slots, s)
	f := m.future(&s)
	f.scope = in
	return f
}

// otherThan reports whether a record is not of this marker: the marker has come into the code since.
func otherThan(marker, r *history.Slot) bool {
	return r.Kind != history.SlotVersion || r.Name != marker.Name
}

// waitsFor reports whether a slot is not complete at once.
func waitsFor(s *history.Slot) bool {
	return s.Kind != history.SlotVersion && (s.Kind != history.SlotSend || s.Confirm)
}

func (m *Machine) future(s *history.Slot) *Future {
	f := &Future{m: m, slot: s.N, name: s.Name}
	switch s.Kind {
	case history.SlotActivity:
		f.kind, f.hash = activityFuture, hashOf(s)
	case history.SlotTimer:
		f.kind, f.about = timerFuture, &history.Slot{Due: s.Due}
	case history.SlotChild:
		f.kind, f.about = childFuture, &history.Slot{Target: s.Target}
	case history.SlotVersion:
		f = m.marker(s.Name, s.Args)
		f.slot = s.N
		return f
	case history.SlotSend:
		if !s.Confirm {
			f.kind, f.state = instantFuture, done
			return f
		}
		f.kind, f.hash, f.about = deliveryFuture, history.ArgsHash(s.Args), &history.Slot{Target: s.Target}
	default:
		f.kind, f.state = instantFuture, done
		return f
	}
	m.open.add(f)
	return f
}

func (m *Machine) marker(name string, version history.Payload) *Future {
	f := &Future{m: m, kind: instantFuture, state: done, slot: NoSlot, name: name, result: version}
	if m.versions == nil {
		m.versions = map[string]*Future{}
	}
	m.versions[name] = f
	return f
}

// childID makes an id from the parent's and the slot. An ancestor whose id would make it too long is named by a hash.
func (m *Machine) childID(slot uint32) string {
	suffix := ":" + m.ref(slot).String()
	id := m.cfg.Self.ID + suffix
	if len(id) > history.MaxID {
		sum := sha1.Sum([]byte(m.cfg.Self.ID))
		id = hex.EncodeToString(sum[:]) + suffix
	}
	return id
}
