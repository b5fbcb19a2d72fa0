package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/collect"
	"github.com/durablegen/durablegen/internal/shape"
)

// call reads a call and pushes its result: one value, or a tuple.
func (m *machine) call(e *ast.CallExpr) {
	info := m.frame.info
	fun := ast.Unparen(e.Fun)
	if tv := info.Types[fun]; tv.IsType() {
		m.convert(e, tv.Type)
		return
	} else if tv.IsBuiltin() {
		m.builtin(e, fun)
		return
	}
	switch x := fun.(type) {
	case *ast.IndexExpr:
		if m.isFunc(x.X) {
			fun = ast.Unparen(x.X)
		}
	case *ast.IndexListExpr:
		fun = ast.Unparen(x.X)
	}
	sig, _ := info.TypeOf(e.Fun).Underlying().(*types.Signature)
	if sig == nil {
		m.pushAll(m.val(e.Pos(), "unknown", ""))
		return
	}
	switch x := fun.(type) {
	case *ast.Ident:
		if obj, ok := info.Uses[x].(*types.Func); ok {
			m.static(e, obj, sig)
			return
		}
	case *ast.SelectorExpr:
		sel := info.Selections[x]
		if sel == nil {
			if obj, ok := info.Uses[x.Sel].(*types.Func); ok {
				m.static(e, obj, sig)
				return
			}
		} else if obj, ok := sel.Obj().(*types.Func); ok && sel.Kind() == types.MethodVal {
			m.method(e, x, sel, obj, sig)
			return
		}
	}
	m.eval(fun)
	n := m.args(e, sig)
	m.dynamic(e, n)
}

// args pushes the arguments, those of a variadic parameter as one list, and gives their number.
func (m *machine) args(e *ast.CallExpr, sig *types.Signature) int {
	n := sig.Params().Len()
	if len(e.Args) == 1 && n > 1 {
		if tuple, ok := m.frame.info.TypeOf(e.Args[0]).(*types.Tuple); ok {
			m.eval(e.Args[0])
			m.each(func(p *path) { p.push(m.convertedParts(e.Args[0], m.spread(p.pop(), tuple.Len()))...) })
			return n
		}
	}
	for i, a := range e.Args {
		m.eval(a)
		if fn := m.sayer(e, i); fn != nil {
			m.inline(fn, nil, 1, a.Pos())
		}
	}
	if !sig.Variadic() || e.Ellipsis.IsValid() {
		return len(e.Args)
	}
	m.each(func(p *path) {
		p.push(m.val(e.Rparen, "list", "", p.popN(len(e.Args)-(n-1))...))
	})
	return n
}

// static is a call of a declared function.
func (m *machine) static(e *ast.CallExpr, obj *types.Func, sig *types.Signature) {
	obj = obj.Origin()
	n := m.args(e, sig)
	if obj.Pkg() != nil && obj.Pkg().Path() == collect.RuntimePath {
		m.runtimeCall(e, obj.Name(), n)
		return
	}
	if fn := m.funcs[obj]; fn != nil {
		m.types = m.argsOf(obj, funcName(e.Fun))
		m.inline(fn, nil, n, e.Pos())
		return
	}
	m.external(e, obj.FullName(), n, sig)
}

// funcName is the identifier of a function that is called.
func funcName(e ast.Expr) *ast.Ident {
	switch x := ast.Unparen(e).(type) {
	case *ast.IndexExpr:
		return funcName(x.X)
	case *ast.IndexListExpr:
		return funcName(x.X)
	case *ast.SelectorExpr:
		return x.Sel
	case *ast.Ident:
		return x
	}
	return nil
}

// explicit gives the type arguments that a call writes: they cannot be told by the other arguments.
func (m *machine) explicit(fun ast.Expr) (all []*value) {
	var args []ast.Expr
	switch x := ast.Unparen(fun).(type) {
	case *ast.IndexExpr:
		args = []ast.Expr{x.Index}
	case *ast.IndexListExpr:
		args = x.Indices
	}
	for _, a := range args {
		if m.frame.info.Types[a].IsType() {
			all = append(all, m.typeValue(a.Pos(), m.exprType(a)))
		}
	}
	return all
}

