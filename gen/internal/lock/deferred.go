package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// deferred is a call that runs when a function ends.
type deferred struct {
	frame *frame
	call  *ast.CallExpr
	bound *bound // what was computed where it was deferred
	loop  *loop  // instead of a call: all that the rounds of a loop have deferred
	cond  *value // nil: it was deferred on every way
}

// bound are the operands of a deferred call: function value, receiver and arguments.
type bound struct{ cells map[ast.Expr]*cell }

func (b *bound) cell(e ast.Expr) *cell {
	if b == nil {
		return nil
	}
	return b.cells[e]
}

func (d deferred) same(o deferred) bool {
	return d.frame == o.frame && d.call == o.call && d.bound == o.bound && d.loop == o.loop &&
		(d.cond == o.cond || d.cond != nil && o.cond != nil && d.cond.class == o.cond.class)
}

func (d deferred) pos() token.Pos {
	if d.loop != nil {
		return d.loop.pos
	}
	return d.call.Pos()
}

func (m *machine) deferStmt(s *ast.DeferStmt) {
	d := deferred{frame: m.frame, call: s.Call, bound: m.operands(s.Call)}
	if slices.ContainsFunc(m.loops, func(l *loop) bool { return l.defers && l.frame == m.frame }) {
		m.beside(d, "defer")
		return
	}
	m.each(func(p *path) { p.defers = append(p.defers, d) })
}

// operands computes what a deferred call is computed from where it is deferred.
func (m *machine) operands(call *ast.CallExpr) *bound {
	info, b := m.frame.info, &bound{map[ast.Expr]*cell{}}
	keep := func(e ast.Expr, compute func(ast.Expr)) {
		e = ast.Unparen(e)
		c := m.newCell()
		compute(e)
		m.each(func(p *path) { p.vars[c] = p.pop() })
		b.cells[e] = c
	}
	fun := ast.Unparen(call.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		if m.isFunc(x.X) {
			fun = ast.Unparen(x.X)
		}
	case *ast.IndexListExpr:
		fun = ast.Unparen(x.X)
	}
	switch x := fun.(type) {
	case *ast.Ident:
		if v, ok := info.Uses[x].(*types.Var); ok && v != nil {
			keep(x, m.eval)
		}
	case *ast.SelectorExpr:
		sel := info.Selections[x]
		switch {
		case sel == nil:
		case sel.Kind() != types.MethodVal:
			keep(x, m.eval)
		case m.handleOf(sel) == nil && m.addressed(sel):
			keep(x.X, m.place)
		case m.handleOf(sel) == nil:
			keep(x.X, m.eval)
		}
	default:
		keep(fun, m.eval)
	}
	for _, a := range call.Args {
		if !info.Types[a].IsType() {
			keep(a, m.eval)
		}
	}
	return b
}

// beside is a call that runs at a time that is not known here, such as one that is deferred as often as a loop goes round:
// it is compared where it is made ready, step by step, and changes variables whenever one looks at them. Where what loops
// have deferred runs stands one more node.
func (m *machine) beside(d deferred, name string) {
	pos := d.call.Pos()
	p, _ := m.effect(pos, 0)
	if p == nil {
		return
	}
	m.fork(p, true)
	for _, c := range m.sortedCells(p.vars) {
		for _, kept := range d.bound.cells {
			if c == kept {
				m.shareGiven(p, p.vars[c])
			}
		}
	}
	sub := newMachine(m.program, m)
	q := sub.begin()
	q.vars, q.facts, q.same = p.fork(p.edge).vars, p.fork(p.edge).facts, p.fork(p.edge).same
	sub.cur, sub.frame, sub.bound, sub.deferring = []*path{q}, m.frame, d.bound, d.frame
	for _, kept := range d.bound.cells {
		if v := p.vars[kept]; v != nil {
			m.functions(p, v, func(c *closure) { sub.outlive(q, c) })
		}
	}
	sub.call(d.call)
	sub.finish(&ast.BlockStmt{Rbrace: pos}, false)
	m.cells = sub.cells
	node, p := m.node(shape.Go, name, pos)
	node.bodies = []*machine{sub}
	m.blocks(node, p)
}

// deferrals is what has been deferred where ways meet: what not all have deferred runs if the program came on one of those
// that have.
func (m *machine) deferrals(n *node, paths []*path) []deferred {
	all := paths[0].defers
	for _, q := range paths[1:] {
		k := 0
		for k < min(len(all), len(q.defers)) && all[k].same(q.defers[k]) {
			k++
		}
		all = all[:k]
	}
	k := len(all)
	all = slices.Clip(all)
	for i, q := range paths {
		tail := q.defers[k:]
		has := func(r *path) bool { return slices.EqualFunc(r.defers[k:], tail, deferred.same) }
		if slices.IndexFunc(paths, has) < i {
			continue // with an earlier one
		}
		for _, d := range tail {
			cond := d.cond
			d.cond = m.phi(n, paths, func(r *path) *value {
				switch {
				case !has(r):
					return m.boolean(n.pos, false)
				case cond != nil:
					return cond
				}
				return m.boolean(n.pos, true)
			})
			all = append(all, d)
		}
	}
	return all
}

// keepOperands gives ways that have not deferred a call its operands, too: they do not run it.
func (m *machine) keepOperands(paths []*path) {
	for _, q := range paths {
		for _, d := range q.defers {
			if d.bound == nil {
				continue
			}
			for _, c := range d.bound.cells {
				for _, r := range paths {
					if r.vars[c] == nil && q.vars[c] != nil {
						r.vars[c] = q.vars[c]
					}
				}
			}
		}
	}
}

func (m *machine) runDeferred(f *frame) {
	for len(m.cur) > 0 {
		p := m.cur[0]
		n := len(p.defers)
		if n == 0 || p.defers[n-1].frame != f {
			return
		}
		d := p.defers[n-1]
		for _, p := range m.cur {
			if k := len(p.defers); k > 0 {
				p.defers = p.defers[:k-1]
			}
		}
		var without []*path
		if d.cond != nil {
			var with []*path
			for _, p := range m.cur {
				yes, no := m.part(p, d.pos(), d.cond)
				with, without = append(with, yes...), append(without, no...)
			}
			m.cur = with
		}
		m.runOne(d)
		m.cur = m.fold(append(m.cur, without...))
	}
}

func (m *machine) runOne(d deferred) {
	deferring, kept := m.deferring, m.bound
	m.deferring = d.frame
	defer func() { m.deferring, m.bound = deferring, kept }()
	if d.loop != nil {
		m.merge(d.loop.pos)
		if len(m.cur) > 0 {
			n, p := m.node(shape.Call, "deferred", d.loop.pos)
			m.blocks(n, p)
		}
		return
	}
	m.bound = d.bound
	m.call(d.call)
	m.each(func(p *path) { p.pop() })
}
