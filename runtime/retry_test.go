package durable_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// failing calls an activity that notes the times of its attempts and fails as said, and gives these times and the error of the call.
func failing(t *testing.T, h *hub, a *durable.Activity, fail func(ctx context.Context, attempt int) error, opts ...durable.CallOption) (at []time.Duration, err error) {
	t.Helper()
	o := flow("Call")
	var begin time.Time
	n := 0
	h.work(
		durable.BindActivity(a, func(ctx context.Context, _ durable.None) (durable.None, error) {
			if n++; n == 1 {
				begin = time.Now()
			}
			at = append(at, taken(begin))
			return durable.None{}, fail(ctx, n)
		}),
		durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (durable.None, error) {
			return call[durable.None](ctx, a, nil, opts...)
		}),
	)
	_, err = start[durable.None](h, o, nil).Wait(t.Context())
	return at, err
}

func busy(context.Context, int) error { return errGone }

func TestRetryAfterWinsOverThePolicy(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want []time.Duration
	}{
		{"as the activity says", durable.RetryAfter(errGone, time.Minute), []time.Duration{0, time.Minute, 2 * time.Minute}},
		{"wrapped", fmt.Errorf("bank: %w", durable.RetryAfter(errGone, time.Minute)), []time.Duration{0, time.Minute, 2 * time.Minute}},
		{"joined", errors.Join(errUnknown, durable.RetryAfter(errGone, time.Minute)), []time.Duration{0, time.Minute, 2 * time.Minute}},
		{"at once", durable.RetryAfter(errGone, -1), []time.Duration{0, time.Millisecond, 2 * time.Millisecond}},
		{"but not if it is of no use", durable.NonRetryable(durable.RetryAfter(errGone, time.Minute)), []time.Duration{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				at, err := failing(t, h, task("Bank"), func(context.Context, int) error { return c.err },
					durable.RetryPolicy{Attempts: 3, First: 10 * time.Second, Jitter: 1})
				if !errors.Is(err, errGone) {
					t.Errorf("got %v, want the error itself", err)
				}
				if diff := cmp.Diff(c.want, at); diff != "" {
					t.Errorf("times of the attempts (-want +got):\n%s", diff)
				}
			})
		})
	}
	if again := durable.RetryAfter(errGone, math.MaxInt64); again.Error() != errGone.Error() || !errors.Is(again, errGone) {
		t.Errorf("RetryAfter changes the error to %v", again)
	}
	if err := durable.RetryAfter(nil, time.Second); err != nil {
		t.Errorf("RetryAfter(nil) is %v", err)
	}
}

func TestNonRetryableSurvives(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
	}{
		{"alone", durable.NonRetryable(errGone)},
		{"wrapped", fmt.Errorf("bank: %w", durable.NonRetryable(errGone))},
		{"wrapping", durable.NonRetryable(fmt.Errorf("bank: %w", errGone))},
		{"joined first", errors.Join(durable.NonRetryable(errGone), errUnknown)},
		{"joined last", errors.Join(errUnknown, fmt.Errorf("bank: %w", durable.NonRetryable(errGone)))},
		{"beside a delay", errors.Join(durable.RetryAfter(errUnknown, time.Second), durable.NonRetryable(errGone))},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				at, err := failing(t, h, task("Bank"), func(context.Context, int) error { return c.err }, durable.RetryPolicy{Attempts: 3})
				if !errors.Is(err, errGone) || len(at) != 1 {
					t.Errorf("got %v after %d attempts, want the error after one", err, len(at))
				}
			})
		})
	}
}

