package durable_test

import (
	"errors"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// TestScheduledStart: the instance exists from its start on, waits without its code running, and begins in time; also
// when the worker changes meanwhile, for an own and for a made id.
func TestScheduledStart(t *testing.T) {
	for name, opts := range map[string][]durable.StartOption{"made id": nil, "own id": {durable.InstanceID("x")}} {
		t.Run(name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Later")
				var began notes
				binding := durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
					if !ctx.Replaying() {
						began.addf("%v", ctx.Now())
					}
					return durable.ReceiveEvent[int](ctx, "go").Get(ctx)
				})
				at := time.Now().Add(2 * time.Hour)
				handle := start[int](h, o, nil, append(opts, durable.StartAt(at))...)
				pending := func(when string) {
					t.Helper()
					if inst := h.get(handle.ID()); inst.Status != durable.Pending || !inst.ScheduledFor.Equal(at) {
						t.Errorf("%s it is %s for %v, want Pending for %v", when, inst.Status, inst.ScheduledFor, at)
					}
				}
				pending("before a worker came")
				w := h.work(binding)
				pending("with a worker")
				must(t, h.client.Raise(t.Context(), handle.ID(), "go", 7))
				h.pass(30 * time.Minute)
				h.stop(w)
				h.work(binding)
				h.pass(30 * time.Minute)
				pending("after the worker changed")
				if got := began.all(); len(got) > 0 {
					t.Fatalf("it began at %v, want %v", got, at)
				}
				want(h, handle, 7)
				if late := time.Since(at); late < 0 || late > 250*time.Millisecond {
					t.Errorf("it ended %v after its time, want 0 to 250 ms", late)
				}
				if inst := h.get(handle.ID()); inst.Status != durable.Completed || !inst.ScheduledFor.IsZero() {
					t.Errorf("after its end it is %+v", inst)
				}
			})
		})
	}
}

// TestScheduledStartThatBegan shows as running, and its next execution begins at once.
func TestScheduledStartThatBegan(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Later")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
			if _, err := durable.ReceiveEvent[int](ctx, "go").Get(ctx); err != nil || n == 2 {
				return n, err
			}
			return 0, durable.ContinueWith(ctx, n+1)
		}))
		handle := start[int](h, o, 1, durable.StartAt(time.Now().Add(time.Hour)), durable.StartAfter(time.Minute))
		h.pass(2 * time.Minute)
		for range 2 {
			if inst := h.get(handle.ID()); inst.Status != durable.Running || !inst.ScheduledFor.IsZero() {
				t.Errorf("it is %s for %v, want Running", inst.Status, inst.ScheduledFor)
			}
			must(t, h.client.Raise(t.Context(), handle.ID(), "go", 0))
		}
		want(h, handle, 2)
		timers := 0
		for _, m := range h.m.Log() {
			if turn, ok := m.Message.Record.(*history.Turn); ok {
				timers += len(turn.Slots)
			}
		}
		if timers != 1 {
			t.Errorf("it waited for %d timers, want one", timers)
		}
	})
}

// TestScheduledForThePast begins at once.
func TestScheduledForThePast(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Now")
		h.work(durable.BindOrchestrator(o, func(durable.Context, int) (int, error) { return 1, nil }))
		h.pass(time.Second)
		begin := time.Now()
		want(h, start[int](h, o, 1, durable.StartAt(begin.Add(-time.Hour))), 1)
		want(h, start[int](h, o, 1, durable.StartAfter(-1)), 1)
		if took := time.Since(begin); took > 0 {
			t.Errorf("it took %v, want no time", took)
		}
	})
}

// TestTerminateBeforeItBegins: its code never runs.
func TestTerminateBeforeItBegins(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Never")
		h.work(durable.BindOrchestrator(o, func(durable.Context, int) (int, error) {
			t.Error("it began")
			return 1, nil
		}))
		handle := start[int](h, o, 1, durable.StartAfter(time.Hour))
		must(t, h.client.Suspend(t.Context(), handle.ID(), "")) // it would be held now
		h.pass(2 * time.Hour)
		must(t, handle.Terminate(t.Context(), "no longer needed"))
		if err := fails(h, handle); !errors.Is(err, durable.ErrTerminated) {
			t.Errorf("got %v, want ErrTerminated", err)
		}
		h.pass(2 * time.Hour)
	})
}
