package lock

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/durablegen/durablegen/gen/internal/load"
	"github.com/durablegen/durablegen/internal/collect"
)

// unfollowed tells what a function does that the machine does not follow to the end, "" if there is nothing. It looks at the
// syntax alone, and rather sees too much.
func (prog *program) unfollowed(obj types.Object) string {
	switch obj := obj.(type) {
	case *types.Var:
		if g := prog.globals[obj]; g != nil && g.assigned {
			return fmt.Sprintf("the package variable %s is assigned to", obj.Name())
		}
		if g := prog.globals[obj]; g != nil && g.expr != nil {
			return prog.look(g.info, g.expr, nil)
		}
	case *types.Func:
		if fn := prog.funcs[obj]; fn != nil {
			return prog.look(fn.info, fn.decl.Body, fn)
		}
	}
	return ""
}

func (prog *program) look(info *types.Info, root ast.Node, fn *function) string {
	l := &looker{prog: prog, info: info, fn: fn, fresh: map[types.Object]bool{}}
	l.findFresh(root)
	if fn != nil && yields(fn.obj.Signature()) {
		l.why(root, "an iterator of its own")
	}
	l.walk(root)
	return l.found
}

// looker looks for what the machine does not follow.
type looker struct {
	prog  *program
	info  *types.Info
	fn    *function
	fresh map[types.Object]bool // variables of which nobody else holds what is in them
	above []ast.Node
	found string
}

func (l *looker) why(n ast.Node, format string, args ...any) {
	if l.found == "" {
		pos := l.prog.fset.Position(n.Pos())
		l.found = fmt.Sprintf(format, args...) + fmt.Sprintf(" (%s:%d)", filepath.Base(pos.Filename), pos.Line)
	}
}

func (l *looker) walk(root ast.Node) {
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			l.above = l.above[:len(l.above)-1]
			return true
		}
		l.node(n)
		l.above = append(l.above, n)
		return true
	})
}

func (l *looker) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt:
		l.why(n, "a goroutine or channel")
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			l.why(n, "a goroutine or channel")
		}
	case *ast.FuncLit:
		if sig, _ := l.info.TypeOf(n).Underlying().(*types.Signature); sig != nil && yields(sig) {
			l.why(n, "an iterator of its own")
		}
		l.captures(n)
	case *ast.AssignStmt:
		for _, e := range n.Lhs {
			l.write(e)
		}
	case *ast.IncDecStmt:
		l.write(n.X)
	case *ast.SelectorExpr:
		l.selector(n)
	case *ast.CallExpr:
		l.call(n)
	}
}

// yields reports whether a function is an iterator: it gives what it has to a function that tells whether to go on.
func yields(sig *types.Signature) bool {
	if sig.Params().Len() != 1 || sig.Results().Len() != 0 {
		return false
	}
	yield, ok := sig.Params().At(0).Type().Underlying().(*types.Signature)
	return ok && yield.Results().Len() == 1 && sortOf(yield.Results().At(0).Type()) == "bool"
}

// selector looks at methods that are called by an interface, or taken as a value.
func (l *looker) selector(e *ast.SelectorExpr) {
	sel := l.info.Selections[e]
	if sel == nil || sel.Kind() == types.FieldVal {
		return
	}
	m := sel.Obj().(*types.Func)
	if m.Pkg() != nil && m.Pkg().Path() == collect.RuntimePath || l.prog.generated(m.Origin()) {
		return
	}
	if sel.Kind() == types.MethodExpr {
		l.why(e, "the method %s as a value", m.Name())
		return
	}
	if l.prog.funcs[m.Origin()] != nil && !l.called(e) && !l.given(e) {
		l.why(e, "the method %s as a value", m.Name())
	}
	recv := sel.Recv()
	_, param := types.Unalias(recv).(*types.TypeParam)
	if (types.IsInterface(recv) || param) && m.Pkg() != nil && l.prog.declares(m.Pkg()) {
		l.why(e, "the method %s called by an interface", m.Name())
	}
	if m.Name() == "Error" && m.Pkg() == nil && l.prog.ownErrors {
		l.why(e, "the text of an error")
	}
}

// called reports whether an expression is what the call around it calls.
func (l *looker) called(e ast.Expr) bool {
	if len(l.above) == 0 {
		return false
	}
	call, ok := l.above[len(l.above)-1].(*ast.CallExpr)
	return ok && ast.Unparen(call.Fun) == e
}

// given reports whether an expression is an argument of a function of the runtime.
func (l *looker) given(e ast.Expr) bool {
	if len(l.above) == 0 {
		return false
	}
	call, ok := l.above[len(l.above)-1].(*ast.CallExpr)
	if !ok {
		return false
	}
	f := typeutil.Callee(l.info, call)
	return f != nil && f.Pkg() != nil && f.Pkg().Path() == collect.RuntimePath
}

