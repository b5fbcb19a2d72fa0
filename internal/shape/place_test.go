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
	code := func(field, event, activity string) string {
		return "e = receive " + event + "\nawait e\nx = activity " + activity + "(in." + field + ")\nawait x"
	}
	with := func(flow string, field, activity, event, group string) *shape.Lock {
		l := lock(parse(flow))
		l.Types = []shape.Type{{Kind: "string"}, {Kind: "object", Fields: []shape.Field{{Name: field, Type: 0, Pos: at(20)}}}}
		o := &l.Orchestrators[0]
		o.Group, o.Func, o.Directive = group, "Order", at(49)
		o.Params = []shape.Param{{Type: 1}}
		a, e := takes(activity, 0), takes(event, 0)
		a.Func, e.Func = "Do", "Told"
		a.Directive, a.Pos, e.Directive, e.Pos = at(30), at(31), at(40), at(41)
		l.Activities, l.Events = []shape.Endpoint{a}, []shape.Endpoint{e}
		return l
	}
	old := with(code("id", "E", "A"), "id", "A", "E", "g")
	for _, test := range []struct {
		name string
		now  *shape.Lock
		want int
	}{
		{"a field", with(code("key", "E", "A"), "key", "A", "E", "g"), 20},
		{"an activity", with(code("id", "E", "B"), "id", "B", "E", "g"), 30},
		{"an event", with(code("id", "F", "A"), "id", "A", "F", "g"), 40},
		{"a group", with(code("id", "E", "A"), "id", "A", "E", "h"), 49},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var unsafe []shape.Finding
			for _, f := range shape.Compare(old, test.now, nil) {
				if !f.Safe {
					unsafe = append(unsafe, f)
				}
			}
			if len(unsafe) != 1 || unsafe[0].Pos.Line != test.want {
				t.Errorf("got %+v, want one in line %d", unsafe, test.want)
			}
		})
	}
}
