package summary

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// leaves is where an interface, a func, or something inside a value may come from.
type leaves struct {
	types   []types.Type // concrete ones
	params  []paramLeaf
	globals []*ssa.Global
	opaque  bool // and elsewhere: what a call of another package gives, what is read from memory that is not followed
}

type paramLeaf struct {
	param *ssa.Parameter
	path  []int
}

// flow follows values back inside a package. A path says what of a value is looked for; pointers are followed on the way.
type flow struct {
	p     *pkg
	out   leaves
	seen  map[leafKey]bool
	depth int // of calls that were entered
	stray bool
}

// leafKey is a place in a function: the path as text, a byte for each step.
type leafKey struct {
	what byte
	v    ssa.Value
	path string
}

func keyOf(what byte, v ssa.Value, path []int) leafKey {
	b := make([]byte, len(path))
	for i, step := range path {
		b[i] = byte(step)
	}
	return leafKey{what, v, string(b)}
}

// leaves finds out where what is at a path of v comes from.
func (p *pkg) leaves(v ssa.Value, path []int) leaves {
	key := keyOf(0, v, path)
	if l, ok := p.leafs[key]; ok {
		return l
	}
	f := &flow{p: p, seen: map[leafKey]bool{}}
	f.value(v, path)
	if f.stray && len(f.out.types)+len(f.out.params)+len(f.out.globals) == 0 {
		f.out.opaque = true
	}
	p.leafs[key] = f.out
	return f.out
}

func (f *flow) again(what byte, v ssa.Value, path []int) bool {
	key := keyOf(what, v, path)
	if f.seen[key] || len(path) > 4 {
		return true
	}
	f.seen[key] = true
	return false
}

// open reports whether a type does not say which methods values of it have.
func open(t types.Type) bool {
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return true
	}
	switch t.Underlying().(type) {
	case *types.Interface, *types.Signature:
		return true
	}
	return false
}

func under(step int, path []int) []int { return append([]int{step}, path...) }

func (f *flow) value(v ssa.Value, path []int) {
	if f.again('v', v, path) {
		return
	}
	if len(path) == 0 && !open(v.Type()) {
		f.out.types = append(f.out.types, v.Type())
		return
	}
	switch v := v.(type) {
	case *ssa.Const, *ssa.Function, *ssa.MakeClosure, *ssa.Builtin: // funcs count where they are made
	case *ssa.MakeInterface:
		if !stream(v.X) {
			f.value(v.X, path)
		}
	case *ssa.ChangeInterface:
		f.value(v.X, path)
	case *ssa.ChangeType:
		f.value(v.X, path)
	case *ssa.Convert:
		f.value(v.X, path)
	case *ssa.TypeAssert:
		f.value(v.X, path)
	case *ssa.Slice:
		f.value(v.X, path)
	case *ssa.Phi:
		for _, e := range v.Edges {
			f.value(e, path)
		}
	case *ssa.Extract:
		f.extract(v, path)
	case *ssa.UnOp:
		f.load(v.X, path)
	case *ssa.Field:
		f.value(v.X, under(v.Field, path))
	case *ssa.Index:
		f.value(v.X, under(element, path))
	case *ssa.Lookup:
		f.value(v.X, under(element, path))
	case *ssa.Parameter:
		f.out.params = append(f.out.params, paramLeaf{v, path})
	case *ssa.FreeVar:
		for _, b := range form.Bindings(v) {
			f.value(b, path)
		}
	case *ssa.Call:
		f.call(v, 0, path)
	case *ssa.MakeMap, *ssa.MakeSlice:
		f.stores(v, path)
	case *ssa.Alloc, *ssa.FieldAddr, *ssa.IndexAddr, *ssa.Global:
		f.load(v, path)
	default:
		f.out.opaque = true
	}
}

// stream reports whether v is one of the standard streams, whose use is told where they are read.
func stream(v ssa.Value) bool {
	load, ok := v.(*ssa.UnOp)
	if !ok {
		return false
	}
	g, ok := load.X.(*ssa.Global)
	return ok && g.Pkg != nil && g.Pkg.Pkg.Path() == "os"
}