// call looks at what a function of another module may do with what it is given.
func (l *looker) call(e *ast.CallExpr) {
	fun := ast.Unparen(e.Fun)
	if id, ok := fun.(*ast.Ident); ok && len(e.Args) > 0 {
		if _, builtin := l.info.Uses[id].(*types.Builtin); builtin {
			if slices.Contains([]string{"delete", "clear", "copy"}, id.Name) {
				l.write(&ast.IndexExpr{X: e.Args[0], Lbrack: e.Args[0].Pos()})
			}
			return
		}
	}
	callee, _ := typeutil.Callee(l.info, e).(*types.Func)
	if callee == nil || callee.Pkg() == nil || callee.Pkg().Path() == collect.RuntimePath || callee.Pkg().Path() == "log/slog" || l.prog.declares(callee.Pkg()) {
		return
	}
	name := callee.Origin().FullName()
	if writing[name] {
		l.write(&ast.IndexExpr{X: e.Args[0], Lbrack: e.Args[0].Pos()})
		if name == "sort.Sort" || name == "sort.Stable" {
			l.why(e, "methods called by %s", name)
		}
		return
	}
	if recv := callee.Signature().Recv(); recv != nil && isPointer(recv.Type()) && !slices.Contains([]string{"strings", "time", "sync", "bytes", "math/rand/v2"}, callee.Pkg().Path()) {
		l.why(e, "a change by %s", name)
	}
	params := callee.Signature().Params()
	for i, a := range e.Args {
		t := params.At(min(i, params.Len()-1)).Type()
		if s, ok := t.Underlying().(*types.Slice); ok && callee.Signature().Variadic() && i >= params.Len()-1 && !e.Ellipsis.IsValid() {
			t = s.Elem()
		}
		if _, param := t.(*types.TypeParam); types.IsInterface(t) && !param && name != "fmt.Errorf" && l.prog.hasMethods(l.info.TypeOf(a), 0) {
			l.why(a, "methods called by %s", name)
		}
	}
}

// hasMethods reports whether a type, or one that it is made of, has methods that are declared in the module.
func (prog *program) hasMethods(t types.Type, depth int) bool {
	const deep = 4
	if t == nil || depth > deep {
		return false
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		if named.Obj().Pkg() == nil || !prog.declares(named.Obj().Pkg()) {
			return false
		}
		if slices.ContainsFunc(seq(named.Origin().NumMethods()), func(i int) bool { return called[named.Origin().Method(i).Name()] }) {
			return true
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return prog.hasMethods(u.Elem(), depth+1)
	case *types.Slice:
		return prog.hasMethods(u.Elem(), depth+1)
	case *types.Array:
		return prog.hasMethods(u.Elem(), depth+1)
	case *types.Map:
		return prog.hasMethods(u.Key(), depth+1) || prog.hasMethods(u.Elem(), depth+1)
	case *types.Struct:
		return slices.ContainsFunc(seq(u.NumFields()), func(i int) bool { return prog.hasMethods(u.Field(i).Type(), depth+1) })
	}
	return false
}

// called are methods that the standard library looks for.
var called = map[string]bool{
	"String": true, "Error": true, "Format": true, "GoString": true, "MarshalJSON": true, "UnmarshalJSON": true, "MarshalText": true,
	"UnmarshalText": true, "Is": true, "As": true, "Unwrap": true, "Write": true, "Read": true, "Scan": true, "Less": true, "Len": true,
	"Swap": true, "Push": true, "Pop": true,
}

func seq(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// write looks at an assignment to what others may hold, too.
func (l *looker) write(e ast.Expr) {
	shared := false
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.IndexExpr:
			if _, array := l.info.TypeOf(x.X).Underlying().(*types.Array); !array {
				shared = true
			}
			e = x.X
			continue
		case *ast.StarExpr:
			shared, e = true, x.X
			continue
		case *ast.SelectorExpr:
			if l.info.Selections[x] == nil {
				return // a package variable
			}
			shared = shared || isPointer(l.info.TypeOf(x.X))
			e = x.X
			continue
		case *ast.Ident:
			v, _ := l.info.ObjectOf(x).(*types.Var)
			if v == nil || !shared || l.fresh[v] {
				return
			}
			if l.inLoop() || !isPointer(v.Type()) {
				l.why(x, "a change of what others may hold, by %s", x.Name)
			}
			return
		default:
			if shared {
				l.why(e, "a change of what others may hold")
			}
			return
		}
	}
}

