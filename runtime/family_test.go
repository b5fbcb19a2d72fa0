package durable_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestRootLink: every instance of a family knows the topmost one, children of children too, over continue-as-new and on
// another worker.
func TestRootLink(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		leaf, middle, top := flow("Leaf"), flow("Middle"), flow("Top")
		code := []durable.Binding{
			durable.BindOrchestrator(leaf, func(ctx durable.Context, _ durable.None) (string, error) {
				_, err := durable.ReceiveEvent[int](ctx, "go").Get(ctx)
				return ctx.RootID(), err
			}),
			durable.BindOrchestrator(middle, func(ctx durable.Context, round int) (string, error) {
				if round < 2 {
					return "", durable.ContinueWith(ctx, round+1)
				}
				got, err := durable.StartChild[string](ctx, leaf, nil, durable.InstanceID("leaf of "+ctx.RootID())).Get(ctx)
				return ctx.RootID() + " " + got, err
			}),
			durable.BindOrchestrator(top, func(ctx durable.Context, round int) (string, error) {
				if round < 1 {
					return "", durable.ContinueWith(ctx, round+1)
				}
				got, err := durable.StartChild[string](ctx, middle, 0).Get(ctx)
				return ctx.RootID() + " " + got, err
			}),
		}
		w := h.work(code...)
		handle := start[string](h, top, 0, durable.InstanceID("top"))
		start[string](h, leaf, nil, durable.InstanceID("alone"))
		if young, err := h.client.Get(t.Context(), "alone"); err != nil || young.RootID != "alone" || young.ParentID != "" {
			t.Errorf("one that a client started: %+v, %v", young, err)
		}
		for id, parent := range map[string]string{"top": "", "top:1-1-0": "top", "leaf of top": "top:1-1-0"} {
			if inst := h.get(id); inst.RootID != "top" || inst.ParentID != parent {
				t.Errorf("%s has root %q and parent %q, want top and %q", id, inst.RootID, inst.ParentID, parent)
			}
		}
		listed := func(f durable.Filter) (ids []string) {
			all, err := h.client.List(t.Context(), f)
			must(t, err)
			for _, inst := range all {
				ids = append(ids, inst.ID)
			}
			slices.Sort(ids)
			return ids
		}
		if diff := cmp.Diff([]string{"leaf of top", "top", "top:1-1-0"}, listed(durable.Filter{RootID: "top"})); diff != "" {
			t.Errorf("the family (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"leaf of top"}, listed(durable.Filter{ParentID: "top:1-1-0"})); diff != "" {
			t.Errorf("the children (-want +got):\n%s", diff)
		}

		h.stop(w)
		h.work(code...)
		must(t, h.client.Raise(t.Context(), "leaf of top", "go", 1))
		want(h, handle, "top top top")
		if inst := h.get("leaf of top"); inst.RootID != "top" {
			t.Errorf("after its end leaf has root %q", inst.RootID)
		}

		// A restart has no parent: it is its own root, and so are its children.
		_, err := h.client.Restart(t.Context(), "top:1-1-0")
		must(t, err)
		h.pass(time.Second)
		for id, parent := range map[string]string{"top:1-1-0": "", "leaf of top:1-1-0": "top:1-1-0"} {
			if inst := h.get(id); inst.RootID != "top:1-1-0" || inst.ParentID != parent {
				t.Errorf("restarted: %s has root %q and parent %q", id, inst.RootID, inst.ParentID)
			}
		}
		if got, err := h.client.PurgeAll(t.Context(), durable.Filter{RootID: "top"}); err != nil || got.Purged != 2 {
			t.Errorf("purge of a family: %+v, %v", got, err)
		}
	})
}

// TestRootLinkOfARewoundChild: the next run of a child has the same root.
func TestRootLinkOfARewoundChild(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, leaf, middle, top := task("Step"), flow("Leaf"), flow("Middle"), flow("Top")
		broken := true
		h.work(
			durable.BindActivity(a, func(context.Context, durable.None) (int, error) {
				if broken {
					return 0, errors.New("broken")
				}
				return 1, nil
			}),
			durable.BindOrchestrator(leaf, func(ctx durable.Context, _ durable.None) (string, error) {
				_, err := call[int](ctx, a, nil)
				return ctx.RootID(), err
			}),
			durable.BindOrchestrator(middle, func(ctx durable.Context, _ durable.None) (string, error) {
				return durable.StartChild[string](ctx, leaf, nil, durable.InstanceID("leaf")).Get(ctx)
			}),
			durable.BindOrchestrator(top, func(ctx durable.Context, _ durable.None) (string, error) {
				return durable.StartChild[string](ctx, middle, nil, durable.InstanceID("middle")).Get(ctx)
			}),
		)
		handle := start[string](h, top, nil, durable.InstanceID("top"))
		fails(h, handle)
		broken = false
		h.rewind("top")
		want(h, handle, "top")
		for _, id := range []string{"top", "middle", "leaf"} {
			if inst := h.get(id); inst.RootID != "top" || inst.Status != durable.Completed {
				t.Errorf("%s is %s and has root %q", id, inst.Status, inst.RootID)
			}
		}
	})
}
