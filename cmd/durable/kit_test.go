package main

import (
	"context"
	"encoding/json"
	"errors"

	durable "github.com/durablegen/durablegen/runtime"
)

// bindings are what the worker of the sessions runs: an echo, one that waits for the event go, one that fails at an
// activity, and a parent of the one that waits.
func bindings() []durable.Binding {
	charge := &durable.Activity{Name: "bank.Charge", Source: "example.com/bank.Charge"}
	wait := flow("Wait")
	return []durable.Binding{
		durable.BindOrchestrator(flow("Echo"), func(_ durable.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil }),
		durable.BindOrchestrator(wait, func(ctx durable.Context, _ json.RawMessage) (json.RawMessage, error) {
			return durable.ReceiveEvent[json.RawMessage](ctx, "go").Get(ctx)
		}),
		durable.BindOrchestrator(flow("Pay"), func(ctx durable.Context, in int) (int, error) {
			return durable.StartActivity[int](ctx, charge, in).Get(ctx)
		}),
		durable.BindOrchestrator(flow("Parent"), func(ctx durable.Context, in string) (json.RawMessage, error) {
			return durable.StartChild[json.RawMessage](ctx, wait, nil, durable.InstanceID(in)).Get(ctx)
		}),
		durable.BindActivity(charge, func(_ context.Context, in int) (int, error) { return 0, errors.New("card declined") }),
	}
}

func flow(name string) *durable.Orchestrator {
	return &durable.Orchestrator{Name: "flow." + name, Group: "flow", Source: "example.com/flow." + name}
}
