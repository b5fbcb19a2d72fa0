package membackend

import (
	"fmt"
	"maps"
	"slices"

	"github.com/durablegen/durablegen/internal/backend"
)

// table is a key-value store with revisions, which are unique in it. All of it is under the hub's lock.
type table struct {
	rows  map[string]*row
	rev   uint64
	marks bool // a deleted key keeps its revision
}

// row is a key that has ever had a value.
type row struct {
	now, before version // the value, and what a lagging replica still shows
}

// version is a value at a revision; a deleted key has a revision and no value.
type version struct {
	value []byte // never changed; nil: there is none
	rev   uint64
}

func newTable() table { return table{rows: map[string]*row{}} }

// get reads a key.
func (t *table) get(key string, lagging bool) (value []byte, rev uint64, err error) {
	r := t.rows[key]
	if r == nil {
		return nil, 0, backend.ErrNotFound
	}
	v := r.now
	if lagging {
		v = r.before
	}
	if v.value == nil {
		return nil, t.revOf(v), backend.ErrNotFound
	}
	return v.value, v.rev, nil
}

// put stores value, nil to delete the key, if it has revision rev; 0: it does not exist.
func (t *table) put(key string, value []byte, rev uint64) (uint64, error) {
	r := t.rows[key]
	if r == nil {
		r = &row{}
	}
	if has := t.revOf(r.now); has != rev {
		return 0, fmt.Errorf("it has revision %d, want %d: %w", has, rev, backend.ErrConflict)
	}
	t.rev++
	r.before, r.now = r.now, version{value, t.rev}
	t.rows[key] = r
	return t.rev, nil
}

func (t *table) revOf(v version) uint64 {
	if v.value == nil && !t.marks {
		return 0
	}
	return v.rev
}

// keys lists the keys that were ever there, in order.
func (t *table) keys() []string { return slices.Sorted(maps.Keys(t.rows)) }
