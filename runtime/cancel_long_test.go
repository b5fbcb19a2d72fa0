package durable_test

import (
	"context"
	"errors"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestCanceledCallRunsNoMore: what stands for its next attempt goes with it.
func TestCanceledCallRunsNoMore(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(ctx context.Context, over <-chan struct{}) error
	}{
		{"while it runs", func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return context.Cause(ctx) }},
		{"although it ignores its context", func(_ context.Context, over <-chan struct{}) error { <-over; return nil }},
		{"while somebody else completes it", func(ctx context.Context, _ <-chan struct{}) error {
			_, err := durable.CompleteLater(ctx)
			return errors.Join(err, durable.ErrCompleteLater)
		}},
		{"after it asked for a token", func(ctx context.Context, _ <-chan struct{}) error {
			_, err := durable.CompleteLater(ctx)
			<-ctx.Done()
			return errors.Join(err, durable.ErrCompleteLater)
		}},
		{"between two attempts", func(context.Context, <-chan struct{}) error { return durable.RetryAfter(errGone, 5*time.Minute) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := task("Long"), flow("Call")
				a.Timeout, a.Retry = durable.Timeout(10*time.Minute), durable.RetryPolicy{Attempts: 9}
				over := make(chan struct{})
				t.Cleanup(func() { close(over) })
				var did notes
				h.work(
					durable.BindActivity(a, func(ctx context.Context, _ durable.None) (durable.None, error) {
						did.addf("run")
						return durable.None{}, errors.Join(c.run(ctx, over), durable.Heartbeat(ctx, "somewhere"))
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (durable.None, error) {
						scoped, cancel := durable.WithTimeout(ctx, time.Minute)
						defer cancel()
						_, err := call[durable.None](scoped, a, nil)
						if !errors.Is(err, durable.ErrTimeout) {
							t.Errorf("the call gives %v", err)
						}
						return durable.None{}, durable.Sleep(ctx, 30*time.Minute)
					}),
				)
				want(h, start[durable.None](h, o, nil), durable.None{})
				if got := did.all(); len(got) != 1 {
					t.Errorf("it ran %d times, want once", len(got))
				}
				h.pass(time.Second)
				if got := len(h.m.Unacked()); got != 0 {
					t.Errorf("%d messages are not acknowledged", got)
				}
			})
		})
	}
}

// TestCanceledCallIsNotTriedAgain: the orchestrator does not ask Handle, nor begin attempts that end at once.
func TestCanceledCallIsNotTriedAgain(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Bank"), flow("Call")
		var did notes
		asked := 0
		h.work(
			durable.BindActivity(a, func(context.Context, durable.None) (durable.None, error) {
				did.addf("run")
				return durable.None{}, errGone
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				asked = 0
				scoped, cancel := durable.WithTimeout(ctx, time.Minute)
				defer cancel()
				_, err := call[durable.None](scoped, a, nil, durable.RetryPolicy{Attempts: 1000, First: 40 * time.Second, Backoff: 1, Handle: func(error) bool {
					asked++
					return true
				}})
				if !errors.Is(err, durable.ErrTimeout) {
					t.Errorf("the call gives %v", err)
				}
				return asked, durable.Sleep(ctx, 5*time.Minute)
			}),
		)
		want(h, start[int](h, o, nil), 2) // at 0 and 40 seconds
		if got := did.all(); len(got) != 2 {
			t.Errorf("it ran %d times, want twice", len(got))
		}
	})
}
