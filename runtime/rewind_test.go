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

	durable "github.com/durablegen/durablegen/runtime"
)

// faulty is an activity that gives its input, or fails while it is broken. It notes every execution.
type faulty struct {
	*durable.Activity
	did    notes
	broken atomic.Int64 // bit n: it fails for n
}

func newFaulty(name string, broken ...int) *faulty {
	f := &faulty{Activity: task(name)}
	f.breaks(broken...)
	return f
}

func (f *faulty) breaks(inputs ...int) {
	var bits int64
	for _, n := range inputs {
		bits |= 1 << n
	}
	f.broken.Store(bits)
}

func (f *faulty) bind() durable.Binding {
	return durable.BindActivity(f.Activity, func(_ context.Context, n int) (int, error) {
		f.did.addf("%d", n)
		if f.broken.Load()&(1<<n) != 0 {
			return 0, fmt.Errorf("%d is broken", n)
		}
		return n, nil
	})
}

// ran gives the executions since the last call.
func (f *faulty) ran() string {
	f.did.mu.Lock()
	defer f.did.mu.Unlock()
	all := strings.Join(f.did.list, " ")
	f.did.list = nil
	return all
}

func (h *hub) rewind(id string) {
	h.t.Helper()
	h.pass(time.Second)
	must(h.t, h.client.Rewind(h.t.Context(), id, "fixed"))
}

func expectRan(t *testing.T, f *faulty, want string) {
	t.Helper()
	if got := f.ran(); got != want {
		t.Errorf("activity %s ran with [%s], want [%s]", f.Name, got, want)
	}
}

// inTurn calls an activity for every number.
func inTurn(o *durable.Orchestrator, f *faulty) durable.Binding {
	return durable.BindOrchestrator(o, func(ctx durable.Context, n int) (string, error) {
		durable.SendEvent(ctx, ctx.InstanceID(), "id", ctx.NewUUID()) // a replay that makes another one fits nothing
		ctx.SetStatus("begun")
		sum := 0
		for k := range n {
			durable.Sleep(ctx, time.Minute)
			got, err := call[int](ctx, f.Activity, k)
			if err != nil {
				return "", fmt.Errorf("step %d: %w", k, err)
			}
			sum += got
		}
		id, err := durable.ReceiveEvent[string](ctx, "id").Get(ctx)
		return fmt.Sprint(sum, " ", len(id)), err
	})
}

// TestRewindRunsTheFailedActivityAgain and what comes after it, nothing else: twice in a row, with other workers between.
func TestRewindRunsTheFailedActivityAgain(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, f := flow("InTurn"), newFaulty("Step", 2, 4)
		w := h.work(inTurn(o, f), f.bind())
		handle := start[string](h, o, 6, durable.InstanceID("x"), durable.Tags{"k": "v"})
		says(t, fails(h, handle), "step 2", "2 is broken")
		expectRan(t, f, "0 1 2")
		created := h.get("x").Created

		plan, err := h.client.RewindPlan(t.Context(), "x")
		must(t, err)
		if diff := cmp.Diff(durable.RewindPlan{
			ID: "x", Orchestrator: o.Name, Status: durable.Failed, Failure: plan.Failure,
			Activities: []durable.RewindActivity{{Name: f.Name, Slot: 6, Args: []byte("2")}},
		}, plan); diff != "" {
			t.Errorf("plan (-want +got):\n%s", diff)
		}

		f.breaks(4)
		h.rewind("x")
		inst := h.get("x")
		if inst.Status != durable.Running || !inst.Created.Equal(created) || inst.Tags["k"] != "v" || string(inst.CustomStatus) != `"begun"` || string(inst.Input) != "6" {
			t.Errorf("after the rewind it is %+v", inst)
		}
		says(t, fails(h, handle), "step 4")
		expectRan(t, f, "2 3 4")

		f.breaks()
		h.stop(w)
		h.rewind("x")
		h.work(inTurn(o, f), f.bind())
		want(h, handle, "15 36")
		expectRan(t, f, "4 5")
		if _, err := h.client.Restart(t.Context(), "x"); err != nil {
			t.Error(err)
		}
		want(h, handle, "15 36")
		expectRan(t, f, "0 1 2 3 4 5")
	})
}

