package cloudevents_test

import (
	"context"

	"github.com/nats-io/nats.go"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/cloudevents"
)

func Example() {
	run := func(ctx context.Context, hub durable.Backend, code *durable.Registry) error {
		nc, err := nats.Connect("nats://127.0.0.1:4222")
		if err != nil {
			return err
		}
		defer nc.Close()
		events := cloudevents.New(cloudevents.Config{Hub: "default", Publish: nc.Publish})
		worker := durable.NewWorker(hub, code, events.Worker(durable.WorkerConfig{}))
		return worker.Run(ctx)
	}
	_ = run
}