func (f *flow) extract(v *ssa.Extract, path []int) {
	switch t := v.Tuple.(type) {
	case *ssa.Call:
		f.call(t, v.Index, path)
	case *ssa.TypeAssert:
		f.value(t.X, path)
	case *ssa.Lookup:
		f.value(t.X, under(element, path))
	case *ssa.Next:
		if r, ok := t.Iter.(*ssa.Range); ok && v.Index == 2 {
			f.value(r.X, under(element, path))
			return
		}
		f.out.opaque = true
	default:
		f.out.opaque = true
	}
}

// load follows what is at an address.
func (f *flow) load(addr ssa.Value, path []int) {
	if f.again('l', addr, path) {
		return
	}
	switch a := addr.(type) {
	case *ssa.Alloc:
		f.stores(a, path)
	case *ssa.FieldAddr:
		f.load(a.X, under(a.Field, path))
	case *ssa.IndexAddr:
		f.value(a.X, under(element, path))
	case *ssa.Global:
		f.out.globals = append(f.out.globals, a)
	case *ssa.FreeVar:
		for _, b := range form.Bindings(a) {
			f.load(b, path)
		}
	case *ssa.Parameter:
		f.out.params = append(f.out.params, paramLeaf{a, path})
	default:
		if len(path) == 0 {
			f.out.opaque = true
			return
		}
		f.value(addr, path)
	}
}

// stores follows everything that is put at a path of memory that begins in sight.
func (f *flow) stores(a ssa.Value, path []int) {
	if f.again('s', a, path) || a.Referrers() == nil {
		return
	}
	for _, r := range *a.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			if r.Addr == a {
				f.value(r.Val, path)
			} else {
				f.stray = true
			}
		case *ssa.FieldAddr:
			if len(path) > 0 && path[0] == r.Field {
				f.stores(r, path[1:])
			}
		case *ssa.IndexAddr:
			if len(path) > 0 && path[0] == element {
				f.stores(r, path[1:])
			}
		case *ssa.MapUpdate:
			if r.Map == a && len(path) > 0 && path[0] == element {
				f.value(r.Value, path[1:])
			}
		case *ssa.Slice:
			f.stores(r, path)
		case *ssa.MakeClosure:
			if i := slices.Index(r.Bindings, a); i >= 0 {
				f.stores(r.Fn.(*ssa.Function).FreeVars[i], path)
			}
		case ssa.CallInstruction:
			f.stray = true
		}
	}
}

// call follows a result of a function of the package; of append, what goes in.
func (f *flow) call(c *ssa.Call, result int, path []int) {
	if b, ok := c.Call.Value.(*ssa.Builtin); ok {
		if b.Name() == "append" {
			for _, arg := range c.Call.Args {
				f.value(arg, path)
			}
		}
		return
	}
	fn := c.Call.StaticCallee()
	if fn == nil || f.depth > 4 || len(fn.Blocks) == 0 || f.p.nodes[form.Origin(fn)] == nil {
		f.out.opaque = true
		return
	}
	fn = form.Origin(fn)
	sub := &flow{p: f.p, seen: map[leafKey]bool{}, depth: f.depth + 1}
	for _, b := range fn.Blocks {
		if ret, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return); ok && result < len(ret.Results) {
			sub.value(ret.Results[result], path)
		}
	}
	f.out.types = append(f.out.types, sub.out.types...)
	f.out.globals = append(f.out.globals, sub.out.globals...)
	f.out.opaque = f.out.opaque || sub.out.opaque
	f.stray = f.stray || sub.stray
	for _, l := range sub.out.params {
		i := slices.Index(fn.Params, l.param)
		if i < 0 || i >= len(c.Call.Args) {
			f.out.params = append(f.out.params, l)
			continue
		}
		f.value(c.Call.Args[i], l.path)
	}
}
