package summary

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/lint/internal/effects"
	"github.com/durablegen/durablegen/lint/internal/form"
)

// words finds what only the source shows and the SSA form does not: constants, conversions, formats.
func (p *pkg) words() {
	for _, file := range p.pass.Files {
		var in []*node // the functions around, the innermost last; package level code belongs to init
		var around []ast.Node
		ast.Inspect(file, func(n ast.Node) bool {
			if n == nil {
				if last := around[len(around)-1]; p.syntax[last] != nil && len(in) > 0 {
					in = in[:len(in)-1]
				}
				around = around[:len(around)-1]
				return true
			}
			around = append(around, n)
			if f := p.syntax[n]; f != nil {
				in = append(in, f)
			}
			if f := p.within(in); f != nil {
				p.word(f, n)
			}
			return true
		})
	}
}

// within is the function that code belongs to, nil if it is said to be pure.
func (p *pkg) within(in []*node) *node {
	if len(in) == 0 {
		return p.nodes[p.ssa.Func("init")]
	}
	if obj := in[0].fn.Object(); obj != nil && p.marks.word(obj) == "pure" {
		return nil
	}
	return in[len(in)-1]
}

func (p *pkg) word(in *node, n ast.Node) {
	switch n := n.(type) {
	case *ast.Ident:
		c, ok := p.pass.TypesInfo.Uses[n].(*types.Const)
		if ok && c.Pkg() != nil && effects.Std(c.Pkg().Path()) {
			if e, known := effects.Of(c); known && e.Rule != "" {
				p.hazard(in, e.Rule, form.Short(c.Pkg().Path()+"."+c.Name()), n.Pos())
			}
		}
		if fn, ok := p.pass.TypesInfo.Uses[n].(*types.Func); ok && !p.callees[n] {
			p.mentions[mention{in, fn.Origin()}] = append(p.mentions[mention{in, fn.Origin()}], p.selector(n))
		}
	case *ast.SelectorExpr:
		p.selectors[n.Sel] = n
	case *ast.CallExpr:
		p.callee(n)
		p.conversion(in, n)
		p.format(in, n)
	}
}

// mention is a function that is named without being called.
type mention struct {
	in *node
	fn *types.Func
}

// selector is where a name begins, with what stands before it on its line.
func (p *pkg) selector(id *ast.Ident) token.Pos {
	sel := p.selectors[id]
	if sel != nil && p.pass.Fset.Position(sel.Pos()).Line == p.pass.Fset.Position(id.Pos()).Line {
		return sel.Pos()
	}
	return id.Pos()
}

// callee notes the function that a call names.
func (p *pkg) callee(call *ast.CallExpr) {
	fun := ast.Unparen(call.Fun)
	switch index := fun.(type) {
	case *ast.IndexExpr:
		fun = index.X
	case *ast.IndexListExpr:
		fun = index.X
	}
	id, ok := fun.(*ast.Ident)
	if sel, is := fun.(*ast.SelectorExpr); is {
		id, ok = sel.Sel, true
	}
	if !ok {
		return
	}
	p.callees[id] = true
	if fn, ok := p.pass.TypesInfo.Uses[id].(*types.Func); ok {
		p.named[call.Lparen] = fn.Origin()
	}
}

// conversion is DET411 of an address that becomes a number.
func (p *pkg) conversion(in *node, call *ast.CallExpr) {
	tv, ok := p.pass.TypesInfo.Types[call.Fun]
	if !ok || !tv.IsType() || len(call.Args) != 1 {
		return
	}
	if basic(tv.Type) == types.Uintptr && basic(p.pass.TypesInfo.TypeOf(call.Args[0])) == types.UnsafePointer {
		p.hazard(in, "DET411", "address as a number", call.Pos())
	}
}

func basic(t types.Type) types.BasicKind {
	if t == nil {
		return types.Invalid
	}
	b, ok := t.Underlying().(*types.Basic)
	if !ok {
		return types.Invalid
	}
	return b.Kind()
}

// formatted says where the functions that print keep their format, and what they print.
var formatted = map[string]struct{ format, args int }{
	"fmt.Sprintf": {0, 1}, "fmt.Errorf": {0, 1}, "fmt.Fprintf": {1, 2}, "fmt.Appendf": {1, 2}, "fmt.Printf": {0, 1},
	"fmt.Sprint": {-1, 0}, "fmt.Sprintln": {-1, 0}, "fmt.Fprint": {-1, 1}, "fmt.Fprintln": {-1, 1}, "fmt.Append": {-1, 1}, "fmt.Appendln": {-1, 1},
	"fmt.Print": {-1, 0}, "fmt.Println": {-1, 0},
}