// TestNonRetryableChild: an orchestrator can say it, too, also in a coroutine; the mark of its activity does not pass on.
func TestNonRetryableChild(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(ctx durable.Context, a *durable.Activity) error
		want int
	}{
		{"it says so", func(durable.Context, *durable.Activity) error { return durable.NonRetryable(errGone) }, 1},
		{"in a coroutine", func(ctx durable.Context, _ *durable.Activity) error {
			return durable.Go(ctx, func(durable.Context) (int, error) { return 0, durable.NonRetryable(errGone) }).Err(ctx)
		}, 1},
		{"its activity does", func(ctx durable.Context, a *durable.Activity) error {
			return durable.StartActivity[int](ctx, a, nil).Err(ctx)
		}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, child, parent := task("Bank"), flow("Child"), flow("Parent")
				var did notes
				h.work(
					durable.BindActivity(a, func(context.Context, durable.None) (int, error) { return 0, durable.NonRetryable(errGone) }),
					durable.BindOrchestrator(child, func(ctx durable.Context, _ durable.None) (int, error) {
						if !ctx.Replaying() {
							did.addf("%s", ctx.InstanceID())
						}
						return 0, c.run(ctx, a)
					}),
					durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
						return durable.StartChild[int](ctx, child, nil, durable.RetryPolicy{Attempts: 3}).Get(ctx)
					}),
				)
				if err := fails(h, start[int](h, parent, nil)); !errors.Is(err, errGone) {
					t.Errorf("got %v", err)
				}
				if got := len(did.all()); got != c.want {
					t.Errorf("%d children, want %d", got, c.want)
				}
			})
		})
	}
}

func TestJitterShortensDelays(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		at, _ := failing(t, h, task("Bank"), busy, durable.RetryPolicy{Attempts: 20, First: time.Minute, Backoff: 1, Jitter: 0.25})
		distinct := map[time.Duration]bool{}
		for n := 1; n < len(at); n++ {
			d := at[n] - at[n-1]
			distinct[d] = true
			if d < 45*time.Second || d > time.Minute {
				t.Errorf("delay %d is %v, want 45 seconds to a minute", n, d)
			}
		}
		if len(at) != 20 || len(distinct) < 10 {
			t.Errorf("%d attempts after %d different delays", len(at), len(distinct))
		}
	})
}

// TestTimeoutsTellWhich: all of them are ErrTimeout, each is itself, and each tells the attempt and the error before.
func TestTimeoutsTellWhich(t *testing.T) {
	wait := func(ctx context.Context, attempt int) error {
		if attempt == 1 {
			return errGone
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}
	quick := durable.RetryPolicy{Attempts: 2, First: time.Second}
	late := durable.RetryPolicy{Attempts: 2, First: time.Second, Deadline: 10 * time.Second}
	for _, c := range []struct {
		name    string
		opts    []durable.CallOption
		is, not []error
		says    string
	}{
		{"of an attempt", []durable.CallOption{durable.Timeout(time.Minute), quick}, nil, []error{durable.ErrDeadline, durable.ErrHeartbeat}, "timed out"},
		{"over all attempts", []durable.CallOption{durable.Timeout(time.Minute), late}, []error{durable.ErrDeadline}, []error{durable.ErrHeartbeat}, "deadline of 10s over all attempts"},
		{"of the heartbeat", []durable.CallOption{durable.HeartbeatTimeout(5 * time.Second), quick}, []error{durable.ErrHeartbeat}, []error{durable.ErrDeadline}, "no heartbeat for 5s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				_, err := failing(t, h, task("Slow"), wait, c.opts...)
				for _, want := range append(c.is, durable.ErrTimeout, context.DeadlineExceeded) {
					if !errors.Is(err, want) {
						t.Errorf("got %v, want one that is %v", err, want)
					}
				}
				for _, not := range c.not {
					if errors.Is(err, not) {
						t.Errorf("got %v, which is %v, too", err, not)
					}
				}
				says(t, err, "attempt 2", c.says)
				var failed *durable.ActivityError
				if !errors.As(err, &failed) || failed.Attempt != 2 || failed.LastError != errGone.Error() {
					t.Errorf("got %+v, want attempt 2 and the error of attempt 1", failed)
				}
			})
		})
	}
}

