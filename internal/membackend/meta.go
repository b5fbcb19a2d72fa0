package membackend

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/backend"
)

// Meta implements backend.Backend.
func (v *View) Meta() backend.Meta { return meta{v} }

type meta struct{ v *View }

// Get implements backend.Meta.
func (s meta) Get(ctx context.Context, key string) (value []byte, rev uint64, err error) {
	f, err := now(ctx, s.v, op{verb: "read key", id: key}, func() (version, error) {
		f, err := s.v.m.meta.get(key, false)
		if err != nil {
			err = fmt.Errorf("membackend: read key %s: %w", key, err)
		}
		f.value = bytes.Clone(f.value)
		return f, err
	})
	return f.value, f.rev, err
}

// Put implements backend.Meta.
func (s meta) Put(ctx context.Context, key string, value []byte, rev uint64) (newRev uint64, err error) {
	if len(value) > s.v.m.cfg.MaxPayload {
		return 0, fmt.Errorf("membackend: the value of key %s has %d bytes, and Config.MaxPayload is %d: %w", key, len(value), s.v.m.cfg.MaxPayload, backend.ErrTooLarge)
	}
	return s.change(ctx, "write key", key, append([]byte{}, value...), rev)
}

// Delete implements backend.Meta.
func (s meta) Delete(ctx context.Context, key string, rev uint64) error {
	_, err := s.change(ctx, "delete key", key, nil, rev)
	return err
}

func (s meta) change(ctx context.Context, verb, key string, value []byte, rev uint64) (uint64, error) {
	m := s.v.m
	return now(ctx, s.v, op{verb: verb, id: key}, func() (uint64, error) {
		rev, err := m.meta.put(key, value, rev, 0)
		if err != nil {
			return 0, fmt.Errorf("membackend: %s %s: %w", verb, key, err)
		}
		m.notify()
		return rev, nil
	})
}

// List implements backend.Meta.
func (s meta) List(ctx context.Context, prefix string) (map[string][]byte, error) {
	return now(ctx, s.v, op{verb: "list keys below", id: prefix}, func() (map[string][]byte, error) {
		list := map[string][]byte{}
		for key, r := range s.v.m.meta.rows {
			if beneath(key, prefix) && r.now.value != nil {
				list[key] = bytes.Clone(r.now.value)
			}
		}
		return list, nil
	})
}

// beneath reports whether the words of prefix come first in key, and are not all of it; "" is above all keys.
func beneath(key, prefix string) bool {
	return prefix == "" || strings.HasPrefix(key, strings.TrimSuffix(prefix, ".")+".")
}

// watcher is a running Watch. All but view, ctx, prefix and fn is under the hub's lock.
type watcher struct {
	view   *View
	ctx    context.Context
	prefix string
	fn     func(key string, value []byte, rev uint64)
	known  map[string]version // what has been sent to it
	lane   int64              // when the newest change arrives
	over   bool
	busy   chan struct{} // closed when the running fn returns; nil: none runs
}

// Watch implements backend.Meta. It blocks, also in virtual mode: call it on a goroutine of its own. fn is called with
// the other callbacks of the view. When the view is closed or killed it returns ErrClosed.
func (s meta) Watch(ctx context.Context, prefix string, fn func(key string, value []byte, rev uint64)) error {
	m, w := s.v.m, &watcher{view: s.v, ctx: ctx, prefix: prefix, fn: fn, known: map[string]version{}}
	_, err := now(ctx, s.v, op{verb: "watch keys below", id: prefix}, func() (struct{}, error) {
		m.watchers = append(m.watchers, w)
		w.look()
		return struct{}{}, nil
	})
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.v.gone:
		err = fmt.Errorf("membackend: watch keys below %s: %w", prefix, backend.ErrClosed)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	w.over = true
	m.watchers = slices.DeleteFunc(m.watchers, func(x *watcher) bool { return x == w })
	for w.busy != nil && m.cfg.Live {
		busy := w.busy
		m.mu.Unlock()
		<-busy
		m.mu.Lock()
	}
	return err
}

// notify tells the watchers of a change. Lock held.
func (m *Memory) notify() {
	m.watchers = slices.DeleteFunc(m.watchers, func(w *watcher) bool { return w.ctx.Err() != nil })
	for _, w := range m.watchers {
		w.look()
	}
}

// look sends what the watcher does not know, in the order of the changes. Lock held.
func (w *watcher) look() {
	m := w.view.m
	if !w.view.reachable() {
		return // after Reconnect it looks again
	}
	var keys []string
	for _, key := range m.meta.keys() {
		if beneath(key, w.prefix) && m.meta.rows[key].now.rev > w.known[key].rev {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int {
		return int(int64(m.meta.rows[a].now.rev) - int64(m.meta.rows[b].now.rev))
	})
	for _, key := range keys {
		v := m.meta.rows[key].now
		had := w.known[key]
		w.known[key] = v
		if v.value == nil && had.value == nil {
			continue // it came and went unseen
		}
		w.send(key, v, had)
	}
}

func (w *watcher) send(key string, v, before version) {
	m, epoch := w.view.m, w.view.epoch
	w.lane = max(w.lane, m.now()+int64(w.view.trip("change", w.view.name, key)))
	m.at(w.lane, w.view, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		switch {
		case w.over || w.view.closed || w.ctx.Err() != nil:
		case epoch == w.view.epoch:
			busy := make(chan struct{})
			w.busy = busy
			m.mu.Unlock()
			w.fn(key, bytes.Clone(v.value), v.rev)
			m.mu.Lock()
			w.busy = nil
			close(busy)
		case w.known[key].rev == v.rev: // lost with the connection
			w.known[key] = version{value: before.value}
			w.look()
		}
	})
}
