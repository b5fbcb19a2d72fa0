package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/backend/monoprocess"
	"github.com/cschleiden/go-workflows/backend/redis"
	"github.com/cschleiden/go-workflows/backend/sqlite"
	"github.com/cschleiden/go-workflows/client"
	"github.com/cschleiden/go-workflows/worker"
	"github.com/cschleiden/go-workflows/workflow"
	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"

	"github.com/durablegen/durablegen/bench/peer"
)

const redisPollers = 8 // of each kind; each of them holds a connection while it waits

const goWorkflowsSettings = "a cache of 10,000 workflows instead of 128; results are polled, by its client: after 1 ms, then less and less often"

func goWorkflowsSystems() []peer.System {
	system := peer.System{Name: "go-workflows", Module: "github.com/cschleiden/go-workflows", Modes: []peer.Mode{peer.Queued}}
	onSQLite, onRedis := system, system
	onSQLite.ID, onSQLite.Store = "goworkflows-sqlite", "SQLite"
	onSQLite.Relaxed, onSQLite.Strict = sqliteRelaxed, sqliteStrict
	onSQLite.Settings = "Its monoprocess backend, as in its own benchmark, wakes pollers without a poll; 1 poller of each kind, because there is one connection; " + goWorkflowsSettings
	onSQLite.Open = func(ctx context.Context, s peer.Setup) (peer.Runner, error) {
		path := filepath.Join(s.Dir, "workflows.db")
		b := sqlite.NewSqliteBackend(path+"?_pragma=synchronous("+synchronous(s.Durability)+")", sqlite.WithBackendOptions(backend.WithLogger(slog.New(slog.DiscardHandler))))
		r := &goWorkflowsRunner{bytes: func(ctx context.Context) (int64, error) { return sqliteSize(ctx, path) }}
		return r.open(ctx, monoprocess.NewMonoprocessBackend(b), 1)
	}
	onRedis.ID, onRedis.Store = "goworkflows-redis", "Redis"
	onRedis.Relaxed, onRedis.Strict = "appendonly, appendfsync=everysec", "appendonly, appendfsync=always"
	onRedis.Settings = "Redis over TCP, all data in its memory too (kept: its data set); 8 pollers of each kind, which block instead of polling; " + goWorkflowsSettings
	onRedis.Missing = redisMissing
	onRedis.Open = func(ctx context.Context, s peer.Setup) (peer.Runner, error) {
		server, err := startRedis(ctx, s.Dir, s.Durability)
		if err != nil {
			return nil, err
		}
		r := &goWorkflowsRunner{bytes: server.size, undo: []func() error{server.Close}}
		b, err := redis.NewRedisBackend(goredis.NewUniversalClient(&goredis.UniversalOptions{Addrs: []string{server.address}, PoolSize: s.InFlight + 4*redisPollers}),
			redis.WithBackendOptions(backend.WithLogger(slog.New(slog.DiscardHandler))))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("go-workflows: %w", err), r.Close())
		}
		return r.open(ctx, b, redisPollers)
	}
	return []peer.System{onSQLite, onRedis}
}

// goWorkflowsRunner is a worker and a client on one backend.
type goWorkflowsRunner struct {
	client *client.Client
	bytes  func(context.Context) (int64, error)
	undo   []func() error // what Close has to do, last first
}

func (r *goWorkflowsRunner) open(ctx context.Context, b backend.Backend, pollers int) (_ peer.Runner, err error) {
	r.undo = append(r.undo, b.Close)
	options := worker.DefaultOptions
	options.WorkflowPollers, options.ActivityPollers = pollers, pollers
	options.WorkflowPollingInterval, options.ActivityPollingInterval = 0, 0 // both backends wait for work themselves
	options.WorkflowExecutorCacheSize = 10_000
	w := worker.New(b, &options)
	err = errors.Join(
		w.RegisterWorkflow(goWorkflowsHello), w.RegisterWorkflow(goWorkflowsFanOut), w.RegisterWorkflow(goWorkflowsChain),
		w.RegisterActivity(greet), w.RegisterActivity(square), w.RegisterActivity(next))
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	if err == nil {
		err = w.Start(ctx)
	}
	if err != nil {
		stop()
		return nil, errors.Join(fmt.Errorf("go-workflows: start the worker: %w", err), r.Close())
	}
	r.undo = append(r.undo, func() error { stop(); return w.WaitForCompletion() })
	r.client = client.New(b)
	return r, nil
}

func (r *goWorkflowsRunner) Hello(ctx context.Context, cities [3]string) ([3]string, error) {
	return goWorkflowsResult[[3]string](ctx, r, goWorkflowsHello, cities)
}

func (r *goWorkflowsRunner) FanOut(ctx context.Context, width int) (int, error) {
	return goWorkflowsResult[int](ctx, r, goWorkflowsFanOut, width)
}

func (r *goWorkflowsRunner) Chain(ctx context.Context, length int) (int, error) {
	return goWorkflowsResult[int](ctx, r, goWorkflowsChain, length)
}

func (r *goWorkflowsRunner) Bytes(ctx context.Context) (int64, error) { return r.bytes(ctx) }

func (r *goWorkflowsRunner) Close() error { return unwind(&r.undo) }

func goWorkflowsResult[R any](ctx context.Context, r *goWorkflowsRunner, fn workflow.Workflow, in any) (R, error) {
	var none R
	instance, err := r.client.CreateWorkflowInstance(ctx, client.WorkflowInstanceOptions{InstanceID: uuid.NewString()}, fn, in)
	if err != nil {
		return none, fmt.Errorf("go-workflows: start: %w", err)
	}
	result, err := client.GetWorkflowResult[R](ctx, r.client, instance, time.Minute)
	if err != nil {
		return none, fmt.Errorf("go-workflows: %s: %w", instance.InstanceID, err)
	}
	return result, nil
}

func goWorkflowsHello(ctx workflow.Context, cities [3]string) (greetings [3]string, err error) {
	for i, city := range cities {
		if greetings[i], err = workflow.ExecuteActivity[string](ctx, workflow.DefaultActivityOptions, greet, city).Get(ctx); err != nil {
			return greetings, err
		}
	}
	return greetings, nil
}

func goWorkflowsFanOut(ctx workflow.Context, width int) (sum int, err error) {
	squares := make([]workflow.Future[int], width)
	for i := range squares {
		squares[i] = workflow.ExecuteActivity[int](ctx, workflow.DefaultActivityOptions, square, i+1)
	}
	for _, f := range squares {
		n, err := f.Get(ctx)
		if err != nil {
			return sum, err
		}
		sum += n
	}
	return sum, nil
}

func goWorkflowsChain(ctx workflow.Context, length int) (n int, err error) {
	for range length {
		if n, err = workflow.ExecuteActivity[int](ctx, workflow.DefaultActivityOptions, next, n).Get(ctx); err != nil {
			return n, err
		}
	}
	return n, nil
}
