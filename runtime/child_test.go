package durable_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

func TestChildKnowsItsParent(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		child, parent := flow("Child"), flow("Parent")
		older := *child
		child.Version = "2"
		said := func(ctx durable.Context, _ durable.None) (string, error) {
			return ctx.InstanceID() + " of " + ctx.ParentID() + ", version " + ctx.OrchestratorVersion(), nil
		}
		h.work(
			durable.BindOrchestrator(child, said), durable.BindOrchestrator(&older, said),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (string, error) {
				own := durable.StartChild[string](ctx, child, nil, durable.InstanceID("c1"), durable.Tags{"k": "v"}, durable.Version("1"))
				made := durable.StartChild[string](ctx, child, nil)
				got, err := durable.Collect(ctx, []durable.Future[string]{own, made})
				return strings.Join(got, "; "), err
			}),
		)
		want(h, start[string](h, parent, nil, durable.InstanceID("p")), "c1 of p, version 1; p:1-0-1 of p, version 2")
		inst := h.get("c1")
		got := []any{inst.Name, inst.ParentID, inst.Version, inst.Status, inst.Tags}
		if diff := cmp.Diff([]any{child.Name, "p", "1", durable.Completed, map[string]string{"k": "v"}}, got); diff != "" {
			t.Errorf("child (-want +got):\n%s", diff)
		}
	})
}

func TestChildWithATakenID(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		idle, parent := flow("Idle"), flow("Parent")
		h.work(
			durable.BindOrchestrator(idle, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.ReceiveEvent[int](ctx, "go").Get(ctx)
			}),
			durable.BindOrchestrator(parent, func(ctx durable.Context, id string) (int, error) {
				return durable.StartChild[int](ctx, idle, nil, durable.InstanceID(id), durable.RetryPolicy{Attempts: 3}).Get(ctx)
			}),
		)
		holder := start[int](h, idle, nil, durable.InstanceID("taken"))
		err := fails(h, start[int](h, parent, "taken"))
		if !errors.Is(err, durable.ErrAlreadyExists) {
			t.Errorf("got %v, want ErrAlreadyExists", err)
		}
		says(t, err, `"taken"`, "choose another id")

		// Between two parents the first one has it.
		first := start[int](h, parent, "contested")
		h.pass(time.Second)
		if err := fails(h, start[int](h, parent, "contested")); !errors.Is(err, durable.ErrAlreadyExists) {
			t.Errorf("got %v, want ErrAlreadyExists", err)
		}
		must(t, h.client.Raise(t.Context(), "contested", "go", 1))
		want(h, first, 1)
		must(t, h.client.Raise(t.Context(), "taken", "go", 2))
		want(h, holder, 2)
	})
}

func TestChildWithAWrongID(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		child, parent := flow("Child"), flow("Parent")
		h.work(
			durable.BindOrchestrator(child, func(durable.Context, durable.None) (int, error) { return 1, nil }),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.StartChild[int](ctx, child, nil, durable.InstanceID("a\nb")).Get(ctx)
			}),
		)
		says(t, fails(h, start[int](h, parent, nil)), "flow.Child", `"a\nb"`, "control character")
	})
}

func TestChildIsTriedAgain(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, child, parent := task("Flaky"), flow("Child"), flow("Parent")
		var did notes
		h.work(
			durable.BindActivity(a, func(_ context.Context, id string) (int, error) {
				did.addf("%s", id)
				if len(did.all()) < 3 {
					return 0, errGone
				}
				return 7, nil
			}),
			durable.BindOrchestrator(child, func(ctx durable.Context, _ durable.None) (int, error) {
				return call[int](ctx, a, ctx.InstanceID())
			}),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
				begin := ctx.Now()
				f := durable.StartChild[int](ctx, child, nil, durable.InstanceID("c"), durable.RetryPolicy{Attempts: 3, First: time.Minute})
				durable.Sleep(ctx, time.Hour) // it advances though nobody waits for it
				if !f.Ready() {
					t.Errorf("not done after %v", ctx.Now().Sub(begin))
				}
				return f.Get(ctx)
			}),
		)
		want(h, start[int](h, parent, nil), 7)
		if diff := cmp.Diff([]string{"c", "c:2", "c:3"}, did.all()); diff != "" {
			t.Errorf("children (-want +got):\n%s", diff)
		}
	})
}

