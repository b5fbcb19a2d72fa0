package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// Values that become those of an interface tell of which type of the module they are: a "box" of it. What a call of a function gets
// as an any is printed or stored, and tells that only in a flow to run. What is behind an interface where no box is known is told
// by what all types of the module do that may be there.

// interfaces are where values become those of an interface.
type interfaces struct {
	to    map[ast.Expr]types.Type   // an expression, and the type as which it is used
	parts map[ast.Expr][]types.Type // the same of a call that gives several
	given map[ast.Expr]bool         // those that are arguments of calls
	boxed typeutil.Map              // types that become an interface somewhere → true
}

// findInterfaces finds those of some sources.
func findInterfaces(sources []*Source) *interfaces {
	c := &interfaces{to: map[ast.Expr]types.Type{}, parts: map[ast.Expr][]types.Type{}, given: map[ast.Expr]bool{}}
	for _, src := range sources {
		in := &converting{c, src.Info}
		for _, file := range src.Files {
			in.block(file, nil)
		}
		for _, instance := range src.Info.Instances {
			for arg := range instance.TypeArgs.Types() {
				c.boxed.Set(arg, true)
			}
		}
	}
	return c
}

// converting looks for them in one package.
type converting struct {
	*interfaces
	info *types.Info
}

// block looks into a function that gives results, or into a file.
func (c *converting) block(root ast.Node, results *types.Tuple) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if obj, ok := c.info.Defs[n.Name].(*types.Func); ok && n.Body != nil {
				c.block(n.Body, obj.Signature().Results())
			}
			return false
		case *ast.FuncLit:
			if sig, ok := c.info.TypeOf(n).(*types.Signature); ok {
				c.block(n.Body, sig.Results())
			}
			return false
		case *ast.ReturnStmt:
			if results != nil {
				c.several(n.Results, typesIn(results))
			}
		case *ast.CallExpr:
			c.call(n)
		case *ast.CompositeLit:
			c.composite(n)
		case *ast.IndexExpr:
			if m, ok := c.under(n.X).(*types.Map); ok {
				c.one(n.Index, m.Key())
			}
		default:
			c.statement(n)
		}
		return true
	})
}

// statement looks at what is no call and makes no value.
func (c *converting) statement(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok == token.ASSIGN || n.Tok == token.DEFINE {
			c.several(n.Rhs, c.typesOf(n.Lhs))
		}
	case *ast.ValueSpec:
		if n.Type != nil {
			for _, v := range n.Values {
				c.one(v, c.info.TypeOf(n.Type))
			}
			if len(n.Values) == 1 && len(n.Names) > 1 {
				names := make([]ast.Expr, len(n.Names))
				for i, name := range n.Names {
					names[i] = name
				}
				c.several(n.Values, c.typesOf(names))
			}
		}
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			c.one(n.X, c.info.TypeOf(n.Y))
			c.one(n.Y, c.info.TypeOf(n.X))
		}
	case *ast.SwitchStmt:
		if n.Tag == nil {
			return
		}
		for _, s := range n.Body.List {
			for _, e := range s.(*ast.CaseClause).List {
				c.one(e, c.info.TypeOf(n.Tag))
			}
		}
	case *ast.SendStmt:
		if ch, ok := c.under(n.Chan).(*types.Chan); ok {
			c.one(n.Value, ch.Elem())
		}
	}
}

func (c *converting) call(e *ast.CallExpr) {
	fun := ast.Unparen(e.Fun)
	if tv := c.info.Types[fun]; tv.IsType() {
		if len(e.Args) == 1 {
			c.one(e.Args[0], tv.Type)
		}
		return
	}
	sig, ok := c.info.TypeOf(fun).Underlying().(*types.Signature)
	if !ok {
		return
	}
	want := make([]types.Type, 0, len(e.Args))
	if len(e.Args) == 1 && sig.Params().Len() > 1 {
		want = typesIn(sig.Params())
	} else {
		for i := range e.Args {
			want = append(want, paramType(sig, i, e.Ellipsis.IsValid()))
		}
	}
	for _, a := range e.Args {
		c.given[ast.Unparen(a)] = true
	}
	c.several(e.Args, want)
}

