package lock

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

func (m *machine) slice(e *ast.SliceExpr) {
	m.eval(e.X)
	if id := rootIdent(e.X); id != nil {
		if c := m.frame.cellOf(m.frame.info.Uses[id]); c != nil {
			c.sliced = true
		}
	}
	n := 1
	for _, bound := range []ast.Expr{e.Low, e.High, e.Max} {
		if bound == nil {
			m.pushAll(m.null(e.Pos()))
		} else {
			m.eval(bound)
		}
		n++
	}
	t := m.exprType(e.X).Underlying()
	m.each(func(p *path) {
		args := p.popN(n)
		args[0] = m.read(p, args[0])
		if args[1].isNil() || args[1].zeroLike() {
			args[1] = m.null(e.Pos())
		}
		p.push(m.sliced(e.Pos(), t, args))
	})
}

// sliced is args[0] from args[1] to args[2], with the capacity args[3]; nil is a bound that is not given.
func (m *machine) sliced(pos token.Pos, t types.Type, args []*value) *value {
	x, low, high := args[0], args[1], args[2]
	if !args[3].isNil() {
		return m.val(pos, "slice", "", args...)
	}
	rest := x
	if !low.isNil() {
		rest = m.val(pos, "slice", "", x, low, m.null(pos), m.null(pos))
	}
	if high.isNil() {
		return rest
	}
	if _, isSlice := t.(*types.Slice); (isSlice || isText(t)) && high.op == "call" && high.what == "min" {
		size := m.length(pos, x, isText(t))
		for i, a := range high.args {
			if n := m.beyond(low, a); n != nil && len(high.args) == 2 && high.args[1-i].class == size.class {
				return m.most(pos, rest, n)
			}
		}
	}
	return m.val(pos, "slice", "", args...)
}

// beyond gives the constant, not negative, by which a bound is more than low; nil: there is none.
func (m *machine) beyond(low, bound *value) *value {
	n := bound
	switch {
	case low.isNil():
	case bound.op == "+" && bound.what == "" && bound.args[0].class == low.class:
		n = bound.args[1]
	case low.lit != nil && bound.lit != nil:
		n = m.constant(bound.pos, constant.BinaryOp(bound.lit, token.SUB, low.lit))
	default:
		return nil
	}
	if n.lit == nil || n.lit.Kind() != constant.Int || constant.Sign(n.lit) < 0 {
		return nil
	}
	return n
}

// most is the beginning of v: n elements, or all if there are fewer.
func (m *machine) most(pos token.Pos, v, n *value) *value {
	low, limit := m.null(pos), m.val(n.pos, "most", "", n)
	if v.op == "slice" && v.args[2].isNil() && v.args[3].isNil() {
		v, low = v.args[0], v.args[1]
	}
	return m.val(pos, "slice", "", v, low, limit, m.null(pos))
}

// cut gives that of a choice which only cuts what is too long: if len(v) > n { v = v[:n] }; nil: it is none.
func (m *machine) cut(pos token.Pos, cond, yes, no *value) *value {
	if cond.op != "<" || !cond.whole || cond.args[0].op != "len" || cond.args[0].args[0].class != uncopied(yes).class || cond.args[1].lit == nil {
		return nil
	}
	if no.op != "slice" || no.args[0].class != yes.class || !no.args[1].isNil() || !no.args[3].isNil() {
		return nil
	}
	n := no.args[2]
	if n.lit == nil || n.lit.Kind() != constant.Int || constant.Sign(n.lit) < 0 || !m.bounds(cond.args[1], n) {
		return nil
	}
	return m.most(pos, yes, n)
}

// asList is a slice where nil and an empty one are the same: for what only counts it, takes an element or appends one.
func (m *machine) asList(v *value) *value {
	switch {
	case v.op == "eta":
		if w := m.asList(v.args[1]); w != v.args[1] {
			list := *v
			list.args = []*value{v.args[0], w}
			return m.make(list)
		}
	case v.op == "mu" && len(v.args) == 2 && v.args[0].isNil():
		if w := m.classes.lists[v]; w != nil {
			return w
		}
		w := &value{op: "mu", pos: v.pos, class: m.classes.fresh(), owner: v.owner, loop: v.loop}
		next := m.grown(v.args[1], v, w)
		if next == nil {
			m.classes.lists[v] = v
			return v
		}
		w.args = []*value{m.val(v.args[0].pos, "list", ""), next}
		m.classes.lists[v] = w
		return w
	}
	return v
}

// grown is what a round makes of a slice that is only appended to, with the list instead of it; nil: it does more.
func (m *machine) grown(next, mu, list *value) *value {
	switch {
	case next == mu:
		return list
	case (next.op == "append" || next.op == "concat") && len(next.args) > 1 && next.args[0] == mu:
		w := *next
		w.args = append([]*value{list}, next.args[1:]...)
		return m.make(w)
	case next.op == "if":
		yes, no := m.grown(next.args[1], mu, list), m.grown(next.args[2], mu, list)
		if yes == nil || no == nil {
			return nil
		}
		return m.val(next.pos, "if", "", next.args[0], yes, no)
	}
	return nil
}
