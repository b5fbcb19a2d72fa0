package holes

import (
	"context"
	"sync"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// tap is a worker's access to a hub, with hands on it: what it sends can be held back or lose its answer, what it reads
// can be cut short, what it is delivered can get lost, and it can die.
type tap struct {
	backend.Backend

	mu       sync.Mutex
	dead     bool
	frozen   bool                                                 // says nothing and hears nothing, but does not know it
	onAppend func(a backend.Append) fate                          // nil: pass
	onLoad   func(of history.Address, reach uint64) (upTo uint64) // 0: all
	onDrop   func(d backend.Delivery) bool                        // true: the delivery gets lost
	onState  func(s backend.State) fate
	onEntry  func(a backend.Archive) fate
	held     []func()

	before    []history.Message // a load shows these before the start
	blind     bool              // the first load finds nothing
	blindOnce *sync.Once
}

type fate uint8

const (
	pass       fate = iota
	hold            // send it when release is called
	loseAnswer      // send it, and never answer
	lose            // neither
)

// handle deals with a call: send passes it on, and gives its answer to the function it gets.
func (t *tap) handle(f fate, send func(answered func() bool)) {
	alive := func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return !t.dead
	}
	switch f {
	case hold:
		t.mu.Lock()
		defer t.mu.Unlock()
		t.held = append(t.held, func() { send(alive) })
	case loseAnswer:
		send(func() bool { return false })
	case lose:
	default:
		if alive() {
			send(alive)
		}
	}
}

// release sends what was held, also after death: a request may be slow.
func (t *tap) release() {
	t.mu.Lock()
	held := t.held
	t.held, t.onAppend, t.onState, t.onEntry = nil, nil, nil, nil
	t.mu.Unlock()
	for _, send := range held {
		send()
	}
}

func (t *tap) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dead = true
}

// decide asks a hook, if there is one.
func decide[T any](t *tap, hook func() func(T) fate, v T) fate {
	t.mu.Lock()
	fn := hook()
	t.mu.Unlock()
	if fn == nil {
		return pass
	}
	return fn(v)
}

// set changes hooks while calls may be under way.
func (t *tap) set(change func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change()
}

func (t *tap) freeze() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.frozen = true
}

func (t *tap) Append(a backend.Append, done func(uint64, error)) {
	f := decide(t, func() func(backend.Append) fate { return t.onAppend }, a)
	t.handle(f, func(answered func() bool) {
		t.Backend.Append(a, func(seq uint64, err error) {
			if answered() {
				done(seq, err)
			}
		})
	})
}

func (t *tap) PutState(s backend.State, rev uint64, done func(uint64, error)) {
	f := decide(t, func() func(backend.State) fate { return t.onState }, s)
	t.handle(f, func(answered func() bool) {
		t.Backend.PutState(s, rev, func(rev uint64, err error) {
			if answered() {
				done(rev, err)
			}
		})
	})
}

func (t *tap) PutArchive(a backend.Archive, expect uint64, done func(uint64, error)) {
	f := decide(t, func() func(backend.Archive) fate { return t.onEntry }, a)
	t.handle(f, func(answered func() bool) {
		t.Backend.PutArchive(a, expect, func(seq uint64, err error) {
			if answered() {
				done(seq, err)
			}
		})
	})
}

func (t *tap) Load(of history.Address, reach uint64, done func(backend.Loaded, error)) {
	t.mu.Lock()
	onLoad, before, blind := t.onLoad, t.before, t.blind
	t.mu.Unlock()
	limit := uint64(0)
	if onLoad != nil {
		limit = onLoad(of, reach)
	}
	t.handle(pass, func(answered func() bool) {
		t.Backend.Load(of, reach, func(l backend.Loaded, err error) {
			if !answered() {
				return
			}
			l.Tail = append(append([]history.Message(nil), before...), l.Tail...)
			if blind {
				t.blindOnce.Do(func() { l = backend.Loaded{} })
			}
			if limit > 0 {
				for n, m := range l.Tail {
					if m.Seq > limit {
						l.Tail = l.Tail[:n]
						break
					}
				}
			}
			done(l, err)
		})
	})
}

func (t *tap) Signal(topic string, data []byte) {
	t.mu.Lock()
	frozen := t.frozen
	t.mu.Unlock()
	if !frozen {
		t.handle(pass, func(func() bool) { t.Backend.Signal(topic, data) })
	}
}

// Connected is false for the dead.
func (t *tap) Connected() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.dead && t.Backend.Connected()
}

func (t *tap) Inbox(group string, p int) backend.Inbox { return tapped{t, t.Backend.Inbox(group, p)} }

type tapped struct {
	t *tap
	backend.Inbox
}

func (i tapped) Release(ctx context.Context) error {
	if !i.t.Connected() {
		return backend.ErrClosed
	}
	return i.Inbox.Release(ctx)
}

func (i tapped) Open(ctx context.Context, deliver func(backend.Delivery)) (uint64, error) {
	i.t.mu.Lock()
	frozen := i.t.frozen
	i.t.mu.Unlock()
	if frozen || !i.t.Connected() {
		return 0, backend.ErrClosed
	}
	return i.Inbox.Open(ctx, func(d backend.Delivery) {
		i.t.mu.Lock()
		dead, onDrop := i.t.dead || i.t.frozen, i.t.onDrop
		i.t.mu.Unlock()
		if dead || onDrop != nil && onDrop(d) {
			return
		}
		d.Receipt = receipt{i.t, d.Receipt}
		deliver(d)
	})
}

// receipt keeps the dead from answering.
type receipt struct {
	t *tap
	backend.Receipt
}

func (r receipt) Ack() { r.t.handle(pass, func(func() bool) { r.Receipt.Ack() }) }
func (r receipt) Nak() { r.t.handle(pass, func(func() bool) { r.Receipt.Nak() }) }