// TestRewindOfAFanOut: two of five have failed.
func TestRewindOfAFanOut(t *testing.T) {
	for name, gather := range map[string]func(ctx durable.Context, f *faulty) error{
		"all": func(ctx durable.Context, f *faulty) error {
			var all []durable.Awaitable
			for n := range 5 {
				all = append(all, durable.StartActivity[int](ctx, f.Activity, n))
			}
			return durable.All(ctx, all...)
		},
		"coroutines": func(ctx durable.Context, f *faulty) error {
			var all []durable.Awaitable
			for n := range 5 {
				all = append(all, durable.Go(ctx, func(ctx durable.Context) (int, error) {
					_, err := call[int](ctx, f.Activity, n)
					if err != nil {
						err = fmt.Errorf("coroutine %d: %w", n, err)
					}
					return n, err
				}))
			}
			return durable.All(ctx, all...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o, f := flow("FanOut"), newFaulty("Part", 1, 3)
				binding := durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) { return 5, gather(ctx, f) })
				w := h.work(binding, f.bind())
				handle := start[int](h, o, nil, durable.InstanceID("x"))
				says(t, fails(h, handle), "1 is broken", "3 is broken")
				if got := f.ran(); len(got) != 9 {
					t.Errorf("it ran %s first", got)
				}
				f.breaks()
				h.rewind("x")
				h.pass(time.Second)
				h.stop(w)
				h.work(binding, f.bind())
				want(h, handle, 5)
				if got := f.ran(); got != "1 3" && got != "3 1" {
					t.Errorf("again ran %s, want 1 and 3", got)
				}
			})
		})
	}
}

// family calls itself as a child until depth 0, which calls an activity.
func family(o *durable.Orchestrator, f *faulty, opts ...durable.ChildOption) durable.Binding {
	return durable.BindOrchestrator(o, func(ctx durable.Context, depth int) (int, error) {
		before, err := call[int](ctx, f.Activity, 10+depth)
		if err != nil || depth == 0 {
			return before, err
		}
		left := durable.StartChild[int](ctx, o, depth-1, opts...)
		n, err := left.Get(ctx)
		return n + before, err
	})
}

// TestRewindOfAGrandchild: the failed child and grandchild are rewound, no effect is repeated that was there.
func TestRewindOfAGrandchild(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, f := flow("Family"), newFaulty("Do", 10)
		binding := family(o, f)
		w := h.work(binding, f.bind())
		handle := start[int](h, o, 2, durable.InstanceID("x"))
		says(t, fails(h, handle), "10 is broken")
		expectRan(t, f, "12 11 10")
		h.pass(time.Second)
		plan, err := h.client.RewindPlan(t.Context(), "x")
		must(t, err)
		if len(plan.Children) != 1 || len(plan.Children[0].Children) != 1 || len(plan.Activities) != 0 {
			t.Fatalf("plan %+v", plan)
		}
		grandchild := plan.Children[0].Children[0]
		if len(grandchild.Activities) != 1 || string(grandchild.Activities[0].Args) != "10" {
			t.Errorf("plan of the grandchild %+v", grandchild)
		}
		h.rewind("x") // still broken
		says(t, fails(h, handle), "10 is broken")
		expectRan(t, f, "10")
		f.breaks()
		h.stop(w)
		h.rewind("x")
		h.work(binding, f.bind())
		want(h, handle, 33)
		expectRan(t, f, "10")
		for _, id := range []string{plan.Children[0].ID, grandchild.ID} {
			if inst := h.get(id); inst.Status != durable.Completed {
				t.Errorf("%s is %+v", id, inst)
			}
		}
		if open := h.m.Unacked(); len(open) > 0 {
			t.Errorf("not acknowledged: %+v", open)
		}
	})
}

// TestRewindHearsOfChildrenThatGoOn: one child has failed, the others still run, end before the rewind, or are rewound
// by somebody else.
func TestRewindHearsOfChildrenThatGoOn(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, child, f := flow("Parent"), flow("Child"), newFaulty("Do", 0)
		h.work(f.bind(),
			durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
				var all []durable.Future[int]
				for k := range n {
					all = append(all, durable.StartChild[int](ctx, child, k, durable.InstanceID(fmt.Sprint("c", k))))
				}
				if err := all[0].Err(ctx); err != nil {
					return 0, err
				}
				got, err := durable.Collect(ctx, all)
				sum := 0
				for _, n := range got {
					sum += n
				}
				return sum, err
			}),
			durable.BindOrchestrator(child, func(ctx durable.Context, n int) (int, error) {
				if n > 0 {
					next(ctx)
				}
				return call[int](ctx, f.Activity, n)
			}))
		handle := start[int](h, o, 5, durable.InstanceID("x"))
		fails(h, handle)
		h.pass(time.Second)
		must(t, h.client.Raise(t.Context(), "c1", "next", nil)) // ends well, too late
		f.breaks(0, 2)
		must(t, h.client.Raise(t.Context(), "c2", "next", nil)) // fails, too late
		h.pass(time.Second)
		f.breaks()
		must(t, h.client.Rewind(t.Context(), "c0", "by itself"))
		h.pass(time.Second)
		h.rewind("x")
		h.pass(time.Second)
		must(t, h.client.Raise(t.Context(), "c3", "next", nil))
		h.pass(time.Minute)
		must(t, h.client.Raise(t.Context(), "c4", "next", nil))
		want(h, handle, 10)
	})
}

