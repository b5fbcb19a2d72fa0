package durabletest

import (
	"context"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

// clientHub is the hub as a client sees it: each call lets time pass until its answer is there.
type clientHub struct {
	*membackend.View
	env *Env
}

var (
	_ backend.Backend   = clientHub{}
	_ backend.Simulated = clientHub{}
)

// answer makes a call and waits for its answer.
func answer[T any](w *world, call func(done func(T, error))) (T, error) {
	var got struct {
		there bool
		v     T
		err   error
	}
	call(func(v T, err error) { got.there, got.v, got.err = true, v, err })
	if err := w.drive(context.Background(), goal{}, func() bool { return got.there }); err != nil {
		var zero T // what comes later is nobody's
		return zero, err
	}
	return got.v, got.err
}

// always is for who waits only for the worker to be there.
func always() bool { return true }

// revised is a value and its revision.
type revised[T any] struct {
	v   T
	rev uint64
}

// Append implements backend.Log.
func (h clientHub) Append(a backend.Append, done func(uint64, error)) {
	if err := h.env.world.drive(context.Background(), goal{}, always); err != nil {
		done(0, err)
		return
	}
	h.env.seeAppend(a)
	if h.env.luck != nil {
		h.env.luck.client(a)
	}
	done(answer(h.env.world, func(done func(uint64, error)) { h.View.Append(a, done) }))
}

// Load implements backend.Log.
func (h clientHub) Load(of history.Address, reach uint64, done func(backend.Loaded, error)) {
	done(answer(h.env.world, func(done func(backend.Loaded, error)) { h.View.Load(of, reach, done) }))
}

// LoadAfter implements backend.Log.
func (h clientHub) LoadAfter(of history.Address, after, reach uint64, done func(backend.Loaded, error)) {
	done(answer(h.env.world, func(done func(backend.Loaded, error)) { h.View.LoadAfter(of, after, reach, done) }))
}

// Retry implements backend.Log.
func (h clientHub) Retry(of history.Address, ref history.Ref, done func(*history.Timer, error)) {
	done(answer(h.env.world, func(done func(*history.Timer, error)) { h.View.Retry(of, ref, done) }))
}

// Group implements backend.Log.
func (h clientHub) Group(id string, done func(string, error)) {
	done(answer(h.env.world, func(done func(string, error)) { h.View.Group(id, done) }))
}

// PutState implements backend.States.
func (h clientHub) PutState(s backend.State, rev uint64, done func(uint64, error)) {
	done(answer(h.env.world, func(done func(uint64, error)) { h.View.PutState(s, rev, done) }))
}

// GetState implements backend.States.
func (h clientHub) GetState(id string, done func(backend.State, uint64, error)) {
	got, err := answer(h.env.world, func(done func(revised[backend.State], error)) {
		h.View.GetState(id, func(s backend.State, rev uint64, err error) { done(revised[backend.State]{s, rev}, err) })
	})
	done(got.v, got.rev, err)
}

// GetArchive implements backend.Archives.
func (h clientHub) GetArchive(of history.Address, done func(backend.Archive, uint64, error)) {
	got, err := answer(h.env.world, func(done func(revised[backend.Archive], error)) {
		h.View.GetArchive(of, func(a backend.Archive, rev uint64, err error) { done(revised[backend.Archive]{a, rev}, err) })
	})
	done(got.v, got.rev, err)
}

// DeleteState implements backend.States.
func (h clientHub) DeleteState(id string, rev uint64, done func(error)) {
	_, err := answer(h.env.world, func(done func(struct{}, error)) {
		h.View.DeleteState(id, rev, func(err error) { done(struct{}{}, err) })
	})
	done(err)
}

// PutArchive implements backend.Archives.
func (h clientHub) PutArchive(a backend.Archive, expect uint64, done func(uint64, error)) {
	done(answer(h.env.world, func(done func(uint64, error)) { h.View.PutArchive(a, expect, done) }))
}

// WaitFor implements backend.Simulated.
func (h clientHub) WaitFor(ctx context.Context, d time.Duration, ready func() bool) error {
	until := h.env.world.m.Now().Add(d)
	if ready == nil {
		return h.env.world.drive(ctx, goal{end: until}, nil)
	}
	return h.env.world.drive(ctx, goal{poll: until}, ready)
}

// NewID implements backend.Simulated.
func (h clientHub) NewID() string {
	h.env.mu.Lock()
	defer h.env.mu.Unlock()
	h.env.ids++
	return fmt.Sprintf("test-%d", h.env.ids)
}

// workerHub is the hub as a worker sees it: the test notes what it stores and runs.
type workerHub struct {
	*membackend.View
	env *Env
}

var (
	_ backend.Backend = workerHub{}
	_ backend.Watched = workerHub{}
)

// Append implements backend.Log.
func (h workerHub) Append(a backend.Append, done func(uint64, error)) {
	h.env.seeAppend(a)
	dies := h.env.luck != nil && h.env.view == h.View && !h.env.stale && h.env.luck.worker(a)
	h.View.Append(a, done)
	if dies {
		h.env.luck.dies(a)
		h.env.die()
	}
	h.env.seeOutcome(h.View, a)
}

// CancelTimer implements backend.Log. The worker waits for its answer when it drops an attempt that is over: the world must go
// on for that.
func (h workerHub) CancelTimer(to history.Address, ref history.Ref, done func(error)) {
	h.env.seeDropped(h.View, taskKey{to, ref})
	h.View.CancelTimer(to, ref, done)
}

// Tasks implements backend.Backend.
func (h workerHub) Tasks(activity string, deliver func(backend.TaskDelivery)) (backend.TaskQueue, error) {
	return h.View.Tasks(activity, func(d backend.TaskDelivery) {
		if d.Task.NotBefore.After(h.View.Clock().Now()) { // it is only put off
			deliver(d)
			return
		}
		d.Receipt = noted{d.Receipt, h.env, h.env.seeTask(h.View, d)}
		deliver(d)
	})
}

// Began implements backend.Watched.
func (h workerHub) Began(d backend.TaskDelivery) (ended func(lastErr string)) {
	run := h.env.seeTask(h.View, d)
	return func(lastErr string) {
		h.env.end(run, func(c *Call) {
			if lastErr != "" {
				c.Err = lastErr
			}
		})
	}
}

// Clock implements backend.Backend.
func (h workerHub) Clock() backend.Clock { return workerClock{h.View.Clock(), h.env.world} }

// noted is the receipt of a task that runs.
type noted struct {
	backend.Receipt
	env *Env
	run *run
}

// Ack implements backend.Receipt.
func (r noted) Ack() {
	r.Receipt.Ack()
	r.env.end(r.run, nil)
}

// Nak implements backend.Receipt.
func (r noted) Nak() {
	r.Receipt.Nak()
	r.env.end(r.run, nil)
}

// workerClock lets what recurs for ever wait for something that happens.
type workerClock struct {
	backend.Clock
	world *world
}

var _ backend.Recurring = workerClock{}

// Recur implements backend.Recurring.
func (c workerClock) Recur(d time.Duration, fn func()) { c.world.addChore(d, fn) }
