package durabletest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

// TestWatchAndQueryLetTimePass: both wait as Wait does, also across a crash of the worker.
func TestWatchAndQueryLetTimePass(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	o := flow("Count")
	env.Register(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
		n := 0
		durable.SetQueryHandler(ctx, "n", func(durable.None) (int, error) { return n, nil })
		for n < 3 {
			n++
			ctx.SetStatus(n)
			durable.Sleep(ctx, time.Hour)
		}
		return n, nil
	}))
	handle, err := durable.StartInstance[int](t.Context(), env.Client(), o, nil)
	must(t, err)
	var saw []string
	for inst, err := range env.Client().Watch(t.Context(), handle.ID()) {
		must(t, err)
		saw = append(saw, string(inst.CustomStatus))
		if inst.Status.Final() {
			break
		}
		n, err := durable.Query[int](t.Context(), env.Client(), handle.ID(), "n", nil)
		must(t, err)
		if want := len(saw) - 1; n != max(want, 1) {
			t.Errorf("at status %s the query gives %d", inst.CustomStatus, n)
		}
		if n == 2 {
			env.Crash()
		}
	}
	if diff := cmp.Diff([]string{"", "1", "2", "3", "3"}, saw); diff != "" {
		t.Errorf("custom status (-want +got):\n%s", diff)
	}
}
