package observe_test

import (
	"context"
	"fmt"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/observe"
)

// A few lines tell of what ends badly.
func ExampleHooks() {
	run := func(ctx context.Context, hub durable.Backend, code *durable.Registry) error {
		hooks := observe.Hooks{
			Ended: func(e observe.End) {
				if e.Status == string(durable.Failed) && !e.Again {
					fmt.Printf("%s %s has failed after %v\n", e.Orchestrator, e.Instance, e.Ended.Sub(e.Began))
				}
			},
		}
		return durable.NewWorker(hub, code, durable.WorkerConfig{Hooks: hooks}).Run(ctx)
	}
	_ = run
}
