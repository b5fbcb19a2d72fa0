package owner

import (
	"sync"

	"github.com/durablegen/durablegen/internal/history"
)

// mostWarned is how many slots are remembered; when there are more, all are forgotten.
const mostWarned = 10_000

// warned remembers which slots have been told to have other arguments: an instance is replayed as often as it is loaded. Its
// zero value is ready, for any goroutine.
type warned struct {
	mu    sync.Mutex
	slots map[warnedOf]bool
}

type warnedOf struct {
	history.Address
	history.Ref
}

// first reports whether it is the first time that a slot is told.
func (w *warned) first(of warnedOf) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.slots[of] {
		return false
	}
	if w.slots == nil || len(w.slots) == mostWarned {
		w.slots = map[warnedOf]bool{}
	}
	w.slots[of] = true
	return true
}
