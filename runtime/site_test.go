package durable_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// below is the line after the one that calls it, as the log should have it.
func below() string {
	_, _, n, _ := runtime.Caller(1)
	return fmt.Sprintf("site_test.go:%d", n+1)
}

// sites lists what the log of an instance has as the sites of its slots.
func (h *hub) sites(id string) map[string]string {
	found := map[string]string{}
	for _, s := range h.m.Log() {
		if s.To.ID != id {
			continue
		}
		switch r := s.Message.Record.(type) {
		case *history.Task:
			found[r.Ref.String()] = r.Site
		case *history.Turn:
			for _, slot := range r.Slots {
				found[history.Ref{Run: r.Run, Execution: r.Execution, Slot: slot.N}.String()] = slot.Site
			}
		}
	}
	return found
}

// TestEverySlotHasItsSite: whatever takes a slot is recorded with the line of the orchestrator that asked for it, also
// when a coroutine of ours does it later; no folder of the machine that built the program is in it.
func TestEverySlotHasItsSite(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, child, o := task("Step"), flow("Child"), flow("Sites")
		var want []string
		h.work(
			durable.BindActivity(a, func(_ context.Context, fail bool) (int, error) {
				if fail {
					return 0, errors.New("no")
				}
				return 1, nil
			}),
			durable.BindOrchestrator(child, func(_ durable.Context, fail bool) (int, error) {
				if fail {
					return 0, errors.New("no")
				}
				return 1, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				want = nil
				at := func(site string, times int) {
					for range times {
						want = append(want, site)
					}
				}
				at(below(), 1)
				durable.StartActivity[int](ctx, a, false).Get(ctx)
				at(below(), 1)
				durable.Sleep(ctx, time.Second)
				at(below(), 1)
				durable.StartChild[int](ctx, child, false).Get(ctx)
				at(below(), 1)
				durable.SendEvent(ctx, ctx.InstanceID(), "e", 1)
				at(below(), 1)
				durable.ReceiveEvent[int](ctx, "none").Within(ctx, time.Second)
				at(below(), 1)
				durable.WithTimeout(ctx, time.Hour)
				at(below(), 3)
				durable.StartActivity[int](ctx, a, true, durable.RetryPolicy{Attempts: 2, Handle: func(error) bool { return true }}).Get(ctx)
				at(below(), 3)
				durable.StartChild[int](ctx, child, true, durable.RetryPolicy{Attempts: 2}).Get(ctx)
				durable.Go(ctx, func(ctx durable.Context) (int, error) {
					at(below(), 1)
					return durable.StartActivity[int](ctx, a, false).Get(ctx)
				}).Get(ctx)
				return 1, nil
			}),
		)
		handle := start[int](h, o, nil, durable.InstanceID("x"))
		if n, err := handle.Wait(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		got := h.sites("x")
		var list []string
		for n := range len(got) {
			list = append(list, got[history.Ref{Run: 1, Slot: uint32(n)}.String()])
		}
		if diff := cmp.Diff(want, list); diff != "" {
			t.Errorf("sites of the slots (-want +got):\n%s", diff)
		}
	})
}

// TestAParkedInstanceTellsBothSites: of the call that was recorded and of the one that came in its place.
func TestAParkedInstanceTellsBothSites(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Step"), flow("Changing")
		step := durable.BindActivity(a, func(context.Context, int) (int, error) { return 1, nil })
		var then, now string
		w := h.work(step, durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			then = below()
			f := durable.StartActivity[int](ctx, a, 1)
			next(ctx)
			return f.Get(ctx)
		}))
		start[int](h, o, nil, durable.InstanceID("x"))
		h.pass(time.Second)
		h.stop(w)
		w = h.work(step, durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			now = below()
			return 0, durable.Sleep(ctx, time.Hour)
		}))
		must(t, h.client.Raise(t.Context(), "x", "next", nil))
		parked := h.get("x").Parked
		says(t, errors.New(parked), "flow.Step with 1 at "+then, "timer until", "at "+now)
		if strings.ContainsAny(parked, `\`) || strings.Contains(parked, "/site_test") {
			t.Errorf("%q has a folder", parked)
		}
		h.stop(w)

		// The code has moved: the same decisions at other lines fit.
		h.work(step, durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			f := durable.StartActivity[int](ctx, a, 1)
			next(ctx)
			return f.Get(ctx)
		}))
		want(h, durable.AttachInstance[int](h.client, o, "x"), 1)
		if at := h.sites("x")["1-0-0"]; at != then {
			t.Errorf("slot 0 is recorded at %s, want %s: the first record stands", at, then)
		}
	})
}
