package durabletest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Seeds is an [Option] of [Explore]: how many seeds it runs. By default 100, or what the environment variable
// DURABLETEST_SEEDS says, which comes first.
type Seeds int

func (s Seeds) apply(c *config) { c.seeds = int(s) }

// ResultsVary is an [Option] of [Explore], for instances whose results tell of times or random numbers: they are not
// compared with those of a run without faults.
const ResultsVary = resultsVary(true)

type resultsVary bool

func (resultsVary) apply(c *config) { c.vary = true }

const (
	allSeeds = "DURABLETEST_SEEDS"
	oneSeed  = "DURABLETEST_SEED"
)

// Explore runs a scenario again and again, each time with other misfortune: first with none, then with a seed of what
// may happen to a hub. What happens at the same time comes in another order; events arrive later; the worker dies at one
// of its writes, before or after it is stored; records are lost, late or stored twice; deliveries come again. All of that
// can happen in production, and must make no difference.
//
// A scenario sets up an environment, runs instances, and returns an error when something is not as it should be. It may
// also use [Env.T]. It must not share anything with its other runs. The results of its instances must be those of the run
// without faults, unless [ResultsVary] is given. Faults cost virtual time, up to half a minute each; activities run again
// after a crash, as they do in production.
//
// The first seed that fails fails the test. Explore says which it was, how to run it alone (DURABLETEST_SEED=…), which
// of its faults are needed, and what happened.
func Explore(t testing.TB, scenario func(env *Env) error, opts ...Option) {
	t.Helper()
	cfg := newConfig(opts)
	x := &explorer{t: t, cfg: cfg, scenario: scenario}
	x.calm = x.run(plan{trip: -1})
	if x.calm.err != nil {
		t.Fatalf("durabletest: the scenario fails without any fault: %v", x.calm.err)
	}
	draw, before := planOf, 0
	if x.calm.next {
		draw, before = planToTakeOver, takeOvers(x.calm.records)
	}
	first, last, err := seedRange(cfg, before)
	if err != nil {
		t.Fatal(err)
	}
	for seed := first; seed <= last; seed++ {
		p := draw(seed, x.calm.records, x.calm.deliveries)
		if got := x.run(p); got.err != nil {
			t.Fatal(x.report(p, got))
		}
	}
}

// seedRange tells which seeds to run: so many before those that there are in any case.
func seedRange(cfg config, before int) (first, last uint64, err error) {
	if text := os.Getenv(oneSeed); text != "" {
		if cfg.seed, err = strconv.ParseUint(text, 10, 64); err != nil || cfg.seed == 0 {
			return 0, 0, fmt.Errorf("durabletest: %s is %q, want a number from 1", oneSeed, text)
		}
	}
	if cfg.seed != 0 {
		return cfg.seed, cfg.seed, nil
	}
	last = 100
	if cfg.seeds > 0 {
		last = uint64(cfg.seeds)
	}
	if text := os.Getenv(allSeeds); text != "" {
		if last, err = strconv.ParseUint(text, 10, 64); err != nil || last == 0 {
			return 0, 0, fmt.Errorf("durabletest: %s is %q, want a number from 1", allSeeds, text)
		}
	}
	return 1, last + uint64(before), nil
}

type explorer struct {
	t        testing.TB
	cfg      config
	scenario func(*Env) error
	calm     outcome // of the run without faults
}

// outcome is what came of a run.
type outcome struct {
	err        error
	records    int // that the worker has written
	deliveries int
	ends       map[string]end // by instance
	trace      []string
	next       bool // there is a next build
}

// end is how an instance ended.
type end struct {
	start string // orchestrator and input, to know it again
	text  string

	unread bool // it failed of a payload that did not fit
}

// run runs the scenario under a plan.
func (x *explorer) run(p plan) (got outcome) {
	probe := &probe{TB: x.t}
	probe.ctx, probe.cancel = context.WithCancel(context.Background())
	cfg := x.cfg
	cfg.seed, cfg.trip = p.seed, p.trip
	env := newEnv(probe, cfg)
	env.luck = newLuck(env, p)
	finished := make(chan error, 1)
	go func() {
		err := errors.New("the scenario ended the test's goroutine: use env.T() in it, not the test's own t")
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
			if said := probe.said(); said != nil {
				err = said
			}
			finished <- err
		}()
		err = x.scenario(env)
	}()
	got.err = <-finished
	got.records, got.deliveries = env.luck.records, env.luck.deliveries
	got.ends, got.next = env.ends(), env.next != nil
	if got.err == nil && (env.took || env.due) {
		got.err = env.standing(x.calm, got.ends)
	}
	got.trace = env.luck.trace()
	probe.end()
	if got.err == nil && !x.cfg.vary && !env.took {
		got.err = x.calm.differ(got)
	}
	return got
}

