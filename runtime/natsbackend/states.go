package natsbackend

import (
	"context"
	"encoding/json"
	"fmt"

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
	b.store(b.states.put+history.EncodeID(s.ID), headers(nil, fence(rev)), value, done)
}

// DeleteState implements backend.States. The bucket keeps a mark of the deletion, without a value.
func (b *Backend) DeleteState(id string, rev uint64, done func(err error)) {
	b.states.remove(history.EncodeID(id), rev, func(_ uint64, err error) { done(err) })
}

// GetState implements backend.States.
func (b *Backend) GetState(id string, done func(s backend.State, rev uint64, err error)) {
	b.loads.do(func() {
		var s backend.State
		value, rev, err := b.states.get(history.EncodeID(id))
		if err == nil {
			s, err = decodeState(value)
		}
		if err != nil {
			done(backend.State{}, rev, fmt.Errorf("natsbackend: the state of %s: %w", id, err))
			return
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
