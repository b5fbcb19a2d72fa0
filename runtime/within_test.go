package durable_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

func TestWithin(t *testing.T) {
	a := task("Echo")
	after := func(ctx durable.Context, n, seconds int) durable.Future[int] {
		return durable.StartActivity[int](ctx, a, wait{n, seconds})
	}
	late := func(_ int, err error) int {
		if !errors.Is(err, durable.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
			return 0
		}
		return -1
	}
	took := func(ctx durable.Context, begin time.Time) int { return int(ctx.Now().Sub(begin) / time.Second) }
	for _, c := range []struct {
		name string
		run  func(ctx durable.Context) ([]int, error)
		want []int
	}{
		{"what comes in time is given", func(ctx durable.Context) ([]int, error) {
			begin := ctx.Now()
			n, err := after(ctx, 7, 2).Within(ctx, time.Hour)
			return []int{n, took(ctx, begin)}, err
		}, []int{7, 2}},
		{"what is late may be waited for again", func(ctx durable.Context) ([]int, error) {
			begin, slow := ctx.Now(), after(ctx, 7, 60)
			first := late(slow.Within(ctx, 10*time.Second))
			waited := took(ctx, begin)
			n, err := slow.Get(ctx)
			return []int{first, waited, n}, err
		}, []int{-1, 10, 7}},
		{"a result that is there wins over no patience", func(ctx durable.Context) ([]int, error) {
			f := after(ctx, 7, 1)
			none := late(f.Within(ctx, 0))
			durable.Sleep(ctx, time.Minute)
			n, err := f.Within(ctx, -time.Hour)
			return []int{none, n}, err
		}, []int{-1, 7}},
		{"an event that was kept is taken", func(ctx durable.Context) ([]int, error) {
			durable.SendEvent(ctx, ctx.InstanceID(), "Own", 7)
			durable.Sleep(ctx, time.Second)
			n, err := durable.ReceiveEvent[int](ctx, "Own").Within(ctx, 0)
			return []int{n}, err
		}, []int{7}},
		{"an event that comes after the wait goes to the next", func(ctx durable.Context) ([]int, error) {
			none := late(durable.ReceiveEvent[int](ctx, "Own").Within(ctx, time.Second))
			durable.SendEvent(ctx, ctx.InstanceID(), "Own", 7)
			n, err := durable.ReceiveEvent[int](ctx, "Own").Within(ctx, time.Hour)
			return []int{none, n}, err
		}, []int{-1, 7}},
		{"the timer of the wait fires before one that is due with it", func(ctx durable.Context) ([]int, error) {
			f := durable.Go(ctx, func(ctx durable.Context) (int, error) { durable.Sleep(ctx, time.Minute); return 7, nil })
			none := late(f.Within(ctx, time.Minute))
			n, err := f.Get(ctx)
			return []int{none, n}, err
		}, []int{-1, 7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Within")
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

// TestWithinLeavesNoTimer: the timer of a wait that ended well never fires, and what is there already makes none.
func TestWithinLeavesNoTimer(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Within")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			event := durable.ReceiveEvent[int](ctx, "Go")
			if _, err := event.Within(ctx, time.Hour); err != nil {
				return 0, err
			}
			if _, err := event.Within(ctx, time.Hour); err != nil {
				return 0, err
			}
			durable.Sleep(ctx, 10*time.Hour)
			return 1, nil
		}))
		handle := start[int](h, o, nil)
		h.pass(time.Minute)
		must(t, h.client.Raise(t.Context(), handle.ID(), "go", 1))
		want(h, handle, 1)
		var fired []uint32
		for _, m := range h.m.Log() {
			if f, ok := m.Message.Record.(*history.Fired); ok {
				fired = append(fired, f.Slot)
			}
		}
		if diff := cmp.Diff([]uint32{1}, fired); diff != "" {
			t.Errorf("slots of the timers that fired (-want +got):\n%s", diff)
		}
	})
}

// TestWithinSaysWhatDidNotCome: the text names it, also across the wire.
func TestWithinSaysWhatDidNotCome(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Within")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			return durable.ReceiveEvent[int](ctx, "Approval").Within(ctx, time.Hour)
		}))
		err := fails(h, start[int](h, o, nil))
		says(t, err, "event approval", "within 1h0m0s")
		if !errors.Is(err, durable.ErrTimeout) {
			t.Errorf("%v is no ErrTimeout", err)
		}
	})
}

// TestGoKeepsWhatIsReturned: a coroutine is code of the same orchestration, so nothing is lost on the way.
func TestGoKeepsWhatIsReturned(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		own := errors.New("nobody has registered this")
		o := flow("Go")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, again bool) (int, error) {
			if again {
				return 2, nil
			}
			bad := durable.Go(ctx, func(durable.Context) (chan int, error) { return nil, own })
			good := durable.Go(ctx, func(ctx durable.Context) (func() int, error) {
				durable.Sleep(ctx, time.Second)
				return func() int { return 1 }, nil // not JSON
			})
			if err := durable.All(ctx, good, bad); !errors.Is(err, own) {
				return 0, err
			}
			if _, err := bad.Get(ctx); err != own {
				return 0, err
			}
			f, err := good.Get(ctx)
			if err != nil || f() != 1 {
				return 0, err
			}
			return durable.Go(ctx, func(ctx durable.Context) (int, error) { return 0, durable.ContinueWith(ctx, true) }).Get(ctx)
		}))
		want(h, start[int](h, o, false), 2)
	})
}
