package lock

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"github.com/durablegen/durablegen/gen/internal/names"
	"github.com/durablegen/durablegen/internal/shape"
)

func (m *machine) each(f func(*path)) {
	for _, p := range m.cur {
		f(p)
	}
}

// map1 replaces what is on top of the stacks.
func (m *machine) map1(f func(p *path, v *value) *value) {
	m.each(func(p *path) { p.push(f(p, p.pop())) })
}

func (m *machine) pushAll(v *value) { m.each(func(p *path) { p.push(v) }) }

// eval pushes the value of an expression on every path.
func (m *machine) eval(e ast.Expr) {
	if len(m.cur) == 0 {
		return
	}
	e = ast.Unparen(e)
	if c := m.bound.cell(e); c != nil {
		m.each(func(p *path) { p.push(m.load(p, c)) })
		return
	}
	m.evaluate(e)
	m.converted(e)
}

func (m *machine) evaluate(e ast.Expr) {
	tv := m.frame.info.Types[e]
	if tv.Value != nil {
		v := m.constExpr(m.frame.info, e, tv.Value)
		v.typ = m.frame.actual(tv.Type)
		m.pushAll(v)
		return
	}
	switch e := e.(type) {
	case *ast.Ident:
		m.ident(e)
	case *ast.FuncLit:
		m.capture(e)
		m.pushAll(m.make(value{op: "func", fn: &closure{lit: e, frame: m.frame.captured()}, pos: e.Pos()}))
	case *ast.CompositeLit:
		m.composite(e, m.frame.actual(tv.Type))
	case *ast.SelectorExpr:
		m.selector(e)
	case *ast.IndexExpr:
		if m.isFunc(e.X) {
			m.eval(e.X)
			return
		}
		m.eval(e.X)
		m.eval(e.Index)
		m.each(func(p *path) {
			i, x := p.pop(), p.pop()
			p.push(m.index(e.Index.Pos(), m.read(p, x), m.read(p, i)))
		})
	case *ast.IndexListExpr:
		m.eval(e.X)
	case *ast.SliceExpr:
		m.slice(e)
	case *ast.StarExpr:
		m.eval(e.X)
		m.map1(m.read)
	case *ast.UnaryExpr:
		m.unaryExpr(e)
	case *ast.BinaryExpr:
		m.binaryExpr(e)
	case *ast.TypeAssertExpr:
		m.eval(e.X)
		m.map1(func(p *path, v *value) *value { return m.asserted(e.Pos(), v, m.exprType(e)) })
	case *ast.CallExpr:
		m.call(e)
	default:
		m.pushAll(m.val(e.Pos(), "unknown", ""))
	}
}

func typeName(t types.Type) string { return types.TypeString(t, nil) }

func (m *machine) isFunc(e ast.Expr) bool {
	t := m.frame.info.TypeOf(e)
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Signature)
	return ok
}

// constExpr gives a constant with the place where it is written, if need be with the constants that it is made of.
func (m *machine) constExpr(info *types.Info, e ast.Expr, c constant.Value) *value {
	v := m.constant(m.origin(info, e, 0), c)
	var parts []*value
	elsewhere := false
	ast.Inspect(e, func(n ast.Node) bool {
		x, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		tv := info.Types[x]
		if tv.Value == nil {
			return true
		}
		switch x.(type) {
		case *ast.Ident, *ast.BasicLit, *ast.SelectorExpr:
			part := m.constant(m.origin(info, x, 0), tv.Value)
			parts = append(parts, part)
			elsewhere = elsewhere || m.fset.Position(part.pos).Line != m.fset.Position(e.Pos()).Line
			return false
		}
		return true
	})
	if len(parts) == 1 && elsewhere {
		v.pos = parts[0].pos
	}
	if len(parts) > 1 && elsewhere {
		v.args = parts
	}
	return v
}

// origin is where a constant gets its value.
func (m *machine) origin(info *types.Info, e ast.Expr, depth int) token.Pos {
	var id *ast.Ident
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		id = x.Sel
	}
	if id == nil || depth > 20 {
		return e.Pos()
	}
	decl := m.consts[info.Uses[id]]
	if decl == nil {
		return e.Pos()
	}
	return m.originDecl(decl, depth+1)
}

// originDecl follows a declaration's value; its package is another's, so only names that are constants themselves count.
func (m *machine) originDecl(decl ast.Expr, depth int) token.Pos {
	if id, ok := ast.Unparen(decl).(*ast.Ident); ok {
		for obj, e := range m.constsNamed(id.Name) {
			if obj.Pos() != id.Pos() && depth < 20 && obj.Parent() != nil && obj.Parent().Contains(id.Pos()) {
				return m.originDecl(e, depth+1)
			}
		}
	}
	return decl.Pos()
}

