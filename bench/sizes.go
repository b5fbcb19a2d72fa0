package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
)

// runSizes tells what one item costs of an instance that has n of them, for n from 100 to what -n says: an activity of a
// fan-out, an event of a history, one of a history that a worker replays that has nothing in memory, one of a history that
// is moved out of the log into a snapshot, and one that is replayed from there. A quadratic cost would show as a rise.
func runSizes(ctx context.Context, cfg config) (*table, error) {
	if cfg.nats != embedded {
		return nil, errors.New("-nats URL: the log that is shortened here is to be nobody else's")
	}
	if cfg.n < 100 {
		return nil, errors.New("-n: want 100 at least")
	}
	steps := []string{"fan-out", "events", "replay of the log", "snapshot", "replay of the snapshot"}
	t := &table{head: []string{"n"}}
	for _, unit := range []string{" (CPU µs each)", " (allocations each)"} {
		for _, step := range steps {
			t.head = append(t.head, step+unit)
		}
	}
	cfg.worker.KeepLog = -1 // it is shortened when it suits the measurement
	for n := 100; n <= cfg.n; n *= 10 {
		costs, err := sizesOf(ctx, cfg, n)
		if err != nil {
			return nil, fmt.Errorf("n = %d: %w", n, err)
		}
		row := []any{n}
		for _, c := range costs {
			row = append(row, c.cpu)
		}
		for _, c := range costs {
			row = append(row, c.allocs)
		}
		t.add(row...)
	}
	return t, nil
}

// cost is what one item took of the process, server included.
type cost struct{ cpu, allocs float64 } // microseconds, objects

// costOf measures what fn does, which has so many items.
func costOf(items int, fn func() error) (cost, error) {
	cpu := cpuTime()
	objects, _ := allocated()
	err := fn()
	after, _ := allocated()
	return cost{float64((cpuTime() - cpu).Microseconds()) / float64(items), float64(after-objects) / float64(items)}, err
}

