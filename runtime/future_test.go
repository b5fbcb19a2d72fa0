package durable_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

func TestTimers(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(ctx durable.Context)
		want time.Duration // of virtual time, at least
	}{
		{"sleep", func(ctx durable.Context) { durable.Sleep(ctx, 90*time.Second) }, 90 * time.Second},
		{"a short one", func(ctx durable.Context) { durable.Sleep(ctx, 5*time.Millisecond) }, 5 * time.Millisecond},
		{"hours", func(ctx durable.Context) { durable.Sleep(ctx, 2*time.Hour) }, 2 * time.Hour}, // heartbeats go on meanwhile
		{"not positive", func(ctx durable.Context) { durable.Sleep(ctx, -time.Hour) }, 0},
		{"stopped before it is due", func(ctx durable.Context) {
			timer := durable.NewTimer(ctx, time.Hour)
			timer.Stop()
			timer.Stop()
			timer.Wait(ctx)
			if timer.Fired() {
				panic("a stopped timer has fired")
			}
		}, 0},
		{"stopped after it fired", func(ctx durable.Context) {
			timer := durable.NewTimer(ctx, time.Minute)
			timer.Wait(ctx)
			timer.Stop()
			if !timer.Fired() {
				panic("it has not fired")
			}
		}, time.Minute},
		{"the sooner of two", func(ctx durable.Context) {
			late, early := durable.NewTimer(ctx, time.Hour), durable.NewTimer(ctx, time.Minute)
			if durable.Any(ctx, late, early) != early || late.Fired() || !early.Fired() {
				panic("the later one came first")
			}
		}, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Timer")
				h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (time.Duration, error) {
					begin := ctx.Now()
					c.run(ctx)
					return ctx.Now().Sub(begin), nil
				}))
				got, err := start[time.Duration](h, o, nil).Wait(t.Context())
				must(t, err)
				if got < c.want || got > c.want+time.Second {
					t.Errorf("took %v, want %v", got, c.want)
				}
			})
		})
	}
}

// TestTimersOutliveTheWorker: a timer is in the store, not in a process.
func TestTimersOutliveTheWorker(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Timer")
		bind := durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			durable.Sleep(ctx, 365*24*time.Hour)
			return 1, nil
		})
		w := h.work(bind)
		handle := start[int](h, o, nil)
		h.pass(time.Second)
		h.stop(w)
		h.pass(366 * 24 * time.Hour)
		h.work(bind)
		want(h, handle, 1)
	})
}

type wait struct{ N, Seconds int }

