package lock

import (
	"go/ast"
	"go/types"
)

// quiet reports whether a method only looks at what it is called on and at what that leads to: nothing of it is changed, and
// nobody else gets hold of it.
func (m *machine) quiet(obj *types.Func, seen map[*types.Func]bool) bool {
	fn := m.funcs[obj.Origin()]
	if fn == nil || fn.decl.Recv == nil || len(fn.decl.Recv.List) != 1 {
		return false
	}
	names := fn.decl.Recv.List[0].Names
	if len(names) == 0 || names[0].Name == "_" || seen[fn.obj] {
		return true
	}
	seen[fn.obj] = true
	recv, info, is := fn.info.Defs[names[0]], fn.info, true
	assignments(fn.decl.Body, func(e ast.Expr) {
		id := rootIdent(e)
		is = is && (id == nil || info.Uses[id] != recv)
	})
	var around []ast.Node
	ast.Inspect(fn.decl.Body, func(n ast.Node) bool {
		if n == nil {
			around = around[:len(around)-1]
			return true
		}
		around = append(around, n)
		if id, ok := n.(*ast.Ident); ok && is && info.Uses[id] == recv {
			is = m.looks(info, around, seen)
		}
		return true
	})
	return is
}

// looks reports whether what an identifier leads to is only looked at where it stands. around is the syntax around it, itself
// last.
func (m *machine) looks(info *types.Info, around []ast.Node, seen map[*types.Func]bool) bool {
	for i := len(around) - 1; i > 0; i-- {
		e, _ := around[i].(ast.Expr)
		if e == nil || info.TypeOf(e) == nil {
			return false
		}
		switch outer := around[i-1].(type) {
		case *ast.ParenExpr, *ast.StarExpr:
			continue
		case *ast.SelectorExpr:
			sel := info.Selections[outer]
			if sel != nil && sel.Kind() == types.FieldVal {
				continue
			}
			return sel != nil && m.asks(sel, called(outer, around[:i-1]), seen)
		case *ast.IndexExpr:
			if outer.X == e {
				continue
			}
		case *ast.SliceExpr:
			if outer.X == e && !isText(info.TypeOf(e)) {
				return false
			}
		case *ast.RangeStmt:
			if outer.X == e && rangesFlat(info.TypeOf(e)) {
				return true
			}
		case *ast.BinaryExpr:
			return true
		case *ast.CallExpr:
			id, ok := ast.Unparen(outer.Fun).(*ast.Ident)
			if ok && info.Types[id].IsBuiltin() && (id.Name == "len" || id.Name == "cap") {
				return true
			}
		}
		return flat(info.TypeOf(e))
	}
	return false
}

// asks reports whether a method that is selected only looks at what it is called on.
func (m *machine) asks(sel *types.Selection, called bool, seen map[*types.Func]bool) bool {
	fn, ok := sel.Obj().(*types.Func)
	if !ok {
		return false
	}
	recv := fn.Signature().Recv().Type()
	return !isPointer(recv) && flat(recv) || called && m.quiet(fn, seen)
}

// called reports whether a method is called where it is named, and is no value.
func called(fun ast.Expr, around []ast.Node) bool {
	if len(around) == 0 {
		return false
	}
	call, ok := around[len(around)-1].(*ast.CallExpr)
	return ok && call.Fun == fun
}

// rangesFlat reports whether a loop over a list or map gets hold of nothing but copies.
func rangesFlat(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return flat(u.Elem())
	case *types.Map:
		return flat(u.Key()) && flat(u.Elem())
	}
	return false
}
