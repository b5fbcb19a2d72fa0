package lock

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
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
			m.each(func(p *path) { p.push(m.spread(p.pop(), tuple.Len())...) })
			return n
		}
	}
	for _, a := range e.Args {
		m.eval(a)
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
		m.inline(fn, nil, n, e.Pos())
		return
	}
	m.external(e, obj.FullName(), n, sig)
}

func (m *machine) method(e *ast.CallExpr, x *ast.SelectorExpr, sel *types.Selection, obj *types.Func, sig *types.Signature) {
	obj = obj.Origin()
	if named, ok := types.Unalias(sel.Recv()).(*types.Named); ok {
		if d := m.handles[named.Obj()]; d != nil {
			n := m.args(e, sig)
			m.handleCall(e, d, obj.Name(), n)
			return
		}
	}
	m.receiver(x, sel)
	if name := runtimeType(obj.Signature().Recv().Type()); name != "" {
		n := m.args(e, sig)
		m.runtimeCall(e, name+"."+obj.Name(), n+1)
		return
	}
	n := m.args(e, sig)
	if fn := m.funcs[obj]; fn != nil {
		m.inline(fn, nil, n+1, e.Pos())
		return
	}
	if m.draws(e, obj.Name(), n) {
		return
	}
	recv := obj.Signature().Recv().Type()
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
	if m.takesContext(n) {
		m.opaqueCall(e.Pos(), name, n, sig)
		return
	}
	m.each(func(p *path) {
		raw := p.popN(n)
		args := make([]*value, n)
		for i, a := range raw {
			args[i] = m.freeze(p, a)
		}
		if sig != nil && sig.Variadic() {
			args = flatten(args)
		}
		v := m.known(e, name, args)
		if !readers[name] {
			for i, a := range raw {
				if a.op == "ref" {
					m.write(p, a, m.val(e.Pos(), "changed", strconv.Itoa(i), v))
				} else if i < len(e.Args) && sorters[name] {
					p.push(a) // written below
					_ = p.pop()
				}
			}
		}
		p.push(v)
	})
	if sorters[name] && len(e.Args) > 0 {
		m.place(e.Args[0])
		m.each(func(p *path) {
			ref := p.pop()
			m.write(p, ref, m.val(e.Pos(), "changed", "0", p.stack[len(p.stack)-1]))
		})
	}
}

// readers do not change what their arguments point to.
var readers = map[string]bool{
	"fmt.Sprintf": true, "fmt.Sprint": true, "fmt.Sprintln": true, "fmt.Errorf": true, "errors.Is": true, "errors.Join": true,
	"maps.Keys": true, "maps.Values": true, "maps.Clone": true, "slices.Collect": true, "slices.Sorted": true, "encoding/json.Marshal": true,
	"reflect.DeepEqual": true, "slices.Contains": true, "maps.Equal": true,
}

// sorters change the elements of their first argument.
var sorters = map[string]bool{
	"sort.Strings": true, "sort.Ints": true, "sort.Float64s": true, "sort.Slice": true, "sort.SliceStable": true, "sort.Sort": true, "sort.Stable": true,
	"slices.Sort": true, "slices.SortFunc": true, "slices.SortStableFunc": true, "slices.Reverse": true,
}

// flatten puts the elements of a last list in its place, as they are written.
func flatten(args []*value) []*value {
	if n := len(args); n > 0 && args[n-1].op == "list" && args[n-1].what == "" {
		return append(args[:n-1:n-1], args[n-1].args...)
	}
	return args
}

func (m *machine) takesContext(n int) bool {
	for _, p := range m.cur {
		for _, a := range p.stack[len(p.stack)-n:] {
			if hasContext(a) {
				return true
			}
		}
	}
	return false
}

func hasContext(v *value) bool {
	if v.op == "ctx" || v.op == "rand" {
		return true
	}
	if v.op == "phi" || v.op == "mu" {
		return false
	}
	for _, a := range v.args {
		if hasContext(a) {
			return true
		}
	}
	return false
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
	m.blocks(node, p)
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
	case m.takesContext(n):
		m.each(func(p *path) {
			args := p.popN(n)
			p.push(callee)
			p.push(args...)
		})
		m.opaqueCall(e.Pos(), "value", n+1, sig)
	default:
		m.each(func(p *path) {
			args := p.popN(n)
			frozen := []*value{m.freeze(p, callee)}
			for _, a := range args {
				frozen = append(frozen, m.freeze(p, a))
			}
			p.push(m.val(e.Pos(), "apply", "", frozen...))
		})
	}
}

