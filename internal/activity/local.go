package activity

import (
	"errors"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// A local activity runs in the process of the owner that decided it, without a task. Whatever keeps it from coming to its
// end there makes it an ordinary one: its next attempt is stored as a task.

// LongestRest is the longest delay that a local activity waits for its next attempt in memory.
const LongestRest = 10 * time.Second

var errLocal = errors.New("durable: this call runs in the process of its orchestration's owner, without a task that could wait: call an activity that is completed later without local")

// Local runs activities by the name that they are called by, each with the slots of its queue beside those for tasks.
type Local map[string]*Queue

// Run begins the first attempt of a call and stores what comes of it: the Done of the slot, or the task of a later
// attempt, which is the queue's. done gets the record with its sequence, nil if nothing was stored; it is called once,
// never inside Run, and may be called after cancel. ok is false when the call is the queue's from the beginning: the
// activity is not known here, its slots are taken, there is a limit for the whole hub, or the worker stops.
func (l Local) Run(from history.Address, task *history.Task, done func(seq uint64, r history.Record)) (cancel func(), ok bool) {
	q := l[task.Name]
	if q == nil || q.cfg.Concurrency > 0 {
		return nil, false
	}
	c := &local{q: q, done: done}
	if !q.admit(c.attempt(from, task)) {
		return nil, false
	}
	return c.cancel, true
}

// local is a call that runs without a task.
type local struct {
	q    *Queue
	done func(seq uint64, r history.Record)

	// Guarded by the queue's mutex:
	now      *running // its attempt; nil while it rests
	wake     func()   // ends the rest
	canceled bool
}

func (c *local) attempt(from history.Address, task *history.Task) *running {
	now := c.q.cfg.Backend.Clock().Now()
	return &running{local: c, d: backend.TaskDelivery{From: from, Task: task, Time: now, Attempts: 1, Progress: func() {}}}
}

// ended tells a backend that watches that an attempt is over.
func (r *running) ended(lastErr string) {
	if r.watched != nil {
		r.watched(lastErr)
	}
}

// settledLocal begins an attempt whose cause no power cut can take back any more; nothing is stored if that cannot be known.
func (q *Queue) settledLocal(r *running, err error) {
	if err == nil {
		go q.work(r)
	} else if q.decide(r, verdict{}) {
		q.release(r, false)
	}
}

// cancel ends the call: nobody waits for it any more. One that rests ends with its rest.
func (c *local) cancel() {
	c.q.mu.Lock()
	c.canceled = true
	r := c.now
	c.q.mu.Unlock()
	if r != nil && !r.decided.Load() {
		r.own.cancel(ErrCanceled)
	}
}

// retry begins another attempt at its time, here if that is soon.
func (c *local) retry(r *running, next *history.Timer, v verdict) {
	q := c.q
	wait := next.Due.Sub(q.cfg.Backend.Clock().Now())
	if wait > LongestRest {
		q.store(r, later(next), v)
		return
	}
	if !q.decide(r, v) {
		return
	}
	q.conclude(r, true, func() {
		c.rest(r, wait, func() { c.again(r.d.From, next) })
		r.ended(next.Task.LastErr)
	})
}

// rest leaves the slot and calls again after a while, or sooner if nobody waits for it any more.
func (c *local) rest(r *running, wait time.Duration, again func()) {
	q, clock := c.q, c.q.cfg.Backend.Clock()
	q.vacate(r)
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.running, r)
	if q.closed || c.canceled {
		wait = 0
	}
	c.now = nil
	q.resting[c] = struct{}{}
	stop := clock.After(wait, again)
	c.wake = func() {
		stop()
		clock.After(0, again)
	}
}

// again ends a rest, once.
func (c *local) again(from history.Address, next *history.Timer) {
	q := c.q
	q.mu.Lock()
	_, rests := q.resting[c]
	delete(q.resting, c)
	c.wake = nil
	canceled := c.canceled
	q.mu.Unlock()
	if !rests {
		return
	}
	defer q.idle.Done() // of the attempt before
	r := c.attempt(from, next.Task)
	switch {
	case canceled:
		c.done(0, nil)
	case !q.admit(r): // its rest may have been cut short
		q.idle.Add(1)
		r.decided.Store(true)
		q.put(r, later(next), firstRetry)
	}
}

// later is the task of an attempt that is left to the queue.
func later(next *history.Timer) *history.Task {
	t := *next.Task
	t.NotBefore = next.Due
	return &t
}

// vacate leaves the slot of a local activity: while its outcome is being stored the next one may begin.
func (q *Queue) vacate(r *running) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.placed {
		r.placed = false
		q.locals--
	}
}
