package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// local names an activity that its orchestration's worker runs itself.
func local(name string) *durable.Activity {
	a := task(name)
	a.Local = true
	return a
}

// stored lists the tasks and completions of activities in the log, in order.
func (h *hub) outcomes() []string {
	var list []string
	for _, s := range h.m.Log() {
		switch r := s.Message.Record.(type) {
		case *history.Task:
			list = append(list, fmt.Sprintf("task %d attempt %d", r.Slot, r.Attempt))
		case *history.Done:
			where := "queued"
			if r.Local {
				where = "local"
			}
			list = append(list, fmt.Sprintf("done %d attempt %d %s", r.Slot, r.Attempt, where))
		}
	}
	return list
}

func expectStored(t *testing.T, h *hub, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, h.outcomes()); diff != "" {
		t.Errorf("what the log holds of activities (-want +got):\n%s", diff)
	}
}

// TestALocalActivityIsOneMessage: its completion, which names the line of the call. A call may choose otherwise.
func TestALocalActivityIsOneMessage(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		declared, plain, o := local("Declared"), task("Plain"), flow("Call")
		double := func(_ context.Context, n int) (int, error) { return 2 * n, nil }
		h.work(
			durable.BindActivity(declared, double), durable.BindActivity(plain, double),
			durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
				for _, step := range []struct {
					a    *durable.Activity
					opts []durable.CallOption
				}{
					{declared, nil},
					{plain, []durable.CallOption{durable.Local(true)}},
					{declared, []durable.CallOption{durable.Local(false)}},
					{plain, nil},
				} {
					var err error
					if n, err = call[int](ctx, step.a, n, step.opts...); err != nil {
						return 0, err
					}
				}
				return n, nil
			}),
		)
		want(h, start[int](h, o, 1), 16)
		expectStored(t, h,
			"done 0 attempt 1 local", "done 1 attempt 1 local",
			"task 2 attempt 1", "done 2 attempt 1 queued", "task 3 attempt 1", "done 3 attempt 1 queued")
		for _, s := range h.m.Log() {
			if d, ok := s.Message.Record.(*history.Done); ok && d.Local && !strings.Contains(d.Site, "kit_test.go:") {
				t.Errorf("the completion of slot %d names the line %q", d.Slot, d.Site)
			}
		}
	})
}

// TestLocalActivitiesAreRepeated: their completions are the records that a replay needs, whoever runs it.
func TestLocalActivitiesAreRepeated(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		var did notes
		a := local("Step")
		got, err := restarted[string](t, h, 3, func(o *durable.Orchestrator) durable.Binding {
			return durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
				var all []string
				for n := range 3 {
					fan := []durable.Future[int]{durable.StartActivity[int](ctx, a, 2*n), durable.StartActivity[int](ctx, a, 2*n+1)}
					timer := durable.NewTimer(ctx, time.Millisecond)
					results, err := durable.Collect(ctx, fan)
					if err != nil {
						return "", err
					}
					if err := timer.Wait(ctx); err != nil {
						return "", err
					}
					all = append(all, fmt.Sprint(results))
					next(ctx)
				}
				return strings.Join(all, " "), nil
			})
		}, durable.BindActivity(a, func(_ context.Context, n int) (int, error) { did.addf("%d", n); return n * n, nil }))
		if err != nil || got != "[0 1] [4 9] [16 25]" {
			t.Errorf("it gives %q, %v", got, err)
		}
		if ran := len(did.all()); ran != 6 {
			t.Errorf("the six calls ran %d times", ran)
		}
	})
}

