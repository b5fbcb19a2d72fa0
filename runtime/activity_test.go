package durable_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

func TestActivityIsTriedAgainByItsPolicy(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a := task("Flaky")
		a.Retry = durable.RetryPolicy{Attempts: 4, First: time.Second, Backoff: 3}
		o := flow("Retry")
		var did notes
		h.work(
			durable.BindActivity(a, func(ctx context.Context, n int) (int, error) {
				info, ok := durable.InfoOf(ctx)
				did.addf("%v %s %d %q", ok, info.Activity, info.Attempt, info.LastError)
				if info.Attempt < 4 {
					return 0, errors.New("not yet")
				}
				return 2 * n, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) { return call[int](ctx, a, n) }),
		)
		handle := start[int](h, o, 21)
		begin := time.Now()
		want(h, handle, 42)
		// 1 s, 3 s, 9 s between the attempts, and whatever the worker needs to join.
		if took := taken(begin); took < 13*time.Second || took > 14*time.Second {
			t.Errorf("four attempts took %v, want 13 s", took)
		}
		if diff := cmp.Diff([]string{
			`true flow.Flaky 1 ""`, `true flow.Flaky 2 "not yet"`, `true flow.Flaky 3 "not yet"`, `true flow.Flaky 4 "not yet"`,
		}, did.all()); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
	})
}

func TestActivityFailsAfterItsLastAttempt(t *testing.T) {
	busy := errors.New("busy")
	for _, c := range []struct {
		name       string
		registered durable.RetryPolicy
		called     []durable.CallOption
		fail       func() error
		attempts   int
	}{
		{"one attempt by default", durable.RetryPolicy{}, nil, func() error { return busy }, 1},
		{"as registered", durable.RetryPolicy{Attempts: 3}, nil, func() error { return busy }, 3},
		{"as called", durable.RetryPolicy{Attempts: 3}, []durable.CallOption{durable.RetryPolicy{Attempts: 2, First: time.Minute}}, func() error { return busy }, 2},
		{"not to be tried again", durable.RetryPolicy{Attempts: 3}, nil, func() error { return durable.NonRetryable(busy) }, 1},
		{"a wrapped one neither", durable.RetryPolicy{Attempts: 3}, nil, func() error { return errors.Join(busy, durable.NonRetryable(busy)) }, 1},
		{"a panic is final", durable.RetryPolicy{Attempts: 3}, nil, func() error { panic(busy) }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := task("Busy"), flow("Call")
				a.Retry = c.registered
				var did notes
				h.work(
					durable.BindActivity(a, func(context.Context, durable.None) (durable.None, error) {
						did.addf("tried")
						return durable.None{}, c.fail()
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
						_, err := call[durable.None](ctx, a, nil, c.called...)
						var failed *durable.ActivityError
						if !errors.As(err, &failed) {
							t.Errorf("the orchestrator gets %v, want an ActivityError", err)
							return 0, nil
						}
						if failed.Activity != a.Name || failed.Message == "" {
							t.Errorf("the orchestrator gets %+v", failed)
						}
						return failed.Attempt, nil
					}),
				)
				want(h, start[int](h, o, nil), c.attempts)
				if got := len(did.all()); got != c.attempts {
					t.Errorf("%d attempts, want %d", got, c.attempts)
				}
			})
		})
	}
}

func TestActivityPanicGivesItsStack(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Explode"), flow("Call")
		h.work(
			durable.BindActivity(a, func(context.Context, durable.None) (durable.None, error) { panic("boom") }),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (durable.None, error) {
				return call[durable.None](ctx, a, nil)
			}),
		)
		err := fails(h, start[durable.None](h, o, nil))
		var failed *durable.ActivityError
		if !errors.Is(err, durable.ErrPanic) || !errors.As(err, &failed) {
			t.Fatalf("got %v, want an ActivityError of a panic", err)
		}
		says(t, errors.New(failed.Stack), "activity_test.go")
		says(t, err, "flow.Call", "flow.Explode", "attempt 1", "panic: boom")
	})
}

