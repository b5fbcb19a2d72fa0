package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	"github.com/durablegen/durablegen/internal/owner"
)

const group = "sim"

// code is what a worker knows: the orchestrator that all know, and one that only some do.
type code struct{ also string }

func (c code) Program(name, _ string) (engine.Program, bool) {
	return run, name == orchestrator || name == c.also
}
func (code) Resolve(_ history.SlotKind, name string) string { return name }
func (c code) Orchestrators() []string                      { return []string{orchestrator, c.also} }

// The orchestrators that only some workers know. All run the same program.
var rare = []string{"sim.RunA", "sim.RunB"}

// worker is one process.
type worker struct {
	view  *membackend.View
	group *owner.Group
	code  code
}

// switches turn rules of the protocol off.
type switches struct {
	owner  owner.Repair
	engine engine.Rule
}

// world is a hub with workers and a client, all under one seed.
type world struct {
	m       *membackend.Memory
	rng     *rand.Rand
	without switches
	workers []*worker
	names   int
	client  *membackend.View
	wanted  map[string]*wanted // of the instances started by the client
	plans   map[string]*plan
	keys    *keyring // nil: payloads are clear
	healed  bool
	keep    owner.Retention
}

// wanted is what must become of an instance.
type wanted struct {
	result  int
	claim   *backend.State   // what its claim says; nil: it needs none
	start   *history.Start   // of its newest run
	allowed []history.Status // ends that are right too, because somebody asked for them
}

func newWorld(seed uint64, without switches) *world {
	rng := rand.New(rand.NewPCG(seed, 1))
	cfg := membackend.Config{Seed: seed, Partitions: 2}
	m := membackend.New(cfg)
	keep := owner.Retention{Every: 700 * time.Millisecond, Keep: 10, Age: 2 * time.Second}
	return &world{m: m, rng: rng, keep: keep, without: without, client: m.View("client"), wanted: map[string]*wanted{}, plans: map[string]*plan{}}
}

// join starts a worker, as often as it takes: a supervisor would.
func (w *world) join(also string) (err error) {
	for range 20 {
		if err = w.tryJoin(code{also}); err == nil {
			return nil
		}
	}
	return err
}