func (l *looker) inLoop() bool {
	return slices.ContainsFunc(l.above, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return true
		}
		return false
	})
}

// findFresh finds variables that hold nothing but what was made for them.
func (l *looker) findFresh(root ast.Node) {
	stale := map[types.Object]bool{}
	set := func(e, to ast.Expr) {
		id, ok := ast.Unparen(e).(*ast.Ident)
		if !ok {
			return
		}
		v, _ := l.info.ObjectOf(id).(*types.Var)
		if v == nil || to != nil && !l.made(to, v) {
			stale[v] = true
			return
		}
		l.fresh[v] = true
	}
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, e := range n.Lhs {
				if len(n.Rhs) == len(n.Lhs) {
					set(e, n.Rhs[i])
				} else if n.Tok == token.DEFINE {
					set(e, &ast.BadExpr{})
				}
			}
		case *ast.ValueSpec:
			for i, id := range n.Names {
				if len(n.Values) == len(n.Names) {
					set(id, n.Values[i])
				} else if len(n.Values) == 0 {
					set(id, nil)
				}
			}
		}
		return true
	})
	for v := range stale {
		delete(l.fresh, v)
	}
}

// made reports whether an expression makes something new.
func (l *looker) made(e ast.Expr, v *types.Var) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit, *ast.BasicLit, *ast.BinaryExpr:
		return true
	case *ast.UnaryExpr:
		_, literal := ast.Unparen(e.X).(*ast.CompositeLit)
		return e.Op != token.AND || literal
	case *ast.CallExpr:
		id, ok := ast.Unparen(e.Fun).(*ast.Ident)
		if ok && (id.Name == "make" || id.Name == "new") {
			return true
		}
		if ok && id.Name == "append" && len(e.Args) > 0 {
			if first, ok := ast.Unparen(e.Args[0]).(*ast.Ident); ok {
				return l.info.ObjectOf(first) == v
			}
			_, literal := ast.Unparen(e.Args[0]).(*ast.CompositeLit)
			return literal && !e.Ellipsis.IsValid()
		}
		if sel, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr); ok {
			f, _ := l.info.Uses[sel.Sel].(*types.Func)
			return f != nil && copies[f.Origin().FullName()]
		}
	case *ast.Ident:
		return e.Name == "nil"
	}
	return l.info.TypeOf(e) != nil && plainData(l.info.TypeOf(e))
}

// plainData reports whether values of a type share nothing.
func plainData(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return true
	case *types.Struct:
		return !slices.ContainsFunc(seq(u.NumFields()), func(i int) bool { return !plainData(u.Field(i).Type()) })
	}
	return false
}

// copies give something new.
var copies = map[string]bool{
	"slices.Clone": true, "maps.Clone": true, "strings.Split": true, "strings.Fields": true, "slices.Sorted": true, "slices.Collect": true,
	"maps.Collect": true, "slices.SortedFunc": true,
}

// captures looks at a closure of a loop that runs later, and shares a variable with others.
func (l *looker) captures(lit *ast.FuncLit) {
	if !l.inLoop() || len(l.above) == 0 {
		return
	}
	if call, ok := l.above[len(l.above)-1].(*ast.CallExpr); ok {
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); !ok || sel.Sel.Name != "Compensate" {
			deferred := false
			if len(l.above) > 1 {
				_, deferred = l.above[len(l.above)-2].(*ast.DeferStmt)
			}
			if !deferred {
				return
			}
		}
	}
	var loop ast.Node
	for _, n := range l.above {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			loop = n
		}
	}
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, _ := l.info.Uses[id].(*types.Var)
		if v == nil || v.IsField() || v.Parent() == nil || v.Parent() == v.Pkg().Scope() || v.Pos() >= loop.Pos() && v.Pos() < loop.End() {
			return true
		}
		assignments(loop, func(e ast.Expr) {
			if x, ok := ast.Unparen(e).(*ast.Ident); ok && l.info.ObjectOf(x) == types.Object(v) {
				l.why(lit, "the variable %s that closures of a loop share", v.Name())
			}
		})
		return true
	})
}

// declares reports whether a package is of the module.
func (prog *program) declares(pkg *types.Package) bool { return prog.packages[pkg] }

// generated reports whether a function is in a generated file.
func (prog *program) generated(fn *types.Func) bool {
	f := prog.funcs[fn]
	return f != nil && strings.HasSuffix(prog.fset.Position(f.decl.Pos()).Filename, load.FileName)
}

// isHandle reports whether a package variable is generated for an activity or another.
func (prog *program) isHandle(v *types.Var) bool {
	named, ok := types.Unalias(v.Type()).(*types.Named)
	return ok && prog.handles[named.Obj()] != nil
}
