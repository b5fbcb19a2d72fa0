package mend

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// loop is DET401 and its like: the loop goes over the sorted keys.
func (s *site) loop() bool {
	loop, ok := s.ranged()
	if !ok {
		return false
	}
	m, ok := s.pass.TypesInfo.TypeOf(loop.X).Underlying().(*types.Map)
	if !ok || !ordered(m.Key()) || !repeatable(loop.X) {
		return false
	}
	return s.overSortedKeys(loop, s.text(loop.X))
}

// ranged is the loop at the finding, if it declares its variables.
func (s *site) ranged() (*ast.RangeStmt, bool) {
	for i, n := range s.path {
		if i > 4 {
			break
		}
		if r, ok := n.(*ast.RangeStmt); ok {
			return r, r.Key != nil && r.Tok == token.DEFINE
		}
	}
	return nil, false
}

// overSortedKeys makes a loop over the entries of a map one over its sorted keys, with the value looked up in the body.
func (s *site) overSortedKeys(loop *ast.RangeStmt, m string) bool {
	key := s.text(loop.Key)
	if key == "_" {
		key = s.free(loop, "key", "k")
		if key == "" {
			return false
		}
	}
	slices, maps := s.name("slices", "slices"), s.name("maps", "maps")
	s.message = "Range over the sorted keys"
	s.edits = append(s.edits, analysis.TextEdit{
		Pos: loop.Key.Pos(), End: loop.X.End(), NewText: []byte("_, " + key + " := range " + slices + ".Sorted(" + maps + ".Keys(" + m + "))"),
	})
	if loop.Value != nil && s.text(loop.Value) != "_" {
		at := loop.Body.Lbrace + 1
		s.edits = append(s.edits, analysis.TextEdit{Pos: at, End: at, NewText: []byte("\n" + s.text(loop.Value) + " := " + m + "[" + key + "]")})
	}
	return true
}

// free is the first name that means nothing in a loop.
func (s *site) free(loop *ast.RangeStmt, names ...string) string {
	used := map[string]bool{}
	ast.Inspect(loop, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			used[id.Name] = true
		}
		return true
	})
	for _, name := range names {
		if !used[name] {
			return name
		}
	}
	return ""
}

// iterator is DET404 of the package maps.
func (s *site) iterator() bool {
	call, fn := s.call()
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "maps" || len(call.Args) != 1 {
		return false
	}
	m, ok := s.pass.TypesInfo.TypeOf(call.Args[0]).Underlying().(*types.Map)
	if !ok {
		return false
	}
	element := m.Key()
	if fn.Name() == "Values" {
		element = m.Elem()
	}
	if loop, ok := s.ranged(); ok && loop.X == call {
		return s.rangedIterator(loop, call, fn, element)
	}
	outer := s.collect(call)
	if outer == nil || !ordered(element) {
		return false
	}
	return s.replace(outer.Fun.(*ast.SelectorExpr).Sel, "Sort what is collected", "Sorted")
}

func (s *site) rangedIterator(loop *ast.RangeStmt, call *ast.CallExpr, fn *types.Func, element types.Type) bool {
	switch fn.Name() {
	case "All":
		return ordered(element) && repeatable(call.Args[0]) && s.overSortedKeys(loop, s.text(call.Args[0]))
	case "Keys", "Values":
		if !ordered(element) {
			return false
		}
		s.message = "Range over what is sorted"
		at := func(pos token.Pos, text string) {
			s.edits = append(s.edits, analysis.TextEdit{Pos: pos, End: pos, NewText: []byte(text)})
		}
		at(loop.Key.Pos(), "_, ")
		at(call.Pos(), s.name("slices", "slices")+".Sorted(")
		at(call.End(), ")")
		return true
	}
	return false
}

// collect is the call of slices.Collect whose argument a call is.
func (s *site) collect(inner *ast.CallExpr) *ast.CallExpr {
	for _, n := range s.path {
		outer, ok := n.(*ast.CallExpr)
		if !ok || len(outer.Args) != 1 || outer.Args[0] != inner {
			continue
		}
		if fn := s.callee(outer); fn != nil && fn.FullName() == "slices.Collect" {
			if _, ok := outer.Fun.(*ast.SelectorExpr); ok {
				return outer
			}
		}
	}
	return nil
}

func ordered(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsOrdered != 0
}

// repeatable reports whether an expression may be written twice.
func repeatable(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return repeatable(e.X)
	case *ast.StarExpr:
		return repeatable(e.X)
	}
	return false
}
