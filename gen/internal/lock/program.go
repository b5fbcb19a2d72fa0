package lock

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/durablegen/durablegen/gen/internal/names"
	"github.com/durablegen/durablegen/internal/collect"
	"github.com/durablegen/durablegen/internal/shape"
)

// program is what the sources of a run declare.
type program struct {
	fset    *token.FileSet
	files   []*ast.File // in the order of their places
	typeOf  func(types.Type) shape.TypeRef
	funcs   map[*types.Func]*function
	consts  map[types.Object]ast.Expr
	globals map[*types.Var]*global
	handles map[*types.TypeName]*names.Decl // by the type of the generated variable
	errors  map[*types.Var]string           // wire names of sentinels
	gotos   map[types.Object][]token.Pos    // of labels: where one goes to them
	named   []*types.Named                  // in the order of their places
	root    *types.Package                  // of the orchestrator that is being read
	within  map[*types.Package]bool         // what that imports, directly or not, and itself
	sums    map[*function]string            // of flows of functions by themselves, read for that package
	summing map[*function]bool              // those that are being read so
	cycles  int                             // how often one of those has come to itself
}

// function is a declared function with a body.
type function struct {
	obj     *types.Func
	decl    *ast.FuncDecl
	info    *types.Info
	escapes bool // a closure or a pointer may outlive the call
}

// global is a package variable.
type global struct {
	expr     ast.Expr // nil: zero, or one of several results
	info     *types.Info
	assigned bool
	by       []writer // what assigns to it
}

func newProgram(fset *token.FileSet, sources []*Source, typeOf func(types.Type) shape.TypeRef) *program {
	prog := &program{
		fset: fset, typeOf: typeOf,
		funcs: map[*types.Func]*function{}, consts: map[types.Object]ast.Expr{}, globals: map[*types.Var]*global{},
		handles: map[*types.TypeName]*names.Decl{}, errors: map[*types.Var]string{}, gotos: map[types.Object][]token.Pos{},
		sums: map[*function]string{}, summing: map[*function]bool{},
	}
	if typeOf == nil {
		prog.typeOf = func(types.Type) shape.TypeRef { return shape.NoType }
	}
	for _, src := range sources {
		if src.Path == collect.RuntimePath {
			continue // its functions are known by name
		}
		prog.addPlan(src)
		prog.addTypes(src)
		for _, file := range src.Files {
			prog.addFile(src, file)
		}
	}
	slices.SortFunc(prog.files, func(a, b *ast.File) int { return cmp.Compare(a.FileStart, b.FileStart) })
	for _, src := range sources {
		if src.Path != collect.RuntimePath {
			prog.findWritten(src)
		}
	}
	return prog
}

func (prog *program) addPlan(src *Source) {
	if src.Plan == nil {
		return
	}
	for _, d := range src.Plan.Decls {
		if d.Type != "" {
			if t, ok := src.Types.Scope().Lookup(d.Type).(*types.TypeName); ok {
				prog.handles[t] = d
			}
		}
		if d.Error != nil && d.Error.Type == nil {
			if v, ok := src.Types.Scope().Lookup(d.Ident).(*types.Var); ok {
				prog.errors[v] = d.Wire
			}
		}
	}
}

func (prog *program) addFile(src *Source, file *ast.File) {
	prog.files = append(prog.files, file)
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if obj, ok := src.Info.Defs[decl.Name].(*types.Func); ok && decl.Body != nil {
				prog.funcs[obj] = &function{obj: obj, decl: decl, info: src.Info, escapes: escapes(decl.Body)}
			}
			prog.addSpecs(src, decl.Body)
			if decl.Body != nil {
				prog.addGotos(src.Info, decl.Body)
			}
		case *ast.GenDecl:
			prog.addSpecs(src, decl)
		}
	}
}

// addSpecs remembers where constants and package variables get their values.
func (prog *program) addSpecs(src *Source, root ast.Node) {
	if root == nil || root == (*ast.BlockStmt)(nil) {
		return
	}
	ast.Inspect(root, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			var expr ast.Expr
			if len(spec.Values) == len(spec.Names) {
				expr = spec.Values[i]
			}
			switch obj := src.Info.Defs[name].(type) {
			case *types.Const:
				if expr == nil {
					expr = name
				}
				prog.consts[obj] = expr
			case *types.Var:
				if obj.Parent() == src.Types.Scope() {
					g := &global{expr: expr, info: src.Info, assigned: expr == nil && len(spec.Values) > 0}
					if g.assigned {
						g.by = []writer{{spec.Values[0], src.Info}}
					}
					prog.globals[obj] = g
				}
			}
		}
		return true
	})
}

// assignments calls f with every expression that is assigned to, or whose address is taken.
func assignments(root ast.Node, f func(ast.Expr)) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				f(e) // of := those that are not new
			}
		case *ast.IncDecStmt:
			f(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				if n.Key != nil {
					f(n.Key)
				}
				if n.Value != nil {
					f(n.Value)
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				f(n.X)
			}
		}
		return true
	})
}

func escapes(body ast.Node) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.AND
		}
		return !found
	})
	return found
}

// runtimeType is the name of a type of the runtime, also behind a pointer; "" is another.
func runtimeType(t types.Type) string {
	if t == nil {
		return ""
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != collect.RuntimePath {
		return ""
	}
	return n.Obj().Name()
}
