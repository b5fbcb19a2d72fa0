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

// retention has the log shortened all the time. Where nothing but the log may tell that a start is a copy, the log goes back
// for longer than it may take until a start is stored.
func (w *world) retention() owner.Retention {
	rng := w.source("retention")
	age := 2 * time.Second
	if w.expires() {
		age = 10 * time.Second
	}
	return owner.Retention{Every: 100*time.Millisecond + upTo(rng, 700*time.Millisecond), Keep: 1 + rng.Uint64N(10), Age: age, Late: 9 * time.Second}
}

// cache is how many instances a worker keeps in memory, in each partition.
func (w *world) cache(name string) int {
	if w.tiny {
		return 1
	}
	return 1 + w.source("cache", name).IntN(6)
}

// worker is one process.
type worker struct {
	view  *membackend.View
	be    backend.Backend // with its keys
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
	be := w.access(v)
	k = &worker{view: v, be: be, code: c}
	if err := k.serve(ctx, activityName); err != nil {
		return nil, err
	}
	if w.healed {
		if err := k.serve(ctx, lateName); err != nil {
			return nil, err
		}
	}
	g, err := owner.Start(ctx, owner.Config{
		Backend: be, Group: group, Worker: name, Code: c, Cache: w.cache(name), Fail: fail,
		Without: w.off.owner, WithoutRules: w.off.engine, Retention: w.retention(), Local: &locals{w, name, be},
	})
	if err != nil {
		return nil, err
	}
	k.group = g
	return k, nil
}

// serve runs an activity in the worker.
func (k *worker) serve(ctx context.Context, activity string) error {
	if err := k.view.EnsureActivity(ctx, backend.Activity{Name: activity}); err != nil {
		return err
	}
	var queue backend.TaskQueue
	queue, err := k.be.Tasks(activity, func(d backend.TaskDelivery) { work(k.be, func() { queue.Grant(1) }, d) })
	if err == nil {
		queue.Grant(10)
	}
	return err
}

// work is an activity worker without goroutines.
func work(be backend.Backend, grant func(), d backend.TaskDelivery) {
	if cannotRead(be, grant, d) {
		return
	}
	put(be, d.From, perform(d.Task), func(uint64, bool) {
		d.Ack()
		grant()
	})
}

// perform is what the activity does.
func perform(t *history.Task) *history.Done {
	var n int
	if err := json.Unmarshal(t.Args, &n); err != nil {
		panic(err)
	}
	done := &history.Done{Ref: t.Ref, Name: t.Name, Hash: history.ArgsHash(t.Args), Attempt: t.Attempt, Result: encode(add(n, t.Execution))}
	if n >= tripping && t.Run == 1 { // in a rewound run it works
		done.Result, done.Failure = nil, &history.Failure{Message: "tripped"}
	}
	return done
}

// put stores a record, as often as it takes.
func put(be backend.Backend, to history.Address, r history.Record, stored func(seq uint64, ok bool)) {
	be.Append(backend.Append{To: to, Record: r}, func(seq uint64, err error) {
		if err != nil && !errors.Is(err, backend.ErrClosed) {
			be.Clock().After(100*time.Millisecond, func() { put(be, to, r, stored) })
			return
		}
		stored(seq, err == nil)
	})
}

// locals runs the local activities of a worker, without goroutines: at once or after a while, and not always.
type locals struct {
	w    *world
	name string
	be   backend.Backend
}

func (l *locals) Run(from history.Address, task *history.Task, done func(uint64, history.Record)) (cancel func(), ok bool) {
	rng := l.w.source("local", l.name, from.ID, task.Ref)
	fate := rng.IntN(10)
	if fate == 0 { // there is no room for it
		return nil, false
	}
	var record history.Record
	completed := perform(task)
	completed.Local = true
	record = completed
	if fate == 1 { // another attempt will come, much later
		next := *task
		next.Attempt, next.NotBefore = 2, l.be.Clock().Now().Add(time.Minute)
		record = &next
	}
	canceled := false
	wait := upTo(rng, 30*time.Millisecond)
	if fate > 7 {
		wait = upTo(rng, 3*time.Second)
	}
	l.be.Clock().After(wait, func() {
		if canceled || fate == 2 { // it stops without an outcome
			done(0, nil)
			return
		}
		put(l.be, from, record, func(seq uint64, ok bool) {
			if !ok {
				record = nil
			}
			done(seq, record)
		})
	})
	return func() { canceled = true }, true
}
