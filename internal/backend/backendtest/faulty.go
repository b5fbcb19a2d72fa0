package backendtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Faulty passes calls and deliveries on to and from any backend, except where a rule says otherwise. It stands for one
// worker's connection: give each worker its own, over its own view. Methods may be called concurrently.
type Faulty struct {
	backend.Backend

	mu    sync.Mutex
	rules rules
	held  []func() // in order
	dead  bool
}

// NewFaulty makes a decorator that lets everything pass.
func NewFaulty(inner backend.Backend) *Faulty { return &Faulty{Backend: inner} }

// Kill is a crash: from now on nothing passes in either direction, also no answer and no timer, and blocking calls return
// ErrClosed. Calls that were passed on before may still arrive, and so may held ones when they are released.
func (f *Faulty) Kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
}

// Release passes on what is held, in its order, and leaves the rules as they are. Held deliveries are handed over on the
// caller's goroutine: do not call it from a callback.
func (f *Faulty) Release() {
	f.mu.Lock()
	held := f.held
	f.held = nil
	f.mu.Unlock()
	for _, send := range held {
		send()
	}
}

func (f *Faulty) alive() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.dead
}

// living guards a blocking call.
func (f *Faulty) living() error {
	if !f.alive() {
		return fmt.Errorf("backendtest: this worker was killed: %w", backend.ErrClosed)
	}
	return nil
}

// keep holds something until Release, or for a time.
func (f *Faulty) keep(after time.Duration, send func()) {
	send = sync.OnceFunc(send)
	f.mu.Lock()
	f.held = append(f.held, send)
	f.mu.Unlock()
	if after > 0 {
		f.Backend.Clock().After(after, send)
	}
}

// call makes an asynchronous call that has a fate. pass passes it on.
func call[T any](f *Faulty, fate Fate, pass func(done func(T, error)), done func(T, error)) {
	if !f.alive() {
		return
	}
	answer := func(v T, err error) {
		if f.alive() {
			done(v, err)
		}
	}
	lost := func(T, error) {
		var zero T
		answer(zero, fmt.Errorf("backendtest: the answer was lost: %w", backend.ErrUnavailable))
	}
	nobody := func(T, error) {}
	switch fate.what {
	case drop:
		f.Backend.Clock().After(0, func() {
			var zero T
			answer(zero, fmt.Errorf("backendtest: the request was lost: %w", backend.ErrUnavailable))
		})
	case loseAnswer:
		pass(lost)
	case hold:
		f.keep(fate.after, func() { pass(answer) })
	case repeat:
		pass(answer)
		pass(nobody)
	case crash:
		f.Kill()
	case crashAfter:
		f.Kill()
		pass(nobody)
	default:
		pass(answer)
	}
}

// Append implements backend.Log.
func (f *Faulty) Append(a backend.Append, done func(seq uint64, err error)) {
	call(f, decide(f.ruled().append, a), func(done func(uint64, error)) { f.Backend.Append(a, done) }, done)
}

// CancelTimer implements backend.Log.
func (f *Faulty) CancelTimer(to history.Address, ref history.Ref, done func(err error)) {
	call(f, Pass, func(done func(struct{}, error)) {
		f.Backend.CancelTimer(to, ref, func(err error) { done(struct{}{}, err) })
	}, func(_ struct{}, err error) { done(err) })
}

// Retry implements backend.Log.
func (f *Faulty) Retry(of history.Address, ref history.Ref, done func(*history.Timer, error)) {
	call(f, Pass, func(done func(*history.Timer, error)) { f.Backend.Retry(of, ref, done) }, done)
}

// Load implements backend.Log.
func (f *Faulty) Load(of history.Address, reach uint64, done func(backend.Loaded, error)) {
	var upTo uint64
	if rule := f.ruled().load; rule != nil {
		upTo = rule(of, reach)
	}
	call(f, Pass, func(done func(backend.Loaded, error)) { f.Backend.Load(of, reach, done) }, func(l backend.Loaded, err error) {
		if upTo > 0 {
			l = cut(l, upTo)
		}
		done(l, err)
	})
}

// LoadAfter implements backend.Log.
func (f *Faulty) LoadAfter(of history.Address, after, reach uint64, done func(backend.Loaded, error)) {
	call(f, Pass, func(done func(backend.Loaded, error)) { f.Backend.LoadAfter(of, after, reach, done) }, done)
}

// Floor implements backend.Log.
func (f *Faulty) Floor(done func(floor, next uint64, err error)) {
	type floors struct{ floor, next uint64 }
	call(f, Pass, func(done func(floors, error)) {
		f.Backend.Floor(func(floor, next uint64, err error) { done(floors{floor, next}, err) })
	}, func(got floors, err error) { done(got.floor, got.next, err) })
}

// Shorten implements backend.Log.
func (f *Faulty) Shorten(before uint64, done func(err error)) {
	call(f, Pass, func(done func(struct{}, error)) {
		f.Backend.Shorten(before, func(err error) { done(struct{}{}, err) })
	}, func(_ struct{}, err error) { done(err) })
}

// Group implements backend.Log.
func (f *Faulty) Group(id string, done func(group string, err error)) {
	call(f, Pass, func(done func(string, error)) { f.Backend.Group(id, done) }, done)
}

// PutState implements backend.States.
func (f *Faulty) PutState(s backend.State, rev uint64, done func(rev uint64, err error)) {
	call(f, decide(f.ruled().state, s), func(done func(uint64, error)) { f.Backend.PutState(s, rev, done) }, done)
}

