package durable_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestALocalActivityOutlivesItsWorker: whoever gets the instance next sends it through the queue.
func TestALocalActivityOutlivesItsWorker(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := local("Stuck"), flow("Call")
		a.Timeout = durable.Timeout(time.Hour)
		stuck, over := make(chan struct{}), make(chan struct{})
		var times atomic.Int32
		bindings := []durable.Binding{
			durable.BindActivity(a, func(_ context.Context, n int) (int, error) {
				if times.Add(1) == 1 {
					close(stuck)
					<-over
				}
				return n + 1, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
				event := durable.ReceiveEvent[int](ctx, "late")
				n, err := call[int](ctx, a, n)
				if err != nil {
					return 0, err
				}
				late, err := event.Get(ctx)
				return n + late, err
			}),
		}
		view := h.m.View("dies")
		dies := durable.NewWorker(view, registry(t, bindings...), durable.WorkerConfig{})
		must(t, dies.Start(t.Context()))
		handle := start[int](h, o, 1)
		<-stuck
		must(t, h.client.Raise(t.Context(), handle.ID(), "late", 40)) // the start is acknowledged then, this is not
		h.pass(time.Minute)
		if open := h.m.Unacked(); len(open) == 0 {
			t.Error("nothing holds the instance while its activity runs")
		}
		must(t, view.Close())
		h.work(bindings...)
		want(h, handle, 42)
		close(over)
		_ = dies.Stop(t.Context())
		expectStored(t, h, "task 0 attempt 1", "done 0 attempt 1 queued")
	})
}

// TestStoppingWaitsForLocalActivities, as long as it waits for any; then they are the queue's.
func TestStoppingWaitsForLocalActivities(t *testing.T) {
	for _, c := range []struct {
		name   string
		drain  time.Duration
		stored []string
	}{
		{"long enough", time.Minute, []string{"done 0 attempt 1 local", "done 1 attempt 1 local"}},
		{"not long enough", time.Second, []string{"task 0 attempt 1", "done 0 attempt 1 queued", "done 1 attempt 1 local"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := local("Slow"), flow("Call")
				var did notes
				bindings := []durable.Binding{
					durable.BindActivity(a, func(ctx context.Context, n int) (int, error) {
						select {
						case <-time.After(5 * time.Second):
							return n + 1, nil
						case <-ctx.Done():
							did.addf("%v", context.Cause(ctx))
							return 0, ctx.Err()
						}
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
						n, err := call[int](ctx, a, n)
						if err != nil {
							return 0, err
						}
						return call[int](ctx, a, n)
					}),
				}
				w := h.work(bindings...)
				handle := start[int](h, o, 40)
				h.pass(2 * time.Second)
				drain, cancel := context.WithTimeout(t.Context(), c.drain)
				defer cancel()
				must(t, w.Stop(drain))
				if ended := len(did.all()) > 0; ended != (c.drain < 5*time.Second) {
					t.Errorf("what ended contexts: %q", did.all())
				}
				h.work(bindings...)
				want(h, handle, 42)
				expectStored(t, h, c.stored...)
			})
		})
	}
}

// TestLocalActivitiesGoThroughTheQueue where the worker cannot run them.
func TestLocalActivitiesGoThroughTheQueue(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		elsewhere, many, limited, o := local("Elsewhere"), local("Many"), task("Limited"), flow("Call")
		limited.Concurrency = 1
		double := func(_ context.Context, n int) (int, error) { return 2 * n, nil }
		h.work(durable.BindActivity(elsewhere, double))
		full := make(chan struct{})
		h.workAs(durable.WorkerConfig{Slots: 2}, durable.BindActivity(limited, double),
			durable.BindActivity(many, func(_ context.Context, n int) (int, error) { <-full; return n, nil }),
			durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
				a, err := call[int](ctx, elsewhere, n)
				if err != nil {
					return 0, err
				}
				b, err := call[int](ctx, limited, a, durable.Local(true))
				if err != nil {
					return 0, err
				}
				var fs []durable.Future[int]
				for range 3 {
					fs = append(fs, durable.StartActivity[int](ctx, many, b))
				}
				results, err := durable.Collect(ctx, fs)
				return results[0] + results[1] + results[2], err
			}))
		handle := start[int](h, o, 1)
		h.pass(time.Second)
		close(full)
		want(h, handle, 12)
		got := counted(h.outcomes())
		for _, one := range []string{"task 0 attempt 1", "done 0 attempt 1 queued", "task 1 attempt 1", "done 1 attempt 1 queued", "task 4 attempt 1", "done 4 attempt 1 queued", "done 2 attempt 1 local", "done 3 attempt 1 local"} {
			if got[one] != 1 {
				t.Errorf("the log holds %q %d times, want once", one, got[one])
			}
		}
	})
}

// TestStoppingDoesNotWaitForLocalRetries: one that rests between two attempts is the queue's at once.
func TestStoppingDoesNotWaitForLocalRetries(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := local("Flaky"), flow("Retry")
		a.Retry = durable.RetryPolicy{Attempts: 2, First: 9 * time.Second}
		bindings := []durable.Binding{
			durable.BindActivity(a, func(ctx context.Context, n int) (int, error) {
				if info, _ := durable.InfoOf(ctx); info.Attempt == 1 {
					return 0, errors.New("not yet")
				}
				return 2 * n, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) { return call[int](ctx, a, n) }),
		}
		w := h.work(bindings...)
		handle := start[int](h, o, 21)
		h.pass(time.Second)
		begin := time.Now()
		h.stop(w)
		if took := taken(begin); took > time.Second {
			t.Errorf("the stop took %v", took)
		}
		expectStored(t, h, "task 0 attempt 2")
		h.work(bindings...)
		want(h, handle, 42)
		if took := taken(begin); took < 7*time.Second || took > 10*time.Second {
			t.Errorf("the second attempt came after %v, want it when it was due", took)
		}
	})
}
