package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// What becomes of a constant text is always the same: there is no other one for which it would become something else.
func TestEditsConstant(t *testing.T) {
	flow := func(text shape.Value) shape.Flow {
		return shape.Flow{
			Values: []shape.Value{text, {Op: "call", What: "strings.TrimSpace", Args: []int{0}}},
			Nodes:  []shape.Node{{Kind: shape.Join, Next: []int{1}}, {Kind: shape.Activity, Target: "a", Args: []int{1}, Next: []int{2}}, {Kind: shape.Return}},
		}
	}
	for _, c := range []struct {
		text    shape.Value
		missing bool
	}{{shape.Value{Op: "const", What: `""`}, false}, {shape.Value{Op: "param", What: "text"}, true}} {
		p := made(t, flow(c.text), shape.Param{Name: "text", Type: 2})
		if (question{p, 1}).missing() != c.missing {
			t.Errorf("of a %s another text has to be seen: %t", c.text.Op, !c.missing)
		}
	}
}