func (m *machine) constsNamed(name string) map[types.Object]ast.Expr {
	found := map[types.Object]ast.Expr{}
	for obj, e := range m.consts {
		if obj.Name() == name {
			found[obj] = e
		}
	}
	return found
}

func (m *machine) ident(e *ast.Ident) {
	info := m.frame.info
	obj := info.ObjectOf(e)
	switch obj := obj.(type) {
	case *types.Nil:
		m.pushAll(m.null(e.Pos()))
	case *types.Func:
		m.function(e, obj)
	case *types.Var:
		if c := m.frame.cellOf(obj); c != nil {
			m.each(func(p *path) { p.push(m.load(p, c)) })
			return
		}
		m.global(e.Pos(), obj)
	default:
		m.pushAll(m.val(e.Pos(), "unknown", ""))
	}
}

func (m *machine) function(e *ast.Ident, obj *types.Func) {
	if fn := m.funcs[obj.Origin()]; fn != nil {
		m.pushAll(m.make(value{op: "func", fn: &closure{fn: fn, types: m.argsOf(obj, e)}, pos: e.Pos()}))
		return
	}
	m.pushAll(m.val(e.Pos(), "external", obj.FullName()))
}

// methodExpr pushes a method as a function that takes what it is called on as its first argument.
func (m *machine) methodExpr(e *ast.SelectorExpr, sel *types.Selection) {
	obj, _ := sel.Obj().(*types.Func)
	fn := m.funcs[obj.Origin()]
	recv := obj.Signature().Recv()
	switch {
	case fn == nil:
		m.pushAll(m.with(m.val(e.Pos(), "external", types.ExprString(e)), m.candidates(obj)))
	case len(sel.Index()) == 1 && isPointer(recv.Type()) == isPointer(sel.Recv()):
		m.pushAll(m.make(value{op: "func", fn: &closure{fn: fn, types: m.argsOfRecv(obj)}, pos: e.Pos()}))
	default: // of what is embedded
		m.pushAll(m.val(e.Pos(), "external", types.ExprString(e)+" "+m.source(fn.decl.Body, fn.info)))
	}
}

// global pushes a package variable: what it was declared with, if it stays so.
func (m *machine) global(pos token.Pos, obj *types.Var) {
	if wire := m.errors[obj]; wire != "" {
		m.pushAll(m.val(pos, "global", wire))
		return
	}
	name := globalName(obj)
	g := m.globals[obj]
	isError := types.Identical(obj.Type(), types.Universe.Lookup("error").Type())
	if named, ok := types.Unalias(obj.Type()).(*types.Named); ok && m.handles[named.Obj()] != nil {
		g = nil
	}
	switch {
	case g != nil && g.assigned && !isError:
		m.pushAll(m.val(pos, "global", name, m.val(pos, "source", m.contents(g))))
	case g != nil && len(m.active) > 40 && !isError:
		m.pushAll(m.val(pos, "global", name, m.val(pos, "source", m.contents(g))))
	case g == nil || isError:
		m.pushAll(m.val(pos, "global", name))
	case g.expr == nil:
		m.pushAll(m.zero(obj.Pos(), obj.Type()))
	default:
		m.inFrame(&frame{info: g.info, cells: map[types.Object]*cell{}}, func() { m.eval(g.expr) })
	}
}

func (m *machine) inFrame(f *frame, do func()) {
	saved := m.frame
	m.frame = f
	m.active = append(m.active, f)
	do()
	for _, p := range f.returns { // that have panicked
		m.attach(p, m.newNode(shape.Panic, p.panics, 0))
	}
	m.active = m.active[:len(m.active)-1]
	m.frame = saved
}

func (m *machine) composite(e *ast.CompositeLit, t types.Type) {
	boxed := isPointer(t)
	if boxed {
		t = t.Underlying().(*types.Pointer).Elem()
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		m.structLit(e, t, u)
	case *types.Map:
		for _, elt := range e.Elts {
			kv := elt.(*ast.KeyValueExpr)
			m.eval(kv.Key)
			m.eval(kv.Value)
		}
		m.each(func(p *path) { p.push(m.mapOf(e.Pos(), p.popN(2*len(e.Elts)))) })
		m.boxAll(e.Pos()).typ = t
	default:
		m.listLit(e, t)
	}
	if boxed {
		m.boxed(e.Pos(), t)
	}
}