// TestNondeterminismOfLocalActivitiesParks: a completion is a record like any other.
func TestNondeterminismOfLocalActivitiesParks(t *testing.T) {
	a, b := local("A"), local("B")
	for _, c := range []struct {
		name    string
		changed func(ctx durable.Context) (int, error)
		says    []string // none: it fits
	}{
		{"another activity", func(ctx durable.Context) (int, error) { return call[int](ctx, b, 1) }, []string{"flow.A", "flow.B", "kit_test.go"}},
		{"other arguments", func(ctx durable.Context) (int, error) { return call[int](ctx, a, 2) }, []string{"flow.A", "checksum", "flow.A with 2"}},
		{"a timer", func(ctx durable.Context) (int, error) { return 0, durable.Sleep(ctx, time.Hour) }, []string{"flow.A", "timer"}},
		{"nothing at all", func(ctx durable.Context) (int, error) { return durable.ReceiveEvent[int](ctx, "other").Get(ctx) }, []string{"flow.A", "event other"}},
		{"the same through its queue", func(ctx durable.Context) (int, error) {
			n, err := call[int](ctx, a, 1, durable.Local(false))
			next(ctx)
			return n + 10, err
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) { deploysChange(t, a, b, c.changed, c.says) })
	}
}

// TestALocalActivityMayBecomeAnother: what was queued before a deploy stays so.
func TestALocalActivityMayBecomeAnother(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, before, after := flow("Call"), task("A"), local("A")
		var did notes
		code := func(a *durable.Activity) []durable.Binding {
			return []durable.Binding{
				durable.BindActivity(a, func(_ context.Context, n int) (int, error) { did.addf("%d", n); return n, nil }),
				durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
					one, err := call[int](ctx, a, 1)
					next(ctx)
					two, again := call[int](ctx, a, 2)
					return one + two, errors.Join(err, again)
				}),
			}
		}
		w := h.work(code(before)...)
		handle := start[int](h, o, nil)
		h.pass(time.Second)
		h.stop(w)
		h.work(code(after)...)
		must(t, h.client.Raise(t.Context(), handle.ID(), "next", nil))
		want(h, handle, 3)
		expectStored(t, h, "task 0 attempt 1", "done 0 attempt 1 queued", "done 1 attempt 1 local")
	})
}

// TestLocalRetries: soon ones wait in memory, others become tasks; the attempts are counted on.
func TestLocalRetries(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy durable.RetryPolicy
		takes  time.Duration
		stored []string
	}{
		{"soon", durable.RetryPolicy{Attempts: 3, First: 5 * time.Second}, 15 * time.Second, []string{"done 0 attempt 3 local"}},
		{"the second is late", durable.RetryPolicy{Attempts: 3, First: 8 * time.Second}, 24 * time.Second, []string{"task 0 attempt 3", "task 0 attempt 3", "done 0 attempt 3 queued"}},
		{"late", durable.RetryPolicy{Attempts: 3, First: time.Minute}, 3 * time.Minute, []string{"task 0 attempt 2", "task 0 attempt 2", "task 0 attempt 3", "done 0 attempt 3 queued"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := local("Flaky"), flow("Retry")
				a.Retry = c.policy
				var did notes
				h.work(
					durable.BindActivity(a, func(ctx context.Context, n int) (int, error) {
						info, _ := durable.InfoOf(ctx)
						did.addf("%s %d %q", info.IdempotencyKey, info.Attempt, info.LastError)
						if info.Attempt < 3 {
							return 0, errors.New("not yet")
						}
						return 2 * n, nil
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) { return call[int](ctx, a, n) }),
				)
				handle := start[int](h, o, 21, durable.InstanceID("x"))
				begin := time.Now()
				want(h, handle, 42)
				if took := taken(begin); took < c.takes || took > c.takes+2*time.Second {
					t.Errorf("three attempts took %v, want %v", took, c.takes)
				}
				if diff := cmp.Diff([]string{`flow/x/1-0-0 1 ""`, `flow/x/1-0-0 2 "not yet"`, `flow/x/1-0-0 3 "not yet"`}, did.all()); diff != "" {
					t.Errorf("attempts (-want +got):\n%s", diff)
				}
				expectStored(t, h, c.stored...)
			})
		})
	}
}