func (m *machine) method(e *ast.CallExpr, x *ast.SelectorExpr, sel *types.Selection, obj *types.Func, sig *types.Signature) {
	bound := m.argsOfRecv(obj)
	obj = obj.Origin()
	if d := m.handleOf(sel); d != nil {
		n := m.args(e, sig)
		m.handleCall(e, d, obj.Name(), n)
		return
	}
	m.receiver(x, sel)
	if name := runtimeType(obj.Signature().Recv().Type()); name != "" {
		n := m.args(e, sig)
		m.runtimeCall(e, name+"."+obj.Name(), n+1)
		return
	}
	n := m.args(e, sig)
	if fn := m.funcs[obj]; fn != nil {
		m.types = bound
		m.inline(fn, nil, n+1, e.Pos())
		return
	}
	if m.draws(e, obj.Name(), n) {
		return
	}
	recv := obj.Signature().Recv().Type()
	if types.IsInterface(recv) {
		m.behind(e, obj, n+1, sig)
		return
	}
	if isPointer(recv) && !types.IsInterface(recv) {
		m.mutator(e, obj.FullName(), n+1, sig)
		return
	}
	m.external(e, obj.FullName(), n+1, sig)
}

// mutator is a method of another module that may change what it is called on.
func (m *machine) mutator(e *ast.CallExpr, name string, n int, sig *types.Signature) {
	if m.builder(e, name, n) {
		return
	}
	refs := make([]*value, 0, len(m.cur))
	m.each(func(p *path) { refs = append(refs, p.stack[len(p.stack)-n]) })
	before := m.cur
	m.external(e, name, n, sig)
	if len(m.cur) != len(before) {
		return
	}
	for i, p := range m.cur {
		v := p.stack[len(p.stack)-1]
		if refs[i].op == "ref" {
			m.write(p, refs[i], m.val(e.Pos(), "changed", "", v))
		}
	}
}

// external is a call of a function whose source is not of this run: a value, unless it gets a Context.
func (m *machine) external(e *ast.CallExpr, name string, n int, sig *types.Signature) {
	if m.takesContext(n) && !m.onlyBasic(e, n) {
		m.opaqueCall(e.Pos(), name, n, sig)
		return
	}
	given, all := map[*path][]*value{}, m.unseen(e, name, sig, false)
	parts := name == "errors.Is" || name == "errors.As"
	m.each(func(p *path) {
		raw := m.bare(name, p.popN(n))
		given[p] = raw
		args := make([]*value, n)
		for i, a := range raw {
			args[i] = m.freeze(p, a)
		}
		called := name
		if sig != nil && sig.Variadic() {
			if last := args[n-1]; e.Ellipsis.IsValid() && spreading[name] && (last.op != "list" || last.what != "") {
				called += "..."
			}
			args = flatten(args)
		}
		more := all
		if parts && m.foreign(raw[0]) {
			more = m.unseen(e, name, sig, true)
		}
		v := m.with(m.known(e, called, args), append(more[:len(more):len(more)], m.texts(name, args)...))
		if !readers[name] {
			for i, a := range raw {
				if a = unboxed(a); a.op == "ref" {
					m.write(p, a, m.val(e.Pos(), "changed", strconv.Itoa(i), v))
				}
			}
		}
		p.push(v)
	})
	m.afterCall(e, name, sig, given)
}

// with is a value that depends on more than it is computed from.
func (m *machine) with(v *value, more []*value) *value {
	switch {
	case len(more) == 0 || v.isConst():
		return v
	case v.op == "call":
		return m.val(v.pos, v.op, v.what, append(v.args[:len(v.args):len(v.args)], more...)...)
	}
	return m.val(v.pos, "with", "", append([]*value{v}, more...)...)
}

// readers do not change what their arguments point to.
var readers = map[string]bool{
	"fmt.Sprintf": true, "fmt.Sprint": true, "fmt.Sprintln": true, "fmt.Errorf": true, "errors.Is": true, "errors.Join": true,
	"maps.Keys": true, "maps.Values": true, "maps.Clone": true, "slices.Collect": true, "slices.Sorted": true, "encoding/json.Marshal": true,
	"reflect.DeepEqual": true, "slices.Contains": true, "maps.Equal": true,
}

