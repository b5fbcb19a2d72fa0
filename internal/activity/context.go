package activity

import (
	"context"
	"sync"
	"time"
)

// life is what the context package makes of an attempt: contexts, a timer, a place in the list of the queue's. It is made
// for the first who asks for it; most handlers that are quick never do.
type life struct {
	start time.Time // by the clock that timers keep; the backend, which may have another, must not be asked: it asks contexts

	lock sync.Mutex
	made context.Context // nil: nobody has asked yet
	stop context.CancelCauseFunc
	free context.CancelFunc
	why  error // what ended it first, if not its time or its queue
	left bool  // the handler has returned
}

type attemptKey struct{}

// AttemptOf gives the attempt that a handler's context belongs to, nil outside of one.
func AttemptOf(ctx context.Context) *Attempt {
	a, _ := ctx.Value(attemptKey{}).(*Attempt)
	return a
}

// Activity is the wire name of the activity, also when it was called by an alias.
func (a *Attempt) Activity() string { return a.q.cfg.Activity }

// Call is what the attempt runs.
func (a *Attempt) Call() Call { return Call{From: a.r.d.From, Task: a.r.d.Task} }

// Deadline implements context.Context.
func (a *Attempt) Deadline() (time.Time, bool) { return a.context().Deadline() }

// Done implements context.Context.
func (a *Attempt) Done() <-chan struct{} { return a.context().Done() }

// Err implements context.Context. context.Cause tells more: ErrTimeout, ErrDeadline, ErrHeartbeat, ErrCanceled or ErrStopped.
func (a *Attempt) Err() error { return a.context().Err() }

// Value implements context.Context. Package context asks here for what it needs of a parent.
func (a *Attempt) Value(key any) any {
	if _, mine := key.(attemptKey); mine {
		return a
	}
	return a.context().Value(key)
}

// String names the context where contexts are printed.
func (a *Attempt) String() string { return "activity.Attempt" }

// context makes what the attempt promises to be.
func (a *Attempt) context() context.Context {
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.made == nil {
		limit, cause := a.r.limit(a.began)
		outer, stop := context.WithCancelCause(a.q.ctx)
		a.made, a.free = context.WithDeadlineCause(outer, a.start.Add(limit), cause)
		a.stop = stop
		if a.left {
			a.close()
		}
	}
	return a.made
}

// cause is what has ended the attempt, nil while it has its time.
func (a *Attempt) cause() error { return context.Cause(a.context()) }

// cancel ends the attempt, unless something has before.
func (a *Attempt) cancel(why error) {
	a.context() // if its time is over, that has ended it
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.why == nil && !a.left {
		a.why = why
	}
	a.stop(why)
}

// aborted reports that nobody waits for the attempt any more.
func (a *Attempt) aborted() bool {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.why == ErrCanceled
}

// expire ends the context because the handler has returned.
func (a *Attempt) expire() {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.left = true
	if a.made != nil {
		a.close()
	}
}

// close gives back what the context holds. Lock held.
func (l *life) close() {
	l.free()
	l.stop(nil)
}
