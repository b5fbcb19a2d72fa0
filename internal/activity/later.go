package activity

import (
	"context"
	"fmt"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Later makes the token that completes this call from outside. First it stores what happens if nobody does: when the
// attempt has had its time, the store publishes the task as the next attempt. That comes before the token is known to
// anybody, so that a completion always finds it and removes it.
func (a *Attempt) Later(ctx context.Context) (history.Token, error) {
	if a.r.local != nil {
		return history.Token{}, errLocal
	}
	a.later.Lock()
	defer a.later.Unlock()
	t := a.r.d.Task
	token := history.Token{Address: a.r.d.From, Ref: t.Ref, Name: t.Name, Hash: history.ArgsHash(t.Args), Attempt: t.Attempt}
	if a.deferred {
		return token, nil
	}
	if err := a.cause(); err != nil {
		return history.Token{}, err
	}
	stored := make(chan error, 1)
	a.q.cfg.Backend.Append(backend.Append{To: a.r.d.From, Record: a.lapse()}, func(_ uint64, err error) { stored <- err })
	select {
	case err := <-stored:
		if err != nil {
			return history.Token{}, err
		}
	case <-ctx.Done():
		return history.Token{}, context.Cause(ctx)
	}
	a.deferred = true
	return token, nil
}

// lapse is the schedule of the attempt after one that nobody completes.
func (a *Attempt) lapse() *history.Timer {
	r := a.r
	limit, cause := r.limit(a.began)
	due := a.began.Add(limit)
	if cause == ErrTimeout && r.d.Task.Attempt < r.policy.Attempts {
		due = due.Add(r.delay())
		if end := r.deadline(); !end.IsZero() && due.After(end) {
			due = end
		}
	}
	timer := r.next(due, fmt.Sprintf("not completed from outside within %v", limit))
	timer.Task.Lapsed = true
	return timer
}

// put off acknowledges a task whose outcome comes from outside.
func (q *Queue) putOff(r *running, f *Failure) {
	a := r.attempt.Load()
	a.later.Lock()
	deferred := a.deferred
	a.later.Unlock()
	if !deferred {
		f.Later, f.Final = false, true
		f.Message = fmt.Sprintf("activity %s says that it is completed later, but has got no token from CompleteLater: nobody could complete it", r.d.Task.Name)
		q.fail(r, f)
		return
	}
	if q.decide(r, verdict{outcome: observe.Deferred}) {
		q.conclude(r, true, func() { q.release(r, true) })
	}
}

// unschedule removes what stands in for an outcome, now that there is one, and goes on.
func (q *Queue) unschedule(r *running, then func()) {
	deferred := false
	if a := r.attempt.Load(); a != nil {
		a.later.Lock()
		deferred = a.deferred
		a.later.Unlock()
	}
	if !deferred && r.d.Attempts <= 1 { // a worker that died may have left one
		then()
		return
	}
	q.cfg.Backend.CancelTimer(r.d.From, r.d.Task.Ref, func(err error) {
		if err != nil {
			q.cfg.Logger.Warn("durable: an activity that is complete may run once more: its schedule is not removed", observe.KeyActivity, q.cfg.Name, observe.KeyInstance, r.d.From.ID, observe.KeyError, err)
		}
		then()
	})
}