// TestLocalFailuresAreTheSame as those of a queue.
func TestLocalFailuresAreTheSame(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(ctx context.Context) error
		is   error
	}{
		{"a sentinel", func(context.Context) error { return fmt.Errorf("today: %w", errGone) }, errGone},
		{"a panic", func(context.Context) error { panic("boom") }, durable.ErrPanic},
		{"a timeout", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, durable.ErrTimeout},
		{"silence", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, durable.ErrHeartbeat},
		{"completed later", func(ctx context.Context) error { _, err := durable.CompleteLater(ctx); return err }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := local("Fail"), flow("Call")
				var opts []durable.CallOption
				if c.is == durable.ErrHeartbeat {
					opts = append(opts, durable.HeartbeatTimeout(time.Second))
				}
				h.work(
					durable.BindActivity(a, func(ctx context.Context, _ durable.None) (durable.None, error) { return durable.None{}, c.run(ctx) }),
					durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (durable.None, error) {
						return call[durable.None](ctx, a, nil, opts...)
					}),
				)
				begin := time.Now()
				err := fails(h, start[durable.None](h, o, nil))
				if c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("it fails with %v, want %v", err, c.is)
				}
				if c.is == nil {
					says(t, err, "without local")
				}
				if took := taken(begin); c.is == durable.ErrTimeout && (took < time.Duration(durable.DefaultLocalTimeout) || took > 12*time.Second) {
					t.Errorf("the timeout came after %v, want that of local activities", took)
				}
				expectStored(t, h, "done 0 attempt 1 local")
			})
		})
	}
}

// TestACancelledLocalActivityEnds, one between two attempts too, and what is left over at the end.
func TestACancelledLocalActivityEnds(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, flaky, o := local("Endless"), local("Flaky"), flow("Cancellable")
		a.Timeout = durable.Timeout(time.Hour)
		flaky.Retry = durable.RetryPolicy{Attempts: 3, First: 9 * time.Second}
		var did notes
		h.work(
			endless(a, &did),
			durable.BindActivity(flaky, func(context.Context, durable.None) (int, error) { did.addf("flaky"); return 0, errors.New("no") }),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				inner, cancel := durable.WithCancel(ctx)
				one, two := durable.StartActivity[int](inner, a, "one"), durable.StartActivity[int](inner, flaky, nil)
				if err := durable.Sleep(ctx, 2*time.Second); err != nil {
					return 0, err
				}
				cancel()
				did.addf("%v, %v", errors.Is(one.Err(ctx), durable.ErrCanceled), errors.Is(two.Err(ctx), durable.ErrCanceled))
				durable.StartActivity[int](ctx, a, "left over")
				return 1, durable.Sleep(ctx, time.Second)
			}),
		)
		want(h, start[int](h, o, nil), 1)
		h.pass(time.Minute)
		if diff := cmp.Diff(map[string]int{
			"one begins, attempt 1": 1, "flaky": 1, "true, true": 1, "one ends: durable: canceled": 1,
			"left over begins, attempt 1": 1, "left over ends: durable: canceled": 1,
		}, counted(did.all())); diff != "" {
			t.Errorf("what was done (-want +got):\n%s", diff)
		}
		expectStored(t, h)
	})
}

func counted(list []string) map[string]int {
	n := map[string]int{}
	for _, s := range list {
		n[s]++
	}
	return n
}

// TestACancelledLocalActivityIsNotRepeated: it has left no record, and nobody runs it again.
func TestACancelledLocalActivityIsNotRepeated(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a := local("Endless")
		var did notes
		got, err := restarted[string](t, h, 2, func(o *durable.Orchestrator) durable.Binding {
			return durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
				inner, cancel := durable.WithCancel(ctx)
				f := durable.StartActivity[int](inner, a, "it")
				if err := durable.Sleep(ctx, 100*time.Millisecond); err != nil {
					return "", err
				}
				cancel()
				err := f.Err(ctx)
				next(ctx)
				next(ctx)
				return fmt.Sprint(err), nil
			})
		}, endless(a, &did))
		if err != nil || got != "canceled" {
			t.Errorf("it gives %q, %v", got, err)
		}
		if diff := cmp.Diff([]string{"it begins, attempt 1", "it ends: durable: canceled"}, did.all()); diff != "" {
			t.Errorf("what was done (-want +got):\n%s", diff)
		}
		expectStored(t, h)
	})
}

