package shape_test

import (
	"go/token"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// TestPlace: a finding goes to where the change was made, and one line has one finding of an orchestrator.
func TestPlace(t *testing.T) {
	t.Parallel()
	at := func(line int) token.Position { return token.Position{Filename: "f.go", Line: line, Column: 1} }
	object := func(field string, line int) []shape.Type {
		return []shape.Type{{Kind: "string"}, {Kind: "object", Fields: []shape.Field{{Name: field, Type: 0, Pos: at(line)}}}}
	}
	lock := func(field, activity, event, group string, line int) *shape.Lock {
		o := orchestrator("p.A", "", activity, 1)
		o.Group, o.Func, o.Pos, o.Directive = group, "A", at(50), at(49)
		o.Flow.Nodes[1].Next = []int{3}
		o.Flow.Nodes = append(o.Flow.Nodes, shape.Node{Kind: shape.Receive, Target: event, Type: shape.NoType, Next: []int{2}})
		x, e := takes(activity, 1), takes(event, 0)
		x.Func, e.Func = "X", "f"
		x.Directive, x.Pos, e.Directive, e.Pos = at(30), at(31), at(40), at(41)
		return &shape.Lock{
			Types: object(field, line), Orchestrators: []shape.Orchestrator{o},
			Activities: []shape.Endpoint{x}, Events: []shape.Endpoint{e},
		}
	}
	old := lock("id", "p.x", "p.e", "g", 0)
	for _, test := range []struct {
		name    string
		now     *shape.Lock
		finding shape.Finding
		want    int
	}{
		{"a field", lock("key", "p.x", "p.e", "g", 20), shape.Finding{Change: "an argument of activity p.x changed: the input.id became the input.key"}, 20},
		{"another field", lock("key", "p.x", "p.e", "g", 20), shape.Finding{Change: "an argument of activity p.x changed: the input.no became the input.yes"}, 99},
		{"an activity", lock("id", "p.y", "p.e", "g", 0), shape.Finding{Change: "activity p.x became activity p.y"}, 30},
		{"an event", lock("id", "p.x", "p.f", "g", 0), shape.Finding{Change: "the code now may take an event before activity p.x that it left alone"}, 41},
		{"a group", lock("id", "p.x", "p.e", "h", 0), shape.Finding{Kind: "group", Pos: at(50)}, 49},
		{"nothing of these", lock("id", "p.x", "p.e", "g", 0), shape.Finding{Change: "a timer was removed"}, 99},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := test.finding
			f.Orchestrator = "p.A"
			if !f.Pos.IsValid() {
				f.Pos = at(99)
			}
			got := shape.Place(old, test.now, []shape.Finding{f, f})
			if len(got) != 1 || got[0].Pos.Line != test.want {
				t.Errorf("got %+v, want one in line %d", got, test.want)
			}
		})
	}
}
