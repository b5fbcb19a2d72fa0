package durabletest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

// TestPatchUnderMisfortune: a patch says the same before and after every crash, loss and repetition, as often as it is asked,
// and a new execution records its own.
func TestPatchUnderMisfortune(t *testing.T) {
	t.Parallel()
	durabletest.Explore(t, func(env *durabletest.Env) error {
		o, pay := flow("Patched"), task("Pay")
		env.Register(
			durable.BindOrchestrator(o, func(ctx durable.Context, round int) (string, error) {
				said := fmt.Sprint(ctx.Version("a"))
				if err := call(ctx, pay, "1"); err != nil {
					return "", err
				}
				said += fmt.Sprint(ctx.Version("b"), ctx.Version("a"))
				if _, err := durable.ReceiveEvent[int](ctx, "more").Get(ctx); err != nil {
					return "", err
				}
				said += fmt.Sprint(ctx.Version("c"))
				durable.Sleep(ctx, time.Minute)
				if round == 0 {
					return "", durable.ContinueWith(ctx, 1)
				}
				return said, nil
			}),
			durable.BindActivity(pay, func(_ context.Context, s string) (string, error) { return s, nil }),
		)
		h, err := durable.StartInstance[string](env.T().Context(), env.Client(), o, 0)
		if err != nil {
			return err
		}
		for range 2 {
			env.Advance(time.Hour)
			if err := env.Client().Raise(env.T().Context(), h.ID(), "more", 1); err != nil {
				return err
			}
		}
		got, err := h.Wait(env.T().Context())
		if want := "truetrue truetrue"; err == nil && got != want {
			return fmt.Errorf("said %q, want %q", got, want)
		}
		return err
	})
}
