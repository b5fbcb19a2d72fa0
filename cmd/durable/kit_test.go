package main

import (
	"context"
	"encoding/json"
	"errors"

	durable "github.com/durablegen/durablegen/runtime"
)

// bindings are what the worker of the sessions runs: Echo; Wait, for the event go; Pay, which fails at an activity until
// the bank is open; Parent, of a child that waits or pays; and Steps, which waits after a step that changed code has
// not.
func bindings(changed bool, bankOpen func() bool) []durable.Binding {
	charge, other := task("Charge"), task("Other")
	wait, pay := flow("Wait"), flow("Pay")
	return []durable.Binding{
		durable.BindOrchestrator(flow("Echo"), func(_ durable.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil }),
		durable.BindOrchestrator(wait, func(ctx durable.Context, _ json.RawMessage) (json.RawMessage, error) {
			ctx.SetStatus("waiting")
			return durable.ReceiveEvent[json.RawMessage](ctx, "go").Get(ctx)
		}),
		durable.BindOrchestrator(pay, func(ctx durable.Context, in int) (int, error) {
			return durable.StartActivity[int](ctx, charge, in).Get(ctx)
		}),
		durable.BindOrchestrator(flow("Parent"), func(ctx durable.Context, child string) (json.RawMessage, error) {
			if child == "payer" {
				return durable.StartChild[json.RawMessage](ctx, pay, 5, durable.InstanceID(child)).Get(ctx)
			}
			return durable.StartChild[json.RawMessage](ctx, wait, nil, durable.InstanceID(child)).Get(ctx)
		}),
		durable.BindOrchestrator(flow("Steps"), func(ctx durable.Context, _ json.RawMessage) (json.RawMessage, error) {
			step := other
			if changed {
				step = charge
			}
			if _, err := durable.StartActivity[int](ctx, step, 1).Get(ctx); err != nil {
				return nil, err
			}
			return durable.ReceiveEvent[json.RawMessage](ctx, "go").Get(ctx)
		}),
		durable.BindActivity(charge, func(_ context.Context, in int) (int, error) {
			if !bankOpen() {
				return 0, errors.New("card declined")
			}
			return in, nil
		}),
		durable.BindActivity(other, func(_ context.Context, in int) (int, error) { return in, nil }),
	}
}

func flow(name string) *durable.Orchestrator {
	return &durable.Orchestrator{Name: "orders." + name, Group: "orders", Source: "example.com/orders." + name}
}

func task(name string) *durable.Activity {
	return &durable.Activity{Name: "bank." + name, Source: "example.com/bank." + name}
}
