package durable

// This file is what generated code calls: generics that turn a typed call into a slot, a start or a binding. Users call
// the handles in durable_gen.go instead.

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// GeneratedCodeV1 is referred to by generated code, so that code and runtime of different formats do not compile
// together. If a build stops here: run `go generate` with the durablegen of the runtime's version.
const GeneratedCodeV1 = true

// Orchestrator names an orchestrator to the hub.
type Orchestrator struct {
	Name    string   // wire name, a storage format
	Aliases []string // older wire names it answers to
	Group   string   // the workers of a group know all its orchestrators
	Version string   // stamped on new instances; "" is a version too
	Source  string   // import path and function, the owner of the wire name in the hub
	Pinned  bool     // the name was given in the directive: it may move between packages
}

// Activity names an activity to the hub.
type Activity struct {
	Name        string
	Aliases     []string
	Source      string
	Pinned      bool
	Timeout     Timeout          // of one attempt; 0: DefaultActivityTimeout, or DefaultLocalTimeout if Local
	Heartbeat   HeartbeatTimeout // of an attempt that beats; 0: none
	Retry       RetryPolicy      // zero: one attempt
	Concurrency int              // most executions at once in the whole hub; 0: no limit
	Local       bool             // calls are [Local] unless they say otherwise
}

// StartActivity schedules an activity and returns at once.
func StartActivity[R any](ctx Context, a *Activity, args any, opts ...CallOption) Future[R] {
	payload, failure := encode(args)
	if failure != nil {
		return failed[R](ctx, failure)
	}
	o := callOptions{local: a.Local}
	for _, opt := range opts {
		opt.applyCall(&o)
	}
	if o.local && !a.Local && a.Timeout == 0 && (o.policy == nil || o.policy.Timeout == 0) {
		o.edit().Timeout = time.Duration(DefaultLocalTimeout)
	}
	if o.policy != nil {
		if err := checkPolicy(*o.policy); err != nil {
			return failed[R](ctx, &history.Failure{Message: fmt.Sprintf("durable: call of activity %s: %v", a.Name, err)})
		}
	}
	slot := history.Slot{Kind: history.SlotActivity, Name: a.Name, Args: payload, Policy: o.policy, Local: o.local}
	if o.handle == nil {
		return reading[R](ctx, ctx.co.ScheduleArgs(ctx.scope, slot, o.args))
	}
	policy := activity.Merge(o.policy, policyOf(a))
	return retry[R](ctx, retries{policy, o.handle, "activity " + a.Name, o.args}, func(_ int, left time.Duration) history.Slot {
		try, p := slot, policy
		p.Attempts = 1
		if p.Deadline > 0 {
			p.Deadline = max(left, time.Millisecond)
		}
		try.Policy = &p
		return try
	})
}

// BindActivity ties an activity to a function.
func BindActivity[A, R any](a *Activity, fn func(context.Context, A) (R, error)) Binding {
	return Binding{activity: a, run: func(ctx context.Context, c activity.Call, around []ActivityInterceptor) (history.Payload, *activity.Failure) {
		return runActivity(ctx, a, c, around, fn)
	}}
}

// StartInstance starts an orchestration from outside. See [Client] for the errors.
func StartInstance[R any](ctx context.Context, c *Client, o *Orchestrator, args any, opts ...StartOption) (Handle[R], error) {
	id, err := c.start(ctx, o, args, opts)
	if err != nil {
		return Handle[R]{}, err
	}
	return Handle[R]{client: c, group: o.Group, id: id}, nil
}

// AttachInstance gives a handle of an instance that may exist.
func AttachInstance[R any](c *Client, o *Orchestrator, id string) Handle[R] {
	return Handle[R]{client: c, group: o.Group, id: id}
}