// DeleteState implements backend.States.
func (f *Faulty) DeleteState(id string, rev uint64, done func(err error)) {
	call(f, Pass, func(done func(struct{}, error)) {
		f.Backend.DeleteState(id, rev, func(err error) { done(struct{}{}, err) })
	}, func(_ struct{}, err error) { done(err) })
}

// PutArchive implements backend.Archives.
func (f *Faulty) PutArchive(a backend.Archive, expect uint64, done func(seq uint64, err error)) {
	call(f, decide(f.ruled().archive, a), func(done func(uint64, error)) { f.Backend.PutArchive(a, expect, done) }, done)
}

// GetState implements backend.States.
func (f *Faulty) GetState(id string, done func(s backend.State, rev uint64, err error)) {
	get(f, func(done func(backend.State, uint64, error)) { f.Backend.GetState(id, done) }, done)
}

// GetArchive implements backend.Archives.
func (f *Faulty) GetArchive(of history.Address, done func(a backend.Archive, seq uint64, err error)) {
	get(f, func(done func(backend.Archive, uint64, error)) { f.Backend.GetArchive(of, done) }, done)
}

func get[T any](f *Faulty, pass func(done func(T, uint64, error)), done func(T, uint64, error)) {
	if f.alive() {
		pass(func(v T, rev uint64, err error) {
			if f.alive() {
				done(v, rev, err)
			}
		})
	}
}

// LiveStates implements backend.States.
func (f *Faulty) LiveStates(ctx context.Context, since uint64, yield func(a history.Address, need uint64, live bool)) (uint64, error) {
	if err := f.living(); err != nil {
		return since, err
	}
	return f.Backend.LiveStates(ctx, since, yield)
}

// FollowLog implements backend.Log.
func (f *Faulty) FollowLog(ctx context.Context, after uint64, yield func(backend.Happening) bool) (uint64, error) {
	if err := f.living(); err != nil {
		return after, err
	}
	return f.Backend.FollowLog(ctx, after, yield)
}

// ListStates implements backend.States.
func (f *Faulty) ListStates(ctx context.Context, yield func(backend.State) bool) error {
	if err := f.living(); err != nil {
		return err
	}
	return f.Backend.ListStates(ctx, yield)
}

// EnsureGroup implements backend.Backend.
func (f *Faulty) EnsureGroup(ctx context.Context, group string) error {
	if err := f.living(); err != nil {
		return err
	}
	return f.Backend.EnsureGroup(ctx, group)
}

// MayOwn implements backend.Backend.
func (f *Faulty) MayOwn(ctx context.Context, group string) error {
	if err := f.living(); err != nil {
		return err
	}
	return f.Backend.MayOwn(ctx, group)
}

// EnsureActivity implements backend.Backend.
func (f *Faulty) EnsureActivity(ctx context.Context, a backend.Activity) error {
	if err := f.living(); err != nil {
		return err
	}
	return f.Backend.EnsureActivity(ctx, a)
}

// Signal implements backend.Signals.
func (f *Faulty) Signal(topic string, data []byte) {
	if f.alive() {
		f.Backend.Signal(topic, data)
	}
}

// Listen implements backend.Signals.
func (f *Faulty) Listen(topic string, fn func(data []byte)) (stop func(), err error) {
	if err := f.living(); err != nil {
		return nil, err
	}
	return f.Backend.Listen(topic, func(data []byte) {
		if f.alive() {
			fn(data)
		}
	})
}

// Connected implements backend.Signals.
func (f *Faulty) Connected() bool { return f.alive() && f.Backend.Connected() }

// Clock implements backend.Backend.
func (f *Faulty) Clock() backend.Clock { return faultyClock{f, f.Backend.Clock()} }

type faultyClock struct {
	f *Faulty
	backend.Clock
}

// After implements backend.Clock.
func (c faultyClock) After(d time.Duration, fn func()) (stop func()) {
	return c.Clock.After(d, func() {
		if c.f.alive() {
			fn()
		}
	})
}

// Meta implements backend.Backend.
func (f *Faulty) Meta() backend.Meta { return faultyMeta{f, f.Backend.Meta()} }

type faultyMeta struct {
	f     *Faulty
	inner backend.Meta
}

// Get implements backend.Meta.
func (m faultyMeta) Get(ctx context.Context, key string) (value []byte, rev uint64, err error) {
	if err := m.f.living(); err != nil {
		return nil, 0, err
	}
	return m.inner.Get(ctx, key)
}

// Put implements backend.Meta.
func (m faultyMeta) Put(ctx context.Context, key string, value []byte, rev uint64) (newRev uint64, err error) {
	if err := m.f.living(); err != nil {
		return 0, err
	}
	return m.inner.Put(ctx, key, value, rev)
}

// Delete implements backend.Meta.
func (m faultyMeta) Delete(ctx context.Context, key string, rev uint64) error {
	if err := m.f.living(); err != nil {
		return err
	}
	return m.inner.Delete(ctx, key, rev)
}

// List implements backend.Meta.
func (m faultyMeta) List(ctx context.Context, prefix string) (map[string][]byte, error) {
	if err := m.f.living(); err != nil {
		return nil, err
	}
	return m.inner.List(ctx, prefix)
}

// Watch implements backend.Meta.
func (m faultyMeta) Watch(ctx context.Context, prefix string, fn func(key string, value []byte, rev uint64)) error {
	if err := m.f.living(); err != nil {
		return err
	}
	return m.inner.Watch(ctx, prefix, func(key string, value []byte, rev uint64) {
		if m.f.alive() {
			fn(key, value, rev)
		}
	})
}