func (c *converting) composite(e *ast.CompositeLit) {
	t := c.info.TypeOf(e)
	if t == nil {
		return
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	for i, elt := range e.Elts {
		kv, keyed := elt.(*ast.KeyValueExpr)
		switch u := t.Underlying().(type) {
		case *types.Struct:
			if keyed {
				c.one(kv.Value, c.info.TypeOf(kv.Key))
			} else if i < u.NumFields() {
				c.one(elt, u.Field(i).Type())
			}
		case *types.Map:
			if keyed {
				c.one(kv.Key, u.Key())
				c.one(kv.Value, u.Elem())
			}
		case interface{ Elem() types.Type }:
			if keyed {
				elt = kv.Value
			}
			c.one(elt, u.Elem())
		}
	}
}

// one notes that an expression is used as of a type.
func (c *converting) one(e ast.Expr, t types.Type) {
	from := c.info.TypeOf(e)
	if t == nil || from == nil || !types.IsInterface(t) || types.Identical(from, t) {
		return
	}
	c.to[ast.Unparen(e)] = t
	if !types.IsInterface(from) {
		c.boxed.Set(from, true)
	}
}

// several is one of as many expressions as there are types, or of one call that gives all.
func (c *converting) several(es []ast.Expr, ts []types.Type) {
	if len(es) != 1 || len(ts) < 2 {
		for i := range min(len(es), len(ts)) {
			c.one(es[i], ts[i])
		}
		return
	}
	tuple, ok := c.info.TypeOf(es[0]).(*types.Tuple)
	if !ok || tuple.Len() != len(ts) {
		return
	}
	c.parts[ast.Unparen(es[0])] = ts
	for i, t := range ts {
		if from := tuple.At(i).Type(); t != nil && types.IsInterface(t) && !types.IsInterface(from) {
			c.boxed.Set(from, true)
		}
	}
}

func (c *converting) under(e ast.Expr) types.Type {
	if t := c.info.TypeOf(e); t != nil {
		return t.Underlying()
	}
	return nil
}

// typesOf gives the types of expressions; nil of one that is declared there, or thrown away.
func (c *converting) typesOf(es []ast.Expr) []types.Type {
	out := make([]types.Type, len(es))
	for i, e := range es {
		if !isBlank(e) {
			out[i] = c.info.TypeOf(e)
		}
	}
	return out
}

func typesIn(t *types.Tuple) []types.Type {
	out := make([]types.Type, t.Len())
	for i := range out {
		out[i] = t.At(i).Type()
	}
	return out
}

// converted makes the values of an expression on the stacks those of the interface as which it is used.
func (m *machine) converted(e ast.Expr) {
	to := m.interfaces.to[e]
	if to == nil || !m.runs && m.interfaces.given[e] && isAny(to) {
		return
	}
	from := m.exprType(e)
	m.map1(func(_ *path, v *value) *value { return m.inInterface(v, from, to) })
}

func isAny(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.Empty()
}

// convertedParts is converted for what one call gives.
func (m *machine) convertedParts(e ast.Expr, vs []*value) []*value {
	tuple, _ := m.frame.info.TypeOf(e).(*types.Tuple)
	vs = slices.Clone(vs)
	for i, to := range m.interfaces.parts[ast.Unparen(e)] {
		if to != nil && tuple != nil && i < len(vs) {
			vs[i] = m.inInterface(vs[i], m.frame.actual(tuple.At(i).Type()), to)
		}
	}
	return vs
}

// inInterface is a value of a type as one of another, if that is an interface.
func (m *machine) inInterface(v *value, from, to types.Type) *value {
	to = m.frame.actual(to)
	if _, open := types.Unalias(to).(*types.TypeParam); open || !types.IsInterface(to) || runtimeType(to) != "" || !m.ours(from) {
		return v
	}
	m.boxes[typeName(from)] = true
	return m.make(value{op: "box", what: typeName(from), args: []*value{v}, pos: v.pos, typ: from})
}

// ours reports whether a type, or what a pointer points to, is declared by a package of the module.
func (prog *program) ours(t types.Type) bool {
	if t == nil || types.IsInterface(t) {
		return false
	}
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, ok := t.(*types.Named)
	if !ok || types.IsInterface(named) {
		return false
	}
	obj := named.Origin().Obj()
	return obj.Pkg() != nil && prog.packages[obj.Pkg()] && obj.Parent() == obj.Pkg().Scope() && prog.handles[obj] == nil
}

// unboxed is what is in an interface.
func unboxed(v *value) *value {
	if v.op == "box" {
		return v.args[0]
	}
	return v
}

// bare are the arguments of a function of another module as it gets them, but for those of which it may ask the types: of
// errors, and of what it prints.
func (m *machine) bare(name string, args []*value) []*value {
	asks := strings.HasPrefix(name, "errors.") || strings.HasPrefix(name, "fmt.")
	out := slices.Clone(args)
	for i, a := range out {
		if !asks || name == "errors.As" && i > 0 {
			out[i] = unboxed(a)
		}
		if a.op == "list" && !asks && slices.ContainsFunc(a.args, func(e *value) bool { return e.op == "box" }) {
			parts := make([]*value, len(a.args))
			for k, e := range a.args {
				parts[k] = unboxed(e)
			}
			out[i] = m.val(a.pos, a.op, a.what, parts...)
		}
	}
	return out
}
