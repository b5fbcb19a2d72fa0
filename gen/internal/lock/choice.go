package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// calledByChoice calls the methods of the types that are behind an interface, if these are known: a choice between values decides
// which one. It reports whether they are.
func (m *machine) calledByChoice(e *ast.CallExpr, obj *types.Func, n int) bool {
	if slices.ContainsFunc(m.cur, func(p *path) bool { return !m.decides(obj, p.stack[len(p.stack)-n]) }) {
		return false
	}
	var out []*path
	for rest := m.partedBy(e.Pos(), m.cur, n); len(rest) > 0; {
		fn := m.methodOf(obj, rest[0].stack[len(rest[0].stack)-n])
		other := func(p *path) bool { return m.methodOf(obj, p.stack[len(p.stack)-n]) != fn }
		m.cur = slices.DeleteFunc(slices.Clone(rest), other)
		rest = slices.DeleteFunc(rest, func(p *path) bool { return !other(p) })
		if !isPointer(fn.obj.Signature().Recv().Type()) {
			m.each(func(p *path) {
				at := len(p.stack) - n
				p.stack[at] = m.read(p, p.stack[at])
			})
		}
		m.inline(fn, nil, n, e.Pos())
		out = append(out, m.cur...)
	}
	m.cur = m.fold(out)
	return true
}

// decides reports whether it is known which method is called on a value behind an interface.
func (m *machine) decides(obj *types.Func, v *value) bool {
	if v.op == "if" {
		return m.decides(obj, v.args[1]) && m.decides(obj, v.args[2])
	}
	return m.methodOf(obj, v) != nil
}

// partedBy parts paths by the choices that a value is, which is n below the top of the stacks.
func (m *machine) partedBy(pos token.Pos, paths []*path, n int) (out []*path) {
	for _, p := range paths {
		at := len(p.stack) - n
		v := p.stack[at]
		if v.op != "if" {
			out = append(out, p)
			continue
		}
		yes, no := m.part(p, pos, m.resolve(p, v.args[0]))
		for i, ways := range [][]*path{yes, no} {
			for _, q := range ways {
				q.stack[at] = v.args[i+1]
			}
			out = append(out, m.partedBy(pos, ways, n)...)
		}
	}
	return out
}

// methodOf gives the method that is called on a value behind an interface; nil: it is not known.
func (m *machine) methodOf(obj *types.Func, v *value) *function {
	t := dynamic(v)
	if t == nil {
		return nil
	}
	found, index, _ := types.LookupFieldOrMethod(t, false, obj.Pkg(), obj.Name())
	f, ok := found.(*types.Func)
	if !ok || len(index) != 1 {
		return nil
	}
	return m.funcs[f.Origin()]
}
