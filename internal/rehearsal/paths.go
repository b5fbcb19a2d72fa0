package rehearsal

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// place is what is known where a node is, whichever of the ways has led to it, and which variables may have there what is
// followed.
type place struct {
	facts
	carries arrivals // by the number of the value
	changes int      // of the facts
}

// mostChanges is how often the span of a number may grow at a place before it is taken for as wide as the next constant.
const mostChanges = 4

// pathsFrom finds to which nodes ways lead from where something is known, and what is known there: conditions that exclude each
// other are on no way. Nodes to which none leads are not in it.
func (p *program) pathsFrom(at map[int]*place) map[int]*place {
	var open []int
	for n := range p.flow.Nodes {
		if at[n] != nil {
			open = append(open, n)
		}
	}
	follows := len(open) > 0 && len(at[open[0]].carries) > 0
	for len(open) > 0 {
		n := open[len(open)-1]
		open = open[:len(open)-1]
		for i, next := range p.flow.Nodes[n].Next {
			new := p.goOn(n, i, at[n])
			if new == nil || follows && new.carries.none() {
				continue
			}
			if at[next] == nil {
				at[next] = new
			} else if !p.join(at[next], new) {
				continue
			}
			if !slices.Contains(open, next) {
				open = append(open, next)
			}
		}
	}
	return at
}

func (a arrivals) none() bool {
	return !slices.ContainsFunc(a, func(bits uint64) bool { return bits != 0 })
}

// join adds what is known on another way to a place. It reports whether that has changed it.
func (p *program) join(at, new *place) bool {
	less := at.facts.meet(new.facts, func(old, hull span) span {
		if at.changes < mostChanges {
			return hull
		}
		return p.widen(old, hull)
	})
	if less {
		at.changes++
	}
	all := at.carries.and(new.carries)
	more := !slices.Equal(all, at.carries)
	at.carries = all
	return less || more
}

// widen gives a span that grows up to the next constant of the program, so that it does not grow for ever.
func (p *program) widen(old, hull span) span {
	low, high := int64(lowest), int64(highest)
	for v, c := range p.constants {
		n, whole := c.(int64)
		if !whole || p.flow.Values[v].Op != "const" {
			continue
		}
		for _, n := range []int64{n - 1, n, n + 1} {
			if n <= hull.low {
				low = max(low, n)
			}
			if n >= hull.high {
				high = min(high, n)
			}
		}
	}
	if hull.low == old.low {
		low = old.low
	}
	if hull.high == old.high {
		high = old.high
	}
	return span{low, high, hull.parts}
}

// goOn gives what is known behind a node, nil if nothing goes that way.
func (p *program) goOn(n, i int, at *place) *place {
	if p.ruledOut[way{n, i}] {
		return nil
	}
	if node := &p.flow.Nodes[n]; node.Kind == shape.Branch {
		if yes, sure := p.answer(node.Args[0], at.facts, 0); sure && yes != (i == 0) {
			return nil
		}
	}
	new := p.enter(n, i, &place{facts: p.behindIt(n, i, at), carries: at.carries})
	if len(new.carries) > 0 {
		new.carries = new.carries.among(p.needed()[p.flow.Nodes[n].Next[i]])
	}
	return new
}

// behindIt gives what is known behind a node, before variables get other values.
func (p *program) behindIt(n, i int, at *place) facts {
	known, node := at.facts.clone(), &p.flow.Nodes[n]
	switch node.Kind {
	case shape.Join:
	case shape.Branch:
		p.learn(node.Args[0], i == 0, known)
	default:
		known.forget(func(v int) bool { return !p.lasts(v, at.facts) || slices.Contains(p.ground(v).nodes, n) })
		p.wait(n, at.facts, known)
	}
	return known
}

// among gives those arrivals that are among others.
func (a arrivals) among(b arrivals) arrivals {
	out := make(arrivals, min(len(a), len(b)))
	for i := range out {
		out[i] = a[i] & b[i]
	}
	return out
}

// needed finds the variables for which there may be a use from a node on, before they get other values.
func (p *program) needed() []arrivals {
	if p.need != nil {
		return p.need
	}
	p.need = make([]arrivals, len(p.flow.Nodes))
	for more := true; more; {
		more = false
		for n := len(p.flow.Nodes) - 1; n >= 0; n-- {
			need := p.neededAt(n)
			if !slices.Equal(need, p.need[n]) {
				p.need[n], more = need, true
			}
		}
	}
	return p.need
}

