package payload

import (
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/collect"
	"github.com/durablegen/durablegen/lint/internal/code"
	"github.com/durablegen/durablegen/lint/internal/form"
)

// walk looks for what JSON leaves behind in the values of t.
func (c *checker) walk(t types.Type, path string, at token.Pos, owner string) {
	w := &walker{c, at, owner, map[types.Type]bool{}}
	w.value(t, path, nil)
}

type walker struct {
	*checker
	at    token.Pos
	owner string
	seen  map[types.Type]bool
}

// value follows t; around are the structs that it is a part of.
func (w *walker) value(t types.Type, path string, around []types.Type) {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		if w.seen[named] {
			return
		}
		w.seen[named] = true
		if w.marshaler(named, path) {
			return
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		w.value(u.Elem(), path, around)
	case *types.Slice:
		w.value(u.Elem(), path+"[…]", around)
	case *types.Array:
		w.value(u.Elem(), path+"[…]", around)
	case *types.Map:
		w.value(u.Elem(), path+"[…]", around)
	case *types.Interface:
		if u.NumMethods() == 0 {
			w.tell("DUR203", token.NoPos, path+" is any, of "+w.owner)
		}
	case *types.Struct:
		around = append(slices.Clip(around), t)
		for i := range u.NumFields() {
			w.field(u.Field(i), reflect.StructTag(u.Tag(i)), path, around)
		}
	}
}

func (w *walker) field(f *types.Var, tag reflect.StructTag, path string, around []types.Type) {
	name := path + "." + f.Name()
	switch {
	case f.Embedded() && !f.Exported():
		w.value(f.Type(), name, around)
	case !f.Exported() || tag.Get("json") == "-":
		if w.ours(f.Pkg()) && carries(f.Type()) && w.missed(f, tag) {
			w.tell("DUR202", f.Pos(), name+" is left behind, of "+w.owner)
		}
	case backwards(f, around):
		w.tell("DUR204", f.Pos(), name+" points back to what it is a part of, of "+w.owner)
	default:
		if types.IsInterface(f.Type()) && f.Type().Underlying().(*types.Interface).NumMethods() == 0 && f.Pkg() == w.Pass.Pkg {
			w.tell("DUR203", f.Pos(), name+" is any, of "+w.owner)
			return
		}
		w.value(f.Type(), name, around)
	}
}

// tell reports at a field of this package, else at the declaration that uses it.
func (w *walker) tell(rule string, pos token.Pos, what string) {
	if !pos.IsValid() || w.File(pos) == nil {
		pos = w.at
	}
	w.report(code.Finding{Rule: rule, Pos: pos, What: what})
}

// ours reports whether a package is of the module that is looked at.
func (w *walker) ours(pkg *types.Package) bool {
	if pkg == nil || pkg == w.Pass.Pkg {
		return true
	}
	m := w.Pass.Module
	return m != nil && (pkg.Path() == m.Path || strings.HasPrefix(pkg.Path(), m.Path+"/")) && !strings.HasPrefix(pkg.Path(), code.Runtime)
}

// carries reports whether a field holds data, which is missed when it is left behind: a lock, a channel or a function is not.
func carries(t types.Type) bool {
	return collect.Unserialisable(t, "").Text == "" && !code.IsContext(t)
}

// backwards recognises a pointer from a part to the whole, by its type and its name: JSON follows it for ever.
func backwards(f *types.Var, around []types.Type) bool {
	p, ok := types.Unalias(f.Type()).(*types.Pointer)
	if !ok || !slices.ContainsFunc(around, func(t types.Type) bool { return types.Identical(t, p.Elem()) }) {
		return false
	}
	switch strings.ToLower(f.Name()) {
	case "parent", "owner", "prev", "previous", "back", "up", "root", "container", "outer":
		return true
	}
	// A part of another type that points to the whole has no other use for it.
	return !types.Identical(around[len(around)-1], p.Elem()) && strings.EqualFold(f.Name(), nameOf(p.Elem()))
}

func nameOf(t types.Type) string {
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Obj().Name()
	}
	return ""
}

// marshaler reports whether a type writes and reads itself, and whether it does so the same every time (DUR205).
func (w *walker) marshaler(t *types.Named, path string) bool {
	for _, format := range []string{"JSON", "Text"} {
		write, read := method(t, "Marshal"+format), method(t, "Unmarshal"+format)
		if write == nil || read == nil {
			continue
		}
		for _, m := range []*types.Func{write, read} {
			w.impure(m, path)
		}
		return true
	}
	return false
}

func method(t types.Type, name string) *types.Func {
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), false, nil, name)
	fn, _ := obj.(*types.Func)
	return fn
}

func (w *walker) impure(m *types.Func, path string) {
	if m.Pkg() == nil || !strings.Contains(strings.SplitN(m.Pkg().Path(), "/", 2)[0], ".") && m.Pkg() != w.Pass.Pkg && !w.ours(m.Pkg()) {
		return
	}
	for _, h := range w.effects.Of(m.Origin()) {
		pos := h.Pos
		if m.Pkg() != w.Pass.Pkg {
			pos = token.NoPos
		}
		w.tell("DUR205", pos, h.What+" in "+form.Short(m.FullName())+", which is used for "+path+" of "+w.owner)
	}
}
