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
	fset       *token.FileSet
	files      []*ast.File // in the order of their places
	typeOf     func(types.Type) shape.TypeRef
	funcs      map[*types.Func]*function
	consts     map[types.Object]ast.Expr
	globals    map[*types.Var]*global
	handles    map[*types.TypeName]*names.Decl // by the type of the generated variable
	errors     map[*types.Var]string           // wire names of sentinels
	errorTypes map[*types.TypeName]string      // wire names of typed errors
	gotos      map[types.Object][]token.Pos    // of labels: where one goes to them
	summaries  map[summaryOf]*machine          // nil: it is being read
	reading    []*ast.BlockStmt                // bodies of functions that are being summarised, the outermost first
	methods    map[string][]*function          // by name
	sentinels  map[string]*global              // package variables that hold errors, by the name that they have in a flow

	packages map[*types.Package]bool // of the module
	codes    map[types.Object]*code
	sources  map[ast.Node]string
	types    map[*types.TypeName]ast.Expr // how they are declared
	pieces   map[types.Object]shape.Written

	runs   bool               // flows are to be run, not compared: nothing is told by a hash that can be written out
	places map[token.Pos]bool // for those: variables and places, by where they are made, that coroutines share

	interfaces *interfaces          // of those: what becomes one
	boxes      map[string]bool      // types that flows have put into interfaces
	named      map[string]*machine  // that are told by their names, see told
	changing   map[*types.Func]bool // those that may change what was given to them, see still
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
	sets     []setting // where it gets values
	sum      string    // of them, once it was asked for
}

// setting is code from which a package variable gets what it holds.
type setting struct {
	node ast.Node
	info *types.Info
}

func globalName(obj *types.Var) string {
	if obj.Pkg() != nil {
		return obj.Pkg().Path() + "." + obj.Name()
	}
	return obj.Name()
}

// contents is a hash of all code from which a package variable gets what it holds.
func (prog *program) contents(g *global) string {
	if g.sum == "" && len(g.sets) > 0 {
		for _, s := range g.sets {
			g.sum += prog.source(s.node, s.info)
		}
	}
	return g.sum
}

func newProgram(fset *token.FileSet, sources []*Source, typeOf func(types.Type) shape.TypeRef) *program {
	prog := &program{
		fset: fset, typeOf: typeOf,
		funcs: map[*types.Func]*function{}, consts: map[types.Object]ast.Expr{}, globals: map[*types.Var]*global{},
		handles: map[*types.TypeName]*names.Decl{}, errors: map[*types.Var]string{}, errorTypes: map[*types.TypeName]string{}, gotos: map[types.Object][]token.Pos{},
		summaries: map[summaryOf]*machine{}, methods: map[string][]*function{}, sentinels: map[string]*global{},
		packages: map[*types.Package]bool{}, codes: map[types.Object]*code{}, sources: map[ast.Node]string{}, types: map[*types.TypeName]ast.Expr{},
		pieces: map[types.Object]shape.Written{}, interfaces: findInterfaces(sources), boxes: map[string]bool{},
	}
	if typeOf == nil {
		prog.typeOf = func(types.Type) shape.TypeRef { return shape.NoType }
	}
	for _, src := range sources {
		if src.Path == collect.RuntimePath {
			continue // its functions are known by name
		}
		prog.addPlan(src)
		prog.packages[src.Types] = true
		for _, file := range src.Files {
			prog.addFile(src, file)
		}
	}
	slices.SortFunc(prog.files, func(a, b *ast.File) int { return cmp.Compare(a.FileStart, b.FileStart) })
	for _, src := range sources {
		if src.Path != collect.RuntimePath {
			prog.findAssigned(src)
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
		if t, ok := src.Types.Scope().Lookup(d.Ident).(*types.TypeName); ok && d.Error != nil {
			prog.errorTypes[t] = d.Wire
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
				if decl.Recv != nil {
					prog.methods[obj.Name()] = append(prog.methods[obj.Name()], prog.funcs[obj])
				}
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
		if spec, ok := n.(*ast.TypeSpec); ok {
			if obj, ok := src.Info.Defs[spec.Name].(*types.TypeName); ok {
				prog.types[obj] = spec.Type
			}
		}
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
					if len(spec.Values) > 0 {
						g.sets = append(g.sets, setting{spec.Values[min(i, len(spec.Values)-1)], src.Info})
					}
					prog.globals[obj] = g
					prog.sentinels[globalName(obj)] = g
					if wire := prog.errors[obj]; wire != "" {
						prog.sentinels[wire] = g
					}
				}
			}
		}
		return true
	})
}

// findAssigned finds the package variables that do not keep what they were declared with.
func (prog *program) findAssigned(src *Source) {
	for _, file := range src.Files {
		for _, decl := range file.Decls {
			fn, _ := decl.(*ast.FuncDecl)
			if fn != nil && fn.Body == nil {
				continue
			}
			begin := fn != nil && fn.Recv == nil && fn.Name.Name == "init"
			assignments(decl, func(e ast.Expr) { prog.assigned(src, e, decl, fn) })
			if !begin {
				continue
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool { // whatever it names, it may change
				if id, ok := n.(*ast.Ident); ok {
					prog.assigned(src, id, decl, fn)
				}
				return true
			})
		}
	}
}

func (prog *program) assigned(src *Source, e ast.Expr, decl ast.Decl, fn *ast.FuncDecl) {
	mark := func(id *ast.Ident) {
		v, ok := src.Info.Uses[id].(*types.Var)
		g := prog.globals[v]
		if !ok || g == nil {
			return
		}
		g.assigned = true
		node := ast.Node(decl)
		if fn != nil {
			node = fn.Body
		}
		if !slices.ContainsFunc(g.sets, func(s setting) bool { return s.node == node }) {
			g.sets = append(g.sets, setting{node, src.Info})
		}
	}
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			mark(x.Sel)
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.Ident:
			mark(x)
			return
		default:
			return
		}
	}
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