func TestDeadlineIsOverAllAttempts(t *testing.T) {
	hour := durable.RetryPolicy{Attempts: 100, First: 10 * time.Minute, Backoff: 1, MaxInterval: time.Hour, Deadline: time.Hour}
	t.Run("no attempt begins after it", func(t *testing.T) {
		inHub(t, func(t *testing.T, h *hub) {
			at, err := failing(t, h, task("Bank"), busy, hour)
			if !errors.Is(err, durable.ErrDeadline) || !errors.Is(err, errGone) {
				t.Errorf("got %v, want the deadline and what was wrong before", err)
			}
			says(t, err, "deadline of 1h0m0s", "no time for another one", errGone.Error(), "attempt 6")
			if len(at) != 6 { // at 0, 10, …, 50 minutes
				t.Errorf("attempts at %v, want 6", at)
			}
		})
	})
	t.Run("one that runs has its context ended", func(t *testing.T) {
		inHub(t, func(t *testing.T, h *hub) {
			a := task("Bank")
			a.Retry, a.Timeout = hour, durable.Timeout(25*time.Minute) // in the way of the third one
			begin := time.Now()
			at, err := failing(t, h, a, func(ctx context.Context, _ int) error { <-ctx.Done(); return context.Cause(ctx) })
			if !errors.Is(err, durable.ErrDeadline) || len(at) != 2 {
				t.Errorf("got %v after attempts at %v", err, at)
			}
			if took := taken(begin).Round(time.Minute); took != time.Hour {
				t.Errorf("it took %v, want an hour", took)
			}
		})
	})
	t.Run("nor one that nobody took", func(t *testing.T) {
		inHub(t, func(t *testing.T, h *hub) {
			a, o := task("Bank"), flow("Call")
			h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (durable.None, error) {
				return call[durable.None](ctx, a, nil, hour)
			}))
			handle := start[durable.None](h, o, nil)
			h.pass(2 * time.Hour)
			h.work(durable.BindActivity(a, func(context.Context, durable.None) (durable.None, error) {
				t.Error("it runs")
				return durable.None{}, nil
			}))
			err := fails(h, handle)
			if !errors.Is(err, durable.ErrDeadline) {
				t.Errorf("got %v, want ErrDeadline", err)
			}
			says(t, err, "before attempt 1")
		})
	})
}

func TestHandleDecidesAboutRetries(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		var asked notes
		policy := durable.RetryPolicy{Attempts: 5, First: time.Minute, Backoff: 2, Jitter: 0.5, Handle: func(err error) bool {
			asked.addf("%v", errors.Is(err, errGone))
			return errors.Is(err, errGone)
		}}
		at, err := failing(t, h, task("Bank"), func(_ context.Context, attempt int) error {
			return []error{errGone, durable.RetryAfter(errGone, time.Hour), errUnknown}[attempt-1]
		}, policy)
		says(t, err, errUnknown.Error(), "attempt 3")
		if diff := cmp.Diff([]string{"true", "true", "false"}, asked.all()); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		if len(at) != 3 || at[1] < 30*time.Second || at[1] > 61*time.Second || at[2]-at[1] < time.Hour || at[2]-at[1] > time.Hour+time.Second {
			t.Errorf("attempts at %v, want one after half a minute to a minute, one after an hour", at)
		}
	})
}

func TestHandleOfAChild(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		child, parent := flow("Child"), flow("Parent")
		h.work(
			durable.BindOrchestrator(child, func(ctx durable.Context, _ durable.None) (string, error) {
				switch ctx.InstanceID() {
				case "c":
					return "", errGone
				default:
					return "", fmt.Errorf("%s: %w", ctx.InstanceID(), limitError{3})
				}
			}),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (string, error) {
				return durable.StartChild[string](ctx, child, nil, durable.InstanceID("c"), durable.RetryPolicy{Attempts: 5, Handle: func(err error) bool {
					return errors.Is(err, errGone)
				}}).Get(ctx)
			}),
		)
		says(t, fails(h, start[string](h, parent, nil)), "c:2: flow: limit 3")
	})
}

