package activity

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// What ends the context of an attempt; each is its cause.
var (
	ErrTimeout   = errors.New("durable: timed out")
	ErrDeadline  = fmt.Errorf("%w: the deadline over all its attempts has passed", ErrTimeout)
	ErrHeartbeat = fmt.Errorf("%w: it was silent for longer than its heartbeat allows", ErrTimeout)
)

// Attempt is the context of a handler, and what it can do beside returning. Its methods may be called by many
// goroutines at once.
type Attempt struct {
	q     *Queue
	r     *running
	began time.Time
	life

	mu      sync.Mutex
	over    bool      // its outcome is decided
	beaten  time.Time // when it has beaten last
	unwatch func()
	keeper  *keeper // of the details; nil before the first

	later    sync.Mutex
	deferred bool // the schedule that stands in for its outcome is stored
}

// begin lets the handler have the attempt of a task.
func (q *Queue) begin(r *running) *Attempt {
	a := &r.own
	r.attempt.Store(a)
	q.tellStarted(r)
	a.watch()
	return a
}

// judge says of a failure that it is the end of the attempt's time.
func (a *Attempt) judge(f *Failure) {
	kind, why := a.cut(a.cause())
	if kind == "" || f.Final {
		return
	}
	f.Kind = kind
	if kind != history.FailTimeout {
		f.Message = why + ": " + f.Message
	}
}

// cut tells which of its times the attempt has used up, "" when none.
func (a *Attempt) cut(cause error) (kind, why string) {
	p := a.r.policy
	switch cause {
	case ErrTimeout:
		return history.FailTimeout, fmt.Sprintf("no result after %v", p.Timeout)
	case ErrDeadline:
		return history.FailDeadline, fmt.Sprintf("the deadline of %v over all attempts has passed", p.Deadline)
	case ErrHeartbeat:
		return history.FailHeartbeat, fmt.Sprintf("no heartbeat for %v", p.Heartbeat)
	}
	return "", ""
}

// overdue fails an attempt whose handler goes on although its time is over.
func (q *Queue) overdue(r *running) {
	a := r.attempt.Load()
	if a == nil {
		return // it has not begun: its outcome is being stored
	}
	cause := a.cause()
	if cause == ErrCanceled {
		q.drop(r)
		return
	}
	if cause == nil { // its timer is of another clock than the backend's
		_, cause = r.limit(a.began)
	}
	kind, why := a.cut(cause)
	q.fail(r, &Failure{Failure: history.Failure{
		Kind: kind, Name: r.d.Task.Name, Attempt: r.d.Task.Attempt,
		Message: fmt.Sprintf("activity %s: %s, and its function ignores the end of its context", r.d.Task.Name, why),
	}})
}

// drop ends a task that nobody waits for any more: there is no outcome, and no other attempt either.
func (q *Queue) drop(r *running) {
	if q.decide(r, verdict{outcome: observe.Canceled}) {
		q.conclude(r, false, func() { q.settled(r) })
	}
}

// settled acknowledges a task that will never run again, after what it may have left is removed.
func (q *Queue) settled(r *running) {
	q.unschedule(r, func() {
		q.forget(r)
		q.release(r, true)
	})
}

// conclude ends what the attempt does beside its handler, then goes on. The last details are stored by then if again says
// that anybody may ask for them.
func (q *Queue) conclude(r *running, again bool, then func()) {
	a := r.attempt.Load()
	if a == nil {
		then()
		return
	}
	keeper, first := a.end()
	if keeper == nil || !first {
		then()
		return
	}
	go func() {
		keeper.finish(again)
		then()
	}()
}

// end says that the outcome is decided; first, that nobody has said so before.
func (a *Attempt) end() (k *keeper, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first, a.over = !a.over, true
	if a.unwatch != nil {
		a.unwatch()
	}
	return a.keeper, first
}

// leave is the return of the handler.
func (a *Attempt) leave() {
	if !a.r.decided.Load() {
		return
	}
	if k, first := a.end(); k != nil && first { // it was decided before the attempt began
		k.finish(false)
	}
}
