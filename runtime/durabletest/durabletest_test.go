package durabletest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

// TestALongWaitTakesNoTime: thirty days pass in a few steps, to the nanosecond.
func TestALongWaitTakesNoTime(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	nap := flow("Nap")
	env.Register(durable.BindOrchestrator(nap, func(ctx durable.Context, d time.Duration) (time.Time, error) {
		durable.Sleep(ctx, d)
		return ctx.Now(), nil
	}))
	began := env.Now()
	woke, err := durabletest.Run(durable.StartInstance[time.Time](t.Context(), env.Client(), nap, 30*24*time.Hour))
	must(t, err)
	if slept := woke.Sub(began); slept != 30*24*time.Hour {
		t.Errorf("it slept %v", slept)
	}
	if diff := cmp.Diff([]durabletest.Timer{{Instance: "test-1", After: 30 * 24 * time.Hour}}, env.Timers()); diff != "" {
		t.Errorf("timers (-want +got):\n%s", diff)
	}
}

// TestNothingHappensBetweenStatements: time passes only while the test waits.
func TestNothingHappensBetweenStatements(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o := flow("Race")
	env.Register(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
		e := durable.ReceiveEvent[string](ctx, "go")
		late := durable.NewTimer(ctx, time.Nanosecond)
		if durable.Any(ctx, e, late) == late {
			return "late", nil
		}
		return e.Get(ctx)
	}))
	h, err := durable.StartInstance[string](t.Context(), env.Client(), o, nil)
	must(t, err)
	must(t, env.Client().Raise(t.Context(), h.ID(), "go", "in time"))
	got, err := h.Wait(t.Context())
	must(t, err)
	if got != "in time" {
		t.Errorf("it was %s", got)
	}
}

// TestStuckSaysWhoWaitsForWhat: a wait that cannot end does not hang, and tells why.
func TestStuckSaysWhoWaitsForWhat(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o := flow("Waits")
	env.Register(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
		return durable.ReceiveEvent[int](ctx, "never").Get(ctx)
	}))
	_, err := durabletest.Run(durable.StartInstance[int](t.Context(), env.Client(), o, nil, durable.InstanceID("w")))
	if !errors.Is(err, durabletest.ErrStuck) {
		t.Fatalf("got %v, want ErrStuck", err)
	}
	says(t, err, `"w"`, "flow.Waits", "never")
}

// TestStuckNamesAFew: of many instances only some are told.
func TestStuckNamesAFew(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o := flow("Waits")
	env.Register(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
		return durable.ReceiveEvent[int](ctx, "never").Get(ctx)
	}))
	for range 29 {
		_, err := durable.StartInstance[int](t.Context(), env.Client(), o, nil)
		must(t, err)
	}
	_, err := durabletest.Run(durable.StartInstance[int](t.Context(), env.Client(), o, nil))
	says(t, err, "and 20 more")
}

// TestAnEmptyEnvironment says what to do, again and again.
func TestAnEmptyEnvironment(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	for range 2 {
		_, err := durabletest.Run(durable.StartInstance[int](t.Context(), env.Client(), flow("Gone"), nil))
		says(t, err, "registry is empty")
	}
}

// TestADeploy: code that does not fit parks an instance, and code that fits goes on with it.
func TestADeploy(t *testing.T) {
	t.Parallel()
	env := travelling(t)
	h, err := durable.StartInstance[string](t.Context(), env.Client(), trip, "Rome")
	must(t, err)
	env.Advance(time.Minute)
	env.Register(tripThat(func(ctx durable.Context, to string) (string, error) { return "", call(ctx, paid, 1) }))
	_, err = h.Wait(t.Context())
	if !errors.Is(err, durabletest.ErrStuck) {
		t.Fatalf("got %v, want ErrStuck", err)
	}
	says(t, err, "parked", "flow.Book", "flow.Pay")
	env.Register(tripThat(nil))
	got, err := h.Wait(t.Context())
	must(t, err)
	if got != "been to Rome" {
		t.Errorf("got %q", got)
	}
}

