package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
	_ "github.com/dbos-inc/dbos-transact-golang/dbos/driver/sqlite"

	"github.com/durablegen/durablegen/bench/peer"
)

const (
	dbosPolling  = 10 * time.Millisecond
	dbosSettings = "Local: an activity is a step, one commit each, parallel ones by dbos.Go. Queued: an activity is a child workflow on a queue; queue and results polled every 10 ms instead of every second"
	dbosChain    = 100 // queued, where each activity waits for polls
)

func dbosSystems() []peer.System {
	system := peer.System{Name: "DBOS", Module: "github.com/dbos-inc/dbos-transact-golang", Modes: []peer.Mode{peer.Queued, peer.Local}, Chain: map[peer.Mode]int{peer.Queued: dbosChain}}
	onSQLite, onPostgres := system, system
	onSQLite.ID, onSQLite.Store = "dbos-sqlite", "SQLite"
	onSQLite.Relaxed, onSQLite.Strict = sqliteRelaxed+", its default", sqliteStrict
	onSQLite.Settings = dbosSettings + "; its own pool of 8 connections"
	onSQLite.Open = func(ctx context.Context, s peer.Setup) (peer.Runner, error) {
		path := filepath.Join(s.Dir, "dbos.db")
		r := &dbosRunner{bytes: func(ctx context.Context) (int64, error) { return sqliteSize(ctx, path) }}
		return r.open(ctx, s, "sqlite:file:"+path+"?_pragma=synchronous("+synchronous(s.Durability)+")")
	}
	onPostgres.ID, onPostgres.Store = "dbos-postgres", "PostgreSQL"
	onPostgres.Relaxed, onPostgres.Strict = postgresRelaxed, postgresStrict
	onPostgres.Settings = dbosSettings + "; its own pool of 20 connections; " + postgresSettings
	onPostgres.Missing = postgresMissing
	onPostgres.Open = func(ctx context.Context, s peer.Setup) (peer.Runner, error) {
		p, err := startPostgres(ctx, s.Dir, s.Durability)
		if err != nil {
			return nil, err
		}
		const database = "dbos"
		r := &dbosRunner{undo: []func() error{p.Close}, bytes: func(ctx context.Context) (int64, error) { return p.size(ctx, database) }}
		if err := p.create(ctx, database); err != nil {
			return nil, errors.Join(err, r.Close())
		}
		return r.open(ctx, s, p.url(database))
	}
	return []peer.System{onSQLite, onPostgres}
}

// dbosRunner runs workflows in this process.
type dbosRunner struct {
	ctx    dbos.Context
	queue  dbos.Queue
	queued bool
	bytes  func(context.Context) (int64, error)
	undo   []func() error // what Close has to do, last first
}

