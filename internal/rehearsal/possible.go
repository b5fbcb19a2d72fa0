package rehearsal

import (
	"math"
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// findPossible finds which answers the values of a program can have where they are computed: more than those need not be seen.
func (p *program) findPossible() {
	for v := range p.flow.Values {
		if by := p.stepOf(v); by > 1 {
			p.beside[v] = beside{by - 1, by - 1}
		}
	}
	p.findForms()
	p.walked = 0
	p.findNumbers()
	p.gaps = map[int]*gaps{}
	possible, computed := make([]uint8, len(p.flow.Values)), make([]bool, len(p.flow.Values))
	for n := range p.flow.Nodes {
		at := p.paths[n]
		if at == nil {
			continue
		}
		p.addComputed(p.flow.Nodes[n].Args, at.facts, possible, computed)
		for i, next := range p.flow.Nodes[n].Next {
			edge := p.edge(n, i)
			if edge < 0 || len(p.phis[next]) == 0 || p.closed[fork{p, n, i}] {
				continue
			}
			var args []int
			for _, phi := range p.phis[next] {
				if vs := p.flow.Values[phi].Args; edge < len(vs) && p.used[phi] {
					args = append(args, vs[edge])
				}
			}
			p.addComputed(args, p.behindIt(n, i, at), possible, computed)
		}
	}
	p.findIdle(computed)
	for v, saw := range possible {
		if g := p.gaps[v]; g != nil {
			if by, ok := g.beside(); ok {
				p.beside[v] = by
			} else {
				saw &^= sawOrder &^ g.orders()
			}
		}
		switch {
		case saw == 0:
		case p.needs[v]&sawBoth == sawBoth && saw&sawBoth != sawBoth:
			p.sure[v] = true
		default:
			p.needs[v] &= saw
		}
	}
}

// addPossible adds which answers values can have where something is known, and those of which they are made. In functions that
// are values it is not known, since they may be called later.
func (p *program) addPossible(args []int, known facts, possible []uint8) {
	type reached struct{ v, where int }
	const later = 0
	where := []facts{noFacts(), known}
	been, open := map[reached]bool{}, []reached{}
	add := func(v, i int) {
		if at := (reached{v, i}); !been[at] && !been[reached{v, later}] {
			been[at] = true
			open = append(open, at)
		}
	}
	for _, v := range args {
		add(v, 1)
	}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		val := &p.flow.Values[at.v]
		if p.needs[at.v] != 0 {
			possible[at.v] |= p.answers(at.v, where[at.where])
		}
		p.addGaps(at.v, where[at.where])
		if val.Op == "phi" {
			continue
		}
		for i, a := range val.Args {
			in := at.where
			if val.Op == "func" {
				in = later
			} else if val.Op == "if" && i > 0 && in != later && len(where) < mostAssumed && p.choosesFirst(val) {
				if yes, sure := p.answer(val.Args[0], where[in], 0); sure && yes != (i == 1) {
					continue // nothing computes it
				} else if !sure {
					where = append(where, p.chosen(val, i == 1, where[in]))
					in = len(where) - 1
				}
			}
			add(a, in)
		}
	}
}

const mostAssumed = 32

// answers are those that a value can have.
func (p *program) answers(v int, known facts) uint8 {
	saw := uint8(sawBoth | sawOrder)
	val := &p.flow.Values[v]
	of := v
	if val.Op == "if" { // its answer is which of two it is
		of = val.Args[0]
	}
	if yes, sure := p.answerPlain(of, known); sure {
		saw &^= 1 << btoi(!yes)
	}
	if len(val.Args) == 2 && p.needs[v]&sawOrder != 0 {
		a, known1 := p.span(val.Args[0], known, 0)
		b, known2 := p.span(val.Args[1], known, 0)
		if known1 && known2 {
			saw &= orders(a, b)
		}
	}
	return saw
}

// orders are the answers that numbers in two spans can have when they are compared.
func orders(a, b span) (saw uint8) {
	saw = math.MaxUint8
	if a.low >= b.high {
		saw &^= sawLess
	}
	if a.high < b.low || b.high < a.low {
		saw &^= sawEqual
	}
	if a.high <= b.low {
		saw &^= sawMore
	}
	return saw
}

// alwaysLeaves reports whether what a node calls always leaves something changed, whichever function it is.
func (p *program) alwaysLeaves(n int, what string) bool {
	node := &p.flow.Nodes[n]
	if node.Kind != shape.Call || node.Target != "value" && node.Target != "argument" || len(node.Args) == 0 {
		return false
	}
	return p.leaves(node.Args[0], what, 0)
}

// leaves reports the same of a value that is a function, or several of which one is taken.
func (p *program) leaves(v int, what string, depth int) bool {
	every := func(vs []int) bool {
		return len(vs) > 0 && !slices.ContainsFunc(vs, func(v int) bool { return !p.leaves(v, what, depth+1) })
	}
	val := &p.flow.Values[v]
	switch {
	case depth > deepestFact:
	case val.Op == "func" && val.Sum == "":
		return leftBy(p.flow, val.Args, what)
	case val.Op == "func":
		f := p.side.functions[val.Sum]
		return f != nil && !slices.ContainsFunc(f.flow.Nodes, func(n shape.Node) bool {
			return n.Kind == shape.Return && !leftBy(f.flow, n.Args, what)
		})
	case val.Op == "index" && p.flow.Values[val.Args[0]].Op == "list":
		return every(p.flow.Values[val.Args[0]].Args)
	case val.Op == "if":
		return every(val.Args[1:])
	}
	return false
}

// leftBy reports whether something is among what a function returns and leaves changed.
func leftBy(f *shape.Flow, args []int, what string) bool {
	return slices.ContainsFunc(args, func(a int) bool {
		v := &f.Values[a]
		return v.Op == "left" && "arg "+v.What == what || v.Op == "out" && "out "+v.What == what
	})
}

// neverNil reports whether a value is read from a payload of which the old code has written no nil: it is of the old type.
func (p *program) neverNil(v int, known facts) bool {
	t, f := p.storedAs(v, known)
	return t != nil && (f == nil || !f.Optional) && !slices.Contains([]string{"pointer", "any", "list", "map", "bytes", "raw", "own", "text"}, t.Kind)
}

// storedAs gives the type as which the old code has written what a value is read from, nil if that is not known. f is the field
// that it is.
func (p *program) storedAs(v int, known facts) (t *shape.Type, f *shape.Field) {
	before := p.side.before
	switch val := &p.flow.Values[v]; {
	case before == nil:
	case val.Op == "result" && len(val.Args) == 1 && p.flow.Values[val.Args[0]].Op == "future" && p.succeeded(val.Args[0], known):
		if n := &p.flow.Nodes[p.flow.Values[val.Args[0]].Node]; n.Kind == shape.Activity || n.Kind == shape.Child {
			return before.typeOf(before.result(n)), nil
		}
	case val.Op == "field":
		of, whole := p.storedAs(val.Args[0], known)
		if of == nil || of.Kind != "object" || whole != nil && whole.Optional {
			return nil, nil
		}
		for i := range of.Fields {
			if f := &of.Fields[i]; f.Name == val.What {
				return before.typeOf(f.Type), f
			}
		}
	}
	return nil, nil
}

// succeeded reports whether it is known that a future has no error.
func (p *program) succeeded(future int, known facts) bool {
	for v, none := range known.none {
		if val := &p.flow.Values[v]; none && val.Op == "error" && val.Args[0] == future {
			return true
		}
	}
	return false
}
