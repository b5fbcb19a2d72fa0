package durable_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

// steps sets a status every ten seconds: 1, 2, 3.
func steps(ctx durable.Context, _ durable.None) (int, error) {
	for n := range 3 {
		ctx.SetStatus(n + 1)
		durable.Sleep(ctx, 10*time.Second)
	}
	return 4, nil
}

// watched notes what a watch tells, with the time since the instance began, in halves of a second.
func watched(ctx context.Context, c *durable.Client, id string, each func(durable.Instance) bool) (saw []string, err error) {
	for inst, err := range c.Watch(ctx, id) {
		if err != nil {
			return saw, err
		}
		saw = append(saw, fmt.Sprintf("%v %s %s%s", time.Since(inst.Created).Truncate(500*time.Millisecond), inst.Status, inst.CustomStatus, inst.Result))
		if !each(inst) {
			break
		}
	}
	return saw, nil
}

// TestWatchTellsEveryChange: at once with hints, soon enough without.
func TestWatchTellsEveryChange(t *testing.T) {
	go1 := func(durable.Instance) bool { return true }
	for _, c := range []struct {
		name   string
		faults membackend.Faults
		want   []string
	}{
		{"with hints", membackend.Faults{}, []string{"0s Running 1", "10s Running 2", "20s Running 3", "30s Completed 34"}},
		{"all hints lost", membackend.Faults{SignalLost: 1}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Steps")
				h.work(durable.BindOrchestrator(o, steps))
				h.pass(time.Second)
				handle := start[int](h, o, nil)
				h.pass(300 * time.Millisecond)
				h.m.SetFaults(c.faults)
				saw, err := watched(t.Context(), h.newClient(), handle.ID(), go1)
				must(t, err)
				if c.want != nil {
					if diff := cmp.Diff(c.want, saw); diff != "" {
						t.Errorf("it tells (-want +got):\n%s", diff)
					}
				} else if len(saw) != 4 {
					t.Errorf("it tells %q, want four states", saw)
				}
			})
		})
	}
}

// TestWatchBegins: with what is there, also of an instance that has ended, or is none.
func TestWatchBegins(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Steps")
		h.work(durable.BindOrchestrator(o, steps))
		handle := start[int](h, o, nil)
		want(h, handle, 4)
		h.pass(time.Second)
		saw, err := watched(t.Context(), h.newClient(), handle.ID(), func(durable.Instance) bool { return true })
		must(t, err)
		if diff := cmp.Diff([]string{"31s Completed 34"}, saw); diff != "" {
			t.Errorf("of one that has ended it tells (-want +got):\n%s", diff)
		}
		if _, err := watched(t.Context(), h.client, "nobody", nil); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("of nobody it tells %v", err)
		}
	})
}

// TestWatchEnds: with its context, or when the caller has seen enough.
func TestWatchEnds(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Steps")
		h.work(durable.BindOrchestrator(o, steps))
		handle := start[int](h, o, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := watched(ctx, h.client, handle.ID(), func(durable.Instance) bool { return true })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ends with %v", err)
		}
		saw, err := watched(t.Context(), h.client, handle.ID(), func(inst durable.Instance) bool { return string(inst.CustomStatus) != "2" })
		must(t, err)
		if len(saw) != 2 {
			t.Errorf("it tells %q after the caller has left", saw)
		}
	})
}

// TestWatchKeepsInput: what the projection does not hold is told all the same.
func TestWatchKeepsInput(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Steps")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ string) (int, error) { return steps(ctx, durable.None{}) }))
		handle := start[int](h, o, "in")
		_, err := watched(t.Context(), h.client, handle.ID(), func(inst durable.Instance) bool {
			if string(inst.Input) != `"in"` {
				t.Errorf("%s: input %q", inst.Status, inst.Input)
			}
			return true
		})
		must(t, err)
	})
}

// TestWatchTellsTheEndSoon: where the projection takes a while to follow the hint, it is asked for again. That of a child
// waits until its parent has heard.
func TestWatchTellsTheEndSoon(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		parent, child := flow("Parent"), flow("Steps")
		h.work(durable.BindOrchestrator(child, steps), durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
			return durable.StartChild[int](ctx, child, nil, durable.InstanceID("child")).Get(ctx)
		}))
		h.m.OnAppend(func(a backend.Append) (v membackend.Verdict) {
			if _, ok := a.Record.(*history.Done); ok {
				v.Delay = 500 * time.Millisecond
			}
			return v
		})
		start[int](h, parent, nil)
		h.pass(time.Second)
		saw, err := watched(t.Context(), h.newClient(), "child", func(durable.Instance) bool { return true })
		must(t, err)
		if last := saw[len(saw)-1]; last != "30.5s Completed 34" {
			t.Errorf("it tells the end as %q", last)
		}
	})
}
