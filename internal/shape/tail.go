package shape

import (
	"maps"
	"slices"
	"strconv"
)

// tail tells what has to be equal for two programs to go on alike for ever from a pair of nodes: all that can be reached from
// there is the same, step by step.
type tail struct {
	same  bool
	roots [][2]int // of the old program, of the new one: those that were given before, and may be read
}

// alike reports whether the two programs are at places from which on they do the same, with the same values: then
// nothing can differ any more, and nobody has to go there.
func (w *walk) alike(s *state) bool {
	if !s.level() {
		return false
	}
	for i, kind := range []NodeKind{UUID, Random} {
		if d := &s.draws[i]; len(d.values) > 0 || d.lost && w.old.meets(s.old.at, kind) {
			return false
		}
	}
	t := w.tail(s.old.at, s.new.at)
	if !t.same {
		return false
	}
	for _, r := range t.roots {
		if !w.given(s.old.env[r[0]], s.new.env[r[1]]) {
			return false
		}
	}
	return maps.Equal(s.old.markers, s.new.markers)
}

// given reports whether two roots are the same.
func (w *walk) given(a, b term) bool {
	if a == unset || b == unset {
		return false
	}
	x, y := w.t.all[a], w.t.all[b]
	if x.op == "point" && y.op == "point" {
		return x.args[1] == y.args[1] && w.t.agree(x.args[0], y.args[0])
	}
	return w.t.agree(a, b)
}

// tail compares what can be reached from a pair of nodes.
func (w *walk) tail(o, n int) *tail {
	key := [2]int{o, n}
	if t, ok := w.tails[key]; ok {
		return t
	}
	m := &matching{w: w, to: map[int]int{}, from: map[int]int{}, values: map[[2]int]bool{}, entries: map[[2]int][][2]Edge{}, phis: map[[2]int][][2]int{}}
	m.node(o, n)
	t := &tail{same: m.run()}
	if t.same {
		for pair := range m.values {
			a, b := w.old.root(pair[0]), w.new.root(pair[1])
			if a < 0 {
				continue
			}
			t.same = t.same && m.sameRoot(pair)
			if w.old.live[o].has(a) || w.new.live[n].has(b) {
				t.roots = append(t.roots, [2]int{a, b})
			}
		}
	}
	w.tails[key] = t
	return t
}

// matching puts nodes and values of two graphs into pairs.
type matching struct {
	w        *walk
	to, from map[int]int
	values   map[[2]int]bool
	entries  map[[2]int][][2]Edge // of a pair of joins: the ways into them
	phis     map[[2]int][][2]int  // of a pair of joins: pairs of phis
	todo     []func() bool
}

func (m *matching) run() bool {
	for len(m.todo) > 0 {
		next := m.todo[len(m.todo)-1]
		m.todo = m.todo[:len(m.todo)-1]
		if !next() {
			return false
		}
	}
	return true
}

// node adds a pair of nodes.
func (m *matching) node(o, n int) bool {
	b, known := m.to[o]
	a, taken := m.from[n]
	if known || taken {
		return known && taken && b == n && a == o
	}
	m.to[o], m.from[n] = n, o
	m.todo = append(m.todo, func() bool { return m.step(o, n) })
	return true
}

// step compares a pair of nodes and adds those behind them.
func (m *matching) step(o, n int) bool {
	x, y := &m.w.old.Nodes[o], &m.w.new.Nodes[n]
	if !m.w.strict && x.Kind != Join && x.ends() {
		return true // nothing is asked for any more
	}
	if x.Kind != y.Kind || !m.w.sameTarget(x, y) || len(x.Next) != len(y.Next) || x.Loose != y.Loose || !m.w.sameStored(o, n) {
		return false
	}
	if x.Kind != Timer && !x.Loose && !m.pairs(x.Args, y.Args) {
		return false
	}
	if a, b := m.w.old.scope(o), m.w.new.scope(n); a >= 0 || b >= 0 {
		if a < 0 || b < 0 || !m.value(a, b) {
			return false
		}
	}
	if !m.bodies(x, y) {
		return false
	}
	for way := range x.Next {
		if !m.way(o, n, way) {
			return false
		}
	}
	return true
}

// way goes on behind a pair of nodes.
func (m *matching) way(o, n, way int) bool {
	a, b := m.w.old.Nodes[o].Next[way], m.w.new.Nodes[n].Next[way]
	pair, edges := [2]int{a, b}, [2]Edge{{From: o, Next: way}, {From: n, Next: way}}
	m.entries[pair] = append(m.entries[pair], edges)
	for _, phi := range m.phis[pair] {
		if !m.entering(phi, edges) {
			return false
		}
	}
	return m.node(a, b)
}

