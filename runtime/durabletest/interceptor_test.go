package durabletest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

var announce = task("Announce")

// announcing is an interceptor that decides something: it calls an activity before each orchestrator.
func announcing(ctx durable.Context, next func(durable.Context) error) error {
	if err := call(ctx, announce, ctx.Name()); err != nil {
		return err
	}
	return next(ctx)
}

func intercepted(c durable.WorkerConfig) durable.WorkerConfig {
	c.Interceptors.Orchestrators = []durable.OrchestratorInterceptor{announcing}
	return c
}

func waitsFor(o *durable.Orchestrator) durable.Binding {
	return durable.BindOrchestrator(o, func(ctx durable.Context, _ int) (int, error) {
		return durable.ReceiveEvent[int](ctx, "go").Get(ctx)
	})
}

var announces = durable.BindActivity(announce, func(_ context.Context, s string) (string, error) { return s, nil })

// TestReplayWithoutInterceptors: what an interceptor has decided is missed by a replay, unless the function does it.
func TestReplayWithoutInterceptors(t *testing.T) {
	t.Parallel()
	o := flow("Announced")
	env := durabletest.New(t, durabletest.Configure(intercepted, nil))
	env.Register(waitsFor(o), announces)
	_, err := durable.StartInstance[int](t.Context(), env.Client(), o, 0, durable.InstanceID("x"))
	must(t, err)
	env.Advance(time.Hour)
	text := env.History("x")
	if said := fails(func() { durabletest.Replay(&recorder{TB: t}, text, waitsFor(o)) }); !strings.Contains(said, "flow.Announce") {
		t.Errorf("a replay without the interceptor says %q, want it to miss flow.Announce", said)
	}
	durabletest.Replay(t, text, durable.BindOrchestrator(o, func(ctx durable.Context, _ int) (n int, err error) {
		err = announcing(ctx, func(ctx durable.Context) (err error) {
			n, err = durable.ReceiveEvent[int](ctx, "go").Get(ctx)
			return err
		})
		return n, err
	}))
}

// TestNextBuildWithInterceptors: what is left waiting is replayed with the interceptors of the worker.
func TestNextBuildWithInterceptors(t *testing.T) {
	t.Parallel()
	o := flow("Announced")
	durabletest.Explore(t, func(env *durabletest.Env) error {
		build := func() { env.Register(waitsFor(o), announces) }
		build()
		env.NextBuild(build)
		if _, err := durable.StartInstance[int](env.T().Context(), env.Client(), o, 0, durable.InstanceID("x")); err != nil {
			return err
		}
		env.Advance(time.Hour)
		if n := len(env.Calls("Announce")); n == 0 {
			return fmt.Errorf("the interceptor has not run")
		}
		return nil
	}, durabletest.Configure(intercepted, nil), durabletest.Seeds(20))
}
