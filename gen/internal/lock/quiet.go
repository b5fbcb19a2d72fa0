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
			return sel != nil && m.asks(sel, seen)
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
			name := calledName(info, outer)
			if name == "len" || name == "cap" || looking[name] && rangesFlat(info.TypeOf(e)) {
				return true
			}
		}
		return flat(info.TypeOf(e))
	}
	return false
}

// asks reports whether a method that is selected only looks at what it is called on.
func (m *machine) asks(sel *types.Selection, seen map[*types.Func]bool) bool {
	fn, ok := sel.Obj().(*types.Func)
	if !ok {
		return false
	}
	recv := fn.Signature().Recv().Type()
	return !isPointer(recv) && flat(recv) || m.quiet(fn, seen)
}

// looking are functions that only look at the list or map of copies which they are given, as does what they give.
var looking = map[string]bool{
	"maps.Keys": true, "maps.Values": true, "maps.All": true, "maps.Clone": true, "maps.Equal": true,
	"slices.Values": true, "slices.All": true, "slices.Backward": true, "slices.Clone": true, "slices.Equal": true,
	"slices.Contains": true, "slices.ContainsFunc": true, "slices.Index": true, "slices.IndexFunc": true, "slices.Max": true, "slices.Min": true,
	"slices.MaxFunc": true, "slices.MinFunc": true, "slices.IsSorted": true, "slices.BinarySearch": true, "strings.Join": true,
}

// calledName is the name of a builtin function or one of a package; "" of anything else.
func calledName(info *types.Info, e *ast.CallExpr) string {
	id := funcName(e.Fun)
	if id == nil {
		return ""
	}
	switch obj := info.Uses[id].(type) {
	case *types.Builtin:
		return obj.Name()
	case *types.Func:
		return obj.FullName()
	}
	return ""
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
