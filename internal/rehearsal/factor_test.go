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
