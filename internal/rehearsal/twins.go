package rehearsal

import (
	"fmt"
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// A flow tells values apart by where they are in the source. What is known of one is known of all that are made in the same way
// of the same, so facts are about the first of them.

// ownValues are ops of values of which none is another one, and in which cycles are.
var ownValues = []string{"phi", "mu", "eta", "func", "arg", "found", "finds", "changed", "load", "rand", "logger"}

// findTwins finds for each value the one that stands for it.
func findTwins(f *shape.Flow) []int {
	twins, firsts := make([]int, len(f.Values)), map[string]int{}
	for v := range twins {
		twins[v] = -1
	}
	var find func(v int) int
	find = func(v int) int {
		if twins[v] >= 0 {
			return twins[v]
		}
		twins[v] = v
		val := &f.Values[v]
		if slices.Contains(ownValues, val.Op) {
			return v
		}
		key := fmt.Sprint(val.Op, "\x00", val.What, "\x00", val.Sum, "\x00", val.Node, " ", val.Loop, " ", val.Func)
		for _, a := range val.Args {
			key += fmt.Sprint(" ", find(a))
		}
		if first, ok := firsts[key]; ok {
			twins[v] = first
		} else {
			firsts[key] = v
		}
		return twins[v]
	}
	for v := range f.Values {
		find(v)
	}
	return twins
}