// format is DET411 of an address that is printed.
func (p *pkg) format(in *node, call *ast.CallExpr) {
	fn, ok := typeutilCallee(p.pass.TypesInfo, call).(*types.Func)
	if !ok || fn.Pkg() == nil || call.Ellipsis.IsValid() {
		return
	}
	f, ok := formatted[fn.Pkg().Path()+"."+fn.Name()]
	if !ok || len(call.Args) < f.args || fn.Signature().Recv() != nil {
		return
	}
	verbs := []string{}
	if f.format >= 0 {
		tv := p.pass.TypesInfo.Types[call.Args[f.format]]
		if tv.Value == nil || tv.Value.Kind() != constant.String {
			return
		}
		verbs = verbsOf(constant.StringVal(tv.Value))
		if verbs == nil {
			return
		}
	}
	for i, arg := range call.Args[f.args:] {
		verb := "v"
		if f.format >= 0 {
			if i >= len(verbs) {
				return
			}
			verb = verbs[i]
		}
		if t := p.pass.TypesInfo.TypeOf(arg); verb == "p" || strings.Contains("vdxXsb", verb) && address(t, 0) {
			p.hazard(in, "DET411", "printed address", arg.Pos())
			return
		}
	}
}

// verbsOf gives the verb of each argument; nil where arguments are numbered or widths are arguments.
func verbsOf(format string) []string {
	verbs := []string{}
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		for i++; i < len(format) && strings.ContainsRune("+-# 0123456789.", rune(format[i])); i++ {
		}
		switch {
		case i >= len(format) || format[i] == '[' || format[i] == '*':
			return nil
		case format[i] != '%':
			verbs = append(verbs, format[i:i+1])
		}
	}
	return verbs
}

// address reports whether printing a value of type t shows an address: of a pointer, unless it is at the top and leads to
// something that has parts, of a func, a channel, and of what is inside.
func address(t types.Type, depth int) bool {
	if t == nil || depth > 8 || prints(t) {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	case *types.Chan, *types.Signature:
		return true
	case *types.Pointer:
		if depth > 0 {
			return true
		}
		switch u.Elem().Underlying().(type) {
		case *types.Struct, *types.Map, *types.Slice, *types.Array:
			return address(u.Elem(), depth+1)
		}
		return true
	case *types.Slice:
		return address(u.Elem(), depth+1)
	case *types.Array:
		return address(u.Elem(), depth+1)
	case *types.Map:
		return address(u.Key(), depth+1) || address(u.Elem(), depth+1)
	case *types.Struct:
		for f := range u.Fields() {
			if _, ok := f.Type().Underlying().(*types.Pointer); ok && opaqueField(f) {
				continue
			}
			if address(f.Type(), depth+1) {
				return true
			}
		}
	}
	return false
}

// opaqueField reports whether a field belongs to a type of another package that somebody else answers for.
func opaqueField(f *types.Var) bool {
	return !f.Exported() && f.Pkg() != nil && effects.Std(f.Pkg().Path())
}

// prints reports whether a type says itself how it is printed.
func prints(t types.Type) bool {
	if types.IsInterface(t) {
		return true
	}
	for _, name := range []string{"Error", "String", "Format", "GoString"} {
		if obj, _, _ := types.LookupFieldOrMethod(t, false, nil, name); obj != nil {
			if _, ok := obj.(*types.Func); ok {
				return true
			}
		}
	}
	return false
}

// typeutilCallee is the function or builtin that a call names, nil if there is none.
func typeutilCallee(info *types.Info, call *ast.CallExpr) types.Object {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return info.Uses[fun]
	case *ast.SelectorExpr:
		return info.Uses[fun.Sel]
	}
	return nil
}

// findLinked notes the functions whose body is another's by go:linkname.
func (p *pkg) findLinked() {
	for _, file := range p.pass.Files {
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok || d.Body != nil || d.Doc == nil {
				continue
			}
			if slices.ContainsFunc(d.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:linkname ") }) {
				p.linked[p.pass.TypesInfo.Defs[d.Name]] = true
			}
		}
	}
}

// exact gives the products that are rounded by a conversion of their own, by the place of their operator (DET414).
func (p *pkg) exact() map[token.Pos]bool {
	out := map[token.Pos]bool{}
	for _, file := range p.pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 || !p.pass.TypesInfo.Types[call.Fun].IsType() {
				return true
			}
			if b, ok := ast.Unparen(call.Args[0]).(*ast.BinaryExpr); ok && b.Op == token.MUL {
				out[b.OpPos] = true
			}
			return true
		})
	}
	return out
}
