package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

func (m *machine) convert(e *ast.CallExpr, to types.Type) {
	m.eval(e.Args[0])
	from, to := m.exprType(e.Args[0]), m.frame.actual(to)
	name := conversion(from, to)
	if m.frame.info.Types[e.Args[0]].IsNil() {
		return
	}
	if name == "" {
		if b, ok := to.Underlying().(*types.Basic); ok || !types.IsInterface(to) {
			m.map1(func(p *path, v *value) *value {
				if v.op == "struct" || b != nil && v.lit == nil { // the same, of another type
					w := *v
					w.typ = to
					return m.make(w)
				}
				return v
			})
		}
		return
	}
	m.map1(func(p *path, v *value) *value { return m.val(e.Pos(), "conv", name, v) })
}

// conversion names a conversion that may change a value; "" does not.
func conversion(from, to types.Type) string {
	from, to = core(from), core(to)
	a, aok := from.Underlying().(*types.Basic)
	b, bok := to.Underlying().(*types.Basic)
	switch {
	case !aok && !bok, types.IsInterface(to):
		return ""
	case aok && bok:
		integers := a.Info()&types.IsInteger != 0 && b.Info()&types.IsInteger != 0
		if a.Kind() == b.Kind() || integers && size(b) >= size(a) && a.Info()&types.IsUnsigned == b.Info()&types.IsUnsigned {
			return ""
		}
		return b.Name()
	}
	return types.TypeString(to.Underlying(), nil)
}

// core is what all types that a type parameter stands for are made of, if there is one such type.
func core(t types.Type) types.Type {
	param, ok := types.Unalias(t).(*types.TypeParam)
	if !ok {
		return t
	}
	limit, _ := param.Constraint().Underlying().(*types.Interface)
	if limit == nil || limit.NumEmbeddeds() != 1 {
		return t
	}
	one := limit.EmbeddedType(0)
	if union, ok := one.(*types.Union); ok {
		if union.Len() != 1 {
			return t
		}
		one = union.Term(0).Type()
	}
	if _, again := one.(*types.TypeParam); again || types.IsInterface(one) {
		return t
	}
	return one
}

func isText(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

func size(b *types.Basic) int64 { return types.SizesFor("gc", "amd64").Sizeof(b) }

func (m *machine) builtin(e *ast.CallExpr, fun ast.Expr) {
	name := types.ExprString(fun)
	t := m.exprType(e)
	switch name {
	case "make", "new":
		for _, a := range e.Args[1:] {
			m.eval(a)
		}
		m.each(func(p *path) { p.popN(len(e.Args) - 1) })
		switch {
		case name == "new" && m.frame.info.Types[e.Args[0]].IsType():
			m.pushAll(m.zero(e.Pos(), t.Underlying().(*types.Pointer).Elem()))
			m.boxed(e.Pos(), t.Underlying().(*types.Pointer).Elem())
		case name == "new":
			m.eval(e.Args[0])
			m.boxed(e.Pos(), m.exprType(e.Args[0]))
		default:
			m.makeBuiltin(e, t)
		}
		return
	}
	for _, a := range e.Args {
		m.eval(a)
	}
	n := len(e.Args)
	switch name {
	case "panic":
		m.panics(e, n)
		return
	case "recover":
		m.recovers(e)
		return
	}
	m.each(func(p *path) {
		raw := p.popN(n)
		args := make([]*value, n)
		for i, a := range raw {
			if args[i] = a; i == 0 || name != "append" || e.Ellipsis.IsValid() { // a pointer that is appended stays one
				args[i] = m.read(p, a)
			}
		}
		switch name {
		case "len":
			p.push(m.length(e.Pos(), args[0], isText(m.frame.info.TypeOf(e.Args[0]))))
		case "append":
			v := m.appended(e, args)
			m.overgrown(p, m.exprType(e.Args[0]), args[0], v)
			p.push(v)
		case "cap":
			if args[0].room != nil {
				args = append(args, args[0].room)
			}
			p.push(m.val(e.Pos(), "call", name, args...))
		case "min", "max":
			p.push(m.least(e, name, t, args))
		case "delete", "clear", "copy":
			p.push(m.val(e.Pos(), name, "", args...))
		default:
			p.push(m.val(e.Pos(), "call", name, args...))
		}
	})
	switch name {
	case "delete", "clear", "copy":
		m.mutate(e.Args[0], func(p *path, old *value) *value {
			v := p.stack[len(p.stack)-1]
			if name == "copy" || v.args[0].class != old.class {
				return m.val(e.Pos(), "changed", name, v, old)
			}
			return v
		})
	}
}

func (m *machine) makeBuiltin(e *ast.CallExpr, t types.Type) {
	switch t.Underlying().(type) {
	case *types.Map:
		m.pushAll(m.val(e.Pos(), "map", ""))
		m.boxAll(e.Pos()).typ = t
	case *types.Slice:
		if len(e.Args) > 1 {
			if tv := m.frame.info.Types[e.Args[1]]; tv.Value == nil || tv.Value.ExactString() != "0" {
				m.eval(e.Args[1])
				m.map1(func(p *path, v *value) *value { return m.val(e.Pos(), "made", "", v) })
				m.withRoom(e)
				return
			}
		}
		m.pushAll(m.val(e.Pos(), "list", ""))
		m.withRoom(e)
	default:
		m.pushAll(m.val(e.Pos(), "made", ""))
	}
}

// withRoom notes the capacity of the lists on the stacks, if it is given.
func (m *machine) withRoom(e *ast.CallExpr) {
	if len(e.Args) < 3 {
		return
	}
	m.eval(e.Args[2])
	m.each(func(p *path) {
		room := p.pop()
		p.stack[len(p.stack)-1].room = room
	})
}

// overgrown tells others that hold the elements behind the end of a list that something was put there: the rest of what it
// was cut from, and what was appended to it before.
func (m *machine) overgrown(p *path, t types.Type, base, now *value) {
	if now != base {
		now.from = base
	}
	cut := base.op == "slice" && !base.args[2].isNil() && base.args[3].isNil()
	room := base.room
	for from := base.from; room == nil && from != nil; from = from.from {
		room = from.room
	}
	var whole []*value // origins of what it was cut from
	if cut {
		base.args[0].spine(&whole, map[*value]bool{})
	}
	for _, c := range m.sortedCells(p.vars) {
		v := p.vars[c]
		if v == nil || m.remote(c) || v == now || v == base || c.typ != nil && !m.holds(c.typ, t) {
			continue
		}
		from := v.from
		for from != nil && from != base {
			from = from.from
		}
		mine, _ := v.origins(map[*value]bool{})
		if from == base || cut && overlapping(mine, whole) {
			w := m.stirred(v, t, now)
			if room != nil {
				w = m.val(w.pos, "stirred", w.what, v, now, room) // it tells whether it has become of both
			}
			m.store(p, c, w)
		}
	}
}

// copied is a list or map with the elements of another: what becomes of one does not become of the other.
func (m *machine) copied(pos token.Pos, v *value, t types.Type) *value {
	switch {
	case v.isConst():
		return v
	case v.op == "list":
		own := *v
		own.from, own.room = nil, nil
		return m.make(own)
	}
	if v.op == "copied" {
		v = v.args[0]
	}
	what := "deep" // its elements lead to what those of the other lead to
	switch u := t.Underlying().(type) {
	case *types.Slice:
		if flat(u.Elem()) {
			what = ""
		}
	case *types.Map:
		if flat(u.Key()) && flat(u.Elem()) {
			what = ""
		}
	}
	return m.val(pos, "copied", what, v)
}

// flat reports whether values of a type lead to no memory that others may change.
func flat(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return true
	case *types.Array:
		return flat(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if !flat(f.Type()) {
				return opaque(t)
			}
		}
		return true
	}
	return false
}

