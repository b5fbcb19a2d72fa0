package membackend

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
)

// table is a key-value store with revisions, which are unique in it. All of it is under the hub's lock.
type table struct {
	now   func() int64 // the hub's clock
	rows  map[string]*row
	rev   uint64
	marks bool // a deleted key keeps its revision
}

// row is a key that has a value, or had one that did not expire.
type row struct {
	now, before version // the value, and what a lagging replica still shows
}

// version is a value at a revision; a deleted key has a revision and no value.
type version struct {
	value   []byte // never changed; nil: there is none
	rev     uint64
	stored  int64 // when, by the hub's clock
	expires int64 // when nothing is left of it; 0: never
}

func newTable(now func() int64) table { return table{now: now, rows: map[string]*row{}} }

// row finds a key, unless it has expired.
func (t *table) row(key string) *row {
	r := t.rows[key]
	if r != nil && r.now.expires > 0 && t.now() >= r.now.expires {
		delete(t.rows, key)
		return nil
	}
	return r
}

// get reads a key.
func (t *table) get(key string, lagging bool) (v version, err error) {
	r := t.row(key)
	if r == nil {
		return version{}, backend.ErrNotFound
	}
	v = r.now
	if lagging {
		v = r.before
	}
	if v.value == nil {
		return version{rev: t.revOf(v)}, backend.ErrNotFound
	}
	return v, nil
}

// put stores value, nil to delete the key, if it has revision rev; 0: it does not exist. It expires after keep, if that is
// not 0.
func (t *table) put(key string, value []byte, rev uint64, keep time.Duration) (uint64, error) {
	r := t.row(key)
	if r == nil {
		r = &row{}
	}
	if has := t.revOf(r.now); has != rev {
		return 0, fmt.Errorf("it has revision %d, want %d: %w", has, rev, backend.ErrConflict)
	}
	t.rev++
	r.before, r.now = r.now, version{value: value, rev: t.rev, stored: t.now()}
	if keep > 0 {
		r.now.expires = t.now() + int64(keep)
	}
	t.rows[key] = r
	return t.rev, nil
}

func (t *table) revOf(v version) uint64 {
	if v.value == nil && !t.marks {
		return 0
	}
	return v.rev
}

// keys lists the keys that are there or were deleted, in order.
func (t *table) keys() (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(t.rows)) {
		if t.row(key) != nil {
			keys = append(keys, key)
		}
	}
	return keys
}
