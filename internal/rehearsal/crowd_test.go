package rehearsal

import (
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// enough goes over a list if there is enough for that: so much for each item.
func enough(list shape.Value, each string) shape.Flow {
	body := shape.Flow{
		Values: []shape.Value{{Op: "param", What: "0"}},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Activity, Target: "a", Args: []int{0}, Next: []int{2}, Type: shape.NoType},
			{Kind: shape.Return},
		},
	}
	return shape.Flow{
		Values: []shape.Value{
			{Op: "param", What: "items"},
			{Op: "param", What: "there"},
			{Op: "len", Args: []int{0}},
			{Op: "*", Args: []int{2, 4}},
			{Op: "const", What: each},
			{Op: "<", Args: []int{1, 3}},
			{Op: "const", What: "4"},
			list,
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Branch, Args: []int{5}, Next: []int{3, 2}},
			{Kind: shape.Go, Target: "foreach", Args: []int{7, 6}, Bodies: []shape.Flow{body}, Next: []int{3}},
			{Kind: shape.Return},
		},
	}
}

// More items come to a Map than it takes at once, though with that many there is not enough of something else.
func TestCrowded(t *testing.T) {
	items, there := shape.Param{Name: "items", Type: 1}, shape.Param{Name: "there", Type: 0}
	plain, clone := shape.Value{Op: "id", Args: []int{0}}, shape.Value{Op: "call", What: "slices.Clone", Args: []int{0}}
	if wrong, missing, runs := rehearsed(enough(plain, "1234567"), enough(clone, "1234567"), items, there); wrong != "" || len(missing) > 0 {
		t.Errorf("after %d scenarios: %s, %q", runs, wrong, missing)
	}
}

// A Map that takes as many items at once as the very list has never gets more.
func TestTakesAll(t *testing.T) {
	for _, c := range []struct {
		what  string
		limit []shape.Value // from value 8 on, the last is the limit
		want  bool
	}{
		{"the length", []shape.Value{{Op: "len", Args: []int{7}}}, true},
		{"the length, at least 4", []shape.Value{{Op: "len", Args: []int{7}}, {Op: "call", What: "max", Args: []int{6, 8}}}, true},
		{"the length, at most 4", []shape.Value{{Op: "len", Args: []int{7}}, {Op: "call", What: "min", Args: []int{6, 8}}}, false},
		{"the length of another list", []shape.Value{{Op: "len", Args: []int{0}}}, false},
		{"the length or 4", []shape.Value{{Op: "len", Args: []int{7}}, {Op: "if", Args: []int{5, 6, 8}}}, false},
	} {
		f := enough(shape.Value{Op: "call", What: "slices.Clone", Args: []int{0}}, "1")
		f.Values = append(f.Values, c.limit...)
		v := len(f.Values) - 1
		f.Nodes[2].Args = []int{7, v}
		p := made(t, f, shape.Param{Name: "items", Type: 1}, shape.Param{Name: "there", Type: 0})
		many, two := false, false
		for _, l := range p.lacksOf(2, false) {
			many = many || strings.HasPrefix(l.what, "many")
			two = two || strings.HasPrefix(l.what, "more than 1 ")
		}
		if many == c.want || two != c.want {
			t.Errorf("of %s: more have to come than it takes: %t, two have to: %t", c.what, many, two)
		}
		if v == 8 && c.want == (p.needs[v]&sawMore != 0) {
			t.Errorf("%s needs %b", c.what, p.needs[v])
		}
	}
}
