package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/durablegen/durablegen/bench/workload"
	"github.com/durablegen/durablegen/internal/chaos/harness"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// measures are what -measure can name.
var measures = map[string]func(context.Context, settings) error{
	"replicas":  replicas,
	"rebalance": rebalance,
	"scale":     scale,
	"hubs":      hubs,
}

// settings are the flags of a measure.
type settings struct {
	harness.Config
	rounds int
	n      int    // orchestrations of a run
	csv    string // file; "": none
	out    io.Writer
}

// rebalance tells how long partitions pause when their owner changes.
func rebalance(ctx context.Context, s settings) error {
	moved, calm, err := harness.Handovers(ctx, s.Config, s.rounds)
	if err != nil {
		return err
	}
	table := io.Discard
	if s.csv != "" {
		f, err := os.Create(s.csv)
		if err != nil {
			return fmt.Errorf("chaos: -csv: %w", err)
		}
		defer f.Close()
		table = f
	}
	lines, err := harness.WriteHandovers(table, moved, calm)
	if err != nil {
		return fmt.Errorf("chaos: -csv: %w", err)
	}
	fmt.Fprintln(s.out, "| event | partitions | p50 | p99 | max |\n| --- | --- | --- | --- | --- |")
	for _, l := range lines {
		fmt.Fprintln(s.out, l)
	}
	return nil
}

// scale tells what one more worker adds when slots are the limit.
func scale(ctx context.Context, s settings) error {
	rates, err := harness.Scale(ctx, s.Config, 3, s.rounds)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, "| workers | activities/s | by one worker |\n| --- | --- | --- |")
	for n, all := range rates {
		fmt.Fprintf(s.out, "| %d | %.1f | %.2f |\n", n+1, median(all), ratio(all, rates[0]))
	}
	return nil
}

// replicas compares a hub of three replicas with one of one, on the same three servers, in turns.
func replicas(ctx context.Context, s settings) (err error) {
	dir, err := os.MkdirTemp("", "durable-chaos-")
	if err != nil {
		return fmt.Errorf("chaos: a folder for the servers: %w", err)
	}
	servers, err := harness.StartServers(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.Close()) }()
	runs := [2]greeter{}
	for i, n := range []int{1, 3} {
		cfg := natsbackend.Config{URL: servers.URLs(0), Hub: fmt.Sprint("r", n), Replicas: n}
		g, err := greet(ctx, func(ctx context.Context) (durable.Backend, error) { return connect(ctx, cfg) })
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, g.close()) }()
		runs[i] = g
	}
	return inTurns(ctx, s, "one replica", "three replicas",
		func() error { return runs[0].run(ctx, s.n, s.AtOnce) }, func() error { return runs[1].run(ctx, s.n, s.AtOnce) })
}

// hubs compares two hubs, which have a stream each, with one, on the same embedded server, in turns.
func hubs(ctx context.Context, s settings) (err error) {
	dir, err := os.MkdirTemp("", "durable-chaos-")
	if err != nil {
		return fmt.Errorf("chaos: a folder for the server: %w", err)
	}
	server, err := embedded.Start(ctx, embedded.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close(), os.RemoveAll(dir)) }()
	var all []greeter
	for _, name := range []string{"one", "first", "second"} {
		g, err := greet(ctx, func(ctx context.Context) (durable.Backend, error) {
			return server.Backend(ctx, natsbackend.Config{Hub: name})
		})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, g.close()) }()
		all = append(all, g)
	}
	return inTurns(ctx, s, "one hub", "two hubs", func() error { return all[0].run(ctx, s.n, s.AtOnce) }, func() error {
		var both sync.WaitGroup
		var errs [2]error
		for n := range errs {
			both.Go(func() { errs[n] = all[1+n].run(ctx, s.n/2, s.AtOnce/2) })
		}
		both.Wait()
		return errors.Join(errs[:]...)
	})
}

// inTurns runs a and b one after the other, s.rounds times, and tells the rates and their ratio.
func inTurns(ctx context.Context, s settings, a, b string, runs ...func() error) error {
	rates := make([][]float64, len(runs))
	for round := range s.rounds + 1 {
		for i, run := range runs {
			begun := time.Now()
			if err := run(); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if round > 0 { // the first one warms up
				rates[i] = append(rates[i], float64(s.n)/time.Since(begun).Seconds())
			}
		}
	}
	fmt.Fprintf(s.out, "| | hellos/s | by %s |\n| --- | --- | --- |\n", a)
	fmt.Fprintf(s.out, "| %s | %.0f | 1 |\n| %s | %.0f | %.2f (%.2f to %.2f) |\n", a, median(rates[0]), b, median(rates[1]),
		ratio(rates[1], rates[0]), slices.Min(ratios(rates[1], rates[0])), slices.Max(ratios(rates[1], rates[0])))
	return nil
}

// connect waits until the cluster has leaders.
func connect(ctx context.Context, cfg natsbackend.Config) (*natsbackend.Backend, error) {
	cfg.Provision = true
	for {
		b, err := natsbackend.Connect(ctx, cfg)
		if err == nil || ctx.Err() != nil {
			return b, err
		}
	}
}

// greeter is a worker and a client in this process that run the hello of the benchmark.
type greeter struct {
	client *durable.Client
	close  func() error
}

func greet(ctx context.Context, connect func(context.Context) (durable.Backend, error)) (g greeter, err error) {
	var undo []func() error
	g.close = func() error {
		var errs []error
		for _, f := range slices.Backward(undo) {
			errs = append(errs, f())
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	var code durable.Registry
	if err := workload.RegisterDurable(&code, workload.DurableReceivers{Gate: &workload.Gate{}}); err != nil {
		return g, err
	}
	works, err := connect(ctx)
	if err != nil {
		return g, err
	}
	undo = append(undo, works.Close)
	worker := durable.NewWorker(works, &code, durable.WorkerConfig{})
	if err := worker.Start(ctx); err != nil {
		return g, err
	}
	undo = append(undo, func() error { return worker.Stop(context.WithoutCancel(ctx)) })
	asks, err := connect(ctx)
	if err != nil {
		return g, err
	}
	g.client = durable.NewClient(asks, durable.ClientConfig{})
	undo = append(undo, asks.Close, g.client.Close)
	return g, nil
}

// run runs n hellos, so many at once.
func (g greeter) run(ctx context.Context, n, atOnce int) error {
	next := make(chan struct{}, n)
	for range n {
		next <- struct{}{}
	}
	close(next)
	errs := make(chan error, atOnce)
	for range atOnce {
		go func() {
			var err error
			for range next {
				var h durable.Handle[[3]string]
				if h, err = workload.HelloOrchestrator.Start(ctx, g.client, [3]string{"Tokyo", "Seattle", "London"}); err == nil {
					_, err = h.Wait(ctx)
				}
				if err != nil {
					break
				}
			}
			errs <- err
		}()
	}
	var all []error
	for range atOnce {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// ratios gives a by b, run by run; ratio their median.
func ratios(a, b []float64) (all []float64) {
	for i := range a {
		all = append(all, a[i]/b[i])
	}
	return all
}

func ratio(a, b []float64) float64 { return median(ratios(a, b)) }

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
