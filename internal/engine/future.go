package engine

import (
	"cmp"
	"math"
	"slices"

	"github.com/durablegen/durablegen/internal/history"
)

// Future is a result that may not be there yet: of a slot, an event, or a promise. It belongs to its machine and is no
// safer for concurrent use.
type Future struct {
	m       *Machine
	kind    futureKind
	state   futureState
	slot    uint32
	hash    uint32        // of an activity's arguments, or the payload that is delivered
	name    string        // of an activity, child or event
	about   *history.Slot // of a pending timer, child or delivery
	order   uint64        // of an event: the oldest Receive is served first
	scope   *Scope        // it is cancelled with this one; nil: the whole execution
	result  history.Payload
	failure *history.Failure
	value   any // of a promise: what it was given in memory

	waits, lastWait *wait   // who waits on it, longest first
	older, newer    *Future // receivers of the same event, while somebody waits
}

type futureKind uint8

const (
	promiseFuture futureKind = iota
	eventFuture
	activityFuture
	timerFuture
	childFuture
	deliveryFuture // of an event that this instance sends
	instantFuture  // a slot that completes at once
)

type futureState uint8

const (
	pending futureState = iota
	done
	stopped
)

// NoSlot is what Slot gives for a future without one.
const NoSlot = math.MaxUint32

// Done reports whether the result is there.
func (f *Future) Done() bool { return f.state != pending }

// Stopped reports whether the future is done because it was cancelled.
func (f *Future) Stopped() bool { return f.state == stopped }

// Result gives the result or the failure. Both are nil before it is done, for a timer, and for an empty result.
func (f *Future) Result() (history.Payload, *history.Failure) { return f.result, f.failure }

// Value is what [Coroutine.Give] completed a promise with, nil for anything else.
func (f *Future) Value() any { return f.value }

// Slot is the number of its slot, [NoSlot] for an event or a promise.
func (f *Future) Slot() uint32 {
	if f.kind == promiseFuture || f.kind == eventFuture {
		return NoSlot
	}
	return f.slot
}

// wait ties a coroutine to one of the futures it waits on.
type wait struct {
	c          *Coroutine
	f          *Future
	prev, next *wait
}

// listen makes c wait on fs. Its waits stand in one slice, which must not move while they are linked.
func (m *Machine) listen(c *Coroutine, fs []*Future) {
	if cap(c.waits) < len(fs) {
		c.waits = make([]wait, len(fs))
	}
	c.waits = c.waits[:len(fs)]
	for n, f := range fs {
		w := &c.waits[n]
		*w = wait{c: c, f: f, prev: f.lastWait}
		if f.lastWait == nil {
			f.waits = w
			if f.kind == eventFuture {
				m.admit(f)
			}
		} else {
			f.lastWait.next = w
		}
		f.lastWait = w
	}
}

// wake ends the waits of c, all of them, and makes it ready.
func (m *Machine) wake(c *Coroutine) {
	for n := range c.waits {
		m.unlink(&c.waits[n])
	}
	if c.waits = c.waits[:0]; cap(c.waits) > mostKept {
		c.waits = nil
	}
	m.ready = append(m.ready, c)
}

func (m *Machine) unlink(w *wait) {
	f := w.f
	if w.prev == nil {
		f.waits = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		f.lastWait = w.prev
	} else {
		w.next.prev = w.prev
	}
	if f.waits == nil && f.kind == eventFuture {
		m.dismiss(f)
	}
	*w = wait{}
}

// complete gives f its result and wakes who waits on it, longest first.
func (m *Machine) complete(f *Future, result history.Payload, failure *history.Failure) {
	m.close(f, done)
	f.result, f.failure = result, failure
	m.reading.completed(f)
}

func (m *Machine) close(f *Future, as futureState) {
	switch f.kind {
	case activityFuture, timerFuture, childFuture, deliveryFuture:
		m.open.remove(f.slot)
		f.about = nil
	}
	f.state = as
	for f.waits != nil {
		m.wake(f.waits.c)
	}
}

// mostKept is the room that a machine keeps in its lists: one fan-out must not make an instance large for ever.
const mostKept = 64

// window holds the open slots, oldest first. One that is complete leaves a hole; when there are more holes than slots they
// are squeezed out, so that one slow slot does not make the list as long as all that came after it.
type window struct {
	slots []opened
	head  int // the first that is open
	holes int // behind head
}

// opened is an open slot, or with a nil future a hole where one was.
type opened struct {
	slot uint32
	f    *Future
}

// all lists the open slots, oldest first.
func (w *window) all() []*Future {
	var open []*Future
	for _, o := range w.slots[w.head:] {
		if o.f != nil {
			open = append(open, o.f)
		}
	}
	return open
}

// find gives the place of a slot, -1 if it is not open. While there were no slots but open ones it is where it is
// looked for first.
func (w *window) find(slot uint32) int {
	live := w.slots[w.head:]
	if len(live) == 0 || slot < live[0].slot {
		return -1
	}
	n, ok := int(slot-live[0].slot), true
	if n >= len(live) || live[n].slot != slot {
		n, ok = slices.BinarySearchFunc(live, slot, func(o opened, slot uint32) int { return cmp.Compare(o.slot, slot) })
	}
	if !ok || live[n].f == nil {
		return -1
	}
	return w.head + n
}

func (w *window) at(slot uint32) *Future {
	if n := w.find(slot); n >= 0 {
		return w.slots[n].f
	}
	return nil
}

// add puts f at its slot, which is above all before.
func (w *window) add(f *Future) {
	switch {
	case len(w.slots) == w.head:
		w.slots, w.head = w.slots[:0], 0
	case w.head > mostKept && w.head > len(w.slots)/2:
		n := copy(w.slots, w.slots[w.head:])
		clear(w.slots[n:])
		w.slots, w.head = w.slots[:n], 0
	}
	w.slots = append(w.slots, opened{f.slot, f})
}

func (w *window) remove(slot uint32) {
	w.slots[w.find(slot)].f = nil
	w.holes++
	for w.head < len(w.slots) && w.slots[w.head].f == nil {
		w.head++
		w.holes--
	}
	switch {
	case w.head == len(w.slots) && cap(w.slots) > mostKept:
		w.slots, w.head = nil, 0
	case w.holes > mostKept && w.holes > (len(w.slots)-w.head)/2:
		w.slots = slices.DeleteFunc(w.slots, func(o opened) bool { return o.f == nil })
		w.head, w.holes = 0, 0
	}
}

// Timers lists the timers that are pending, by slot.
func (m *Machine) Timers() (timers []history.Slot) {
	for _, f := range m.open.all() {
		if f != nil && f.kind == timerFuture && f.state == pending {
			timers = append(timers, history.Slot{N: f.slot, Kind: history.SlotTimer, Due: f.about.Due})
		}
	}
	return timers
}
