package durable_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestRewindKeepsScopes: what the failed run has cancelled is cancelled for the new one too, when it goes through the history.
func TestRewindKeepsScopes(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, f := flow("Scoped"), newFaulty("Step", 1)
		h.work(f.bind(), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			scoped, cancel := durable.WithCancel(ctx)
			timer := durable.NewTimer(scoped, time.Hour)
			durable.Sleep(ctx, time.Minute)
			cancel()
			err := timer.Wait(durable.WithoutCancel(ctx))
			_, failed := call[int](ctx, f.Activity, 1)
			return fmt.Sprint(errors.Is(err, durable.ErrCanceled)), failed
		}))
		handle := start[string](h, o, nil, durable.InstanceID("x"))
		says(t, fails(h, handle), "1 is broken")
		f.breaks()
		h.rewind("x")
		want(h, handle, "true")
	})
}
