package durabletest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

// parcel is an order that is packed and paid, in a build that says in which order.
type parcel func(ctx durable.Context, pack, pay *durable.Activity) (string, error)

func packFirst(ctx durable.Context, pack, pay *durable.Activity) (string, error) {
	if err := call(ctx, pack, "order"); err != nil {
		return "", err
	}
	_, err := durable.ReceiveEvent[int](ctx, "paid").Get(ctx)
	return "packed first", errors.Join(err, call(ctx, pay, "order"))
}

func payFirst(ctx durable.Context, pack, pay *durable.Activity) (string, error) {
	if err := call(ctx, pay, "order"); err != nil {
		return "", err
	}
	_, err := durable.ReceiveEvent[int](ctx, "paid").Get(ctx)
	return "paid first", errors.Join(err, call(ctx, pack, "order"))
}

// patchedParcel is payFirst for orders that have not been packed.
func patchedParcel(ctx durable.Context, pack, pay *durable.Activity) (string, error) {
	if ctx.Version("pay-first") {
		return payFirst(ctx, pack, pay)
	}
	return packFirst(ctx, pack, pay)
}

// builds is a scenario in which one build comes after another: versions by number. raise tells whether the order is paid.
func builds(before, after map[string]parcel, raise bool, ended map[string]int) func(*durabletest.Env) error {
	return func(env *durabletest.Env) error {
		pack, pay := task("Pack"), task("Pay")
		done := map[string]int{}
		register := func(build map[string]parcel) {
			for version, run := range build {
				env.Register(durable.BindOrchestrator(versionOf(version), func(ctx durable.Context, _ int) (string, error) { return run(ctx, pack, pay) }))
			}
			for _, a := range []*durable.Activity{pack, pay} {
				env.Register(durable.BindActivity(a, func(_ context.Context, s string) (string, error) { done[a.Name]++; return s, nil }))
			}
		}
		register(before)
		env.NextBuild(func() { register(after) })
		h, err := durable.StartInstance[string](env.T().Context(), env.Client(), versionOf("1"), 0, durable.InstanceID("x"))
		if err != nil || !raise {
			env.Advance(time.Minute)
			return err
		}
		env.After(time.Minute, func() {
			if err := env.Client().Raise(env.T().Context(), "x", "paid", 1); err != nil {
				env.T().Error(err)
			}
		})
		got, err := h.Wait(env.T().Context())
		ended[got]++
		if err == nil && (done[pack.Name] == 0 || done[pay.Name] == 0) {
			err = fmt.Errorf("%s: what was done is %v", got, done)
		}
		return err
	}
}

func versionOf(version string) *durable.Orchestrator {
	o := flow("Order")
	o.Version = version
	return o
}

// TestNextBuild: a change that running instances stand is found sound wherever the next build takes over, and with
// misfortune; both ways have been gone.
func TestNextBuild(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]map[string]parcel{
		"patch":   {"1": patchedParcel},
		"version": {"1": packFirst, "2": payFirst},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := map[string]int{}
			durabletest.Explore(t, builds(map[string]parcel{"1": packFirst}, after, true, ended))
			if ended["packed first"] == 0 || name == "patch" && ended["paid first"] == 0 {
				t.Errorf("ended: %v, want orders that ended as they began, and with a patch others too", ended)
			}
		})
	}
}

// TestNextBuildThatDoesNotFit: what breaks is told with the moment at which the next build took over, also when the scenario
// does not look at it.
func TestNextBuildThatDoesNotFit(t *testing.T) {
	t.Parallel()
	before := map[string]parcel{"1": packFirst}
	packTwice := func(ctx durable.Context, pack, pay *durable.Activity) (string, error) {
		return "packed twice", errors.Join(call(ctx, pack, "order"), call(ctx, pack, "order"))
	}
	for name, c := range map[string]struct {
		after map[string]parcel
		raise bool
		says  []string
	}{
		"another order":           {map[string]parcel{"1": payFirst}, true, []string{"flow.Pack", "flow.Pay"}},
		"not looked at":           {map[string]parcel{"1": payFirst}, false, []string{"flow.Pack", "flow.Pay"}},
		"without version":         {map[string]parcel{"2": packFirst}, true, []string{"no worker for flow.Order version 1"}},
		"beyond what is recorded": {map[string]parcel{"1": packTwice}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			said := fails(func() {
				durabletest.Explore(r, builds(before, c.after, c.raise, map[string]int{}), durabletest.Seeds(1))
			})
			for _, w := range append(c.says, "the next build takes over", "1 of the 1 faults") {
				if len(c.says) > 0 && !strings.Contains(said, w) {
					t.Errorf("said %q, want %q in it", said, w)
				}
			}
			if len(c.says) == 0 && said != "" {
				t.Errorf("said %q of a change that no history contradicts", said)
			}
		})
	}
}

// fails gives what a Fatal of the recorder said, "" if there was none.
func fails(do func()) (said string) {
	defer func() {
		if p := recover(); p != nil {
			said = string(p.(fatal))
		}
	}()
	do()
	return ""
}

// TestNextBuildInANewEnv: it takes over at once.
func TestNextBuildInANewEnv(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	bind := func(text string) func() {
		return func() {
			env.Register(durable.BindOrchestrator(flow("Say"), func(ctx durable.Context, _ int) (string, error) {
				durable.Sleep(ctx, time.Hour)
				return text, nil
			}))
		}
	}
	bind("old")()
	h, err := durable.StartInstance[string](t.Context(), env.Client(), flow("Say"), 0)
	must(t, err)
	env.Advance(time.Minute)
	env.NextBuild(bind("new"))
	got, err := durabletest.Run(h, nil)
	must(t, err)
	if got != "new" {
		t.Errorf("it ended with %q, want the next build's result", got)
	}
}
