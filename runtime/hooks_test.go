package durable_test

import (
	"context"

	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/observe"
)

// hooks notes what a worker tells, with what is the same in every run of a test.
func (n *notes) hooks() observe.Hooks {
	return observe.Hooks{
		Started: func(s observe.Start) { n.addf("started %s %d-%d", s.Orchestrator, s.Run, s.Number) },
		Ended: func(e observe.End) {
			n.addf("ended %s %d-%d %s %q after %v again=%t", e.Orchestrator, e.Run, e.Number, e.Status, e.Kind, e.Ended.Sub(e.Began).Round(time.Second), e.Again)
		},
		Parked:         func(p observe.Park) { n.addf("parked %s", p.Orchestrator) },
		Loaded:         func(l observe.Load) { n.addf("loaded %s %d", l.Orchestrator, l.Messages) },
		AttemptStarted: func(a observe.Attempt) { n.addf("attempt %s %d", a.Activity, a.Number) },
		AttemptEnded: func(e observe.AttemptEnd) {
			n.addf("attempt %s %d %s %q took %v", e.Activity, e.Number, e.Outcome, e.Kind, e.Took.Round(time.Second))
		},
	}
}

// TestHooks: what happens is told once, with its times by the log's clock.
func TestHooks(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		var told notes
		a, o := task("Work"), flow("Steps")
		h.workAs(durable.WorkerConfig{Hooks: told.hooks()},
			durable.BindActivity(a, func(ctx context.Context, n int) (int, error) {
				info, _ := durable.InfoOf(ctx)
				switch {
				case n == 0 && info.Attempt == 1:
					return 0, errRefused
				case n == 1:
					return 0, durable.NonRetryable(errRefused)
				case n == 2:
					<-ctx.Done()
					return 0, ctx.Err()
				}
				<-time.After(3 * time.Second)
				return n, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
				_, err := call[int](ctx, a, n, durable.RetryPolicy{Attempts: 2, First: time.Second}, durable.Timeout(10*time.Second))
				if n < 2 {
					return 0, durable.ContinueWith(ctx, n+1)
				}
				return 0, err
			}))
		fails(h, start[int](h, o, 0))
		if diff := cmp.Diff([]string{
			"started flow.Steps 1-0",
			"attempt flow.Work 1",
			`attempt flow.Work 1 retried "" took 0s`,
			"attempt flow.Work 2",
			`attempt flow.Work 2 succeeded "" took 3s`,
			`ended flow.Steps 1-0 ContinuedAsNew "" after 4s again=false`,
			"started flow.Steps 1-1",
			"attempt flow.Work 1",
			`attempt flow.Work 1 failed "" took 0s`,
			`ended flow.Steps 1-1 ContinuedAsNew "" after 0s again=false`,
			"started flow.Steps 1-2",
			"attempt flow.Work 1",
			`attempt flow.Work 1 retried "timeout" took 10s`,
			"attempt flow.Work 2",
			`attempt flow.Work 2 failed "timeout" took 10s`,
			`ended flow.Steps 1-2 Failed "" after 21s again=false`,
		}, told.all()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestHooksAfterCrash: a replay tells of nothing but itself, and what the next worker does goes on where the first stood.
func TestHooksAfterCrash(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		var told notes
		a, o := task("Work"), flow("Steps")
		code := []durable.Binding{
			durable.BindActivity(a, func(_ context.Context, n int) (int, error) { return n, nil }),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				for n := range 3 {
					if _, err := call[int](ctx, a, n); err != nil {
						return 0, err
					}
				}
				return durable.ReceiveEvent[int](ctx, "Number").Get(ctx)
			}),
		}
		first := h.m.View("first")
		w := durable.NewWorker(first, registry(t, code...), durable.WorkerConfig{Hooks: told.hooks()})
		must(t, w.Start(t.Context()))
		handle := start[int](h, o, nil)
		h.pass(time.Second)
		first.Kill()
		h.workAs(durable.WorkerConfig{Hooks: told.hooks()}, code...)
		h.pass(5 * time.Second)
		must(t, h.client.Raise(t.Context(), handle.ID(), "Number", 7))
		want(h, handle, 7)
		var replayed, rest []string
		for _, line := range told.all() {
			if line == "loaded flow.Steps 8" { // start, three tasks and their results, the event
				replayed = append(replayed, line)
			} else {
				rest = append(rest, line)
			}
		}
		if len(replayed) != 1 {
			t.Errorf("loads: %q", told.all())
		}
		var steps []string
		steps = append(steps, "started flow.Steps 1-0")
		for range 3 {
			steps = append(steps, "attempt flow.Work 1", `attempt flow.Work 1 succeeded "" took 0s`)
		}
		steps = append(steps, `ended flow.Steps 1-0 Completed "" after 6s again=false`)
		if diff := cmp.Diff(steps, rest); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		must(t, w.Stop(context.Background()))
	})
}

