package durable_test

import (
	gocmp "cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestHistory: of an instance in each state there are the steps and a sentence, and the instance as Get tells it.
func TestHistory(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, pay := flow("Pay"), task("Charge")
		h.work(durable.BindActivity(pay, func(_ context.Context, n int) (int, error) { return n + 1, nil }),
			durable.BindOrchestrator(o, func(ctx durable.Context, in int) (int, error) {
				if in == 0 {
					return 0, errors.New("nothing to pay")
				}
				n, err := call[int](ctx, pay, in)
				if err != nil {
					return 0, err
				}
				_, err = durable.ReceiveEvent[string](ctx, "Approved").Get(ctx)
				return n, err
			}))
		start[int](h, o, 7, durable.InstanceID("x"))
		start[int](h, o, 0, durable.InstanceID("failed"))
		start[int](h, o, 7, durable.InstanceID("later"), durable.StartAfter(time.Hour))
		h.pass(2 * time.Minute)
		seen := func(id string) string {
			h.pass(time.Second)
			got, err := h.client.History(t.Context(), id)
			must(t, err)
			inst, err := h.client.Get(t.Context(), id)
			must(t, err)
			if diff := cmp.Diff(inst, got.Instance); diff != "" {
				t.Errorf("%s: History tells another instance than Get (-get +history):\n%s", id, diff)
			}
			text := got.Summary + "."
			for _, s := range got.Steps {
				text += fmt.Sprintf(" %s %s %s%s;", s.Kind, s.State, s.Input, s.Result)
			}
			return text
		}
		check := func(id, want string) {
			t.Helper()
			if diff := cmp.Diff(want, seen(id)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", id, diff)
			}
		}
		check("x", "waiting for event approved since 2 min, no deadline. started done 7; activity done 78;")
		check("failed", "failed after less than 1 s: nothing to pay. started done 0; ended failed ;")
		check("later", "begins at 2000-01-01T01:00:00Z, in 57 min. started done 7; timer open ;")
		must(t, h.client.Suspend(t.Context(), "x", "audit"))
		check("x", "suspended since 1 s: audit. started done 7; activity done 78; suspended done ;")
		must(t, h.client.Resume(t.Context(), "x", ""))
		must(t, h.client.Raise(t.Context(), "x", "approved", "yes"))
		check("x", `completed after 2 min. started done 7; activity done 78; suspended done ; resumed done ; event done "yes"; ended done 8;`)
		if _, err := h.client.History(t.Context(), "none"); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("of nobody: got %v, want ErrNotFound", err)
		}
	})
}

// TestHistoryOfRetries: the next attempt of an activity, when it comes and why, as well as a completion from outside.
func TestHistoryOfRetries(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, charge, ask := flow("Pay"), task("ChargeFee"), task("AskBoard")
		h.work(durable.BindActivity(charge, func(context.Context, int) (int, error) { return 0, errors.New("card declined") }),
			durable.BindActivity(ask, func(ctx context.Context, _ int) (int, error) {
				_, err := durable.CompleteLater(ctx)
				return 0, gocmp.Or(err, durable.ErrCompleteLater)
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, in int) (int, error) {
				if in == 0 {
					return call[int](ctx, ask, in, durable.Timeout(48*time.Hour))
				}
				return call[int](ctx, charge, in, durable.RetryPolicy{Attempts: 5, First: time.Minute, Backoff: 1})
			}))
		start[int](h, o, 7, durable.InstanceID("x"))
		start[int](h, o, 0, durable.InstanceID("later"))
		h.pass(3*time.Minute + 10*time.Second)
		for id, want := range map[string]string{
			"x":     "activity ChargeFee attempt 5 of 5, next in 50 s, last error card declined",
			"later": "activity AskBoard is to be completed from outside, 1 day left",
		} {
			got, err := h.client.History(t.Context(), id)
			must(t, err)
			if diff := cmp.Diff(want, got.Summary); diff != "" {
				t.Errorf("%s (-want +got):\n%s", id, diff)
			}
		}
	})
}

// TestStartByName: a client without the code starts what workers have registered, under name or alias.
func TestStartByName(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Double")
		o.Version, o.Aliases = "3", []string{"old.Double"}
		h.work(durable.BindOrchestrator(o, func(_ durable.Context, in *int) (int, error) {
			if in == nil {
				return -1, nil
			}
			return 2 * *in, nil
		}))
		for _, c := range []struct{ name, input, want string }{{"flow.Double", "21", "42"}, {"old.Double", "4", "8"}, {"flow.Double", "", "-1"}} {
			id, err := h.client.StartByName(t.Context(), c.name, json.RawMessage(c.input))
			must(t, err)
			inst, err := h.client.Wait(t.Context(), id)
			must(t, err)
			if string(inst.Result) != c.want || inst.Name != "flow.Double" || inst.Version != "3" {
				t.Errorf("%s of %q gives %+v, want %s of version 3", c.name, c.input, inst, c.want)
			}
		}
		for _, name := range []string{"flow.None", "", "a b"} {
			if _, err := h.client.StartByName(t.Context(), name, nil); !errors.Is(err, durable.ErrNoOrchestrator) {
				t.Errorf("start of %q: got %v, want ErrNoOrchestrator", name, err)
			}
		}
		if _, err := h.client.StartByName(t.Context(), "flow.Double", json.RawMessage("{")); !errors.Is(err, durable.ErrPayload) {
			t.Errorf("start with half an input: got %v, want ErrPayload", err)
		}
		known, err := h.client.Orchestrators(t.Context())
		must(t, err)
		if diff := cmp.Diff([]durable.OrchestratorInfo{{Name: "flow.Double", Group: "flow", Version: "3"}}, known); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		o2 := flow("Double") // a worker of the next version
		o2.Version = "4"
		h.work(durable.BindOrchestrator(o2, func(durable.Context, *int) (int, error) { return 0, nil }))
		if known, err = h.client.Orchestrators(t.Context()); err != nil || known[0].Version != "4" {
			t.Errorf("after a newer worker has started: %v, %v; want version 4", known, err)
		}
	})
}

// TestListPage: every instance stands on one page, the newest on the first, also when more are started meanwhile.
func TestListPage(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Wait")
		h.work(receiver(o))
		for n := range 7 {
			start[int](h, o, nil, durable.InstanceID(fmt.Sprint("i", n)))
			if n%2 == 1 { // pairs are as old as each other
				h.pass(time.Minute)
			}
		}
		h.pass(time.Second)
		var pages []string
		for token := ""; ; {
			page, next, err := h.client.ListPage(t.Context(), durable.Filter{Limit: 2}, token)
			must(t, err)
			text := ""
			for _, inst := range page {
				text += inst.ID
			}
			pages = append(pages, text)
			start[int](h, o, nil, durable.InstanceID("new"+fmt.Sprint(len(pages))))
			h.pass(time.Second)
			if token = next; token == "" {
				break
			}
		}
		if diff := cmp.Diff([]string{"i6i4", "i5i2", "i3i0", "i1"}, pages); diff != "" {
			t.Errorf("pages (-want +got):\n%s", diff)
		}
		for _, token := range []string{"!", "bm9uZQ", "MSAy!"} {
			if _, _, err := h.client.ListPage(t.Context(), durable.Filter{}, token); !errors.Is(err, durable.ErrPageToken) {
				t.Errorf("token %q: got %v, want ErrPageToken", token, err)
			}
		}
		_, _, err := h.client.ListPage(t.Context(), durable.Filter{Limit: -1}, "")
		says(t, err, "Filter.Limit is -1")
	})
}