// uncopied is what a list or map has been copied from, for what only looks at it.
func uncopied(v *value) *value {
	for v.op == "copied" {
		v = v.args[0]
	}
	return v
}

func (m *machine) appended(e *ast.CallExpr, args []*value) *value {
	base := args[0]
	if !e.Ellipsis.IsValid() && len(args) > 1 {
		base = m.asList(base)
	}
	if base.isNil() {
		base = m.val(base.pos, "list", "")
	}
	if e.Ellipsis.IsValid() {
		if args[1].op != "list" || args[1].what != "" {
			if base.op == "list" && len(base.args) == 0 {
				v := m.copied(e.Pos(), args[1], m.exprType(e.Args[0]))
				v.room = base.room
				return v
			}
			return m.val(e.Pos(), "concat", "", base, args[1])
		}
		args = append(args[:1:1], args[1].args...)
	}
	if (base.op == "list" || base.op == "append") && base.what == "" {
		return m.val(base.pos, base.op, "", append(base.args[:len(base.args):len(base.args)], args[1:]...)...)
	}
	return m.val(e.Pos(), "append", "", append([]*value{base}, args[1:]...)...)
}

// panics ends the function that is being read: what it has deferred runs.
func (m *machine) panics(e *ast.CallExpr, n int) {
	m.each(func(p *path) {
		p.popN(n)
		p.panics = e.Pos()
	})
	m.unwind(m.frame)
}

// unwind has the paths leave a function by a panic.
func (m *machine) unwind(f *frame) {
	results := m.make(value{op: "tuple", pos: f.begin()})
	for range m.resultCount(f) {
		results.args = append(results.args, m.null(f.begin()))
	}
	m.each(func(p *path) {
		p.stack = append(p.stack[:min(f.base, len(p.stack))], results)
		p.raised = p.raised[:min(f.raised, len(p.raised))]
	})
	f.returns = append(f.returns, m.cur...)
	m.cur = nil
}

// panicked leaves of paths that end a function those that have not panicked; others go on to the function around it.
func (m *machine) panicked(f *frame, paths []*path) []*path {
	var out, up []*path
	for _, p := range paths {
		if p.panics.IsValid() {
			up = append(up, p)
		} else {
			out = append(out, p)
		}
	}
	i := slices.Index(m.active, f)
	if len(up) > 0 && f != m.entry && i > 0 {
		m.cur = up
		m.unwind(m.active[i-1])
		return out
	}
	for _, p := range up {
		m.attach(p, m.newNode(shape.Panic, p.panics, 0))
	}
	return out
}

// recovers is what recover gives: a panic of the program itself, or one that nothing here tells of.
func (m *machine) recovers(e *ast.CallExpr) {
	m.each(func(p *path) {
		v := m.val(e.Pos(), "call", "recover")
		if i := len(p.raised) - 1; i >= 0 && p.raised[i].IsValid() {
			v = m.make(value{op: "struct", what: "recovered", pos: e.Pos()})
			p.raised[i] = token.NoPos
		}
		p.push(v)
	})
}
