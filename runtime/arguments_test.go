package durable_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/observe"
)

// TestArgumentsOption: other code goes on with what was recorded where the call says so, queued, local, tried again or a
// child, and tells of it if it is to.
func TestArgumentsOption(t *testing.T) {
	a, kid := task("A"), flow("Kid")
	activity := durable.BindActivity(a, func(_ context.Context, n int) (int, error) { return n, nil })
	for _, c := range []struct {
		name string
		do   func(ctx durable.Context, n int, p durable.Arguments) (int, error)
	}{
		{"queued", func(ctx durable.Context, n int, p durable.Arguments) (int, error) { return call[int](ctx, a, n, p) }},
		{"local", func(ctx durable.Context, n int, p durable.Arguments) (int, error) {
			return call[int](ctx, a, n, p, durable.Local(true))
		}},
		{"tried again", func(ctx durable.Context, n int, p durable.Arguments) (int, error) {
			return call[int](ctx, a, n, p, durable.RetryPolicy{Attempts: 2, Handle: func(error) bool { return true }})
		}},
		{"child", func(ctx durable.Context, n int, p durable.Arguments) (int, error) {
			return durable.StartChild[int](ctx, kid, n, p).Get(ctx)
		}},
		{"child, tried again", func(ctx durable.Context, n int, p durable.Arguments) (int, error) {
			return durable.StartChild[int](ctx, kid, n, p, durable.RetryPolicy{Attempts: 2}).Get(ctx)
		}},
	} {
		for _, policy := range []durable.Arguments{durable.ArgumentsStrict, durable.ArgumentsWarn, durable.ArgumentsIgnore} {
			t.Run(c.name+" "+[]string{"strict", "warn", "ignore"}[policy], func(t *testing.T) {
				inHub(t, func(t *testing.T, h *hub) {
					o := flow("Changing")
					code := func(n int) []durable.Binding {
						return []durable.Binding{activity,
							durable.BindOrchestrator(kid, func(_ durable.Context, n int) (int, error) { return n, nil }),
							durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
								got, err := c.do(ctx, n, policy)
								next(ctx)
								return got, err
							}),
						}
					}
					w := h.work(code(1)...)
					handle := start[int](h, o, nil, durable.InstanceID("x"))
					h.pass(time.Second)
					h.stop(w)

					var mu sync.Mutex
					var told []observe.ArgumentsChange
					var said bytes.Buffer
					h.workAs(durable.WorkerConfig{
						Logger: slog.New(slog.NewTextHandler(&said, nil)),
						Hooks: observe.Hooks{ArgumentsChanged: func(a observe.ArgumentsChange) {
							mu.Lock()
							defer mu.Unlock()
							told = append(told, a)
						}},
					}, code(2)...)
					must(t, h.client.Raise(t.Context(), "x", "next", nil)) // which loads it
					if policy == durable.ArgumentsStrict {
						if inst := h.get("x"); !inst.Nondeterministic() {
							t.Fatalf("with other arguments it is %+v, want it parked", inst)
						}
					} else {
						want(h, handle, 1)
					}
					mu.Lock()
					defer mu.Unlock()
					warned := policy == durable.ArgumentsWarn
					if got := len(told) == 1; got != warned || strings.Contains(said.String(), "other arguments") != warned {
						t.Fatalf("the hook is told %+v, the log %q, want them told: %v", told, said.String(), warned)
					}
					if warned && (told[0].Instance != "x" || told[0].Slot != "1-0-0" || told[0].Orchestrator != o.Name || told[0].Position == "") {
						t.Errorf("the hook is told %+v", told[0])
					}
				})
			})
		}
	}
}

// TestArgumentsWarnOnce: an instance that is replayed again and again is told once for each slot, by each worker.
func TestArgumentsWarnOnce(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("A"), flow("Changing")
		code := func(n int) []durable.Binding {
			return []durable.Binding{
				durable.BindActivity(a, func(_ context.Context, n int) (int, error) { return n, nil }),
				durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
					sum := 0
					for k := range 2 {
						got, err := call[int](ctx, a, n+k, durable.ArgumentsWarn)
						if err != nil {
							return 0, err
						}
						sum += got
					}
					for range 4 {
						next(ctx)
					}
					return sum, nil
				}),
			}
		}
		w := h.work(code(1)...)
		handles := map[string]durable.Handle[int]{}
		for _, id := range []string{"x", "y", "z"} {
			handles[id] = start[int](h, o, nil, durable.InstanceID(id))
		}
		h.pass(time.Second)
		h.stop(w)
		var told notes
		loaded := 0
		w = h.workAs(durable.WorkerConfig{Cache: 1, Hooks: observe.Hooks{
			ArgumentsChanged: func(a observe.ArgumentsChange) { told.addf("%s %s", a.Instance, a.Slot) },
			Loaded:           func(observe.Load) { loaded++ },
		}}, code(5)...)
		for range 4 {
			for id := range handles {
				must(t, h.client.Raise(t.Context(), id, "next", nil))
				h.pass(time.Second)
			}
		}
		for _, handle := range handles {
			want(h, handle, 1+2)
		}
		h.stop(w)
		if loaded < 6 {
			t.Fatalf("instances were loaded %d times, want each more than once", loaded)
		}
		got := told.all()
		slices.Sort(got)
		if diff := cmp.Diff([]string{"x 1-0-0", "x 1-0-1", "y 1-0-0", "y 1-0-1", "z 1-0-0", "z 1-0-1"}, got); diff != "" {
			t.Errorf("told after %d loads (-want +got):\n%s", loaded, diff)
		}
	})
}