func TestDeadlineOfAChild(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		child, parent := flow("Child"), flow("Parent")
		h.work(
			durable.BindOrchestrator(child, func(durable.Context, durable.None) (string, error) { return "", errGone }),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (string, error) {
				return durable.StartChild[string](ctx, child, nil, durable.RetryPolicy{Attempts: 99, First: time.Minute, Backoff: 1, Deadline: 210 * time.Second}).Get(ctx)
			}),
		)
		begin := time.Now()
		err := fails(h, start[string](h, parent, nil))
		if !errors.Is(err, durable.ErrDeadline) || !errors.Is(err, errGone) {
			t.Errorf("got %v, want the deadline and the error of the last child", err)
		}
		if took := taken(begin).Round(time.Minute); took != 3*time.Minute {
			t.Errorf("it took %v, want 3 minutes", took)
		}
	})
}

// TestRetriesReplay: the same attempts on another worker, jitter and all.
func TestRetriesReplay(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Bank"), flow("Call")
		var at notes
		begin := time.Now()
		bindings := []durable.Binding{
			durable.BindActivity(a, func(context.Context, durable.None) (durable.None, error) {
				at.addf("%v", taken(begin).Round(time.Minute))
				return durable.None{}, errGone
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (durable.None, error) {
				return call[durable.None](ctx, a, nil, durable.RetryPolicy{
					Attempts: 4, First: time.Hour, Backoff: 1, MaxInterval: time.Hour, Jitter: 0.9, Handle: func(error) bool { return true },
				})
			}),
		}
		w := h.work(bindings...)
		handle := start[durable.None](h, o, nil, durable.InstanceID("retries")) // the random numbers are those of this id
		for range 8 {                                                           // a new worker every half an hour: whatever waits is replayed
			h.pass(30 * time.Minute)
			h.stop(w)
			w = h.work(bindings...)
		}
		says(t, fails(h, handle), errGone.Error(), "attempt 4")
		if got := at.all(); len(got) != 4 || got[3] == "3h0m0s" {
			t.Errorf("attempts at %v, want 4 with less than an hour between them", got)
		}
		if inst := h.get(handle.ID()); inst.Parked != "" {
			t.Errorf("it was parked: %s", inst.Parked)
		}
	})
}

func TestLongPoliciesAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*durable.Activity)
		says   string
	}{
		{func(a *durable.Activity) { a.Retry.Jitter = 1.5 }, "Jitter is 1.5"},
		{func(a *durable.Activity) { a.Retry.Jitter = math.NaN() }, "Jitter is NaN"},
		{func(a *durable.Activity) { a.Retry.Deadline = -1 }, "Deadline is -1ns"},
		{func(a *durable.Activity) { a.Heartbeat = -1 }, "HeartbeatTimeout is -1ns"},
		{func(a *durable.Activity) { a.Retry.Handle = func(error) bool { return true } }, "give it to the call"},
	} {
		a := task("A")
		c.change(a)
		err := new(durable.Registry).Add(durable.BindActivity(a, func(context.Context, durable.None) (durable.None, error) { return durable.None{}, nil }))
		says(t, err, "flow.A", c.says)
	}
}

// TestOptionsOfACallAddUp: an option that is about one thing leaves the others as they are.
func TestOptionsOfACallAddUp(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a := task("A")
		_, _ = failing(t, h, a, busy, durable.Timeout(time.Minute), durable.HeartbeatTimeout(time.Second), durable.RetryPolicy{Attempts: 1, Jitter: 0.5, Deadline: time.Hour})
		var got history.Policy
		for _, s := range h.m.Log() {
			if task, ok := s.Message.Record.(*history.Task); ok {
				got = *task.Policy
			}
		}
		want := history.Policy{Timeout: time.Minute, Heartbeat: time.Second, Attempts: 1, Jitter: 0.5, Deadline: time.Hour}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("policy of the task (-want +got):\n%s", diff)
		}
	})
}
