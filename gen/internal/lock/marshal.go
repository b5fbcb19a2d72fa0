package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/durablegen/durablegen/internal/shape"
)

// coding is the code by which values of a type are written or read, with all that it reaches of the module.
type coding struct {
	prog    *program
	words   []string
	reached []types.Object
	seen    map[types.Object]bool
	spelled typeutil.Map // of types that were spelled: their number
}

func newCoding(prog *program) *coding { return &coding{prog: prog, seen: map[types.Object]bool{}} }

func (c *coding) word(s string) { c.words = append(c.words, s) }

func (c *coding) reach(obj types.Object) {
	if !c.seen[obj] {
		c.seen[obj] = true
		c.reached = append(c.reached, obj)
	}
}

// method adds a method; one of another module by its name.
func (c *coding) method(fn *types.Func) {
	fn = c.prog.checked(fn)
	if c.prog.funcs[fn] == nil || c.prog.generated(fn) {
		c.word(fn.FullName())
		return
	}
	c.word(fn.Name())
	c.reach(fn)
}

// sum is one hash of it all.
func (c *coding) sum() string {
	for i := 0; i < len(c.reached); i++ {
		for _, used := range c.prog.codeOf(c.reached[i]).used() {
			c.reach(used)
		}
		switch obj := c.reached[i].(type) {
		case *types.Func:
			if fn := c.prog.funcs[obj]; fn != nil {
				(&conversions{info: fn.info, found: c.spell}).function(obj.Signature(), fn.decl.Body)
			}
		case *types.Var:
			if g := c.prog.globals[obj]; g != nil && g.expr != nil {
				s := &conversions{info: g.info, found: c.spell}
				s.given(obj.Type(), g.expr)
				s.in(nil, g.expr)
			}
		}
	}
	sum := sha256.Sum256([]byte(c.prog.sum(newCode(), c.reached) + strings.Join(c.words, "\x00")))
	return hex.EncodeToString(sum[:4])
}

// spell says a type whose values go where it is not known any more: a library may look at its fields and call its methods.
func (c *coding) spell(t types.Type) {
	t = types.Unalias(t)
	if n, ok := c.spelled.At(t).(int); ok {
		c.word(fmt.Sprint("type ", n))
		return
	}
	c.spelled.Set(t, c.spelled.Len())
	if named, ok := t.(*types.Named); ok {
		own := c.prog.declared(named)
		if own == nil {
			c.word(types.TypeString(t, nil))
			return
		}
		for m := range own.Methods() {
			if c.prog.funcs[m] != nil && !c.prog.generated(m) {
				c.reach(m)
			}
		}
	}
	c.structure(t.Underlying())
}

// structure says what a type is made of.
func (c *coding) structure(t types.Type) {
	switch u := t.(type) {
	case *types.Basic:
		c.word(u.Name())
	case *types.Struct:
		c.word("{")
		for i := range u.NumFields() {
			f := u.Field(i)
			name, options, _ := strings.Cut(reflect.StructTag(u.Tag(i)).Get("json"), ",")
			if name == "" {
				name = f.Name()
			}
			c.word(fmt.Sprintf("%s,%s %t", name, options, f.Embedded()))
			c.spell(f.Type())
		}
		c.word("}")
	case *types.Map:
		c.word("map")
		c.spell(u.Key())
		c.spell(u.Elem())
	case *types.Array:
		c.word(fmt.Sprint("array ", u.Len()))
		c.spell(u.Elem())
	case interface{ Elem() types.Type }: // pointer, slice, channel
		c.word(fmt.Sprintf("%T", u))
		c.spell(u.Elem())
	case *types.Tuple:
		for v := range u.Variables() {
			c.spell(v.Type())
		}
	default:
		c.word(fmt.Sprintf("%T", u))
	}
}

// conversions finds the values that are made interfaces.
type conversions struct {
	info  *types.Info
	found func(types.Type)
}

func (s *conversions) function(sig *types.Signature, body *ast.BlockStmt) { s.in(sig, body) }

// in looks through a piece of a function.
func (s *conversions) in(sig *types.Signature, root ast.Node) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			if inner, ok := s.info.TypeOf(n).(*types.Signature); ok {
				s.in(inner, n.Body)
			}
			return false
		case *ast.CallExpr:
			s.call(n)
		case *ast.CompositeLit:
			s.literal(n)
		case *ast.ReturnStmt:
			if sig != nil {
				s.tuple(sig.Results(), n.Results)
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if t := s.info.TypeOf(left); t != nil && len(n.Lhs) == len(n.Rhs) {
					s.given(t, n.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			if n.Type != nil {
				for _, v := range n.Values {
					s.given(s.info.TypeOf(n.Type), v)
				}
			}
		case *ast.SendStmt:
			if c, ok := s.info.TypeOf(n.Chan).Underlying().(*types.Chan); ok {
				s.given(c.Elem(), n.Value)
			}
		}
		return true
	})
}

// given notes a value that is put where a type is asked for.
func (s *conversions) given(to types.Type, e ast.Expr) {
	t := s.info.TypeOf(e)
	if t == nil || to == nil {
		return
	}
	if _, parameter := types.Unalias(to).(*types.TypeParam); !parameter && !types.IsInterface(to) || types.IsInterface(t) {
		return
	}
	s.found(t)
}

func (s *conversions) tuple(to *types.Tuple, list []ast.Expr) {
	for i, e := range list {
		if len(list) == to.Len() {
			s.given(to.At(i).Type(), e)
		} else {
			s.found(s.info.TypeOf(e))
		}
	}
}

