package contract

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
)

// errors finds the errors of activities, children and coroutines that nobody looks at (DUR106). An assignment of everything
// to nothing is a decision, and taken for one; the errors of timers and events are left alone, since they only tell that the
// orchestration is cancelled, which the next operation tells again.
func (c *checker) errors(f *code.Func) {
	for in := range instrs(f.Function) {
		call, ok := in.(*ssa.Call)
		if !ok || !dropsError(call) || !c.MayFail(call) || c.Call(call) == nil {
			continue
		}
		if code.Calls(call) == "All" && c.askedAgain(f, call) {
			continue
		}
		what := ""
		switch p := c.Parent(c.Call(call)).(type) {
		case *ast.ExprStmt:
			what = "dropped error of "
		case *ast.AssignStmt:
			if len(p.Rhs) > 1 || !slices.ContainsFunc(p.Lhs, func(e ast.Expr) bool { return !blank(e) }) {
				continue
			}
			what = "dropped error of "
			if !blank(p.Lhs[len(p.Lhs)-1]) {
				what = "error that nobody looks at, of "
			}
		case *ast.ValueSpec:
			what = "error that nobody looks at, of "
		default:
			continue
		}
		c.report(code.Finding{Rule: "DUR106", Pos: c.At(call), What: what + c.Name(call), In: f})
	}
}

// dropsError reports whether the last result of a call is an error that is not used.
func dropsError(call *ssa.Call) bool {
	isError := func(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }
	tuple, ok := call.Type().(*types.Tuple)
	if !ok {
		return isError(call.Type()) && len(*call.Referrers()) == 0
	}
	n := tuple.Len()
	if n == 0 || !isError(tuple.At(n-1).Type()) {
		return false
	}
	return !slices.ContainsFunc(*call.Referrers(), func(r ssa.Instruction) bool {
		e, ok := r.(*ssa.Extract)
		return !ok || e.Index == n-1 && len(*e.Referrers()) > 0
	})
}

// askedAgain reports whether the futures of an All give their errors elsewhere: to a Get or Err of their own.
func (c *checker) askedAgain(f *code.Func, all *ssa.Call) bool {
	own := map[ssa.Value]bool{}
	for _, arg := range code.Elements(all.Call.Args) {
		own[arg] = true
		code.Origins(arg, func(o ssa.Value) { own[o] = true })
	}
	for in := range instrs(f.Function) {
		switch code.Calls(in) {
		case "Future.Get", "Future.Err", "Future.Within":
			again := false
			code.Origins(in.(ssa.CallInstruction).Common().Args[0], func(o ssa.Value) { again = again || own[o] })
			if again {
				return true
			}
		case "Collect":
			return true
		}
	}
	return false
}
