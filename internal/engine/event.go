package engine

import (
	"cmp"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/history"
)

// mailbox holds the events of one name that nobody has taken, or the futures that wait for one: never both.
type mailbox struct {
	events         []letter
	oldest, newest *Future // waited on, by the order of their Receive
}

type letter struct {
	order uint64 // of arrival, among all names
	event history.Event
}

// eventName makes names case-insensitive, as Durable Functions.
func eventName(name string) string { return strings.ToLower(name) }

// box finds or makes the mailbox of a name.
func (m *Machine) box(name string) *mailbox {
	b := m.mail[name]
	if b == nil {
		if m.mail == nil {
			m.mail = map[string]*mailbox{}
		}
		b = &mailbox{}
		m.mail[name] = b
	}
	return b
}

// post gives an event to the oldest future that somebody waits on, or keeps it.
func (m *Machine) post(e *history.Event) {
	name := eventName(e.Name)
	if b := m.mail[name]; b != nil && b.oldest != nil {
		m.complete(b.oldest, e.Payload, nil)
		return
	}
	m.buffer(name, *e)
}

func (m *Machine) buffer(name string, e history.Event) {
	m.arrivals++
	b := m.box(name)
	b.events = append(b.events, letter{m.arrivals, e})
	m.kept.add(&e, 1)
}

// Most that an instance keeps of events that nobody has received, before clients are refused more.
const (
	MostEvents     = 10_000
	MostEventBytes = 8 << 20 // of their payloads: half of what a base can hold
)

// backlog counts events that are kept.
type backlog struct{ events, bytes int }

// add counts an event, or with -1 takes it off. Nothing else is counted.
func (b *backlog) add(r history.Record, n int) {
	if e, ok := r.(*history.Event); ok {
		b.events += n
		b.bytes += n * len(e.Payload)
	}
}

// Full reports whether so many events are kept that clients should send no more. One that comes all the same is kept.
func (m *Machine) Full() bool {
	return m.end == nil && (m.kept.events >= MostEvents || m.kept.bytes >= MostEventBytes)
}

// offer looks for a kept event for a future that is about to be waited on with others. An event goes to the oldest
// future of its name, whether it comes before or during the wait.
func (m *Machine) offer(f *Future, among []*Future) bool {
	b := m.mail[f.name]
	if b == nil || len(b.events) == 0 {
		return false
	}
	for _, g := range among {
		if g.kind == eventFuture && g.state == pending && g.name == f.name && g.order < f.order {
			return false
		}
	}
	payload := b.events[0].event.Payload
	m.kept.add(&b.events[0].event, -1)
	b.events[0] = letter{}
	b.events = b.events[1:]
	m.tidy(f.name, b)
	m.complete(f, payload, nil)
	return true
}

// admit makes a future a receiver, in the order of the Receive calls.
func (m *Machine) admit(f *Future) {
	b := m.box(f.name)
	after := b.newest
	for after != nil && after.order > f.order {
		after = after.older
	}
	f.older = after
	if after == nil {
		f.newer, b.oldest = b.oldest, f
	} else {
		f.newer, after.newer = after.newer, f
	}
	if f.newer == nil {
		b.newest = f
	} else {
		f.newer.older = f
	}
}

// dismiss takes a future nobody waits on any more out of its mailbox, so that it never eats an event.
func (m *Machine) dismiss(f *Future) {
	b := m.mail[f.name]
	if f.older == nil {
		b.oldest = f.newer
	} else {
		f.older.newer = f.newer
	}
	if f.newer == nil {
		b.newest = f.older
	} else {
		f.newer.older = f.older
	}
	f.older, f.newer = nil, nil
	m.tidy(f.name, b)
}

// tidy drops a mailbox that holds nothing: names may be many over the years.
func (m *Machine) tidy(name string, b *mailbox) {
	if b.oldest == nil && len(b.events) == 0 {
		delete(m.mail, name)
	}
}

// buffered lists the events nobody has taken in the order they came.
func (m *Machine) buffered() []history.Event {
	var letters []letter
	for _, b := range m.mail {
		letters = append(letters, b.events...)
	}
	slices.SortFunc(letters, func(a, b letter) int { return cmp.Compare(a.order, b.order) })
	var events []history.Event
	for _, l := range letters {
		events = append(events, l.event)
	}
	return events
}
