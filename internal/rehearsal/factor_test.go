package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// A sum of tens is never at a limit that is no multiple of ten. What is next to that has to be seen, and shows another limit.
func TestLimitBesideASum(t *testing.T) {
	tens := func(op, limit string, sum ...int) shape.Flow {
		f := summed(limit, sum...)
		f.Values[0].Op = op
		f.Values[13] = shape.Value{Op: "*", Args: []int{14, 15}}
		f.Values = append(f.Values, shape.Value{Op: "index", Args: []int{10, 4}}, shape.Value{Op: "const", What: "10"})
		return f
	}
	items := shape.Param{Name: "items", Type: 1}
	if by := made(t, tens("<", "123451", 13, 8), items).stepOf(0); by != 10 {
		t.Errorf("a sum of tens grows by %d, want 10", by)
	}
	if by := made(t, tens("<", "123450", 13, 8), items).stepOf(0); by != 1 {
		t.Errorf("a sum of tens that may be at its limit has to be beside it, by %d", by)
	}
	for _, c := range []struct{ op, limit string }{{"<", "123461"}, {"<", "123449"}, {"<=", "123460"}, {"<=", "123449"}} {
		if wrong, _, runs := rehearsed(tens("<", "123451", 13, 8), tens(c.op, c.limit, 13, 8), items); wrong == "" {
			t.Errorf("< 123451 became %s %s, and %d scenarios do not show it", c.op, c.limit, runs)
		}
	}
	wrong, missing, runs := rehearsed(tens("<", "123451", 13, 8), tens("<=", "123450", 8, 13), items)
	if wrong != "" || len(missing) > 0 {
		t.Errorf("the same limit, after %d scenarios: %s, %q", runs, wrong, missing)
	}
}

// What was put into a list of structs is still a multiple when it is taken out.
func TestFactorOfAField(t *testing.T) {
	f := func(put int) *program {
		return made(t, shape.Flow{
			Values: []shape.Value{
				{Op: "<", Args: []int{1, 2}},
				{Op: "field", What: "price", Args: []int{3}},
				{Op: "const", What: "7"},
				{Op: "index", Args: []int{4, 2}},
				{Op: "eta", Args: []int{0, 5}, Loop: 1},
				{Op: "mu", Args: []int{6, 7}, Loop: 1},
				{Op: "const", What: "nil"},
				{Op: "append", Args: []int{5, 8}},
				{Op: "struct", What: "name price", Args: []int{10, put}},
				{Op: "*", Args: []int{10, 11}},
				{Op: "param", What: "n"},
				{Op: "const", What: "50"},
			},
			Nodes: []shape.Node{{Kind: shape.Join, Next: []int{1}}, {Kind: shape.Return}},
		}, shape.Param{Name: "n", Type: 0})
	}
	for put, want := range map[int]int64{9: 50, 10: 1} {
		if by := f(put).stepOf(0); by != want {
			t.Errorf("a field that is value %d is a multiple of %d, want %d", put, by, want)
		}
	}
}
