package durable

import (
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// WithCancel gives a context that cancel cancels, and that is cancelled with ctx. When it is, whatever was started with
// it, or with a context made from it, and is still pending completes at once with ErrCanceled: timers, activities,
// children and waits for events. A running activity sees its context end, a child is asked to cancel itself; neither is
// waited for. Afterwards nothing can be started or waited for with it.
//
// Calling cancel again does nothing. Any coroutine of the orchestration may call it, also in a deferred function.
func WithCancel(ctx Context) (scoped Context, cancel func()) {
	co := ctx.co
	s := co.Scope(ctx.scope)
	return Context{co, s}, func() { co.CancelScope(s, canceled) }
}

var canceled = &history.Failure{Kind: history.FailCanceled, Message: "canceled"}

// WithTimeout is WithCancel with a durable timer that cancels after d. What the timer ends gives ErrTimeout, not
// ErrCanceled. Call cancel when the work is done, so that the timer goes away.
func WithTimeout(ctx Context, d time.Duration) (scoped Context, cancel func()) {
	scoped, cancel = WithCancel(ctx)
	deadline := timer(scoped.co, scoped.scope, d)
	cause := &history.Failure{Kind: history.FailTimeout, Message: fmt.Sprintf("not done within %v", d)}
	scoped.co.Go(func(co *engine.Coroutine) {
		if co.Await(deadline); fired(deadline) {
			co.CancelScope(scoped.scope, cause)
		}
	})
	return scoped, cancel
}

// WithoutCancel gives a context that nothing cancels, for what has to be done after a cancellation: compensations.
func WithoutCancel(ctx Context) Context { return Context{ctx.co, ctx.co.Detached()} }

// Err says why the context was cancelled: ErrCanceled, or ErrTimeout when [WithTimeout] did it. nil while it was not.
func (c Context) Err() error {
	if f := c.co.Cause(c.scope); f != nil {
		return errorOf(f)
	}
	return nil
}

// Canceled is complete once the context is cancelled, for [Any] and [Select]; its error is then that of [Context.Err].
func (c Context) Canceled() Future[None] { return Future[None]{c.co.Cancelled(c.scope)} }