// TestEndlessIsNoHang: an orchestration without end is advanced, not waited for.
func TestEndlessIsNoHang(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o, tick := flow("Ticks"), task("Tick")
	env.Register(
		durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
			durable.Sleep(ctx, 24*time.Hour)
			if err := durable.StartActivity[durable.None](ctx, tick, n).Err(ctx); err != nil {
				return 0, err
			}
			return 0, durable.ContinueWith(ctx, n+1)
		}),
		durable.BindActivity(tick, func(context.Context, int) (durable.None, error) { return durable.None{}, nil }),
	)
	_, err := durable.StartInstance[int](t.Context(), env.Client(), o, 0)
	must(t, err)
	env.Advance(100*24*time.Hour + time.Minute)
	calls := env.Calls("Tick")
	if len(calls) != 100 {
		t.Fatalf("%d ticks in a hundred days", len(calls))
	}
	want := durabletest.Call{Activity: "flow.Tick", Instance: "test-1", Args: []byte("99"), Attempt: 1, After: 100 * 24 * time.Hour, Result: []byte("null")}
	if diff := cmp.Diff(want, calls[99]); diff != "" {
		t.Errorf("the last call (-want +got):\n%s", diff)
	}
}

// TestAttempts: each attempt is a call, with its time and its outcome.
func TestAttempts(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o, a := flow("Retries"), task("Flaky")
	a.Retry = durable.RetryPolicy{Attempts: 4, First: time.Minute, Backoff: 2}
	n := 0
	env.Register(
		durable.BindOrchestrator(o, func(ctx durable.Context, s string) (string, error) {
			return durable.StartActivity[string](ctx, a, s).Get(ctx)
		}),
		durable.BindActivity(a, func(_ context.Context, s string) (string, error) {
			if n++; n < 3 {
				return "", fmt.Errorf("no luck %d", n)
			}
			return s + "!", nil
		}),
	)
	got, err := durabletest.Run(durable.StartInstance[string](t.Context(), env.Client(), o, "hi"))
	must(t, err)
	if got != "hi!" {
		t.Errorf("got %q", got)
	}
	call := durabletest.Call{Activity: "flow.Flaky", Instance: "test-1", Args: []byte(`"hi"`), Attempt: 1, Err: "no luck 1"}
	want := []durabletest.Call{call, call, call}
	want[1].Attempt, want[1].After, want[1].Err = 2, time.Minute, "no luck 2"
	want[2].Attempt, want[2].After, want[2].Err, want[2].Result = 3, 3*time.Minute, "", []byte(`"hi!"`)
	if diff := cmp.Diff(want, env.Calls("flow.Flaky")); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if args := durabletest.Args[string](t, env.Calls()[0]); args != "hi" {
		t.Errorf("the argument is %q", args)
	}
}

// TestFail: attempts fail without running, as often as was asked for, from the moment it was asked.
func TestFail(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o, a := flow("Retries"), task("Sound")
	a.Retry = durable.RetryPolicy{Attempts: 3, First: time.Minute}
	ran := 0
	env.Register(
		durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			return durable.StartActivity[string](ctx, a, nil).Get(ctx)
		}),
		durable.BindActivity(a, func(context.Context, durable.None) (string, error) { ran++; return "well", nil }),
	)
	run := func() error {
		_, err := durabletest.Run(durable.StartInstance[string](t.Context(), env.Client(), o, nil))
		return err
	}
	env.Fail("Sound", 2, errors.New("no luck"))
	must(t, run())
	if calls := env.Calls(); ran != 1 || len(calls) != 3 || calls[1].Err != "no luck" {
		t.Errorf("it ran %d times, in %d attempts: %+v", ran, len(calls), calls)
	}
	env.Fail("flow.Sound", 1, durable.NonRetryable(fmt.Errorf("gone: %w", durable.ErrPoison)))
	if err := run(); !errors.Is(err, durable.ErrPoison) || len(env.Calls()) != 4 {
		t.Errorf("got %v after %d attempts", err, len(env.Calls()))
	}
}

// TestASlowActivityTimesOut: Sleep is virtual, and so are timeouts.
func TestASlowActivityTimesOut(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o, a := flow("Slow"), task("Slow")
	a.Timeout = durable.Timeout(time.Minute)
	env.Register(
		durable.BindOrchestrator(o, func(ctx durable.Context, d time.Duration) (time.Time, error) {
			err := durable.StartActivity[durable.None](ctx, a, d).Err(ctx)
			return ctx.Now(), err
		}),
		durable.BindActivity(a, func(ctx context.Context, d time.Duration) (durable.None, error) {
			return durable.None{}, env.Sleep(ctx, d)
		}),
	)
	began := env.Now()
	ended, err := durabletest.Run(durable.StartInstance[time.Time](t.Context(), env.Client(), o, 50*time.Second))
	must(t, err)
	if took := ended.Sub(began); took != 50*time.Second {
		t.Errorf("it took %v", took)
	}
	_, err = durabletest.Run(durable.StartInstance[time.Time](t.Context(), env.Client(), o, time.Hour))
	if !errors.Is(err, durable.ErrTimeout) {
		t.Errorf("got %v, want ErrTimeout", err)
	}
	if took := env.Now().Sub(began); took < 110*time.Second || took > 115*time.Second {
		t.Errorf("both took %v", took)
	}
}

