package lock

import (
	"go/ast"
	"go/types"
	"slices"
	"strconv"

	"github.com/durablegen/durablegen/internal/shape"
)

// outlive changes what a path of a function that is kept for later finds in variables around it: what all rounds of a loop
// share and one of them sets is then what the last round has left there.
func (m *machine) outlive(q *path, c *closure) {
	if c.lit == nil {
		return
	}
	for _, obj := range c.overwritten() {
		cl := c.frame.cellOf(obj)
		if cl == nil || cl.shared || m.remote(cl) || q.vars[cl] == nil || leadsElsewhere(q.vars[cl], map[*value]bool{}) {
			continue
		}
		q.vars[cl] = m.val(c.lit.Pos(), "later", "", q.vars[cl])
	}
}

// overwritten gives the variables that a function literal uses, and that a loop around it sets without having declared
// them.
func (c *closure) overwritten() (list []types.Object) {
	outer := c.frame
	for outer.outer != nil {
		outer = outer.outer
	}
	if outer.fn == nil {
		return nil
	}
	info := c.frame.info
	loops := enclosingLoops(outer.fn.decl.Body, c.lit)
	if len(loops) == 0 {
		return nil
	}
	used := map[types.Object]bool{}
	ast.Inspect(c.lit.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v, ok := info.Uses[id].(*types.Var); ok {
				used[v] = true
			}
		}
		return true
	})
	for _, l := range loops {
		changes(info, l, loud, func(e ast.Expr) {
			id := rootIdent(e)
			if id == nil || id.Pos() >= c.lit.Pos() && id.Pos() < c.lit.End() {
				return
			}
			obj := info.Uses[id]
			if used[obj] && (obj.Pos() < l.Pos() || obj.Pos() > l.End()) && !slices.Contains(list, obj) {
				list = append(list, obj)
			}
		})
	}
	return list
}

// capture notes the variables that a function literal uses.
func (m *machine) capture(lit *ast.FuncLit) {
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if c := m.frame.cellOf(m.frame.info.Uses[id]); c != nil {
				c.taken = true
			}
		}
		return true
	})
}

// variable gives the number of a variable that functions change which are values.
func (m *machine) variable(c *cell) string {
	i := slices.Index(m.outside, c)
	if i < 0 {
		i = len(m.outside)
		m.outside = append(m.outside, c)
	}
	return strconv.Itoa(i)
}

// keepCaptured gives ways that have not come by a variable which a function has, what it holds on one that has: where the
// ways meet there may be that function, and on the others nobody looks at it.
func (m *machine) keepCaptured(paths []*path) {
	for _, q := range paths {
		for c, v := range q.vars {
			if !c.taken {
				continue
			}
			for _, r := range paths {
				if r.vars[c] != nil {
					continue
				}
				r.vars[c] = v
				for _, to := range m.reach(q, v) {
					if r.vars[to] == nil && q.vars[to] != nil {
						r.vars[to] = q.vars[to]
					}
				}
			}
		}
	}
}

// keepReached gives ways that have not come by a place what it holds on one that has, if a variable that they all have leads
// there: it is chosen later whether it does.
func (m *machine) keepReached(paths []*path) {
	for _, q := range paths {
		for _, v := range m.differing(q, paths) {
			for _, to := range m.reach(q, v) {
				for _, r := range paths {
					if r.vars[to] == nil && q.vars[to] != nil {
						r.vars[to] = q.vars[to]
					}
				}
			}
		}
	}
}

// differing gives what is on a way where others have something else.
func (m *machine) differing(q *path, paths []*path) (list []*value) {
	for _, c := range m.sortedCells(q.vars) {
		other := func(r *path) bool { return r.vars[c] != nil && r.vars[c].class != q.vars[c].class }
		if slices.ContainsFunc(paths, other) {
			list = append(list, q.vars[c])
		}
	}
	for i, v := range q.stack {
		if slices.ContainsFunc(paths, func(r *path) bool { return i < len(r.stack) && r.stack[i].class != v.class }) {
			list = append(list, v)
		}
	}
	return list
}

// found is what a function that is a value finds in a variable around it which it changes, or in a field of that: the first
// time what is in it where the function is given away, and from then on what it has left there.
type found struct {
	cell  *cell
	way   []int // fields of structs
	value *value
}

// finds gives a variable that a function changes what the function finds in it. Places that others lead to stay what they are.
func (m *machine) finds(q *path, c *cell) {
	if v := q.vars[c]; v != nil && !c.shared && !m.remote(c) && !slices.ContainsFunc(m.found, func(f found) bool { return f.cell == c }) {
		q.vars[c] = m.finding(c, v, nil, m.root().variable(c))
	}
}

func (m *machine) finding(c *cell, v *value, way []int, name string) *value {
	switch {
	case v.op == "struct":
		args := make([]*value, len(v.args))
		for i, a := range v.args {
			args[i] = m.finding(c, a, append(slices.Clip(way), i), name+" "+splitNames(v.what)[i])
		}
		w := *v
		w.args, w.choice = args, false
		return m.make(w)
	case leadsElsewhere(v, map[*value]bool{}):
		return v
	}
	w := m.make(value{op: "found", what: name, args: []*value{v}, pos: v.pos, owner: m})
	m.found = append(m.found, found{c, way, w})
	return w
}

// settleFound finds out what of that is never changed by the function: it is what it was.
func (m *machine) settleFound() {
	if m.lost || slices.ContainsFunc(m.nodes, func(n *node) bool { return n.kind == shape.Panic }) {
		return
	}
	for _, f := range m.found {
		if !slices.ContainsFunc(m.cur, func(p *path) bool { return !f.unchanged(p) }) {
			m.root().steady[f.value] = true
		}
	}
}

func (f found) unchanged(p *path) bool {
	v := p.vars[f.cell]
	for _, i := range f.way {
		if v == nil || v.op != "struct" || i >= len(v.args) {
			return false
		}
		v = v.args[i]
	}
	return v != nil && v.class == f.value.class
}
