package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/durablegen/durablegen/bench/peer"
)

const (
	temporalNamespace = "bench"
	temporalQueue     = "bench"
	temporalPollers   = 16 // of workflow tasks, and as many of activity tasks
	temporalSlots     = 1000
	temporalSettings  = "The server's four services in this process, as temporaltest starts them, reached by gRPC; rate limits of the server raised out of the way, 1 partition for each task queue; " +
		"sticky cache of 10,000 workflows, 16 pollers of each kind instead of 2, 1,000 slots, eager activities as by default; local activities are recorded together when the workflow task ends"
)

// temporalRunner is a server with a worker and a client.
type temporalRunner struct {
	client client.Client
	local  bool
	bytes  func(context.Context) (int64, error)
	undo   []func() error // what Close has to do, last first
}

// openTemporal starts a server on a store, a worker and a client. Whatever happens, the store is closed in the end.
func openTemporal(ctx context.Context, s peer.Setup, store *temporalStore) (_ peer.Runner, err error) {
	r := &temporalRunner{local: s.Mode == peer.Local, bytes: store.bytes, undo: []func() error{store.close}}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	address, stop, err := startTemporal(store)
	if err != nil {
		return nil, err
	}
	r.undo = append(r.undo, stop)
	worker.SetStickyWorkflowCacheSize(10_000)
	options := client.Options{HostPort: address, Namespace: temporalNamespace, Logger: silent{}}
	if err := answers(ctx, func() (err error) {
		r.client, err = client.DialContext(ctx, options)
		return err
	}); err != nil {
		return nil, fmt.Errorf("temporal: connect: %w", err)
	}
	r.undo = append(r.undo, func() error { r.client.Close(); return nil })
	w := worker.New(r.client, temporalQueue, worker.Options{
		MaxConcurrentWorkflowTaskPollers:        temporalPollers,
		MaxConcurrentActivityTaskPollers:        temporalPollers,
		MaxConcurrentWorkflowTaskExecutionSize:  temporalSlots,
		MaxConcurrentActivityExecutionSize:      temporalSlots,
		MaxConcurrentLocalActivityExecutionSize: temporalSlots,
		WorkflowPanicPolicy:                     worker.FailWorkflow,
	})
	w.RegisterWorkflow(temporalHello)
	w.RegisterWorkflow(temporalFanOut)
	w.RegisterWorkflow(temporalChain)
	w.RegisterActivity(greet)
	w.RegisterActivity(square)
	w.RegisterActivity(next)
	// The namespace is known to all services a moment after the server answers.
	if err := answers(ctx, w.Start); err != nil {
		return nil, fmt.Errorf("temporal: start the worker: %w", err)
	}
	r.undo = append(r.undo, func() error { w.Stop(); return nil })
	return r, nil
}

func (r *temporalRunner) Hello(ctx context.Context, cities [3]string) ([3]string, error) {
	return temporalResult[[3]string](ctx, r, temporalHello, cities)
}

func (r *temporalRunner) FanOut(ctx context.Context, width int) (int, error) {
	return temporalResult[int](ctx, r, temporalFanOut, width)
}

func (r *temporalRunner) Chain(ctx context.Context, length int) (int, error) {
	return temporalResult[int](ctx, r, temporalChain, length)
}

func temporalResult[R any](ctx context.Context, r *temporalRunner, fn, in any) (result R, err error) {
	// A call may take ten seconds at most; one that was given up may have been carried out, so the id is the same.
	options := client.StartWorkflowOptions{ID: uuid.NewString(), TaskQueue: temporalQueue, WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING}
	run, err := r.client.ExecuteWorkflow(ctx, options, fn, in, r.local)
	for late := new(serviceerror.DeadlineExceeded); (errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded)) && ctx.Err() == nil; {
		run, err = r.client.ExecuteWorkflow(ctx, options, fn, in, r.local)
	}
	if err != nil {
		return result, fmt.Errorf("temporal: start: %w", err)
	}
	if err := run.Get(ctx, &result); err != nil {
		return result, fmt.Errorf("temporal: %s: %w", run.GetID(), err)
	}
	return result, nil
}

func (r *temporalRunner) Bytes(ctx context.Context) (int64, error) { return r.bytes(ctx) }

func (r *temporalRunner) Close() error { return unwind(&r.undo) }

// temporalCall schedules an activity, as a task or in the worker of the workflow.
func temporalCall(ctx workflow.Context, local bool, activity, in any) workflow.Future {
	const timeout = time.Minute
	if local {
		return workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: timeout}), activity, in)
	}
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: timeout}), activity, in)
}

func temporalHello(ctx workflow.Context, cities [3]string, local bool) (greetings [3]string, err error) {
	for i, city := range cities {
		if err := temporalCall(ctx, local, greet, city).Get(ctx, &greetings[i]); err != nil {
			return greetings, err
		}
	}
	return greetings, nil
}

func temporalFanOut(ctx workflow.Context, width int, local bool) (sum int, err error) {
	squares := make([]workflow.Future, width)
	for i := range squares {
		squares[i] = temporalCall(ctx, local, square, i+1)
	}
	for _, f := range squares {
		var n int
		if err := f.Get(ctx, &n); err != nil {
			return sum, err
		}
		sum += n
	}
	return sum, nil
}

func temporalChain(ctx workflow.Context, length int, local bool) (n int, err error) {
	for range length {
		if err := temporalCall(ctx, local, next, n).Get(ctx, &n); err != nil {
			return n, err
		}
	}
	return n, nil
}

// silent is a logger that says nothing.
type silent struct{}

var _ log.Logger = silent{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