// boxed puts the values on the stacks into places of their own.
func (m *machine) boxed(pos token.Pos, t types.Type) {
	c := m.boxAll(pos)
	c.typ = t
	c.st, _ = t.Underlying().(*types.Struct)
}

func (m *machine) structLit(e *ast.CompositeLit, t types.Type, st *types.Struct) {
	at := make([]int, len(e.Elts))
	for i, elt := range e.Elts {
		at[i] = i
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			for f := range st.NumFields() {
				if id, ok := kv.Key.(*ast.Ident); ok && st.Field(f).Name() == id.Name {
					at[i] = f
				}
			}
			elt = kv.Value
		}
		m.eval(elt)
	}
	m.each(func(p *path) {
		given := p.popN(len(e.Elts))
		args := make([]*value, st.NumFields())
		for i, v := range given {
			args[at[i]] = v
		}
		for i := range args {
			if args[i] == nil {
				args[i] = m.zero(e.Pos(), st.Field(i).Type())
			}
		}
		if len(given) == 0 {
			v := *m.zero(e.Pos(), t)
			p.push(&v)
			return
		}
		p.push(m.make(value{op: "struct", what: structName(st), args: args, pos: e.Pos(), typ: t}))
	})
}

func (m *machine) listLit(e *ast.CompositeLit, t types.Type) {
	at, next, size := make([]int, len(e.Elts)), 0, 0
	for i, elt := range e.Elts {
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			if c := m.frame.info.Types[kv.Key].Value; c != nil {
				n, _ := constant.Int64Val(constant.ToInt(c))
				next = int(n)
			}
			elt = kv.Value
		}
		at[i] = next
		next++
		size = max(size, next)
		m.eval(elt)
	}
	var elem types.Type
	switch u := t.Underlying().(type) {
	case *types.Array:
		size, elem = max(size, int(u.Len())), u.Elem()
	case *types.Slice:
		elem = u.Elem()
	}
	m.each(func(p *path) {
		given := p.popN(len(e.Elts))
		switch {
		case size == len(given) && slices.IsSorted(at):
			p.push(m.val(e.Pos(), "list", "", given...))
		case size > mostElements || elem == nil:
			args := make([]*value, 0, 2*len(given)+1)
			for i, v := range given {
				args = append(args, m.integer(e.Pos(), int64(at[i])), v)
			}
			p.push(m.val(e.Pos(), "list", "keyed", append(args, m.integer(e.Pos(), int64(size)))...))
		default:
			args := make([]*value, size)
			for i, v := range given {
				args[at[i]] = v
			}
			for i := range args {
				if args[i] == nil {
					args[i] = m.zero(e.Pos(), elem)
				}
			}
			p.push(m.val(e.Pos(), "list", "", args...))
		}
	})
}

func (m *machine) selector(e *ast.SelectorExpr) {
	info := m.frame.info
	sel := info.Selections[e]
	if sel == nil { // of a package
		m.ident(e.Sel)
		return
	}
	switch sel.Kind() {
	case types.FieldVal:
		m.eval(e.X)
		m.walk(sel.Recv(), sel.Index(), e.Sel.Pos())
	case types.MethodVal:
		fn, _ := sel.Obj().(*types.Func)
		m.receiver(e, sel)
		m.map1(func(p *path, recv *value) *value {
			if own := m.funcs[fn.Origin()]; own != nil {
				return m.make(value{op: "func", fn: &closure{fn: own, recv: recv, types: m.argsOfRecv(fn)}, pos: e.Pos()})
			}
			if name := runtimeType(sel.Recv()); name != "" {
				return m.val(e.Pos(), "bound", name+"."+fn.Name(), recv)
			}
			return m.with(m.val(e.Pos(), "bound", fn.FullName(), m.read(p, recv)), m.candidates(fn))
		})
	default:
		m.methodExpr(e, sel)
	}
}

// walk goes from the value on the stack to a field, through embedded ones.
func (m *machine) walk(t types.Type, index []int, pos token.Pos) {
	for _, i := range index {
		st := structOf(t)
		if st == nil {
			return
		}
		m.map1(func(p *path, v *value) *value {
			return m.resolve(p, m.field(pos, m.read(p, v), fieldName(st, i), i))
		})
		t = st.Field(i).Type()
	}
}

// handleOf is the declaration of whose generated handle a method is called.
func (m *machine) handleOf(sel *types.Selection) *names.Decl {
	if named, ok := types.Unalias(sel.Recv()).(*types.Named); ok {
		return m.handles[named.Obj()]
	}
	return nil
}

