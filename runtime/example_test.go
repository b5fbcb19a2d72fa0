package durable_test

import (
	"context"
	"log"
	"time"

	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

// The examples use handles as durablegen generates them, here written by hand and generic, so that they need no
// generated file. In your package, OrderOrchestrator.Start, ChargeActivity.Call and ApprovalEvent.Receive come from
// durable_gen.go.

type activityHandle[A, R any] struct{ *durable.Activity }

func newActivity[A, R any](name string) activityHandle[A, R] {
	return activityHandle[A, R]{&durable.Activity{Name: "shop." + name, Source: "example.com/shop." + name}}
}

func (h activityHandle[A, R]) Call(ctx durable.Context, in A, opts ...durable.CallOption) (R, error) {
	return h.Start(ctx, in, opts...).Get(ctx)
}

func (h activityHandle[A, R]) Start(ctx durable.Context, in A, opts ...durable.CallOption) durable.Future[R] {
	return durable.StartActivity[R](ctx, h.Activity, in, opts...)
}

func (h activityHandle[A, R]) Bind(fn func(context.Context, A) (R, error)) durable.Binding {
	return durable.BindActivity(h.Activity, fn)
}

type orchestratorHandle[A, R any] struct{ *durable.Orchestrator }

func newOrchestrator[A, R any](name string) orchestratorHandle[A, R] {
	return orchestratorHandle[A, R]{&durable.Orchestrator{Name: "shop." + name, Group: "shop", Source: "example.com/shop." + name}}
}

func (h orchestratorHandle[A, R]) Start(ctx context.Context, c *durable.Client, in A, opts ...durable.StartOption) (durable.Handle[R], error) {
	return durable.StartInstance[R](ctx, c, h.Orchestrator, in, opts...)
}

func (h orchestratorHandle[A, R]) Call(ctx durable.Context, in A, opts ...durable.ChildOption) (R, error) {
	return durable.StartChild[R](ctx, h.Orchestrator, in, opts...).Get(ctx)
}

func (h orchestratorHandle[A, R]) Bind(fn func(durable.Context, A) (R, error)) durable.Binding {
	return durable.BindOrchestrator(h.Orchestrator, fn)
}

func (h orchestratorHandle[A, R]) Schedule(ctx context.Context, c *durable.Client, s durable.Schedule, in A, opts ...durable.ScheduleOption) error {
	return durable.CreateSchedule(ctx, c, h.Orchestrator, s, in, opts...)
}

type eventHandle[E any] struct{ name string }

func (h eventHandle[E]) Receive(ctx durable.Context) durable.Future[E] {
	return durable.ReceiveEvent[E](ctx, h.name)
}

func (h eventHandle[E]) Raise(ctx context.Context, c *durable.Client, id string, e E) error {
	return durable.RaiseEvent(ctx, c, id, h.name, e)
}

// inMemory starts a worker for the bindings over a hub in memory, where a program would connect to NATS.
func inMemory(bindings ...durable.Binding) (client *durable.Client, stop func()) {
	registry := &durable.Registry{}
	if err := registry.Add(bindings...); err != nil {
		log.Fatal(err)
	}
	return inMemoryOf(registry)
}

func inMemoryOf(registry *durable.Registry) (client *durable.Client, stop func()) {
	hub := membackend.New(membackend.Config{Live: true})
	worker := durable.NewWorker(hub.View("worker"), registry, durable.WorkerConfig{Heartbeat: 50 * time.Millisecond})
	if err := worker.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	client = durable.NewClient(hub.View("client"), durable.ClientConfig{})
	return client, func() {
		for _, end := range []func() error{
			func() error { return worker.Stop(context.Background()) }, client.Close, hub.Close,
		} {
			if err := end(); err != nil {
				log.Fatal(err)
			}
		}
	}
}

// run starts an orchestration and waits for its result.
func run[A, R any](client *durable.Client, o orchestratorHandle[A, R], in A) (R, error) {
	handle, err := o.Start(context.Background(), client, in)
	if err != nil {
		log.Fatal(err)
	}
	return handle.Wait(context.Background())
}
