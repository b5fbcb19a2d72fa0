package summary

import (
	"go/token"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// roots are the parameters and package variables that memory may belong to.
type roots struct {
	params  []*ssa.Parameter
	globals []*ssa.Global
}

// addressed gives the roots of the memory at an address.
func addressed(addr ssa.Value) roots {
	var t tracer
	t.address(addr)
	return t.roots
}

// behind gives the roots of the memory that a map, slice, pointer or interface refers to.
func behind(v ssa.Value) roots {
	var t tracer
	t.value(v)
	return t.roots
}

type tracer struct {
	roots
	seen []ssa.Value
}

func (t *tracer) again(v ssa.Value) bool {
	if slices.Contains(t.seen, v) {
		return true
	}
	t.seen = append(t.seen, v)
	return false
}

func (t *tracer) address(v ssa.Value) {
	switch v := v.(type) {
	case *ssa.Alloc: // a local variable
	case *ssa.FieldAddr:
		t.address(v.X)
	case *ssa.IndexAddr:
		t.value(v.X)
	case *ssa.FreeVar:
		for _, b := range form.Bindings(v) {
			t.address(b)
		}
	default:
		t.value(v)
	}
}

func (t *tracer) value(v ssa.Value) {
	if t.again(v) {
		return
	}
	switch v := v.(type) {
	case *ssa.Parameter:
		t.params = append(t.params, v)
	case *ssa.Global:
		t.globals = append(t.globals, v)
	case *ssa.FieldAddr, *ssa.IndexAddr:
		t.address(v)
	case *ssa.FreeVar:
		for _, b := range form.Bindings(v) {
			t.value(b)
		}
	case *ssa.Phi:
		for _, e := range v.Edges {
			t.value(e)
		}
	case *ssa.UnOp:
		t.loaded(v.X)
	case *ssa.Field:
		t.value(v.X)
	case *ssa.Index:
		t.value(v.X)
	case *ssa.Lookup:
		t.value(v.X)
	case *ssa.Slice:
		t.value(v.X)
	case *ssa.Extract:
		t.value(v.Tuple)
	case *ssa.ChangeType:
		t.value(v.X)
	case *ssa.ChangeInterface:
		t.value(v.X)
	case *ssa.MakeInterface:
		t.value(v.X)
	case *ssa.TypeAssert:
		t.value(v.X)
	case *ssa.Convert:
		t.value(v.X)
	}
}

// loaded is a value that was read from an address: of a local variable, whatever was stored there.
func (t *tracer) loaded(addr ssa.Value) {
	switch a := addr.(type) {
	case *ssa.Alloc:
		for _, r := range *a.Referrers() {
			if s, ok := r.(*ssa.Store); ok && s.Addr == a {
				t.value(s.Val)
			}
		}
	case *ssa.FreeVar:
		for _, b := range form.Bindings(a) {
			t.loaded(b)
		}
	default:
		t.address(addr)
	}
}

// write notes that n writes memory that belongs to somebody else.
func (p *pkg) write(n *node, to roots, pos token.Pos) {
	for _, param := range to.params {
		if i := slices.Index(param.Parent().Params, param); param.Parent() == n.fn && i >= 0 {
			n.sum.writes[i] = true
		}
	}
	for _, g := range to.globals {
		p.writeGlobal(n, g, pos)
	}
}

// passWrites makes a write through a parameter one through the argument.
func (n *node) passWrites(c call) bool {
	if c.on == nil {
		return false
	}
	changed := false
	for i := range c.to.sum.writes {
		if i >= len(c.on.Args) {
			continue
		}
		for _, param := range behind(c.on.Args[i]).params {
			if j := slices.Index(n.fn.Params, param); j >= 0 && !n.sum.writes[j] {
				n.sum.writes[j], changed = true, true
			}
		}
	}
	return changed
}
