package membackend

import (
	"slices"
	"time"
)

// consumer hands messages out until each has been acknowledged, as a durable JetStream consumer with explicit acks. All
// of it is under the hub's lock.
type consumer struct {
	m       *Memory
	name    string
	exists  bool
	items   []item // all messages for it, in the order of the log
	floor   int    // everything before it is acknowledged
	next    int    // the first that has not been delivered since the last reset
	again   []int  // to be delivered again, before anything new
	open    int    // delivered and not acknowledged
	most    int    // of those
	wait    time.Duration
	waiting []deadline // ends of ack waits, soonest first
	armed   bool
	order   uint64 // deliveries so far
	highest uint64 // highest sequence delivered so far; a reset does not change it
	pump    func() // delivers what can be
}

// item is a message and how far it has come.
type item struct {
	*entry
	state    itemState
	queued   bool // in again
	attempts int
	until    int64 // end of its ack wait
}

type itemState uint8

const (
	fresh itemState = iota
	pending
	acked
)

type deadline struct {
	n  int
	at int64
}

const mostOpen = 50_000

// take picks the next message and counts its delivery; ok is false if there is none, or none may be delivered now.
func (c *consumer) take() (n int, ok bool) {
	for len(c.again) > 0 {
		at := 0
		if len(c.again) > 1 && c.m.happens(c.m.faults.Shuffled, "out of order", c.name) {
			at = int(c.m.upTo(time.Duration(len(c.again)-1), "which", c.name))
		}
		n := c.again[at]
		c.again = slices.Delete(c.again, at, at+1)
		c.items[n].queued = false
		if c.items[n].state == pending && !c.lapsed(n) {
			c.count(n)
			return n, true
		}
	}
	for c.open < c.most && c.next < len(c.items) {
		n := c.next
		c.next++
		if c.items[n].state == fresh && !c.lapsed(n) {
			c.items[n].state = pending
			c.open++
			c.count(n)
			return n, true
		}
	}
	return 0, false
}

// lapsed treats a message that was purged as done.
func (c *consumer) lapsed(n int) bool {
	if !c.items[n].gone {
		return false
	}
	c.done(n)
	return true
}

func (c *consumer) count(n int) {
	c.items[n].attempts++
	c.order++
	c.highest = max(c.highest, c.items[n].seq)
	c.extend(n)
	if e := c.items[n].entry; c.m.happens(c.m.faults.DeliveryRepeated, "delivered twice", c.name, e.to.ID, e.subject) {
		c.repeat(n)
	}
}

// extend begins the ack wait of a message anew.
func (c *consumer) extend(n int) {
	if c.items[n].state != pending {
		return
	}
	at := c.m.now() + int64(c.wait)
	c.items[n].until = at
	c.waiting = append(c.waiting, deadline{n, at})
	c.arm()
}

func (c *consumer) arm() {
	if !c.armed && len(c.waiting) > 0 {
		c.armed = true
		c.m.at(c.waiting[0].at, nil, c.expire)
	}
}

// expire delivers again what nobody has acknowledged in time.
func (c *consumer) expire() {
	c.armed = false
	now := c.m.now()
	k := 0
	for ; k < len(c.waiting); k++ {
		w := c.waiting[k]
		it := &c.items[w.n]
		if it.state != pending || it.until != w.at {
			continue // acknowledged, or its wait was extended
		}
		if w.at > now {
			break
		}
		c.repeat(w.n)
	}
	c.waiting = slices.Delete(c.waiting, 0, k)
	c.arm()
	c.pump()
}

// repeat has a message delivered again.
func (c *consumer) repeat(n int) {
	if it := &c.items[n]; it.state == pending && !it.queued {
		it.queued = true
		c.again = append(c.again, n)
	}
}

// ack ends a message. One that was reset and has not been delivered since is not open, so its ack comes too early and
// changes nothing, as in JetStream.
func (c *consumer) ack(n int) {
	if c.items[n].state == pending {
		c.done(n)
		c.pump()
	}
}

func (c *consumer) done(n int) {
	if c.items[n].state == pending {
		c.open--
	}
	c.items[n].state = acked
	for c.floor < len(c.items) && c.items[c.floor].state == acked {
		c.floor++
	}
}

func (c *consumer) nak(n int) {
	c.repeat(n)
	c.pump()
}

// reset goes back to the ack floor: all above it is delivered again, also what was acknowledged out of order, and its
// deliveries are counted from the start.
func (c *consumer) reset() {
	if c.open == 0 {
		return
	}
	for n := c.floor; n < c.next; n++ {
		c.items[n] = item{entry: c.items[n].entry}
	}
	c.next, c.open, c.again = c.floor, 0, nil
}

func (c *consumer) unacked(out []Unacked) []Unacked {
	for n := c.floor; n < len(c.items); n++ {
		if it := &c.items[n]; it.state != acked && !it.gone {
			out = append(out, Unacked{c.name, it.to, it.seq, it.attempts})
		}
	}
	return out
}

// receipt answers a delivery.
type receipt struct {
	v *View
	c *consumer
	n int
}

// Ack implements backend.Receipt.
func (r receipt) Ack() { r.tell("ack", r.c.ack) }

// Nak implements backend.Receipt.
func (r receipt) Nak() { r.tell("nak", r.c.nak) }

func (r receipt) progress() { r.tell("progress", r.c.extend) }

func (r receipt) tell(verb string, what func(n int)) {
	m := r.v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	e := r.c.items[r.n].entry
	m.tell(r.v, op{verb: verb, id: e.to.ID, subject: e.subject}, m.faults.AckLost, func() { what(r.n) })
}