// TestRewindAfterAFix: the orchestrator's own code has failed; with new code the history goes on.
func TestRewindAfterAFix(t *testing.T) {
	for name, bug := range map[string]func() (int, error){
		"error": func() (int, error) { return 0, errors.New("a bug") },
		"panic": func() (int, error) { panic("a bug") },
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o, f := flow("Buggy"), newFaulty("Do")
				code := func(end func() (int, error)) durable.Binding {
					return durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
						if _, err := call[int](ctx, f.Activity, 1); err != nil {
							return 0, err
						}
						next(ctx)
						return end()
					})
				}
				w := h.work(code(bug), f.bind())
				handle := start[int](h, o, nil, durable.InstanceID("x"))
				must(t, h.client.Raise(t.Context(), "x", "next", nil))
				fails(h, handle)
				h.rewind("x")
				says(t, fails(h, handle), "a bug") // the same code
				h.stop(w)
				h.rewind("x")
				h.work(code(func() (int, error) { return 7, nil }), f.bind())
				want(h, handle, 7)
				expectRan(t, f, "1")
			})
		})
	}
}

// TestRewindWithACompensation: what was decided after the failure is forgotten where it does not fit.
func TestRewindWithACompensation(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, f, undo, after := flow("Saga"), newFaulty("Do", 2), newFaulty("Undo"), newFaulty("After")
		h.work(f.bind(), undo.bind(), after.bind(), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			if _, err := call[int](ctx, f.Activity, 1); err != nil {
				return 0, err
			}
			if _, err := call[int](ctx, f.Activity, 2); err != nil {
				_, undone := call[int](ctx, undo.Activity, 1)
				return 0, errors.Join(err, undone)
			}
			return call[int](ctx, after.Activity, 3)
		}))
		handle := start[int](h, o, nil, durable.InstanceID("x"))
		fails(h, handle)
		h.pass(time.Second)
		plan, err := h.client.RewindPlan(t.Context(), "x")
		must(t, err)
		if !plan.Decided || len(plan.Activities) != 1 {
			t.Errorf("plan %+v, want that something was decided after the failure", plan)
		}
		f.breaks()
		h.rewind("x")
		want(h, handle, 3)
		expectRan(t, f, "1 2 2")
		expectRan(t, undo, "1")
		expectRan(t, after, "3")
	})
}

// TestRewindOfAnUnfinishedRun: an activity without a result runs again, a timer goes on, events are kept.
func TestRewindOfAnUnfinishedRun(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, f, slow := flow("Mixed"), newFaulty("Do", 1), task("Slow")
		var slept notes
		binding := durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			kept := durable.ReceiveEvent[string](ctx, "early")
			text, err := kept.Get(ctx)
			if err != nil {
				return "", err
			}
			timer := durable.NewTimer(ctx, 10*time.Hour)
			stopped := durable.NewTimer(ctx, 20*time.Hour)
			stopped.Stop()
			long := durable.StartActivity[int](ctx, slow, 5)
			if _, err := call[int](ctx, f.Activity, 1); err != nil {
				return "", err
			}
			n, err := long.Get(ctx)
			timer.Wait(ctx)
			late, _ := durable.ReceiveEvent[string](ctx, "late").Get(ctx)
			return fmt.Sprint(text, n, late), err
		})
		h.work(binding, f.bind(), durable.BindActivity(slow, func(ctx context.Context, n int) (int, error) {
			slept.addf("slow")
			select {
			case <-time.After(time.Minute):
			case <-ctx.Done():
			}
			return n, nil
		}))
		begin := time.Now()
		handle := start[string](h, o, nil, durable.InstanceID("x"))
		must(t, h.client.Raise(t.Context(), "x", "late", "!"))
		must(t, h.client.Raise(t.Context(), "x", "early", "a"))
		fails(h, handle)
		f.breaks()
		h.rewind("x")
		want(h, handle, "a5!")
		if took := time.Since(begin); took < 10*time.Hour || took > 10*time.Hour+time.Minute {
			t.Errorf("it took %v, want the ten hours of its timer", took)
		}
		if got := len(slept.all()); got != 2 {
			t.Errorf("the activity without a result ran %d times, want 2", got)
		}
	})
}

