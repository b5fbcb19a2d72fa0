package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/gen/internal/load"
	"github.com/durablegen/durablegen/internal/collect"
)

// code is a function of the module, or what a package variable begins with, as it is written. Formatting, comments, names of
// variables and functions, and how a constant is written do not count.
type code struct {
	words   []string // of the whole, in which uses has the place of what it uses
	uses    map[int]types.Object
	dynamic []types.Object // methods that may be called by an interface
	named   []types.Object // constants and types of the module
}

// reached gives all of the module that some code needs, directly or not, methods that may be called by an interface
// included.
func (prog *program) reached(from *code) (list []types.Object) {
	seen := map[types.Object]bool{}
	add := func(c *code) {
		for _, used := range slices.Concat(c.used(), c.dynamic) {
			if !seen[used] {
				seen[used], list = true, append(list, used)
			}
		}
	}
	add(from)
	for i := 0; i < len(list); i++ {
		add(prog.codeOf(list[i]))
	}
	return list
}

// source gives a hash of code, and of all of the module that it needs. It stands for what cannot be read as a flow: any change
// is seen, also one that does the same.
func (prog *program) source(root ast.Node, info *types.Info) string {
	from := newCode()
	w := &codeWriter{prog: prog, info: info, code: from, locals: map[types.Object]int{}}
	w.node(root)
	const rounds = 6 // each looks one use further than the last
	reached, hashes := prog.reached(from), map[types.Object]string{}
	for range rounds {
		next := make(map[types.Object]string, len(reached))
		for _, obj := range reached {
			next[obj] = prog.codeOf(obj).hash(hashes)
		}
		hashes = next
	}
	all := []string{from.hash(hashes)}
	for _, obj := range reached {
		all = append(all, hashes[obj])
	}
	slices.Sort(all[1:])
	sum := sha256.Sum256([]byte(strings.Join(all, "")))
	return hex.EncodeToString(sum[:8])
}

// hash is one of the code, with those of what it uses.
func (c *code) hash(of map[types.Object]string) string {
	h := sha256.New()
	for i, word := range c.words {
		if used := c.uses[i]; used != nil {
			word = of[used]
		}
		fmt.Fprintf(h, "%s\x00", word)
	}
	return string(h.Sum(nil))
}

func newCode() *code { return &code{uses: map[int]types.Object{}} }

// used gives what the code names of the module, in order.
func (c *code) used() []types.Object {
	list := make([]types.Object, 0, len(c.uses))
	for i := range c.words {
		if obj := c.uses[i]; obj != nil {
			list = append(list, obj)
		}
	}
	return list
}

// codeOf reads the code of a function or package variable.
func (prog *program) codeOf(obj types.Object) *code {
	if c := prog.codes[obj]; c != nil {
		return c
	}
	c := newCode()
	prog.codes[obj] = c
	switch obj := obj.(type) {
	case *types.Func:
		if fn := prog.funcs[obj]; fn != nil {
			w := &codeWriter{prog: prog, info: fn.info, code: c, locals: map[types.Object]int{}}
			if fn.decl.Recv != nil {
				w.node(fn.decl.Recv)
			}
			w.node(fn.decl.Type)
			w.node(fn.decl.Body)
		}
	case *types.Var:
		if g := prog.globals[obj]; g != nil {
			for _, set := range g.sets {
				w := &codeWriter{prog: prog, info: set.info, code: c, locals: map[types.Object]int{}}
				w.node(set.node)
			}
		}
	}
	return c
}

// codeWriter writes code as words.
type codeWriter struct {
	prog   *program
	info   *types.Info
	code   *code
	locals map[types.Object]int
	types  map[types.Type]bool // whose methods are noted
	made   map[types.Type]bool
}

func (w *codeWriter) word(s string) { w.code.words = append(w.code.words, s) }

// use names something of the module.
func (w *codeWriter) use(obj types.Object) {
	w.code.uses[len(w.code.words)] = obj
	w.word("")
}

// node writes a piece of syntax.
func (w *codeWriter) node(n ast.Node) {
	if n == nil {
		return
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil:
			w.word(")")
			return true
		case *ast.CommentGroup, *ast.Comment:
			return false
		case *ast.ParenExpr:
			w.node(n.X)
			return false
		case *ast.Ident:
			w.ident(n)
			return false
		case *ast.FuncType:
			w.node(n.Params)
			if n.Results != nil {
				w.node(n.Results)
			}
			return false
		case ast.Expr:
			if tv, ok := w.info.Types[n]; ok && tv.Value != nil {
				w.word("const " + tv.Value.ExactString() + " " + sortOf(tv.Type))
				w.names(n)
				return false
			}
			if tv, ok := w.info.Types[n]; ok && tv.IsType() {
				w.word("type " + sortOf(tv.Type))
				w.names(n)
				return false
			}
			w.dynamic(n)
		}
		w.word(fmt.Sprintf("(%T%s", n, operator(n)))
		return true
	})
}

