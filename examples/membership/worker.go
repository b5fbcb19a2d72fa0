package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/durablegen/durablegen/examples/membership/demo"
	"github.com/durablegen/durablegen/examples/membership/world"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// runWorker is a worker only: the hub is on a NATS server, the world in another process.
func runWorker(ctx context.Context, s settings, stdin io.Reader, out io.Writer) (err error) {
	backend, err := natsbackend.Connect(ctx, natsbackend.Config{URL: s.nats, Hub: s.hub, Logger: s.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()
	client := durable.NewClient(backend, durable.ClientConfig{Logger: s.log})
	defer func() { err = errors.Join(err, client.Close()) }()
	worker, err := newWorker(backend, client, world.Dial(s.world), s)
	if err != nil {
		return err
	}
	if err := worker.Start(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, demo.ReadyLine)
	if s.untilEOF {
		ctx = untilEOF(ctx, stdin)
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return worker.Stop(stopping)
}

// untilEOF ends the context when r does: the sign of life of the process that started this one.
func untilEOF(ctx context.Context, r io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, r)
	}()
	return ctx
}
