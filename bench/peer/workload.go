package peer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is one workload. It runs for a time instead of a number, so that the slow and the fast take equally long.
type load struct {
	name       string
	inFlight   int
	lasts      time.Duration // at scale 1; the last ones in flight are waited for
	warm       time.Duration // before it, at scale 1: at least one call a place in flight
	activities func(v variant, scale float64) int
	// run runs one orchestration and checks its result.
	run func(ctx context.Context, r Runner, activities int) error
}

const (
	fanWidth    = 100
	chainLength = 1000
)

// loads are the workloads in the order they are run. The first is the one that memory is read after, and with as many in
// flight as the command line says.
var loads = []load{
	{name: "hello", lasts: 2 * time.Second, warm: time.Second, activities: always(3), run: runHello},
	{name: "latency", inFlight: 1, lasts: time.Second, activities: always(3), run: runHello},
	{name: "fanout", inFlight: 1, lasts: time.Second, activities: always(fanWidth), run: runFanOut},
	{name: "chain", inFlight: 1, activities: func(v variant, scale float64) int {
		return max(1, int(float64(cmp.Or(v.Chain[v.mode], chainLength))*min(1, scale)))
	}, lasts: time.Second / 4, run: runChain},
}

func always(n int) func(variant, float64) int { return func(variant, float64) int { return n } }

func runHello(ctx context.Context, r Runner, _ int) error {
	got, err := r.Hello(ctx, [3]string{"Tokyo", "Seattle", "London"})
	return check(got, [3]string{"Hello Tokyo!", "Hello Seattle!", "Hello London!"}, err)
}

func runFanOut(ctx context.Context, r Runner, width int) error {
	got, err := r.FanOut(ctx, width)
	return check(got, width*(width+1)*(2*width+1)/6, err)
}

func runChain(ctx context.Context, r Runner, length int) error {
	got, err := r.Chain(ctx, length)
	return check(got, length, err)
}

func check[T comparable](got, want T, err error) error {
	if err == nil && got != want {
		return fmt.Errorf("peer: wrong result: %v, want %v", got, want)
	}
	return err
}

// during calls fn on so many goroutines until the time is up, at least once on each, and gives how long every call took.
// The first error stops it.
func during(ctx context.Context, lasts time.Duration, inFlight int, fn func(context.Context) error) ([]time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var over atomic.Bool
	defer time.AfterFunc(lasts, func() { over.Store(true) }).Stop()
	took := make([][]time.Duration, inFlight)
	var all sync.WaitGroup
	for i := range inFlight {
		all.Go(func() {
			for len(took[i]) == 0 || !over.Load() {
				began := time.Now()
				if err := fn(ctx); err != nil {
					cancel(err)
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	all.Wait()
	return slices.Concat(took...), context.Cause(ctx)
}
