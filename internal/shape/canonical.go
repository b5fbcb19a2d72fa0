package shape

import (
	"fmt"
	"slices"
	"strings"
)

// Canonical gives equal values of a flow one entry and puts them in the order in which its nodes need them, so that the
// same behaviour is written with the same bytes. It loses positions: equal values had one for each place.
func Canonical(flow Flow) Flow {
	class := classify(flow.Values)
	out := Flow{Nodes: make([]Node, len(flow.Nodes)), Written: flow.Written, Functions: flow.Functions, Run: flow.Run}
	index := map[int]int{}
	var value func(int) int
	value = func(v int) int {
		if n, ok := index[class[v]]; ok {
			return n
		}
		n := len(out.Values)
		index[class[v]] = n
		out.Values = append(out.Values, Value{})
		w := flow.Values[v]
		w.Args = slices.Clone(w.Args)
		for i, a := range w.Args {
			w.Args[i] = value(a)
		}
		out.Values[n] = w
		return n
	}
	for i, n := range flow.Nodes {
		n.Args, n.Bodies = slices.Clone(n.Args), slices.Clone(n.Bodies)
		for k, a := range n.Args {
			n.Args[k] = value(a)
		}
		for k, b := range n.Bodies {
			n.Bodies[k] = Canonical(b)
		}
		out.Nodes[i] = n
	}
	return out
}

// classify numbers values so that those that cannot be told apart have the same number: at first all that are computed
// alike, then fewer and fewer by what they are computed from, until nothing changes any more.
func classify(values []Value) []int {
	class := make([]int, len(values))
	count := 0
	for {
		numbers := map[string]int{}
		next := make([]int, len(values))
		for i, v := range values {
			var key strings.Builder
			fmt.Fprintf(&key, "%s\x00%s\x00%d\x00%s\x00%d\x00%d\x00%d", v.Op, v.What, v.Node, v.Sum, v.Loop, v.Func, class[i])
			for _, a := range v.Args {
				fmt.Fprintf(&key, "\x00%d", class[a])
			}
			n, ok := numbers[key.String()]
			if !ok {
				n = len(numbers)
				numbers[key.String()] = n
			}
			next[i] = n
		}
		class = next
		if len(numbers) == count {
			return class
		}
		count = len(numbers)
	}
}
