package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
)

// load is one way to run a workload.
type load struct {
	name        string
	n           int // orchestrations of a run that says nothing else
	concurrency int
	warm        int  // orchestrations before the measured ones
	activities  int  // of one orchestration
	flow        bool // without an engine: flow.go
	// run runs n orchestrations, so many at once, and checks every result.
	run func(ctx context.Context, client *durable.Client, gate *workload.Gate, n, concurrency int) (tally, error)
}

// tally is what the orchestrations of a run told, beside being right.
type tally struct {
	latencies []time.Duration // from before the start to after the result; idle: from the wake to the result
	ratio     float64         // chain: time of the last activities by that of the first
	bytes     int             // idle: memory of a waiting instance
}

const (
	fanWidth    = 100
	chainLength = 1000
)

var workloads = []load{
	{name: "hello", n: 20_000, concurrency: 200, warm: 1000, activities: 3, run: runHello},
	{name: "hello-local", n: 20_000, concurrency: 200, warm: 1000, activities: 3, run: runHelloLocal},
	{name: "flow", n: 20_000, concurrency: 200, warm: 1000, activities: 3, flow: true},
	{name: "flow-local", n: 20_000, concurrency: 200, warm: 1000, activities: 3, flow: true},
	{name: "fanout", n: 1000, concurrency: 20, warm: 20, activities: fanWidth, run: runFanOut},
	{name: "chain", n: 10, concurrency: 1, warm: 1, activities: chainLength, run: runChain},
	{name: "latency", n: 3000, concurrency: 1, warm: 200, activities: 3, run: runHello},
	{name: "latency-local", n: 3000, concurrency: 1, warm: 200, activities: 3, run: runHelloLocal},
	{name: "idle", n: 10_000, concurrency: 200, warm: 10, activities: 1, run: runIdle},
}

func workloadOf(name string) (load, bool) {
	for _, w := range workloads {
		if w.name == name {
			return w, true
		}
	}
	return load{}, false
}

func names() []string {
	var all []string
	for _, w := range workloads {
		all = append(all, w.name)
	}
	return all
}

func runHello(ctx context.Context, client *durable.Client, _ *workload.Gate, n, concurrency int) (tally, error) {
	return greet(ctx, n, concurrency, func(ctx context.Context, cities [3]string) (durable.Handle[[3]string], error) {
		return workload.HelloOrchestrator.Start(ctx, client, cities)
	})
}

func runHelloLocal(ctx context.Context, client *durable.Client, _ *workload.Gate, n, concurrency int) (tally, error) {
	return greet(ctx, n, concurrency, func(ctx context.Context, cities [3]string) (durable.Handle[[3]string], error) {
		return workload.HelloLocalOrchestrator.Start(ctx, client, cities)
	})
}

// greet starts n orchestrations that greet three cities.
func greet(ctx context.Context, n, concurrency int, start func(context.Context, [3]string) (durable.Handle[[3]string], error)) (tally, error) {
	cities := [3]string{"Tokyo", "Seattle", "London"}
	want := [3]string{"Hello Tokyo!", "Hello Seattle!", "Hello London!"}
	latencies, err := each(ctx, n, concurrency, func(ctx context.Context, _ int) error {
		handle, err := start(ctx, cities)
		if err != nil {
			return err
		}
		return check(ctx, handle, want)
	})
	return tally{latencies: latencies}, err
}

func runFanOut(ctx context.Context, client *durable.Client, _ *workload.Gate, n, concurrency int) (tally, error) {
	const want = fanWidth * (fanWidth + 1) * (2*fanWidth + 1) / 6 // the sum of the first squares
	latencies, err := each(ctx, n, concurrency, func(ctx context.Context, _ int) error {
		handle, err := workload.FanOutOrchestrator.Start(ctx, client, fanWidth)
		if err != nil {
			return err
		}
		return check(ctx, handle, want)
	})
	return tally{latencies: latencies}, err
}

func runChain(ctx context.Context, client *durable.Client, _ *workload.Gate, n, concurrency int) (tally, error) {
	ratios := make([]float64, n)
	latencies, err := each(ctx, n, concurrency, func(ctx context.Context, i int) error {
		handle, err := workload.ChainOrchestrator.Start(ctx, client, chainLength)
		if err != nil {
			return err
		}
		r, err := handle.Wait(ctx)
		if err != nil {
			return fmt.Errorf("instance %s: %w", handle.ID(), err)
		}
		if r.Value != chainLength || r.First <= 0 || r.Last <= 0 {
			return wrong(handle.ID(), r, chainLength)
		}
		ratios[i] = float64(r.Last) / float64(r.First)
		return nil
	})
	return tally{latencies: latencies, ratio: median(ratios)}, err
}

// runIdle starts all instances, weighs the process when all of them wait, and wakes them.
func runIdle(ctx context.Context, client *durable.Client, gate *workload.Gate, n, concurrency int) (tally, error) {
	before, arrived := memory(), gate.Arrived()
	handles := make([]durable.Handle[string], n)
	if _, err := each(ctx, n, concurrency, func(ctx context.Context, i int) (err error) {
		handles[i], err = workload.IdleOrchestrator.Start(ctx, client)
		return err
	}); err != nil {
		return tally{}, err
	}
	for gate.Arrived() < arrived+n {
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return tally{}, fmt.Errorf("%d of %d instances wait: %w", gate.Arrived()-arrived, n, err)
		}
	}
	if err := pause(ctx, settle); err != nil { // trailing acks and projections
		return tally{}, err
	}
	t := tally{bytes: (memory() - before) / n}
	var err error
	t.latencies, err = each(ctx, n, concurrency, func(ctx context.Context, i int) error {
		if err := workload.WakeEvent.Raise(ctx, client, handles[i].ID(), workload.Wake{Number: i}); err != nil {
			return err
		}
		return check(ctx, handles[i], fmt.Sprintf("woken by %d", i))
	})
	return t, err
}

// check waits for the result of an instance and compares it.
func check[R comparable](ctx context.Context, handle durable.Handle[R], want R) error {
	got, err := handle.Wait(ctx)
	if err != nil {
		return fmt.Errorf("instance %s: %w", handle.ID(), err)
	}
	if got != want {
		return wrong(handle.ID(), got, want)
	}
	return nil
}

func wrong(id string, got, want any) error {
	return fmt.Errorf("bench: wrong result: instance %s gave %v, want %v", id, got, want)
}

// memory gives the bytes of live heap and stacks of this process.
func memory() int {
	runtime.GC()
	runtime.GC() // what finalizers let go of in the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
