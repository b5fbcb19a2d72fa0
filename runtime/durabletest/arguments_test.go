package durabletest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
	"github.com/durablegen/durablegen/runtime/observe"
)

// TestLenientArgumentsUnderMisfortune: where a build with other arguments takes over, and whatever goes wrong then, each call
// runs and stays in the history with the arguments that were recorded for it, and no worker tells of a slot twice.
func TestLenientArgumentsUnderMisfortune(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]durable.Arguments{"warn": durable.ArgumentsWarn, "ignore": durable.ArgumentsIgnore} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stood, told := 0, 0
			var fresh func(durable.WorkerConfig) durable.WorkerConfig // of the present run
			durabletest.Explore(t, func(env *durabletest.Env) error {
				var again error
				fresh = func(c durable.WorkerConfig) durable.WorkerConfig { // for each worker
					seen := map[string]bool{}
					c.Hooks.ArgumentsChanged = func(a observe.ArgumentsChange) {
						told++
						if key := a.Instance + " " + a.Slot; seen[key] {
							again = fmt.Errorf("slot %s is told twice by one worker", key)
						} else {
							seen[key] = true
						}
					}
					return c
				}
				old, err := lenient(env, policy)
				stood += old
				if err == nil {
					err = again
				}
				return err
			}, durabletest.Configure(func(c durable.WorkerConfig) durable.WorkerConfig { return fresh(c) }, nil))
			if stood == 0 || (told > 0) != (policy == durable.ArgumentsWarn) {
				t.Errorf("recorded arguments stood %d times, and %d were told", stood, told)
			}
		})
	}
}

// lenient runs three calls, one of them local, one a child, whose arguments name the build. It counts those that the old
// build has recorded, of an instance that the new one has ended.
func lenient(env *durabletest.Env, policy durable.Arguments) (stood int, err error) {
	o, kid, pack, pay := flow("Changing"), flow("Kid"), task("Pack"), task("Pay")
	ran := map[string]map[string]bool{} // what ran with which arguments
	runs := func(what, args string) (string, error) {
		if ran[what] == nil {
			ran[what] = map[string]bool{}
		}
		ran[what][args] = true
		return args, nil
	}
	build := func(name string) {
		env.Register(
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
				a, err := durable.StartActivity[string](ctx, pack, name, policy).Get(ctx)
				if err != nil {
					return "", err
				}
				durable.Sleep(ctx, time.Minute)
				b, err := durable.StartActivity[string](ctx, pay, name, policy, durable.Local(true)).Get(ctx)
				if err != nil {
					return "", err
				}
				durable.Sleep(ctx, time.Minute)
				c, err := durable.StartChild[string](ctx, kid, name, policy).Get(ctx)
				durable.Sleep(ctx, time.Minute)
				return strings.Join([]string{a, b, c, name}, " "), err
			}),
			durable.BindOrchestrator(kid, func(ctx durable.Context, s string) (string, error) {
				durable.Sleep(ctx, time.Minute)
				return s, nil
			}),
			durable.BindActivity(pack, func(_ context.Context, s string) (string, error) { return runs("pack", s) }),
			durable.BindActivity(pay, func(_ context.Context, s string) (string, error) { return s, nil }),
		)
	}
	build("old")
	env.NextBuild(func() { build("new") })
	got, err := durabletest.Run(durable.StartInstance[string](env.T().Context(), env.Client(), o, nil, durable.InstanceID("x")))
	if err != nil {
		return 0, err
	}
	calls, last := strings.Fields(got), ""
	for _, by := range calls {
		if last == "new" && by == "old" {
			return 0, fmt.Errorf("it ended with %q: a call after one of the new build has arguments of the old one", got)
		}
		last = by
	}
	if len(ran["pack"]) != 1 || !ran["pack"][calls[0]] {
		return 0, fmt.Errorf("a call ran with %v, and its result is %s", ran["pack"], calls[0])
	}
	if text := string(env.History("x")); !strings.Contains(text, `"v":"`+calls[0]+`"`) {
		return 0, fmt.Errorf("the history does not have the arguments %q of the call: %s", calls[0], text)
	}
	if last == "new" {
		stood = strings.Count(got, "old")
	}
	return stood, nil
}
