package natsbackend

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
)

// Meta implements backend.Backend.
func (b *Backend) Meta() backend.Meta { return meta{b, b.meta} }

type meta struct {
	b *Backend
	k *bucket
}

// Get implements backend.Meta.
func (m meta) Get(ctx context.Context, key string) (value []byte, rev uint64, err error) {
	type entry struct {
		value []byte
		rev   uint64
	}
	e, err := wait(ctx, m.b, "read key "+key, func(done func(entry, error)) {
		m.b.loads.do(func() {
			v, r, _, err := m.k.get(key)
			done(entry{v, r}, err)
		})
	})
	if err != nil {
		return nil, 0, err
	}
	return e.value, e.rev, nil
}

// Put implements backend.Meta.
func (m meta) Put(ctx context.Context, key string, value []byte, rev uint64) (newRev uint64, err error) {
	return wait(ctx, m.b, "write key "+key, func(done func(uint64, error)) { m.k.store(key, value, rev, done) })
}

// Delete implements backend.Meta.
func (m meta) Delete(ctx context.Context, key string, rev uint64) error {
	_, err := wait(ctx, m.b, "delete key "+key, func(done func(uint64, error)) { m.k.remove(key, rev, done) })
	return err
}

// List implements backend.Meta.
func (m meta) List(ctx context.Context, prefix string) (map[string][]byte, error) {
	return wait(ctx, m.b, fmt.Sprintf("list keys below %q", prefix), func(done func(map[string][]byte, error)) {
		m.b.loads.do(func() {
			all := map[string][]byte{}
			err := m.k.list(ctx, prefix, func(key string, value []byte, _ uint64, deleted bool) bool {
				if deleted {
					delete(all, key)
				} else {
					all[key] = value
				}
				return true
			})
			if err != nil {
				all = nil
			}
			done(all, err)
		})
	})
}

// Watch implements backend.Meta. The client's own watches stay silent for many seconds after a server restart, so this
// one begins anew at every reconnect, and passes on only what is new.
func (m meta) Watch(ctx context.Context, prefix string, fn func(key string, value []byte, rev uint64)) error {
	w := watch{meta: m, prefix: prefix, fn: fn, known: map[string]uint64{}, live: map[string]bool{}}
	pause := tick
	for {
		again := m.b.nextReconnect()
		started, err := w.once(ctx, again)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case m.b.ctx.Err() != nil:
			return backend.ErrClosed
		case errors.Is(err, backend.ErrPermission), errors.Is(err, jetstream.ErrBucketNotFound):
			return fmt.Errorf("natsbackend: watch keys below %q: %w", prefix, err)
		case started:
			pause = tick
		default:
			pause = min(2*pause, maxBackoff)
		}
		if err := m.b.pause(pause); err != nil {
			return err
		}
	}
}

// watch is the state of a Watch that outlives its connections.
type watch struct {
	meta
	prefix string
	fn     func(key string, value []byte, rev uint64)
	known  map[string]uint64 // newest revision passed on
	live   map[string]bool   // keys that exist, as passed on
}

// once watches until the connection is renewed. started tells that the present state came.
func (w *watch) once(ctx context.Context, again <-chan struct{}) (started bool, err error) {
	ctx, end := w.b.link.guard(ctx, w.k.read.stream)
	defer func() { err = end(err) }()
	kw, err := w.b.watched.Watch(ctx, wildcard(w.prefix))
	if err != nil {
		return false, err
	}
	defer func() { _ = kw.Stop() }() // it fails when the connection is closed, and then it is stopped
	present := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return started, ctx.Err()
		case <-w.b.ctx.Done():
			return started, backend.ErrClosed
		case <-again:
			return started, nil
		case e, open := <-kw.Updates():
			switch {
			case !open:
				return started, nil
			case e == nil: // all that is there has come
				started = true
				w.drop(present)
			default:
				present[e.Key()] = true
				if err := w.pass(e); err != nil {
					return started, err
				}
			}
		}
	}
}

// pass hands on what is new.
func (w *watch) pass(e jetstream.KeyValueEntry) error {
	key, rev := e.Key(), e.Revision()
	if rev <= w.known[key] {
		return nil
	}
	if e.Operation() != jetstream.KeyValuePut {
		w.known[key] = rev
		if w.live[key] {
			delete(w.live, key)
			w.fn(key, nil, rev)
		}
		return nil
	}
	value := e.Value()
	if len(value) == 0 { // in the object store, or empty
		v, r, _, err := w.k.get(key)
		if errors.Is(err, backend.ErrNotFound) {
			return nil // its deletion comes next
		}
		if err != nil {
			return err
		}
		value, rev = v, r
	}
	if value == nil {
		value = []byte{}
	}
	w.known[key], w.live[key] = rev, true
	w.fn(key, value, rev)
	return nil
}

// drop reports the keys that have vanished while nobody watched.
func (w *watch) drop(present map[string]bool) {
	for key := range w.live {
		if !present[key] {
			delete(w.live, key)
			w.known[key]++
			w.fn(key, nil, w.known[key])
		}
	}
}
