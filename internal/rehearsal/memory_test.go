package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// remembering is a flow of an activity with what a place in memory held after one of its steps: 1 makes it, 2 changes it.
func remembering(when int) shape.Flow {
	flow := steps([]shape.Node{
		{Kind: shape.Join, Next: []int{1}, Type: shape.NoType},
		{Kind: shape.Variable, Args: []int{0}, Next: []int{2}, Type: shape.NoType},
		{Kind: shape.Store, Args: []int{1, 2}, Next: []int{3}, Type: shape.NoType},
	}, []shape.Value{
		{Op: "const", What: "1"}, {Op: "result", Node: 1}, {Op: "const", What: "2"}, {Op: "after", Node: when}, {Op: "load", Args: []int{1, 3}},
	}, "3")
	flow.Nodes[3].Args = []int{4}
	return flow
}

// TestPlaces compares what is taken from memory with constants: it is what was there at a moment, whenever it is asked for.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		when int
		what string
		same bool
	}{
		{"before the change", 1, "1", true},
		{"before the change, not what comes later", 1, "2", false},
		{"after the change", 2, "2", true},
		{"after the change, not what was", 2, "1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			old, now := remembering(c.when), steps([]shape.Node{{Kind: shape.Join, Next: []int{1}, Type: shape.NoType}}, nil, c.what)
			lock, o := &shape.Lock{}, &shape.Orchestrator{}
			x := newPair(shape.Program{Lock: lock, Orchestrator: o, Flow: &old}, shape.Program{Lock: lock, Orchestrator: o, Flow: &now})
			defer x.close()
			wrong := ""
			for seed := range uint64(50) {
				if wrong == "" {
					wrong = x.once(seed)
				}
			}
			if (wrong == "") != c.same {
				t.Errorf("found %q, want that they are the same: %t", wrong, c.same)
			}
		})
	}
}
