package engine

import (
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// prior is the history that a rewound run begins with, until it has been gone through.
type prior struct {
	messages []history.Message
	started  time.Time               // of the run that goes on with it
	slots    map[uint32]history.Slot // recorded, as long as the program repeats them
	kept     map[uint32]bool         // of them, what it has repeated
	cut      uint32                  // slots from here on are decided anew
}

// goBack begins the execution that a prior history is of. It has the numbers of the new run, but what the program made of
// the old one, UUIDs and random numbers, stays.
func (m *Machine) goBack(p *history.Prior, started time.Time) {
	parent := m.start.Parent
	m.started, m.seed = p.Started, p.Run
	m.tick(p.Started)
	m.prior = &prior{messages: p.Messages, started: started, kept: map[uint32]bool{}, cut: NoSlot}
	if base := p.Base(); base != nil {
		m.goOn(base.Record.(*history.Turn))
		m.prior.messages = p.Messages[1:]
	}
	m.start.Run, m.start.Parent, m.start.Prior = m.run, parent, nil
}

// Recall gives, before Begin, the recorded slots of the prior history. The program need not repeat them: from the first
// one that differs on, everything is decided anew.
func (m *Machine) Recall(slots []Recorded) {
	m.prior.slots = make(map[uint32]history.Slot, len(slots))
	for _, r := range slots {
		m.recorded = max(m.recorded, r.decided())
		if _, ok := m.prior.slots[r.Slot.N]; !ok {
			m.prior.slots[r.Slot.N] = r.Slot
		}
	}
}

// relive runs the program through the prior history. All of it is one turn, caused by the start: what the history does not
// have is new, what is open in it is listed in Again.
func (m *Machine) relive() {
	p := m.prior
	m.repeats = true
	m.spawn(m.main)
	m.settle()
	m.drain()
	rest := p.messages
	for len(rest) > 0 && m.end == nil && m.broken == nil {
		m.repeats = rest[0].Seq <= m.recorded
		m.receive(rest[0])
		rest = rest[1:]
	}
	m.prior = nil
	m.repeats = m.origin <= m.recorded
	m.tick(p.started)
	m.forgetSettled()
	if m.end != nil {
		m.turn.Cancel = nil // nothing has been armed
		if m.end.Base != nil {
			m.end.Base.Held = append(m.end.Base.Held, unheard(rest)...)
		}
		return
	}
	for _, f := range m.open.all() {
		if f == nil || !p.kept[f.slot] {
			continue
		}
		switch f.kind {
		case timerFuture:
			m.turn.Again = append(m.turn.Again, history.Slot{N: f.slot, Kind: history.SlotTimer, Due: f.about.Due})
		case childFuture:
			m.turn.Again = append(m.turn.Again, history.Slot{N: f.slot, Kind: history.SlotChild, Name: f.name, Target: f.about.Target})
		}
	}
}

// forgetSettled drops what the failed run has cancelled before.
func (m *Machine) forgetSettled() {
	decided := map[uint32]bool{}
	for n := range m.turn.Slots {
		decided[m.turn.Slots[n].N] = true
	}
	t := &m.turn
	t.Cancel = slices.DeleteFunc(t.Cancel, func(ref history.Ref) bool { return !decided[ref.Slot] })
	t.Abort = slices.DeleteFunc(t.Abort, func(a Aborted) bool { return !decided[a.Slot] })
	t.CancelChild = slices.DeleteFunc(t.CancelChild, func(c Child) bool { return !decided[c.Slot] })
}

// unheard lists what the next execution has to hear of messages that this one has not come to.
func unheard(messages []history.Message) (inbox []history.Message) {
	for _, msg := range messages {
		c, control := msg.Record.(*history.Control)
		if msg.Kind() == history.KindEvent || control && c.Verb == history.Cancel {
			inbox = append(inbox, msg)
		}
	}
	return inbox
}

// recall looks for a decision in the prior history. made tells that the id of a child was not chosen by the program: it
// is made of the number of the run, and that has changed.
func (p *prior) recall(m *Machine, s *history.Slot, made bool, args Arguments) (history.Slot, bool) {
	r, ok := p.slots[s.N]
	if !ok || s.N >= p.cut {
		return r, false
	}
	if made && r.Kind == history.SlotChild && (r.Child == nil || !r.Child.OwnID) {
		s.Target.ID = r.Target.ID
	}
	if !m.matches(&r, s, args) {
		p.cut = s.N
		return r, false
	}
	p.kept[s.N] = true
	return recordedAs(&r, s), true
}

// replaced notes that the new run has a record of its own of a slot.
func (p *prior) replaced(slot uint32) {
	if p == nil {
		return
	}
	if _, had := p.slots[slot]; had {
		p.cut = min(p.cut, slot)
	}
}

// renew follows a parent that waits again: its present run hears of the end.
func (m *Machine) renew(parent *history.Parent) {
	if m.start.Parent.RenewedBy(parent) {
		m.start.Parent = parent
	}
}

// holdsOther reports whether the prior history has something else in the place of a version marker.
func (p *prior) holdsOther(marker *history.Slot) bool {
	r, ok := p.slots[marker.N]
	return ok && marker.N < p.cut && otherThan(marker, &r)
}
