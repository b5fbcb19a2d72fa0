package natsbackend

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Hasty lets a hub forget sooner than real ones do.
func Hasty(cfg Config) Config {
	cfg.hasty = true
	return cfg
}

// SweepNow is Sweep without waiting for objects to be old.
func (b *Backend) SweepNow(margin time.Duration) error { return b.sweep(0, margin) }

// SmallIndex has a connection make segments of a few states.
func SmallIndex(cfg Config, rows int) Config {
	cfg.indexRows = rows
	return cfg
}

// Impatient has a connection give up reads soon that no leader answers.
func Impatient(cfg Config, after time.Duration) Config {
	cfg.readFor = after
	return cfg
}

// IndexSize is how many bytes the index of the states has.
func (b *Backend) IndexSize(ctx context.Context) (n int) {
	values, err := b.Meta().List(ctx, "index")
	if err != nil {
		panic(err)
	}
	for _, v := range values {
		n += len(v)
	}
	return n
}

// ForgetIndex has the index be read anew.
func (b *Backend) ForgetIndex() { b.index.stale.Store(true) }

// TamperCopies has all copies of states in the index, of whatever age, expire at a time and fail with a text. It gives how many
// there are.
func (b *Backend) TamperCopies(ctx context.Context, until int64, failure string) (n int, err error) {
	values, err := b.Meta().List(ctx, "index.copies")
	if err != nil {
		return 0, err
	}
	for key, value := range values {
		_, rev, err := b.Meta().Get(ctx, key)
		if err != nil {
			return 0, err
		}
		c, err := decodeCopies(value, rev)
		if err != nil {
			return 0, err
		}
		for k := range c.all {
			s, err := decodeState(c.all[k].value)
			if err != nil {
				return 0, err
			}
			s.Failure = failure
			if c.all[k].value, err = json.Marshal(s); err != nil {
				return 0, err
			}
			c.all[k].until = until
			n++
		}
		after, err := strconv.ParseUint(strings.TrimPrefix(key, indexCopies), 10, 64)
		if err == nil {
			_, err = b.Meta().Put(ctx, key, encodeCopies(after, *c), rev)
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Excess is how many states the index tells of that are gone, and how many it does not reach yet.
func (b *Backend) Excess(ctx context.Context) (gone, behind int, err error) {
	chain, err := b.index.chain(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, s := range chain {
		gone += s.count()
	}
	state, err := b.states.read.state(ctx)
	behind = int(state.LastSeq - endOf(chain).to)
	return gone + behind - int(state.Msgs), behind, err
}

// Prove tells whether a list that has read what is behind the index takes all of the index for there, after something has happened.
func (b *Backend) Prove(ctx context.Context, meanwhile func()) (bool, error) {
	f := &finder{behind: behind{b: b, ctx: ctx}, found: map[string]newest{}, gone: map[uint64]bool{}, late: map[string]struct{}{}}
	chain, err := b.index.chain(ctx)
	if err != nil {
		return false, err
	}
	f.end = endOf(chain).to
	f.read = f.end
	state, err := b.states.read.state(ctx)
	if err == nil {
		err = f.tail(state, f.add)
	}
	if err != nil {
		return false, err
	}
	meanwhile()
	return f.prove(chain)
}

// GetStates reads the states with some sequences of the bucket, all asked for at once.
func (b *Backend) GetStates(seqs []uint64) error {
	_, err := b.states.read.each(seqs, func(stored) error { return nil })
	return err
}