// invoke calls a closure or a function as a value.
func (m *machine) invoke(c *closure, n int, pos token.Pos) {
	if c.fn != nil {
		if c.recv != nil {
			m.each(func(p *path) {
				args := p.popN(n)
				p.push(c.recv)
				p.push(args...)
			})
			n++
		}
		m.inline(c.fn, nil, n, pos)
		return
	}
	m.inline(nil, c, n, pos)
}

// inline reads the body of a function in place of its call. Its arguments are on the stacks.
func (m *machine) inline(fn *function, c *closure, n int, pos token.Pos) {
	if len(m.cur) == 0 {
		return
	}
	f := &frame{fn: fn, cells: map[types.Object]*cell{}}
	var body *ast.BlockStmt
	var names []*ast.Ident
	var results *ast.FieldList
	if fn != nil {
		f.info, body, results = fn.info, fn.decl.Body, fn.decl.Type.Results
		names = append(paramNames(fn.decl.Recv), paramNames(fn.decl.Type.Params)...)
	} else {
		f.info, f.lit, f.outer, body, results = c.frame.info, c.lit, c.frame, c.lit.Body, c.lit.Type.Results
		names = paramNames(c.lit.Type.Params)
	}
	if m.recursive(f, n, pos) {
		return
	}
	m.bind(f, names, n)
	if m.entry == nil {
		m.entry = f
	}
	saved, targets := m.frame, m.targets
	m.frame, m.targets = f, nil
	m.active = append(m.active, f)
	for _, id := range paramNames(results) {
		if id == nil {
			continue
		}
		var r *cell
		if obj := f.info.Defs[id]; obj != nil {
			r = m.declare(obj)
			v := m.zero(id.Pos(), obj.Type())
			m.each(func(p *path) { m.store(p, r, v) })
		} else {
			r = m.newCell()
		}
		f.results = append(f.results, r)
	}
	m.block(body.List)
	if len(m.cur) > 0 {
		end := m.make(value{op: "tuple", pos: body.Rbrace})
		for range results.NumFields() {
			end.args = append(end.args, m.null(body.Rbrace)) // the end of a function that returns something is not reached
		}
		m.pushAll(end)
		f.returns = append(f.returns, m.cur...)
	}
	m.leave(f)
	m.active = m.active[:len(m.active)-1]
	m.frame, m.targets = saved, targets
}

// bind gives the parameters their values.
func (m *machine) bind(f *frame, names []*ast.Ident, n int) {
	cells := make([]*cell, n)
	for i := range cells {
		cells[i] = m.newCell()
		if i < len(names) && names[i] != nil {
			if obj := f.info.Defs[names[i]]; obj != nil {
				cells[i].st, _ = obj.Type().Underlying().(*types.Struct)
				f.cells[obj] = cells[i]
			}
		}
	}
	m.each(func(p *path) {
		for i, v := range p.popN(n) {
			p.vars[cells[i]] = v
		}
	})
}

// paramNames gives an identifier for every parameter, nil for one without a name.
func paramNames(list *ast.FieldList) []*ast.Ident {
	if list == nil {
		return nil
	}
	var names []*ast.Ident
	for _, field := range list.List {
		if len(field.Names) == 0 {
			names = append(names, nil)
		}
		names = append(names, field.Names...)
	}
	return names
}

// leave ends a call: what was deferred runs, and the result is pushed.
func (m *machine) leave(f *frame) {
	var out []*path
	for _, p := range m.fold(f.returns) {
		m.cur = []*path{p}
		m.runDeferred(f)
		out = append(out, m.cur...)
	}
	m.cur = m.fold(out)
	for _, p := range m.cur {
		v := p.pop()
		if len(f.results) > 0 && v.op == "tuple" {
			args := make([]*value, len(f.results))
			for i, c := range f.results {
				args[i] = m.load(p, c)
			}
			v = m.make(value{op: "tuple", args: args, pos: v.pos})
		}
		if f.fn != nil && !f.fn.escapes {
			for _, c := range f.cells {
				delete(p.vars, c)
			}
		}
		if v.op == "tuple" && len(v.args) == 1 && f != m.entry {
			v = v.args[0]
		}
		p.push(v)
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
		deferring := m.deferring
		m.deferring = f
		m.call(d.call)
		m.deferring = deferring
		m.each(func(p *path) { p.pop() })
	}
}

