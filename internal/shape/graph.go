package shape

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// graph is a flow made ready for a walk.
//
// The walk keeps, per program, the terms of roots: what nodes give and phis. All other values are computed from them when
// they are asked for. Root i is what node i gives, root len(nodes)+v is the phi v.
type graph struct {
	*Flow
	rep    []int            // the value that stands for all that are the same as v within the flow
	roots  []set            // of a value: the roots that it is computed from
	live   []set            // at a node, before it: the roots that are still read from there on
	ahead  []set            // kinds that can be reached from a node, itself included
	late   []bool           // whether, from a node on, anything depends on when it is computed
	asks   []set            // conditions, of branches and of values that are chosen, that can be reached from a node
	loops  []bool           // at the head of a loop
	counts []bool           // at the head of a loop that a constant may end
	inner  map[*Flow]*graph // of bodies
}

// set is a bit set.
type set []uint64

func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }
func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }

// join adds what is in o, and tells whether that was anything new.
func (s set) join(o set) (more bool) {
	for i, w := range o {
		more = more || w&^s[i] != 0
		s[i] |= w
	}
	return more
}

func (s set) each(yield func(int) bool) {
	for i, w := range s {
		for b := 0; w != 0; b, w = b+1, w>>1 {
			if w&1 != 0 && !yield(64*i+b) {
				return
			}
		}
	}
}

func newSet(n int) set { return make(set, (n+63)/64) }

const (
	opPhi    = "phi"
	opResult = "result"
	opParam  = "param"
	opOuter  = "outer"
	opMu     = "mu"
	opEta    = "eta"
	opFunc   = "func"
	opArg    = "arg"
)

// kindBits numbers the kinds whose coming is asked for.
var kindBits = map[NodeKind]int{UUID: 0, Random: 1, Receive: 2, AwaitAny: 3, Go: 4, Call: 5, Now: 6, Scope: 7}

// newGraph prepares a flow. The error tells what a file that somebody has changed by hand may have wrong.
func newGraph(f *Flow) (*graph, error) {
	g := &graph{Flow: f, inner: map[*Flow]*graph{}}
	if err := g.check(); err != nil {
		return nil, err
	}
	labels := make([]string, len(g.Values))
	for v := range g.Values {
		labels[v] = fmt.Sprint(g.Values[v].Node)
	}
	g.rep = g.classes(labels)
	g.findRoots()
	g.findAhead()
	g.findLive()
	g.findAsks()
	g.findLoops(0, make([]bool, len(g.Nodes)), make([]bool, len(g.Nodes)))
	g.findCounts()
	for n := range g.Nodes {
		for b := range g.Nodes[n].Bodies {
			body := &g.Nodes[n].Bodies[b]
			inner, err := newGraph(body)
			if err != nil {
				return nil, err
			}
			g.inner[body] = inner
		}
	}
	return g, nil
}

func (g *graph) check() error {
	node := func(n int) bool { return n >= 0 && n < len(g.Nodes) }
	value := func(v int) bool { return v >= 0 && v < len(g.Values) }
	for i := range g.Nodes {
		n := &g.Nodes[i]
		ok := !slices.ContainsFunc(n.Next, func(m int) bool { return !node(m) }) && !slices.ContainsFunc(n.Args, func(v int) bool { return !value(v) })
		switch n.Kind {
		case Return, Continue, Panic:
		case Branch:
			ok = ok && len(n.Next) == 2 && len(n.Args) == 1
		default:
			ok = ok && len(n.Next) == 1
		}
		if !ok {
			return fmt.Errorf("node %d of a flow, %s, does not fit the others", i, n.Kind)
		}
	}
	for i := range g.Values {
		v := &g.Values[i]
		ok := !slices.ContainsFunc(v.Args, func(a int) bool { return !value(a) }) && (v.Node == 0 || node(v.Node))
		if v.Op == opPhi {
			ok = ok && node(v.Node) && len(g.Nodes[v.Node].In) == len(v.Args)
		}
		if !ok {
			return fmt.Errorf("value %d of a flow, %s, does not fit the others", i, v.Op)
		}
	}
	return nil
}

// ofNode reports whether a value is what a node gives, or depends on when it is computed.
func (v *Value) ofNode() bool {
	return v.Op != opPhi && (v.Node != 0 || v.Op == "future" || v.Op == opResult && len(v.Args) == 0)
}