// spreading are functions of which a flow says whether the last argument is one of several or all of them.
var spreading = map[string]bool{"slices.Insert": true, "slices.Replace": true, "slices.Concat": true, "cmp.Or": true}

// flatten puts the elements of a last list in its place, as they are written.
func flatten(args []*value) []*value {
	if n := len(args); n > 0 && args[n-1].op == "list" && args[n-1].what == "" {
		return append(args[:n-1:n-1], args[n-1].args...)
	}
	return args
}

func (m *machine) takesContext(n int) bool {
	for _, p := range m.cur {
		if slices.ContainsFunc(p.stack[len(p.stack)-n:], func(a *value) bool { return m.holdsContext(p, a) }) {
			return true
		}
	}
	return false
}

// holdsContext reports whether a value has to do with a Context, or with a function that needs one.
func (m *machine) holdsContext(p *path, a *value) bool {
	return hasContext(a, map[*value]bool{}) || m.acts(p, a)
}

// onlyBasic reports whether no argument of a call can hold a Context or a function, though something from which one of them
// was taken does.
func (m *machine) onlyBasic(e *ast.CallExpr, n int) bool {
	if x, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr); ok && m.frame.info.Selections[x] != nil {
		for _, p := range m.cur {
			if m.holdsContext(p, p.stack[len(p.stack)-n]) { // what a method is called on
				return false
			}
		}
	}
	return !slices.ContainsFunc(e.Args, func(a ast.Expr) bool {
		t := m.exprType(a)
		if t == nil {
			return true
		}
		if _, basic := t.Underlying().(*types.Basic); basic {
			return false
		}
		return !types.Identical(t, types.Universe.Lookup("error").Type()) // those that are made of functions are no errors
	})
}

// acts reports whether a function in a value does more than compute.
func (m *machine) acts(p *path, v *value) bool {
	if cancels(v, map[*value]bool{}) {
		return true
	}
	found := false
	m.functions(p, v, func(*closure) { found = true })
	if found {
		v = m.freeze(p, v)
	}
	return containsLambda(v, map[*value]bool{}, (*machine).acting)
}

// cancels reports whether what ends a scope is in a value.
func cancels(v *value, seen map[*value]bool) bool {
	if v.op == "cancel" {
		return true
	}
	if seen[v] {
		return false
	}
	seen[v] = true
	return slices.ContainsFunc(v.args, func(a *value) bool { return cancels(a, seen) })
}

func containsLambda(v *value, seen map[*value]bool, is func(*machine) bool) bool {
	if seen[v] {
		return false
	}
	seen[v] = true
	return v.body != nil && is(v.body) || slices.ContainsFunc(v.args, func(a *value) bool { return containsLambda(a, seen, is) })
}

// acting reports whether a function has steps.
func (m *machine) acting() bool {
	return slices.ContainsFunc(m.nodes, func(n *node) bool {
		switch n.kind {
		case shape.Join, shape.Branch, shape.Return, shape.Panic:
			return false
		}
		return n.kind != shape.Call || n.target != calledArgument
	})
}

// calledArgument is the target of a node that calls a function which is an argument: who gives it knows what it does.
const calledArgument = "argument"

// calledValue is that of one that calls a function of which it is not known here which one it is. It is the first argument
// of both.
const calledValue = "value"

func hasContext(v *value, seen map[*value]bool) bool {
	if v.op == "ctx" || v.op == "rand" {
		return true
	}
	if v.op == "phi" || v.op == "mu" || seen[v] {
		return false
	}
	seen[v] = true
	return slices.ContainsFunc(v.args, func(a *value) bool { return hasContext(a, seen) })
}

