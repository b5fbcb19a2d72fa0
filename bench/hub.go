package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	natsembedded "github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// hub is a task hub with a worker and a client, which share a backend as those of one program do, and perhaps its server.
type hub struct {
	client     *durable.Client
	partitions int    // of every group
	store      string // folder of the embedded server's store; "" for a server by URL
	worker     *durable.Worker
	config     durable.WorkerConfig
	flow       *flow                           // instead of client and worker, of a workload without an engine
	undo       []func() error                  // what close has to do, last first
	again      func(ctx context.Context) error // starts another worker
	dial       func() (*nats.Conn, error)      // connects to the embedded server; nil for one by URL
}

// openHub starts what cfg asks for. After an error nothing is left running.
func openHub(ctx context.Context, cfg config, code *durable.Registry) (h *hub, err error) {
	h = &hub{config: cfg.worker}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	connect, err := h.server(ctx, cfg)
	if err != nil {
		return nil, err
	}
	backend, err := connect()
	if err != nil {
		return nil, err
	}
	h.undo = append(h.undo, backend.Close)
	if w, _ := workloadOf(cfg.workload); w.flow {
		return h, h.startFlow(ctx, backend, code, w.name == "flow-local")
	}
	h.again = func(ctx context.Context) error { return h.startWorker(ctx, backend, code) }
	if err := h.again(ctx); err != nil {
		return nil, err
	}
	h.partitions = backend.Info().Partitions
	h.client = durable.NewClient(backend, durable.ClientConfig{})
	h.undo = append(h.undo, h.client.Close)
	return h, nil
}

// server gives a function that connects to the server of cfg, which it starts when it is to be embedded.
func (h *hub) server(ctx context.Context, cfg config) (connect func() (durable.Backend, error), err error) {
	if cfg.nats != embedded {
		return func() (durable.Backend, error) {
			return natsbackend.Connect(ctx, natsbackend.Config{URL: cfg.nats, Hub: cfg.hub, Provision: true})
		}, nil
	}
	if cfg.dir != "" {
		if err := os.MkdirAll(cfg.dir, 0o700); err != nil {
			return nil, fmt.Errorf("bench: -dir: %w", err)
		}
	}
	h.store, err = os.MkdirTemp(cfg.dir, "bench-")
	if err != nil {
		return nil, fmt.Errorf("bench: make a folder for the store: %w", err)
	}
	h.undo = append(h.undo, func() error { return os.RemoveAll(h.store) })
	durability := map[string]natsembedded.Durability{
		strict: natsembedded.Strict, strictBatch: natsembedded.StrictAlways, strictEach: natsembedded.StrictAlways,
	}[cfg.durability]
	srv, err := natsembedded.Start(ctx, natsembedded.Config{Dir: h.store, Durability: durability})
	if err != nil {
		return nil, err
	}
	h.undo = append(h.undo, srv.Close)
	h.dial = func() (*nats.Conn, error) { return nats.Connect("", srv.Option()) }
	if cfg.durability == strictEach {
		return func() (durable.Backend, error) {
			cfg := natsbackend.Config{URL: "nats://in-process", Provision: true}
			cfg.Options = append(cfg.Options, srv.Option())
			return natsbackend.Connect(ctx, cfg)
		}, nil
	}
	return func() (durable.Backend, error) { return srv.Backend(ctx, natsbackend.Config{}) }, nil
}

func (h *hub) startWorker(ctx context.Context, backend durable.Backend, code *durable.Registry) error {
	worker := durable.NewWorker(backend, code, h.config)
	if err := worker.Start(ctx); err != nil {
		return err
	}
	h.worker = worker
	h.undo = append(h.undo, func() error { return h.stopWorker(context.Background()) })
	return nil
}

// startFlow has a worker make what it makes of the hub, and then connects without one.
func (h *hub) startFlow(ctx context.Context, backend durable.Backend, code *durable.Registry, local bool) (err error) {
	if err := h.startWorker(ctx, backend, code); err != nil {
		return err
	}
	if err := h.stopWorker(ctx); err != nil {
		return err
	}
	h.flow, err = openFlow(h.dial, backend.Info().Partitions, local)
	if err == nil {
		h.undo = append(h.undo, func() error {
			f := h.flow
			h.flow = nil
			return f.close()
		})
	}
	return err
}

// run runs a workload's orchestrations.
func (h *hub) run(ctx context.Context, w load, gate *workload.Gate, n, concurrency int) (tally, error) {
	if w.flow {
		return h.flow.run(ctx, n, concurrency)
	}
	return w.run(ctx, h.client, gate, n, concurrency)
}

// stopWorker lets the worker, or the flow, finish what it owes. It may be called twice.
func (h *hub) stopWorker(ctx context.Context) error {
	if h.flow != nil {
		return h.flow.settle(ctx)
	}
	if h.worker == nil {
		return nil
	}
	worker := h.worker
	h.worker = nil
	return worker.Stop(ctx)
}

func (h *hub) close() error {
	var errs []error
	for len(h.undo) > 0 {
		last := len(h.undo) - 1
		undo := h.undo[last]
		h.undo = h.undo[:last]
		errs = append(errs, undo())
	}
	return errors.Join(errs...)
}

// disk gives the bytes in the store's files; 0 for a server by URL.
func (h *hub) disk() (int64, error) {
	if h.store == "" {
		return 0, nil
	}
	var sum int64
	err := filepath.WalkDir(h.store, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				sum += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) { // the server removes files while we look
			return nil
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("bench: size of the store: %w", err)
	}
	return sum, nil
}
