package durable_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

var errSeven = errors.New("flow: seven")

var _ = durable.RegisterError("flow.ErrSeven", errSeven)

// TestMapKeepsOrderAndBound: results stand where their items stood, and never more than parallel run at once.
func TestMapKeepsOrderAndBound(t *testing.T) {
	for _, c := range []struct{ items, parallel, most int32 }{
		{20, 1, 1}, {20, 3, 3}, {20, 100, 20}, {1, 5, 1}, {0, 5, 0},
	} {
		t.Run(fmt.Sprintf("%d items, %d at once", c.items, c.parallel), func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := task("Square"), flow("Map")
				var now, most atomic.Int32
				h.work(
					durable.BindActivity(a, func(_ context.Context, n int) (int, error) {
						for running := now.Add(1); ; {
							if had := most.Load(); running <= had || most.CompareAndSwap(had, running) {
								break
							}
						}
						<-time.After(time.Duration(20-n) * time.Second) // the first are the slowest
						now.Add(-1)
						return n * n, nil
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, items []int) ([]int, error) {
						return durable.Map(ctx, items, int(c.parallel), func(ctx durable.Context, n int) (int, error) { return call[int](ctx, a, n) })
					}),
				)
				items, squares := []int{}, []int{}
				for n := range int(c.items) {
					items, squares = append(items, n), append(squares, n*n)
				}
				got, err := start[[]int](h, o, items).Wait(t.Context())
				must(t, err)
				if diff := cmp.Diff(squares, got); diff != "" {
					t.Errorf("results (-want +got):\n%s", diff)
				}
				if most.Load() != c.most {
					t.Errorf("%d ran at once, want %d", most.Load(), c.most)
				}
			})
		})
	}
}

// TestForEachLosesNoError: the others go on, every error comes back with its index, also across the wire.
func TestForEachLosesNoError(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("ForEach")
		var inside error
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			done := 0
			inside = durable.ForEach(ctx, make([]int, 50), 4, func(ctx durable.Context, _ int) error {
				n := done
				done++
				durable.Sleep(ctx, time.Duration(n%5)*time.Second)
				switch {
				case n == 7:
					return errSeven
				case n%10 == 0:
					return fmt.Errorf("number %d", n)
				}
				return nil
			})
			if done != 50 {
				panic("not all have run")
			}
			return done, inside
		}))
		err := fails(h, start[int](h, o, nil))
		var failed durable.ItemErrors
		if !errors.As(inside, &failed) {
			t.Fatalf("%v holds no ItemErrors", inside)
		}
		var at []int
		for _, e := range failed {
			at = append(at, e.Index)
		}
		if diff := cmp.Diff([]int{0, 7, 10, 20, 30, 40}, at); diff != "" {
			t.Errorf("items that failed (-want +got):\n%s", diff)
		}
		if !errors.Is(err, errSeven) {
			t.Errorf("%v does not hold the registered error", err)
		}
		says(t, err, "item 7: flow: seven", "item 40: number 40")
	})
}

func TestItemErrorsTellTheFirst(t *testing.T) {
	t.Parallel()
	var es durable.ItemErrors
	for n := range 100_000 {
		es = append(es, &durable.ItemError{Index: n, Err: errSeven})
	}
	says(t, es, "item 9: flow: seven", "and 99990 more")
	if n := len(es.Error()); n > 1000 {
		t.Errorf("the text has %d bytes", n)
	}
}

// TestForEachNeedsRoom: no items at once would wait for ever.
func TestForEachNeedsRoom(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("ForEach")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			return 0, durable.ForEach(ctx, []int{1}, 0, func(durable.Context, int) error { return nil })
		}))
		says(t, fails(h, start[int](h, o, nil)), "0 items in parallel")
	})
}
