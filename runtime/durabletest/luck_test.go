package durabletest

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestEveryMisfortuneHappens: a hundred seeds have all of what can go wrong, not only the plans of it.
func TestEveryMisfortuneHappens(t *testing.T) {
	t.Parallel()
	o := &durable.Orchestrator{Name: "luck.Flow", Group: "luck", Source: "example.com/luck.Flow"}
	a := &durable.Activity{Name: "luck.Task", Source: "example.com/luck.Task"}
	missing := map[string]bool{
		"dies instead of writing": true, "dies after writing": true, "does not arrive": true, "the answer is lost": true,
		"task luck.Task, attempt 1, slot 0 is stored twice": true, "luck.Task done, slot 0 is stored twice": true,
		"turn, Completed is stored twice": true, "event luck.go is stored twice": true, "event luck.go is late by": true,
		"luck.Task done, slot 0 is late by": true, "it comes again": true,
	}
	x := &explorer{t: t, cfg: newConfig(nil), scenario: func(env *Env) error {
		env.Register(
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				if err := durable.StartActivity[durable.None](ctx, a, nil).Err(ctx); err != nil {
					return 0, err
				}
				return durable.ReceiveEvent[int](ctx, "luck.go").Get(ctx)
			}),
			durable.BindActivity(a, func(context.Context, durable.None) (durable.None, error) { return durable.None{}, nil }),
		)
		h, err := durable.StartInstance[int](env.T().Context(), env.Client(), o, nil)
		if err != nil {
			return err
		}
		env.Advance(time.Minute)
		if err := env.Client().Raise(env.T().Context(), h.ID(), "luck.go", 1); err != nil {
			return err
		}
		_, err = h.Wait(env.T().Context())
		return err
	}}
	calm := x.run(plan{trip: -1})
	for seed := range uint64(100) {
		got := x.run(planOf(seed+1, calm.records, calm.deliveries))
		if got.err != nil {
			t.Fatalf("seed %d: %v", seed+1, got.err)
		}
		for _, line := range got.trace {
			maps.DeleteFunc(missing, func(text string, _ bool) bool { return strings.HasPrefix(line, "✗") && strings.Contains(line, text) })
		}
	}
	for text := range missing {
		t.Errorf("no seed has %q", text)
	}
}

// TestTakesOverEverywhere: the next build takes over before the first record and after each, alone, whatever number there are;
// then at drawn ones with the misfortune of all seeds.
func TestTakesOverEverywhere(t *testing.T) {
	t.Parallel()
	for _, records := range []int{0, 1, 7, mostTakeOvers - 1, 3 * mostTakeOvers} {
		places := map[int]bool{}
		seeds := takeOvers(records)
		for seed := 1; seed <= seeds; seed++ {
			p := planToTakeOver(uint64(seed), records, 3)
			if len(p.faults) != 1 || p.faults[0].kind != takeOver {
				t.Fatalf("of %d records, seed %d has %+v, want nothing but the next build", records, seed, p.faults)
			}
			places[p.faults[0].n] = true
		}
		if len(places) != seeds || !places[atOnce] || records < mostTakeOvers && !places[records-1] {
			t.Errorf("of %d records, %d seeds take over at %d places, want each once", records, seeds, len(places))
		}
		for seed := range uint64(100) {
			p := planToTakeOver(uint64(seeds)+1+seed, records, 3)
			last := p.faults[len(p.faults)-1]
			if last.kind != takeOver || last.n < atOnce || last.n >= max(records, 0) || len(p.faults) != 1+len(planOf(seed+1, records, 3).faults) {
				t.Fatalf("of %d records, seed %d has %+v", records, uint64(seeds)+1+seed, p.faults)
			}
		}
	}
}
