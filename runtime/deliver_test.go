package durable_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// outcome names the error of a delivery by its sentinel.
func outcome(err error) string {
	for name, is := range map[string]error{
		"not found": durable.ErrNotFound, "finished": durable.ErrFinished, "canceled": durable.ErrCanceled, "payload": durable.ErrPayload,
	} {
		if errors.Is(err, is) {
			return name
		}
	}
	return fmt.Sprint(err)
}

// gatherer collects so many numbers.
func gatherer(o *durable.Orchestrator) durable.Binding {
	return durable.BindOrchestrator(o, func(ctx durable.Context, count int) (string, error) {
		var got []string
		for range count {
			n, err := durable.ReceiveEvent[int](ctx, "number").Get(ctx)
			if err != nil {
				return "", err
			}
			got = append(got, fmt.Sprint(n))
		}
		return strings.Join(got, " "), nil
	})
}

// TestDeliverTellsWhatBecameOfTheEvent, also where the orchestrator goes on on another worker.
func TestDeliverTellsWhatBecameOfTheEvent(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		gather, sender := flow("Gather"), flow("Sender")
		to := []string{"waiting", "scheduled", "suspended", "child", "nobody", "ended", "purged"}
		code := []durable.Binding{gatherer(gather), durable.BindOrchestrator(sender, func(ctx durable.Context, _ durable.None) (string, error) {
			child := durable.StartChild[string](ctx, gather, 1, durable.InstanceID("child"))
			var told []error
			for n, id := range to {
				told = append(told, durable.DeliverEvent(ctx, id, "Number", n))
			}
			if _, err := child.Get(ctx); err != nil {
				return "", err
			}
			durable.Sleep(ctx, time.Hour)
			var words []string
			for n, err := range told {
				words = append(words, to[n]+": "+outcome(err))
			}
			return strings.Join(words, ", "), nil
		})}
		w := h.work(code...)
		for _, id := range []string{"ended", "purged"} {
			want(h, start[string](h, gather, 0, durable.InstanceID(id)), "")
		}
		h.pass(time.Second)
		_, err := h.client.Purge(t.Context(), "purged")
		must(t, err)
		waiting := start[string](h, gather, 1, durable.InstanceID("waiting"))
		scheduled := start[string](h, gather, 1, durable.InstanceID("scheduled"), durable.StartAfter(time.Minute))
		suspended := start[string](h, gather, 1, durable.InstanceID("suspended"))
		must(t, h.client.Suspend(t.Context(), "suspended", ""))

		handle := start[string](h, sender, nil)
		h.pass(10 * time.Minute)
		h.stop(w)
		h.work(code...)
		want(h, handle, "waiting: <nil>, scheduled: <nil>, suspended: <nil>, child: <nil>, nobody: not found, ended: finished, purged: not found")
		want(h, waiting, "0")
		want(h, scheduled, "1")
		must(t, h.client.Resume(t.Context(), "suspended", ""))
		want(h, suspended, "2")
		h.pass(time.Minute)
		if n := len(h.m.Unacked()); n > 0 {
			t.Errorf("%d messages are left over", n)
		}
	})
}

// TestDeliverWaitsForNobody who is there: it needs no worker of the receiver, and a receiver in its own group or none.
func TestDeliverWaitsForNobody(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		away, sender := &durable.Orchestrator{Name: "away.Gather", Group: "away", Source: "example.com/away.Gather"}, flow("Sender")
		h.work(durable.BindOrchestrator(sender, func(ctx durable.Context, _ durable.None) (string, error) {
			own := durable.DeliverEvent(ctx, ctx.InstanceID(), "own", 1)
			n, err := durable.ReceiveEvent[int](ctx, "own").Get(ctx)
			return fmt.Sprint(durable.DeliverEvent(ctx, "away", "number", 7), own, n), err
		}))
		handle := start[string](h, away, 1, durable.InstanceID("away"))
		want(h, start[string](h, sender, nil), "<nil> <nil> 1")
		h.work(gatherer(away))
		want(h, handle, "7")
	})
}

func TestDeliverRefuses(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Sender")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			says(t, durable.DeliverEvent(ctx, "", "e", 1), `deliver e to ""`, "instance id is empty")
			says(t, durable.DeliverEvent(ctx, "x", "an event", 1), "an event")
			says(t, durable.DeliverEvent(ctx, "x", "e", 1), `event e cannot be delivered to "x"`, "no such instance")
			return outcome(durable.DeliverEvent(ctx, "x", "e", func() {})) + ", " +
				outcome(durable.DeliverEvent(ctx, "x", "e", strings.Repeat("x", durable.MaxPayload))), nil
		}))
		want(h, start[string](h, o, nil), "payload, payload")
	})
}

