package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// share marks the variables that a coroutine and others change or see change: what is in them depends on when one looks.
func (m *machine) share(p *path, c *closure) {
	m.touches(p, c, func(cl *cell, e ast.Expr) { m.shareCell(p, cl, nil, e) })
	if c.lit == nil {
		return
	}
	used := map[types.Object]bool{}
	ast.Inspect(c.lit.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if obj := c.frame.info.Uses[id]; obj != nil && c.frame.cellOf(obj) != nil {
				used[obj] = true
			}
		}
		return true
	})
	outer := c.frame
	for outer.outer != nil {
		outer = outer.outer
	}
	if outer.fn == nil {
		return
	}
	body := outer.fn.decl.Body
	loops, others := enclosingLoops(body, c.lit), otherFunctions(body, c.lit)
	changes(c.frame.info, body, loud, func(e ast.Expr) {
		id := rootIdent(e)
		if id == nil || id.Pos() >= c.lit.Pos() && id.Pos() < c.lit.End() {
			return
		}
		obj := c.frame.info.Uses[id]
		if obj == nil || !used[obj] {
			return
		}
		in := func(n ast.Node) bool { return id.Pos() >= n.Pos() && id.Pos() < n.End() }
		later := id.Pos() > c.lit.End() || slices.ContainsFunc(others, in) || slices.ContainsFunc(loops, func(l ast.Node) bool {
			return id.Pos() > bodyOfLoop(l).Pos() && id.Pos() < l.End() && (obj.Pos() < l.Pos() || obj.Pos() > l.End())
		})
		if later {
			m.target(p, c.frame, e, func(cl *cell, e ast.Expr) { m.shareCell(p, cl, m, e) })
		}
	})
}

// fork notes that something runs beside from here on, or has done so. leaves: it does not end here.
func (m *machine) fork(p *path, leaves bool) {
	p.forked, m.forks, m.leaves = true, true, m.leaves || leaves
	for ; !m.lambda && m.parent != nil; m = m.parent {
		m.parent.forks, m.parent.leaves = true, m.parent.leaves || leaves
	}
}

// shareGiven marks what a value leads to: what it points to, and what functions in it touch.
func (m *machine) shareGiven(p *path, v *value) {
	m.functions(p, v, func(c *closure) { m.share(p, c) })
	for _, cl := range m.reach(p, v) {
		m.shareCell(p, cl, nil, nil)
	}
}

func (m *machine) shareCell(p *path, cl *cell, writer *machine, e ast.Expr) {
	field := ""
	if e != nil {
		field = firstField(e)
	}
	if m.remote(cl) {
		return
	}
	v := p.vars[cl]
	if m.makeRemote(cl); !cl.shared {
		cl.shared, cl.writer, cl.fields = true, writer, map[string]bool{}
		if v != nil {
			m.root().stored = append(m.root().stored, stored{cl, m.freeze(p, v)})
		}
	}
	if cl.writer != writer {
		cl.writer = nil
	}
	cl.fields[field] = true
	if v == nil || e == nil || !elements(e) {
		return
	}
	for _, c := range m.sortedCells(p.vars) { // others that have the same elements
		if w := p.vars[c]; c != cl && !c.shared && w.op != "ref" && m.overlap(v, w) {
			c.shared, c.fields = true, map[string]bool{"": true}
			m.root().stored = append(m.root().stored, stored{c, m.freeze(p, w)})
			cl.beside = append(cl.beside, c)
			m.blur()
		}
	}
}

// elements reports whether an assignment goes to an element.
func elements(e ast.Expr) bool {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.IndexExpr:
			return true
		case *ast.SelectorExpr:
			e = x.X
		default:
			return false
		}
	}
}

// touches calls f with the variables and places outside a function that calling it may change, and with the expression
// that is assigned to, if it is of that variable.
func (m *machine) touches(p *path, c *closure, f func(*cell, ast.Expr)) {
	m.touching(p, c, loud, f, map[any]bool{})
}

// alters is touches, of a function that nobody runs beside: a method that only looks at what it is called on alters nothing.
func (m *machine) alters(p *path, c *closure, f func(*cell, ast.Expr)) {
	m.touching(p, c, func(fn *types.Func) bool { return m.quiet(fn, map[*types.Func]bool{}) }, f, map[any]bool{})
}

// loud says of every method that it may change what it is called on.
func loud(*types.Func) bool { return false }

func (m *machine) touching(p *path, c *closure, quiet func(*types.Func) bool, f func(*cell, ast.Expr), seen map[any]bool) {
	if c.recv != nil && !quiet(c.fn.obj) {
		for _, cl := range m.reach(p, c.recv) {
			f(cl, nil)
		}
	}
	if c.lit == nil || seen[c.lit] {
		return
	}
	seen[c.lit] = true
	changes(c.frame.info, c.lit.Body, quiet, func(e ast.Expr) { m.target(p, c.frame, e, f) })
	var around []ast.Node
	ast.Inspect(c.lit.Body, func(n ast.Node) bool {
		if n == nil {
			around = around[:len(around)-1]
			return true
		}
		around = append(around, n)
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		cl := c.frame.cellOf(c.frame.info.Uses[id])
		if cl == nil || p.vars[cl] == nil {
			return true
		}
		m.functions(p, p.vars[cl], func(inner *closure) { m.touching(p, inner, quiet, f, seen) })
		if given(c.frame.info, around, quiet) {
			for _, at := range m.reach(p, p.vars[cl]) {
				f(at, nil)
			}
		}
		return true
	})
}