// StartChild schedules a child orchestration and returns at once.
func StartChild[R any](ctx Context, o *Orchestrator, args any, opts ...ChildOption) Future[R] {
	payload, failure := encode(args)
	if failure != nil {
		return failed[R](ctx, failure)
	}
	var co childOptions
	for _, opt := range opts {
		opt.applyChild(&co)
	}
	if co.id != "" {
		longest := co.id
		if co.retry.Attempts > 1 {
			longest = attemptID(co.id, co.retry.Attempts)
		}
		if err := history.CheckID(longest); err != nil {
			return failed[R](ctx, &history.Failure{Kind: history.FailConflict, Name: o.Name, Message: "durable: child: " + err.Error()})
		}
	}
	if err := checkPolicy(co.retry.written()); err != nil {
		return failed[R](ctx, &history.Failure{Name: o.Name, Message: fmt.Sprintf("durable: child %s: %v", o.Name, err)})
	}
	slot := history.Slot{
		Kind: history.SlotChild, Name: o.Name, Args: payload, Target: history.Address{Group: o.Group, ID: co.id},
		Child: &history.ChildOptions{Version: o.Version, Tags: co.tags, OwnID: co.id != ""},
	}
	if co.version != nil {
		slot.Child.Version = *co.version
	}
	if err := (&history.Start{Orchestrator: o.Name, Version: slot.Child.Version, Tags: co.tags}).Check(); err != nil {
		return failed[R](ctx, &history.Failure{Kind: history.FailTooLarge, Name: o.Name, Message: fmt.Sprintf("durable: child %s: %v", o.Name, err)})
	}
	if co.retry.Attempts <= 1 {
		return reading[R](ctx, ctx.co.ScheduleArgs(ctx.scope, slot, co.args))
	}
	return retry[R](ctx, retries{co.retry.policy(), co.retry.Handle, "child " + o.Name, co.args}, func(n int, _ time.Duration) history.Slot {
		try := slot
		if n > 1 && try.Target.ID != "" {
			try.Target.ID = attemptID(slot.Target.ID, n)
		}
		return try
	})
}

// attemptID is the id of a later attempt of a child with an id of its own.
func attemptID(id string, n int) string { return fmt.Sprintf("%s:%d", id, n) }

// ContinueWith gives the error that an orchestrator returns to go on as a new execution with args: its history begins
// again, buffered events are kept.
func ContinueWith(_ Context, args any) error {
	payload, failure := encode(args)
	if failure != nil {
		return errorOf(failure)
	}
	return &engine.ContinueAsNew{Input: payload}
}

// ContinueAs is [ContinueWith] in the version of a handle: of the one that runs, to go on as it is, or of another version of
// the same orchestrator, to move to it. With the handle of another orchestrator it is an error that fails the instance.
func ContinueAs(ctx Context, o *Orchestrator, args any) error {
	runs := ctx.co.Start()
	if runs.Orchestrator != o.Name && !slices.Contains(o.Aliases, runs.Orchestrator) {
		return fmt.Errorf("durable: continue as new: %s cannot go on as %s, which is another orchestrator: use its own handle, or that of another version", runs.Orchestrator, o.Name)
	}
	err := ContinueWith(ctx, args)
	if next, ok := err.(*engine.ContinueAsNew); ok && !sameVersion(runs.Version, o.Version) {
		next.Version = &o.Version
	}
	return err
}

// BindOrchestrator ties an orchestrator to a function.
func BindOrchestrator[A, R any](o *Orchestrator, fn func(Context, A) (R, error)) Binding {
	return Binding{orchestrator: o, program: func(ctx Context, input history.Payload) (history.Payload, error) {
		if ctx.co.Reading() {
			ctx.co.Read(input, fits[A])
		}
		in, err := decodeIn[A](ctx, input, "input")
		if err != nil {
			return nil, err
		}
		out, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		payload, failure := encode(out)
		if failure != nil {
			return nil, errorOf(failure)
		}
		return payload, nil
	}}
}

// ReceiveEvent gives a future of the next event of this name. Event names are case-insensitive.
func ReceiveEvent[E any](ctx Context, name string) Future[E] {
	return reading[E](ctx, ctx.co.ReceiveIn(ctx.scope, name))
}

// RaiseEvent sends an event from outside. See [Client.Raise] for the errors.
func RaiseEvent[E any](ctx context.Context, c *Client, id, name string, event E) error {
	return c.Raise(ctx, id, name, event)
}

// SendEvent sends an event from an orchestrator to another instance. An event for an instance that does not exist or
// has ended is dropped. [DeliverEvent] tells.
func SendEvent[E any](ctx Context, id, name string, event E) {
	payload, failure := encode(event)
	if failure != nil {
		panic(failure.Message)
	}
	if err := cmp.Or(history.CheckName(name), history.CheckID(id)); err != nil {
		panic(fmt.Sprintf("durable: event %s to %q: %v", name, id, err))
	}
	ctx.co.Schedule(history.Slot{Kind: history.SlotSend, Name: name, Args: payload, Target: history.Address{ID: id}})
}

// failed is a future that never got a slot.
func failed[R any](ctx Context, failure *history.Failure) Future[R] {
	f := ctx.co.Promise()
	ctx.co.Resolve(f, nil, failure)
	return Future[R]{f}
}

// policyOf gives the registered options of an activity, without zero fields.
func policyOf(a *Activity) history.Policy {
	p := a.Retry.policy()
	p.Heartbeat = time.Duration(a.Heartbeat)
	switch p.Timeout = time.Duration(a.Timeout); {
	case p.Timeout > 0:
	case a.Local:
		p.Timeout = time.Duration(DefaultLocalTimeout)
	default:
		p.Timeout = time.Duration(DefaultActivityTimeout)
	}
	return p
}
