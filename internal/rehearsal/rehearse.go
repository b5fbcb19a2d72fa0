package rehearsal

import "github.com/durablegen/durablegen/internal/shape"

// How much is tried.
const (
	drawn    = 1500
	searched = 3000
)

// Rehearse is [shape.Rehearse].
func Rehearse(old, now shape.Program) shape.Rehearsal {
	x := New(old.Lock, old.Orchestrator, old.Flow, now.Lock, now.Orchestrator, now.Flow)
	defer x.Close()
	wrong := ""
	for seed := uint64(0); seed < drawn && wrong == ""; seed++ {
		wrong = x.Try(seed)
	}
	if wrong == "" {
		wrong = x.Search(300, searched)
	}
	return shape.Rehearsal{Runs: x.Done, Differs: wrong != "", Unseen: x.Missing()}
}