// TestASuspendedInstanceKeepsALocalResult until it resumes, and nothing new begins before.
func TestASuspendedInstanceKeepsALocalResult(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := local("Slow"), flow("Call")
		var did notes
		bindings := []durable.Binding{
			durable.BindActivity(a, func(_ context.Context, n int) (int, error) {
				did.addf("%d", n)
				<-time.After(3 * time.Second)
				return n + 1, nil
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
		handle := start[int](h, o, 1, durable.InstanceID("x"))
		h.pass(time.Second)
		must(t, h.client.Suspend(t.Context(), "x", ""))
		h.pass(time.Minute)
		h.stop(w)
		h.work(bindings...)
		h.pass(time.Minute)
		if diff := cmp.Diff([]string{"1"}, did.all()); diff != "" {
			t.Errorf("what ran before the resume (-want +got):\n%s", diff)
		}
		must(t, h.client.Resume(t.Context(), "x", ""))
		want(h, handle, 3)
		expectStored(t, h, "done 0 attempt 1 local", "done 1 attempt 1 local")
	})
}

// TestRewindOfALocalActivity: the one that failed runs again, the others do not.
func TestRewindOfALocalActivity(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, f := flow("InTurn"), newFaulty("Step", 2)
		f.Activity.Local = true
		h.work(inTurn(o, f), f.bind())
		handle := start[string](h, o, 4, durable.InstanceID("x"))
		says(t, fails(h, handle), "step 2")
		f.breaks(3)
		h.rewind("x")
		says(t, fails(h, handle), "step 3")
		f.breaks()
		h.rewind("x")
		want(h, handle, "6 36")
		expectRan(t, f, "0 1 2 2 3 3")
	})
}

// TestLocalActivitiesThatMakeNoSense are refused.
func TestLocalActivitiesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	a := local("A")
	a.Concurrency = 3
	err := (&durable.Registry{}).Add(durable.BindActivity(a, func(context.Context, int) (int, error) { return 0, nil }))
	says(t, err, "flow.A", "Local", "Concurrency of 3")
}

// TestRewindKeepsWhatBecameATask: the first task of a slot is its record, whatever attempt it is of.
func TestRewindKeepsWhatBecameATask(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o, f := local("Flaky"), flow("Steps"), newFaulty("Step", 1)
		a.Retry = durable.RetryPolicy{Attempts: 2, First: time.Minute}
		var did notes
		var here atomic.Bool // as the code has it
		here.Store(true)
		h.work(f.bind(),
			durable.BindActivity(a, func(ctx context.Context, n int) (int, error) {
				info, _ := durable.InfoOf(ctx)
				did.addf("attempt %d", info.Attempt)
				if info.Attempt == 1 {
					return 0, errors.New("not yet")
				}
				return 2 * n, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
				n, err := call[int](ctx, a, n, durable.Local(here.Load()))
				if err != nil {
					return 0, err
				}
				m, err := call[int](ctx, f.Activity, 1)
				return n + m, err
			}))
		handle := start[int](h, o, 21, durable.InstanceID("x"))
		says(t, fails(h, handle), "1 is broken")
		here.Store(false)
		f.breaks()
		h.rewind("x")
		want(h, handle, 43)
		h.pass(time.Minute)
		if diff := cmp.Diff([]string{"attempt 1", "attempt 2"}, did.all()); diff != "" {
			t.Errorf("what ran (-want +got):\n%s", diff)
		}
	})
}
