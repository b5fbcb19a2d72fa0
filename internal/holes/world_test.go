package holes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	"github.com/durablegen/durablegen/internal/owner"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

const group = "holes"

// world is one hub of one partition on one of the backends.
type world struct {
	t       *testing.T
	ctx     context.Context // of a server
	view    func() backend.Backend
	until   func(cond func() bool) bool // lets time pass, up to a limit
	after   func(d time.Duration)       // lets time pass
	client  backend.Backend
	without owner.Repair
	rules   engine.Rule
	// retention of the workers made from now on; the log is not shortened unless Every is set
	retention owner.Retention
	local     owner.Local        // of the workers made from now on
	memory    *membackend.Memory // nil on JetStream
	workers   int

	// Broken promises of the backend.
	early     bool // a load shows what came before the start
	bareClaim bool // a claim does not hold the start
	blind     bool // a load finds nothing
}

// inMemory makes a world with virtual time.
func inMemory(t *testing.T) *world { return keeping(t, 0) }

// keeping is a world in memory that keeps ended runs for so long; 0: as hubs do.
func keeping(t *testing.T, keep time.Duration) *world {
	m := membackend.New(membackend.Config{Partitions: 1, Seed: 1, Late: -1, Retention: backend.Retention{Completed: keep, Failed: keep, Terminated: keep, Canceled: keep}})
	w := &world{t: t, retention: owner.Retention{Every: -1}, memory: m, view: func() backend.Backend { return m.View("v") }}
	w.until = func(cond func() bool) bool {
		end := m.Now().Add(3 * time.Minute)
		return m.Run(func() bool { return cond() || m.Now().After(end) }) && cond()
	}
	w.after = m.RunFor
	w.client = w.view()
	return w
}

// onJetStream makes a world on a server of its own. Time passes by itself there: scenarios that let it pass so that
// something may happen must end well also when it has not happened yet.
func onJetStream(t *testing.T) *world {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	patience, cancel := context.WithTimeout(ctx, 50*time.Second) // after it, what has come instead can be read
	t.Cleanup(cancel)
	server, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, ctx: ctx, retention: owner.Retention{Every: -1}}
	w.view = func() backend.Backend {
		b, err := server.Backend(ctx, natsbackend.Config{Partitions: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		return b
	}
	w.until = func(cond func() bool) bool {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for !cond() {
			select {
			case <-tick.C:
			case <-patience.Done():
				return false
			}
		}
		return true
	}
	w.after = func(time.Duration) {}
	w.client = w.view()
	return w
}

// beside runs what blocks on a goroutine of its own while time passes. Virtual time does not wait for goroutines, so it is no
// limit here.
func (w *world) beside(what string, fn func() error) error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	passes := func() bool { return w.until(func() bool { return len(done) == 1 }) }
	if w.memory != nil {
		passes = func() bool { w.after(10 * time.Millisecond); return true }
	}
	for end := time.Now().Add(time.Minute); len(done) == 0; runtime.Gosched() {
		if !passes() || time.Now().After(end) {
			return fmt.Errorf("%s does not return", what)
		}
	}
	return <-done
}

// programs are what the workers know, by wire name.
type programs map[string]engine.Program

func (p programs) Program(name, _ string) (engine.Program, bool)  { f, ok := p[name]; return f, ok }
func (p programs) Resolve(_ history.SlotKind, name string) string { return name }
func (p programs) Orchestrators() []string {
	var names []string
	for name := range p {
		names = append(names, name)
	}
	return names
}