func (p *program) neededAt(n int) arrivals {
	need, node := p.need[n], &p.flow.Nodes[n]
	add := func(v int) {
		for _, phi := range p.ground(v).phis {
			need = need.and(arrivals{}.with(phi))
		}
	}
	for _, v := range node.Args {
		add(v)
	}
	for i, next := range node.Next {
		behind := slices.Clone(p.need[next])
		edge := p.edge(n, i)
		for _, phi := range p.phis[next] {
			if behind.has(phi) && edge >= 0 && edge < len(p.flow.Values[phi].Args) {
				add(p.flow.Values[phi].Args[edge])
			}
			behind = behind.set(phi, false)
		}
		need = need.and(behind)
	}
	return need
}

// enter gives variables of a join the values that they get by the way to it.
func (p *program) enter(n, i int, at *place) *place {
	next := p.flow.Nodes[n].Next[i]
	phis := p.phis[next]
	if len(phis) == 0 {
		return at
	}
	edge := p.edge(n, i)
	before, carried := at.facts.clone(), at.carries
	at.forget(func(v int) bool {
		return slices.ContainsFunc(p.ground(v).phis, func(phi int) bool { return slices.Contains(phis, phi) })
	})
	at.carries = slices.Clone(carried)
	for _, phi := range phis {
		at.carries = at.carries.set(phi, edge >= 0 && edge < len(p.flow.Values[phi].Args) && p.carried(p.flow.Values[phi].Args[edge], carried))
		if edge < 0 || edge >= len(p.flow.Values[phi].Args) {
			continue
		}
		from := p.flow.Values[phi].Args[edge]
		if yes, sure := p.answer(from, before, 0); sure {
			at.is[phi] = yes
		}
		if none, sure := p.isA(from, before, 0, "nil"); sure {
			at.none[phi] = none
		}
		if s, ok := p.span(from, before, 0); ok {
			at.in[phi] = s
		}
		p.enterFields(phi, from, before, at.facts)
	}
	return at
}

// edge is by which of the ways into it the way from a node leads to a join, -1 if that is no join.
func (p *program) edge(n, i int) int {
	for _, e := range p.ways[way{n, i}] {
		if in := p.flow.Nodes[p.flow.Nodes[n].Next[i]].In; e < len(in) && in[e].From == n && in[e].Next == i {
			return e
		}
	}
	return -1
}

// carried reports whether a value is made of a variable that has what is followed.
func (p *program) carried(v int, carries arrivals) bool {
	return slices.ContainsFunc(p.ground(v).phis, carries.has)
}

// set gives arrivals with one of them or without it.
func (a arrivals) set(n int, is bool) arrivals {
	if is {
		return a.with(n)
	}
	if a.has(n) {
		a = slices.Clone(a)
		a[n/64] &^= 1 << (n % 64)
	}
	return a
}

// ground is on what a value depends.
type ground struct {
	phis, nodes []int
	futures     []int // that have an outcome
	fleeting    bool  // on what may be something else behind any step
}

func (p *program) ground(v int) *ground {
	if g := p.grounds[v]; g != nil {
		return g
	}
	g := &ground{}
	been, open := map[int]bool{v: true}, []int{v}
	for len(open) > 0 {
		val := &p.flow.Values[open[len(open)-1]]
		if val.Op == "phi" {
			g.phis = append(g.phis, open[len(open)-1])
		}
		future := p.outcomeOf(open[len(open)-1])
		open = open[:len(open)-1]
		switch {
		case val.Op == "phi":
			continue
		case future >= 0:
			g.futures = append(g.futures, future)
		case val.Op == "future" || val.Op == "after":
			g.nodes = append(g.nodes, val.Node)
		case val.Op == "result":
			g.nodes = append(g.nodes, val.Node)
			g.fleeting = g.fleeting || len(val.Args) > 0
		case slices.Contains([]string{"error", "ready", "ctxerr", "canceled", "now", "load", "changed"}, val.Op):
			g.fleeting = true
		}
		for _, a := range val.Args {
			if !been[a] {
				been[a] = true
				open = append(open, a)
			}
		}
	}
	p.grounds[v] = g
	return g
}

// reaches finds where a variable that got its value by one way may be used.
func (p *program) reaches(at arrival) map[int]bool {
	in := p.flow.Nodes[p.flow.Values[at.phi].Node].In
	out := map[int]bool{}
	if at.edge >= len(in) {
		return out
	}
	from := in[at.edge]
	if p.paths[from.From] == nil {
		return out
	}
	start := p.goOn(from.From, from.Next, p.paths[from.From])
	if start == nil {
		return out
	}
	start.carries = arrivals{}.with(at.phi)
	for n, is := range p.pathsFrom(map[int]*place{p.flow.Values[at.phi].Node: start}) {
		out[n] = slices.ContainsFunc(p.flow.Nodes[n].Args, func(v int) bool { return p.carried(v, is.carries) })
	}
	return out
}
