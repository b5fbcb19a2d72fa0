package durable

import (
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// nonRetryable marks an error that another attempt would not mend.
type nonRetryable struct{ error }

func (e nonRetryable) Unwrap() error { return e.error }

// NonRetryable marks an activity's error as one that another attempt would not mend. nil stays nil.
func NonRetryable(err error) error {
	if err == nil {
		return nil
	}
	return nonRetryable{err}
}

// MaxRetryAfter is the longest delay that [RetryAfter] chooses; a longer one is cut.
const MaxRetryAfter = activity.MaxAfter

// retryLater marks an error with the delay before the next attempt.
type retryLater struct {
	error
	delay time.Duration
}

func (e retryLater) Unwrap() error { return e.error }

// RetryAfter marks an activity's error with the time after which another attempt makes sense, as a server says with
// Retry-After. It takes the place of the delay in the policy, without jitter; the attempt counts as any other, so after
// the last one, or when the policy's Deadline comes before, the error is final. A millisecond is the least, MaxRetryAfter
// the most. An error in its tree that is NonRetryable wins. nil stays nil.
func RetryAfter(err error, d time.Duration) error {
	if err == nil {
		return nil
	}
	return retryLater{err, min(max(d, time.Millisecond), MaxRetryAfter)}
}

// retries says when the orchestrator itself tries again: children, and activities whose policy has a Handle.
type retries struct {
	policy history.Policy // without zero fields
	handle func(error) bool
	what   string // for an error
	args   engine.Arguments
}

// retry schedules a slot for each attempt until one succeeds: in a coroutine of its own, so that it advances whether
// awaited or not. left is the time until the deadline, 0 if there is none.
func retry[R any](ctx Context, r retries, slot func(n int, left time.Duration) history.Slot) Future[R] {
	f, site := ctx.co.Promise(), ctx.co.Site()
	ctx.co.Go(func(co *engine.Coroutine) {
		var end time.Time
		if r.policy.Deadline > 0 {
			end = co.Now().Add(r.policy.Deadline)
		}
		for n := 1; ; n++ {
			var left time.Duration
			if !end.IsZero() {
				left = end.Sub(co.Now())
			}
			s := slot(n, left)
			s.Site = site
			try := co.ScheduleArgs(ctx.scope, s, r.args)
			co.Await(try)
			result, failure := try.Result()
			if co.Cause(ctx.scope) != nil { // nothing can be started any more
				co.Resolve(f, result, failureAt(try, failure))
				return
			}
			wait, again, failure := r.next(co, n, end, failure)
			if !again {
				co.Resolve(f, result, failureAt(try, failure))
				return
			}
			co.Await(co.ScheduleIn(ctx.scope, timerSlot(co, wait, site)))
		}
	})
	return reading[R](ctx, f)
}

// next says when to try again after attempt n, or what its failure is for good.
func (r retries) next(co *engine.Coroutine, n int, end time.Time, failure *history.Failure) (wait time.Duration, again bool, _ *history.Failure) {
	if failure == nil {
		return 0, false, nil
	}
	if f := *failure; f.Attempt > 0 { // an activity, whose slot knows one attempt only
		f.Attempt = n
		failure = &f
	}
	if n >= r.policy.Attempts || failure.Final || final(failure.Kind) {
		return 0, false, failure
	}
	if r.handle != nil && !r.handle(errorOf(failure)) {
		return 0, false, failure
	}
	wait = r.policy.Delay(n)
	if r.policy.Jitter > 0 {
		wait = r.policy.Jittered(wait, co.Rand().Float64())
	}
	if failure.After > 0 {
		wait = min(failure.After, MaxRetryAfter)
	}
	if end.IsZero() || co.Now().Add(wait).Before(end) {
		return wait, true, failure
	}
	late := *failure
	late.Kind, late.LastErr = history.FailDeadline, failure.Message
	late.Message = fmt.Sprintf("%s: its deadline of %v over all attempts leaves no time for another one: %s", r.what, r.policy.Deadline, failure.Message)
	return 0, false, &late
}

// final reports a failure of a child that another attempt does not mend.
func final(kind string) bool {
	return kind == history.FailTerminated || kind == history.FailCanceled || kind == history.FailConflict
}
