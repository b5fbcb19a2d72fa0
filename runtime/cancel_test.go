package durable_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// endless is an activity that runs until its context ends.
func endless(a *durable.Activity, did *notes) durable.Binding {
	return durable.BindActivity(a, func(ctx context.Context, name string) (int, error) {
		info, _ := durable.InfoOf(ctx)
		did.addf("%s begins, attempt %d", name, info.Attempt)
		<-ctx.Done()
		did.addf("%s ends: %v", name, context.Cause(ctx))
		return 0, ctx.Err()
	})
}

// TestCancelEndsEverythingThatIsPending: activities, timers, waits for events and children, each with ErrCanceled. What
// has to be done then is done without the cancelled context.
func TestCancelEndsEverythingThatIsPending(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		var did notes
		a, undo, o := task("Endless"), task("Undo"), flow("Cancellable")
		a.Retry = durable.RetryPolicy{Attempts: 5}
		w := []durable.Binding{
			endless(a, &did),
			durable.BindActivity(undo, func(_ context.Context, name string) (int, error) { did.addf("undo %s", name); return 0, nil }),
			durable.BindOrchestrator(o, func(ctx durable.Context, name string) (_ int, err error) {
				defer func() {
					_, undone := call[int](durable.WithoutCancel(ctx), undo, name)
					err = errors.Join(err, undone)
				}()
				work := durable.StartActivity[int](ctx, a, name)
				long := durable.NewTimer(ctx, 24*time.Hour)
				event := durable.ReceiveEvent[int](ctx, "go")
				waiting := durable.Go(ctx, event.Get)
				var child durable.Future[int]
				if name == "parent" {
					child = durable.StartChild[int](ctx, o, "child")
					_, err := child.Get(ctx)
					did.addf("%s: child: %v", name, errors.Is(err, durable.ErrCanceled))
				}
				_, err = work.Get(ctx)
				did.addf("%s: work %v, timer %v %v, event %v", name, err, long.Wait(ctx), long.Fired(), waiting.Err(ctx))
				did.addf("%s: ctx %v, sleep %v, any %v", name, ctx.Err(), durable.Sleep(ctx, time.Hour), durable.Any(ctx, durable.Go(ctx, func(ctx durable.Context) (int, error) {
					return 0, durable.Sleep(durable.WithoutCancel(ctx), time.Hour)
				})))
				return 0, fmt.Errorf("%s: %w", name, err)
			}),
		}
		worker := h.work(w...)
		handle := start[int](h, o, "parent", durable.InstanceID("p"))
		h.pass(time.Second)
		begin := time.Now()
		must(t, handle.Cancel(t.Context(), "changed my mind"))
		err := fails(h, handle)
		if !errors.Is(err, durable.ErrCanceled) || errors.Is(err, durable.ErrTerminated) {
			t.Errorf("it ends with %v, want ErrCanceled", err)
		}
		if took := taken(begin); took > time.Second {
			t.Errorf("the cancel took %v", took)
		}
		inst := h.get("p")
		if inst.Status != durable.Canceled || inst.Failure != "parent: canceled: changed my mind" {
			t.Errorf("it is %s: %s", inst.Status, inst.Failure)
		}
		children, err := h.client.List(t.Context(), durable.Filter{IDPrefix: "p:"})
		must(t, err)
		if len(children) != 1 || children[0].Status != durable.Canceled || children[0].Failure != "child: canceled: parent p was canceled" {
			t.Errorf("the children are %+v", children)
		}
		got := map[string]int{}
		for _, n := range did.all() {
			got[n]++
		}
		want := map[string]int{
			"parent begins, attempt 1": 1, "child begins, attempt 1": 1, "parent: child: true": 1,
			"parent ends: durable: canceled": 1, "child ends: durable: canceled": 1, "undo parent": 1, "undo child": 1,
		}
		for name, why := range map[string]string{"parent": "changed my mind", "child": "parent p was canceled"} {
			e := "canceled: " + why
			want[fmt.Sprintf("%s: work %s, timer %s false, event %s", name, e, e, e)] = 1
			want[fmt.Sprintf("%s: ctx %s, sleep %s, any <nil>", name, e, e)] = 1
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what was done (-want +got):\n%s", diff)
		}
		h.stop(worker)
	})
}

// TestCancelIsPartOfTheHistory: another worker sees it again, and neither repeats nor forgets what followed.
func TestCancelIsPartOfTheHistory(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		var did notes
		a, undo, o := task("Endless"), task("Undo"), flow("Undoing")
		bindings := []durable.Binding{
			endless(a, &did),
			durable.BindActivity(undo, func(context.Context, int) (int, error) { did.addf("undo"); return 0, nil }),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				_, err := call[int](ctx, a, "work")
				ctx = durable.WithoutCancel(ctx)
				if _, err := call[int](ctx, undo, 1); err != nil {
					return 0, err
				}
				if _, err := durable.ReceiveEvent[int](ctx, "go").Get(ctx); err != nil {
					return 0, err
				}
				return 0, err
			}),
		}
		w := h.work(bindings...)
		handle := start[int](h, o, nil)
		h.pass(time.Second)
		must(t, handle.Cancel(t.Context(), ""))
		h.pass(time.Second)
		h.stop(w)
		h.work(bindings...)
		must(t, h.client.Raise(t.Context(), handle.ID(), "go", 1))
		if err := fails(h, handle); !errors.Is(err, durable.ErrCanceled) {
			t.Errorf("it ends with %v", err)
		}
		// The work ends beside the orchestration: before or after it is undone.
		if diff := cmp.Diff(map[string]int{"work begins, attempt 1": 1, "work ends: durable: canceled": 1, "undo": 1}, count(did.all())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestACancelledRetryIsNotMade: the schedule of the next attempt goes away, of activities and of children.
func TestACancelledRetryIsNotMade(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		var did notes
		a, o, c := task("Failing"), flow("Retrying"), flow("Child")
		retry := durable.RetryPolicy{Attempts: 10, First: time.Minute}
		h.work(
			durable.BindActivity(a, func(context.Context, int) (int, error) { did.addf("activity"); return 0, errors.New("no") }),
			durable.BindOrchestrator(c, func(durable.Context, int) (int, error) { did.addf("child"); return 0, errors.New("no") }),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				err := durable.All(ctx, durable.StartActivity[int](ctx, a, 1, retry), durable.StartChild[int](ctx, c, 1, retry))
				ctx = durable.WithoutCancel(ctx)
				must(t, durable.Sleep(ctx, time.Hour))
				return 0, err
			}),
		)
		handle := start[int](h, o, nil)
		h.pass(time.Second)
		must(t, handle.Cancel(t.Context(), ""))
		if err := fails(h, handle); !errors.Is(err, durable.ErrCanceled) {
			t.Errorf("it ends with %v", err)
		}
		if diff := cmp.Diff(map[string]int{"activity": 1, "child": 1}, count(did.all())); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
	})
}