// TestRewindAfterContinueAsNew: the execution goes on, then the next ones.
func TestRewindAfterContinueAsNew(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, f := flow("Loop"), newFaulty("Do", 2, 4)
		binding := durable.BindOrchestrator(o, func(ctx durable.Context, in [2]int) (int, error) {
			if _, err := call[int](ctx, f.Activity, 9); err != nil {
				return 0, err
			}
			n, err := call[int](ctx, f.Activity, in[0])
			if err != nil || in[0] == 5 {
				return n + in[1], err
			}
			if extra, err := durable.ReceiveEvent[int](ctx, "add").Get(ctx); err != nil || extra > 0 {
				in[1] += extra
			}
			return 0, durable.ContinueWith(ctx, [2]int{in[0] + 1, in[1] + n})
		})
		w := h.work(binding, f.bind())
		handle := start[int](h, o, [2]int{0, 0}, durable.InstanceID("x"))
		for range 5 {
			must(t, h.client.Raise(t.Context(), "x", "add", 100)) // kept until they are received
		}
		fails(h, handle)
		expectRan(t, f, "9 0 9 1 9 2")
		f.breaks(4)
		h.rewind("x")
		fails(h, handle)
		expectRan(t, f, "2 9 3 9 4")
		h.stop(w)
		w = h.work(binding, f.bind())
		h.rewind("x")
		fails(h, handle)
		expectRan(t, f, "4")
		f.breaks()
		h.rewind("x")
		h.stop(w)
		h.work(binding, f.bind())
		want(h, handle, 515)
		expectRan(t, f, "4 9 5")
		if open := h.m.Unacked(); len(open) > 0 {
			t.Errorf("not acknowledged: %+v", open)
		}
	})
}

// TestRewindOfABigHistory: more than a worker keeps in memory, and than a message holds.
func TestRewindOfABigHistory(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, f, big := flow("Big"), newFaulty("Do", 1), task("Big")
		binding := durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			sum := 0
			for range 40 {
				s, err := call[string](ctx, big, strings.Repeat("x", 10<<10))
				if err != nil {
					return 0, err
				}
				sum += len(s)
			}
			n, err := call[int](ctx, f.Activity, 1)
			return sum + n, err
		})
		var did notes
		echo := durable.BindActivity(big, func(_ context.Context, s string) (string, error) {
			did.addf("big")
			return s, nil
		})
		w := h.work(binding, f.bind(), echo)
		handle := start[int](h, o, nil, durable.InstanceID("x"))
		for range 2 {
			fails(h, handle)
			h.rewind("x")
		}
		fails(h, handle)
		f.breaks()
		h.stop(w)
		h.m.Purge(1 << 60) // the archive is enough
		h.rewind("x")
		h.work(binding, f.bind(), echo)
		want(h, handle, 40*(10<<10)+1)
		if got := len(did.all()); got != 40 {
			t.Errorf("the big activities ran %d times, want 40", got)
		}
	})
}

func TestRewindRefuses(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, waiting, f := flow("Pass"), flow("Receive"), newFaulty("Do", 0)
		failing := flow("Family")
		h.work(passing(o), receiver(waiting), family(failing, f), f.bind())
		want(h, start[int](h, o, 1, durable.InstanceID("completed")), 1)
		start[int](h, waiting, 1, durable.InstanceID("running"))
		must(t, start[int](h, waiting, 1, durable.InstanceID("terminated")).Terminate(t.Context(), "enough"))
		h.pass(time.Second)
		for id, want := range map[string]error{
			"completed": durable.ErrNotFailed, "running": durable.ErrNotFailed, "terminated": durable.ErrNotFailed, "nobody": durable.ErrNotFound,
		} {
			if err := h.client.Rewind(t.Context(), id, ""); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", id, err, want)
			}
			if _, err := h.client.RewindPlan(t.Context(), id); !errors.Is(err, want) {
				t.Errorf("plan of %s: got %v, want %v", id, err, want)
			}
		}
	})
}

// TestTwoRewindsAtOnce: one new run.
func TestTwoRewindsAtOnce(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, f := flow("InTurn"), newFaulty("Step", 1)
		w := h.work(inTurn(o, f), f.bind())
		handle := start[string](h, o, 2, durable.InstanceID("x"))
		fails(h, handle)
		h.pass(time.Second)
		h.stop(w)
		f.ran()
		f.breaks()
		for range 3 {
			must(t, h.newClient().Rewind(t.Context(), "x", ""))
		}
		h.work(inTurn(o, f), f.bind())
		h.pass(time.Minute)
		want(h, handle, "1 36")
		expectRan(t, f, "1")
	})
}

// TestRewindOfAPurgedChild tells the parent that it is gone.
func TestRewindOfAPurgedChild(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, f := flow("Family"), newFaulty("Do", 10)
		h.work(family(o, f), f.bind())
		handle := start[int](h, o, 1, durable.InstanceID("x"))
		fails(h, handle)
		h.pass(time.Second)
		_, err := h.client.Purge(t.Context(), "x:1-0-1")
		must(t, err)
		h.rewind("x")
		says(t, fails(h, handle), "purged")
		f.breaks()
		h.rewind("x") // it is started anew then
		want(h, handle, 21)
	})
}