func (s *conversions) call(n *ast.CallExpr) {
	fn := s.info.Types[n.Fun]
	if fn.IsType() {
		for _, arg := range n.Args {
			s.given(fn.Type, arg)
		}
		return
	}
	sig, ok := typeOrNil(fn.Type).(*types.Signature)
	if !ok {
		for _, arg := range n.Args { // panic, print
			s.found(s.info.TypeOf(arg))
		}
		return
	}
	for i, arg := range n.Args {
		last := sig.Params().Len() - 1
		switch {
		case sig.Variadic() && i >= last && !n.Ellipsis.IsValid():
			if list, ok := sig.Params().At(last).Type().Underlying().(*types.Slice); ok {
				s.given(list.Elem(), arg)
			}
		case i <= last:
			s.given(sig.Params().At(i).Type(), arg)
		}
		if t, ok := s.info.TypeOf(arg).(*types.Tuple); ok {
			s.found(t)
		}
	}
	if sig.TypeParams() != nil || s.instantiated(n.Fun) {
		for _, arg := range n.Args {
			s.found(s.info.TypeOf(arg))
		}
	}
}

func typeOrNil(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	return t.Underlying()
}

// instantiated reports whether a generic function is called: what it does with its arguments depends on their types.
func (s *conversions) instantiated(fun ast.Expr) bool {
	found := false
	ast.Inspect(fun, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			_, generic := s.info.Instances[id]
			found = found || generic
		}
		return !found
	})
	return found
}

func (s *conversions) literal(n *ast.CompositeLit) {
	t := s.info.TypeOf(n)
	if t == nil {
		return
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	for i, e := range n.Elts {
		pair, _ := e.(*ast.KeyValueExpr)
		if pair != nil {
			e = pair.Value
		}
		switch u := t.Underlying().(type) {
		case *types.Struct:
			field := i
			if pair != nil {
				id, _ := pair.Key.(*ast.Ident)
				for k := range u.NumFields() {
					if id != nil && u.Field(k).Name() == id.Name {
						field = k
					}
				}
			}
			s.given(u.Field(field).Type(), e)
		case *types.Map:
			s.given(u.Elem(), e)
			if pair != nil {
				s.given(u.Key(), pair.Key)
			}
		case interface{ Elem() types.Type }:
			s.given(u.Elem(), e)
		}
	}
}

// coded says by which code a type that has methods for that is written and read. What has none of the two is written, or read,
// by what it is made of.
func (t *Types) coded(made shape.Type, typ types.Type) shape.Type {
	prog := t.program()
	if named, ok := typ.(*types.Named); prog == nil || ok && prog.declared(named) == nil {
		return made
	}
	made.Writes, made.WritesPos = t.code(&made, typ, "MarshalJSON", "MarshalText")
	made.Reads, made.ReadsPos = t.code(&made, typ, "UnmarshalJSON", "UnmarshalText")
	return made
}

// code gives the sum of the first of the methods that a type has, and where it is.
func (t *Types) code(made *shape.Type, typ types.Type, names ...string) (string, token.Position) {
	c := newCoding(t.program())
	var pos token.Position
	for _, name := range names {
		if fn := methodOf(typ, name); fn != nil {
			c.method(fn)
			pos = t.fset.Position(fn.Pos())
			break
		}
	}
	if len(c.words) == 0 {
		c.spelled.Set(typ, 0)
		c.structure(typ.Underlying())
	}
	sum := c.sum()
	made.Written = append(made.Written, c.prog.lines(c.reached)...)
	return sum, pos
}

// isZero gives the sum of a method IsZero of the module, by which a field is left out.
func (t *Types) isZero(typ types.Type) string {
	fn := methodOf(typ, "IsZero")
	if fn == nil || t.program() == nil || t.prog.funcs[t.prog.checked(fn)] == nil {
		return ""
	}
	sig := fn.Signature()
	if sig.Params().Len() != 0 || sig.Results().Len() != 1 || !types.Identical(sig.Results().At(0).Type(), types.Typ[types.Bool]) {
		return ""
	}
	c := newCoding(t.prog)
	c.method(fn)
	return c.sum()
}

func methodOf(typ types.Type, name string) *types.Func {
	obj, _, _ := types.LookupFieldOrMethod(typ, true, nil, name)
	fn, _ := obj.(*types.Func)
	return fn
}

// declared gives a type of the module, without its arguments, as the sources have it that code is read from: the types of
// payloads are from an earlier check, before there was a generated file. nil: it is of another module.
func (prog *program) declared(named *types.Named) *types.Named {
	obj := named.Origin().Obj()
	switch {
	case obj.Pkg() == nil:
		return nil
	case prog.declares(obj.Pkg()):
		return named.Origin()
	}
	for pkg := range prog.packages {
		if pkg.Path() == obj.Pkg().Path() {
			if found, ok := pkg.Scope().Lookup(obj.Name()).(*types.TypeName); ok && obj.Parent() == obj.Pkg().Scope() {
				n, _ := types.Unalias(found.Type()).(*types.Named)
				return n
			}
		}
	}
	return nil
}

// checked gives a method as the sources have it; one of another module as it is.
func (prog *program) checked(fn *types.Func) *types.Func {
	fn = fn.Origin()
	t := fn.Signature().Recv().Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		if own := prog.declared(named); own != nil {
			for m := range own.Methods() {
				if m.Name() == fn.Name() {
					return m
				}
			}
		}
	}
	return fn
}

// Look has the table look into the code of the sources: of types that write or read themselves it is part of the type.
func (t *Types) Look(sources []*Source) { t.sources = sources }

// program is made when it is first asked for; nil when there are no sources.
func (t *Types) program() *program {
	if t.prog == nil && len(t.sources) > 0 {
		t.prog = newProgram(t.fset, t.sources, nil)
	}
	return t.prog
}
