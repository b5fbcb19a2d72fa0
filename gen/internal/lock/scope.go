package lock

import (
	"go/ast"
	"go/token"
	"go/types"
)

// idle reports whether the scope of WithCancel is cancelled only when the orchestrator has ended: then it is cancelled
// with the one around it, and waits in it are as waits there. Its cancel must be used in one place, which defers it in
// the orchestrator's own function, and what is deferred earlier runs later.
func (m *machine) idle(call *ast.CallExpr) bool {
	if m.parent != nil || m.frame != m.entry || m.deferring != nil {
		return false
	}
	body := m.frame.fn.decl.Body
	cancel := m.canceler(body, call)
	if cancel == nil {
		return false
	}
	var deferred *ast.Ident
	for _, s := range body.List {
		if d, ok := s.(*ast.DeferStmt); ok {
			if id, ok := ast.Unparen(d.Call.Fun).(*ast.Ident); ok && m.frame.info.Uses[id] == cancel {
				deferred = id
			}
			break // the first one
		}
	}
	if deferred == nil {
		return false
	}
	idle := true
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			idle = idle && (n == deferred || m.frame.info.Uses[n] != cancel)
		case *ast.DeferStmt:
			idle = idle && n.Call.Fun.Pos() >= deferred.Pos()
		case *ast.BranchStmt:
			idle = idle && n.Tok != token.GOTO
		}
		return idle
	})
	return idle
}

// canceler is the variable that is declared for the cancel of a call of WithCancel in a function's outermost block.
func (m *machine) canceler(body *ast.BlockStmt, call *ast.CallExpr) types.Object {
	for _, s := range body.List {
		if a, ok := s.(*ast.AssignStmt); ok && a.Tok == token.DEFINE && len(a.Lhs) == 2 && len(a.Rhs) == 1 && ast.Unparen(a.Rhs[0]) == call {
			if id, ok := a.Lhs[1].(*ast.Ident); ok {
				return m.frame.info.Defs[id]
			}
		}
	}
	return nil
}
