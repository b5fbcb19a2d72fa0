package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// tabled goes over a list of numbers that is chosen by an input: there is a step for each of them, and another one for nine.
func tabled(last shape.Value) shape.Flow {
	return shape.Flow{
		Values: []shape.Value{
			{Op: "param", What: "role"},
			{Op: "const", What: `"a"`},
			{Op: "==", Args: []int{0, 1}},
			{Op: "const", What: "1"},
			{Op: "const", What: "2"},
			last,
			{Op: "list", Args: []int{3, 4}},
			{Op: "append", Args: []int{6, 5}},
			{Op: "if", Args: []int{2, 6, 7}},
			{Op: "phi", Args: []int{8, 10}, Node: 1}, // 9
			{Op: "slice", Args: []int{9, 3, 11, 11}},
			{Op: "const", What: "nil"},
			{Op: "len", Args: []int{9}},
			{Op: "const", What: "0"},
			{Op: "==", Args: []int{12, 13}},
			{Op: "index", Args: []int{9, 13}},
			{Op: "const", What: "9"},
			{Op: "==", Args: []int{15, 16}}, // 17
			{Op: "future", Node: 4},
			{Op: "param", What: "n"},
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Join, Next: []int{2}, In: []shape.Edge{{From: 0}, {From: 5}}},
			{Kind: shape.Branch, Args: []int{14}, Next: []int{7, 3}},
			{Kind: shape.Branch, Args: []int{17}, Next: []int{6, 4}},
			{Kind: shape.Activity, Target: "a", Args: []int{15}, Next: []int{5}},
			{Kind: shape.Await, Args: []int{18}, Next: []int{1}},
			{Kind: shape.Activity, Target: "nine", Next: []int{7}},
			{Kind: shape.Return},
		},
	}
}

// What is in no state to which a flow may come is dead, and nothing else is.
func TestRuledOut(t *testing.T) {
	role, n := shape.Param{Name: "role", Type: 2}, shape.Param{Name: "n", Type: 0}
	for _, c := range []struct {
		what string
		last shape.Value
		dead bool
	}{
		{"three", shape.Value{Op: "const", What: "3"}, true},
		{"nine", shape.Value{Op: "const", What: "9"}, false},
		{"an input", shape.Value{Op: "param", What: "n"}, false},
		{"what is not looked into", shape.Value{Op: "call", What: "a.B", Args: []int{3}}, false},
		{"nine, by a text", shape.Value{Op: "if", Args: []int{2, 3, 16}}, false},
		{"nine, if that was not asked for before", shape.Value{Op: "if", Args: []int{2, 16, 3}}, true},
	} {
		p := made(t, tabled(c.last), role, n)
		if p.live[6] == c.dead || p.closed[fork{p, 3, 0}] != c.dead {
			t.Errorf("if the last is %s, the step for nine is dead: %t, want %t", c.what, !p.live[6], c.dead)
		}
		if !p.live[4] || !p.live[7] || p.closed[fork{p, 2, 0}] || p.closed[fork{p, 2, 1}] || p.closed[fork{p, 3, 1}] {
			t.Errorf("if the last is %s, more than that is dead: %v, %v", c.what, p.live, p.closed)
		}
	}
}

// A flow with more states than are gone through has nothing ruled out.
func TestTooManyStates(t *testing.T) {
	f := tabled(shape.Value{Op: "const", What: "3"})
	f.Values[10] = shape.Value{Op: "append", Args: []int{9, 3}}
	if p := made(t, f, shape.Param{Name: "role", Type: 2}); len(p.ruledOut) > 0 || !p.live[6] || !p.live[7] {
		t.Errorf("ruled out is %v", p.ruledOut)
	}
}
