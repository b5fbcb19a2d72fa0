package lock

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// dispatched is the target of a node that calls a method of an interface, and the op of a value that does: its arguments are
// the receiver, those of the method, and behind them for each type that may be there a "method", which has the name of the
// type and the function.
const dispatched = "dispatch"

// behind is a call of a method of an interface. The receiver and its arguments are on the stacks.
func (m *machine) behind(e *ast.CallExpr, obj *types.Func, n int, sig *types.Signature) {
	if t := m.standsFor(e); t != nil && m.on(t, obj, n, e.Pos()) {
		return
	}
	m.parted(e.Pos(), n)
	var out []*path
	for paths := m.cur; len(paths) > 0; {
		at := len(paths[0].stack) - n
		t := dynamic(paths[0].stack[at])
		var here, rest []*path
		for _, p := range paths {
			if u := dynamic(p.stack[at]); u == nil && t == nil || u != nil && t != nil && types.Identical(u, t) {
				here = append(here, p)
			} else {
				rest = append(rest, p)
			}
		}
		paths, m.cur = rest, here
		switch {
		case t != nil && m.on(t, obj, n, e.Pos()):
		case m.runs:
			m.dispatch(e, obj, n, sig)
		default:
			m.unknown(e, obj, n, sig)
		}
		out = append(out, m.cur...)
	}
	m.cur = m.fold(out)
}

// standsFor is the type on which a method of a type parameter is called; nil: it is an interface.
func (m *machine) standsFor(e *ast.CallExpr) types.Type {
	x, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if t := m.exprType(x.X); m.ours(t) {
		return t
	}
	return nil
}

const mostApart = 16 // ways that are parted by what is behind an interface

// parted parts the ways by the choices that decide what is behind an interface.
func (m *machine) parted(pos token.Pos, n int) {
	var out []*path
	for open := m.cur; len(open) > 0; {
		p := open[0]
		open = open[1:]
		at := len(p.stack) - n
		v := m.resolve(p, p.stack[at])
		p.stack[at] = v
		if v.op != "if" || !hasBox(v) || len(open)+len(out) > mostApart {
			out = append(out, p)
			continue
		}
		yes, no := m.part(p, pos, v.args[0])
		open = append(open, append(yes, no...)...)
	}
	m.cur = out
}

// hasBox reports whether a choice is one between values whose types are known.
func hasBox(v *value) bool {
	if v.op == "if" {
		return hasBox(v.args[1]) || hasBox(v.args[2])
	}
	return v.op == "box"
}

// on calls the method of a type that is known. It reports whether there is one.
func (m *machine) on(t types.Type, obj *types.Func, n int, pos token.Pos) bool {
	found, index, _ := types.LookupFieldOrMethod(t, false, obj.Pkg(), obj.Name())
	f, ok := found.(*types.Func)
	if !ok || m.funcs[f.Origin()] == nil {
		return false
	}
	m.embedded(t, f, index, n, pos)
	m.types = m.argsOfRecv(f)
	m.inline(m.funcs[f.Origin()], nil, n, pos)
	return true
}

// embedded makes of the receiver on the stacks, below the other of n arguments, that of a method which a type may have
// from what it embeds.
func (m *machine) embedded(t types.Type, f *types.Func, index []int, n int, pos token.Pos) {
	args := map[*path][]*value{}
	m.each(func(p *path) {
		args[p] = p.popN(n - 1)
		p.push(unboxed(p.pop()))
	})
	way, pointer := index[:len(index)-1], isPointer(f.Signature().Recv().Type())
	switch {
	case len(way) > 0 && pointer && isPointer(t) && !isPointer(fieldAt(t, way)):
		m.placeWithin(t.Underlying().(*types.Pointer).Elem(), way, pos)
	case len(way) > 0:
		m.walk(t, way, pos)
	}
	m.each(func(p *path) {
		if v := p.pop(); pointer {
			p.push(v)
		} else {
			p.push(m.read(p, v))
		}
		p.push(args[p]...)
	})
}

// fieldAt is the type of a field, through embedded ones.
func fieldAt(t types.Type, way []int) types.Type {
	for _, i := range way {
		t = structOf(t).Field(i).Type()
	}
	return t
}

