package natsbackend

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// bucket is a key-value bucket, used below the jetstream package to be asynchronous and to read on the leader.
type bucket struct {
	b    *Backend
	name string
	read source
	keys string // prefix of its subjects, with its dot
	put  string // the same to publish, which differs in a JetStream domain
}

const headerOperation = "KV-Operation" // DEL or PURGE: the key is deleted

func (b *Backend) bucket(name string, single bool) *bucket {
	k := &bucket{b: b, name: name, read: source{b, "KV_" + name, single}, keys: "$KV." + name + "."}
	k.put = k.keys
	if b.cfg.Domain != "" {
		k.put = b.api + k.keys
	}
	return k
}

func fence(seq uint64) history.Field {
	return history.Field{Key: headerFence, Value: strconv.FormatUint(seq, 10)}
}

// store writes value if the key's revision is rev (0: it does not exist).
func (k *bucket) store(key string, value []byte, rev uint64, done func(rev uint64, err error)) {
	k.write(key, value, rev, func(seq uint64, err error) {
		if rev != 0 || !errors.Is(err, backend.ErrConflict) {
			done(seq, err)
			return
		}
		// A deleted key does not exist, but its marker has a revision.
		k.b.loads.do(func() {
			m, readErr := k.read.last(k.keys + key)()
			if readErr != nil || m.header.Get(headerOperation) == "" {
				done(0, err)
				return
			}
			k.write(key, value, m.seq, done)
		})
	})
}

// write publishes a value with the revision that it replaces.
func (k *bucket) write(key string, value []byte, rev uint64, done func(rev uint64, err error)) {
	k.b.aside(func() { k.b.store(k.put+key, headers(fence(rev)), value, done) }, done)
}

// remove deletes a key whose revision is rev.
func (k *bucket) remove(key string, rev uint64, done func(rev uint64, err error), more ...history.Field) {
	k.b.aside(func() {
		k.b.calls.publish(k.put+key, headers(append(more, fence(rev), history.Field{Key: headerOperation, Value: "DEL"})...), nil, done)
	}, done)
}

// get reads a key on the leader; a deleted one is not found, with the revision of its deletion. It blocks.
func (k *bucket) get(key string) (value []byte, rev uint64, at time.Time, err error) {
	m, err := k.read.last(k.keys + key)()
	if err != nil {
		return nil, 0, at, err
	}
	if m.header.Get(headerOperation) != "" {
		return nil, m.seq, m.time, backend.ErrNotFound
	}
	value, err = k.b.bodyOf(m.header, m.body)
	return value, m.seq, m.time, err
}

// list calls yield for the keys below prefix. A key that changes meanwhile is seen again.
func (k *bucket) list(ctx context.Context, prefix string, yield func(key string, value []byte, rev uint64, deleted bool) bool) error {
	read := k.read.scan
	if prefix == "" {
		read = func(seq uint64, filter string, yield func(stored) bool) error {
			return k.read.bulk(ctx, seq, filter, yield)
		}
	}
	var failed error
	err := read(1, k.keys+wildcard(prefix), func(m stored) bool {
		if failed = ctx.Err(); failed != nil {
			return false
		}
		key := strings.TrimPrefix(m.subject, k.keys)
		if m.header.Get(headerOperation) != "" {
			return yield(key, nil, m.seq, true)
		}
		var value []byte
		if value, failed = k.b.bodyOf(m.header, m.body); failed != nil {
			return false
		}
		return yield(key, value, m.seq, false)
	})
	return errors.Join(err, failed)
}

// wildcard is the filter for the keys below prefix: its words come first. "" is above all keys.
func wildcard(prefix string) string {
	if prefix == "" {
		return ">"
	}
	return strings.TrimSuffix(prefix, ".") + ".>"
}

// wait turns a call with a callback into one that blocks.
func wait[T any](ctx context.Context, b *Backend, what string, call func(done func(T, error))) (v T, err error) {
	type result struct {
		v   T
		err error
	}
	answer := make(chan result, 1)
	call(func(v T, err error) { answer <- result{v, err} })
	select {
	case r := <-answer:
		v, err = r.v, r.err
	case <-ctx.Done():
		err = fmt.Errorf("%w: %w", backend.ErrUnavailable, context.Cause(ctx))
	}
	if err != nil {
		err = fmt.Errorf("natsbackend: %s: %w", what, err)
	}
	return v, err
}
