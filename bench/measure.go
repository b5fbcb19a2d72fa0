package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
)

// settle is how long trailing acks, archive messages and projections may take after a result is known.
const settle = time.Second

// measure runs one workload and gives its figures.
func measure(ctx context.Context, cfg config) (r Result, err error) {
	w, _ := workloadOf(cfg.workload)
	r = Result{Workload: w.name, N: cfg.n, Concurrency: cfg.concurrency, Durability: cfg.durability, Load1: loadAverage()}
	var code durable.Registry
	gate := &workload.Gate{}
	if err := workload.RegisterDurable(&code, workload.DurableReceivers{Gate: gate}); err != nil {
		return r, err
	}
	h, err := openHub(ctx, cfg, &code)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if cfg.nats != embedded {
		r.Durability = "server"
	}

	if _, err := h.run(ctx, w, gate, min(w.warm, cfg.n), cfg.concurrency); err != nil {
		return r, fmt.Errorf("bench: warm-up of %s: %w", w.name, err)
	}
	if err := pause(ctx, settle); err != nil {
		return r, err
	}
	disk, err := h.disk()
	if err != nil {
		return r, err
	}
	profiled, err := startProfile(cfg.cpuProfile)
	if err != nil {
		return r, err
	}
	objects, bytes := allocated()
	cpu, began := cpuTime(), time.Now()

	t, err := h.run(ctx, w, gate, cfg.n, cfg.concurrency)
	elapsed := time.Since(began)
	err = errors.Join(err, profiled(), writeHeapProfile(cfg.memProfile))
	if err != nil {
		return r, fmt.Errorf("bench: %s: %w", w.name, err)
	}
	// What still trails behind the last result is part of the price.
	if err := h.stopWorker(ctx); err != nil {
		return r, err
	}
	r.take(w, t, elapsed)
	r.CPUMicros = float64((cpuTime() - cpu).Microseconds()) / float64(cfg.n)
	r.PeakRSS = peakRSS()
	o, b := allocated()
	r.Allocs, r.AllocBytes = float64(o-objects)/float64(cfg.n), float64(b-bytes)/float64(cfg.n)
	after, err := h.disk()
	r.DiskBytes = float64(after-disk) / float64(cfg.n)
	return r, err
}

// allocated counts the objects that this process has allocated on the heap, and their bytes.
func allocated() (objects, bytes uint64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs, m.TotalAlloc
}

// each calls fn with 0 to n-1 on as many goroutines as concurrency says and gives the time that every call took. The
// first error stops it.
func each(ctx context.Context, n, concurrency int, fn func(ctx context.Context, i int) error) ([]time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	times := make([]time.Duration, n)
	var next atomic.Int64
	var all sync.WaitGroup
	for range concurrency {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				began := time.Now()
				if err := fn(ctx, i); err != nil {
					cancel(err)
					return
				}
				times[i] = time.Since(began)
			}
		})
	}
	all.Wait()
	return times, context.Cause(ctx)
}

// pause waits for d, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// startProfile begins a CPU profile; the function it gives ends it. An empty path does nothing.
func startProfile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("bench: -cpuprofile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: -cpuprofile: %w", err), f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

func writeHeapProfile(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("bench: -memprofile: %w", err)
	}
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}
