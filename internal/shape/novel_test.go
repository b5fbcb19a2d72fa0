package shape_test

import (
	"go/token"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// TestPlaceOfWhatIsNew: a finding that tells what came of a change goes to the line of what the lock does not have; one
// that stands on such a line stays.
func TestPlaceOfWhatIsNew(t *testing.T) {
	t.Parallel()
	at := func(line int) token.Position { return token.Position{Filename: "f.go", Line: line, Column: 1} }
	flow := func(draws int, what string) shape.Flow {
		f := shape.Flow{
			Nodes:  []shape.Node{{Kind: shape.Join, Next: []int{1}}},
			Values: []shape.Value{{Op: "const", What: what, Pos: at(5)}, {Op: "call", What: "f", Args: []int{0}, Pos: at(6)}},
		}
		for i := range draws {
			f.Nodes = append(f.Nodes, shape.Node{Kind: shape.UUID, Next: []int{i + 2}, Pos: at(10 + i)})
		}
		f.Nodes = append(f.Nodes, shape.Node{Kind: shape.Activity, Target: "p.x", Args: []int{1}, Next: []int{draws + 2}, Pos: at(20)}, shape.Node{Kind: shape.Return})
		return f
	}
	lock := func(draws int, what string) *shape.Lock {
		return &shape.Lock{Orchestrators: []shape.Orchestrator{{Name: "p.A", Result: shape.NoType, Flow: flow(draws, what)}}}
	}
	for _, test := range []struct {
		name   string
		now    *shape.Lock
		line   int
		change string
		want   int
	}{
		{"another draw before", lock(2, "1"), 20, "an argument of activity p.x changed: a UUID is computed otherwise, or at another time", 10},
		{"the innermost value", lock(1, "2"), 20, "an argument of activity p.x changed: a variable does or means something else now", 5},
		{"on its line", lock(1, "2"), 5, "an argument of activity p.x changed: a variable does or means something else now", 5},
		{"exact already", lock(1, "2"), 20, "an argument of activity p.x changed: 1 became 2", 20},
		{"nothing is new", lock(1, "1"), 20, "a timer now comes before activity p.x", 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := shape.Place(lock(1, "1"), test.now, []shape.Finding{{Orchestrator: "p.A", Pos: at(test.line), Change: test.change}})
			if len(got) != 1 || got[0].Pos.Line != test.want {
				t.Errorf("got %+v, want one in line %d", got, test.want)
			}
		})
	}
}
