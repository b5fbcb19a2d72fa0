package durable

import (
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Within is [Future.Get] with patience: it waits for at most d of the orchestration's time. The error of a wait that was
// in vain is ErrTimeout, and context.DeadlineExceeded, for errors.Is.
//
// The message that comes first decides, the same on every replay; a result that is there already wins, also when d is
// not positive, and then no timer is made. The timer of a wait that it did not end is cancelled. What was waited for
// goes on, unlike with [WithTimeout]: it may be waited for again, and an event that comes later is not lost to the wait that
// has ended. When ctx is cancelled first the error is that of [Context.Err].
func (f Future[T]) Within(ctx Context, d time.Duration) (T, error) {
	var zero T
	if f.there(ctx) {
		return f.Get(ctx)
	}
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	if d <= 0 {
		return zero, f.late(d)
	}
	deadline := NewTimer(ctx, d)
	defer deadline.Stop()
	Any(ctx, f, deadline)
	if !f.Ready() && deadline.Fired() {
		return zero, f.late(d)
	}
	return f.Get(ctx)
}

// there reports whether Get would return at once; unlike Ready it takes an event that was kept for it. A wait that
// nothing can make longer asks the engine.
func (f Future[T]) there(ctx Context) bool {
	over := ctx.co.Promise()
	ctx.co.Give(over, nil)
	return ctx.co.Await(f.f, over) == 0
}

func (f Future[T]) late(d time.Duration) error {
	what := f.f.String()
	if what == "" {
		what = "a coroutine"
	}
	return &codeError{message: fmt.Sprintf("durable: %s did not come within %v", what, d), causes: kinds[history.FailTimeout]}
}
