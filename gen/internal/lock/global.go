package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// writer is code that gives a package variable something else than it was declared with.
type writer struct {
	code ast.Node
	info *types.Info
}

// findWritten finds the package variables that do not keep what they were declared with.
func (prog *program) findWritten(src *Source) {
	for _, file := range src.Files {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && fn.Recv == nil && fn.Name.Name == "init" && fn.Body != nil {
				prog.namedIn(src, fn.Body)
				continue
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				switch n.(type) {
				case *ast.AssignStmt, *ast.IncDecStmt, *ast.RangeStmt, *ast.UnaryExpr, *ast.CallExpr:
					prog.writtenBy(src, n)
				}
				return true
			})
		}
	}
}

// namedIn takes it that an init function changes every variable that it names.
func (prog *program) namedIn(src *Source, body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v, ok := src.Info.Uses[id].(*types.Var); ok {
				prog.markWritten(v, src.Info, body)
			}
		}
		return true
	})
}

// writtenBy marks what a statement or an expression changes by itself.
func (prog *program) writtenBy(src *Source, n ast.Node) {
	mark := func(e ast.Expr) {
		for e != nil {
			id, next := named(e)
			if id != nil {
				if v, ok := src.Info.Uses[id].(*types.Var); ok {
					prog.markWritten(v, src.Info, n)
				}
			}
			e = next
		}
	}
	switch n := n.(type) {
	case *ast.AssignStmt:
		for _, e := range n.Lhs {
			mark(e) // of := those that are not new
		}
	case *ast.IncDecStmt:
		mark(n.X)
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			mark(n.Key)
			mark(n.Value)
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			mark(n.X)
		}
	case *ast.CallExpr:
		prog.callWrites(src, n, mark)
	}
}

// callWrites marks the operand of a method that takes a pointer, and what builtins change.
func (prog *program) callWrites(src *Source, n *ast.CallExpr, mark func(ast.Expr)) {
	switch x := ast.Unparen(n.Fun).(type) {
	case *ast.SelectorExpr:
		sel := src.Info.Selections[x]
		if sel == nil || sel.Kind() != types.MethodVal {
			return
		}
		fn, ok := sel.Obj().(*types.Func)
		if ok && isPointer(fn.Signature().Recv().Type()) && prog.funcs[fn.Origin()] != nil {
			mark(x.X)
		}
	case *ast.Ident:
		if src.Info.Types[x].IsBuiltin() && slices.Contains([]string{"delete", "clear", "copy"}, x.Name) {
			mark(n.Args[0])
		}
	}
}

// named is the identifier that an expression ends with, and what is in front of it.
func named(e ast.Expr) (id *ast.Ident, next ast.Expr) {
	switch x := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		return x.Sel, x.X
	case *ast.IndexExpr:
		return nil, x.X
	case *ast.StarExpr:
		return nil, x.X
	case *ast.SliceExpr:
		return nil, x.X
	case *ast.Ident:
		return x, nil
	}
	return nil, nil
}

func (prog *program) markWritten(v *types.Var, info *types.Info, code ast.Node) {
	g := prog.globals[v]
	if g == nil {
		return
	}
	g.assigned = true
	if !slices.ContainsFunc(g.by, func(w writer) bool { return w.code == code }) {
		g.by = append(g.by, writer{code, info})
	}
}

// contents is a hash of all that a package variable may hold.
func (prog *program) contents(g *global) string {
	var all []string
	if g.expr != nil {
		all = append(all, prog.source(g.expr, g.info))
	}
	for _, w := range g.by {
		all = append(all, prog.source(w.code, w.info))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