// worker starts a worker and waits until it owns the partition.
func (w *world) worker(code programs) (*tap, *owner.Group) {
	w.t.Helper()
	w.workers++
	t := &tap{Faulty: backendtest.NewFaulty(w.view())}
	g, err := owner.Start(context.Background(), owner.Config{
		Backend: t, Group: group, Worker: fmt.Sprintf("w%d", w.workers), Code: code, Without: w.without, WithoutRules: w.rules,
		Fail: func(err error) *history.Failure {
			var at slotsError
			errors.As(err, &at)
			return &history.Failure{Message: err.Error(), Slots: at.slots}
		},
		Local: w.local, Retention: w.retention, Heartbeat: 50 * time.Millisecond, Dead: 300 * time.Millisecond, Coalesce: 20 * time.Millisecond,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return t, g
}

// owns waits until g owns the partition.
func (w *world) owns(g *owner.Group) {
	w.t.Helper()
	if !w.until(func() bool { return len(g.Owned()) == 1 }) {
		w.t.Fatalf("the worker does not take the partition\n%v", g)
	}
}

func at(id string) history.Address { return history.Address{Group: group, ID: id} }

// put appends a record and waits for its sequence.
func (w *world) put(id string, r history.Record) uint64 {
	w.t.Helper()
	seq, err := w.try(backend.Append{To: at(id), Record: r})
	if err != nil {
		w.t.Fatal(err)
	}
	return seq
}

func (w *world) try(a backend.Append) (uint64, error) {
	w.t.Helper()
	return wait(w, func(done func(uint64, error)) { w.client.Append(a, done) })
}

// wait makes an asynchronous call and lets time pass until it is answered.
func wait[T any](w *world, call func(done func(T, error))) (T, error) {
	w.t.Helper()
	type answer struct {
		v   T
		err error
	}
	ch := make(chan answer, 1)
	call(func(v T, err error) { ch <- answer{v, err} })
	if w.memory == nil {
		select {
		case a := <-ch:
			return a.v, a.err
		case <-w.ctx.Done():
			w.t.Fatal("a call of the backend is not answered")
		}
	}
	var got *answer
	if !w.until(func() bool {
		select {
		case a := <-ch:
			got = &a
		default:
		}
		return got != nil
	}) {
		w.t.Fatal("a call of the backend is not answered")
	}
	return got.v, got.err
}

func (w *world) start(id, name string, input any) uint64 {
	now := time.Now()
	if w.memory != nil {
		now = w.memory.Now()
	}
	return w.put(id, &history.Start{Run: 1, Orchestrator: name, Input: encode(input), Born: now})
}

func (w *world) event(id, name, eventID string, v any) uint64 {
	return w.put(id, &history.Event{Name: name, ID: eventID, Payload: encode(v)})
}

// state reads the projection; its status is "" when there is none.
func (w *world) state(id string) backend.State {
	s, err := wait(w, func(done func(backend.State, error)) {
		w.client.GetState(id, func(s backend.State, _ uint64, err error) { done(s, err) })
	})
	if err != nil && !errors.Is(err, backend.ErrNotFound) {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) load(id string) backend.Loaded {
	l, err := wait(w, func(done func(backend.Loaded, error)) { w.client.Load(at(id), 0, done) })
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *world) archive(id string) (backend.Archive, error) {
	a, _, err := w.entry(id)
	return a, err
}

// entry is the archive's with its sequence.
func (w *world) entry(id string) (a backend.Archive, seq uint64, err error) {
	a, err = wait(w, func(done func(backend.Archive, error)) {
		w.client.GetArchive(at(id), func(a backend.Archive, s uint64, err error) { seq = s; done(a, err) })
	})
	return a, seq, err
}

func (w *world) loadAfter(id string, after uint64) backend.Loaded {
	l, err := wait(w, func(done func(backend.Loaded, error)) { w.client.LoadAfter(at(id), after, 0, done) })
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// serve completes the next task of an activity, for which there has been no consumer.
func (w *world) serve(name string, value any) error {
	if err := w.client.EnsureActivity(context.Background(), backend.Activity{Name: name}); err != nil {
		return err
	}
	got := make(chan backend.TaskDelivery, 9)
	q, err := w.client.Tasks(name, func(d backend.TaskDelivery) { got <- d })
	if err != nil {
		return err
	}
	defer q.Stop(w.t.Context())
	q.Grant(1)
	if !w.until(func() bool { return len(got) > 0 }) {
		return fmt.Errorf("no task of %s is delivered", name)
	}
	d := <-got
	w.complete(d.From.ID, d.Task, value)
	d.Ack()
	return nil
}

// ends waits until the projection of an instance is final, and reports if it is not as wanted.
func (w *world) ends(id string, status history.Status, result any) error {
	var s backend.State
	if !w.until(func() bool { s = w.state(id); return s.Status.Final() }) {
		return fmt.Errorf("%s is not projected as ended: %+v", id, s)
	}
	if s.Status != status {
		return fmt.Errorf("%s ended as %s (%s), want %s", id, s.Status, s.Failure, status)
	}
	a, err := w.archive(id)
	if err != nil {
		return fmt.Errorf("%s is projected as ended, but its archive: %w", id, err)
	}
	end := a.Messages[len(a.Messages)-1].Record.(*history.Turn).End
	if end.Status != status {
		return fmt.Errorf("%s is archived as %s, want %s", id, end.Status, status)
	}
	if want := string(encode(result)); status == history.Completed && string(end.Result) != want {
		return fmt.Errorf("%s gave %s, want %s", id, end.Result, want)
	}
	return nil
}

// tasks gives the tasks that the log holds of an instance.
func (w *world) tasks(id string) []*history.Task {
	var tasks []*history.Task
	for _, m := range w.load(id).Tail {
		if t, ok := m.Record.(*history.Task); ok {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// has waits until the log holds a record of an instance that fits.
func (w *world) has(id string, fits func(history.Record) bool) bool {
	return w.until(func() bool {
		for _, m := range w.load(id).Tail {
			if fits(m.Record) {
				return true
			}
		}
		return false
	})
}

// complete answers an activity of an instance as a worker would.
func (w *world) complete(id string, t *history.Task, result any) uint64 {
	return w.put(id, &history.Done{Ref: t.Ref, Name: t.Name, Hash: history.ArgsHash(t.Args), Attempt: 1, Result: encode(result)})
}

func encode(v any) history.Payload {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

// The vocabulary of the programs.

func receive(co *engine.Coroutine, name string) int {
	f := co.Receive(name)
	co.Await(f)
	return value(f)
}

func value(f *engine.Future) int {
	result, failure := f.Result()
	if failure != nil {
		panic(failure.Message)
	}
	var n int
	if err := json.Unmarshal(result, &n); err != nil {
		panic(err)
	}
	return n
}

func activity(co *engine.Coroutine, name string, n int) *engine.Future {
	return co.Schedule(history.Slot{Kind: history.SlotActivity, Name: name, Args: encode(n)})
}

func child(co *engine.Coroutine, id, name string, input any) *engine.Future {
	return co.Schedule(history.Slot{Kind: history.SlotChild, Name: name, Args: encode(input), Target: at(id)})
}

func send(co *engine.Coroutine, id, name string, v any) {
	co.Schedule(history.Slot{Kind: history.SlotSend, Name: name, Args: encode(v), Target: at(id)})
}

func timer(co *engine.Coroutine, d time.Duration) *engine.Future {
	return co.Schedule(history.Slot{Kind: history.SlotTimer, Due: co.Now().Add(d)})
}

func result(v any) (history.Payload, error) { return encode(v), nil }
