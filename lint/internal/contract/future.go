package contract

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
)

// futures finds futures that nobody waits for (DUR105): never, or not on a path that ends well. What is under way when the
// orchestrator returns is cancelled, so an activity that nobody waits for may not happen.
func (c *checker) futures(f *code.Func) {
	for in := range instrs(f.Function) {
		call, ok := in.(*ssa.Call)
		if !ok {
			continue
		}
		for _, v := range results(call) {
			if code.HoldsFutures(v.Type()) || code.IsRuntime(v.Type(), "Timer") {
				c.future(f, call, v)
			}
		}
		if tuple, ok := call.Type().(*types.Tuple); ok {
			c.unread(f, call, tuple)
		} else if call.Referrers() != nil && len(*call.Referrers()) == 0 {
			continue // told above
		}
	}
}

// results are the values of a call, one by one, as far as somebody takes them.
func results(call *ssa.Call) (vs []ssa.Value) {
	if _, ok := call.Type().(*types.Tuple); !ok {
		return []ssa.Value{call}
	}
	for _, r := range *call.Referrers() {
		if e, ok := r.(*ssa.Extract); ok {
			vs = append(vs, e)
		}
	}
	return vs
}

// unread judges futures among several results that are not taken at all.
func (c *checker) unread(f *code.Func, call *ssa.Call, tuple *types.Tuple) {
	for i := range tuple.Len() {
		taken := slices.ContainsFunc(*call.Referrers(), func(r ssa.Instruction) bool {
			e, ok := r.(*ssa.Extract)
			return ok && e.Index == i
		})
		if !taken && code.HoldsFutures(tuple.At(i).Type()) && !c.letGo(call) {
			c.report(code.Finding{Rule: "DUR105", Pos: c.At(call), What: "future of " + c.Name(call) + " that nobody waits for", In: f})
		}
	}
}

func (c *checker) future(f *code.Func, call *ssa.Call, v ssa.Value) {
	fate := c.Follow(v)
	if !fate.Used() {
		if !c.letGo(call) {
			c.report(code.Finding{Rule: "DUR105", Pos: c.At(call), What: "future of " + c.Name(call) + " that nobody waits for", In: f})
		}
		return
	}
	kinds := c.Kinds(v)
	if fate.Held || kinds == 0 || kinds&^(code.Activity|code.Child|code.Coroutine) != 0 || c.scoped(call) || c.letGo(call) {
		return
	}
	var left *ssa.Return
	code.Reaches(call, func(in ssa.Instruction) bool { return slices.Contains(fate.Uses, in) || in == ssa.Instruction(call) },
		func(in ssa.Instruction) bool {
			if r, ok := in.(*ssa.Return); ok && endsWell(r) {
				left = r
			}
			return left != nil
		})
	if left != nil {
		c.report(code.Finding{Rule: "DUR105", Pos: c.At(call), What: "future of " + c.Name(call) + " that nobody waits for on some path", In: f,
			Note: "the function returns without it on line " + c.line(left.Pos())})
	}
}

func (c *checker) line(pos token.Pos) string {
	if !pos.IsValid() {
		return "of its end"
	}
	return constant.MakeInt64(int64(c.Pass.Fset.Position(pos).Line)).String()
}

// endsWell reports whether a return is one without an error, as far as that shows.
func endsWell(r *ssa.Return) bool {
	n := len(r.Results)
	if n == 0 || !types.Identical(r.Results[n-1].Type(), types.Universe.Lookup("error").Type()) {
		return true
	}
	return isNil(lastStored(r, r.Results[n-1]))
}

// lastStored is what a named result holds: the last value that the block of the return puts there.
func lastStored(r *ssa.Return, v ssa.Value) ssa.Value {
	load, ok := v.(*ssa.UnOp)
	if !ok || load.Op != token.MUL {
		return v
	}
	for _, in := range r.Block().Instrs {
		if s, ok := in.(*ssa.Store); ok && s.Addr == load.X {
			v = s.Val
		}
	}
	return v
}

func isNil(v ssa.Value) bool {
	c, ok := v.(*ssa.Const)
	return ok && c.IsNil()
}

// scoped reports whether what a call starts belongs to a context of WithCancel or WithTimeout, which ends it.
func (c *checker) scoped(call *ssa.Call) (is bool) {
	for _, arg := range call.Call.Args {
		if !code.IsContext(arg.Type()) {
			continue
		}
		code.Origins(arg, func(o ssa.Value) {
			if e, ok := o.(*ssa.Extract); ok {
				name := code.Calls(e.Tuple.(ssa.Instruction))
				is = is || name == "WithCancel" || name == "WithTimeout"
			}
		})
	}
	return is
}

type line struct {
	file string
	n    int
}

// detachedLines finds the comments //durable:detached, which say that nobody is to wait.
func (c *checker) detachedLines() map[line]bool {
	lines := map[line]bool{}
	for _, file := range c.Pass.Files {
		for _, group := range file.Comments {
			for _, comment := range group.List {
				text := strings.TrimSpace(strings.TrimPrefix(comment.Text, "//"))
				if strings.HasPrefix(text, "durable:detached") {
					p := c.Pass.Fset.Position(comment.Pos())
					lines[line{p.Filename, p.Line}] = true
				}
			}
		}
	}
	return lines
}

// letGo reports whether the code says that the result of a call is let go: by a comment where it is made, or where its
// variable is assigned to nothing.
func (c *checker) letGo(call *ssa.Call) bool {
	if len(c.detached) == 0 {
		return false
	}
	marked := func(n ast.Node) bool {
		from, to := c.Pass.Fset.Position(n.Pos()), c.Pass.Fset.Position(n.End())
		for l := from.Line - 1; l <= to.Line; l++ {
			if c.detached[line{from.Filename, l}] && (l >= from.Line || c.alone(from.Filename, l)) {
				return true
			}
		}
		return false
	}
	expr := c.Call(call)
	if expr == nil {
		return false
	}
	if marked(expr) {
		return true
	}
	assign, ok := c.Parent(expr).(*ast.AssignStmt)
	if !ok || len(assign.Lhs) == 0 {
		return false
	}
	name, ok := assign.Lhs[0].(*ast.Ident)
	if !ok {
		return false
	}
	obj, is := c.Pass.TypesInfo.ObjectOf(name), false
	ast.Inspect(c.File(expr.Pos()), func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == 1 && blank(a.Lhs[0]) {
			if id, ok := a.Rhs[0].(*ast.Ident); ok && obj != nil && c.Pass.TypesInfo.Uses[id] == obj && marked(a) {
				is = true
			}
		}
		return !is
	})
	return is
}

// alone reports whether a comment has its line for itself, so that it speaks of the next one.
func (c *checker) alone(file string, n int) bool {
	for node := range c.Nodes() {
		if p := c.Pass.Fset.Position(node.Pos()); p.Filename == file && p.Line == n {
			return false
		}
	}
	return true
}

func blank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}
