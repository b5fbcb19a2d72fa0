package durable_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// bystander is code of the same group that knows nothing of the others.
func bystander() durable.Binding {
	return durable.BindOrchestrator(flow("Bystander"), func(durable.Context, durable.None) (int, error) { return 1, nil })
}

// TestUnknownOrchestratorParks: a rolling deploy must not kill instances.
func TestUnknownOrchestratorParks(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		h.work(bystander())
		handle := start[int](h, o, 1, durable.InstanceID("x"))
		inst := h.get("x")
		if inst.Status != durable.Running || !strings.Contains(inst.Parked, "flow.Receive") || inst.Nondeterministic() {
			t.Fatalf("without its code it is %+v, want it parked", inst)
		}
		must(t, h.client.Raise(t.Context(), "x", "go", 41))
		h.pass(time.Minute)

		h.work(bystander(), receiver(o))
		want(h, handle, 42)
		if inst := h.get("x"); inst.Parked != "" || inst.Status != durable.Completed {
			t.Errorf("after its end it is %+v", inst)
		}
	})
}

// TestParkedIsTakenUpByAWorkerThatOwnsNothing: the first worker knows more of the group, so it keeps the partitions.
func TestParkedIsTakenUpByAWorkerThatOwnsNothing(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		other := durable.BindOrchestrator(flow("Other"), func(durable.Context, durable.None) (int, error) { return 1, nil })
		h.work(bystander(), other)
		handle := start[int](h, o, 1, durable.InstanceID("x"))
		if inst := h.get("x"); inst.Parked == "" {
			t.Fatalf("without its code it is %+v, want it parked", inst)
		}
		h.work(receiver(o))
		inst := h.get("x")
		h.pass(10 * time.Second)
		if inst = h.get("x"); inst.Parked != "" || inst.Waiting != "event go" {
			t.Errorf("with its code it is %+v", inst)
		}
		must(t, h.client.Raise(t.Context(), "x", "go", 41))
		want(h, handle, 42)
	})
}

func TestTerminateOfAParkedInstance(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		h.work(bystander())
		handle := start[int](h, o, 1, durable.InstanceID("x"))
		if inst := h.get("x"); inst.Parked == "" {
			t.Fatalf("without its code it is %+v, want it parked", inst)
		}
		must(t, handle.Terminate(t.Context(), "nobody will come"))
		err := fails(h, handle)
		if !errors.Is(err, durable.ErrTerminated) {
			t.Errorf("got %v, want ErrTerminated", err)
		}
		says(t, err, "nobody will come")
		if inst := h.get("x"); inst.Status != durable.Terminated || inst.Parked != "" {
			t.Errorf("after its end it is %+v", inst)
		}
	})
}

// TestNondeterminismParks: code that does not repeat the history decides nothing; fitting code goes on.
func TestNondeterminismParks(t *testing.T) {
	a, b := task("A"), task("B")
	for _, c := range []struct {
		name    string
		changed func(ctx durable.Context) (int, error)
		says    []string
	}{
		{"another activity", func(ctx durable.Context) (int, error) { return call[int](ctx, b, 1) }, []string{"flow.A", "flow.B"}},
		{"other arguments", func(ctx durable.Context) (int, error) { return call[int](ctx, a, 2) }, []string{"flow.A with 1", "flow.A with 2"}},
		{"a timer", func(ctx durable.Context) (int, error) { durable.Sleep(ctx, time.Hour); return 0, nil }, []string{"flow.A", "timer"}},
		{"nothing at all", func(ctx durable.Context) (int, error) { return durable.ReceiveEvent[int](ctx, "other").Get(ctx) }, []string{"flow.A", "event other"}},
		{"the end", func(durable.Context) (int, error) { return -1, nil }, []string{"flow.A", "Completed"}},
	} {
		t.Run(c.name, func(t *testing.T) { deploysChange(t, a, b, c.changed, c.says) })
	}
}

// deploysChange has an instance go on with changed code after its first activity, which was a with 1. texts are what the
// instance says when it is parked until fitting code comes again; none: the change fits.
func deploysChange(t *testing.T, a, b *durable.Activity, changed func(ctx durable.Context) (int, error), texts []string) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Changing")
		var did notes
		run := func(name string) func(context.Context, int) (int, error) {
			return func(_ context.Context, n int) (int, error) { did.addf("%s", name); return n, nil }
		}
		activities := []durable.Binding{durable.BindActivity(a, run("A")), durable.BindActivity(b, run("B"))}
		fitting := append(activities, durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			n, err := call[int](ctx, a, 1)
			next(ctx)
			return n + 10, err
		}))
		other := append(activities[:2:2], durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) { return changed(ctx) }))
		w := h.work(fitting...)
		handle := start[int](h, o, nil, durable.InstanceID("x"))
		h.pass(time.Second)
		h.stop(w)
		w = h.work(other...)
		must(t, h.client.Raise(t.Context(), "x", "next", nil))
		if texts != nil {
			inst := h.get("x")
			if inst.Status != durable.Running || inst.Parked == "" || !inst.Nondeterministic() {
				t.Fatalf("with code that does not fit it is %+v, want it parked", inst)
			}
			says(t, errors.New(inst.Parked), append(texts, "does not repeat its history")...)
			h.stop(w)
			h.work(fitting...)
		}
		want(h, handle, 11)
		if got := strings.Join(did.all(), ""); got != "A" {
			t.Errorf("activities %s ran, want A once", got)
		}
	})
}

// TestParkedTellsTheNewestReason: the second worker has code of that name, which does not fit.
func TestParkedTellsTheNewestReason(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, a := flow("Changing"), task("Double")
		fitting := durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
			n, err := call[int](ctx, a, n)
			next(ctx)
			return n, err
		})
		w := h.work(fitting, bindDouble(a))
		handle := start[int](h, o, 4, durable.InstanceID("x"))
		h.pass(time.Second)
		h.stop(w)

		w = h.work(bystander())
		must(t, h.client.Raise(t.Context(), "x", "next", nil))
		says(t, errors.New(h.get("x").Parked), "no worker for")
		h.stop(w)

		w = h.work(bystander(), durable.BindOrchestrator(o, func(durable.Context, int) (int, error) { return 0, nil }))
		h.pass(10 * time.Second)
		says(t, errors.New(h.get("x").Parked), "does not repeat its history")
		h.stop(w)

		h.work(fitting, bindDouble(a))
		want(h, handle, 8)
	})
}