// TestTraceContext: what a client starts with reaches activities, children, and whoever is sent an event; hooks may put
// their own in its place, once an execution.
func TestTraceContext(t *testing.T) {
	const mine, owners = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
	for name, want := range map[string]struct {
		hooks observe.Hooks
		seen  string
	}{
		"handed on":     {observe.Hooks{}, mine},
		"put in place":  {observe.Hooks{TraceParent: func(e observe.Execution) string { return owners }}, owners},
		"not a context": {observe.Hooks{TraceParent: func(e observe.Execution) string { return e.TraceParent + "!" }}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				var seen, events notes
				a, child, o := task("Work"), flow("Child"), flow("Parent")
				want.hooks.Ended = func(e observe.End) { events.addf("%s %s %v", e.Orchestrator, e.TraceParent, e.Events) }
				h.workAs(durable.WorkerConfig{Hooks: want.hooks},
					durable.BindActivity(a, func(ctx context.Context, _ durable.None) (int, error) {
						info, _ := durable.InfoOf(ctx)
						seen.addf("%s", info.TraceParent)
						return 1, nil
					}),
					durable.BindOrchestrator(child, func(ctx durable.Context, parent string) (int, error) {
						durable.SendEvent(ctx, parent, "Hello", 1)
						return call[int](ctx, a, nil)
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
						c := durable.StartChild[int](ctx, child, ctx.InstanceID())
						durable.ReceiveEvent[int](ctx, "Hello").Get(ctx)
						return c.Get(ctx)
					}))
				client := durable.NewClient(h.m.View("client"), durable.ClientConfig{Interceptors: []durable.ClientInterceptor{
					func(ctx context.Context, op *durable.Operation, next func(context.Context) error) error {
						op.TraceParent = mine
						return next(ctx)
					},
				}})
				t.Cleanup(func() { must(t, client.Close()) })
				handle, err := durable.StartInstance[int](t.Context(), client, o, nil)
				must(t, err)
				if _, err := handle.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]string{want.seen}, seen.all()); diff != "" {
					t.Errorf("activity (-want +got):\n%s", diff)
				}
				event := fmt.Sprintf("[%s]", want.seen)
				if diff := cmp.Diff([]string{"flow.Child " + want.seen + " []", "flow.Parent " + mine + " " + event}, events.all()); diff != "" {
					t.Errorf("ends (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestBaggage: what a client gives a start reaches the activities of the run, of its children, and of what follows a
// continue-as-new. Hooks may put a tracestate of their own beside their context; baggage is the client's.
func TestBaggage(t *testing.T) {
	const parent, state, baggage = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "rojo=1,congo=t6", "user=anna;p,k=%20"
	for name, want := range map[string]struct {
		hooks observe.Hooks
		state string
	}{
		"handed on":       {observe.Hooks{}, state},
		"put in place":    {observe.Hooks{TraceParent: func(observe.Execution) string { return parent }, TraceState: func(observe.Execution) string { return "own=2" }}, "own=2"},
		"none of its own": {observe.Hooks{TraceParent: func(observe.Execution) string { return parent }}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				var seen notes
				a, child, o := task("Work"), flow("Child"), flow("Parent")
				h.workAs(durable.WorkerConfig{Hooks: want.hooks},
					durable.BindActivity(a, func(ctx context.Context, who string) (int, error) {
						info, _ := durable.InfoOf(ctx)
						seen.addf("%s %s %s", who, info.TraceState, info.Baggage)
						return 1, nil
					}),
					durable.BindOrchestrator(child, func(ctx durable.Context, _ durable.None) (int, error) { return call[int](ctx, a, "child") }),
					durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
						if _, err := call[int](ctx, a, fmt.Sprint("execution ", n)); err != nil || n == 1 {
							return n, err
						}
						if _, err := durable.StartChild[int](ctx, child, nil).Get(ctx); err != nil {
							return 0, err
						}
						return 0, durable.ContinueWith(ctx, n+1)
					}))
				client := durable.NewClient(h.m.View("client"), durable.ClientConfig{Interceptors: []durable.ClientInterceptor{
					func(ctx context.Context, op *durable.Operation, next func(context.Context) error) error {
						op.TraceParent, op.TraceState, op.Baggage = parent, state, baggage
						return next(ctx)
					},
				}})
				t.Cleanup(func() { must(t, client.Close()) })
				handle, err := durable.StartInstance[int](t.Context(), client, o, 0)
				must(t, err)
				if _, err := handle.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				var lines []string
				for _, who := range []string{"execution 0", "child", "execution 1"} {
					lines = append(lines, fmt.Sprintf("%s %s %s", who, want.state, baggage))
				}
				if diff := cmp.Diff(lines, seen.all()); diff != "" {
					t.Errorf("activities (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestWorkerHealth: live and ready say what is wrong, and neither waits for a worker that starts or stops.
func TestWorkerHealth(t *testing.T) {
	inHubOf(t, membackend.Config{}, func(t *testing.T, h *hub) {
		view := h.m.View("worker")
		w := durable.NewWorker(view, registry(t, durable.BindOrchestrator(flow("Steps"), func(durable.Context, durable.None) (int, error) { return 1, nil })), durable.WorkerConfig{})
		must(t, w.Live())
		says(t, w.Ready(t.Context()), "not started")
		must(t, w.Start(t.Context()))
		h.pass(time.Second)
		must(t, w.Live())
		must(t, w.Ready(t.Context()))
		s := w.Status()
		if s.Hub == "" || len(s.Groups) != 1 || s.Groups[0].Partitions != 2 || len(s.Groups[0].Loops) < 4 {
			t.Errorf("status: %+v", s)
		}
		claims, err := view.Meta().List(t.Context(), "name")
		must(t, err)
		for key := range claims {
			_, rev, err := view.Meta().Get(t.Context(), key)
			must(t, err)
			must(t, view.Meta().Delete(t.Context(), key, rev))
		}
		says(t, w.Ready(t.Context()), "flow.Steps", "claimed", "anew")
		must(t, w.Stop(context.Background()))
		must(t, w.Live())
		says(t, w.Ready(t.Context()), "stopped")
	})
}

// TestLiveSeesStuckOrchestrator: one that does not return holds up its partition, and so the worker's loops.
func TestLiveSeesStuckOrchestrator(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		goOn := make(chan struct{})
		w := h.work(durable.BindOrchestrator(flow("Stuck"), func(durable.Context, durable.None) (int, error) {
			<-goOn
			return 1, nil
		}))
		handle := start[int](h, flow("Stuck"), nil)
		<-time.After(20 * time.Second)
		must(t, w.Live())
		<-time.After(20 * time.Second)
		says(t, w.Live(), "balance", "flow", "orchestrator")
		close(goOn)
		want(h, handle, 1)
		h.pass(time.Second)
		must(t, w.Live())
	})
}
