package durable

// This file is what generated code calls: generics that turn a typed call into a slot, a start or a binding. Users call
// the handles in durable_gen.go instead.

import (
	"context"
	"fmt"
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
	Timeout     Timeout     // of one attempt; 0: DefaultActivityTimeout
	Retry       RetryPolicy // zero: one attempt
	Concurrency int         // most executions at once in the whole hub; 0: no limit
}

// StartActivity schedules an activity and returns at once.
func StartActivity[R any](ctx Context, a *Activity, args any, opts ...CallOption) Future[R] {
	payload, failure := encode(args)
	if failure != nil {
		return failed[R](ctx, failure)
	}
	var o callOptions
	for _, opt := range opts {
		opt.applyCall(&o)
	}
	if o.policy != nil {
		if err := checkPolicy(*o.policy); err != nil {
			return failed[R](ctx, &history.Failure{Message: fmt.Sprintf("durable: call of activity %s: %v", a.Name, err)})
		}
	}
	return Future[R]{ctx.co.ScheduleIn(ctx.scope, history.Slot{Kind: history.SlotActivity, Name: a.Name, Args: payload, Policy: o.policy})}
}

// BindActivity ties an activity to a function.
func BindActivity[A, R any](a *Activity, fn func(context.Context, A) (R, error)) Binding {
	return Binding{activity: a, run: func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
		return runActivity(ctx, a, c, fn)
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
		if err := history.CheckID(co.id); err != nil {
			return failed[R](ctx, &history.Failure{Kind: history.FailConflict, Name: o.Name, Message: "durable: child: " + err.Error()})
		}
	}
	retry := history.Policy{Attempts: co.retry.Attempts, First: co.retry.First, Backoff: co.retry.Backoff, MaxInterval: co.retry.MaxInterval}
	if err := checkPolicy(retry); err != nil {
		return failed[R](ctx, &history.Failure{Name: o.Name, Message: fmt.Sprintf("durable: child %s: %v", o.Name, err)})
	}
	slot := history.Slot{
		Kind: history.SlotChild, Name: o.Name, Args: payload, Target: history.Address{Group: o.Group, ID: co.id},
		Child: &history.ChildOptions{Version: o.Version, Tags: co.tags, OwnID: co.id != ""},
	}
	if co.version != nil {
		slot.Child.Version = *co.version
	}
	if co.retry.Attempts <= 1 {
		return Future[R]{ctx.co.ScheduleIn(ctx.scope, slot)}
	}
	return retryChild[R](ctx, slot, co.retry.policy())
}

// retryChild runs a child until it succeeds: a coroutine of its own, so that it advances whether awaited or not.
func retryChild[R any](ctx Context, slot history.Slot, policy history.Policy) Future[R] {
	f := ctx.co.Promise()
	ctx.co.Go(func(co *engine.Coroutine) {
		for n := 1; ; n++ {
			try := slot
			if n > 1 && try.Target.ID != "" {
				try.Target.ID = fmt.Sprintf("%s:%d", slot.Target.ID, n)
			}
			child := co.ScheduleIn(ctx.scope, try)
			co.Await(child)
			result, failure := child.Result()
			if failure == nil || n == policy.Attempts || final(failure.Kind) {
				co.Resolve(f, result, failureAt(child, failure))
				return
			}
			co.Await(timer(co, ctx.scope, policy.Delay(n)))
		}
	})
	return Future[R]{f}
}

// final reports a failure of a child that another attempt does not mend.
func final(kind string) bool {
	return kind == history.FailTerminated || kind == history.FailCanceled || kind == history.FailConflict
}

// failureAt says that a failure is that of another future's slot.
func failureAt(f *engine.Future, failure *history.Failure) *history.Failure {
	if failure == nil {
		return nil
	}
	at := *failure
	at.Slots = []uint32{f.Slot()}
	return &at
}

// ContinueWith gives the error that an orchestrator returns to go on as a new execution with args: its history begins
// again, buffered events are kept.
func ContinueWith(_ Context, args any) error {
	payload, failure := encode(args)
	if failure != nil {
		return errorOf(failure)
	}
	return &engine.ContinueAsNew{Input: payload}
}

// BindOrchestrator ties an orchestrator to a function.
func BindOrchestrator[A, R any](o *Orchestrator, fn func(Context, A) (R, error)) Binding {
	return Binding{orchestrator: o, program: func(co *engine.Coroutine, input history.Payload) (history.Payload, error) {
		in, err := decode[A](input)
		if err != nil {
			return nil, fmt.Errorf("input of orchestrator %s: %w", o.Name, err)
		}
		out, err := fn(Context{co: co}, in)
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
	return Future[E]{ctx.co.ReceiveIn(ctx.scope, name)}
}

// RaiseEvent sends an event from outside. See [Client.Raise] for the errors.
func RaiseEvent[E any](ctx context.Context, c *Client, id, name string, event E) error {
	return c.Raise(ctx, id, name, event)
}

// SendEvent sends an event from an orchestrator to another instance. An event for an instance that does not exist or
// has ended is dropped.
func SendEvent[E any](ctx Context, id, name string, event E) {
	payload, failure := encode(event)
	if failure != nil {
		panic(failure.Message)
	}
	if err := history.CheckID(id); err != nil {
		panic(fmt.Sprintf("durable: event %s: %v", name, err))
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
	if p.Timeout = time.Duration(a.Timeout); p.Timeout == 0 {
		p.Timeout = time.Duration(DefaultActivityTimeout)
	}
	return p
}