func count(list []string) map[string]int {
	n := map[string]int{}
	for _, s := range list {
		n[s]++
	}
	return n
}

// TestLeftoverActivitiesAreCancelled: an orchestration is complete at its return.
func TestLeftoverActivitiesAreCancelled(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		var did notes
		a, o := task("Endless"), flow("Leaves")
		h.work(endless(a, &did), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			durable.StartActivity[int](ctx, a, "leftover")
			return 1, durable.Sleep(ctx, time.Second)
		}))
		want(h, start[int](h, o, nil), 1)
		h.pass(time.Second)
		if diff := cmp.Diff([]string{"leftover begins, attempt 1", "leftover ends: durable: canceled"}, did.all()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestScopes: a part of an orchestration is cancelled by its own code, or by its deadline.
func TestScopes(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(ctx durable.Context, a *durable.Activity) error
		want error
		took time.Duration
	}{
		{"timeout", func(ctx durable.Context, a *durable.Activity) error {
			ctx, cancel := durable.WithTimeout(ctx, time.Minute)
			defer cancel()
			_, err := call[int](ctx, a, "work")
			if !errors.Is(ctx.Err(), durable.ErrTimeout) || errors.Is(ctx.Err(), durable.ErrCanceled) {
				return fmt.Errorf("the context says %w", ctx.Err())
			}
			return err
		}, context.DeadlineExceeded, time.Minute},
		{"in time", func(ctx durable.Context, a *durable.Activity) error {
			scoped, cancel := durable.WithTimeout(ctx, time.Hour)
			err := durable.Sleep(scoped, time.Minute)
			cancel()
			return errors.Join(err, durable.Sleep(ctx, 2*time.Hour))
		}, nil, 2*time.Hour + time.Minute},
		{"the first of two", func(ctx durable.Context, a *durable.Activity) error {
			scoped, cancel := durable.WithCancel(ctx)
			slow := durable.StartActivity[int](scoped, a, "slow")
			if durable.Any(ctx, slow, durable.NewTimer(ctx, time.Minute)) == durable.Awaitable(slow) {
				return errors.New("the slow one has won")
			}
			cancel()
			return slow.Err(ctx)
		}, durable.ErrCanceled, time.Minute},
		{"of another coroutine", func(ctx durable.Context, a *durable.Activity) error {
			scoped, cancel := durable.WithCancel(ctx)
			f := durable.Go(scoped, func(ctx durable.Context) (int, error) { return 0, durable.Sleep(ctx, time.Hour) })
			durable.Go(ctx, func(ctx durable.Context) (int, error) {
				err := durable.Sleep(ctx, time.Second)
				cancel()
				return 0, err
			})
			return f.Err(ctx)
		}, durable.ErrCanceled, time.Second},
		{"a case of a select", func(ctx durable.Context, a *durable.Activity) error {
			scoped, cancel := durable.WithTimeout(ctx, time.Minute)
			defer cancel()
			var err error
			durable.Select(ctx,
				durable.On(durable.ReceiveEvent[int](ctx, "go"), func(durable.Context, int, error) {}),
				durable.On(scoped.Canceled(), func(_ durable.Context, _ durable.None, why error) { err = why }))
			return err
		}, durable.ErrTimeout, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				var did notes
				a, o := task("Endless"), flow("Scoped")
				h.work(endless(a, &did), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
					begin := ctx.Now()
					if err := c.run(ctx, a); !errors.Is(err, c.want) {
						return 0, fmt.Errorf("it gives %w, want %w", err, c.want)
					}
					return int(ctx.Now().Sub(begin) / time.Second), nil
				}))
				want(h, start[int](h, o, nil), int(c.took/time.Second))
			})
		})
	}
}

// TestCancelledButCompleted: who goes on in spite of it ends as its code says.
func TestCancelledButCompleted(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("GoesOn")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			if err := durable.Sleep(ctx, time.Hour); !errors.Is(err, durable.ErrCanceled) {
				return 0, fmt.Errorf("sleep gives %w", err)
			}
			return 7, nil
		}))
		handle := start[int](h, o, nil)
		h.pass(time.Second)
		must(t, handle.Cancel(t.Context(), ""))
		want(h, handle, 7)
		if err := handle.Cancel(t.Context(), ""); !errors.Is(err, durable.ErrFinished) {
			t.Errorf("a cancel after the end gives %v", err)
		}
	})
}
