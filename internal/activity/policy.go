package activity

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// MaxAfter is the longest delay that an activity may choose for its next attempt; a longer one is cut.
const MaxAfter = 7 * 24 * time.Hour

// Merge fills the zero fields of a call's policy from the activity's.
func Merge(call *history.Policy, registered history.Policy) history.Policy {
	if call == nil {
		return registered
	}
	return history.Policy{
		Timeout: or(call.Timeout, registered.Timeout), Attempts: or(call.Attempts, registered.Attempts),
		First: or(call.First, registered.First), Backoff: or(call.Backoff, registered.Backoff),
		MaxInterval: or(call.MaxInterval, registered.MaxInterval), Jitter: or(call.Jitter, registered.Jitter),
		Deadline: or(call.Deadline, registered.Deadline), Heartbeat: or(call.Heartbeat, registered.Heartbeat),
	}
}

func or[T int | float64 | time.Duration](a, b T) T {
	if a == 0 {
		return b
	}
	return a
}

// since is when the first attempt was stored.
func (r *running) since() time.Time {
	if s := r.d.Task.Since; !s.IsZero() {
		return s
	}
	return r.d.Time
}

// deadline is when all attempts have had their time; zero: never.
func (r *running) deadline() time.Time {
	if r.policy.Deadline == 0 {
		return time.Time{}
	}
	return r.since().Add(r.policy.Deadline)
}

// limit is the time that an attempt has which begins now, and the cause when it is over.
func (r *running) limit(now time.Time) (time.Duration, error) {
	if end := r.deadline(); !end.IsZero() && end.Sub(now) < r.policy.Timeout {
		return max(end.Sub(now), 0), ErrDeadline
	}
	return r.policy.Timeout, ErrTimeout
}

// delay is the time between this attempt and the next one.
func (r *running) delay() time.Duration {
	return r.policy.Jittered(r.policy.Delay(r.d.Task.Attempt), rand.Float64())
}

// again says when the next attempt begins; if there is none, f tells why.
func (r *running) again(f *Failure, now time.Time) (due time.Time, ok bool) {
	if f.Final || f.Kind == history.FailDeadline || r.d.Task.Attempt >= r.policy.Attempts {
		return due, false
	}
	wait := r.delay()
	if f.After > 0 {
		wait = min(f.After, MaxAfter)
	}
	due = now.Add(wait)
	if end := r.deadline(); end.IsZero() || due.Before(end) {
		return due, true
	}
	f.Kind, f.LastErr = history.FailDeadline, f.Message
	f.Message = fmt.Sprintf("activity %s: its deadline of %v over all attempts leaves no time for another one: %s", r.d.Task.Name, r.policy.Deadline, f.Message)
	return due, false
}

// next schedules another attempt: the store publishes the task again, so a retry costs the orchestration no history.
func (r *running) next(due time.Time, lastErr string) *history.Timer {
	t := *r.d.Task
	t.Attempt++
	t.LastErr, t.Lapsed, t.Most = lastErr, false, 0
	if t.Policy == nil || t.Policy.Attempts == 0 { // else that tells
		t.Most = r.policy.Attempts
	}
	if r.policy.Deadline > 0 {
		t.Since = r.since()
	}
	return &history.Timer{Ref: t.Ref, Due: due, Task: &t}
}

// stillborn gives the failure of a task that is not to be run, nil for one that is.
func (q *Queue) stillborn(r *running) *Failure {
	t, p := r.d.Task, r.policy
	fail := func(kind string, attempt int, format string, args ...any) *Failure {
		return &Failure{Final: true, Failure: history.Failure{
			Kind: kind, Name: t.Name, Attempt: attempt, LastErr: t.LastErr, Message: "activity " + t.Name + fmt.Sprintf(format, args...),
		}}
	}
	end := r.deadline()
	switch {
	case q.cfg.Poison > 0 && r.d.Attempts > q.cfg.Poison:
		return fail(history.FailPoison, t.Attempt, " was delivered %d times without an answer: its worker dies or hangs on it", r.d.Attempts-1)
	case !end.IsZero() && !q.cfg.Backend.Clock().Now().Before(end):
		return fail(history.FailDeadline, max(t.Attempt-1, 1), ": its deadline of %v over all attempts has passed before attempt %d", p.Deadline, t.Attempt)
	case t.Lapsed && t.Attempt > p.Attempts:
		return fail(history.FailTimeout, t.Attempt-1, ": %s", t.LastErr)
	}
	return nil
}
