package durable_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	durable "github.com/durablegen/durablegen/runtime"
)

// hoarder receives so many events "x" at every "take" and ends at "stop".
func hoarder(o *durable.Orchestrator) durable.Binding {
	return durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
		taken := 0
		take, stop := durable.ReceiveEvent[int](ctx, "take"), durable.ReceiveEvent[int](ctx, "stop")
		for durable.Any(ctx, take, stop) != stop {
			n, err := take.Get(ctx)
			if err != nil {
				return 0, err
			}
			for range n {
				if err := durable.ReceiveEvent[string](ctx, "x").Err(ctx); err != nil {
					return 0, err
				}
				taken++
			}
			take = durable.ReceiveEvent[int](ctx, "take")
		}
		return taken, nil
	})
}

// TestAFullInstanceRefusesEvents: clients are told, nothing that is there is lost, and it takes events again when some
// are received; orchestrators are not refused.
func TestAFullInstanceRefusesEvents(t *testing.T) {
	for name, c := range map[string]struct {
		event string
		most  int
	}{
		"many":  {"", engine.MostEvents},
		"large": {strings.Repeat("x", 1<<20), engine.MostEventBytes >> 20},
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o, sender := flow("Hoard"), flow("Sender")
				code := []durable.Binding{hoarder(o), durable.BindOrchestrator(sender, func(ctx durable.Context, _ durable.None) (int, error) {
					durable.SendEvent(ctx, "x", "x", "one more")
					return 1, nil
				})}
				w := h.work(code...)
				handle := start[int](h, o, nil, durable.InstanceID("x"))
				raise := func(name string, event any) error { return h.client.Raise(t.Context(), "x", name, event) }
				for range c.most {
					must(t, raise("x", c.event))
				}
				h.pass(time.Second)
				refused := func() {
					t.Helper()
					h.pass(time.Second)
					err := raise("x", 1)
					says(t, err, `raise x to "x"`, "send it again")
					if !errors.Is(err, durable.ErrFull) {
						t.Errorf("got %v, want ErrFull", err)
					}
				}
				refused()
				want(h, start[int](h, sender, nil), 1)
				h.stop(w)
				h.work(code...)
				refused()

				// Suspending works, and what is kept meanwhile counts, too.
				must(t, h.client.Suspend(t.Context(), "x", ""))
				refused()
				must(t, h.client.Resume(t.Context(), "x", ""))
				refused()
				h.pass(time.Second)
				must(t, durable.AttachInstance[int](h.client, o, "x").Terminate(t.Context(), "enough"))
				fails(h, handle)
			})
		})
	}
}

// TestReceivingMakesRoom for what was refused; controls are no events and are never refused.
func TestReceivingMakesRoom(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Hoard")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			if err := durable.Sleep(ctx, time.Hour); err != nil {
				return 0, err
			}
			for range 3 {
				if err := durable.ReceiveEvent[string](ctx, "x").Err(ctx); err != nil {
					return 0, err
				}
			}
			return 3, nil
		}))
		handle := start[int](h, o, nil, durable.InstanceID("x"))
		half := strings.Repeat("x", engine.MostEventBytes/2)
		must(t, h.client.Raise(t.Context(), "x", "x", half))
		must(t, h.client.Suspend(t.Context(), "x", ""))
		must(t, h.client.Raise(t.Context(), "x", "x", half)) // kept because it is suspended
		h.pass(time.Second)
		if err := h.client.Raise(t.Context(), "x", "x", half); !errors.Is(err, durable.ErrFull) {
			t.Errorf("got %v, want ErrFull", err)
		}
		must(t, h.client.Resume(t.Context(), "x", ""))
		h.pass(time.Second)
		if err := h.client.Raise(t.Context(), "x", "x", half); !errors.Is(err, durable.ErrFull) {
			t.Errorf("after the resume got %v, want ErrFull", err)
		}
		h.pass(time.Hour)
		must(t, h.client.Raise(t.Context(), "x", "x", half))
		want(h, handle, 3)
	})
}

// TestAFullBaseParks: events that nobody has received, and that are too large for the next execution, are not lost: the
// instance waits for programs that take more, and says so; nothing is written again and again.
func TestAFullBaseParks(t *testing.T) {
	inSmallHub(t, func(t *testing.T, h *hub) {
		o := flow("Next")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, round int) (int, error) {
			if err := durable.ReceiveEvent[int](ctx, "go").Err(ctx); err != nil {
				return 0, err
			}
			return 0, durable.ContinueWith(ctx, round+1)
		}))
		start[int](h, o, 0, durable.InstanceID("x"))
		for range 30 {
			must(t, h.client.Raise(t.Context(), "x", "x", large(smallStore/20)))
		}
		must(t, h.client.Raise(t.Context(), "x", "go", 1))
		inst := h.get("x")
		says(t, errors.New(inst.Parked), "has to keep 30 events", "Config.MaxPayload")
		before := len(h.m.Log())
		h.pass(time.Hour)
		if after := len(h.m.Log()); after != before {
			t.Errorf("%d messages were stored meanwhile", after-before)
		}
		must(t, h.client.Terminate(t.Context(), "x", "enough"))
		if inst := h.get("x"); inst.Status != durable.Terminated {
			t.Errorf("it is %s, want Terminated", inst.Status)
		}
	})
}
