package sim

import (
	"errors"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/codec"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

// keyring hands out access to the hub with different keys.
type keyring struct {
	full *codec.Backend // reads everything
}

func newKeyring(v *membackend.View) *keyring {
	k := &keyring{}
	k.full = k.wrap(v, "k1", "k2")
	return k
}

func (k *keyring) wrap(v *membackend.View, ids ...string) *codec.Backend {
	aes := codec.NewAESGCM()
	for _, id := range ids {
		secret := make([]byte, 16)
		copy(secret, id)
		if err := aes.Add(id, secret); err != nil {
			panic(err)
		}
	}
	b, err := codec.New(v, codec.Gzip{Min: 20, Limit: 1 << 20}, aes)
	if err != nil {
		panic(err)
	}
	return b
}

// access gives a process its way to the hub: in a world with keys mostly with all of them, until it is healed.
func (w *world) access(v *membackend.View) backend.Backend {
	if w.keyring == nil {
		return v
	}
	sets := [][]string{{"k1", "k2"}, {"k2", "k1"}, {"k1"}, {"k2"}, nil}
	n := w.source("keys", v.Name()).IntN(len(sets))
	if w.healed {
		n %= 2
	}
	set := sets[n]
	if n > 1 && !w.mishap("other keys", v.Name(), fmt.Sprint(set)) {
		set = sets[0]
	}
	if set == nil {
		return v
	}
	return w.keyring.wrap(v, set...)
}

// record decodes what the log holds.
func (w *world) record(r history.Record) history.Record {
	if w.keyring == nil {
		return r
	}
	clear, err := w.keyring.full.Open(r)
	if err != nil {
		panic(fmt.Sprintf("a record that nobody can read: %v", err))
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