// dispatch calls a method of which it is not known here of which type it is.
func (m *machine) dispatch(e *ast.CallExpr, obj *types.Func, n int, sig *types.Signature) {
	all := m.standing(obj)
	if len(all) == 0 {
		m.external(e, obj.FullName(), n, sig)
		return
	}
	act := slices.ContainsFunc(all, func(v *value) bool { return containsLambda(v, map[*value]bool{}, (*machine).acting) })
	still := !slices.ContainsFunc(m.implementors(obj), func(t types.Type) bool { return !m.still(methodIn(t, obj)) })
	if act || m.takesContext(n) {
		m.dispatchNode(e.Pos(), n, all, still, sig)
		return
	}
	m.each(func(p *path) {
		args := p.popN(n)
		own := m.directly(p, append([]*value{m.null(e.Pos())}, args...))
		frozen := make([]*value, n)
		for i, a := range args {
			frozen[i] = m.freeze(p, a)
		}
		v := m.val(e.Pos(), dispatched, obj.FullName(), append(frozen, all...)...)
		if !still || m.givesFunctions(p, args) {
			m.disturb(p, args, func(c *cell, old *value) *value { return m.val(e.Pos(), "changed", own[c], v, old) })
			m.stir(p, args, func(what string, old *value) *value { return m.val(e.Pos(), "changed", what, v, old) })
		}
		p.push(v)
	})
}

// stir changes what has the elements of the same lists as what a method may change: those of an argument become what the method
// leaves there.
func (m *machine) stir(p *path, args []*value, becomes func(what string, old *value) *value) {
	for k, a := range withoutPlain(args) {
		if a.op == "ref" || a.isConst() {
			continue
		}
		what := ""
		if k > 0 && unboxed(a) == a {
			what = "arg " + strconv.Itoa(k)
		}
		m.elsewhere(p, nil, nil, unboxed(a), becomes(what, unboxed(a)))
	}
}

// givesFunctions reports whether there are functions in arguments.
func (m *machine) givesFunctions(p *path, args []*value) (found bool) {
	for _, a := range args {
		m.functions(p, a, func(*closure) { found = true })
	}
	return found
}

// dispatchNode is dispatch as a step.
func (m *machine) dispatchNode(pos token.Pos, n int, all []*value, still bool, sig *types.Signature) {
	m.merge(pos)
	if len(m.cur) == 0 {
		return
	}
	args := m.cur[0].popN(n)
	own := m.directly(m.cur[0], append([]*value{m.null(pos)}, args...))
	node, p := m.node(shape.Call, dispatched, pos, append(withoutContexts(args), all...)...)
	if !still || m.givesFunctions(p, args) {
		m.disturb(p, args, func(c *cell, old *value) *value { return m.ofNode("changed", own[c], node, old) })
		m.stir(p, args, func(what string, old *value) *value { return m.ofNode("changed", what, node, old) })
	}
	m.blocks(node, p)
	m.pushResults(p, node, sig)
}

// implementors gives the types of the module that may be behind an interface which has a method: those that become one
// anywhere.
func (m *machine) implementors(obj *types.Func) (list []types.Type) {
	iface, ok := obj.Signature().Recv().Type().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	m.interfaces.boxed.Iterate(func(t types.Type, _ any) {
		if !seen[typeName(t)] && m.ours(t) && types.Implements(t, iface) && m.linked(packageOf(t)) {
			seen[typeName(t)], list = true, append(list, t)
		}
	})
	slices.SortFunc(list, func(a, b types.Type) int { return strings.Compare(typeName(a), typeName(b)) })
	return list
}

// packageOf is where a type is declared, or what a pointer points to.
func packageOf(t types.Type) *types.Package {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	return t.(*types.Named).Obj().Pkg()
}

// methodIn is the method of a type that stands behind one of an interface; nil: it is of another module.
func methodIn(t types.Type, obj *types.Func) *types.Func {
	found, _, _ := types.LookupFieldOrMethod(t, false, obj.Pkg(), obj.Name())
	f, _ := found.(*types.Func)
	return f
}

// standing gives the methods that may stand behind one of an interface, by their types.
func (m *machine) standing(obj *types.Func) (all []*value) {
	for _, t := range m.implementors(obj) {
		if fn := m.standIn(t, obj); fn != nil {
			all = append(all, m.val(fn.pos, "method", typeName(t), fn))
		}
	}
	return all
}