func TestTerminateReachesTheChildren(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		leaf, middle, top := flow("Leaf"), flow("Middle"), flow("Top")
		h.work(
			durable.BindOrchestrator(leaf, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.ReceiveEvent[int](ctx, "never").Get(ctx)
			}),
			durable.BindOrchestrator(middle, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.StartChild[int](ctx, leaf, nil, durable.InstanceID("leaf")).Get(ctx)
			}),
			durable.BindOrchestrator(top, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.StartChild[int](ctx, middle, nil, durable.InstanceID("middle")).Get(ctx)
			}),
		)
		handle := start[int](h, top, nil, durable.InstanceID("top"))
		h.pass(time.Second)
		must(t, handle.Terminate(t.Context(), "enough"))
		err := fails(h, handle)
		if !errors.Is(err, durable.ErrTerminated) {
			t.Errorf("got %v, want ErrTerminated", err)
		}
		says(t, err, "flow.Top", "enough")
		for _, id := range []string{"top", "middle", "leaf"} {
			if inst := h.get(id); inst.Status != durable.Terminated || inst.Failure == "" || inst.Finished.IsZero() {
				t.Errorf("%s is %+v, want it terminated", id, inst)
			}
		}
	})
}

func TestATerminatedChildIsNotTriedAgain(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		child, parent := flow("Child"), flow("Parent")
		h.work(
			durable.BindOrchestrator(child, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.ReceiveEvent[int](ctx, "never").Get(ctx)
			}),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.StartChild[int](ctx, child, nil, durable.InstanceID("c"), durable.RetryPolicy{Attempts: 3}).Get(ctx)
			}),
		)
		handle := start[int](h, parent, nil)
		h.pass(time.Second)
		must(t, h.client.Terminate(t.Context(), "c", "no more"))
		err := fails(h, handle)
		if !errors.Is(err, durable.ErrTerminated) {
			t.Errorf("got %v, want ErrTerminated", err)
		}
		says(t, err, "no more")
		if inst := h.get(handle.ID()); inst.Status != durable.Failed {
			t.Errorf("the parent is %s, want Failed: only its child was terminated", inst.Status)
		}
	})
}

// TestChildOfAnotherGroup: services share a hub, each with workers that know their own code.
func TestChildOfAnotherGroup(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		parent := flow("Parent")
		child := &durable.Orchestrator{Name: "other.Child", Group: "other", Source: "example.com/other.Child"}
		h.work(durable.BindOrchestrator(child, func(_ durable.Context, n int) (int, error) { return 2 * n, nil }))
		h.work(durable.BindOrchestrator(parent, func(ctx durable.Context, n int) (int, error) {
			return durable.StartChild[int](ctx, child, n).Get(ctx)
		}))
		want(h, start[int](h, parent, 21), 42)
	})
}

// A child's id that an execution before has used, and whose instance has ended, is taken as any other.
func TestChildIDOfTheExecutionBefore(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		child, parent := flow("Child"), flow("Parent")
		h.work(
			durable.BindOrchestrator(child, func(durable.Context, durable.None) (int, error) { return 1, nil }),
			durable.BindOrchestrator(parent, func(ctx durable.Context, round int) (int, error) {
				if _, err := durable.StartChild[int](ctx, child, nil, durable.InstanceID("c")).Get(ctx); err != nil || round == 2 {
					return 0, err
				}
				return 0, durable.ContinueWith(ctx, round+1)
			}),
		)
		if err := fails(h, start[int](h, parent, 1, durable.InstanceID("p"))); !errors.Is(err, durable.ErrAlreadyExists) {
			t.Errorf("got %v, want ErrAlreadyExists", err)
		}
	})
}
