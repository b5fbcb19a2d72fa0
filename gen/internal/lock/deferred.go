package lock

import (
	"go/ast"
	"slices"
)

// deferred is a call that runs when a function ends.
type deferred struct {
	frame *frame
	call  *ast.CallExpr
	cond  *value // nil: it was deferred on every way
}

func (d deferred) same(o deferred) bool {
	return d.frame == o.frame && d.call == o.call && (d.cond == o.cond || d.cond != nil && o.cond != nil && d.cond.class == o.cond.class)
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
					return m.boolean(d.call.Pos(), false)
				case cond != nil:
					return cond
				}
				return m.boolean(d.call.Pos(), true)
			})
			all = append(all, d)
		}
	}
	return all
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
				yes, no := m.part(p, d.call.Pos(), d.cond)
				with, without = append(with, yes...), append(without, no...)
			}
			m.cur = with
		}
		deferring := m.deferring
		m.deferring = f
		m.call(d.call)
		m.deferring = deferring
		m.each(func(p *path) { p.pop() })
		m.cur = m.fold(append(m.cur, without...))
	}
}
