package engine

import (
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// receive takes an inbox message. A start is the beginning of this run or of another one, so it changes nothing here,
// not even the clock.
func (m *Machine) receive(msg history.Message) {
	if kind := msg.Kind(); !kind.Inbox() || kind == history.KindStart {
		return
	}
	m.tick(msg.Time)
	switch r := msg.Record.(type) {
	case *history.Control:
		m.control(msg, r)
	default:
		if m.paused {
			m.keep(msg)
			return
		}
		m.deliver(msg, msg.Time)
	}
}

// keep holds a message until the instance resumes.
func (m *Machine) keep(msg history.Message) {
	m.held = append(m.held, msg)
	m.kept.add(msg.Record, 1)
	ref, completes := history.Ref{}, false
	switch r := msg.Record.(type) {
	case *history.Done:
		f := m.waiting(r.Ref)
		ref, completes = r.Ref, f != nil && f.completedBy(r)
	case *history.Fired:
		f := m.waiting(r.Ref)
		ref, completes = r.Ref, f != nil && f.kind == timerFuture && !msg.Time.Before(f.about.Due)
	}
	if completes {
		if m.settled == nil {
			m.settled = map[history.Ref]bool{}
		}
		m.settled[ref] = true
	}
}

// control steers the instance. A repeated one changes nothing (H6).
func (m *Machine) control(msg history.Message, c *history.Control) {
	if !m.seen.add(c.ID, m.clock) && m.cfg.Without&DropSeen == 0 {
		return
	}
	switch c.Verb {
	case history.Terminate:
		m.terminate(c)
	case history.Cancel:
		if m.paused { // it has to run to hear of it
			m.keep(msg)
			return
		}
		m.deliver(msg, msg.Time)
	case history.Suspend:
		m.paused = true
	case history.Resume:
		m.paused = false
		m.drain()
	case history.Rewind:
		m.renew(c.Parent)
	}
}

// drain applies what was held, in order, with the time of the resume (I8). All of it is one turn. If the execution ends
// on the way, the next one gets the rest; a final end drops it.
func (m *Machine) drain() {
	for len(m.held) > 0 && !m.paused && m.end == nil && m.broken == nil {
		msg := m.held[0]
		m.held = m.held[1:]
		m.kept.add(msg.Record, -1)
		m.deliver(msg, m.clock)
	}
	if m.end != nil && m.end.Base != nil {
		m.end.Base.Held = m.held
	}
	if len(m.held) == 0 || m.end != nil {
		m.held, m.settled = nil, nil
	}
}

// deliver gives a message its effect and runs what it wakes. at is the time stamp it counts with.
func (m *Machine) deliver(msg history.Message, at time.Time) {
	switch r := msg.Record.(type) {
	case *history.Done:
		if f := m.waiting(r.Ref); f != nil && f.completedBy(r) {
			m.complete(f, r.Result, r.Failure)
		}
	case *history.Fired:
		// One stamped before its due time came from a clock that is ahead; the schedule follows (I8, H21).
		if f := m.waiting(r.Ref); f != nil && f.kind == timerFuture && (!at.Before(f.about.Due) || m.cfg.Without&IgnoreEarly != 0) {
			m.complete(f, nil, nil)
		}
	case *history.Event:
		if m.seen.add(r.ID, m.clock) || m.cfg.Without&DropSeen != 0 {
			m.post(r)
		}
	case *history.Control: // a cancel
		m.cancel(&m.root, canceled(r.Reason))
	}
	m.settle()
}

// waiting finds the open slot that a completion is for, nil when it is complete or of another run or execution (I2).
func (m *Machine) waiting(ref history.Ref) *Future {
	mine := ref.Run == m.run && ref.Execution == m.execution || m.cfg.Without&CheckExecution != 0
	if !mine || m.prior != nil && ref.Slot >= m.prior.cut {
		return nil
	}
	return m.open.at(ref.Slot)
}

// completedBy reports whether a completion is of this task: another code version may have decided another one for the
// same slot (I2).
func (f *Future) completedBy(d *history.Done) bool {
	switch f.kind {
	case activityFuture:
		return (d.Hash == f.hash || f.m.cfg.Redacted) && f.m.sameName(history.SlotActivity, d.Name, f.name)
	case childFuture:
		return f.m.sameName(history.SlotChild, d.Name, f.name)
	case deliveryFuture:
		return (d.Hash == f.hash || f.m.cfg.Redacted) && f.m.sameName(history.SlotSend, d.Name, f.name)
	}
	return false
}

func (m *Machine) sameName(kind history.SlotKind, a, b string) bool {
	return a == b || m.resolve(kind, a) == m.resolve(kind, b)
}

func (m *Machine) resolve(kind history.SlotKind, name string) string {
	if m.cfg.Resolve == nil {
		return name
	}
	return m.cfg.Resolve(kind, name)
}

// seen keeps the ids of events and controls, so that what is delivered twice counts once. It forgets by inbox time, so
// it stays a function of the inbox (H6). The zero value is ready; an empty id is never seen.
type seen struct {
	list []history.SeenID // oldest first
	ids  map[string]struct{}
}

const (
	seenFor  = time.Hour // of inbox time
	mostSeen = 4096      // in that time
)

// add reports whether id is new, and remembers it.
func (s *seen) add(id string, now time.Time) bool {
	if id == "" {
		return true
	}
	s.forget(now)
	if _, ok := s.ids[id]; ok {
		return false
	}
	if len(s.list) == mostSeen {
		s.drop()
	}
	if s.ids == nil {
		s.ids = map[string]struct{}{}
	}
	s.ids[id] = struct{}{}
	s.list = append(s.list, history.SeenID{ID: id, At: now})
	return true
}

func (s *seen) forget(now time.Time) {
	for len(s.list) > 0 && now.Sub(s.list[0].At) > seenFor {
		s.drop()
	}
}

// drop forgets the oldest.
func (s *seen) drop() {
	delete(s.ids, s.list[0].ID)
	s.list = s.list[1:]
}

// since gives what must not be forgotten.
func (s *seen) since(now time.Time) []history.SeenID {
	s.forget(now)
	return append([]history.SeenID(nil), s.list...)
}
