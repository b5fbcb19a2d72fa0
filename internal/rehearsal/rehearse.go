package rehearsal

import "github.com/durablegen/durablegen/internal/shape"

// Rehearse is [shape.Rehearse].
func Rehearse(old, now shape.Program) shape.Rehearsal {
	x := New(old.Lock, old.Orchestrator, old.Flow, now.Lock, now.Orchestrator, now.Flow)
	defer x.Close()
	wrong := x.Run()
	return shape.Rehearsal{Runs: x.Done, Differs: wrong != "", Unseen: x.Missing()}
}
