package durable

import (
	"context"

	"github.com/durablegen/durablegen/internal/activity"
)

// MaxHeartbeat is how many bytes the details of a heartbeat may have, as JSON.
const MaxHeartbeat = 64 << 10

// Heartbeat tells that the activity of ctx goes on, and how far it is: its next attempt reads details with
// [HeartbeatDetails], also when this one ends because its worker is killed. nil keeps the details told before. It may be
// called as often as one likes, also by many goroutines: it does not wait for the store, which takes the newest details
// at most once a second and when the attempt ends.
//
// The error says why the activity should stop, nil while it should go on: ErrTimeout, ErrCanceled and what else ends its context, and
// ErrPayload when details cannot be written as JSON of at most [MaxHeartbeat] bytes. Outside of an activity it only tells
// whether ctx has ended.
func Heartbeat(ctx context.Context, details any) error {
	a := activity.AttemptOf(ctx)
	if a == nil {
		return context.Cause(ctx)
	}
	if details == nil {
		return a.Beat(nil)
	}
	payload, failure := encode(details)
	if failure == nil && len(payload) > MaxHeartbeat {
		failure = tooLarge(details, len(payload), MaxHeartbeat)
	}
	if failure == nil {
		return a.Beat(payload)
	}
	if err := a.Beat(nil); err != nil {
		return err
	}
	return errorOf(failure)
}

// HeartbeatDetails gives what the last attempt of this call that told details told last; ok is false when none has, when
// they do not fit T, or outside of an activity. The first attempt never has any, and asks nobody; later ones may wait for
// the store, as long as ctx.
func HeartbeatDetails[T any](ctx context.Context) (details T, ok bool) {
	a := activity.AttemptOf(ctx)
	if a == nil {
		return details, false
	}
	payload, ok := a.Details(ctx)
	if !ok {
		return details, false
	}
	details, err := decode[T](payload)
	if err != nil {
		var zero T
		return zero, false
	}
	return details, true
}