// entering compares what two phis become on a pair of ways.
func (m *matching) entering(phi [2]int, ways [2]Edge) bool {
	x, y := &m.w.old.Values[phi[0]], &m.w.new.Values[phi[1]]
	a := m.w.old.edges(x.Node, ways[0].From, ways[0].Next)
	b := m.w.new.edges(y.Node, ways[1].From, ways[1].Next)
	return len(a) == 1 && len(b) == 1 && m.value(x.Args[a[0]], y.Args[b[0]])
}

func (m *matching) pairs(a, b []int) bool {
	return len(a) == len(b) && !slices.ContainsFunc(seq(len(a)), func(i int) bool { return !m.value(a[i], b[i]) })
}

// value compares a pair of values.
func (m *matching) value(v, u int) bool {
	w := m.w
	v, u = w.old.rep[v], w.new.rep[u]
	pair := [2]int{v, u}
	if m.values[pair] {
		return true
	}
	m.values[pair] = true
	x, y := &w.old.Values[v], &w.new.Values[u]
	if x.Op != y.Op || x.ofNode() != y.ofNode() {
		return false
	}
	switch x.Op {
	case opParam:
		return w.param(true, x.What) == w.param(false, y.What)
	case opOuter:
		return x.What == y.What && m.w.sameOuter(x.What)
	case opPhi:
		joins := [2]int{x.Node, y.Node}
		m.phis[joins] = append(m.phis[joins], pair)
		for _, ways := range m.entries[joins] {
			if !m.entering(pair, ways) {
				return false
			}
		}
		return true
	}
	return x.What == y.What && x.Sum == y.Sum && x.Loop == y.Loop && x.Func == y.Func && m.pairs(x.meant(), y.meant())
}

// sameRoot reports whether two values that nodes give are given by a pair of nodes, or have been given before.
func (m *matching) sameRoot(pair [2]int) bool {
	a, b := m.w.old.Values[pair[0]].Node, m.w.new.Values[pair[1]].Node
	n, ahead := m.to[a]
	o, taken := m.from[b]
	return !ahead && !taken || ahead && taken && n == b && o == a
}

// bodies compares the functions that two nodes run.
func (m *matching) bodies(x, y *Node) bool {
	if len(x.Bodies) != len(y.Bodies) {
		return false
	}
	for i := range x.Bodies {
		if len(x.Bodies[i].Nodes) == 0 || len(y.Bodies[i].Nodes) == 0 {
			if len(x.Bodies[i].Nodes) != len(y.Bodies[i].Nodes) {
				return false
			}
			continue
		}
		if !m.w.sameBody(&x.Bodies[i], &y.Bodies[i]) {
			return false
		}
	}
	return true
}

// sameBody compares functions that are given the same.
func (w *walk) sameBody(from, to *Flow) bool {
	key := [2]*Flow{from, to}
	same, ok := w.j.bodies[key]
	if !ok {
		inner := newWalk(w.j, w.t, w.old.inner[from], w.new.inner[to])
		inner.strict = true
		same = inner.tail(0, 0).same
		w.j.bodies[key] = same
	}
	return same
}

// sameOuter reports whether a value from outside is the same for both. Of a body that is only compared, its arguments are.
func (w *walk) sameOuter(index string) bool {
	if w.outer[0] == nil && w.outer[1] == nil {
		return true
	}
	i, err := strconv.Atoi(index)
	return err == nil && i >= 0 && i < len(w.outer[0]) && i < len(w.outer[1]) && w.outer[0][i] == w.outer[1][i]
}

// sameStored reports whether what two nodes store, and read again, is written alike.
func (w *walk) sameStored(o, n int) bool {
	x, y := &w.old.Nodes[o], &w.new.Nodes[n]
	if len(w.unreadable(x, n)) > 0 {
		return false
	}
	if !x.slot() || x.Kind == Timer || x.Kind == Marker {
		return true
	}
	a, b := w.j.old.paramsOf(x.Kind, x.Target), w.j.new.paramsOf(y.Kind, y.Target)
	named := func(p, q Param) bool { return p.Name == q.Name || len(a) == 1 }
	return len(a) == len(b) && slices.EqualFunc(a, b, named) && len(w.rewritten(x, y)) == 0
}
