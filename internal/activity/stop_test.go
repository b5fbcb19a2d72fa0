package activity_test

import (
	"context"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

func TestStop(t *testing.T) {
	heeds := func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
		select {
		case <-time.After(20 * time.Second):
			return ok(ctx, c)
		case <-ctx.Done():
			return nil, &activity.Failure{Failure: history.Failure{Message: context.Cause(ctx).Error()}}
		}
	}
	ignores := func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
		<-time.After(40 * time.Second)
		return ok(ctx, c)
	}
	for _, c := range []struct {
		name  string
		run   handler
		most  time.Duration // that Stop may wait
		takes time.Duration
		left  int // tasks for others
	}{
		{"waits for what runs", heeds, time.Minute, 19 * time.Second, 0},
		{"gives back what is not ready", heeds, 10 * time.Second, 10 * time.Second, 1},
		{"does not wait for what ignores its context", ignores, 10 * time.Second, 10*time.Second + 500*time.Millisecond, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
				q := r.serve(r.m.View("worker"), c.run)
				r.schedule(0, &history.Policy{Attempts: 5})
				r.pass(time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), c.most)
				defer cancel()
				begin := time.Now()
				q.Stop(ctx)
				if took := time.Since(begin); took != c.takes {
					t.Errorf("it took %v, want %v", took, c.takes)
				}
				if got := len(r.m.Unacked()); got != c.left {
					t.Errorf("%d tasks are left for others, want %d", got, c.left)
				}
				if c.left > 0 {
					r.serve(r.m.View("other"), ok)
				}
				r.pass(time.Minute)
				r.settled(`slot 0, attempt 1: result "fine"`)
			})
		})
	}
}

// TestStopWithoutAStore: a worker that cannot store what it has does not hang for ever.
func TestStopWithoutAStore(t *testing.T) {
	inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
		view := r.m.View("worker")
		began := make(chan struct{})
		q := r.serve(view, func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			close(began)
			<-time.After(time.Second)
			return ok(ctx, c)
		})
		r.schedule(0, nil)
		<-began
		view.Disconnect()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		q.Stop(ctx)
		if got := len(r.m.Unacked()); got != 1 {
			t.Errorf("%d tasks are left for others, want 1", got)
		}
		view.Reconnect()
		r.pass(time.Minute)
		r.serve(r.m.View("other"), ok)
		r.pass(time.Minute)
		r.settled(`slot 0, attempt 1: result "fine"`)
	})
}
