package durable_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestRewindWithCodeThatDiffers: what comes before the first difference is kept, the rest is decided anew, and stays so.
func TestRewindWithCodeThatDiffers(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, a, b := flow("Changing"), newFaulty("A"), newFaulty("B")
		code := func(second *faulty, end error) durable.Binding {
			return durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (sum int, err error) {
				for n, f := range []*faulty{a, second, a} {
					got, err := call[int](ctx, f.Activity, n)
					if err != nil {
						return 0, err
					}
					sum += got
				}
				if end == nil {
					next(ctx)
				}
				return sum, end
			})
		}
		w := h.work(code(a, errors.New("a bug")), a.bind(), b.bind())
		handle := start[int](h, o, nil, durable.InstanceID("x"))
		fails(h, handle)
		expectRan(t, a, "0 1 2")
		h.stop(w)
		for n := range 3 {
			if n == 0 {
				h.rewind("x")
			}
			w = h.work(code(b, nil), a.bind(), b.bind())
			if inst := h.get("x"); inst.Parked != "" || inst.Waiting != "event next" {
				t.Fatalf("with worker %d it is %+v", n, inst)
			}
			if n < 2 {
				h.stop(w)
			}
		}
		must(t, h.client.Raise(t.Context(), "x", "next", nil))
		want(h, handle, 3)
		expectRan(t, a, "2")
		expectRan(t, b, "1")
	})
}

// TestRewindCutsAFanOut: beyond the first difference a completion of the failed run counts for nothing, also after a
// reload, and although the same is decided there again.
func TestRewindCutsAFanOut(t *testing.T) {
	for _, reloads := range []int{0, 2} {
		t.Run(fmt.Sprint(reloads, " reloads"), func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o, f, other := flow("FanOut"), newFaulty("Do"), newFaulty("Other")
				var times atomic.Int64
				count := task("Count")
				counts := durable.BindActivity(count, func(context.Context, durable.None) (int64, error) { return times.Add(1), nil })
				code := func(second *faulty, end error) durable.Binding {
					return durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int64, error) {
						first, middle := durable.StartActivity[int](ctx, f.Activity, 1), durable.StartActivity[int](ctx, second.Activity, 2)
						last, err := durable.StartActivity[int64](ctx, count, nil).Get(ctx)
						if err := errors.Join(err, durable.All(ctx, first, middle), end); err != nil {
							return 0, err
						}
						next(ctx)
						return last, nil
					})
				}
				w := h.work(code(f, errors.New("a bug")), f.bind(), other.bind(), counts)
				handle := start[int64](h, o, nil, durable.InstanceID("x"))
				fails(h, handle)
				f.ran()
				h.stop(w)
				h.rewind("x")
				for range reloads {
					w = h.work(code(other, nil), f.bind(), other.bind(), counts)
					if inst := h.get("x"); inst.Waiting != "event next" {
						t.Fatalf("it is %+v", inst)
					}
					h.stop(w)
				}
				h.work(code(other, nil), f.bind(), other.bind(), counts)
				h.pass(time.Second)
				must(t, h.client.Raise(t.Context(), "x", "next", nil))
				want(h, handle, 2)
				expectRan(t, f, "")
				expectRan(t, other, "2")
			})
		})
	}
}
