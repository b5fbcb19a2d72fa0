package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	"github.com/durablegen/durablegen/internal/owner"
)

const group = "sim"

// code is what the workers know.
type code struct{}

func (code) Program(name, _ string) (engine.Program, bool)  { return run, name == orchestrator }
func (code) Resolve(_ history.SlotKind, name string) string { return name }
func (code) Orchestrators() []string                        { return []string{orchestrator} }

// worker is one process.
type worker struct {
	view  *membackend.View
	group *owner.Group
}

// world is a hub with workers and a client, all under one seed.
type world struct {
	m       *membackend.Memory
	rng     *rand.Rand
	without owner.Repair
	workers []*worker
	names   int
	client  *membackend.View
	wanted  map[string]int  // results of the instances started by the client
	asked   map[string]bool // to cancel themselves: they may have done so
}

func newWorld(seed uint64, without owner.Repair) *world {
	m := membackend.New(membackend.Config{Seed: seed, Partitions: 2})
	return &world{m: m, rng: rand.New(rand.NewPCG(seed, 1)), without: without, client: m.View("client"), wanted: map[string]int{}, asked: map[string]bool{}}
}

// join starts a worker, as often as it takes: a supervisor would.
func (w *world) join() (err error) {
	for range 20 {
		if err = w.tryJoin(); err == nil {
			return nil
		}
	}
	return err
}

func (w *world) tryJoin() error {
	w.names++
	v := w.m.View(fmt.Sprintf("w%d", w.names))
	ctx := context.Background()
	if err := v.EnsureActivity(ctx, backend.Activity{Name: activityName}); err != nil {
		return err
	}
	var queue backend.TaskQueue
	queue, err := v.Tasks(activityName, func(d backend.TaskDelivery) { work(v, func() { queue.Grant(1) }, d) })
	if err != nil {
		return err
	}
	queue.Grant(10)
	g, err := owner.Start(ctx, owner.Config{
		Backend: v, Group: group, Worker: v.Name(), Code: code{}, Without: w.without, Cache: 1 + w.rng.IntN(6),
		Fail: fail,
	})
	if err != nil {
		return err
	}
	w.workers = append(w.workers, &worker{v, g})
	return nil
}

// work is an activity worker without goroutines.
func work(v *membackend.View, grant func(), d backend.TaskDelivery) {
	var n int
	if err := json.Unmarshal(d.Task.Args, &n); err != nil {
		panic(err)
	}
	done := &history.Done{Ref: d.Task.Ref, Name: d.Task.Name, Hash: history.ArgsHash(d.Task.Args), Attempt: d.Task.Attempt, Result: encode(add(n))}
	var put func()
	put = func() {
		v.Append(backend.Append{To: d.From, Record: done}, func(_ uint64, err error) {
			if err != nil && !errors.Is(err, backend.ErrClosed) {
				v.Clock().After(100*time.Millisecond, put)
				return
			}
			d.Ack()
			grant()
		})
	}
	put()
}

// start has the client start a random program and send the events it waits for, each twice.
func (w *world) start(n int) {
	var events []string
	s := script{Steps: randomSteps(w.rng, 2, &events)}
	id := fmt.Sprintf("i%d", n)
	to := history.Address{Group: group, ID: id}
	w.wanted[id] = expected(s)
	start := backend.Append{To: to, Record: &history.Start{Run: 1, Orchestrator: orchestrator, Input: encode(s)}, Fenced: true}
	if w.rng.IntN(2) == 0 {
		start.Record.(*history.Start).Claim = "own" // its owner loads before it begins
	}
	cancel := w.rng.IntN(4) == 0
	w.asked[id] = cancel
	w.put(start, func() {
		if cancel {
			c := &history.Control{Verb: history.Cancel, ID: id + "-cancel"}
			w.client.Clock().After(time.Duration(w.rng.IntN(8000))*time.Millisecond, func() { w.put(backend.Append{To: to, Record: c}, func() {}) })
		}
		for _, name := range events {
			e := &history.Event{Name: name, ID: id + name, Payload: encode(len(name))}
			for range 2 {
				w.client.Clock().After(time.Duration(w.rng.IntN(8000))*time.Millisecond, func() { w.put(backend.Append{To: to, Record: e}, func() {}) })
			}
		}
	})
}

func (w *world) put(a backend.Append, then func()) {
	w.client.Append(a, func(_ uint64, err error) {
		if err != nil && !errors.Is(err, backend.ErrConflict) {
			w.client.Clock().After(300*time.Millisecond, func() { w.put(a, then) })
			return
		}
		then()
	})
}

// misfortune does something to a worker.
func (w *world) misfortune() error {
	n := w.rng.IntN(len(w.workers))
	v := w.workers[n].view
	switch w.rng.IntN(5) {
	case 0, 1:
		v.Kill()
		w.workers = append(w.workers[:n], w.workers[n+1:]...)
		return w.join()
	case 2:
		v.Pause(time.Duration(w.rng.IntN(6000)) * time.Millisecond)
	case 3:
		v.Disconnect()
		w.client.Clock().After(time.Duration(w.rng.IntN(4000))*time.Millisecond, v.Reconnect)
	case 4:
		v.Skew(time.Duration(w.rng.IntN(40)-30) * time.Millisecond)
	}
	return nil
}

// heal ends all faults.
func (w *world) heal() {
	w.m.SetFaults(membackend.Faults{})
	for _, k := range w.workers {
		k.view.Resume()
		k.view.Reconnect()
		k.view.Skew(0)
	}
}

// finished reports whether everything started has ended, and nothing waits for an acknowledgement.
func (w *world) finished() bool {
	return len(w.m.Unacked()) == 0 && len(w.final()) >= len(w.wanted)
}

// final gives the first final record of every instance.
func (w *world) final() map[string]*history.End {
	ends := map[string]*history.End{}
	for _, s := range w.m.Log() {
		if t, ok := s.Message.Record.(*history.Turn); ok && t.End != nil && t.End.Status.Final() && ends[s.To.ID] == nil {
			ends[s.To.ID] = t.End
		}
	}
	return ends
}
