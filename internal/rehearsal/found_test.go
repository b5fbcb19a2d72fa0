package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// told is a flow of an activity that is told one of some values.
func told(arg int, values ...shape.Value) shape.Flow {
	n := len(values)
	return shape.Flow{
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}, Type: shape.NoType},
			{Kind: shape.Activity, Target: "a.Do", Args: []int{arg}, Next: []int{2}, Type: shape.NoType},
			{Kind: shape.Await, Args: []int{n}, Next: []int{3}, Type: shape.NoType},
			{Kind: shape.Return, Type: shape.NoType},
		},
		Values: append(values, shape.Value{Op: "future", Node: 1}),
	}
}

// TestFunctionValues compares what is computed by functions that are values.
func TestFunctionValues(t *testing.T) {
	t.Parallel()
	constant := func(what string) shape.Flow { return told(0, shape.Value{Op: "const", What: what}) }
	// A function adds 2 to a variable. It is called once when 5 is in that, and once more.
	adding := func(arg int) shape.Flow {
		return told(arg,
			shape.Value{Op: "const", What: "1"}, // what was there when it was made
			shape.Value{Op: "func", Args: []int{2}},
			shape.Value{Op: "out", What: "0", Args: []int{3}},
			shape.Value{Op: "+", Args: []int{4, 5}},
			shape.Value{Op: "finds", What: "0", Args: []int{0}},
			shape.Value{Op: "const", What: "2"},
			shape.Value{Op: "apply", Args: []int{1}},
			shape.Value{Op: "const", What: "5"},
			shape.Value{Op: "changed", What: "out 0", Args: []int{6, 7}},
			shape.Value{Op: "changed", What: "out 0", Args: []int{6, 8}})
	}
	// Nobody knows what is called with a function that doubles a number.
	given := func(by string, second int) shape.Flow {
		return told(0,
			shape.Value{Op: "call", What: "example.com/other.Do", Args: []int{1}},
			shape.Value{Op: "func", Args: []int{2}},
			shape.Value{Op: by, Args: []int{3, second}},
			shape.Value{Op: "arg", What: "0"},
			shape.Value{Op: "arg", What: "0"})
	}
	for _, c := range []struct {
		name     string
		old, now shape.Flow
		same     bool
	}{
		{"called once", adding(8), constant("7"), true},
		{"called twice", adding(9), constant("9"), true},
		{"not as if it was called when it was made", adding(8), constant("3"), false},
		{"one value or two", given("+", 3), given("+", 4), true},
		{"another function", given("+", 3), given("*", 3), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			lock, o := &shape.Lock{}, &shape.Orchestrator{}
			x := newPair(shape.Program{Lock: lock, Orchestrator: o, Flow: &c.old}, shape.Program{Lock: lock, Orchestrator: o, Flow: &c.now})
			defer x.close()
			wrong := ""
			for seed := range uint64(20) {
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
