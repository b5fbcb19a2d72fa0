package contract

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
	"github.com/durablegen/durablegen/lint/internal/form"
)

// directCalls finds activities and orchestrators that are called without their handles (DUR101, DUR102): by name, through a
// function value, through an interface, and behind functions of other packages.
func (c *checker) directCalls(f *code.Func) {
	for in := range instrs(f.Function) {
		call, ok := in.(ssa.CallInstruction)
		if !ok {
			continue
		}
		for _, d := range c.DirectOf(call) {
			if len(d.Via) > 0 && c.own(call) {
				continue // reported where it is
			}
			c.direct(f, call, d)
		}
		c.handedOn(f, call)
		if call.Common().IsInvoke() {
			for _, obj := range c.implementations(call.Common()) {
				if word := c.Role(obj); word != "" {
					c.direct(f, call, code.Direct{Word: word, Name: form.Short(obj.FullName())})
				}
			}
		}
	}
}

// handedOn finds activities and orchestrators that are given as plain functions to what calls them: a helper, a function of
// the standard library, durable.Go. Handles and bindings are what they are for.
func (c *checker) handedOn(f *code.Func, call ssa.CallInstruction) {
	args := call.Common().Args
	for i, arg := range args {
		if _, ok := arg.Type().Underlying().(*types.Signature); !ok {
			continue
		}
		fns, _ := code.Functions(arg)
		for _, fn := range fns {
			obj := code.Declared(fn)
			if word := c.Role(obj); word != "" && c.callsParam(call, i) {
				c.direct(f, call, code.Direct{Word: word, Name: form.Short(obj.FullName())})
			}
		}
	}
}

// callsParam reports whether what is called calls one of its parameters.
func (c *checker) callsParam(call ssa.CallInstruction, i int) (is bool) {
	switch code.Calls(call) {
	case "Go", "ForEach", "Map":
		return true
	}
	fns, _ := c.Targets(call.Common())
	for _, fn := range fns {
		obj, own := code.Declared(fn), c.Of(fn)
		switch {
		case own != nil && own.Generated:
		case own != nil && i < len(fn.Params):
			for in := range instrs(fn) {
				if inner, ok := in.(ssa.CallInstruction); ok && !inner.Common().IsInvoke() {
					code.Origins(inner.Common().Value, func(o ssa.Value) { is = is || o == ssa.Value(fn.Params[i]) })
				}
			}
		case obj != nil && obj.Pkg() != nil: // of the standard library
			first, _, _ := strings.Cut(obj.Pkg().Path(), "/")
			is = is || !strings.Contains(first, ".")
		}
	}
	return is
}

// own reports whether a call is of a function of this package.
func (c *checker) own(call ssa.CallInstruction) bool {
	fns, _ := c.Targets(call.Common())
	for _, fn := range fns {
		if obj := code.Declared(fn); obj != nil && obj.Pkg() != c.Pass.Pkg {
			return false
		}
	}
	return true
}

func (c *checker) direct(f *code.Func, call ssa.CallInstruction, d code.Direct) {
	found := code.Finding{Rule: "DUR101", Pos: c.At(call), What: "direct call of activity " + d.Name, In: f}
	if d.Word == "orchestrator" {
		found.Rule, found.What = "DUR102", "direct call of orchestrator "+d.Name
	}
	if len(d.Via) > 0 {
		found.Note = "by " + strings.Join(d.Via, " → ") + ", at " + d.At
	}
	if found.Rule == "DUR101" && code.Callee(call.Common()) != nil && c.Role(code.Callee(call.Common())) == d.Word {
		found.Fixes = c.callByHandle(f, call)
	}
	c.report(found)
}

// implementations are the methods that an interface call may mean: of the types that this package makes such an interface.
func (c *checker) implementations(call *ssa.CallCommon) (ms []*types.Func) {
	iface, ok := call.Value.Type().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	for _, f := range c.Funcs {
		for in := range instrs(f.Function) {
			m, ok := in.(*ssa.MakeInterface)
			if !ok || !types.Implements(m.X.Type(), iface) || !types.Identical(m.Type(), call.Value.Type()) {
				continue
			}
			obj, _, _ := types.LookupFieldOrMethod(m.X.Type(), true, call.Method.Pkg(), call.Method.Name())
			if fn, ok := obj.(*types.Func); ok && !contains(ms, fn.Origin()) {
				ms = append(ms, fn.Origin())
			}
		}
	}
	return ms
}

func contains(ms []*types.Func, m *types.Func) bool {
	for _, had := range ms {
		if had == m {
			return true
		}
	}
	return false
}

// callByHandle writes the call of an activity with its handle, where there are a handle and a Context. An import that nobody
// needs any more is left to whoever applies the fix, as go fix and editors do.
func (c *checker) callByHandle(f *code.Func, in ssa.CallInstruction) []analysis.SuggestedFix {
	call, obj := c.Call(in), code.Callee(in.Common())
	if call == nil || obj == nil {
		return nil
	}
	ctx := c.contextAt(call.Pos())
	handle := c.handleOf(obj, call)
	if ctx == "" || handle == "" || call.Ellipsis.IsValid() {
		return nil
	}
	params := obj.Signature().Params()
	from, to := call.Lparen+1, call.Lparen+1
	text := ctx
	if params.Len() > 0 && isStdContext(params.At(0).Type()) && len(call.Args) > 0 {
		from, to = call.Args[0].Pos(), call.Args[0].End()
	} else if len(call.Args) > 0 {
		text += ", "
	}
	edits := []analysis.TextEdit{
		{Pos: call.Fun.Pos(), End: call.Fun.End(), NewText: []byte(handle + ".Call")},
		{Pos: from, End: to, NewText: []byte(text)},
	}
	return []analysis.SuggestedFix{{Message: "Call " + handle + ".Call", TextEdits: edits}}
}

// handleOf is the expression for the handle of an activity, seen from a call of it; "" when there is none.
func (c *checker) handleOf(obj *types.Func, call *ast.CallExpr) string {
	name := obj.Name() + "Activity"
	if d := c.Directive(obj); d != nil && d.Handle != "" {
		name = d.Handle
	}
	if _, ok := obj.Pkg().Scope().Lookup(name).(*types.Var); !ok {
		return ""
	}
	if obj.Pkg() == c.Pass.Pkg {
		return name
	}
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if x, ok := sel.X.(*ast.Ident); ok {
			if _, ok := c.Pass.TypesInfo.Uses[x].(*types.PkgName); ok {
				return x.Name + "." + name
			}
		}
	}
	return ""
}

// contextAt is the name of the innermost durable.Context that is visible at a position; "" when there is none.
func (c *checker) contextAt(pos token.Pos) string {
	inner := c.Pass.Pkg.Scope().Innermost(pos)
	for s := inner; s != nil && s != c.Pass.Pkg.Scope(); s = s.Parent() {
		for _, name := range s.Names() {
			v, ok := s.Lookup(name).(*types.Var)
			if !ok || !code.IsContext(v.Type()) || v.Pos() >= pos || name == "_" {
				continue
			}
			if _, seen := inner.LookupParent(name, pos); seen == v {
				return name
			}
		}
	}
	return ""
}

func isStdContext(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "Context" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "context"
}