// TestDeliverWhenCancelled: a delivery that is pending completes at once, and none is begun afterwards.
func TestDeliverWhenCancelled(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		gather, o := flow("Gather"), flow("Sender")
		h.work(gatherer(gather), durable.BindOrchestrator(o, func(ctx durable.Context, id string) (string, error) {
			scoped, cancel := durable.WithCancel(ctx)
			pending := durable.Go(scoped, func(ctx durable.Context) (durable.None, error) {
				return durable.None{}, durable.DeliverEvent(ctx, id, "number", 1)
			})
			durable.Go(ctx, func(durable.Context) (durable.None, error) {
				cancel()
				return durable.None{}, nil
			})
			first := pending.Err(durable.WithoutCancel(ctx))
			second := durable.DeliverEvent(scoped, id, "number", 2)
			third := durable.DeliverEvent(ctx, id, "number", 3)
			return fmt.Sprint(outcome(first), ", ", outcome(second), ", ", third), nil
		}))
		receiver := start[string](h, gather, 1)
		want(h, start[string](h, o, receiver.ID()), "canceled, canceled, <nil>")
		want(h, receiver, "3")
	})
}

// TestALeftoverDeliveryIsSent: who returns without waiting has sent the event, and is not told.
func TestALeftoverDeliveryIsSent(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		gather, o := flow("Gather"), flow("Sender")
		h.work(gatherer(gather), durable.BindOrchestrator(o, func(ctx durable.Context, id string) (int, error) {
			left := durable.Go(ctx, func(ctx durable.Context) (durable.None, error) {
				return durable.None{}, durable.DeliverEvent(ctx, id, "number", 5)
			})
			durable.Any(ctx, left, durable.Go(ctx, func(durable.Context) (int, error) { return 1, nil }))
			return 1, nil
		}))
		receiver := start[string](h, gather, 1)
		want(h, start[int](h, o, receiver.ID(), durable.InstanceID("sender")), 1)
		want(h, receiver, "5")
		h.pass(time.Minute)
		if n := h.count("sender"); n != 2 {
			t.Errorf("the log holds %d messages of the sender, want its start and its end", n)
		}
	})
}

// count tells how many messages the log holds of an instance.
func (h *hub) count(id string) (n int) {
	for _, m := range h.m.Log() {
		if m.To.ID == id {
			n++
		}
	}
	return n
}

// TestRewindDeliversAgain what was refused, as an event that nobody has seen; what was handled, or was delivered, stays.
func TestRewindDeliversAgain(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		gather, o := flow("Gather"), flow("Sender")
		code := []durable.Binding{gatherer(gather), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			handled := durable.DeliverEvent(ctx, "late", "number", 1)
			if err := durable.DeliverEvent(ctx, "there", "number", 2); err != nil {
				return "", err
			}
			if err := durable.DeliverEvent(ctx, "late", "number", 3); err != nil {
				return "", fmt.Errorf("tell: %w", err)
			}
			return outcome(handled), durable.DeliverEvent(ctx, "there", "number", 4)
		})}
		w := h.work(code...)
		there := start[string](h, gather, 2, durable.InstanceID("there"))
		handle := start[string](h, o, nil, durable.InstanceID("x"))
		if err := fails(h, handle); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("it fails with %v, want ErrNotFound", err)
		}
		h.pass(time.Second)
		plan, err := h.client.RewindPlan(t.Context(), "x")
		must(t, err)
		if diff := cmp.Diff([]durable.RewindDelivery{{Event: "number", To: "late", Slot: 2}}, plan.Deliveries); diff != "" {
			t.Errorf("plan (-want +got):\n%s", diff)
		}
		h.stop(w)
		late := start[string](h, gather, 1, durable.InstanceID("late"))
		h.rewind("x")
		h.work(code...)
		want(h, handle, "not found")
		want(h, late, "3")
		want(h, there, "2 4")
	})
}

// TestRewindDeliversWhatNobodyHadHeardOf: like an activity without a result, a delivery that was under way when the run
// failed runs again. The receiver gets both events.
func TestRewindDeliversWhatNobodyHadHeardOf(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		gather, o := flow("Gather"), flow("Sender")
		var broken atomic.Bool
		broken.Store(true)
		h.work(gatherer(gather), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			told := durable.Go(ctx, func(ctx durable.Context) (durable.None, error) {
				if _, err := durable.ReceiveEvent[int](ctx, "first").Get(ctx); err != nil {
					return durable.None{}, err
				}
				return durable.None{}, durable.DeliverEvent(ctx, "there", "number", 1)
			})
			if _, err := durable.ReceiveEvent[int](ctx, "second").Get(ctx); err != nil || broken.Load() {
				return "", fmt.Errorf("broken code (%v)", err)
			}
			return outcome(told.Err(ctx)), nil
		}))
		there := start[string](h, gather, 2, durable.InstanceID("there"))
		handle := start[string](h, o, nil, durable.InstanceID("x"))
		h.pass(time.Second)
		must(t, h.client.Suspend(t.Context(), "x", ""))
		for _, e := range []string{"first", "second"} { // one turn
			must(t, h.client.Raise(t.Context(), "x", e, 1))
		}
		must(t, h.client.Resume(t.Context(), "x", ""))
		says(t, fails(h, handle), "broken code")
		h.pass(time.Second)
		plan, err := h.client.RewindPlan(t.Context(), "x")
		must(t, err)
		if diff := cmp.Diff([]durable.RewindDelivery{{Event: "number", To: "there", Slot: 0, Open: true}}, plan.Deliveries); diff != "" {
			t.Errorf("plan (-want +got):\n%s", diff)
		}
		broken.Store(false)
		h.rewind("x")
		want(h, handle, "<nil>")
		want(h, there, "1 1")
	})
}