// differ compares the ends of the instances that two runs have in common.
func (o outcome) differ(other outcome) error {
	for id, was := range o.ends {
		if is, ok := other.ends[id]; ok && is.start == was.start && is.text != was.text {
			return fmt.Errorf("instance %q ended as %s, without faults as %s", id, is.text, was.text)
		}
	}
	return nil
}

// ends collects how instances have ended: the first final record counts.
func (e *Env) ends() map[string]end {
	starts, ends := map[string]string{}, map[string]end{}
	for _, s := range e.world.m.Log() {
		switch r := s.Message.Record.(type) {
		case *history.Start:
			if _, had := starts[s.To.ID]; !had {
				starts[s.To.ID] = r.Orchestrator + " " + string(r.Input)
			}
		case *history.Turn:
			if _, had := ends[s.To.ID]; had || r.End == nil || !r.End.Status.Final() {
				continue
			}
			text := string(r.End.Status) + " with " + string(r.End.Result)
			if r.End.Failure != nil {
				text = string(r.End.Status) + ": " + r.End.Failure.Message
			}
			ends[s.To.ID] = end{starts[s.To.ID], text, unreadable(r.End)}
		}
	}
	return ends
}

// report describes a failure, with as few faults as it takes.
func (x *explorer) report(p plan, got outcome) string {
	least, all := p, len(p.faults)
	for again := true; again; {
		again = false
		for n := range least.faults {
			try := least
			try.faults = slices.Delete(slices.Clone(least.faults), n, n+1)
			if less := x.run(try); less.err != nil {
				least, got, again = try, less, true
				break
			}
		}
	}
	if least.trip > 0 {
		try := least
		try.trip = -1
		if less := x.run(try); less.err != nil {
			least, got = try, less
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "durabletest: seed %d: %v\n", p.seed, got.err)
	fmt.Fprintf(&b, "run it alone: %s=%d go test -run '^%s$'\n", oneSeed, p.seed, x.t.Name())
	fmt.Fprintf(&b, "it takes %d of the %d faults of this seed", len(least.faults), all)
	if least.trip > 0 {
		b.WriteString(", and messages that take time")
	}
	fmt.Fprintf(&b, "; this happened (✗ is a fault):\n\t%s", strings.Join(got.trace, "\n\t"))
	return b.String()
}

// probe stands for the test in one run of a scenario.
type probe struct {
	testing.TB
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	failures []string
	failed   bool
	cleanups []func()
}

func (p *probe) Context() context.Context { return p.ctx }
func (p *probe) Log(...any)               {}
func (p *probe) Logf(string, ...any)      {}

func (p *probe) Cleanup(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups = append(p.cleanups, fn)
}

func (p *probe) Fail() { p.Error("the scenario called Fail") }

func (p *probe) FailNow() { p.Fatal("the scenario called FailNow") }

func (p *probe) Failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

func (p *probe) Error(args ...any) { p.note(fmt.Sprint(args...)) }

func (p *probe) Errorf(format string, args ...any) { p.note(fmt.Sprintf(format, args...)) }

func (p *probe) Fatal(args ...any) {
	p.Error(args...)
	exit()
}

func (p *probe) Fatalf(format string, args ...any) {
	p.Errorf(format, args...)
	exit()
}

func (p *probe) note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = true
	p.failures = append(p.failures, text)
}

// said joins what the scenario has complained of.
func (p *probe) said() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.failed {
		return nil
	}
	return errors.New(strings.Join(p.failures, "\n"))
}

// end cleans up, the last first.
func (p *probe) end() {
	p.cancel()
	for n := len(p.cleanups) - 1; n >= 0; n-- {
		p.cleanups[n]()
	}
}

// after writes a virtual time.
func after(d time.Duration) string { return "+" + d.String() }
