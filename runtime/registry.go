package durable

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// Binding ties an orchestrator or activity to the function that runs it. Handles make them with Bind.
type Binding struct {
	orchestrator *Orchestrator
	program      func(Context, history.Payload) (history.Payload, error)
	activity     *Activity
	run          activityRun
}

func (b Binding) names() []string {
	if b.orchestrator != nil {
		return append([]string{b.orchestrator.Name}, b.orchestrator.Aliases...)
	}
	return append([]string{b.activity.Name}, b.activity.Aliases...)
}

// Registry is what a worker can run. The zero value is empty and ready. It must not be changed once a worker has it.
type Registry struct {
	orchestrators map[string]lineage // by name and alias
	activities    map[string]Binding
}

// Add registers bindings. It reports a name or alias that is taken, and adds nothing then. Several orchestrators may have
// one name if they are of one group and of different versions.
func (r *Registry) Add(bindings ...Binding) error {
	var errs []error
	next := Registry{orchestrators: maps.Clone(r.orchestrators), activities: maps.Clone(r.activities)}
	for _, b := range bindings {
		if b.orchestrator == nil && b.activity == nil {
			errs = append(errs, errors.New("durable: register: empty binding: make bindings with a handle's Bind"))
			continue
		}
		if b.activity != nil {
			if err := b.activity.check(); err != nil {
				errs = append(errs, fmt.Errorf("durable: register: activity %s: %w", b.activity.Name, err))
			}
		}
		names := b.names()
		for i, name := range names {
			err := next.claim(b, name)
			if err == nil && slices.Contains(names[:i], name) {
				err = taken(name)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("durable: register: %w", err))
			}
		}
		next.put(b)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	*r = next
	return nil
}

// claim says why a binding cannot have a name.
func (r *Registry) claim(b Binding, name string) error {
	if err := history.CheckName(name); err != nil {
		return err
	}
	if b.orchestrator == nil {
		if _, ok := r.activities[name]; ok {
			return taken(name)
		}
		return nil
	}
	o, had := b.orchestrator, r.orchestrators[name]
	if name == scheduleName {
		return fmt.Errorf("the name %q is that of schedules: give the orchestrator another with name=, or drop the alias", name)
	}
	switch {
	case had == nil:
		return nil
	case had.newest().Name != o.Name:
		return taken(name)
	case had.newest().Group != o.Group:
		return fmt.Errorf("the versions of %q are of the groups %q and %q: one name is served by one group; give them the same with group=", o.Name, had.newest().Group, o.Group)
	}
	if _, twice := had.find(o.Version); twice && name == o.Name {
		return fmt.Errorf("%w, or tell the two apart with version= (none is version %s)", taken(name), firstVersion)
	}
	return nil
}

func taken(name string) error {
	return fmt.Errorf("the name %q is taken twice: give one of the functions another with name=, or drop the alias", name)
}

// put adds a binding, in the place of what has its names.
func (r *Registry) put(b Binding) {
	if r.orchestrators == nil {
		r.orchestrators = map[string]lineage{}
	}
	if r.activities == nil {
		r.activities = map[string]Binding{}
	}
	if b.activity != nil {
		for _, name := range b.names() {
			r.activities[name] = b
		}
		return
	}
	had := r.orchestrators[b.orchestrator.Name]
	for _, name := range had.names() {
		delete(r.orchestrators, name)
	}
	l := had.with(b)
	for _, name := range l.names() {
		r.orchestrators[name] = l
	}
}

// check says what is wrong with the options of an activity.
func (a *Activity) check() error {
	if a.Concurrency < 0 {
		return fmt.Errorf("its Concurrency is %d, want a positive number, or 0 for no limit", a.Concurrency)
	}
	if a.Concurrency > 0 && a.Local {
		return fmt.Errorf("it is Local and has a Concurrency of %d for the whole hub, which only its queue can keep: leave one of them out", a.Concurrency)
	}
	if a.Retry.Handle != nil {
		return errors.New("its RetryPolicy has a Handle, which runs in orchestrators: give it to the call")
	}
	p := a.Retry.written()
	p.Timeout, p.Heartbeat = time.Duration(a.Timeout), time.Duration(a.Heartbeat)
	return checkPolicy(p)
}