// target calls f with what an assignment changes: the variable at its root, or what that points to.
func (m *machine) target(p *path, fr *frame, e ast.Expr, f func(*cell, ast.Expr)) {
	id := rootIdent(e)
	if id == nil {
		return
	}
	cl := fr.cellOf(fr.info.Uses[id])
	if cl == nil {
		return
	}
	if v := p.vars[cl]; v != nil && through(fr.info, e) {
		if at := m.reach(p, v); len(at) > 0 {
			for _, a := range at {
				f(a, nil)
			}
			return
		}
	}
	f(cl, e)
}

// through reports whether an expression leads through a pointer or into a map.
func through(info *types.Info, e ast.Expr) bool {
	for {
		var x ast.Expr
		switch n := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			x = n.X
			if sel := info.Selections[n]; sel != nil && sel.Indirect() {
				return true
			}
		case *ast.IndexExpr:
			x = n.X
		case *ast.StarExpr:
			return true
		default:
			return false
		}
		switch info.TypeOf(x).Underlying().(type) {
		case *types.Pointer, *types.Map:
			return true
		}
		e = x
	}
}

// changes calls f with every expression that is assigned to, whose address is taken, or on which a method is called that
// takes a pointer and is not quiet.
func changes(info *types.Info, root ast.Node, quiet func(*types.Func) bool, f func(ast.Expr)) {
	assignments(root, f)
	ast.Inspect(root, func(n ast.Node) bool {
		x, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		sel := info.Selections[x]
		if sel == nil || sel.Kind() != types.MethodVal {
			return true
		}
		if fn, ok := sel.Obj().(*types.Func); ok && isPointer(fn.Signature().Recv().Type()) && !quiet(fn) {
			f(x.X)
		}
		return true
	})
}

// given reports whether an identifier stands where others get hold of what it leads to: not where it is only read. around
// is the syntax around it, itself last.
func given(info *types.Info, around []ast.Node, quiet func(*types.Func) bool) bool {
	for i := len(around) - 1; i > 0; i-- {
		e, _ := around[i].(ast.Expr)
		switch outer := around[i-1].(type) {
		case *ast.ParenExpr, *ast.StarExpr:
			continue
		case *ast.SelectorExpr:
			sel := info.Selections[outer]
			if sel != nil && sel.Kind() == types.FieldVal {
				continue
			}
			if sel == nil {
				return true
			}
			fn, ok := sel.Obj().(*types.Func)
			return !ok || !quiet(fn)
		case *ast.IndexExpr:
			if outer.X == e {
				continue
			}
			return false
		case *ast.SliceExpr:
			if outer.X == e {
				continue
			}
			return false
		case *ast.BinaryExpr:
			return false
		case *ast.AssignStmt:
			if slices.Contains(outer.Lhs, e) {
				return false
			}
		case *ast.CallExpr:
			if id, ok := ast.Unparen(outer.Fun).(*ast.Ident); ok && info.Types[id].IsBuiltin() && (id.Name == "len" || id.Name == "cap") {
				return false
			}
		}
		return e == nil || info.TypeOf(e) == nil || leads(info.TypeOf(e))
	}
	return false
}

// leads reports whether others may change something by a value of a type.
func leads(t types.Type) bool {
	_, basic := t.Underlying().(*types.Basic)
	return !basic
}

// reach gives the places that a value leads to.
func (m *machine) reach(p *path, v *value) []*cell {
	var cells []*cell
	seen := map[*value]bool{}
	var walk func(v *value)
	walk = func(v *value) {
		if v == nil || seen[v] {
			return
		}
		seen[v] = true
		if v.op == "ref" && !slices.Contains(cells, v.cell) {
			cells = append(cells, v.cell)
			walk(p.vars[v.cell])
		}
		for _, a := range v.args {
			walk(a)
		}
	}
	walk(v)
	return cells
}

// functions calls f with those in a value.
func (m *machine) functions(p *path, v *value, f func(*closure)) {
	seen := map[*value]bool{}
	var walk func(v *value)
	walk = func(v *value) {
		if v == nil || seen[v] {
			return
		}
		seen[v] = true
		switch {
		case v.fn != nil: // as it is, or as it was when a loop went on
			f(v.fn)
		case v.op == "ref":
			walk(p.vars[v.cell])
		}
		for _, a := range v.args {
			walk(a)
		}
	}
	walk(v)
}

// otherFunctions gives the function literals in a body that are not around one.
func otherFunctions(body ast.Node, lit *ast.FuncLit) []ast.Node {
	var list []ast.Node
	ast.Inspect(body, func(n ast.Node) bool {
		if other, ok := n.(*ast.FuncLit); ok && (other.Pos() > lit.Pos() || other.End() < lit.End()) {
			list = append(list, other)
		}
		return true
	})
	return list
}

func bodyOfLoop(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.ForStmt:
		return n.Body
	case *ast.RangeStmt:
		return n.Body
	}
	return n
}

func enclosingLoops(root, inner ast.Node) []ast.Node {
	var loops []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil || n.Pos() > inner.Pos() || n.End() < inner.End() {
			return false
		}
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			loops = append(loops, n)
		}
		return true
	})
	return loops
}

// firstField is the field of a variable that an assignment goes to; "" is all of it.
func firstField(e ast.Expr) string {
	field := ""
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			field, e = x.Sel.Name, x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			field, e = "", x.X
		default:
			return field
		}
	}
}

func rootIdent(e ast.Expr) *ast.Ident {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.UnaryExpr:
			if x.Op != token.AND {
				return nil
			}
			e = x.X
		default:
			return nil
		}
	}
}
