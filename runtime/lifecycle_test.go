package durable_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestInterceptorsSeeTheLifecycle: restart, rewind, its plan, and purge are operations like others.
func TestInterceptorsSeeTheLifecycle(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, f := flow("InTurn"), newFaulty("Step", 0)
		h.work(inTurn(o, f), f.bind())
		fails(h, start[string](h, o, 1, durable.InstanceID("x")))
		h.pass(time.Second)
		var saw notes
		c := durable.NewClient(h.m.View("client"), durable.ClientConfig{Interceptors: []durable.ClientInterceptor{
			func(ctx context.Context, op *durable.Operation, next func(context.Context) error) error {
				saw.addf("%s %s", op.Verb, op.Instance)
				return next(ctx)
			},
		}})
		defer func() { must(t, c.Close()) }()
		_, err := c.RewindPlan(t.Context(), "x")
		must(t, err)
		must(t, c.Rewind(t.Context(), "x", ""))
		h.pass(5 * time.Minute)
		_, err = c.Restart(t.Context(), "x")
		must(t, err)
		h.pass(5 * time.Minute)
		_, err = c.Purge(t.Context(), "x")
		must(t, err)
		_, err = c.PurgeAll(t.Context(), durable.Filter{IDPrefix: "x"})
		must(t, err)
		if diff := cmp.Diff([]string{"plan x", "rewind x", "restart x", "purge x", "purge "}, saw.all()); diff != "" {
			t.Errorf("operations (-want +got):\n%s", diff)
		}
	})
}