func (w *world) tryJoin(c code) error {
	w.names++
	v := w.m.View(fmt.Sprintf("w%d", w.names))
	ctx := context.Background()
	if err := v.EnsureActivity(ctx, backend.Activity{Name: activityName}); err != nil {
		return err
	}
	be := w.access(v)
	var queue backend.TaskQueue
	queue, err := be.Tasks(activityName, func(d backend.TaskDelivery) { work(be, func() { queue.Grant(1) }, d) })
	if err != nil {
		return err
	}
	queue.Grant(10)
	g, err := owner.Start(ctx, owner.Config{
		Backend: be, Group: group, Worker: v.Name(), Code: c, Cache: 1 + w.rng.IntN(6), Fail: fail,
		Without: w.without.owner, WithoutRules: w.without.engine, Retention: w.keep,
	})
	if err != nil {
		return err
	}
	w.workers = append(w.workers, &worker{v, g, c})
	return nil
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
	done := &history.Done{Ref: d.Task.Ref, Name: d.Task.Name, Hash: history.ArgsHash(d.Task.Args), Attempt: d.Task.Attempt, Result: encode(add(n))}
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

// start has the client start a random program and send the events it waits for, each twice.
func (w *world) start(n int) {
	var events []string
	s := script{Steps: randomSteps(w.rng, 2, &events)}
	id := fmt.Sprintf("i%d", n)
	to := history.Address{Group: group, ID: id}
	start := &history.Start{Run: 1, Orchestrator: orchestrator, Input: encode(s), Born: w.m.Now()}
	if w.rng.IntN(3) == 0 {
		start.Orchestrator = rare[w.rng.IntN(len(rare))]
	}
	if w.rng.IntN(4) == 0 {
		start.At = w.m.Now().Add(time.Duration(w.rng.IntN(5000)) * time.Millisecond)
	}
	want := &wanted{result: expected(s), start: start}
	w.wanted[id] = want
	w.plan(id, start, events)
	tell := func() {
		for _, name := range events {
			w.tellLater(to, &history.Event{Name: name, ID: id + name, Payload: encode(len(name))}, 2)
		}
		switch w.rng.IntN(8) {
		case 0, 1:
			want.allowed = []history.Status{history.Canceled}
			w.tellLater(to, &history.Control{Verb: history.Cancel, ID: id + "-cancel"}, 1)
		case 2:
			want.allowed = []history.Status{history.Terminated}
			w.tellLater(to, &history.Control{Verb: history.Terminate, ID: id + "-terminate"}, 1)
		case 3:
			w.tellLater(to, &history.Control{Verb: history.Suspend, ID: id + "-suspend"}, 1)
			w.client.Clock().After(20*time.Second, func() { w.tellLater(to, &history.Control{Verb: history.Resume, ID: id + "-resume"}, 1) })
		}
	}
	put := backend.Append{To: to, Record: start, Fenced: true}
	if w.rng.IntN(2) == 0 {
		w.put(put, tell)
		return
	}
	// An id of the client's own is claimed first. Some clients die before they send the start.
	start.Claim = "own"
	want.claim = &backend.State{Address: to, Name: start.Orchestrator, Status: history.Pending, Run: 1, Claim: start}
	dies := w.rng.IntN(4) == 0
	w.claim(*want.claim, func() {
		if !dies {
			w.put(put, func() { tell(); w.again(to, start) })
			return
		}
		w.client.Clock().After(time.Duration(w.rng.IntN(8000))*time.Millisecond, func() { w.finish(id, tell) })
	})
}

// finish does what whoever meets a claim does (H11).
func (w *world) finish(id string, then func()) {
	w.access(w.client).GetState(id, func(s backend.State, _ uint64, err error) {
		switch {
		case err != nil:
			w.client.Clock().After(300*time.Millisecond, func() { w.finish(id, then) })
		case s.Claim == nil:
			then() // somebody else has
		default:
			w.put(backend.Append{To: s.Address, Record: s.Claim, Fenced: true}, then)
		}
	})
}

func (w *world) claim(s backend.State, then func()) {
	w.access(w.client).PutState(s, 0, func(_ uint64, err error) {
		if err != nil && !errors.Is(err, backend.ErrConflict) {
			w.client.Clock().After(300*time.Millisecond, func() { w.claim(s, then) })
			return
		}
		then()
	})
}

// again has a start arrive once more, late and unfenced, as one does that finds its run ended and purged (H10).
func (w *world) again(to history.Address, start *history.Start) {
	if w.rng.IntN(3) == 0 {
		w.client.Clock().After(time.Duration(10_000+w.rng.IntN(20_000))*time.Millisecond, func() {
			if p := w.plans[to.ID]; !p.again && p.fulfilled(w.final()[to.ID]) { // a later start would be fenced on this one
				w.put(backend.Append{To: to, Record: start}, func() {})
			}
		})
	}
}

// tellLater sends a message n times, each at a time of its own.
func (w *world) tellLater(to history.Address, r history.Record, n int) {
	for range n {
		w.client.Clock().After(time.Duration(w.rng.IntN(8000))*time.Millisecond, func() { w.put(backend.Append{To: to, Record: r}, func() {}) })
	}
}

func (w *world) put(a backend.Append, then func()) {
	w.access(w.client).Append(a, func(_ uint64, err error) {
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
		w.workers = slices.Delete(w.workers, n, n+1)
		return w.join(rare[w.rng.IntN(len(rare))])
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

// heal ends all faults, and sees to it that all code is there, and all keys.
func (w *world) heal() error {
	w.healed = true
	w.m.SetFaults(membackend.Faults{Behind: 0.3})
	var errs []error
	if w.keys != nil {
		for _, k := range w.workers {
			k.view.Kill()
		}
		w.workers = nil
	}
	for _, also := range rare {
		if !slices.ContainsFunc(w.workers, func(k *worker) bool { return k.code.also == also }) {
			errs = append(errs, w.join(also))
		}
	}
	for _, k := range w.workers {
		k.view.Resume()
		k.view.Reconnect()
		k.view.Skew(0)
	}
	return errors.Join(errs...)
}

// finished reports whether everything started has ended as it should, and nothing waits for an acknowledgement.
func (w *world) finished() bool {
	ends := w.final()
	for id, p := range w.plans {
		if !p.fulfilled(ends[id]) {
			return false
		}
	}
	return len(w.m.Unacked()) == 0
}

// final gives the final record of the last run of every instance, the first if there are several.
func (w *world) final() map[string]*history.Turn {
	ends := map[string]*history.Turn{}
	for _, s := range w.m.Log() {
		t, ok := w.record(s.Message.Record).(*history.Turn)
		if ok && t.End != nil && t.End.Status.Final() && (ends[s.To.ID] == nil || ends[s.To.ID].Run < t.Run) {
			ends[s.To.ID] = t
		}
	}
	return ends
}
