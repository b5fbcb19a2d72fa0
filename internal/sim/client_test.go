package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// The client starts instances, sends them what they wait for, and steers some of them. What it does out of the ordinary
// is a mishap, so that a failing world can be tried without it.

// order is an instance that the client starts.
type order struct {
	to      history.Address
	start   *history.Start
	program []step
	want    *wanted
	claim   *backend.State // what its claim says; nil: it needs none
}

// start has the client start a random program and send the events it waits for.
func (w *world) start(id string) {
	rng := w.source("program", id)
	g := grammar{rng: rng}
	program := without(g.steps(id, 2), w.drop)
	if w.drop[id] {
		return
	}
	o := &order{to: history.Address{Group: group, ID: id}, program: program}
	o.start = &history.Start{Run: 1, Orchestrator: orchestrator, Input: encode(script{ID: id, Steps: program}), Born: w.m.Now()}
	if w.chance(3, "rare code", id) {
		o.start.Orchestrator = rare[rng.IntN(len(rare))]
	}
	if w.chance(4, "scheduled", id) {
		o.start.At = w.m.Now().Add(upTo(rng, 5*time.Second))
	}
	o.want = &wanted{program: program, result: expected(script{Steps: program})}
	w.wanted[id] = o.want
	w.plan(o)
	if len(waits(program)) > 0 && w.chance(4, "an event before its start", id) {
		e := &history.Event{Name: waits(program)[0].Event, ID: id + "-early", Payload: encode(5000)}
		w.put(backend.Append{To: o.to, Record: e}, func() {
			w.later(20*time.Millisecond, func() { w.begin(o) }) // a copy of it may still be under way
		})
		return
	}
	w.begin(o)
}

// begin publishes the start, after a claim if the id is the client's own.
func (w *world) begin(o *order) {
	id, rng := o.to.ID, w.source("begin", o.to.ID)
	put := backend.Append{To: o.to, Record: o.start, Fenced: true}
	if !w.chance(2, "claimed", id) {
		w.put(put, func() { w.tell(o); w.repeat(o) })
		return
	}
	o.start.Claim = "own"
	o.claim = &backend.State{Address: o.to, Name: o.start.Orchestrator, Status: history.Pending, Run: 1, Claim: o.start}
	dies := w.chance(4, "client dies after its claim", id)
	w.claim(*o.claim, func() {
		if !dies {
			w.put(put, func() { w.tell(o); w.repeat(o) })
			return
		}
		if !w.off.claims {
			w.later(upTo(rng, 8*time.Second), func() { w.finish(id, func() { w.tell(o) }) })
		}
	})
}

// finish does what whoever meets a claim does (H11).
func (w *world) finish(id string, then func()) {
	w.access(w.client).GetState(id, func(s backend.State, _ uint64, err error) {
		switch {
		case err != nil:
			w.later(300*time.Millisecond, func() { w.finish(id, then) })
		case s.Claim == nil:
			then() // somebody else has
		default:
			w.put(backend.Append{To: s.Address, Record: s.Claim, Fenced: true}, then)
		}
	})
}

func (w *world) claim(s backend.State, then func()) {
	w.access(w.client).PutState(s, 0, func(_ uint64, err error) {
		if err != nil && !errors.Is(err, backend.ErrConflict) {
			w.later(300*time.Millisecond, func() { w.claim(s, then) })
			return
		}
		then()
	})
}

// repeat has a start arrive once more, late and unfenced, as one does that finds its run ended and purged (H10).
func (w *world) repeat(o *order) {
	rng := w.source("repeat", o.to.ID)
	if !w.chance(3, "its start once more", o.to.ID) {
		return
	}
	w.later(10*time.Second+upTo(rng, 20*time.Second), func() {
		if p := w.plans[o.to.ID]; !p.again && p.fulfilled(w.final()[o.to.ID]) { // a later start would be fenced on this one
			w.put(backend.Append{To: o.to, Record: o.start}, func() {})
		}
	})
}

// tell sends the events of a program that has begun, and steers it.
func (w *world) tell(o *order) {
	id, rng := o.to.ID, w.source("tell", o.to.ID)
	w.feed(o.to, "", o.program, rng)
	which := rng.IntN(8)
	if o.start.Orchestrator != orchestrator {
		which = rng.IntN(5)
	}
	switch {
	case which <= 1 && w.mishap("cancelled", id):
		o.want.allowed = []history.Status{history.Canceled}
		w.send(upTo(rng, 8*time.Second), o.to, &history.Control{Verb: history.Cancel, ID: id + "-cancel"})
	case which == 2 && w.mishap("terminated", id):
		o.want.allowed = []history.Status{history.Terminated}
		w.send(upTo(rng, 8*time.Second), o.to, &history.Control{Verb: history.Terminate, ID: id + "-terminate"})
	case which == 3 && w.mishap("suspended", id):
		suspend := &history.Control{Verb: history.Suspend, ID: id + "-suspend"}
		w.send(upTo(rng, 8*time.Second), o.to, suspend)
		oneRun := !w.plans[id].again && !trips(o.program) // what comes late is meant for the next one
		if oneRun && w.chance(2, "suspended once more", id) {
			w.send(20*time.Second+upTo(rng, 12*time.Second), o.to, suspend)
		}
		w.send(20*time.Second+upTo(rng, 8*time.Second), o.to, &history.Control{Verb: history.Resume, ID: id + "-resume"})
	}
}

// feed sends the events that a program waits for; mark is that of its script.
func (w *world) feed(to history.Address, mark string, program []step, rng *rand.Rand) {
	atOnce := upTo(rng, 8*time.Second)
	together := w.chance(3, "events at once", to.ID+mark)
	for _, s := range waits(program) {
		e := &history.Event{Name: mark + s.Event, ID: to.ID + mark + s.ID, Payload: encode(s.N)}
		for n := range 2 {
			after := upTo(rng, 8*time.Second)
			if n > 0 && !w.mishap("event sent twice", e.ID) {
				continue
			}
			if together && n == 0 {
				after = atOnce
			}
			w.send(after, to, e)
		}
	}
}

// send sends a message after a while.
func (w *world) send(after time.Duration, to history.Address, r history.Record) {
	w.later(after, func() { w.put(backend.Append{To: to, Record: r}, func() {}) })
}

// put appends until it is stored.
func (w *world) put(a backend.Append, then func()) {
	w.access(w.client).Append(a, func(_ uint64, err error) {
		if err != nil && !errors.Is(err, backend.ErrConflict) {
			w.later(300*time.Millisecond, func() { w.put(a, then) })
			return
		}
		then()
	})
}

// plan decides what the operator is to do with an instance.
func (w *world) plan(o *order) {
	w.plans[o.to.ID] = &plan{
		purge: w.chance(2, "to be purged", o.to.ID), again: w.chance(2, "to be started again", o.to.ID),
		order: o, mark: fmt.Sprint("r", 2),
	}
}