// addressed reports whether a method is called on the place that its operand names: it takes a pointer.
func (m *machine) addressed(sel *types.Selection) bool {
	fn, _ := sel.Obj().(*types.Func)
	recv := fn.Signature().Recv()
	if recv == nil || !isPointer(recv.Type()) || types.IsInterface(recv.Type()) {
		return false
	}
	at := sel.Recv()
	for _, i := range sel.Index()[:len(sel.Index())-1] {
		st := structOf(at)
		if st == nil {
			return false
		}
		at = st.Field(i).Type()
	}
	return !isPointer(at)
}

// receiver pushes what a method is called on: a reference if it may change it.
func (m *machine) receiver(e *ast.SelectorExpr, sel *types.Selection) {
	fn, _ := sel.Obj().(*types.Func)
	recv := fn.Signature().Recv()
	way := sel.Index()[:len(sel.Index())-1]
	if m.addressed(sel) {
		m.place(e.X)
		m.placeWithin(m.frame.actual(sel.Recv()), way, e.Sel.Pos())
		m.aim()
		return
	}
	m.eval(e.X)
	m.walk(sel.Recv(), way, e.Sel.Pos())
	if recv != nil && !isPointer(recv.Type()) {
		m.map1(func(p *path, v *value) *value {
			if v.op == "ref" && isPointer(sel.Recv()) {
				return m.read(p, v)
			}
			return v
		})
	}
}

func (m *machine) unaryExpr(e *ast.UnaryExpr) {
	switch e.Op {
	case token.AND:
		if lit, ok := ast.Unparen(e.X).(*ast.CompositeLit); ok {
			m.eval(lit)
			m.boxed(lit.Pos(), m.exprType(lit))
			return
		}
		m.place(e.X)
		m.aim()
	case token.ARROW:
		m.eval(e.X)
		m.map1(func(p *path, v *value) *value { return m.val(e.Pos(), "receive", "", v) })
	case token.NOT:
		m.condition(e)
	default:
		m.eval(e.X)
		m.map1(func(p *path, v *value) *value { return m.unary(e.Pos(), e.Op, v, m.exprType(e)) })
	}
}

func (m *machine) binaryExpr(e *ast.BinaryExpr) {
	if e.Op == token.LAND || e.Op == token.LOR {
		m.condition(e)
		return
	}
	m.eval(e.X)
	m.eval(e.Y)
	t := m.exprType(e.X)
	if b, ok := t.(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
		t = m.exprType(e.Y)
	}
	m.each(func(p *path) {
		b, a := p.pop(), p.pop()
		p.push(m.binary(e.Pos(), e.Op, a, b, t))
	})
}

// condition pushes a condition as a value.
func (m *machine) condition(e ast.Expr) {
	yes, no := m.cond(e)
	for _, p := range yes {
		p.push(m.boolean(e.Pos(), true))
	}
	for _, p := range no {
		p.push(m.boolean(e.Pos(), false))
	}
	m.cur = m.fold(append(yes, no...))
}

// cond parts the paths by a condition.
func (m *machine) cond(e ast.Expr) (yes, no []*path) {
	e = ast.Unparen(e)
	switch e := e.(type) {
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			no, yes = m.cond(e.X)
			return yes, no
		}
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LAND:
			yes, no = m.cond(e.X)
			m.cur = yes
			more, less := m.cond(e.Y)
			return more, append(no, less...)
		case token.LOR:
			yes, no = m.cond(e.X)
			m.cur = no
			more, less := m.cond(e.Y)
			return append(yes, more...), less
		}
	}
	m.eval(e)
	return m.branch(e.Pos())
}

// length is len of a value, or of a text.
func (m *machine) length(pos token.Pos, v *value, text bool) *value {
	v = uncopied(m.asList(v))
	for v.op == "stirred" && v.what != "" {
		v = uncopied(v.args[0])
	}
	switch {
	case v.lit != nil && v.lit.Kind() == constant.String:
		return m.integer(pos, int64(len(constant.StringVal(v.lit))))
	case v.op == "list" && v.what == "" && v.pos.IsValid():
		return m.integer(v.pos, int64(len(v.args))) // it changes where the list does
	case v.op == "list" && v.what == "":
		return m.integer(pos, int64(len(v.args)))
	case v.isNil():
		return m.integer(pos, 0)
	}
	if text {
		return m.val(pos, "len", "string", v)
	}
	return m.val(pos, "len", "", v)
}