// classes sorts values into classes of equal meaning, cycles included, and gives for each the first of its class. labels
// tell apart values of nodes.
func (g *graph) classes(labels []string) []int {
	first := make([]int, len(g.Values))
	keys := make([]string, len(g.Values))
	for i := range g.Values {
		v := &g.Values[i]
		keys[i] = v.Op + "\x00" + v.What + "\x00" + v.Sum + fmt.Sprint("\x00", v.Loop, " ", v.Func)
		if v.ofNode() || v.Op == opPhi {
			keys[i] += "\x01" + labels[i]
		}
	}
	count := 0
	for {
		index, next := map[string]int{}, make([]int, len(g.Values))
		for i := range g.Values {
			key := keys[i]
			if args := g.Values[i].meant(); len(args) > 0 && count > 0 {
				var b strings.Builder
				b.WriteString(key)
				for _, a := range args {
					fmt.Fprintf(&b, "\x02%d", first[a])
				}
				key = b.String()
			}
			if n, ok := index[key]; ok {
				next[i] = n
			} else {
				index[key], next[i] = i, i
			}
		}
		first = next
		if len(index) == count {
			return first
		}
		count = len(index)
	}
}

// meant are the arguments that a value is computed from: those of a constant only tell where it was written.
func (v *Value) meant() []int {
	if v.Op == opConst {
		return nil
	}
	return v.Args
}

func (g *graph) size() int { return len(g.Nodes) + len(g.Values) }

// root gives the root that a value is, or -1.
func (g *graph) root(v int) int {
	switch val := &g.Values[v]; {
	case val.Op == opPhi:
		return len(g.Nodes) + g.rep[v]
	case val.ofNode():
		return val.Node
	}
	return -1
}

func (g *graph) findRoots() {
	g.roots = make([]set, len(g.Values))
	for v := range g.Values {
		g.roots[v] = newSet(g.size())
		if r := g.root(v); r >= 0 {
			g.roots[v].add(r)
		}
	}
	for more := true; more; {
		more = false
		for v := range g.Values {
			if g.Values[v].Op == opPhi {
				continue // its arguments are read on the way into the join
			}
			for _, a := range g.Values[v].meant() {
				more = g.roots[v].join(g.roots[a]) || more
			}
		}
	}
}

func (g *graph) findAhead() {
	g.ahead, g.late = make([]set, len(g.Nodes)), make([]bool, len(g.Nodes))
	timed := make([]bool, len(g.Values))
	for v := range g.Values {
		timed[v] = g.Values[v].timed()
	}
	for more := true; more; {
		more = false
		for v := range g.Values {
			if !timed[v] && slices.ContainsFunc(g.Values[v].meant(), func(a int) bool { return timed[a] }) {
				timed[v], more = true, true
			}
		}
	}
	for n := range g.Nodes {
		g.ahead[n] = newSet(len(kindBits))
		if bit, ok := kindBits[g.Nodes[n].Kind]; ok {
			g.ahead[n].add(bit)
		}
		k := g.Nodes[n].Kind
		g.late[n] = k == AwaitAny || k == Now || k == Go || k == Call || slices.ContainsFunc(g.Nodes[n].Args, func(v int) bool { return timed[v] })
	}
	for v := range g.Values {
		if val := &g.Values[v]; val.Op == opPhi && timed[v] {
			g.late[val.Node] = true
		}
	}
	for more := true; more; {
		more = false
		for n := len(g.Nodes) - 1; n >= 0; n-- {
			for _, next := range g.Nodes[n].Next {
				more = g.ahead[n].join(g.ahead[next]) || more
				if g.late[next] && !g.late[n] {
					g.late[n], more = true, true
				}
			}
		}
	}
}

// timed reports whether a value depends on when it is computed.
func (v *Value) timed() bool {
	return v.Node != 0 && v.Op != opPhi && v.Op != opResult && v.Op != "future" || v.Op == "start"
}

func (g *graph) meets(n int, k NodeKind) bool { return g.ahead[n].has(kindBits[k]) }