// recursive handles a function that is being read already: the call stands for itself, by how far up it is.
func (m *machine) recursive(f *frame, n int, pos token.Pos) bool {
	name := ""
	for i := len(m.active) - 1; i >= 0; i-- {
		if a := m.active[i]; f.fn != nil && a.fn == f.fn || f.lit != nil && a.lit == f.lit {
			name = fmt.Sprintf("recursion %d", len(m.active)-i)
			break
		}
	}
	if name == "" && (len(m.active) > 60 || *m.fuel < 0) {
		name = "deep"
		if f.fn != nil {
			name = f.fn.obj.FullName()
		}
	}
	if name == "" {
		return false
	}
	var sig *types.Signature
	if f.fn != nil {
		sig = f.fn.obj.Signature()
	} else {
		sig, _ = f.info.TypeOf(f.lit).(*types.Signature)
	}
	if m.takesContext(n) || f.lit != nil {
		m.opaqueCall(pos, name, n, sig)
		return true
	}
	m.each(func(p *path) {
		args := p.popN(n)
		for i := range args {
			args[i] = m.freeze(p, args[i])
		}
		p.push(m.val(pos, "call", name, args...))
	})
	return true
}

func (m *machine) convert(e *ast.CallExpr, to types.Type) {
	m.eval(e.Args[0])
	from := m.frame.info.TypeOf(e.Args[0])
	name := conversion(from, to)
	if name == "" || m.frame.info.Types[e.Args[0]].IsNil() {
		return
	}
	m.map1(func(p *path, v *value) *value { return m.val(e.Pos(), "conv", name, v) })
}

// conversion names a conversion that may change a value; "" does not.
func conversion(from, to types.Type) string {
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

func isText(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

func size(b *types.Basic) int64 { return types.SizesFor("gc", "amd64").Sizeof(b) }

func (m *machine) builtin(e *ast.CallExpr, fun ast.Expr) {
	name := types.ExprString(fun)
	t := m.frame.info.TypeOf(e)
	switch name {
	case "make", "new":
		for _, a := range e.Args[1:] {
			m.eval(a)
		}
		m.each(func(p *path) { p.popN(len(e.Args) - 1) })
		switch {
		case name == "new" && m.frame.info.Types[e.Args[0]].IsType():
			m.each(func(p *path) { p.push(m.box(p, m.zero(e.Pos(), t.Underlying().(*types.Pointer).Elem()))) })
		case name == "new":
			m.eval(e.Args[0])
			m.map1(m.box)
		default:
			m.makeBuiltin(e, t)
		}
		return
	}
	for _, a := range e.Args {
		m.eval(a)
	}
	n := len(e.Args)
	if name == "panic" {
		m.panics(e, n)
		return
	}
	m.each(func(p *path) {
		raw := p.popN(n)
		args := make([]*value, n)
		for i, a := range raw {
			args[i] = m.read(p, a)
		}
		switch name {
		case "len":
			p.push(m.length(e.Pos(), args[0], isText(m.frame.info.TypeOf(e.Args[0]))))
		case "append":
			p.push(m.appended(e, args))
		case "delete", "clear", "copy":
			v := m.val(e.Pos(), name, "", args...)
			if raw[0].op == "ref" {
				m.write(p, raw[0], v)
			}
			p.push(v)
		default:
			p.push(m.val(e.Pos(), "call", name, args...))
		}
	})
}

func (m *machine) makeBuiltin(e *ast.CallExpr, t types.Type) {
	switch t.Underlying().(type) {
	case *types.Map:
		m.each(func(p *path) { p.push(m.box(p, m.val(e.Pos(), "map", ""))) })
	case *types.Slice:
		if len(e.Args) > 1 {
			if tv := m.frame.info.Types[e.Args[1]]; tv.Value == nil || tv.Value.ExactString() != "0" {
				m.eval(e.Args[1])
				m.map1(func(p *path, v *value) *value { return m.val(e.Pos(), "made", "", v) })
				return
			}
		}
		m.pushAll(m.val(e.Pos(), "list", ""))
	default:
		m.pushAll(m.val(e.Pos(), "made", ""))
	}
}

func (m *machine) appended(e *ast.CallExpr, args []*value) *value {
	base := args[0]
	if base.isNil() {
		base = m.val(base.pos, "list", "")
	}
	if e.Ellipsis.IsValid() {
		if args[1].op != "list" || args[1].what != "" {
			if base.op == "list" && len(base.args) == 0 {
				return args[1]
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

func (m *machine) panics(e *ast.CallExpr, n int) {
	m.each(func(p *path) { p.popN(n) })
	for _, p := range m.fold(m.cur) {
		node := m.newNode(shape.Panic, e.Pos(), 0)
		m.attach(p, node)
	}
	m.cur = nil
}
