package sim

import (
	"errors"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/codec"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

// TestEverythingEndsOnceThoughKeysDiffer: some workers cannot read what others write, until the world is healed.
func TestEverythingEndsOnceThoughKeysDiffer(t *testing.T) {
	t.Parallel()
	for n := range (*seeds + 1) / 2 {
		seed := *first + uint64(n)
		if err := newWorld(seed, switches{}).withKeys(t).simulate(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// keyring hands out access to the hub with different keys.
type keyring struct {
	t    *testing.T
	full *codec.Backend // reads everything
}

func (w *world) withKeys(t *testing.T) *world {
	w.keys = &keyring{t: t}
	w.keys.full = w.keys.wrap(w.client, "k1", "k2")
	return w
}

func (k *keyring) wrap(v *membackend.View, ids ...string) *codec.Backend {
	k.t.Helper()
	aes := codec.NewAESGCM()
	for _, id := range ids {
		secret := make([]byte, 16)
		copy(secret, id)
		if err := aes.Add(id, secret); err != nil {
			k.t.Fatal(err)
		}
	}
	b, err := codec.New(v, codec.Gzip{Min: 20, Limit: 1 << 20}, aes)
	if err != nil {
		k.t.Fatal(err)
	}
	return b
}

// access gives a process its way to the hub: in a world with keys mostly with all of them, until it is healed.
func (w *world) access(v *membackend.View) backend.Backend {
	if w.keys == nil {
		return v
	}
	sets := [][]string{{"k1", "k2"}, {"k2", "k1"}, {"k1"}, {"k2"}, nil}
	n := w.rng.IntN(len(sets))
	if w.healed {
		n %= 2
	}
	if sets[n] == nil {
		return v
	}
	return w.keys.wrap(v, sets[n]...)
}

// record decodes what the log holds.
func (w *world) record(r history.Record) history.Record {
	if w.keys == nil {
		return r
	}
	clear, err := w.keys.full.Open(r)
	if err != nil {
		w.keys.t.Fatalf("a record that nobody can read: %v", err)
	}
	return clear
}

// cannotRead passes on a task whose arguments this worker has no key for.
func cannotRead(be backend.Backend, grant func(), d backend.TaskDelivery) bool {
	if err := backend.Unreadable(d.Task); d.Err == nil && err == nil {
		return false
	}
	var put func()
	put = func() {
		again := &history.Timer{Ref: d.Task.Ref, Due: be.Clock().Now().Add(time.Second), Task: d.Task}
		be.Append(backend.Append{To: d.From, Record: again}, func(_ uint64, err error) {
			if err != nil && !errors.Is(err, backend.ErrClosed) {
				be.Clock().After(100*time.Millisecond, put)
				return
			}
			d.Ack()
			grant()
		})
	}
	put()
	return true
}
