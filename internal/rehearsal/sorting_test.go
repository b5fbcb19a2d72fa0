package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// A function by which a list is sorted that comes in order is asked both ways. If it does not say the same, that does not count.
func TestSortedBothWays(t *testing.T) {
	r := runner(
		shape.Value{Op: "arg", What: "0"}, shape.Value{Op: "arg", What: "1"},
		shape.Value{Op: "call", What: "cmp.Compare", Args: []int{0, 1}}, shape.Value{Op: "func", Args: []int{2}},
		shape.Value{Op: "call", What: "cmp.Compare", Args: []int{0, 1}}, shape.Value{Op: "const", What: "0"},
		shape.Value{Op: "call", What: "max", Args: []int{4, 5}}, shape.Value{Op: "func", Args: []int{6}},
	)
	for f, want := range map[int]uint8{3: sawLess | sawMore, 7: sawMore} {
		l := ours([]int{1, 2, 3}).(list)
		r.sortBy(functionOf(r, f), l)
		if saw := r.p.asks[r.p.flow.Values[f].Args[0]-2*btoi(f == 7)]; saw&sawOrder != want {
			t.Errorf("function %d has come to %b, want %b", f, saw&sawOrder, want)
		}
	}
}
