package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// steps is a flow of an activity with a constant, and what comes before it.
func steps(first []shape.Node, values []shape.Value, what string) shape.Flow {
	n := len(first)
	flow := shape.Flow{Nodes: append(first[:n:n],
		shape.Node{Kind: shape.Activity, Target: "a.Do", Args: []int{len(values)}, Type: shape.NoType, Next: []int{n + 1}},
		shape.Node{Kind: shape.Await, Args: []int{len(values) + 1}, Type: shape.NoType, Next: []int{n + 2}},
		shape.Node{Kind: shape.Return, Args: []int{len(values) + 2}, Type: shape.NoType},
	)}
	flow.Values = append(values[:len(values):len(values)],
		shape.Value{Op: "const", What: what}, shape.Value{Op: "future", Node: n}, shape.Value{Op: "error", Args: []int{len(values) + 1}})
	return flow
}

// calling is a flow that calls a function which it has as a value.
func calling(target, what string) shape.Flow {
	flow := shape.Flow{
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}, Type: shape.NoType},
			{Kind: shape.Call, Target: target, Args: []int{0}, Next: []int{2}, Type: shape.NoType},
			{Kind: shape.Return, Type: shape.NoType},
		},
		Values:    []shape.Value{{Op: "func", Sum: "f"}},
		Functions: []shape.Function{{Sum: "f", Flow: steps([]shape.Node{{Kind: shape.Join, Next: []int{1}, Type: shape.NoType}}, nil, what)}},
	}
	if target == "rollback" {
		flow.Nodes[1].Args = []int{1}
		flow.Values = append(flow.Values, shape.Value{Op: "list", Args: []int{0}})
	}
	return flow
}

// TestFunctions compares what calls a function with what has its steps in place.
func TestFunctions(t *testing.T) {
	t.Parallel()
	inPlace := func(what string) shape.Flow {
		return steps([]shape.Node{{Kind: shape.Join, Next: []int{1}, Type: shape.NoType}}, nil, what)
	}
	for _, c := range []struct {
		name     string
		old, now shape.Flow
		same     bool
	}{
		{"called", calling("value", "1"), inPlace("1"), true},
		{"called with another argument", calling("value", "1"), inPlace("2"), false},
		{"compensation", calling("rollback", "1"), inPlace("1"), true},
		{"another compensation", calling("rollback", "1"), calling("rollback", "2"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			lock, o := &shape.Lock{}, &shape.Orchestrator{}
			x := newPair(shape.Program{Lock: lock, Orchestrator: o, Flow: &c.old}, shape.Program{Lock: lock, Orchestrator: o, Flow: &c.now})
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
			if missing := x.missing(); c.same && len(missing) > 0 {
				t.Errorf("not seen: %v", missing)
			}
		})
	}
}

// TestPromoted finds a field of an embedded struct behind what the outer one was before.
func TestPromoted(t *testing.T) {
	t.Parallel()
	before := record{"-state": "open", "File": record{"number": "n", "round": zero{}}}
	after := record{"-state": "closed", "File": record{"-state": "late", "File": before}}
	r := runner()
	if got := r.field("number", after); got != "n" {
		t.Errorf("number is %s, want n", text(got))
	}
	if got := r.field("-state", after); got != "closed" {
		t.Errorf("state is %s, want closed", text(got))
	}
	if got := r.field("other", after); got != (zero{}) {
		t.Errorf("another field is %s, want none", text(got))
	}
}

// TestCopied copies into a list and into a part of it.
func TestCopied(t *testing.T) {
	t.Parallel()
	r := runner(
		shape.Value{Op: "const", What: "1"}, shape.Value{Op: "const", What: "2"}, shape.Value{Op: "const", What: "nil"},
		shape.Value{Op: "list", Args: []int{0, 0, 0}}, shape.Value{Op: "list", Args: []int{1}},
		shape.Value{Op: "copy", Args: []int{3, 4}}, shape.Value{Op: "changed", What: "copy", Args: []int{5, 3}},
		shape.Value{Op: "slice", Args: []int{3, 0, 2, 2}},
		shape.Value{Op: "copy", Args: []int{7, 4}}, shape.Value{Op: "changed", What: "copy", Args: []int{8, 3}},
	)
	for v, want := range map[int]string{5: "1", 6: "[2,1,1]", 8: "1", 9: "[1,2,1]", 3: "[1,1,1]"} {
		if got := text(r.of(v, r.base)); got != want {
			t.Errorf("value %d is %s, want %s", v, got, want)
		}
	}
}