// opaqueCall is a call into what cannot be looked into and may do anything with the orchestration.
func (m *machine) opaqueCall(pos token.Pos, name string, n int, sig *types.Signature) {
	m.merge(pos)
	if len(m.cur) == 0 {
		return
	}
	p := m.cur[0]
	args := p.popN(n)
	node, p := m.node(shape.Call, name, pos, withoutContexts(flatten(args))...)
	own := map[*cell]string{}
	switch {
	case name == calledArgument || name == calledValue:
		own = m.directly(p, args)
	case strings.HasPrefix(name, "recursion"):
		own = m.directly(p, append(args[len(args)-1:len(args):len(args)], args[:len(args)-1]...))
	}
	if m.runs {
		m.lend(p, args)
		m.blocks(node, p) // what it leaves is there afterwards
	}
	m.disturb(p, args, func(c *cell, old *value) *value { return m.ofNode("changed", own[c], node, old) })
	if !m.runs {
		m.blocks(node, p)
	}
	m.pushResults(p, node, sig)
}

func (m *machine) pushResults(p *path, n *node, sig *types.Signature) {
	count := 1
	if sig != nil {
		count = sig.Results().Len()
	}
	if count == 1 {
		p.push(m.make(value{op: "result", at: n, pos: n.pos}))
		return
	}
	vs := make([]*value, count)
	for i := range vs {
		vs[i] = m.make(value{op: "result", what: strconv.Itoa(i), at: n, pos: n.pos})
	}
	p.push(m.make(value{op: "tuple", args: vs, pos: n.pos}))
}

func withoutContexts(args []*value) []*value {
	var out []*value
	for _, a := range args {
		if a.op == "ctx" && len(a.args) == 1 {
			a = a.args[0]
		} else if a.op == "ctx" {
			continue
		}
		out = append(out, a)
	}
	return out
}

// dynamic calls the function value below n arguments, each path the one that it has.
func (m *machine) dynamic(e *ast.CallExpr, n int) {
	paths := m.cur
	var out []*path
	for len(paths) > 0 {
		callee := paths[0].stack[len(paths[0].stack)-n-1]
		var here, rest []*path
		for _, p := range paths {
			if p.stack[len(p.stack)-n-1].class == callee.class {
				here = append(here, p)
			} else {
				rest = append(rest, p)
			}
		}
		paths = rest
		m.cur = here
		m.each(func(p *path) {
			args := p.popN(n)
			p.pop()
			p.push(args...)
		})
		m.callValue(e, callee, n)
		out = append(out, m.cur...)
	}
	m.cur = m.fold(out)
}

func (m *machine) callValue(e *ast.CallExpr, callee *value, n int) {
	var sig *types.Signature
	if t := m.frame.info.TypeOf(e.Fun); t != nil {
		sig, _ = t.Underlying().(*types.Signature)
	}
	switch {
	case callee.op == "func":
		m.invoke(callee.fn, n, e.Pos())
	case callee.op == "cancel":
		m.cancel(e, callee)
	case callee.op == "bound" && !strings.Contains(callee.what, "/") && strings.Contains(callee.what, "."):
		m.each(func(p *path) {
			args := p.popN(n)
			p.push(append([]*value{callee.args[0]}, args...)...)
		})
		m.runtimeCall(e, callee.what, n+1)
	case (callee.op == "param" || m.byItself() && callee.op != "bound" && callee.op != "external") && !m.takesContext(n):
		m.each(func(p *path) {
			args := p.popN(n)
			p.push(callee)
			p.push(args...)
		})
		m.opaqueCall(e.Pos(), calledArgument, n+1, sig)
	case m.takesContext(n), slices.ContainsFunc(m.cur, func(p *path) bool { return m.acts(p, callee) }):
		m.each(func(p *path) {
			args := p.popN(n)
			p.push(callee)
			p.push(args...)
		})
		m.opaqueCall(e.Pos(), calledValue, n+1, sig)
	default:
		m.each(func(p *path) {
			args := p.popN(n)
			frozen := []*value{m.freeze(p, callee)}
			for _, a := range args {
				frozen = append(frozen, m.freeze(p, a))
			}
			v := m.val(e.Pos(), "apply", "", frozen...)
			own := m.directly(p, append([]*value{callee}, args...))
			m.disturb(p, append(args, callee), func(c *cell, old *value) *value { return m.val(e.Pos(), "changed", own[c], v, old) })
			p.push(v)
		})
	}
}
