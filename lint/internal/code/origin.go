package code

import (
	"go/token"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// Origins gives the values that v may be: behind variables, choices and conversions, and in the fields, lists and maps that
// are made here or initialise a package variable. What cannot be followed is given as it is. (Package summary follows values for
// something else: the types that one may have, deep inside of it, with parameters left for the callers to answer.)
func Origins(v ssa.Value, yield func(ssa.Value)) {
	o := &origins{yield: yield, seen: map[ssa.Value]bool{}}
	o.walk(v)
}

type origins struct {
	yield func(ssa.Value)
	seen  map[ssa.Value]bool
}

func (o *origins) walk(v ssa.Value) {
	if v == nil || o.seen[v] {
		return
	}
	o.seen[v] = true
	found := false
	switch x := v.(type) {
	case *ssa.Phi:
		o.all(x.Edges)
		found = true
	case *ssa.ChangeType:
		o.walk(x.X)
		found = true
	case *ssa.ChangeInterface:
		o.walk(x.X)
		found = true
	case *ssa.MakeInterface:
		o.walk(x.X)
		found = true
	case *ssa.UnOp:
		found = x.Op == token.MUL && o.loaded(x.X)
	case *ssa.FreeVar:
		found = o.all(form.Bindings(x))
	case *ssa.Field:
		if load, ok := x.X.(*ssa.UnOp); ok {
			found = o.all(inField(load.X, x.Field, 0))
		}
	case *ssa.Lookup:
		found = o.all(entries(x.X))
	case *ssa.Extract:
		if look, ok := x.Tuple.(*ssa.Lookup); ok && x.Index == 0 {
			found = o.all(entries(look.X))
		}
	}
	if !found {
		o.yield(v)
	}
}

func (o *origins) all(vs []ssa.Value) bool {
	for _, v := range vs {
		o.walk(v)
	}
	return len(vs) > 0
}

// loaded follows what an address may hold.
func (o *origins) loaded(addr ssa.Value) bool {
	switch a := addr.(type) {
	case *ssa.FieldAddr:
		return o.all(inField(a.X, a.Field, 0))
	case *ssa.IndexAddr:
		var list []ssa.Value
		Origins(a.X, func(from ssa.Value) {
			if s, ok := from.(*ssa.Slice); ok {
				list = append(list, Stored(s)...)
			}
		})
		return o.all(list)
	case *ssa.Global:
		return o.all(initial(a))
	}
	var stored []ssa.Value
	for _, a := range variables(addr) {
		for _, r := range *a.Referrers() {
			if s, ok := r.(*ssa.Store); ok && s.Addr == a {
				stored = append(stored, s.Val)
			}
		}
	}
	return o.all(stored)
}

// variables are the local variables behind an address.
func variables(addr ssa.Value) (as []ssa.Value) {
	switch a := addr.(type) {
	case *ssa.Alloc:
		as = append(as, a)
	case *ssa.FreeVar:
		as = append(as, a)
		for _, b := range form.Bindings(a) {
			as = append(as, variables(b)...)
		}
	}
	return as
}

// inField are the values that are stored in a field of a local variable; copies counts how often the variable was copied.
func inField(of ssa.Value, field, copies int) (vs []ssa.Value) {
	a, ok := of.(*ssa.Alloc)
	if !ok || copies > 3 {
		return nil
	}
	for _, r := range *a.Referrers() {
		if s, ok := r.(*ssa.Store); ok && s.Addr == a {
			if load, ok := s.Val.(*ssa.UnOp); ok { // a literal is made, then copied
				vs = append(vs, inField(load.X, field, copies+1)...)
			}
		}
		if other, ok := r.(*ssa.FieldAddr); ok && other.Field == field {
			for _, rr := range *other.Referrers() {
				if s, ok := rr.(*ssa.Store); ok && s.Addr == other {
					vs = append(vs, s.Val)
				}
			}
		}
	}
	return vs
}

// entries are the values of a map that is made here, or that a package variable begins with.
func entries(m ssa.Value) (vs []ssa.Value) {
	Origins(m, func(from ssa.Value) {
		made, ok := from.(*ssa.MakeMap)
		if !ok {
			return
		}
		for _, r := range *made.Referrers() {
			if u, ok := r.(*ssa.MapUpdate); ok && u.Map == made {
				vs = append(vs, u.Value)
			}
		}
	})
	return vs
}

// initial are the values with which a package variable begins.
func initial(g *ssa.Global) (vs []ssa.Value) {
	init := g.Pkg.Func("init")
	if init == nil {
		return nil
	}
	for _, b := range init.Blocks {
		for _, in := range b.Instrs {
			if s, ok := in.(*ssa.Store); ok && s.Addr == g {
				vs = append(vs, s.Val)
			}
		}
	}
	return vs
}
