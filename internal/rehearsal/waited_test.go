package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// complete asks twice for the error of a future, with a step between: wait is the node before the first time.
func complete(wait shape.Node, again ...int) shape.Flow {
	wait.Next = []int{4}
	return shape.Flow{
		Values: []shape.Value{
			{Op: "future", Node: 1},
			{Op: "error", Args: []int{0}},
			{Op: "const", What: "nil"},
			{Op: "==", Args: []int{1, 2}},
			{Op: "const", What: "0"},
			{Op: "const", What: "1"},
			{Op: "const", What: "2"},
			{Op: "future", Node: 2},
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Activity, Target: "a", Next: []int{2}},
			{Kind: shape.Timer, Next: []int{3}},
			wait,
			{Kind: shape.Branch, Args: []int{3}, Next: again},
			{Kind: shape.Activity, Target: "b", Next: []int{6}},
			{Kind: shape.Branch, Args: []int{3}, Next: []int{7, 7}},
			{Kind: shape.Return},
		},
	}
}

// A future that was waited for and has no error never has one. Any other may get one, and one may be gone where a cancellation has
// ended the wait.
func TestErrorThatLasts(t *testing.T) {
	for name, c := range map[string]struct {
		wait   shape.Node
		again  []int
		closed bool
	}{
		"none":      {shape.Node{Kind: shape.Await, Args: []int{0}}, []int{5, 7}, true},
		"one":       {shape.Node{Kind: shape.Await, Args: []int{0}}, []int{7, 5}, false},
		"no wait":   {shape.Node{Kind: shape.Now}, []int{5, 7}, false},
		"of others": {shape.Node{Kind: shape.Await, Args: []int{7}}, []int{5, 7}, false},
		"any":       {shape.Node{Kind: shape.AwaitAny, Args: []int{0, 7}}, []int{5, 7}, false},
	} {
		p := made(t, complete(c.wait, c.again...))
		if got := p.closed[fork{p, 6, 1}]; got != c.closed {
			t.Errorf("%s: it is known that there is no error: %t, want %t", name, got, c.closed)
		}
		if p.closed[fork{p, 6, 0}] || p.closed[fork{p, 4, 0}] || p.closed[fork{p, 4, 1}] {
			t.Errorf("%s: there is always an error, or never", name)
		}
	}
}

// What is waited for in another Context may not be complete when the wait has ended.
func TestErrorElsewhere(t *testing.T) {
	f := complete(shape.Node{Kind: shape.Await, Args: []int{0}}, 5, 7)
	f.Values = append(f.Values, shape.Value{Op: "param", What: "n"}, shape.Value{Op: "error", Args: []int{0, 8}})
	p := made(t, f, shape.Param{Name: "n", Type: 0})
	if p.closed[fork{p, 6, 1}] {
		t.Error("a wait in another Context tells that there is no error")
	}
}

// What was waited for on one of two ways may not be complete where they meet.
func TestErrorOfOneWay(t *testing.T) {
	f := complete(shape.Node{Kind: shape.Branch, Args: []int{9}}, 5, 7)
	f.Values = append(f.Values, shape.Value{Op: "param", What: "in"}, shape.Value{Op: "field", What: "ok", Args: []int{8}})
	f.Nodes = append(f.Nodes, shape.Node{Kind: shape.Await, Args: []int{0}, Next: []int{9}}, shape.Node{Kind: shape.Join, Next: []int{4}, In: []shape.Edge{{From: 8}, {From: 10}}},
		shape.Node{Kind: shape.Now, Next: []int{9}})
	for i := range 2 {
		f.Nodes[3].Next = []int{8 + 2*i, 10 - 2*i}
		if p := made(t, f, shape.Param{Name: "in", Type: 1}); p.closed[fork{p, 6, 1}] {
			t.Error("a wait on one way tells of the other")
		}
	}
	f.Nodes[10].Kind, f.Nodes[10].Args = shape.Await, []int{0}
	if p := made(t, f, shape.Param{Name: "in", Type: 1}); !p.closed[fork{p, 6, 1}] {
		t.Error("a wait on each way tells nothing")
	}
}