// sizesOf takes the steps of runSizes with instances of n items, as many as it takes for a figure.
func sizesOf(ctx context.Context, cfg config, n int) (costs []cost, err error) {
	h, _, err := openTrial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if _, err := runHello(ctx, h.client, nil, 100, 10); err != nil { // warm-up
		return nil, err
	}
	waiting := make([]durable.Handle[int], max(1, 2000/n))
	// step is taken by each of the instances.
	step := func(fn func(k int) error) func() error {
		return func() error {
			for k := range waiting {
				if err := fn(k); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for _, s := range []struct{ prepare, measured func() error }{
		{nil, step(func(int) error { return h.fanOutOf(ctx, n) })},
		{step(func(k int) (err error) {
			waiting[k], err = projected(ctx, h.client, n+1)
			return err
		}), step(func(k int) error { return receiveAll(ctx, h.client, waiting[k].ID(), n, cfg.concurrency) })},
		{func() error { return h.restart(ctx, nil) }, step(func(k int) error { return received(ctx, h.client, waiting[k].ID(), n) })},
		{nil, func() error { return h.snapshots(ctx, waiting) }},
		{func() error { return h.restart(ctx, h.emptyLog) }, step(func(k int) error {
			return errors.Join(raise(ctx, h.client, waiting[k].ID(), n), check(ctx, waiting[k], n*(n+1)/2))
		})},
	} {
		if s.prepare != nil {
			if err := s.prepare(); err != nil {
				return nil, err
			}
		}
		c, err := costOf(len(waiting)*n, s.measured)
		if err != nil {
			return nil, err
		}
		costs = append(costs, c)
	}
	return costs, nil
}

// restart replaces the worker by one that has nothing in memory, and does something in between.
func (h *hub) restart(ctx context.Context, between func(ctx context.Context) error) error {
	if err := h.stopWorker(ctx); err != nil {
		return err
	}
	if between != nil {
		if err := between(ctx); err != nil {
			return err
		}
	}
	if err := h.again(ctx); err != nil {
		return err
	}
	_, err := runHello(ctx, h.client, nil, 20, 10) // it has its partitions
	return err
}

// snapshots asks for instances to be moved out of the log, as a worker does that shortens it (WorkerConfig.KeepLog), and
// waits until they are in the archive.
func (h *hub) snapshots(ctx context.Context, of []durable.Handle[int]) error {
	nc, js, err := h.stream()
	if err != nil {
		return err
	}
	defer nc.Close()
	for _, handle := range of {
		for p := range h.partitions { // the owners of the others take no notice
			topic := fmt.Sprintf("durable-signal.%s.freeze=2E%s=2E%d", flowHub, flowGroup, p)
			if err := nc.Publish(topic, []byte("0 "+handle.ID())); err != nil {
				return err
			}
		}
	}
	for _, handle := range of {
		if err := archived(ctx, js, handle.ID()); err != nil {
			return err
		}
	}
	return nil
}

// archived waits until the archive has an instance.
func archived(ctx context.Context, js jetstream.JetStream, id string) error {
	archive, err := js.Stream(ctx, "DURABLE_"+flowHub+"_ARCHIVE")
	if err != nil {
		return err
	}
	for {
		_, err := archive.GetLastMsgForSubject(ctx, "durable-archive."+flowHub+"."+id)
		if err == nil || !errors.Is(err, jetstream.ErrMsgNotFound) {
			return err
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("instance %s is not in the archive: %w", id, err)
		}
	}
}

// emptyLog removes everything from the log. Nothing else is live than what has a snapshot.
func (h *hub) emptyLog(ctx context.Context) error {
	nc, js, err := h.stream()
	if err != nil {
		return err
	}
	defer nc.Close()
	log, err := js.Stream(ctx, "DURABLE_"+flowHub)
	if err != nil {
		return err
	}
	return log.Purge(ctx)
}

// stream connects to the streams of the hub.
func (h *hub) stream() (*nats.Conn, jetstream.JetStream, error) {
	nc, err := h.dial()
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
	}
	return nc, js, err
}

// fanOutOf runs a fan-out until its history is archived, too: that is read from the log again when it is long.
func (h *hub) fanOutOf(ctx context.Context, n int) error {
	nc, js, err := h.stream()
	if err != nil {
		return err
	}
	defer nc.Close()
	handle, err := workload.FanOutOrchestrator.Start(ctx, h.client, n)
	if err != nil {
		return err
	}
	if err := check(ctx, handle, n*(n+1)*(2*n+1)/6); err != nil {
		return err
	}
	return archived(ctx, js, handle.ID())
}

// projected starts an instance that is to receive n events, and returns when the hub shows it: until then the state that every
// event asks for is not there, which costs less than to read one.
func projected(ctx context.Context, client *durable.Client, n int) (durable.Handle[int], error) {
	handle, err := workload.CountOrchestrator.Start(ctx, client, n)
	for err == nil {
		var shown []durable.Instance
		if shown, err = client.List(ctx, durable.Filter{IDPrefix: handle.ID()}); err != nil || len(shown) > 0 {
			break
		}
		err = pause(ctx, 20*time.Millisecond)
	}
	return handle, err
}

// receiveAll has an instance receive n events, so many on their way at once, and returns when it has.
func receiveAll(ctx context.Context, client *durable.Client, id string, n, concurrency int) error {
	if _, err := each(ctx, n, concurrency, func(ctx context.Context, i int) error { return raise(ctx, client, id, i) }); err != nil {
		return err
	}
	return received(ctx, client, id, n)
}

// received waits until an instance has received n events.
func received(ctx context.Context, client *durable.Client, id string, n int) error {
	for {
		got, err := durable.Query[int](ctx, client, id, workload.Received, nil)
		if err != nil || got == n {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("instance %s has received %d events of %d: %w", id, got, n, err)
		}
	}
}

func raise(ctx context.Context, client *durable.Client, id string, n int) error {
	return workload.WakeEvent.Raise(ctx, client, id, workload.Wake{Number: n})
}
