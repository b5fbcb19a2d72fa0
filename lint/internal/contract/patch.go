package contract

import (
	"bytes"
	"go/ast"
	"go/printer"
	"go/token"
	"go/types"

	"github.com/durablegen/durablegen/lint/internal/code"
)

// patches finds calls of Context.Version that are dead (DUR401, DUR402), or whose name is not a constant (DUR403).
func (c *checker) patches() {
	for _, file := range c.Pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if c.isPatch(n) && c.Pass.TypesInfo.Types[n.Args[0]].Value == nil {
					c.report(code.Finding{Rule: "DUR403", Pos: n.Args[0].Pos(), What: "name of a change that is made at run time"})
				}
			case *ast.IfStmt:
				c.deadIf(n)
			case *ast.ExprStmt:
				c.leftOver(n.X)
			case *ast.AssignStmt:
				if id, ok := n.Lhs[0].(*ast.Ident); ok && len(n.Lhs) == 1 && id.Name == "_" {
					c.leftOver(n.Rhs[0])
				}
			}
			return true
		})
	}
}

// isPatch reports whether an expression is a call of Context.Version.
func (c *checker) isPatch(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	fn, _ := c.Pass.TypesInfo.Uses[sel.Sel].(*types.Func)
	return code.RuntimeName(fn) == "Context.Version"
}

// deadIf judges an if that a patch alone decides.
func (c *checker) deadIf(s *ast.IfStmt) {
	cond := ast.Unparen(s.Cond)
	if not, ok := cond.(*ast.UnaryExpr); ok && not.Op == token.NOT {
		cond = ast.Unparen(not.X)
	}
	if !c.isPatch(cond) || wayText(s.Body) != wayText(s.Else) {
		return
	}
	c.report(code.Finding{Rule: "DUR401", Pos: cond.Pos(), What: "patch with two ways that are the same"})
}

// wayText is a way as it would be printed, without comments; nothing and an empty block are the same.
func wayText(way ast.Stmt) string {
	block, ok := way.(*ast.BlockStmt)
	if way == nil || ok && len(block.List) == 0 {
		return ""
	}
	var b bytes.Buffer
	if printer.Fprint(&b, token.NewFileSet(), way) != nil { // without positions the layout is always the same
		return ""
	}
	return b.String()
}

// leftOver finds a patch whose answer nobody looks at.
func (c *checker) leftOver(e ast.Expr) {
	if c.isPatch(e) {
		c.report(code.Finding{Rule: "DUR402", Pos: e.Pos(), What: "patch whose answer decides nothing"})
	}
}
