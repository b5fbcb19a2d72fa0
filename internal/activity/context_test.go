package activity_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

// seen is what a handler sees of the end of its context, and of one that it has made from it.
type seen struct {
	at                    time.Duration
	err, cause            error
	childErr, childsCause error
}

// TestContextEnds: a context ends by what ends the attempt, and says the same to who has waited for it, to who asks
// afterwards for the first time, and to contexts made from it.
func TestContextEnds(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy history.Policy
		at     time.Duration
		end    func(r *rig, q *activity.Queue) // at that time; nil: by itself
		err    error
		cause  error
	}{
		{"timeout", history.Policy{Timeout: 10 * time.Second}, 10 * time.Second, nil, context.DeadlineExceeded, activity.ErrTimeout},
		{"deadline", history.Policy{Deadline: 7 * time.Second}, 7 * time.Second, nil, context.DeadlineExceeded, activity.ErrDeadline},
		{"heartbeat", history.Policy{Heartbeat: 5 * time.Second}, 5 * time.Second, nil, context.Canceled, activity.ErrHeartbeat},
		{"nobody waits any more", history.Policy{}, 3 * time.Second, func(r *rig, _ *activity.Queue) {
			r.m.View("owner").Signal(backend.AbortTopic("a"), backend.Abort{From: caller, Ref: history.Ref{Run: 1}}.Encode())
		}, context.Canceled, activity.ErrCanceled},
		{"nobody waits for what has had its time", history.Policy{Timeout: 2 * time.Second}, 2*time.Second + 100*time.Millisecond, func(r *rig, _ *activity.Queue) {
			r.m.View("owner").Signal(backend.AbortTopic("a"), backend.Abort{From: caller, Ref: history.Ref{Run: 1}}.Encode())
		}, context.DeadlineExceeded, activity.ErrTimeout},
		{"the worker stops", history.Policy{}, 4 * time.Second, func(r *rig, q *activity.Queue) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			go q.Stop(ctx)
		}, context.Canceled, activity.ErrStopped},
	} {
		for _, late := range []bool{false, true} {
			name := c.name + ", waited for"
			if late {
				name = c.name + ", asked for later"
			}
			t.Run(name, func(t *testing.T) {
				inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
					saw := make(chan seen, 1)
					q := r.serve(r.m.View("worker"), func(ctx context.Context, call activity.Call) (history.Payload, *activity.Failure) {
						begin := time.Now()
						if late {
							<-time.After(c.at + 200*time.Millisecond)
						}
						child, cancel := context.WithTimeout(ctx, time.Hour)
						defer cancel()
						<-child.Done()
						<-ctx.Done()
						saw <- seen{time.Since(begin), ctx.Err(), context.Cause(ctx), child.Err(), context.Cause(child)}
						return failing(ctx, call)
					})
					r.schedule(0, &c.policy)
					if c.end != nil {
						r.pass(c.at)
						c.end(r, q)
					}
					got := <-saw
					want := seen{c.at, c.err, c.cause, c.err, c.cause}
					if late {
						want.at += 200 * time.Millisecond
					} else if c.cause == activity.ErrTimeout {
						want.at = c.policy.Timeout.Truncate(time.Second)
					}
					if got != want {
						t.Errorf("the handler saw %+v, want %+v", got, want)
					}
				})
			})
		}
	}
}

// TestContextEndsWithTheHandler: goroutines that the handler leaves behind see an end, whether or not somebody asked before.
func TestContextEndsWithTheHandler(t *testing.T) {
	for _, asked := range []bool{false, true} {
		inRigNamed(t, map[bool]string{false: "asked for later", true: "asked for before"}[asked], func(t *testing.T, r *rig) {
			kept := make(chan context.Context, 1)
			r.serve(r.m.View("worker"), func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
				if asked && ctx.Err() != nil {
					t.Error("it has ended before")
				}
				kept <- ctx
				return ok(ctx, c)
			})
			r.schedule(0, nil)
			ctx := <-kept
			r.pass(time.Second)
			if err := ctx.Err(); err != context.Canceled {
				t.Errorf("after the handler: %v, want context.Canceled", err)
			}
			select {
			case <-ctx.Done():
			default:
				t.Error("Done is not closed")
			}
			r.settled(`slot 0, attempt 1: result "fine"`)
		})
	}
}

func inRigNamed(t *testing.T, name string, test func(t *testing.T, r *rig)) {
	t.Run(name, func(t *testing.T) { inRig(t, membackend.Config{}, test) })
}

// TestContextIsAParent: what package context makes of a context can be made of an attempt.
func TestContextIsAParent(t *testing.T) {
	type key struct{}
	inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
		r.serve(r.m.View("worker"), func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			begin := time.Now()
			<-time.After(time.Second)
			if end, has := ctx.Deadline(); !has || end.Sub(begin) != 10*time.Second {
				t.Errorf("Deadline is %v after the beginning, %v, want 10s", end.Sub(begin), has)
			}
			sooner, cancel := context.WithTimeoutCause(context.WithValue(ctx, key{}, "mine"), time.Second, errors.New("too slow"))
			defer cancel()
			<-sooner.Done()
			if sooner.Err() != context.DeadlineExceeded || context.Cause(sooner).Error() != "too slow" || ctx.Err() != nil {
				t.Errorf("a child ended with %v, %v, and its parent with %v", sooner.Err(), context.Cause(sooner), ctx.Err())
			}
			if activity.AttemptOf(sooner) != ctx || sooner.Value(key{}) != "mine" || ctx.Value(key{}) != nil {
				t.Error("a child does not know its values, or its parent knows them")
			}
			later, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			if end, _ := later.Deadline(); end.Sub(begin) != 10*time.Second {
				t.Errorf("a child may go on for %v, want 10s", end.Sub(begin))
			}
			freed, ran := context.WithoutCancel(ctx), make(chan struct{})
			context.AfterFunc(ctx, func() { close(ran) })
			<-ran
			if freed.Err() != nil || context.Cause(freed) != nil || ctx.Err() == nil {
				t.Errorf("without cancel: %v, %v; the context itself: %v", freed.Err(), context.Cause(freed), ctx.Err())
			}
			return ok(ctx, c)
		})
		r.schedule(0, &history.Policy{Timeout: 10 * time.Second})
		r.pass(11 * time.Second)
		r.settled(`slot 0, attempt 1: result "fine"`)
	})
}

// TestNoGoroutineWaitsInAnIdleQueue: the bubble tells at its end if there is one.
func TestNoGoroutineWaitsInAnIdleQueue(t *testing.T) {
	inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
		_, err := activity.Start(t.Context(), activity.Config{
			Backend: r.m.View("worker"), Name: "a", Run: ok, Slots: 10, Logger: slog.New(slog.DiscardHandler),
			Policy: history.Policy{Timeout: time.Minute, Attempts: 1},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{}
		for range 3 {
			r.schedule(0, nil)
			want = append(want, `slot 0, attempt 1: result "fine"`)
		}
		r.pass(3 * time.Second)
		r.settled(want...)
	})
}
