package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// hub is a command of the scripts: it starts a server whose address is $HUB, and has a worker begin the instance first of
// orders.Pay, with the input {"Name":"Ann"}, which takes orders.Charge with 100 and then waits for the event orders.Go. It
// ends with the script.
func hub(s *testscript.TestScript, _ bool, _ []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := embedded.Start(ctx, embedded.Config{Dir: filepath.Join(s.Getenv("WORK"), "store"), Listen: "127.0.0.1:0"})
	s.Check(err)
	s.Defer(func() { s.Check(server.Close()) })
	s.Setenv("HUB", server.URL())
	b, err := server.Backend(ctx, natsbackend.Config{})
	s.Check(err)
	s.Check(begin(ctx, b))
	s.Check(b.Close())
}

func begin(ctx context.Context, b durable.Backend) error {
	pay := &durable.Orchestrator{Name: "orders.Pay", Group: "orders", Source: "example.com/orders.Pay"}
	charge := &durable.Activity{Name: "orders.Charge", Source: "example.com/orders.Charge"}
	var code durable.Registry
	err := code.Add(
		durable.BindOrchestrator(pay, func(ctx durable.Context, _ struct{ Name string }) (string, error) {
			if err := durable.StartActivity[durable.None](ctx, charge, 100).Err(ctx); err != nil {
				return "", err
			}
			return durable.ReceiveEvent[string](ctx, "orders.Go").Get(ctx)
		}),
		durable.BindActivity(charge, func(context.Context, int) (durable.None, error) { return durable.None{}, nil }))
	if err != nil {
		return err
	}
	w, client := durable.NewWorker(b, &code, durable.WorkerConfig{}), durable.NewClient(b, durable.ClientConfig{})
	defer client.Close()
	if err := w.Start(ctx); err != nil {
		return err
	}
	if _, err := durable.StartInstance[string](ctx, client, pay, struct{ Name string }{"Ann"}, durable.InstanceID("first")); err != nil {
		return err
	}
	for inst, err := range client.Watch(ctx, "first") {
		if err != nil {
			return err
		}
		if inst.Waiting != "" && inst.Waiting != "activity orders.Charge" {
			break
		}
	}
	return w.Stop(ctx)
}