func (g *graph) findLive() {
	g.live = make([]set, len(g.Nodes))
	for n := range g.Nodes {
		g.live[n] = newSet(g.size())
		for _, v := range g.Nodes[n].Args {
			g.live[n].join(g.roots[v])
		}
	}
	phis := make([][]int, len(g.Nodes))
	for v := range g.Values {
		if g.Values[v].Op == opPhi && g.rep[v] == v {
			phis[g.Values[v].Node] = append(phis[g.Values[v].Node], v)
		}
	}
	for more := true; more; {
		more = false
		for n := len(g.Nodes) - 1; n >= 0; n-- {
			for edge, next := range g.Nodes[n].Next {
				after := slices.Clone(g.live[next])
				for _, v := range phis[next] { // all change at once: one may be computed from what another was
					root := len(g.Nodes) + v
					after[root/64] &^= 1 << (root % 64)
				}
				for _, v := range phis[next] {
					if !g.live[next].has(len(g.Nodes) + v) {
						continue
					}
					for _, e := range g.edges(next, n, edge) {
						after.join(g.roots[g.Values[v].Args[e]])
					}
				}
				if k := g.Nodes[n].Kind; k != Branch && k != Join { // what it gives is made here
					after[n/64] &^= 1 << (n % 64)
				}
				more = g.live[n].join(after) || more
			}
		}
	}
}

// edges gives the ways by which a join is reached from the way number next of node from: one.
func (g *graph) edges(join, from, next int) (found []int) {
	for i, e := range g.Nodes[join].In {
		if e.From == from && e.Next == next {
			found = append(found, i)
		}
	}
	return found
}

// findAsks finds the conditions that are asked ahead of each node.
func (g *graph) findAsks() {
	g.asks, g.loops = make([]set, len(g.Nodes)), make([]bool, len(g.Nodes))
	chosen := g.chosen()
	for n := range g.Nodes {
		g.asks[n] = newSet(len(g.Values))
		for _, v := range g.Nodes[n].Args {
			g.asks[n].join(chosen[v])
			if g.Nodes[n].Kind == Branch {
				g.asks[n].add(v)
			}
		}
	}
	for v := range g.Values {
		if val := &g.Values[v]; val.Op == opPhi {
			for i, a := range val.Args {
				g.asks[g.Nodes[val.Node].In[i].From].join(chosen[a])
			}
		}
	}
	for more := true; more; {
		more = false
		for n := len(g.Nodes) - 1; n >= 0; n-- {
			for _, next := range g.Nodes[n].Next {
				more = g.asks[n].join(g.asks[next]) || more
			}
		}
	}
}

// chosen gives, for each value, the conditions on which it depends what it is.
func (g *graph) chosen() []set {
	chosen := make([]set, len(g.Values))
	for v := range g.Values {
		chosen[v] = newSet(len(g.Values))
		if val := &g.Values[v]; val.Op == opIf && len(val.Args) == 3 {
			chosen[v].add(val.Args[0])
		}
	}
	for more := true; more; {
		more = false
		for v := range g.Values {
			if g.Values[v].Op == opPhi {
				continue // its arguments are read on the way into the join
			}
			for _, a := range g.Values[v].meant() {
				more = chosen[v].join(chosen[a]) || more
			}
		}
	}
	return chosen
}

// findCounts marks the places where a variable begins that is compared with a constant.
func (g *graph) findCounts() {
	g.counts = make([]bool, len(g.Nodes))
	for i := range g.Values {
		v := &g.Values[i]
		if v.Op != opLess && v.Op != opEqual || len(v.Args) != 2 {
			continue
		}
		for k, a := range v.Args {
			if number := &g.Values[v.Args[1-k]]; number.Op != opConst || !isDigits(number.What) {
				continue
			}
			if x := &g.Values[a]; x.Op == opPhi {
				g.counts[x.Node] = true
			} else if x.Op == "+" && len(x.Args) == 2 {
				for _, b := range x.Args {
					if y := &g.Values[b]; y.Op == opPhi {
						g.counts[y.Node] = true
					}
				}
			}
		}
	}
}

func isDigits(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// findLoops marks the nodes to which ways lead back from what is on the way from the beginning.
func (g *graph) findLoops(n int, seen, open []bool) {
	if n >= len(g.Nodes) || seen[n] {
		return
	}
	seen[n], open[n] = true, true
	for _, next := range g.Nodes[n].Next {
		g.loops[next] = g.loops[next] || open[next]
		g.findLoops(next, seen, open)
	}
	open[n] = false
}
