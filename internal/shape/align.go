package shape

import "slices"

// alignment tells which nodes of two flows are the same step. It is a guess for people: what a finding points to depends
// on it, and what is safe does not.
type alignment struct {
	to, from []int    // of an old node the new one, and the contrary; none where there is none
	before   [][]Edge // the ways into an old node
}

const none = -1

// mostAligned bounds the product of the sizes of two flows that are put side by side.
const mostAligned = 1 << 20

// alignment puts the steps of the two flows side by side, such that as much as can be stays.
func (w *walk) alignment() *alignment {
	if w.aligned != nil {
		return w.aligned
	}
	a := &alignment{
		to: slices.Repeat([]int{none}, len(w.old.Nodes)), from: slices.Repeat([]int{none}, len(w.new.Nodes)),
		before: entries(w.old.Flow),
	}
	w.aligned = a
	rows, columns := w.old.steps(), w.new.steps()
	if len(rows)*len(columns) > mostAligned {
		return a
	}
	after := entries(w.new.Flow)
	best := make([][]int, len(rows)+1)
	for i := range best {
		best[i] = make([]int, len(columns)+1)
	}
	worth := make([][]int, len(rows))
	for i := len(rows) - 1; i >= 0; i-- {
		worth[i] = make([]int, len(columns))
		for k := len(columns) - 1; k >= 0; k-- {
			if worth[i][k] = w.worth(rows[i], columns[k]); worth[i][k] > 0 {
				worth[i][k] += w.around(rows[i], columns[k], a.before, after)
			}
			best[i][k] = max(best[i+1][k], best[i][k+1])
			if worth[i][k] > 0 {
				best[i][k] = max(best[i][k], best[i+1][k+1]+worth[i][k])
			}
		}
	}
	for i, k := 0, 0; i < len(rows) && k < len(columns); {
		switch {
		case worth[i][k] > 0 && best[i][k] == best[i+1][k+1]+worth[i][k]:
			a.to[rows[i]], a.from[columns[k]] = columns[k], rows[i]
			i, k = i+1, k+1
		case best[i][k] == best[i][k+1]:
			k++
		default:
			i++
		}
	}
	return a
}

// steps gives the nodes that are more than a place where ways meet.
func (g *graph) steps() (list []int) {
	for i := range g.Nodes {
		if g.Nodes[i].Kind != Join {
			list = append(list, i)
		}
	}
	return list
}

func entries(f *Flow) [][]Edge {
	in := make([][]Edge, len(f.Nodes))
	for i := range f.Nodes {
		for k, n := range f.Nodes[i].Next {
			in[n] = append(in[n], Edge{From: i, Next: k})
		}
	}
	return in
}

// worth says how much two nodes have in common; 0 when they are not the same step.
func (w *walk) worth(i, k int) int {
	o, n := &w.old.Nodes[i], &w.new.Nodes[k]
	if o.Kind != n.Kind || !w.sameTarget(o, n) {
		return 0
	}
	p := w.pairing()
	same := len(o.Args) == len(n.Args)
	for x := 0; same && x < len(o.Args); x++ {
		same = p.a[o.Args[x]] == p.b[n.Args[x]]
	}
	switch o.Kind {
	case Branch:
		if same {
			return 8
		}
		return btoi(p.alike(o.Args[0], n.Args[0], 0) > 1)
	case Return, Continue, Panic:
		return 1 + btoi(same)
	case UUID, Random:
		return 4 + 4*btoi(w.old.read(i) == w.new.read(k))
	case Await:
		return 6 * btoi(same || w.old.awaited(o) == w.new.awaited(n))
	case AwaitAny:
		return 1 + 5*btoi(same || w.old.awaited(o) == w.new.awaited(n))
	}
	return 8 + 3*btoi(same)
}

// around adds something for the same step before, or behind.
func (w *walk) around(i, k int, before, after [][]Edge) int {
	worth := 0
	for _, e := range before[i] {
		for _, f := range after[k] {
			worth |= btoi(w.old.label(e.From) == w.new.label(f.From) && e.Next == f.Next)
		}
	}
	next := func(g *graph, n int) string {
		if len(g.Nodes[n].Next) != 1 {
			return ""
		}
		return g.label(g.Nodes[n].Next[0])
	}
	return worth + btoi(next(w.old, i) == next(w.new, k))
}

// read reports whether arguments are computed from what a node gives.
func (g *graph) read(node int) bool {
	for i := range g.Nodes {
		for _, v := range g.Nodes[i].Args {
			if slices.Contains(g.nodesOf(v, nil), node) {
				return true
			}
		}
	}
	return false
}

// nodesOf adds the nodes that a value is computed from.
func (g *graph) nodesOf(v int, list []int) []int {
	seen := map[int]bool{}
	var visit func(int)
	visit = func(v int) {
		if seen[v] {
			return
		}
		seen[v] = true
		if val := &g.Values[v]; val.ofNode() && val.Op != opPhi {
			list = append(list, val.Node)
		}
		for _, a := range g.Values[v].Args {
			visit(a)
		}
	}
	visit(v)
	return list
}

// awaited names all that a wait is for.
func (g *graph) awaited(n *Node) string {
	text := ""
	for _, v := range n.Args {
		text += g.source(v, 0) + "\n"
	}
	return text
}
