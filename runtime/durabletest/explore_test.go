package durabletest_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

// shop is a scenario: three things are bought at once, one of them later, and a child wraps them. charge says how the
// till works.
func shop(charge func(till map[string]int, ctx context.Context, item string)) func(*durabletest.Env) error {
	return func(env *durabletest.Env) error {
		buy, wrap, pay := flow("Buy"), flow("Wrap"), task("Charge")
		till := map[string]int{}
		env.Register(
			durable.BindOrchestrator(buy, func(ctx durable.Context, items []string) (string, error) {
				var paying []durable.Future[string]
				for _, item := range items {
					paying = append(paying, durable.StartActivity[string](ctx, pay, item))
				}
				got, err := durable.Collect(ctx, paying)
				if err != nil {
					return "", err
				}
				more := durable.ReceiveEvent[string](ctx, "more")
				closing := durable.NewTimer(ctx, 24*time.Hour)
				if durable.Any(ctx, more, closing) == more {
					item, err := more.Get(ctx)
					if err := errors.Join(err, call(ctx, pay, item)); err != nil {
						return "", err
					}
					got = append(got, item)
				}
				return durable.StartChild[string](ctx, wrap, got).Get(ctx)
			}),
			durable.BindOrchestrator(wrap, func(ctx durable.Context, items []string) (string, error) {
				durable.Sleep(ctx, time.Minute)
				return strings.Join(items, "+"), nil
			}),
			durable.BindActivity(pay, func(ctx context.Context, item string) (string, error) {
				charge(till, ctx, item)
				return item, nil
			}),
		)
		h, err := durable.StartInstance[string](env.T().Context(), env.Client(), buy, []string{"a", "b", "c"})
		if err != nil {
			return err
		}
		env.Advance(time.Hour)
		if err := env.Client().Raise(env.T().Context(), h.ID(), "more", "d"); err != nil {
			return err
		}
		got, err := h.Wait(env.T().Context())
		if err != nil {
			return err
		}
		want := map[string]int{"a": 1, "b": 1, "c": 1, "d": 1}
		if diff := cmp.Diff(want, till); got != "a+b+c+d" || diff != "" {
			return fmt.Errorf("bought %s; the till (-want +got):\n%s", got, diff)
		}
		return nil
	}
}

// TestExploreFindsNothingInSoundCode, whatever goes wrong.
func TestExploreFindsNothingInSoundCode(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	runs := 0
	durabletest.Explore(t, func(env *durabletest.Env) error {
		runs++
		clear(seen)
		return shop(func(till map[string]int, ctx context.Context, item string) {
			info, _ := durable.InfoOf(ctx)
			if !seen[info.IdempotencyKey] {
				seen[info.IdempotencyKey] = true
				till[item]++
			}
		})(env)
	}, durabletest.Seeds(400))
	if runs < 2 {
		t.Errorf("%d runs", runs)
	}
}

// TestExploreFindsAnActivityWithoutAKey: it charges again after a crash. One fault shows it, and the report is enough to
// see it again.
func TestExploreFindsAnActivityWithoutAKey(t *testing.T) {
	t.Parallel()
	scenario := shop(func(till map[string]int, _ context.Context, item string) { till[item]++ })
	first := fatalOf(t, func(t testing.TB) { durabletest.Explore(t, scenario) })
	says(t, first, ": 2,", "DURABLETEST_SEED=", "it takes 1 of the 1 faults", "✗ the worker dies", "flow.Charge", "start of flow.Buy")
	var seed durabletest.Seed
	_, err := fmt.Sscan(regexp.MustCompile(`seed (\d+)`).FindStringSubmatch(first.Error())[1], &seed)
	must(t, err)
	again := fatalOf(t, func(t testing.TB) { durabletest.Explore(t, scenario, seed) })
	if again == nil || again.Error() != first.Error() {
		t.Errorf("seed %d alone says %v", seed, again)
	}
}

// TestExploreShrinks: of many faults only those that are needed are told.
func TestExploreShrinks(t *testing.T) {
	t.Parallel()
	scenario := shop(func(till map[string]int, _ context.Context, item string) { till[item]++ })
	shrunk, alone, found := 0, 0, 0
	for seed := durabletest.Seed(2); seed < 60; seed += 2 {
		err := fatalOf(t, func(t testing.TB) { durabletest.Explore(t, scenario, seed) })
		if err == nil {
			continue
		}
		m := regexp.MustCompile(`it takes (\d) of the (\d) faults`).FindStringSubmatch(err.Error())
		if m[1] > "2" || strings.Count(err.Error(), "✗") != int(m[1][0]-'0')+1 {
			t.Errorf("seed %d is not shrunk: %v", seed, err)
		}
		if found++; m[1] == "1" { // rarely a fault needs another one, for its time
			alone++
		}
		if m[2] > m[1] {
			shrunk++
		}
	}
	if shrunk == 0 || alone < found-1 {
		t.Errorf("of %d seeds %d had more faults than it takes, and %d were shrunk to a single one", found, shrunk, alone)
	}
}

// TestExploreFinds the usual mistakes.
func TestExploreFinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		make func() func(ctx durable.Context) (string, error)
		says string
	}{
		{"a decision that a replay does not repeat", func() func(durable.Context) (string, error) {
			n := 0
			return func(ctx durable.Context) (string, error) {
				if n++; n > 1 {
					durable.Sleep(ctx, time.Hour)
				}
				return "", errors.Join(call(ctx, book, "a"), call(ctx, book, "b"))
			}
		}, "parked"},
		{"a result that depends on who is first", func() func(durable.Context) (string, error) {
			return func(ctx durable.Context) (string, error) {
				a, b := durable.StartActivity[string](ctx, book, "a"), durable.StartActivity[string](ctx, book, "b")
				if durable.Any(ctx, b, a) == a {
					return "a", nil
				}
				return "b", nil
			}
		}, `without faults as Completed with "a"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := fatalOf(t, func(t testing.TB) {
				durabletest.Explore(t, func(env *durabletest.Env) error {
					do := c.make()
					env.Register(
						durable.BindOrchestrator(trip, func(ctx durable.Context, _ durable.None) (string, error) { return do(ctx) }),
						durable.BindActivity(book, func(_ context.Context, s string) (string, error) { return s, nil }),
					)
					_, err := durabletest.Run(durable.StartInstance[string](env.T().Context(), env.Client(), trip, nil))
					return err
				})
			})
			says(t, err, c.says, "DURABLETEST_SEED=")
		})
	}
}

// TestExploreOfAScenarioThatFails: without a fault, in a panic, or by the test's own means.
func TestExploreOfAScenarioThatFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		run  func(env *durabletest.Env) error
		says []string
	}{
		{"an error", func(*durabletest.Env) error { return errors.New("no good") }, []string{"without any fault", "no good"}},
		{"a panic", func(*durabletest.Env) error { panic("no good") }, []string{"without any fault", "panic: no good", "explore_test.go:"}},
		{"Fatal", func(env *durabletest.Env) error { env.T().Fatal("no good"); return nil }, []string{"without any fault", "no good"}},
		{"Errorf", func(env *durabletest.Env) error { env.T().Errorf("no %s", "good"); return nil }, []string{"without any fault", "no good"}},
		{"what is missing", func(env *durabletest.Env) error {
			env.Register(tripThat(nil))
			_, err := durabletest.Run(durable.StartInstance[string](env.T().Context(), env.Client(), trip, "Rome"))
			return err
		}, []string{"without any fault", "activity flow.Book has no binding"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			says(t, fatalOf(t, func(t testing.TB) { durabletest.Explore(t, c.run) }), c.says...)
		})
	}
}