// standIn is the method of a type as a function that takes what it is called on first. nil: it is of another module.
func (m *machine) standIn(t types.Type, obj *types.Func) *value {
	found, index, _ := types.LookupFieldOrMethod(t, false, obj.Pkg(), obj.Name())
	f, ok := found.(*types.Func)
	if !ok {
		return nil
	}
	recv := f.Signature().Recv().Type()
	fn := m.funcs[f.Origin()]
	switch {
	case fn == nil && !types.IsInterface(recv):
		return nil
	case fn != nil && len(index) == 1 && types.Identical(recv, t) && f == f.Origin():
		return m.summary(fn)
	}
	return m.told(typeName(t)+"."+f.Name(), func(begun func(*machine)) *value { return m.promoted(t, f, index, begun) })
}

// promoted reads a method that a type has from what it embeds, or has an instance of a generic type.
func (m *machine) promoted(t types.Type, f *types.Func, index []int, begun func(*machine)) *value {
	pos, sig := f.Pos(), f.Signature()
	if *m.fuel < 0 {
		return m.val(pos, "source", f.FullName()+typeName(t))
	}
	defer m.sparing()()
	around := m.active
	m.active = nil
	defer func() { m.active = around }()
	sub := newMachine(m.program, m)
	q := sub.begin()
	sub.lambda, sub.level, sub.probing = true, 1, 0
	begun(sub)
	n := sub.unknowns(q, append([]types.Type{t}, typesIn(sig.Params())...), pos)
	sub.cur, sub.frame = []*path{q}, m.frame
	if types.IsInterface(sig.Recv().Type()) {
		sub.entry = &frame{}
		sub.embedded(t, f, index, n, pos)
		sub.behind(&ast.CallExpr{Fun: &ast.Ident{NamePos: pos}, Lparen: pos, Rparen: pos}, f, n, sig)
		sub.map1(func(_ *path, v *value) *value {
			if sig.Results().Len() == 1 {
				return m.make(value{op: "tuple", args: []*value{v}, pos: pos})
			}
			return m.make(value{op: "tuple", args: m.spread(v, sig.Results().Len()), pos: pos})
		})
	} else {
		sub.on(t, f, n, pos)
	}
	sub.finish(&ast.BlockStmt{Rbrace: pos}, true)
	m.cells = sub.cells
	return m.make(value{op: "lambda", body: sub, pos: pos})
}

// hasTypeRun is hasType, for a flow to run: of an interface it names the types that are one.
func (m *machine) hasTypeRun(pos token.Pos, v *value, t types.Type) *value {
	if v.op == "if" && hasBox(v) {
		return m.choose(pos, v.args[0], m.hasType(pos, v.args[1], t), m.hasType(pos, v.args[2], t))
	}
	return m.val(pos, "is", typeName(t), append([]*value{v}, m.namesOf(pos, t)...)...)
}

// asTypeRun is asType, for a flow to run.
func (m *machine) asTypeRun(pos token.Pos, v *value, t types.Type) *value {
	if v.op == "if" && hasBox(v) {
		return m.choose(pos, v.args[0], m.asType(pos, v.args[1], t), m.asType(pos, v.args[2], t))
	}
	if iface, ok := t.Underlying().(*types.Interface); ok && dynamic(v) != nil && types.Implements(dynamic(v), iface) {
		return v
	}
	return m.val(pos, "as", typeName(t), append([]*value{v}, m.namesOf(pos, t)...)...)
}

// namesOf are the names of the types that are of an interface, if t is one.
func (m *machine) namesOf(pos token.Pos, t types.Type) (names []*value) {
	iface, ok := t.Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	names = []*value{m.constant(pos, constant.MakeString("interface"))}
	m.interfaces.boxed.Iterate(func(u types.Type, _ any) {
		if m.ours(u) && types.Implements(u, iface) {
			names = append(names, m.constant(pos, constant.MakeString(typeName(u))))
		}
	})
	slices.SortFunc(names[1:], func(a, b *value) int { return strings.Compare(a.what, b.what) })
	return names
}

// asserted is a value in an interface as one of a type, if it is none the program panics.
func (m *machine) asserted(pos token.Pos, v *value, t types.Type) *value {
	w := m.asType(pos, v, t)
	if m.runs && w.op == "as" && w.args[0] == v {
		return m.make(value{op: "assert", what: w.what, args: w.args, pos: pos})
	}
	return w
}
