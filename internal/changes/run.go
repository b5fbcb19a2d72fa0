package changes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/inside"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

const (
	first = "i1"                 // id of the instance that a scenario starts
	life  = 25 * 24 * time.Hour  // how long a run is looked at after its last event: less than ended ones are kept
	step  = time.Second          // that an activity takes
	grain = 7 * time.Millisecond // that each takes more than the one before, so that no two end at once
)

// run is one run of a scenario.
type run struct {
	env        *durabletest.Env
	tb         *witness
	begun, end time.Time
	err        error // of the code that the run began with, such as that there is none
	parks      parks
}

// begin starts a scenario with code; nothing has happened yet.
func begin(t testing.TB, code Code, s Scenario) *run {
	r := &run{tb: &witness{TB: t}}
	n := time.Duration(0)
	slow := func(ctx context.Context, _ durable.ActivityInfo, next func(context.Context) error) error {
		n++
		if err := r.env.Sleep(ctx, step+n*grain); err != nil {
			return err
		}
		return next(ctx)
	}
	r.env = durabletest.New(r.tb, durabletest.Configure(func(c durable.WorkerConfig) durable.WorkerConfig {
		c.Interceptors.Activities = append(c.Interceptors.Activities, slow)
		c.Hooks.Parked = r.parks.parked
		c.KeepLog = -1 // histories are read when all is over
		return c
	}, nil), durabletest.Logger(slog.New(&r.parks)))
	if r.err = code.register(r.env.Registry()); r.err != nil {
		return r
	}
	if r.err = r.start(s); r.err != nil {
		return r
	}
	for _, f := range s.Fails {
		err := fmt.Errorf("no luck with %s", f.Activity)
		if f.Final {
			err = durable.NonRetryable(err)
		}
		r.env.Fail(f.Activity, f.Times, err)
	}
	last := time.Duration(0)
	for _, raise := range s.Raises {
		last = raise.After
		r.env.After(raise.After, func() {
			err := r.env.Client().Raise(context.Background(), first, raise.Event, raise.Payload)
			if err != nil && !errors.Is(err, durable.ErrFinished) {
				r.tb.Errorf("raise %s: %v", raise.Event, err)
			}
		})
	}
	r.begun = r.env.Now()
	r.end = r.begun.Add(last + life)
	return r
}

func (r *run) start(s Scenario) error {
	name, version, _ := strings.Cut(s.Orchestrator, "@")
	group, ok := inside.Group(r.env.Registry(), name)
	if !ok {
		return fmt.Errorf("there is no orchestrator %s", name)
	}
	o := durable.Orchestrator{Name: name, Version: version, Group: group}
	_, err := durable.StartInstance[json.RawMessage](context.Background(), r.env.Client(), &o, s.Input, durable.InstanceID(first))
	return err
}

// until lets time pass up to a moment.
func (r *run) until(at time.Time) {
	if d := at.Sub(r.env.Now()); d >= 0 && r.err == nil {
		r.tb.guard(func() { r.env.Advance(d) })
	}
}

// instances lists what the hub has.
func (r *run) instances() (all []durable.Instance) {
	r.tb.guard(func() {
		var err error
		if all, err = r.env.Client().List(context.Background(), durable.Filter{}); err != nil {
			r.tb.Errorf("list: %v", err)
		}
	})
	return all
}

// close ends the run's worker and hub.
func (r *run) close() {
	for n := len(r.tb.ends) - 1; n >= 0; n-- {
		r.tb.ends[n]()
	}
}

// broken says what is wrong with the run, "" if nothing: an instance that no code runs on, if only for a while, or one that ended because a
// payload does not decode, which it did not in the run of the old code alone.
func (r *run) broken(old map[string]durable.Instance) string {
	if r.err != nil {
		return r.err.Error()
	}
	if said := r.tb.said(); said != "" {
		return said
	}
	if r.parks.first != "" {
		return r.parks.first
	}
	for _, inst := range r.instances() {
		switch was := old[inst.ID]; {
		case inst.Parked != "":
			return fmt.Sprintf("instance %q is parked: %s", inst.ID, inst.Parked)
		case unreadable(inst.Failure) && !unreadable(was.Failure):
			return fmt.Sprintf("instance %q failed: %s", inst.ID, inst.Failure)
		}
	}
	return ""
}

func unreadable(failure string) bool {
	return strings.Contains(failure, durable.ErrPayload.Error()) || strings.Contains(failure, "arguments of activity")
}

// witness is the test of a run: what fails in it is told of the pair, and fails no test.
type witness struct {
	testing.TB
	texts []string
	ends  []func()
}

type stopped struct{}

func (w *witness) Helper()           {}
func (w *witness) Cleanup(fn func()) { w.ends = append(w.ends, fn) }
func (w *witness) Error(args ...any) {
	w.texts = append(w.texts, strings.TrimSpace(fmt.Sprintln(args...)))
}
func (w *witness) Errorf(format string, args ...any) {
	w.texts = append(w.texts, fmt.Sprintf(format, args...))
}

func (w *witness) Fatal(args ...any) {
	w.Error(args...)
	panic(stopped{})
}

func (w *witness) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	panic(stopped{})
}

func (w *witness) said() string { return strings.Join(w.texts, "; ") }

// guard calls fn, which Fatal may end.
func (w *witness) guard(fn func()) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(stopped); !ok {
				panic(p)
			}
		}
	}()
	fn()
}
