package durable

import (
	"context"
	"maps"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/history"
)

// Interceptors run around what a client or a worker does: for tracing, authorisation, metrics. The first of a list is the
// outermost. One that does not call next prevents what it is around, and what it returns is the error of that; without an
// error the result is then the zero value. What next returned must be passed on, wrapped at most. They may be called by
// many goroutines at once.
type (
	// ClientInterceptor runs around each [Operation] of a client. A Watch or Wait is one operation from begin to end.
	ClientInterceptor func(ctx context.Context, op *Operation, next func(context.Context) error) error

	// ActivityInterceptor runs around each attempt of an activity. A panic of the activity passes through it.
	ActivityInterceptor func(ctx context.Context, info ActivityInfo, next func(context.Context) error) error

	// OrchestratorInterceptor runs around an orchestrator. It is part of it: it must be as deterministic, it runs again on
	// every replay, see [Context.Replaying], and a change of what it schedules needs as much care. next may be given a
	// context made from ctx. It does not return when the worker drops the instance from memory: deferred functions run.
	OrchestratorInterceptor func(ctx Context, next func(Context) error) error
)

// Operation is something a client does. An interceptor may read it; it may also set the tags of a start, and the trace
// context of a start or raise.
type Operation struct {
	Verb string // start, raise, cancel, terminate, suspend, resume, restart, rewind, plan (of a rewind), purge, get, history, list, count, wait, watch, follow, query,
	// schedule, or of a schedule: schedule pause, schedule resume, schedule trigger, schedule update, schedule delete
	Instance string // "" for list, count, follow and PurgeAll, and for a start with a generated id until next returns
	Name     string // of the orchestrator (that a schedule runs), event or query, if there is one
	Tags     Tags   // of a start; never nil then
	// TraceParent is the W3C trace context (traceparent) that a start or raise hands on; "" or one of another form: none.
	TraceParent string
	TraceState  string // W3C tracestate beside it, of a start; more than 32 members or 512 bytes are cut off
	Baggage     string // W3C baggage of a start; more than 64 members or 8,192 bytes are cut off. It is stored as it is, never encrypted
}

// around runs do within the client's interceptors.
func (c *Client) around(ctx context.Context, op *Operation, do func(context.Context) error) error {
	for n := len(c.interceptors) - 1; n >= 0; n-- {
		fn, next := c.interceptors[n], do
		do = func(ctx context.Context) error { return fn(ctx, op, next) }
	}
	return do(ctx)
}

// start starts an instance and returns its id.
func (c *Client) start(ctx context.Context, o *Orchestrator, args any, opts []StartOption) (id string, err error) {
	if len(c.interceptors) == 0 {
		return c.startNow(ctx, o, args, opts)
	}
	var so startOptions
	for _, opt := range opts {
		opt.applyStart(&so)
	}
	op := &Operation{Verb: "start", Instance: so.id, Name: o.Name, Tags: Tags{}}
	maps.Copy(op.Tags, so.tags)
	err = c.around(ctx, op, func(ctx context.Context) error {
		if len(op.Tags) > 0 {
			opts = append(opts[:len(opts):len(opts)], op.Tags)
		}
		opts = append(opts[:len(opts):len(opts)], traceContext{op.TraceParent, op.TraceState, op.Baggage})
		id, err := c.startNow(ctx, o, args, opts)
		op.Instance = id
		return err
	})
	return op.Instance, err
}

// operationOf names what it is to tell an instance something.
func operationOf(id string, rec history.Record) *Operation {
	switch r := rec.(type) {
	case *history.Event:
		return &Operation{Verb: "raise", Instance: id, Name: r.Name}
	case *history.Control:
		return &Operation{Verb: string(r.Verb), Instance: id}
	}
	return &Operation{Instance: id}
}

// WorkerInterceptors are those of a worker.
type WorkerInterceptors struct {
	Orchestrators []OrchestratorInterceptor
	Activities    []ActivityInterceptor
}

// aroundOrchestrator runs do within the interceptors.
func aroundOrchestrator(ctx Context, fns []OrchestratorInterceptor, do func(Context) error) error {
	for n := len(fns) - 1; n >= 0; n-- {
		fn, next := fns[n], do
		do = func(ctx Context) error { return fn(ctx, next) }
	}
	return do(ctx)
}

// intercepted gives an activity the worker's interceptors.
func (w *Worker) intercepted(b Binding) func(context.Context, activity.Call) (history.Payload, *activity.Failure) {
	return func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
		return b.run(ctx, c, w.cfg.Interceptors.Activities)
	}
}

// aroundActivity calls fn within fns.
func aroundActivity[A, R any](ctx context.Context, fns []ActivityInterceptor, a *Activity, c activity.Call, args A, fn func(context.Context, A) (R, error)) (R, error) {
	if len(fns) == 0 {
		return fn(ctx, args)
	}
	var result R
	do := func(ctx context.Context) (err error) {
		result, err = fn(ctx, args)
		return err
	}
	info := infoOf(a.Name, c)
	for n := len(fns) - 1; n >= 0; n-- {
		fn, next := fns[n], do
		do = func(ctx context.Context) error { return fn(ctx, info, next) }
	}
	err := do(ctx)
	return result, err
}
