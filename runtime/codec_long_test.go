package durable_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestDetailsAreEncoded: what an activity tells of its progress is a user's data, too.
func TestDetailsAreEncoded(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Copy"), flow("Call")
		a.Retry.Attempts = 3
		h.client = h.clientOn(h.coded("k1"))
		h.workOn(h.coded("k1"),
			durable.BindActivity(a, func(ctx context.Context, _ durable.None) (string, error) {
				details, _ := durable.HeartbeatDetails[string](ctx)
				if info, _ := durable.InfoOf(ctx); info.Attempt < 3 {
					return "", errors.Join(errGone, durable.Heartbeat(ctx, details+classified))
				}
				return details, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
				return call[string](ctx, a, nil, durable.RetryPolicy{First: time.Minute})
			}),
		)
		handle := start[string](h, o, nil)
		h.pass(30 * time.Second)
		beats := h.beats()
		if len(beats) != 1 {
			t.Errorf("the hub keeps the details of %d calls, want 1", len(beats))
		}
		for key, value := range beats {
			if strings.Contains(key+string(value), classified) {
				t.Errorf("the hub holds %s: %s", key, value)
			}
		}
		want(h, handle, classified+classified)
		h.pass(time.Second)
		if left := h.beats(); len(left) > 0 {
			t.Errorf("after the end the hub still has %q", left)
		}
	})
}

// TestPassedOnTaskKeepsItsDetailsAndDeadline: a worker without the key had the task in between.
func TestPassedOnTaskKeepsItsDetailsAndDeadline(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Copy"), flow("Call")
		a.Retry.Deadline = time.Minute
		h.client = h.clientOn(h.coded("k1"))
		began := time.Now()
		var once notes
		stuck, over := make(chan struct{}), make(chan struct{})
		activity := durable.BindActivity(a, func(ctx context.Context, _ durable.None) (string, error) {
			once.addf("run")
			if len(once.all()) == 1 {
				must(t, durable.Heartbeat(ctx, "half"))
				close(stuck)
				<-over
			}
			details, _ := durable.HeartbeatDetails[string](ctx)
			<-ctx.Done()
			return "", errors.Join(errors.New(details), context.Cause(ctx))
		})
		h.workOn(h.coded("k1"), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			return call[string](ctx, a, nil)
		}))
		first := h.coded("k1")
		dies := durable.NewWorker(first, registry(t, activity), durable.WorkerConfig{})
		must(t, dies.Start(t.Context()))
		handle := start[string](h, o, nil)
		<-stuck
		h.pass(time.Second)
		must(t, first.Close())
		without := h.workOn(h.coded("k2"), activity)
		h.pass(10 * time.Second)
		h.stop(without)
		h.workOn(h.coded("k1"), activity)
		err := fails(h, handle)
		close(over)
		_ = dies.Stop(t.Context())
		if !errors.Is(err, durable.ErrDeadline) {
			t.Errorf("got %v, want ErrDeadline", err)
		}
		says(t, err, "half")
		if took := taken(began).Round(10 * time.Second); took != time.Minute {
			t.Errorf("it took %v, want a minute from the call", took)
		}
	})
}

func TestCompletingWithoutTheKey(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Approve"), flow("Call")
		h.client = h.clientOn(h.coded("k1"))
		tokens := make(chan string, 1)
		h.workOn(h.coded("k1"),
			durable.BindActivity(a, func(ctx context.Context, _ string) (string, error) {
				token, err := durable.CompleteLater(ctx)
				tokens <- token
				return "", errors.Join(err, durable.ErrCompleteLater)
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, what string) (string, error) { return call[string](ctx, a, what) }),
		)
		handle := start[string](h, o, "the boat")
		token := <-tokens
		if err := h.clientOn(h.coded("k2")).CompleteActivity(t.Context(), token, "no"); !errors.Is(err, durable.ErrCodec) {
			t.Errorf("got %v, want ErrCodec", err)
		}
		must(t, h.client.CompleteActivity(t.Context(), token, "yes"))
		want(h, handle, "yes")
	})
}
