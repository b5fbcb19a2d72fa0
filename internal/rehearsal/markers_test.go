package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// versioned does something more where a marker says yes. first is in front of it.
func versioned(first shape.Node) shape.Flow {
	first.Next = []int{2}
	return shape.Flow{
		Values: []shape.Value{
			{Op: "result", Node: 2},
			{Op: "const", What: `"more"`},
			{Op: "future", Node: 4},
			{Op: "error", Args: []int{2}},
			{Op: "const", What: "nil"},
			{Op: "==", Args: []int{3, 4}},
			{Op: "phi", Args: []int{1, 4}, Node: 7},
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			first,
			{Kind: shape.Marker, Target: "m", Next: []int{3}},
			{Kind: shape.Branch, Args: []int{0}, Next: []int{4, 7}},
			{Kind: shape.Activity, Target: "b", Args: []int{1}, Next: []int{5}},
			{Kind: shape.Await, Args: []int{2}, Next: []int{6}},
			{Kind: shape.Branch, Args: []int{5}, Next: []int{7, 9}},
			{Kind: shape.Join, Next: []int{8}, In: []shape.Edge{{From: 6}, {From: 3, Next: 1}}},
			{Kind: shape.Activity, Target: "c", Args: []int{6}, Next: []int{9}},
			{Kind: shape.Return},
		},
	}
}

// What is behind a marker that the old code does not have is behind the end of its histories.
func TestBehindNewMarker(t *testing.T) {
	a := shape.Node{Kind: shape.Activity, Target: "a"}
	old := func(first shape.Node) shape.Flow {
		f := versioned(first)
		f.Values[6] = shape.Value{Op: "const", What: "nil"}
		f.Nodes[1].Next = []int{8}
		for n := 2; n < 8; n++ {
			f.Nodes[n] = shape.Node{Kind: shape.Join, Next: []int{8}}
		}
		return f
	}
	if wrong, missing, runs := rehearsed(old(a), versioned(a)); wrong != "" || len(missing) > 0 {
		t.Errorf("after %d scenarios: %s, %q", runs, wrong, missing)
	}
	call := shape.Node{Kind: shape.Call, Target: "value", Args: []int{1}}
	for _, c := range []struct {
		what     string
		old, now shape.Flow
		dead     bool
	}{
		{"a new marker", old(a), versioned(a), true},
		{"a marker of both", versioned(a), versioned(a), false},
		{"one that a function may have asked for", old(call), versioned(call), false},
	} {
		x := newPair(programOf(lockOf(c.old)), programOf(lockOf(c.now)))
		p := x.now.program
		if p.live[4] == c.dead || p.closed[fork{p, 3, 0}] != c.dead || p.closed[fork{p, 3, 1}] {
			t.Errorf("what is behind the yes of %s is dead: %t, want %t", c.what, !p.live[4], c.dead)
		}
		x.close()
	}
}
