package membackend

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// PutState implements backend.States.
func (v *View) PutState(s backend.State, rev uint64, done func(rev uint64, err error)) {
	keep := v.m.cfg.Retention.OfState(&s, v.Clock().Now())
	v.putJSON(&v.m.states, "the state of", s.ID, s, v.m.cfg.MaxPayload, rev, keep, done)
}

// DeleteState implements backend.States.
func (v *View) DeleteState(id string, rev uint64, done func(err error)) {
	o := op{verb: "delete the state of", id: id, lane: "the state of\x00" + id}
	ask(v, o, Verdict{}, false, func() (uint64, error) {
		rev, err := v.m.states.put(id, nil, rev, v.m.cfg.Retention.OfMark())
		if err != nil {
			err = fmt.Errorf("membackend: delete the state of %s: %w", id, err)
		}
		return rev, err
	}, func(_ uint64, err error) { done(err) })
}

// PutArchive implements backend.Archives. The entry of an id is one, whatever its group, as in the bucket of states.
func (v *View) PutArchive(a backend.Archive, expect uint64, done func(seq uint64, err error)) {
	keep := v.m.cfg.Retention.OfArchive(&a, v.Clock().Now())
	v.putJSON(&v.m.archives, "the archive entry of", a.ID, a, v.m.cfg.MaxHistory, expect, keep, done)
}

// putJSON encodes in the call, so that the caller may change the value afterwards.
func (v *View) putJSON(t *table, what, id string, value any, most int, rev uint64, keep time.Duration, done func(uint64, error)) {
	data, err := json.Marshal(value)
	switch {
	case err != nil:
		err = fmt.Errorf("membackend: encode %s %s: %w", what, id, err)
	case len(data) > most:
		err = fmt.Errorf("membackend: %s %s has %d bytes, and at most %d are taken: %w", what, id, len(data), most, backend.ErrTooLarge)
	}
	if err != nil {
		v.refuse(func() { done(0, err) })
		return
	}
	o := op{verb: "put " + what, id: id, lane: what + "\x00" + id}
	ask(v, o, Verdict{}, false, func() (uint64, error) {
		rev, err := t.put(id, data, rev, keep)
		if err != nil {
			err = fmt.Errorf("membackend: put %s %s: %w", what, id, err)
		}
		return rev, err
	}, done)
}

// GetState implements backend.States.
func (v *View) GetState(id string, done func(s backend.State, rev uint64, err error)) {
	var stored time.Time
	getJSON(v, "the state of", id, func() (version, error) {
		f, err := v.m.states.get(id, v.m.happens(v.m.faults.LagStates, "lagging state", v.name, id))
		stored = v.m.time(f.stored)
		return f, err
	}, func(s backend.State, rev uint64, err error) {
		if s.Claim != nil {
			s.Stored = stored
		}
		done(s, rev, err)
	})
}

// GetArchive implements backend.Archives.
func (v *View) GetArchive(of history.Address, done func(a backend.Archive, seq uint64, err error)) {
	getJSON(v, "the archive entry of", of.ID, func() (version, error) {
		return v.m.archives.get(of.ID, v.m.happens(v.m.faults.LagArchives, "lagging archive", v.name, of.ID))
	}, done)
}

// getJSON decodes in the process, so that what it gets is its own.
func getJSON[T any](v *View, what, id string, get func() (version, error), done func(T, uint64, error)) {
	ask(v, op{verb: "get " + what, id: id, reads: true}, Verdict{}, false, func() (version, error) {
		f, err := get()
		if err != nil {
			err = fmt.Errorf("membackend: %s %s: %w", what, id, err)
		}
		return f, err
	}, func(f version, err error) {
		var value T
		if err == nil {
			if err = json.Unmarshal(f.value, &value); err != nil {
				err = fmt.Errorf("membackend: decode %s %s: %w", what, id, err)
			}
		}
		if err != nil {
			var zero T
			done(zero, f.rev, err)
			return
		}
		done(value, f.rev, nil)
	})
}

// LiveStates implements backend.States.
func (v *View) LiveStates(ctx context.Context, since uint64, yield func(a history.Address, need uint64, live bool)) (newest uint64, err error) {
	type change struct {
		id    string
		value []byte
		rev   uint64
	}
	changes, err := now(ctx, v, op{verb: "list", id: "live states"}, func() (changes []change, err error) {
		newest = since
		for _, id := range v.m.states.keys() {
			r := v.m.states.rows[id]
			at := r.now
			if v.m.happens(v.m.faults.LagStates, "lagging state", v.name, id) {
				at = r.before
			}
			if at.rev > since {
				changes = append(changes, change{id, at.value, at.rev})
				newest = max(newest, at.rev)
			}
		}
		return changes, nil
	})
	if err != nil {
		return since, err
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.rev, b.rev) })
	for _, c := range changes {
		s := backend.State{Address: history.Address{ID: c.id}}
		if c.value != nil {
			if err := json.Unmarshal(c.value, &s); err != nil {
				return since, fmt.Errorf("membackend: decode a state: %w", err)
			}
		}
		yield(s.Address, s.Need, c.value != nil && s.Begun())
	}
	return newest, nil
}

// ListStates implements backend.States, in the order of the ids.
func (v *View) ListStates(ctx context.Context, yield func(backend.State) bool) error {
	values, err := now(ctx, v, op{verb: "list", id: "states"}, func() (values [][]byte, err error) {
		for _, id := range v.m.states.keys() {
			if f, err := v.m.states.get(id, v.m.happens(v.m.faults.LagStates, "lagging state", v.name, id)); err == nil {
				values = append(values, f.value)
			}
		}
		return values, nil
	})
	if err != nil {
		return err
	}
	for _, value := range values {
		var s backend.State
		if err := json.Unmarshal(value, &s); err != nil {
			return fmt.Errorf("membackend: decode a state: %w", err)
		}
		if !yield(s) {
			return nil
		}
	}
	return ctx.Err()
}

// FindStates implements backend.States.
func (v *View) FindStates(ctx context.Context, q backend.Query) (page []backend.State, more bool, err error) {
	newest := backend.NewNewest(q)
	err = v.ListStates(ctx, func(s backend.State) bool { newest.Add(s); return true })
	page, more = newest.Page()
	return page, more, err
}

// CountStates implements backend.States.
func (v *View) CountStates(ctx context.Context, q backend.Query) (map[history.Status]int, error) {
	counts := map[history.Status]int{}
	err := v.ListStates(ctx, func(s backend.State) bool {
		if q.Fits(&s) {
			counts[s.Status]++
		}
		return true
	})
	return counts, err
}

// ListArchives implements backend.Archives, in the order of the ids.
func (v *View) ListArchives(ctx context.Context, yield func(backend.Archive) bool) error {
	entries, err := now(ctx, v, op{verb: "list", id: "archive entries"}, func() (entries []version, err error) {
		for _, id := range v.m.archives.keys() {
			if f, err := v.m.archives.get(id, false); err == nil {
				entries = append(entries, f)
			}
		}
		return entries, nil
	})
	if err != nil {
		return err
	}
	for _, f := range entries {
		var a backend.Archive
		if err := json.Unmarshal(f.value, &a); err != nil {
			return fmt.Errorf("membackend: decode an archive entry: %w", err)
		}
		a.Messages, a.Late, a.Custom = nil, nil, nil
		if !yield(a) {
			return nil
		}
	}
	return ctx.Err()
}