// TestWhatTakesTooLongGoesOn: a function whose attempt has failed for its time, or whose worker has crashed, may go on
// beside the next attempt, and all of them come to an end.
func TestWhatTakesTooLongGoesOn(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o, a := flow("Slow"), task("Slow")
	a.Timeout, a.Retry = durable.Timeout(time.Minute), durable.RetryPolicy{Attempts: 5, First: time.Second}
	n := 0
	var ended []string
	env.Register(
		durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			return durable.StartActivity[int](ctx, a, nil).Get(ctx)
		}),
		durable.BindActivity(a, func(ctx context.Context, _ durable.None) (int, error) {
			n++
			me := n
			d := map[int]time.Duration{1: time.Hour, 2: 2 * time.Minute, 3: time.Hour}[me] // the third sees a crash
			err := env.Sleep(ctx, d)
			ended = append(ended, fmt.Sprintf("%d after %v", me, env.Now().Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).Round(time.Minute)))
			return me, err
		}),
	)
	env.After(2*time.Minute+30*time.Second, env.Crash)
	got, err := durabletest.Run(durable.StartInstance[int](t.Context(), env.Client(), o, nil))
	must(t, err)
	if got != 4 || env.Now().Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) > 5*time.Minute {
		t.Errorf("attempt %d gave the result, %v", got, env.Now())
	}
	env.Advance(3 * time.Hour)
	if diff := cmp.Diff([]string{"4 after 3m0s", "2 after 3m0s", "1 after 1h0m0s", "3 after 1h2m0s"}, ended); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
	var outcomes []string
	for _, c := range env.Calls() {
		outcomes = append(outcomes, fmt.Sprintf("%d: %s", c.Attempt, c.Result))
	}
	// The third attempt is delivered again; what the dead worker made of it is not stored.
	if diff := cmp.Diff([]string{"1: ", "2: ", "3: 3", "3: 4"}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// TestSleepEndsWithItsContext: as that of an activity whose instance is cancelled.
func TestSleepEndsWithItsContext(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o, a := flow("Slow"), task("Slow")
	var slept error
	env.Register(
		durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			return durable.StartActivity[int](ctx, a, nil).Get(ctx)
		}),
		durable.BindActivity(a, func(ctx context.Context, _ durable.None) (int, error) {
			slept = env.Sleep(ctx, time.Minute)
			return 1, slept
		}),
	)
	began := env.Now()
	h, err := durable.StartInstance[int](t.Context(), env.Client(), o, nil)
	must(t, err)
	env.After(time.Second, func() { must(t, h.Cancel(t.Context(), "no more")) })
	if _, err = h.Wait(t.Context()); !errors.Is(err, durable.ErrCanceled) {
		t.Errorf("got %v, want ErrCanceled", err)
	}
	env.Advance(10 * time.Second)
	if !errors.Is(slept, context.Canceled) || env.Now().Sub(began) > 15*time.Second {
		t.Errorf("it slept until %v, %v later", slept, env.Now().Sub(began))
	}
}

// TestActivitiesEndWithTheTest: one that waits is told, and waited for; it can wait for nothing more.
func TestActivitiesEndWithTheTest(t *testing.T) {
	t.Parallel()
	var slept, again error
	t.Run("test", func(t *testing.T) {
		env := durabletest.New(t)
		o, a := flow("Slow"), task("Slow")
		env.Register(
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.StartActivity[int](ctx, a, nil).Get(ctx)
			}),
			durable.BindActivity(a, func(ctx context.Context, _ durable.None) (int, error) {
				slept = env.Sleep(ctx, time.Minute)
				_, again = env.Client().Get(ctx, "test-1")
				return 1, nil
			}),
		)
		_, err := durable.StartInstance[int](t.Context(), env.Client(), o, nil)
		must(t, err)
		env.Advance(time.Second)
	})
	if !errors.Is(slept, durable.ErrClosed) || !errors.Is(again, durable.ErrClosed) {
		t.Errorf("it was told %v, and then %v", slept, again)
	}
}