// echo gives N, after so many seconds.
func echo(ctx context.Context, w wait) (int, error) {
	select {
	case <-time.After(time.Duration(w.Seconds) * time.Second):
		return w.N, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func TestFutures(t *testing.T) {
	a := task("Echo")
	after := func(ctx durable.Context, n, seconds int) durable.Future[int] {
		return durable.StartActivity[int](ctx, a, wait{n, seconds})
	}
	for _, c := range []struct {
		name string
		run  func(ctx durable.Context) ([]int, error)
		want []int
	}{
		{"Any gives the first", func(ctx durable.Context) ([]int, error) {
			slow, fast := after(ctx, 1, 2), after(ctx, 2, 1)
			if durable.Any(ctx, slow, fast) != fast {
				panic("the slow one came first")
			}
			if slow.Ready() || !fast.Ready() {
				panic("the wrong one is ready")
			}
			n, err := fast.Get(ctx)
			return []int{n}, err
		}, []int{2}},
		{"Any prefers the order of its arguments", func(ctx durable.Context) ([]int, error) {
			x, y := after(ctx, 1, 2), after(ctx, 2, 1)
			if err := durable.All(ctx, x, y); err != nil {
				return nil, err
			}
			if durable.Any(ctx, x, y) != x || durable.Any(ctx, y, x) != y {
				panic("not the first complete one")
			}
			return nil, nil
		}, nil},
		{"Collect keeps the order of its arguments", func(ctx durable.Context) ([]int, error) {
			return durable.Collect(ctx, []durable.Future[int]{after(ctx, 1, 3), after(ctx, 2, 1), after(ctx, 3, 2)})
		}, []int{1, 2, 3}},
		{"Collect of nothing", func(ctx durable.Context) ([]int, error) { return durable.Collect[int](ctx, nil) }, []int{}},
		{"All of nothing", func(ctx durable.Context) ([]int, error) { return nil, durable.All(ctx) }, nil},
		{"Get twice", func(ctx durable.Context) ([]int, error) {
			f := after(ctx, 5, 0)
			if err := f.Err(ctx); err != nil {
				return nil, err
			}
			n, err := f.Get(ctx)
			return []int{n}, err
		}, []int{5}},
		{"Select runs the case that is complete", func(ctx durable.Context) ([]int, error) {
			var got []int
			x, y, timer := after(ctx, 1, 2), after(ctx, 2, 1), durable.NewTimer(ctx, 90*time.Minute)
			for range 2 {
				n := durable.Select(ctx,
					durable.On(x, func(_ durable.Context, v int, err error) {
						got, x = append(got, v), durable.ReceiveEvent[int](ctx, "x")
					}),
					durable.On(y, func(_ durable.Context, v int, err error) {
						got, y = append(got, v), durable.ReceiveEvent[int](ctx, "y")
					}),
					durable.OnTimer(timer, func(durable.Context) { got = append(got, -1) }),
				)
				got = append(got, n)
			}
			got = append(got, durable.Select(ctx, durable.OnTimer(timer, func(durable.Context) { got = append(got, -1) })))
			return got, nil
		}, []int{2, 1, 1, 0, -1, 0}},
		{"coroutines run side by side", func(ctx durable.Context) ([]int, error) {
			var order []int
			line := func(n, seconds int) durable.Future[int] {
				return durable.Go(ctx, func(ctx durable.Context) (int, error) {
					order = append(order, n)
					durable.Sleep(ctx, time.Duration(seconds)*time.Second)
					order = append(order, n)
					return n, nil
				})
			}
			x, y := line(1, 2), line(2, 1)
			if len(order) != 0 {
				panic("a coroutine ran before its creator waited")
			}
			err := durable.All(ctx, x, y)
			return order, err
		}, []int{1, 2, 2, 1}},
		{"a coroutine starts another", func(ctx durable.Context) ([]int, error) {
			n, err := durable.Go(ctx, func(ctx durable.Context) (int, error) {
				inner := durable.Go(ctx, func(ctx durable.Context) (int, error) { return after(ctx, 3, 1).Get(ctx) })
				n, err := inner.Get(ctx)
				return n + 1, err
			}).Get(ctx)
			return []int{n}, err
		}, []int{4}},
		{"what is left at the return is dropped", func(ctx durable.Context) ([]int, error) {
			durable.Go(ctx, func(ctx durable.Context) (int, error) { durable.Sleep(ctx, 1000*time.Hour); panic("it goes on") })
			after(ctx, 1, 100)
			durable.NewTimer(ctx, 1000*time.Hour)
			durable.Sleep(ctx, time.Second)
			return []int{1}, nil
		}, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Futures")
				h.work(
					durable.BindActivity(a, echo),
					durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) ([]int, error) { return c.run(ctx) }),
				)
				got, err := start[[]int](h, o, nil).Wait(t.Context())
				must(t, err)
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("result (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestWaitingForNothingPanics(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(ctx durable.Context)
		says string
	}{
		{"Any", func(ctx durable.Context) { durable.Any(ctx) }, "Any without anything to wait for"},
		{"Select", func(ctx durable.Context) { durable.Select(ctx) }, "Select without cases"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Nothing")
				h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
					c.run(ctx)
					return 0, nil
				}))
				says(t, fails(h, start[int](h, o, nil)), c.says)
			})
		})
	}
}

// TestContextOutsideOfItsCoroutine: the mistake is told, the worker lives on.
func TestContextOutsideOfItsCoroutine(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		wrong, right := flow("Wrong"), flow("Right")
		h.work(
			durable.BindOrchestrator(wrong, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.Go(ctx, func(durable.Context) (int, error) {
					durable.Sleep(ctx, time.Second) // the creator's context
					return 0, nil
				}).Get(ctx)
			}),
			durable.BindOrchestrator(right, func(durable.Context, durable.None) (int, error) { return 1, nil }),
		)
		says(t, fails(h, start[int](h, wrong, nil)), "durable.Go", "context")
		want(h, start[int](h, right, nil), 1)
	})
}
