package main

import (
	"context"
	"errors"
	"time"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
)

// runSizes tells what one activity of a fan-out of n and one event of a history of n cost, and what one event costs that a
// worker replays that has nothing in memory, for n from 100 to what -n says. A quadratic cost would show as a rise.
func runSizes(ctx context.Context, cfg config) (*table, error) {
	t := &table{head: []string{"n", "fan-out CPU µs each", "fan-out wall µs each", "events CPU µs each", "events wall µs each", "cold replay CPU µs each", "cold replay wall µs each"}}
	cfg.worker.KeepLog = -1
	for n := 100; n <= cfg.n; n *= 10 {
		row, err := sizesOf(ctx, cfg, n)
		if err != nil {
			return nil, err
		}
		t.add(append([]any{n}, row...)...)
	}
	return t, nil
}

func sizesOf(ctx context.Context, cfg config, n int) (row []any, err error) {
	h, _, err := openTrial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	runs := max(1, 2000/n)
	timed := func(fn func() error) error {
		cpu, began := cpuTime(), time.Now()
		err := fn()
		all := float64(runs * n)
		row = append(row, float64((cpuTime()-cpu).Microseconds())/all, float64(time.Since(began).Microseconds())/all)
		return err
	}
	if _, err := runHello(ctx, h.client, nil, 100, 10); err != nil { // warm-up
		return nil, err
	}
	if err := timed(func() error { return repeat(runs, func() error { return fanOutOf(ctx, h.client, n) }) }); err != nil {
		return nil, err
	}
	var waiting []durable.Handle[int]
	if err := timed(func() error {
		return repeat(runs, func() error {
			handle, err := receiveAll(ctx, h.client, n)
			waiting = append(waiting, handle)
			return err
		})
	}); err != nil {
		return nil, err
	}
	if err := h.stopWorker(ctx); err != nil {
		return nil, err
	}
	if err := h.again(ctx); err != nil {
		return nil, err
	}
	if _, err := runHello(ctx, h.client, nil, 20, 10); err != nil { // it has its partitions
		return nil, err
	}
	err = timed(func() error {
		for _, handle := range waiting {
			if err := errors.Join(raise(ctx, h.client, handle.ID(), n), check(ctx, handle, n*(n+1)/2)); err != nil {
				return err
			}
		}
		return nil
	})
	return row, err
}

func repeat(n int, fn func() error) error {
	for range n {
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}

func fanOutOf(ctx context.Context, client *durable.Client, n int) error {
	handle, err := workload.FanOutOrchestrator.Start(ctx, client, n)
	if err != nil {
		return err
	}
	return check(ctx, handle, n*(n+1)*(2*n+1)/6)
}

// receiveAll has an instance receive n events of n+1, and returns when it has.
func receiveAll(ctx context.Context, client *durable.Client, n int) (handle durable.Handle[int], err error) {
	if handle, err = workload.CountOrchestrator.Start(ctx, client, n+1); err != nil {
		return handle, err
	}
	const most = 50
	if _, err := each(ctx, n, most, func(ctx context.Context, i int) error { return raise(ctx, client, handle.ID(), i) }); err != nil {
		return handle, err
	}
	for {
		got, err := durable.Query[int](ctx, client, handle.ID(), workload.Received, nil)
		if err != nil || got == n {
			return handle, err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return handle, err
		}
	}
}

func raise(ctx context.Context, client *durable.Client, id string, n int) error {
	return workload.WakeEvent.Raise(ctx, client, id, workload.Wake{Number: n})
}
