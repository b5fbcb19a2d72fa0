package code

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// Fate is what becomes of a future inside its function.
type Fate struct {
	Uses []ssa.Instruction // that wait for it, look at it, or hand it on
	Held bool              // it is kept in a slice, a map or a struct, and used from there

	p    *Package
	seen map[ssa.Value]bool
}

// Used reports whether anybody looks at it.
func (f *Fate) Used() bool { return len(f.Uses) > 0 }

// Follow finds out what becomes of a future, or of a slice of futures. Comparing it is no use, nor is putting it where nobody
// looks.
func (p *Package) Follow(v ssa.Value) *Fate {
	f := &Fate{p: p, seen: map[ssa.Value]bool{}}
	f.follow(v)
	return f
}

func (f *Fate) follow(v ssa.Value) {
	if v == nil || f.seen[v] || v.Referrers() == nil {
		return
	}
	f.seen[v] = true
	for _, r := range *v.Referrers() {
		f.use(v, r)
	}
}

func (f *Fate) uses(r ssa.Instruction) {
	if !slices.Contains(f.Uses, r) {
		f.Uses = append(f.Uses, r)
	}
}

func (f *Fate) use(v ssa.Value, r ssa.Instruction) {
	if _, variable := v.(*ssa.Alloc); variable {
		if _, met := r.(*ssa.Phi); met {
			f.Held = true // by a pointer, which may be nil elsewhere
		}
	}
	switch r := r.(type) {
	case *ssa.Phi, *ssa.MakeInterface, *ssa.ChangeInterface, *ssa.ChangeType, *ssa.TypeAssert:
		f.follow(r.(ssa.Value))
	case *ssa.Slice, *ssa.IndexAddr, *ssa.Index, *ssa.Lookup, *ssa.Field, *ssa.Extract:
		f.follow(r.(ssa.Value))
	case *ssa.FieldAddr:
		f.follow(r)
	case *ssa.UnOp:
		if r.Op == token.MUL {
			f.follow(r)
		}
	case *ssa.Store:
		if r.Val == v {
			f.stored(r)
		}
	case *ssa.MapUpdate:
		if r.Value == v || r.Key == v {
			f.Held = true
			f.container(r.Map, r)
		}
	case *ssa.MakeClosure:
		f.captured(v, r)
	case ssa.CallInstruction:
		f.call(v, r)
	case *ssa.BinOp, *ssa.DebugRef, *ssa.If:
	default: // returned, sent, ranged over
		f.uses(r)
	}
}

// stored follows a future into the variable that it is put into.
func (f *Fate) stored(s *ssa.Store) {
	switch a := s.Addr.(type) {
	case *ssa.Alloc:
		f.follow(a)
	case *ssa.FreeVar:
		f.uses(s) // of the function around
	case *ssa.IndexAddr:
		f.Held = true
		f.container(a.X, s)
	default: // a field or a package variable
		f.Held = true
		f.container(base(s.Addr), s)
	}
}

// container follows what holds a future; what is not made here is somebody else's.
func (f *Fate) container(v ssa.Value, at ssa.Instruction) {
	switch x := v.(type) {
	case *ssa.Alloc, *ssa.MakeSlice, *ssa.MakeMap, *ssa.Phi, *ssa.Slice:
		f.follow(x)
	case *ssa.UnOp:
		if a, ok := x.X.(*ssa.Alloc); ok && x.Op == token.MUL {
			f.follow(a)
			return
		}
		f.uses(at)
	case *ssa.Call:
		if isBuiltin(x, "append") {
			f.follow(x)
			return
		}
		f.uses(at)
	default:
		f.uses(at)
	}
}

func base(addr ssa.Value) ssa.Value {
	for {
		switch a := addr.(type) {
		case *ssa.FieldAddr:
			addr = a.X
		case *ssa.IndexAddr:
			addr = a.X
		default:
			return addr
		}
	}
}

// captured asks whether a closure looks at a variable that it captures.
func (f *Fate) captured(v ssa.Value, m *ssa.MakeClosure) {
	fn := m.Fn.(*ssa.Function)
	for i, b := range m.Bindings {
		if b == v && i < len(fn.FreeVars) && f.p.Follow(fn.FreeVars[i]).Used() {
			f.uses(m)
		}
	}
}

func (f *Fate) call(v ssa.Value, in ssa.CallInstruction) {
	c := in.Common()
	if b, ok := c.Value.(*ssa.Builtin); ok {
		switch b.Name() {
		case "append":
			f.Held = true
			if call, ok := in.(*ssa.Call); ok {
				f.follow(call)
			}
		case "len", "cap", "clear", "delete":
		default:
			f.uses(in)
		}
		return
	}
	if fact := f.p.FactOf(Callee(c)); fact != nil {
		ignored := true
		for i, arg := range c.Args {
			if arg == v && !slices.Contains(fact.Ignores, i) {
				ignored = false
			}
		}
		if ignored && slices.Contains(c.Args, v) {
			return
		}
	}
	f.uses(in)
}

func isBuiltin(v ssa.Value, name string) bool {
	c, ok := v.(*ssa.Call)
	if !ok {
		return false
	}
	b, ok := c.Call.Value.(*ssa.Builtin)
	return ok && b.Name() == name
}

// HoldsFutures reports whether t is a future, or a slice, array or map of futures.
func HoldsFutures(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return HoldsFutures(u.Elem())
	case *types.Array:
		return HoldsFutures(u.Elem())
	case *types.Map:
		return HoldsFutures(u.Elem())
	}
	return IsFuture(t)
}