// TestAFakeWins: over what a registry holds, and the later over the earlier, also while the worker runs.
func TestAFakeWins(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o, a := flow("Calls"), task("Name")
	say := func(s string) durable.Binding {
		return durable.BindActivity(a, func(context.Context, durable.None) (string, error) { return s, nil })
	}
	must(t, env.Registry().Add(say("real"), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
		return durable.StartActivity[string](ctx, a, nil).Get(ctx)
	})))
	for _, want := range []string{"real", "fake", "other"} {
		if want != "real" {
			env.Register(say(want))
		}
		got, err := durabletest.Run(durable.StartInstance[string](t.Context(), env.Client(), o, nil))
		must(t, err)
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestWithoutABinding: the test fails at once, with the name and what to do.
func TestWithoutABinding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		run   func(durable.Context) error
		start *durable.Orchestrator
		says  []string
	}{
		{"an activity", func(ctx durable.Context) error {
			return durable.StartActivity[int](ctx, task("Gone"), 1).Err(ctx)
		}, flow("Calls"), []string{"activity flow.Gone", "env.Register(GoneActivity.Bind(", `"test-1"`}},
		{"a child", func(ctx durable.Context) error {
			return durable.StartChild[int](ctx, flow("Gone"), 1).Err(ctx)
		}, flow("Calls"), []string{"orchestrator flow.Gone", "env.Register(GoneOrchestrator.Bind("}},
		{"an orchestrator", nil, flow("Gone"), []string{"orchestrator flow.Gone", `"test-1"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inner := &recorder{TB: t}
			env := durabletest.New(inner)
			env.Register(durable.BindOrchestrator(flow("Calls"), func(ctx durable.Context, _ durable.None) (int, error) {
				return 0, c.run(ctx)
			}))
			_, err := durabletest.Run(durable.StartInstance[int](t.Context(), env.Client(), c.start, nil))
			says(t, err, c.says...)
			if len(inner.errors) != 1 {
				t.Fatalf("%d failures of the test: %q", len(inner.errors), inner.errors)
			}
			says(t, errors.New(inner.errors[0]), c.says...)
		})
	}
}

// TestAtAMoment: events, failures and crashes come when they are told to.
func TestAtAMoment(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o := flow("Waits")
	env.Register(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (time.Time, error) {
		e := durable.ReceiveEvent[string](ctx, "go")
		deadline := durable.NewTimer(ctx, 7*24*time.Hour)
		if durable.Any(ctx, e, deadline) == deadline {
			return time.Time{}, errors.New("too late")
		}
		return ctx.Now(), nil
	}))
	began := env.Now()
	h, err := durable.StartInstance[time.Time](t.Context(), env.Client(), o, nil)
	must(t, err)
	env.After(24*time.Hour, env.Crash)
	env.After(3*24*time.Hour, func() { must(t, env.Client().Raise(t.Context(), h.ID(), "go", "!")) })
	at, err := h.Wait(t.Context())
	must(t, err)
	if took := at.Sub(began); took != 3*24*time.Hour {
		t.Errorf("the event came after %v", took)
	}
}

// TestActivitiesUseTheClient: an activity may start an instance and wait for it.
func TestActivitiesUseTheClient(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	outer, inner, a := flow("Outer"), flow("Inner"), task("Spawn")
	env.Register(
		durable.BindOrchestrator(outer, func(ctx durable.Context, _ durable.None) ([]string, error) {
			var fs []durable.Future[string]
			for range 3 {
				fs = append(fs, durable.StartActivity[string](ctx, a, nil))
			}
			return durable.Collect(ctx, fs)
		}),
		durable.BindOrchestrator(inner, func(ctx durable.Context, _ durable.None) (string, error) {
			durable.Sleep(ctx, time.Minute)
			return "of " + ctx.InstanceID(), nil
		}),
		durable.BindActivity(a, func(ctx context.Context, _ durable.None) (string, error) {
			return durabletest.Run(durable.StartInstance[string](ctx, env.Client(), inner, nil))
		}),
	)
	got, err := durabletest.Run(durable.StartInstance[[]string](t.Context(), env.Client(), outer, nil))
	must(t, err)
	if diff := cmp.Diff([]string{"of test-2", "of test-3", "of test-4"}, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

// TestASeedFixesEveryOrder: the same seed gives the same order of a fan-out, another seed another one, also in a crash.
func TestASeedFixesEveryOrder(t *testing.T) {
	t.Parallel()
	o, parts := flow("Fan"), []*durable.Activity{task("Odd"), task("Even"), task("Third")}
	order := func(opts ...durabletest.Option) string {
		env := durabletest.New(t, opts...)
		env.Register(
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
				var waiting []durable.Awaitable
				names := map[durable.Awaitable]string{}
				for n, s := range strings.Split("abcdefgh", "") {
					f := durable.StartActivity[string](ctx, parts[n%len(parts)], s)
					waiting, names[f] = append(waiting, f), s
				}
				var got string
				for len(waiting) > 0 {
					first := durable.Any(ctx, waiting...)
					got += names[first]
					for n, f := range waiting {
						if f == first {
							waiting = append(waiting[:n], waiting[n+1:]...)
							break
						}
					}
				}
				return got, nil
			}),
		)
		for _, a := range parts {
			env.Register(durable.BindActivity(a, func(_ context.Context, s string) (string, error) { return s, nil }))
		}
		if len(opts) > 0 {
			env.After(1500*time.Microsecond, env.Crash) // in the middle of it
		}
		got, err := durabletest.Run(durable.StartInstance[string](t.Context(), env.Client(), o, nil))
		must(t, err)
		var ran string
		for _, c := range env.Calls() {
			ran += durabletest.Args[string](t, c) + c.After.String() + " "
		}
		return ran + " " + got
	}
	if got := order(); strings.ReplaceAll(got, "0s ", "") != "abcdefgh abcdefgh" {
		t.Errorf("without a seed the order is %s", got)
	}
	different := map[string]bool{}
	for seed := range durabletest.Seed(20) {
		got := order(seed)
		for range 3 {
			if again := order(seed); again != got {
				t.Errorf("seed %d gave %s, then %s", seed, got, again)
			}
		}
		different[got] = true
	}
	if len(different) < 15 {
		t.Errorf("20 seeds gave only %d orders", len(different))
	}
}

func TestChildren(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	parent, child := flow("Parent"), flow("Child")
	env.Register(
		durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
			a := durable.StartChild[int](ctx, child, 20, durable.InstanceID("c"))
			b := durable.StartChild[int](ctx, child, 30)
			return 0, durable.All(ctx, a, b)
		}),
		durable.BindOrchestrator(child, func(_ durable.Context, n int) (int, error) { return n + 1, nil }),
	)
	_, err := durabletest.Run(durable.StartInstance[int](t.Context(), env.Client(), parent, nil, durable.InstanceID("p")))
	must(t, err)
	want := []durabletest.Child{
		{Parent: "p", ID: "c", Orchestrator: "flow.Child", Input: []byte("20")},
		{Parent: "p", ID: "p:1-0-1", Orchestrator: "flow.Child", Input: []byte("30")},
	}
	if diff := cmp.Diff(want, env.Children()); diff != "" {
		t.Errorf("children (-want +got):\n%s", diff)
	}
}

// TestDroppedAfterACrash: an attempt that came again after a crash, and that nobody waits for any more, ends.
func TestDroppedAfterACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		env := durabletest.New(t)
		o, quick, slow := flow("First"), task("Quick"), task("Slow")
		sleeps := func(d time.Duration) func(context.Context, durable.None) (durable.None, error) {
			return func(ctx context.Context, _ durable.None) (durable.None, error) {
				return durable.None{}, env.Sleep(ctx, d)
			}
		}
		env.Register(
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (durable.None, error) {
				durable.StartActivity[durable.None](ctx, slow, nil)
				return durable.StartActivity[durable.None](ctx, quick, nil).Get(ctx)
			}),
			durable.BindActivity(quick, sleeps(time.Second)), durable.BindActivity(slow, sleeps(time.Minute)),
		)
		handle, err := durable.StartInstance[durable.None](t.Context(), env.Client(), o, nil)
		must(t, err)
		env.Advance(time.Millisecond)
		env.Crash()
		_, err = handle.Wait(t.Context())
		must(t, err)
		env.Advance(time.Hour)
	})
}

// TestNothingIsLeft: what a test began ends with it, also what crashed, waits or sleeps. Goroutines that stay fail the
// bubble.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		env := durabletest.New(t)
		o, a := flow("Waits"), task("Sleep")
		env.Register(
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				durable.StartActivity[durable.None](ctx, a, nil)
				return durable.ReceiveEvent[int](ctx, "never").Get(ctx)
			}),
			durable.BindActivity(a, func(ctx context.Context, _ durable.None) (durable.None, error) {
				return durable.None{}, env.Sleep(ctx, time.Hour)
			}),
		)
		for range 5 {
			_, err := durable.StartInstance[int](t.Context(), env.Client(), o, nil)
			must(t, err)
		}
		env.Advance(time.Second)
		env.Crash()
		env.Advance(time.Minute)
	})
}