// What was there first is complete, and what a variable holds later is another future.
func TestFirstOfAll(t *testing.T) {
	first := func(args ...int) *program {
		f := complete(shape.Node{Kind: shape.AwaitAny, Args: []int{0, 7}}, 5, 7)
		f.Values = append(f.Values, shape.Value{Op: "result", Node: 3}, shape.Value{Op: "const", What: "0"}, shape.Value{Op: "==", Args: []int{8, 9}})
		f.Nodes[3].Next = []int{8}
		f.Nodes = append(f.Nodes, shape.Node{Kind: shape.Branch, Args: []int{10}, Next: args})
		return made(t, f)
	}
	if p := first(4, 7); !p.closed[fork{p, 6, 1}] {
		t.Error("the error of what was there first may be another one later")
	}
	if p := first(7, 4); p.closed[fork{p, 6, 1}] {
		t.Error("the error of what was not there first is never another one")
	}
	f := complete(shape.Node{Kind: shape.Await, Args: []int{8}}, 5, 7)
	f.Values = append(f.Values, shape.Value{Op: "phi", Args: []int{0, 7}, Node: 8})
	f.Values[1].Args[0] = 8
	f.Nodes[2].Next, f.Nodes[6].Next = []int{8}, []int{8, 7}
	f.Nodes = append(f.Nodes, shape.Node{Kind: shape.Join, Next: []int{3}, In: []shape.Edge{{From: 2}, {From: 6}}})
	if p := made(t, f); !p.closed[fork{p, 6, 1}] || p.closed[fork{p, 4, 1}] {
		t.Error("it is not told apart what a variable held and holds")
	}
}

// byFirst branches by a number that is made of which of three was there first; more is behind that.
func byFirst(least string) shape.Flow {
	return shape.Flow{
		Values: []shape.Value{
			{Op: "future", Node: 1},
			{Op: "future", Node: 2},
			{Op: "future", Node: 3},
			{Op: "result", Node: 4},
			{Op: "const", What: "0"},
			{Op: "==", Args: []int{3, 4}},
			{Op: "const", What: "1"},
			{Op: "==", Args: []int{3, 6}},
			{Op: "const", What: "2"},
			{Op: "==", Args: []int{3, 8}},
			{Op: "const", What: "-1"},
			{Op: "if", Args: []int{9, 8, 10}},
			{Op: "if", Args: []int{7, 6, 11}},
			{Op: "if", Args: []int{5, 4, 12}},
			{Op: "<", Args: []int{13, 15}},
			{Op: "const", What: least},
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Timer, Next: []int{2}},
			{Kind: shape.Receive, Target: "e", Next: []int{3}},
			{Kind: shape.Receive, Target: "f", Next: []int{4}},
			{Kind: shape.AwaitAny, Args: []int{0, 1, 2}, Next: []int{5}},
			{Kind: shape.Branch, Args: []int{14}, Next: []int{6, 7}},
			{Kind: shape.Return},
			{Kind: shape.Branch, Args: []int{7}, Next: []int{6, 8}},
			{Kind: shape.Branch, Args: []int{5}, Next: []int{6, 9}},
			{Kind: shape.Branch, Args: []int{9}, Next: []int{6, 6}},
		},
	}
}

// One of three is there first, in whatever order somebody asks which.
func TestChosenByFirst(t *testing.T) {
	p := made(t, byFirst("0"))
	p.findPossible()
	if !p.closed[fork{p, 5, 0}] || !p.closed[fork{p, 9, 1}] || !p.sure[11] {
		t.Error("none of three is there first")
	}
	if p.closed[fork{p, 7, 0}] || p.closed[fork{p, 7, 1}] || p.closed[fork{p, 8, 0}] || p.closed[fork{p, 8, 1}] || p.sure[12] || p.sure[13] {
		t.Error("it is always the same that is there first")
	}
	if p := made(t, byFirst("1")); p.closed[fork{p, 5, 0}] || p.closed[fork{p, 5, 1}] {
		t.Error("the first of three is never there first, or always")
	}
}

// What was known of a future is forgotten when it is another one.
func TestForgetFuture(t *testing.T) {
	known := noFacts()
	known.there[1], known.well[1], known.last[1] = true, true, 3
	known.there[2], known.well[2], known.last[2] = true, true, 3
	known.forget(func(v int) bool { return v == 1 })
	if known.there[1] || known.well[1] || known.last[1] != 0 || !known.there[2] || !known.well[2] || known.last[2] != 3 {
		t.Errorf("left is %v", known.waited)
	}
}
