package natsbackend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// PutState implements backend.States.
func (b *Backend) PutState(s backend.State, rev uint64, done func(rev uint64, err error)) {
	value, err := json.Marshal(s)
	if err != nil {
		go done(0, fmt.Errorf("natsbackend: encode the state of %s/%s: %w", s.Group, s.ID, err))
		return
	}
	more := []history.Field{fence(rev)}
	if s.Begun() {
		more = append(more, history.Field{Key: headerNeed, Value: strconv.FormatUint(s.Need, 10)})
	} else if keep := b.info.Retention.OfState(&s, time.Now()); keep > 0 {
		more = append(more, ttl(keep))
	}
	b.aside(func() { b.store(b.states.put+history.EncodeID(s.ID), headers(more...), value, done) }, done)
}

// DeleteState implements backend.States. The bucket keeps a mark of the deletion for a while, without a value.
func (b *Backend) DeleteState(id string, rev uint64, done func(err error)) {
	var more []history.Field
	if keep := b.info.Retention.OfMark(); keep > 0 {
		more = append(more, ttl(keep))
	}
	b.states.remove(history.EncodeID(id), rev, func(_ uint64, err error) { done(err) }, more...)
}

// GetState implements backend.States.
func (b *Backend) GetState(id string, done func(s backend.State, rev uint64, err error)) {
	b.loads.do(func() {
		var s backend.State
		value, rev, at, err := b.states.get(history.EncodeID(id))
		if err == nil {
			s, err = decodeState(value)
		}
		if err != nil {
			done(backend.State{}, rev, fmt.Errorf("natsbackend: the state of %s: %w", id, err))
			return
		}
		if s.Claim != nil {
			s.Stored = at
		}
		done(s, rev, nil)
	})
}

func decodeState(value []byte) (s backend.State, err error) {
	if err := json.Unmarshal(value, &s); err != nil {
		return s, fmt.Errorf("it is not understood: %w", err)
	}
	return s, nil
}

// headerNeed is that of the state of a live instance, so that most states need not be decoded to see what the log must keep.
const headerNeed = "Durable-Need"

// LiveStates implements backend.States.
func (b *Backend) LiveStates(ctx context.Context, since uint64, yield func(a history.Address, need uint64, live bool)) (newest uint64, err error) {
	newest = since
	var failed error
	err = b.states.read.bulk(ctx, since+1, b.states.keys+">", func(m stored) bool {
		if failed = ctx.Err(); failed != nil {
			return false
		}
		var a history.Address
		if a.ID, failed = history.DecodeID(strings.TrimPrefix(m.subject, b.states.keys)); failed != nil {
			return false
		}
		need := m.header.Get(headerNeed)
		if need == "" {
			yield(a, 0, false)
			newest = m.seq
			return true
		}
		var value []byte
		if value, failed = b.bodyOf(m.header, m.body); failed != nil {
			return false
		}
		var s backend.State
		if s, failed = decodeState(value); failed == nil {
			yield(s.Address, s.Need, true)
			newest = m.seq
		}
		return failed == nil
	})
	if err = errors.Join(err, failed); err != nil {
		return newest, fmt.Errorf("natsbackend: live states: %w", err)
	}
	return newest, nil
}

// ListStates implements backend.States. A state that changes meanwhile may be given as it was.
func (b *Backend) ListStates(ctx context.Context, yield func(backend.State) bool) error {
	seen := map[string]struct{}{}
	var failed error
	err := b.states.list(ctx, "", func(key string, value []byte, _ uint64, deleted bool) bool {
		if _, again := seen[key]; again || deleted {
			return true
		}
		seen[key] = struct{}{}
		s, err := decodeState(value)
		if err != nil {
			failed = fmt.Errorf("natsbackend: the state under %s: %w", key, err)
			return false
		}
		return yield(s)
	})
	if err == nil {
		err = failed
	}
	return err
}
