package sim

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	"github.com/durablegen/durablegen/internal/owner"
)

// code is what a worker knows: the orchestrator that all know, and one that only some do.
type code struct{ also string }

func (c code) Program(name, _ string) (engine.Program, bool) {
	return run, name == orchestrator || name == c.also
}
func (code) Resolve(_ history.SlotKind, name string) string { return name }
func (c code) Orchestrators() []string                      { return []string{orchestrator, c.also} }

// The orchestrators that only some workers know. All run the same program.
var rare = []string{"sim.RunA", "sim.RunB"}

// retention has the log shortened all the time.
var retention = owner.Retention{Every: 700 * time.Millisecond, Keep: 10, Age: 2 * time.Second}

// worker is one process.
type worker struct {
	view  *membackend.View
	group *owner.Group
	code  code
	gone  bool
}

// join starts a worker in place n, or in a new one, as often as it takes: a supervisor would.
func (w *world) join(n int, name, also string) (err error) {
	var k *worker
	for range 20 {
		if k, err = w.tryJoin(name, code{also}); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	if n < 0 || n >= len(w.workers) {
		w.workers = append(w.workers, k)
	} else {
		w.workers[n] = k
	}
	return nil
}

func (w *world) tryJoin(name string, c code) (k *worker, err error) {
	v := w.m.View(name)
	defer func() {
		if err != nil {
			v.Kill()
		}
	}()
	ctx := context.Background()
	if err := v.EnsureActivity(ctx, backend.Activity{Name: activityName}); err != nil {
		return nil, err
	}
	be := w.access(v)
	var queue backend.TaskQueue
	queue, err = be.Tasks(activityName, func(d backend.TaskDelivery) { work(be, func() { queue.Grant(1) }, d) })
	if err != nil {
		return nil, err
	}
	queue.Grant(10)
	g, err := owner.Start(ctx, owner.Config{
		Backend: be, Group: group, Worker: name, Code: c, Cache: 1 + w.source("cache", name).IntN(6), Fail: fail,
		Without: w.off.owner, WithoutRules: w.off.engine, Retention: retention,
	})
	if err != nil {
		return nil, err
	}
	return &worker{view: v, group: g, code: c}, nil
}

// work is an activity worker without goroutines.
func work(be backend.Backend, grant func(), d backend.TaskDelivery) {
	if cannotRead(be, grant, d) {
		return
	}
	var n int
	if err := json.Unmarshal(d.Task.Args, &n); err != nil {
		panic(err)
	}
	done := &history.Done{Ref: d.Task.Ref, Name: d.Task.Name, Hash: history.ArgsHash(d.Task.Args), Attempt: d.Task.Attempt, Result: encode(add(n, d.Task.Execution))}
	if n >= tripping && d.Task.Run == 1 { // in a rewound run it works
		done.Result, done.Failure = nil, &history.Failure{Message: "tripped"}
	}
	var put func()
	put = func() {
		be.Append(backend.Append{To: d.From, Record: done}, func(_ uint64, err error) {
			if err != nil && !errors.Is(err, backend.ErrClosed) {
				be.Clock().After(100*time.Millisecond, put)
				return
			}
			d.Ack()
			grant()
		})
	}
	put()
}
