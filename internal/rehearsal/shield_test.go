package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// cleaned waits for a timer, and then for an activity with a Context that nothing cancels, or with that of the orchestrator.
func cleaned(shielded bool) shape.Flow {
	return shape.Flow{
		Values: []shape.Value{{Op: "future", Node: 1}, {Op: "future", Node: 3}},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}, Type: shape.NoType},
			{Kind: shape.Timer, Next: []int{2}, Type: shape.NoType},
			{Kind: shape.Await, Args: []int{0}, Next: []int{3}, Type: shape.NoType},
			{Kind: shape.Activity, Target: "clean", Shielded: shielded, Next: []int{4}, Type: shape.NoType},
			{Kind: shape.Await, Args: []int{1}, Next: []int{5}, Type: shape.NoType},
			{Kind: shape.Return, Type: shape.NoType},
		},
	}
}

// After a cancellation only what is shielded takes a slot.
func TestShielded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, now, same bool }{{true, true, true}, {false, false, true}, {true, false, false}} {
		old, now := cleaned(c.old), cleaned(c.now)
		lock, o := &shape.Lock{}, &shape.Orchestrator{}
		x := newPair(shape.Program{Lock: lock, Orchestrator: o, Flow: &old}, shape.Program{Lock: lock, Orchestrator: o, Flow: &now})
		defer x.close()
		wrong := ""
		for seed := uint64(0); seed < 200 && wrong == ""; seed++ {
			wrong = x.once(seed)
		}
		if (wrong == "") != c.same {
			t.Errorf("shielded %t and %t: found %q, want that they are the same: %t", c.old, c.now, wrong, c.same)
		}
	}
}
