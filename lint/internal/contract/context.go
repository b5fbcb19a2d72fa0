package contract

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
	"github.com/durablegen/durablegen/lint/internal/form"
)

// contexts finds Contexts that leave the coroutine they were given to (DUR103): captured by a function that gets its own,
// kept in a struct or a variable of the package, handed to what is no orchestration.
func (c *checker) contexts(f *code.Func) {
	c.captured(f)
	for in := range instrs(f.Function) {
		switch in := in.(type) {
		case *ssa.Store:
			if code.IsContext(in.Val.Type()) {
				c.kept(f, in, in.Addr)
			}
		case *ssa.MapUpdate:
			if code.IsContext(in.Value.Type()) {
				c.report(code.Finding{Rule: "DUR103", Pos: in.Pos(), What: "Context kept in a map", In: f})
			}
		case *ssa.Send:
			if code.IsContext(in.X.Type()) {
				c.report(code.Finding{Rule: "DUR103", Pos: in.Pos(), What: "Context sent on a channel", In: f})
			}
		case *ssa.MakeInterface:
			if code.IsContext(in.X.Type()) {
				c.disguised(f, in)
			}
		}
	}
}

// kept judges where a Context is stored. The variables of a function are its own, and those that closures share.
func (c *checker) kept(f *code.Func, s *ssa.Store, addr ssa.Value) {
	what := ""
	switch a := addr.(type) {
	case *ssa.Global:
		what = "Context kept in " + form.Short(a.Pkg.Pkg.Path()+"."+a.Name())
	case *ssa.FieldAddr:
		what = "Context kept in a field"
		if p, ok := a.X.Type().Underlying().(*types.Pointer); ok {
			if st, ok := p.Elem().Underlying().(*types.Struct); ok {
				what += " " + st.Field(a.Field).Name()
			}
		}
	case *ssa.IndexAddr:
		if al, ok := a.X.(*ssa.Alloc); ok && al.Comment == "varargs" {
			return
		}
		what = "Context kept in a slice"
	default:
		return
	}
	pos := s.Pos()
	if !pos.IsValid() {
		pos = addr.Pos()
	}
	c.report(code.Finding{Rule: "DUR103", Pos: pos, What: what, In: f})
}

// disguised judges a Context that becomes an interface: as an argument of an activity or event, or a value of a standard
// context.
func (c *checker) disguised(f *code.Func, m *ssa.MakeInterface) {
	for _, r := range *m.Referrers() {
		call, ok := r.(ssa.CallInstruction)
		if !ok {
			continue
		}
		obj := code.Callee(call.Common())
		if obj == nil || obj.Pkg() == nil {
			continue
		}
		std := obj.Pkg().Path() == "context" && obj.Name() == "WithValue"
		does := c.Effect(call)
		if std || does&(code.Schedules|code.Continues) != 0 && !slices.Contains(call.Common().Args[:1], ssa.Value(m)) {
			c.report(code.Finding{Rule: "DUR103", Pos: c.At(call), What: "Context handed to " + c.Name(call), In: f})
		}
	}
}

// captured finds uses of an outer Context in a function that runs as a coroutine, or as a compensation, and is given its
// own.
func (c *checker) captured(f *code.Func) {
	for in := range instrs(f.Function) {
		m, ok := in.(*ssa.MakeClosure)
		if !ok {
			continue
		}
		where := c.runsElsewhere(m)
		if where == "" {
			continue
		}
		fn := m.Fn.(*ssa.Function)
		lit, _ := fn.Syntax().(*ast.FuncLit)
		for i, use := range outer(fn, c.contextVars(lit)) {
			found := code.Finding{Rule: "DUR103", Pos: use.Pos(), What: "Context " + use.Name + " from outside, used in the function given to " + where, In: c.Of(fn)}
			if i == 0 { // it mends all of them
				found.Fixes = c.useOwn(lit, use.Name)
			}
			c.report(found)
		}
	}
}

// runsElsewhere names what runs a closure with a Context of its own; "" is nothing.
func (c *checker) runsElsewhere(m *ssa.MakeClosure) string {
	for _, r := range *m.Referrers() {
		call, ok := r.(ssa.CallInstruction)
		if !ok || call.Common().Value == m {
			continue
		}
		switch name := code.Calls(call); name {
		case "Go", "ForEach", "Map":
			return "durable." + name
		case "Saga.Compensate":
			return "Compensate"
		}
		fact := c.FactOf(code.Callee(call.Common()))
		for i, arg := range call.Common().Args {
			if arg == m && fact != nil && slices.Contains(fact.Spawns, i) {
				return c.Name(call)
			}
		}
	}
	return ""
}

// contextVars finds the identifiers inside a literal that are Contexts declared outside of it. Literals inside that are
// coroutines of their own are their own findings.
func (c *checker) contextVars(lit *ast.FuncLit) (uses []*ast.Ident) {
	if lit == nil {
		return nil
	}
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		if inner, ok := n.(*ast.FuncLit); ok && c.ownContext(inner) {
			return false
		}
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := c.Pass.TypesInfo.Uses[id].(*types.Var)
		if ok && !v.IsField() && code.IsContext(v.Type()) && (v.Pos() < lit.Pos() || v.Pos() >= lit.End()) && v.Parent() != c.Pass.Pkg.Scope() {
			uses = append(uses, id)
		}
		return true
	})
	return uses
}

func (c *checker) ownContext(lit *ast.FuncLit) bool {
	sig, ok := c.Pass.TypesInfo.TypeOf(lit).(*types.Signature)
	if !ok {
		return false
	}
	for v := range sig.Params().Variables() {
		if code.IsContext(v.Type()) {
			return true
		}
	}
	return false
}

// outer leaves one use a line.
func outer(fn *ssa.Function, uses []*ast.Ident) (out []*ast.Ident) {
	lines := map[int]bool{}
	for _, id := range uses {
		line := fn.Prog.Fset.Position(id.Pos()).Line
		if !lines[line] {
			lines[line] = true
			out = append(out, id)
		}
	}
	return out
}

// useOwn has a literal use its own Context: under the outer one's name when its own has none.
func (c *checker) useOwn(lit *ast.FuncLit, name string) []analysis.SuggestedFix {
	for _, field := range lit.Type.Params.List {
		if !code.IsContext(c.Pass.TypesInfo.TypeOf(field.Type)) {
			continue
		}
		var edits []analysis.TextEdit
		own := name
		switch {
		case len(field.Names) == 0:
			if len(lit.Type.Params.List) > 1 {
				return nil
			}
			edits = []analysis.TextEdit{{Pos: field.Pos(), End: field.Pos(), NewText: []byte(name + " ")}}
		case field.Names[0].Name == "_":
			edits = []analysis.TextEdit{{Pos: field.Names[0].Pos(), End: field.Names[0].End(), NewText: []byte(name)}}
		default:
			own = field.Names[0].Name
			for _, id := range c.contextVars(lit) {
				if id.Name == name && c.sees(id.Pos(), field.Names[0]) {
					edits = append(edits, analysis.TextEdit{Pos: id.Pos(), End: id.End(), NewText: []byte(own)})
				}
			}
		}
		return []analysis.SuggestedFix{{Message: "Use the function's own " + own, TextEdits: edits}}
	}
	return nil
}

// sees reports whether a parameter is not hidden by another variable at a position.
func (c *checker) sees(pos token.Pos, param *ast.Ident) bool {
	inner := c.Pass.Pkg.Scope().Innermost(pos)
	_, obj := inner.LookupParent(param.Name, pos)
	return obj != nil && obj == c.Pass.TypesInfo.Defs[param]
}