// groups lists the groups of the registered orchestrators, sorted.
func (r *Registry) groups() []string {
	var groups []string
	for _, l := range r.orchestrators {
		groups = append(groups, l.newest().Group)
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// groupCode is what a registry knows of one group, as the owner of its instances asks for it.
type groupCode struct {
	r     *Registry
	group string
	names []string // with versions

	interceptors []OrchestratorInterceptor
	clock        func() time.Time // for schedules; nil: there is none
}

func newGroupCode(r *Registry, group string) *groupCode {
	c := &groupCode{r: r, group: group}
	for name, l := range r.orchestrators {
		for _, b := range l {
			if b.orchestrator.Group == group {
				c.names = append(c.names, codeName(name, b.orchestrator.Version))
			}
		}
	}
	slices.Sort(c.names)
	return c
}

// Program implements owner.Code. An instance stays on the version that it was started with, and runs nowhere else.
func (c *groupCode) Program(name, version string) (engine.Program, bool) {
	if name == scheduleName {
		return func(co *engine.Coroutine, input history.Payload) (history.Payload, error) {
			return runSchedule(Context{co: co}, input, c.clock)
		}, true
	}
	b, ok := c.r.orchestrators[name].find(version)
	if !ok || b.orchestrator.Group != c.group {
		return nil, false
	}
	if len(c.interceptors) == 0 {
		return func(co *engine.Coroutine, input history.Payload) (history.Payload, error) {
			return b.program(Context{co: co}, input)
		}, true
	}
	return func(co *engine.Coroutine, input history.Payload) (result history.Payload, err error) {
		err = aroundOrchestrator(Context{co: co}, c.interceptors, func(ctx Context) (err error) {
			result, err = b.program(ctx, input)
			return err
		})
		return result, err
	}, true
}

// Resolve implements owner.Code.
func (c *groupCode) Resolve(kind history.SlotKind, name string) string {
	switch kind {
	case history.SlotActivity:
		if b, ok := c.r.activities[name]; ok {
			return b.activity.Name
		}
	case history.SlotChild:
		if l := c.r.orchestrators[name]; l != nil {
			return l.newest().Name
		}
	case history.SlotSend:
		return strings.ToLower(name)
	}
	return name
}

// Orchestrators implements owner.Code.
func (c *groupCode) Orchestrators() []string { return c.names }

// ActivityInfo is what an activity can learn about its execution.
type ActivityInfo struct {
	Instance       string // id of the instance that called it
	Activity       string // wire name
	Attempt        int    // from 1
	LastError      string // text of the error that ended the attempt before
	IdempotencyKey string // equal on every attempt and delivery of the same call, different for every other call
	TraceParent    string // W3C trace context of the orchestration; "" for none
	TraceState     string // W3C tracestate beside it
	Baggage        string // W3C baggage that the orchestration was started with
}

// InfoOf gives the info of the activity that ctx belongs to; ok is false outside of an activity.
func InfoOf(ctx context.Context) (info ActivityInfo, ok bool) {
	a := activity.AttemptOf(ctx)
	if a == nil {
		return info, false
	}
	return infoOf(a.Activity(), a.Call()), true
}

func infoOf(name string, c activity.Call) ActivityInfo {
	return ActivityInfo{Instance: c.From.ID, Activity: name, Attempt: c.Attempt, LastError: c.LastErr, IdempotencyKey: c.Key(),
		TraceParent: c.Trace, TraceState: c.TraceState, Baggage: c.Baggage}
}

// activityRun calls a function with what its task holds, with interceptors around it, and writes what came of it.
type activityRun func(context.Context, activity.Call, []ActivityInterceptor) (history.Payload, *activity.Failure)

// runActivity is an activityRun.
func runActivity[A, R any](ctx context.Context, a *Activity, c activity.Call, around []ActivityInterceptor, fn func(context.Context, A) (R, error)) (payload history.Payload, failure *activity.Failure) {
	fail := func(f history.Failure, final bool) (history.Payload, *activity.Failure) {
		f.Name, f.Attempt = c.Name, c.Attempt
		return nil, &activity.Failure{Failure: f, Final: final}
	}
	args, err := decode[A](c.Args)
	if e, ok := errors.AsType[*PayloadError](err); ok {
		e.What = "arguments of activity " + a.Name
		return fail(history.Failure{Kind: history.FailDecode, Message: e.Error()}, true)
	}
	defer func() {
		if p := recover(); p != nil {
			payload, failure = fail(history.Failure{Kind: history.FailPanic, Message: fmt.Sprintf("panic: %v", p), Stack: string(debug.Stack())}, true)
		}
	}()
	result, err := aroundActivity(ctx, around, a, c, args, fn)
	if err != nil {
		f := *failureOf(err)
		payload, failure := fail(f, f.Final)
		failure.Later = errors.Is(err, ErrCompleteLater)
		return payload, failure
	}
	payload, unfit := encode(result)
	if unfit != nil {
		return fail(*unfit, true)
	}
	return payload, nil
}