// operator is what tells statements and expressions of one sort apart.
func operator(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		return n.Op.String()
	case *ast.UnaryExpr:
		return n.Op.String()
	case *ast.AssignStmt:
		return n.Tok.String()
	case *ast.IncDecStmt:
		return n.Tok.String()
	case *ast.BranchStmt:
		return n.Tok.String()
	case *ast.RangeStmt:
		return n.Tok.String()
	case *ast.ChanType:
		return fmt.Sprint(n.Dir)
	case *ast.CallExpr:
		return fmt.Sprint(n.Ellipsis.IsValid())
	}
	return ""
}

func (w *codeWriter) ident(id *ast.Ident) {
	obj := w.info.ObjectOf(id)
	w.name(obj)
	if tv, ok := w.info.Types[id]; ok && tv.Value != nil {
		w.word("const " + tv.Value.ExactString() + " " + sortOf(tv.Type))
		return
	}
	switch obj := obj.(type) {
	case nil:
		w.word("_")
	case *types.TypeName:
		w.word("type " + sortOf(obj.Type()))
	case *types.Func:
		if origin := obj.Origin(); w.prog.funcs[origin] != nil && !w.prog.generated(origin) {
			w.use(origin)
			return
		}
		w.word(obj.FullName())
	case *types.Var:
		w.dynamic(id)
		switch {
		case obj.IsField():
			w.word("field " + obj.Name())
		case w.prog.globals[obj] != nil && !w.prog.isHandle(obj):
			w.use(obj)
		case obj.Parent() == nil || obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope():
			w.word(obj.Pkg().Path() + "." + obj.Name())
		default:
			n, ok := w.locals[obj]
			if !ok {
				n = len(w.locals)
				w.locals[obj] = n
			}
			w.word(fmt.Sprint("local ", n))
		}
	case *types.PkgName:
		w.word("package")
	case *types.Label:
		w.word("label")
	default:
		w.word(id.Name)
	}
}

// name notes a constant or type that is used: only where they are declared are they looked at line by line.
func (w *codeWriter) name(obj types.Object) {
	switch obj.(type) {
	case *types.Const, *types.TypeName:
		if obj.Pkg() != nil && w.prog.declares(obj.Pkg()) && obj.Parent() == obj.Pkg().Scope() {
			w.code.named = append(w.code.named, obj)
		}
	}
}

// names notes all that an expression names.
func (w *codeWriter) names(e ast.Expr) {
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			w.name(w.info.ObjectOf(id))
		}
		return true
	})
}

// sortOf says a type as far as it changes what code does: that of a basic one, and what sort of type another is.
func sortOf(t types.Type) string {
	if t == nil {
		return ""
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Name()
	case *types.Pointer:
		return "*" + strings.TrimPrefix(fmt.Sprintf("%T", u.Elem().Underlying()), "*types.")
	default:
		return strings.TrimPrefix(fmt.Sprintf("%T", u), "*types.")
	}
}

// dynamic notes the methods of an expression's type: they may be called by an interface, or by its name.
func (w *codeWriter) dynamic(e ast.Expr) {
	t := w.info.TypeOf(e)
	if t == nil {
		return
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	w.declared(t)
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || w.types[named] {
		return
	}
	if w.types == nil {
		w.types = map[types.Type]bool{}
	}
	w.types[named] = true
	if named.Obj().Pkg() == nil || named.Obj().Pkg().Path() == collect.RuntimePath {
		return
	}
	named = named.Origin()
	for i := range named.NumMethods() {
		if m := named.Method(i); w.prog.funcs[m] != nil && !w.prog.generated(m) {
			w.code.dynamic = append(w.code.dynamic, m)
		}
	}
}

// declared notes the types of the module that a type is made of.
func (w *codeWriter) declared(t types.Type) {
	if w.made[t] {
		return
	}
	if w.made == nil {
		w.made = map[types.Type]bool{}
	}
	w.made[t] = true
	switch t := t.(type) {
	case *types.Alias:
		w.name(t.Obj())
		w.declared(types.Unalias(t))
	case *types.Named:
		w.name(t.Origin().Obj())
		for i := range t.TypeArgs().Len() {
			w.declared(t.TypeArgs().At(i))
		}
		if t.Obj().Pkg() != nil && w.prog.declares(t.Obj().Pkg()) {
			w.declared(t.Underlying())
		}
	case *types.Pointer:
		w.declared(t.Elem())
	case *types.Slice:
		w.declared(t.Elem())
	case *types.Array:
		w.declared(t.Elem())
	case *types.Map:
		w.declared(t.Key())
		w.declared(t.Elem())
	case *types.Struct:
		for i := range t.NumFields() {
			w.declared(t.Field(i).Type())
		}
	}
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
