// Package durlib is what other packages of the corpus call: helpers, and activities of its own.
package durlib

import (
	"context"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// Print is an activity.
//
//durable:activity
func Print(ctx context.Context, text string) (int, error) { return len(text), nil }

// Both begins two prints.
func Both(ctx durable.Context, a, b string) (durable.Future[int], durable.Future[int]) {
	return PrintActivity.Start(ctx, a), PrintActivity.Start(ctx, b)
}

// Begin begins a print.
func Begin(ctx durable.Context, text string) durable.Future[int] {
	return PrintActivity.Start(ctx, text)
}

// Await waits.
func Await(ctx durable.Context, f durable.Future[int]) (int, error) { return f.Get(ctx) }

// Forget does not.
func Forget(ctx durable.Context, f durable.Future[int]) {}

// Inline calls the activity as it is.
func Inline(text string) (int, error) { return Print(context.Background(), text) }

// Pause lets others run.
func Pause(ctx durable.Context) error { return durable.Sleep(ctx, time.Minute) }

// Step takes a place in the history.
func Step(ctx durable.Context) error {
	_, err := PrintActivity.Call(ctx, "step")
	return err
}

// Spawn runs fn as a coroutine.
func Spawn(ctx durable.Context, fn func(ctx durable.Context) (int, error)) durable.Future[int] {
	return durable.Go(ctx, fn)
}

// Ended waits for a standard context.
func Ended(std context.Context) bool { return std.Err() != nil } // only whoever is an orchestrator may not
