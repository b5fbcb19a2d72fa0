package activity

import (
	"github.com/durablegen/durablegen/runtime/observe"
)

// verdict is what becomes of a task as hooks are told it; the zero verdict is of one that is only put off.
type verdict struct {
	outcome observe.Outcome
	kind    string // of its failure
}

// decide lets the first outcome of a task count, and tells of it.
func (q *Queue) decide(r *running, v verdict) (first bool) {
	if !r.decided.CompareAndSwap(false, true) {
		return false
	}
	f := q.cfg.Hooks.AttemptEnded
	if f == nil || v.outcome == "" {
		return true
	}
	end := observe.AttemptEnd{Attempt: q.told(r), Outcome: v.outcome, Kind: v.kind}
	if r.attempt.Load() != nil {
		end.Took = max(q.cfg.Backend.Clock().Now().Sub(r.own.began), 0)
	}
	f(end)
	return true
}

func (q *Queue) tellStarted(r *running) {
	if f := q.cfg.Hooks.AttemptStarted; f != nil {
		f(q.told(r))
	}
}

func (q *Queue) told(r *running) observe.Attempt {
	return observe.Attempt{
		Activity: q.cfg.Name, Number: r.d.Task.Attempt, Delivery: r.d.Attempts, Local: r.local != nil,
		Queued: max(r.own.began.Sub(r.d.Time), 0),
	}
}

// Status tells how the queue is now.
func (q *Queue) Status() observe.ActivityStatus {
	q.mu.Lock()
	defer q.mu.Unlock()
	return observe.ActivityStatus{Activity: q.cfg.Name, Slots: q.cfg.Slots, Running: len(q.running)}
}
