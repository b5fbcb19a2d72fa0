package lock

import (
	"go/ast"
	"go/token"
	"go/types"
)

// still reports whether a function changes nothing that was given to it, nor package variables. nil is one of which nothing is
// known.
func (m *machine) still(fn *types.Func) bool {
	if fn == nil {
		return false
	}
	if m.changing == nil {
		m.program.changing = m.changers()
	}
	fn = fn.Origin()
	return m.funcs[fn] != nil && !m.changing[fn]
}

// changers finds the functions that may change what was given to them: by themselves, or by those that they name or may call by
// an interface.
func (prog *program) changers() map[*types.Func]bool {
	calls := map[*types.Func][]*types.Func{}
	changing := map[*types.Func]bool{}
	for obj, fn := range prog.funcs {
		c := &changer{prog: prog, info: fn.info, fresh: freshIn(fn.info, fn.decl.Body)}
		ast.Inspect(fn.decl.Body, c.look)
		changes(fn.info, fn.decl.Body, loud, c.target)
		calls[obj], changing[obj] = c.calls, c.found
	}
	for again := true; again; {
		again = false
		for obj, to := range calls {
			for _, fn := range to {
				if changing[fn] && !changing[obj] {
					changing[obj], again = true, true
				}
			}
		}
	}
	return changing
}

// changer looks for changes in one function.
type changer struct {
	prog  *program
	info  *types.Info
	fresh map[types.Object]bool
	calls []*types.Func // of the module, that it names or may call
	found bool
}

func (c *changer) look(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Ident:
		fn, ok := c.info.Uses[n].(*types.Func)
		if !ok {
			return true
		}
		if own := c.prog.funcs[fn.Origin()]; own != nil {
			if !c.prog.generated(own.obj) { // those of an activity only write what they are given
				c.calls = append(c.calls, own.obj)
			}
		} else if recv := fn.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
			for _, own := range c.prog.methods[fn.Name()] {
				c.calls = append(c.calls, own.obj)
			}
		}
	case *ast.CallExpr:
		c.call(n)
	case *ast.SendStmt, *ast.GoStmt:
		c.found = true
	}
	return true
}

// call looks at a call: functions of other modules may change what they are given, and functions that are values anything.
func (c *changer) call(e *ast.CallExpr) {
	fun := ast.Unparen(e.Fun)
	tv := c.info.Types[fun]
	if tv.IsType() {
		return
	}
	if tv.IsBuiltin() {
		if id, ok := fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear" || id.Name == "copy" || id.Name == "append") && len(e.Args) > 0 {
			c.elements(e.Args[0])
		}
		return
	}
	fn, _ := c.info.Uses[funcName(fun)].(*types.Func)
	switch {
	case fn == nil:
		c.found = true
	case c.prog.funcs[fn.Origin()] == nil && (fn.Signature().Recv() == nil || !types.IsInterface(fn.Signature().Recv().Type())):
		for i, a := range e.Args {
			if t := c.info.TypeOf(a); t != nil && written(fn.FullName(), i, t) {
				c.elements(a)
			}
		}
	}
}

// elements is a change of what an expression leads to.
func (c *changer) elements(e ast.Expr) {
	if u, ok := ast.Unparen(e).(*ast.UnaryExpr); ok && u.Op == token.AND {
		c.target(u.X)
		return
	}
	if id, ok := ast.Unparen(e).(*ast.Ident); ok && (c.fresh[c.info.Uses[id]] || c.info.Types[id].IsNil()) {
		return
	}
	if x, _ := memory(c.info, e); x != nil {
		switch ast.Unparen(x).(type) {
		case *ast.CompositeLit, *ast.BasicLit:
			return
		}
	}
	c.found = true
}

// target is a change of what an expression names.
func (c *changer) target(e ast.Expr) {
	id := rootIdent(e)
	if id == nil {
		if _, lit := ast.Unparen(e).(*ast.CompositeLit); !lit {
			c.found = true
		}
		return
	}
	if id.Name == "_" {
		return
	}
	obj, ok := c.info.ObjectOf(id).(*types.Var)
	if !ok || obj.Pkg() == nil || obj.Parent() == obj.Pkg().Scope() {
		c.found = true
		return
	}
	c.found = c.found || (through(c.info, e) || elements(e)) && !(c.fresh[obj] && c.shallow(e))
}

// shallow reports whether an expression is right in what a variable holds.
func (c *changer) shallow(e ast.Expr) bool {
	var x ast.Expr
	switch n := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		if sel := c.info.Selections[n]; sel != nil && len(sel.Index()) == 1 {
			x = n.X
		}
	case *ast.IndexExpr:
		x = n.X
	case *ast.StarExpr:
		x = n.X
	}
	if x == nil {
		return false
	}
	_, is := ast.Unparen(x).(*ast.Ident)
	return is
}

// freshIn finds the variables in a function that never hold anything but what was made there.
func freshIn(info *types.Info, body ast.Node) map[types.Object]bool {
	fresh := map[types.Object]bool{}
	set := func(e ast.Expr, made bool) {
		id, ok := ast.Unparen(e).(*ast.Ident)
		if !ok {
			return
		}
		if obj := info.ObjectOf(id); obj != nil {
			was, seen := fresh[obj]
			fresh[obj] = made && (was || !seen && info.Defs[id] != nil)
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, e := range n.Lhs {
				set(e, len(n.Rhs) == len(n.Lhs) && makes(info, n.Rhs[i], e))
			}
		case *ast.ValueSpec:
			for i, id := range n.Names {
				set(id, len(n.Values) == 0 || len(n.Values) == len(n.Names) && makes(info, n.Values[i], id))
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if e != nil {
					set(e, false)
				}
			}
		case *ast.UnaryExpr:
			if id, ok := ast.Unparen(n.X).(*ast.Ident); ok && n.Op == token.AND {
				fresh[info.ObjectOf(id)] = false // by the pointer it may become anything
			}
		}
		return true
	})
	return fresh
}

// makes reports whether an expression is new memory: what is written there, or what is appended to the variable that it is
// assigned to. What its elements lead to may be others'.
func makes(info *types.Info, e, to ast.Expr) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.CompositeLit, *ast.BasicLit:
		return true
	case *ast.UnaryExpr:
		_, lit := ast.Unparen(x.X).(*ast.CompositeLit)
		return x.Op == token.AND && lit
	case *ast.CallExpr:
		id, ok := ast.Unparen(x.Fun).(*ast.Ident)
		if !ok || !info.Types[id].IsBuiltin() {
			return false
		}
		if id.Name == "append" {
			own, same := ast.Unparen(x.Args[0]).(*ast.Ident)
			target, is := ast.Unparen(to).(*ast.Ident)
			return same && is && info.ObjectOf(own) == info.ObjectOf(target)
		}
		return id.Name == "make" || id.Name == "new"
	}
	return false
}
