package rehearsal

import (
	"fmt"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// answers waits for events one after the other, each with a timer, and does something when each came while it was waited for.
func answers(waits, others int, argument ...shape.Value) shape.Flow {
	f := shape.Flow{Nodes: []shape.Node{{Kind: shape.Join, Next: []int{2}}, {Kind: shape.Return}}}
	for i := range waits {
		n, v := len(f.Nodes), len(f.Values)
		f.Nodes = append(f.Nodes,
			shape.Node{Kind: shape.Receive, Target: fmt.Sprint("e", i), Next: []int{n + 1}},
			shape.Node{Kind: shape.Branch, Args: []int{v + 5}, Next: []int{1, n + 2}},
			shape.Node{Kind: shape.Timer, Next: []int{n + 3}},
			shape.Node{Kind: shape.AwaitAny, Args: []int{v, v + 1}, Next: []int{n + 4}},
			shape.Node{Kind: shape.Branch, Args: []int{v + 4}, Next: []int{n + 5, 1}})
		f.Values = append(f.Values, shape.Value{Op: "future", Node: n}, shape.Value{Op: "future", Node: n + 2}, shape.Value{Op: "result", Node: n + 3},
			shape.Value{Op: "const", What: "0"}, shape.Value{Op: "==", Args: []int{v + 2, v + 3}}, shape.Value{Op: "ready", Args: []int{v}})
	}
	f.Nodes = append(f.Nodes, shape.Node{Kind: shape.Activity, Target: "b", Args: []int{len(f.Values)}, Next: []int{len(f.Nodes) + 1}})
	for i := range others { // that may come as well
		f.Nodes = append(f.Nodes, shape.Node{Kind: shape.Receive, Target: fmt.Sprint("other", i), Next: []int{len(f.Nodes) + 1}})
	}
	f.Nodes = append(f.Nodes, shape.Node{Kind: shape.Return})
	for i := range argument[0].Args {
		argument[0].Args[i] += len(f.Values)
	}
	f.Values = append(f.Values, argument...)
	return f
}

// Scenarios come to what needs certain events, one after the other.
func TestDeliver(t *testing.T) {
	const waits, others = 4, 60
	all := answers(waits, others, shape.Value{Op: "const", What: `"all"`})
	joined := answers(waits, others, shape.Value{Op: "cat", Args: []int{1, 2}}, shape.Value{Op: "const", What: `"al"`}, shape.Value{Op: "const", What: `"l"`})
	if wrong, missing, runs := rehearsed(all, joined); wrong != "" || len(missing) > 0 {
		t.Errorf("after %d scenarios: %s, %q", runs, wrong, missing)
	}
	other := answers(waits, others, shape.Value{Op: "cat", Args: []int{1, 2}}, shape.Value{Op: "const", What: `"al"`}, shape.Value{Op: "const", What: `"one"`})
	if wrong, _, runs := rehearsed(all, other); wrong == "" {
		t.Errorf("a text became another, and %d scenarios do not show it", runs)
	}
}
