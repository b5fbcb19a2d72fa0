package durabletest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
	"github.com/durablegen/durablegen/runtime/observe"
)

// told collects what hooks are told of the ends of executions, in one run of a scenario.
type told map[string][]observe.End

func (t told) ended(e observe.End) {
	key := fmt.Sprintf("%s %d-%d", e.Orchestrator, e.Run, e.Number)
	t[key] = append(t[key], e)
}

// check wants each execution told of: as new at most once, and the same in every telling.
func (t told) check(executions ...string) error {
	for _, key := range executions {
		if len(t[key]) == 0 {
			return fmt.Errorf("nobody was told of the end of %s", key)
		}
		fresh := 0
		for _, e := range t[key] {
			if !e.Again {
				fresh++
			}
			if first := t[key][0]; e.Status != first.Status || !e.Began.Equal(first.Began) || e.Instance != first.Instance {
				return fmt.Errorf("%s is told of as %+v and %+v", key, first, e)
			}
		}
		if fresh > 1 {
			return fmt.Errorf("the end of %s is told of as new %d times", key, fresh)
		}
	}
	if len(t) != len(executions) {
		return fmt.Errorf("%d executions are told of, want %d", len(t), len(executions))
	}
	return nil
}

// TestEndsAreToldInEveryWorld: wherever a worker dies, somebody tells of the end of every execution, and only one of them
// takes it for new.
func TestEndsAreToldInEveryWorld(t *testing.T) {
	t.Parallel()
	var seen told
	configure := durabletest.Configure(func(cfg durable.WorkerConfig) durable.WorkerConfig {
		ends := seen
		cfg.Hooks.Ended = func(e observe.End) { ends.ended(e) }
		return cfg
	}, nil)
	durabletest.Explore(t, func(env *durabletest.Env) error {
		seen = told{}
		loop, leaf, work := flow("Loop"), flow("Leaf"), task("Work")
		env.Register(
			durable.BindActivity(work, func(_ context.Context, n int) (int, error) { return n, nil }),
			durable.BindOrchestrator(leaf, func(ctx durable.Context, n int) (int, error) {
				return durable.StartActivity[int](ctx, work, n).Get(ctx)
			}),
			durable.BindOrchestrator(loop, func(ctx durable.Context, n int) (int, error) {
				durable.Sleep(ctx, time.Minute)
				if n < 2 {
					return 0, durable.ContinueWith(ctx, n+1)
				}
				return durable.StartChild[int](ctx, leaf, n).Get(ctx)
			}),
		)
		if _, err := durabletest.Run(durable.StartInstance[int](env.T().Context(), env.Client(), loop, 0)); err != nil {
			return err
		}
		env.Advance(time.Minute) // what was about to be told
		return seen.check("flow.Loop 1-0", "flow.Loop 1-1", "flow.Loop 1-2", "flow.Leaf 1-0")
	}, configure)
}