func TestActivityTimesOut(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(ctx context.Context, over <-chan struct{}) error
		says string
	}{
		{"it heeds its context", func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return ctx.Err() }, "deadline exceeded"},
		{"it does not", func(_ context.Context, over <-chan struct{}) error { <-over; return nil }, "ignores the end of its context"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := task("Slow"), flow("Call")
				a.Timeout = durable.Timeout(time.Hour)
				over := make(chan struct{})
				t.Cleanup(func() { close(over) })
				h.work(
					durable.BindActivity(a, func(ctx context.Context, _ durable.None) (durable.None, error) {
						return durable.None{}, c.run(ctx, over)
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (durable.None, error) {
						return call[durable.None](ctx, a, nil, durable.Timeout(time.Minute), durable.RetryPolicy{Attempts: 2, First: time.Second})
					}),
				)
				begin := time.Now()
				err := fails(h, start[durable.None](h, o, nil))
				if !errors.Is(err, durable.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want a timeout", err)
				}
				says(t, err, "attempt 2", c.says)
				if took := taken(begin); took < 121*time.Second || took > 124*time.Second {
					t.Errorf("two attempts of a minute took %v", took)
				}
			})
		})
	}
}

func TestActivitySlotsBoundConcurrency(t *testing.T) {
	for _, c := range []struct {
		name         string
		slots, inHub int
		want         int
	}{
		{"of the worker", 3, 0, 3},
		{"of the hub", 0, 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := task("Work"), flow("FanOut")
				a.Concurrency = c.inHub
				arrived, leave := make(chan struct{}, 10), make(chan struct{})
				h.workAs(durable.WorkerConfig{Slots: c.slots},
					durable.BindActivity(a, func(_ context.Context, n int) (int, error) {
						arrived <- struct{}{}
						<-leave
						return n, nil
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
						var fs []durable.Future[int]
						for i := range n {
							fs = append(fs, durable.StartActivity[int](ctx, a, i))
						}
						got, err := durable.Collect(ctx, fs)
						return len(got), err
					}),
				)
				handle := start[int](h, o, 10)
				for done := 0; done < 10; {
					h.pass(time.Second)
					at := len(arrived)
					if at > c.want || done+at < 10 && at != c.want {
						t.Fatalf("%d run at once after %d, want %d", at, done, c.want)
					}
					for range at {
						<-arrived
						leave <- struct{}{}
						done++
					}
				}
				want(h, handle, 10)
			})
		})
	}
}

func TestIdempotencyKeyIsOfTheCall(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Charge"), flow("Twice")
		a.Retry = durable.RetryPolicy{Attempts: 2}
		var keys notes
		h.work(
			durable.BindActivity(a, func(ctx context.Context, _ int) (durable.None, error) {
				info, _ := durable.InfoOf(ctx)
				keys.addf("%s", info.IdempotencyKey)
				if info.Attempt == 1 {
					return durable.None{}, errors.New("once more")
				}
				return durable.None{}, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (durable.None, error) {
				for range 2 { // the same arguments: two calls all the same
					if _, err := call[durable.None](ctx, a, 1); err != nil {
						return durable.None{}, err
					}
				}
				return durable.None{}, nil
			}),
		)
		want(h, start[durable.None](h, o, nil, durable.InstanceID("a")), durable.None{})
		want(h, start[durable.None](h, o, nil, durable.InstanceID("b")), durable.None{})
		k := keys.all()
		if len(k) != 8 || k[0] != k[1] || k[2] != k[3] || k[4] != k[5] || k[6] != k[7] {
			t.Fatalf("keys %q, want every attempt of a call to have the same", k)
		}
		distinct := map[string]bool{}
		for _, key := range k {
			distinct[key] = true
		}
		if len(distinct) != 4 {
			t.Errorf("keys %q, want four calls to have four", k)
		}
	})
}

func TestInfoOutsideOfAnActivity(t *testing.T) {
	t.Parallel()
	if info, ok := durable.InfoOf(t.Context()); ok {
		t.Errorf("InfoOf gives %+v", info)
	}
}

func TestNonRetryableKeepsNil(t *testing.T) {
	t.Parallel()
	if err := durable.NonRetryable(nil); err != nil {
		t.Errorf("NonRetryable(nil) is %v", err)
	}
	cause := errors.New("cause")
	if err := durable.NonRetryable(cause); !errors.Is(err, cause) || err.Error() != cause.Error() {
		t.Errorf("NonRetryable(cause) is %v", err)
	}
}