func (r *dbosRunner) open(ctx context.Context, s peer.Setup, url string) (_ peer.Runner, err error) {
	r.queued = s.Mode == peer.Queued
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	// Not below ctx: it ends with Shutdown.
	r.ctx, err = dbos.NewContext(context.WithoutCancel(ctx), dbos.Config{AppName: "bench", DatabaseURL: url, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("dbos: %w", err)
	}
	dbos.RegisterWorkflow(r.ctx, r.hello, dbos.WithWorkflowName("hello"))
	dbos.RegisterWorkflow(r.ctx, r.fanOut, dbos.WithWorkflowName("fanout"))
	dbos.RegisterWorkflow(r.ctx, r.chain, dbos.WithWorkflowName("chain"))
	dbos.RegisterWorkflow(r.ctx, dbosGreet, dbos.WithWorkflowName("greet"))
	dbos.RegisterWorkflow(r.ctx, dbosSquare, dbos.WithWorkflowName("square"))
	dbos.RegisterWorkflow(r.ctx, dbosNext, dbos.WithWorkflowName("next"))
	if err := dbos.Launch(r.ctx); err != nil {
		return nil, fmt.Errorf("dbos: launch: %w", err)
	}
	r.undo = append(r.undo, func() error { dbos.Shutdown(r.ctx, 10*time.Second); return nil })
	r.queue, err = dbos.RegisterQueue(r.ctx, "activities", dbos.WithQueueBasePollingInterval(dbosPolling))
	if err != nil {
		return nil, fmt.Errorf("dbos: register the queue: %w", err)
	}
	return r, nil
}

func (r *dbosRunner) Hello(_ context.Context, cities [3]string) ([3]string, error) {
	return dbosResult(dbos.RunWorkflow(r.ctx, r.hello, cities))
}

func (r *dbosRunner) FanOut(_ context.Context, width int) (int, error) {
	return dbosResult(dbos.RunWorkflow(r.ctx, r.fanOut, width))
}

func (r *dbosRunner) Chain(_ context.Context, length int) (int, error) {
	return dbosResult(dbos.RunWorkflow(r.ctx, r.chain, length))
}

func (r *dbosRunner) Bytes(ctx context.Context) (int64, error) { return r.bytes(ctx) }

func (r *dbosRunner) Close() error { return unwind(&r.undo) }

// dbosResult waits for the result of what RunWorkflow gave.
func dbosResult[R any](h dbos.WorkflowHandle[R], err error) (R, error) {
	if err != nil {
		var zero R
		return zero, fmt.Errorf("dbos: start: %w", err)
	}
	result, err := h.GetResult(dbos.WithHandlePollingInterval(dbosPolling))
	if err != nil {
		return result, fmt.Errorf("dbos: %s: %w", h.GetWorkflowID(), err)
	}
	return result, nil
}

// The activities as workflows, for the queue.

func dbosGreet(ctx dbos.Context, city string) (string, error) { return greet(ctx, city) }
func dbosSquare(ctx dbos.Context, n int) (int, error)         { return square(ctx, n) }
func dbosNext(ctx dbos.Context, n int) (int, error)           { return next(ctx, n) }

// dbosCall runs an activity: as a step, or as a child workflow on the queue.
func dbosCall[A, R any](r *dbosRunner, ctx dbos.Context, activity func(context.Context, A) (R, error), child dbos.Workflow[A, R], in A) (R, error) {
	if !r.queued {
		return dbos.RunAsStep(ctx, func(ctx context.Context) (R, error) { return activity(ctx, in) })
	}
	return dbosResult(dbos.RunWorkflow(ctx, child, in, dbos.WithQueue(r.queue)))
}

func (r *dbosRunner) hello(ctx dbos.Context, cities [3]string) (greetings [3]string, err error) {
	for i, city := range cities {
		if greetings[i], err = dbosCall(r, ctx, greet, dbosGreet, city); err != nil {
			return greetings, err
		}
	}
	return greetings, nil
}

func (r *dbosRunner) chain(ctx dbos.Context, length int) (n int, err error) {
	for range length {
		if n, err = dbosCall(r, ctx, next, dbosNext, n); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (r *dbosRunner) fanOut(ctx dbos.Context, width int) (sum int, err error) {
	if r.queued {
		return r.fanOutQueued(ctx, width)
	}
	squares := make([]<-chan dbos.StepOutcome[int], width)
	for i := range squares {
		if squares[i], err = dbos.Go(ctx, func(ctx context.Context) (int, error) { return square(ctx, i+1) }); err != nil {
			return sum, err
		}
	}
	for _, c := range squares {
		outcome := <-c
		if outcome.Err != nil {
			return sum, outcome.Err
		}
		sum += outcome.Result
	}
	return sum, nil
}

func (r *dbosRunner) fanOutQueued(ctx dbos.Context, width int) (sum int, err error) {
	squares := make([]dbos.WorkflowHandle[int], width)
	for i := range squares {
		if squares[i], err = dbos.RunWorkflow(ctx, dbosSquare, i+1, dbos.WithQueue(r.queue)); err != nil {
			return sum, err
		}
	}
	for _, h := range squares {
		n, err := dbosResult(h, nil)
		if err != nil {
			return sum, err
		}
		sum += n
	}
	return sum, nil
}
