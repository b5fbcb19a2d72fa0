package shape

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// novel gives the lines of a new flow that hold what the old one does not have at all: the innermost values, and nodes.
// What a finding is felt by is often further down than these.
func novel(old, now *Flow) []token.Position {
	have := inventory{values: map[string]bool{}, nodes: map[string]int{}}
	have.add(old)
	var places []token.Position
	have.missing(now, &places)
	return append(places, inserted(old, now)...)
}

// inserted gives the nodes of a flow that the old one has fewer of, those that do not fit into the order of before.
func inserted(old, now *Flow) []token.Position {
	a, b := old.steps(), now.steps()
	// common[i][j] is how many steps a[i:] and b[j:] have in common, in the same order.
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	count := map[string]int{}
	for _, s := range a {
		count[s]--
	}
	for _, s := range b {
		count[s]++
	}
	var places []token.Position
	for i, j := 0, 0; j < len(b); {
		switch {
		case common[i][j+1] == common[i][j] && count[b[j]] > 0: // what follows fits as well without it
			if at := now.Nodes[j].Pos; at.IsValid() {
				places = append(places, at)
			}
			count[b[j]]--
			j++
		case i < len(a) && a[i] == b[j]:
			i, j = i+1, j+1
		case i < len(a) && common[i+1][j] >= common[i][j+1]:
			i++
		default:
			j++
		}
	}
	return places
}

// steps names the nodes of a flow in order; what only joins and parts ways is "".
func (f *Flow) steps() []string {
	steps := make([]string, len(f.Nodes))
	for i := range f.Nodes {
		switch n := &f.Nodes[i]; n.Kind {
		case Join, Branch, Await, Return, Panic:
		default:
			steps[i] = n.String()
		}
	}
	return steps
}

// inventory is what a flow is made of, without the order.
type inventory struct {
	values map[string]bool // labels
	nodes  map[string]int
}

func (h *inventory) add(f *Flow) {
	for i := range f.Values {
		h.values[f.label(i, 1)] = true
	}
	for i := range f.Nodes {
		h.nodes[f.Nodes[i].String()]++
		for j := range f.Nodes[i].Bodies {
			h.add(&f.Nodes[i].Bodies[j])
		}
	}
}

// label says how a value is computed, to a depth.
func (f *Flow) label(i, depth int) string {
	v := &f.Values[i]
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q %s", v.Op, v.What, v.Sum)
	if v.Op == "result" || v.Op == "future" || v.Op == "error" {
		if v.Node > 0 && v.Node < len(f.Nodes) {
			b.WriteString(f.Nodes[v.Node].String())
		}
	}
	if depth > 0 && v.Op != "phi" && v.Op != "const" {
		for _, a := range v.Args {
			fmt.Fprintf(&b, " (%s)", f.label(a, depth-1))
		}
	}
	return b.String()
}

func (h *inventory) missing(f *Flow, places *[]token.Position) {
	is := make([]bool, len(f.Values))
	for i := range f.Values {
		is[i] = !h.values[f.label(i, 1)]
	}
	for i, v := range f.Values {
		if is[i] && v.Pos.IsValid() && !slices.ContainsFunc(v.Args, func(a int) bool { return is[a] }) {
			*places = append(*places, v.Pos)
		}
	}
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if n.Pos.IsValid() && h.nodes[n.String()] == 0 {
			*places = append(*places, n.Pos)
		}
		for j := range n.Bodies {
			h.missing(&n.Bodies[j], places)
		}
	}
}
