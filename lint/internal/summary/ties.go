package summary

import (
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// A sort by a key that is not unique leaves the order of equal elements to what it was before, or to chance. Whether a key is
// unique does not show in its type. The elements themselves are, the key of the map is, two keys one after the other
// are taken for it, and so is what is called as identifiers are.

// totalFunc reports whether a comparison tells any two elements of a slice apart.
func (p *pkg) totalFunc(f, slice ssa.Value) bool {
	var fn *ssa.Function
	switch f := f.(type) {
	case *ssa.MakeClosure:
		fn = f.Fn.(*ssa.Function)
	case *ssa.Function:
		fn = form.Origin(f)
	case *ssa.ChangeType:
		return p.totalFunc(f.X, slice)
	default:
		return true
	}
	return p.total(fn, slice)
}

// totalInterface is totalFunc of what is given to sort.Sort.
func (p *pkg) totalInterface(v ssa.Value) bool {
	for {
		switch w := v.(type) {
		case *ssa.ChangeInterface:
			v = w.X
			continue
		case *ssa.Call: // sort.Reverse
			if len(w.Call.Args) == 1 {
				v = w.Call.Args[0]
				continue
			}
		case *ssa.MakeInterface:
			obj, _, _ := types.LookupFieldOrMethod(w.X.Type(), true, p.pass.Pkg, "Less")
			less, ok := obj.(*types.Func)
			if !ok || less.Pkg() != p.pass.Pkg {
				return true
			}
			fn := p.ssa.Prog.FuncValue(less.Origin())
			return fn == nil || p.total(fn, w.X)
		}
		return true
	}
}

func (p *pkg) total(fn *ssa.Function, slice ssa.Value) bool {
	t := &ties{p: p, fn: fn, slice: slice, keys: map[string]bool{}}
	for _, b := range fn.Blocks {
		for _, in := range b.Instrs {
			switch in := in.(type) {
			case *ssa.BinOp:
				if compares(in, func(ssa.Value) bool { return true }) || in.Op == token.SUB && isInteger(in.Type()) {
					t.compared(in.X)
				}
			case *ssa.Call:
				if comparison(in) && len(in.Call.Args) > 0 {
					t.compared(in.Call.Args[0])
				}
			}
		}
	}
	return t.whole || len(t.keys) != 1 || t.unique
}

// ties gathers what a comparison compares.
type ties struct {
	p      *pkg
	fn     *ssa.Function
	slice  ssa.Value
	whole  bool            // the elements themselves
	unique bool            // a key that no two elements share
	keys   map[string]bool // other parts of them
}

func (t *ties) compared(v ssa.Value) {
	if _, ok := v.(*ssa.Const); ok {
		return
	}
	if t.element(v) {
		t.whole = true
		return
	}
	switch v := v.(type) {
	case *ssa.Convert:
		t.compared(v.X)
	case *ssa.ChangeType:
		t.compared(v.X)
	case *ssa.Field:
		if st, ok := v.X.Type().Underlying().(*types.Struct); ok {
			t.field(st.Field(v.Field).Name(), v.X.Type(), v.Field)
		}
	case *ssa.UnOp:
		if f, ok := v.X.(*ssa.FieldAddr); ok {
			t.field(fieldName(f), f.X.Type().Underlying().(*types.Pointer).Elem(), f.Field)
		}
	case *ssa.Lookup, *ssa.Extract:
		t.keys["entry"] = true
	case *ssa.Call:
		if b, ok := v.Call.Value.(*ssa.Builtin); ok {
			t.keys[b.Name()] = true
			return
		}
		name := "call"
		if fn := v.Call.StaticCallee(); fn != nil {
			name = fn.Name()
		} else if v.Call.IsInvoke() {
			name = v.Call.Method.Name()
		}
		if comparison(v) {
			return // its arguments are judged by themselves
		}
		t.named(name)
	default:
		t.keys["value"] = true
	}
}

func (t *ties) field(name string, of types.Type, field int) {
	t.named(name)
	if t.slice != nil && t.p.keyField(t.slice.Parent(), of, field) {
		t.unique = true
	}
}

func (t *ties) named(name string) {
	t.keys[name] = true
	lower := strings.ToLower(name)
	for _, end := range []string{"id", "key", "name", "uuid", "code", "sku", "slug", "email", "path", "url", "number", "string", "seq"} {
		if strings.HasSuffix(lower, end) {
			t.unique = true
		}
	}
}

// element reports whether v is one of the two elements, as it is.
func (t *ties) element(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Parameter:
		return true
	case *ssa.ChangeType:
		return t.element(v.X)
	case *ssa.UnOp:
		switch a := v.X.(type) {
		case *ssa.IndexAddr:
			return true
		case *ssa.Alloc:
			for _, s := range storedAt(a) {
				if _, ok := s.(*ssa.Parameter); ok {
					return true
				}
			}
		}
	case *ssa.Index:
		return true
	}
	return false
}

// keyField reports whether a function puts the key of a map that it loops over into a field of values of a type.
func (p *pkg) keyField(fn *ssa.Function, of types.Type, field int) bool {
	if fn == nil {
		return false
	}
	for _, b := range fn.Blocks {
		for _, in := range b.Instrs {
			f, ok := in.(*ssa.FieldAddr)
			if !ok || f.Field != field {
				continue
			}
			if ptr, ok := f.X.Type().Underlying().(*types.Pointer); !ok || !types.Identical(ptr.Elem(), of) {
				continue
			}
			for _, v := range storedAt(f) {
				if e, ok := v.(*ssa.Extract); ok && e.Index == 1 {
					if _, ok := e.Tuple.(*ssa.Next); ok {
						return true
					}
				}
			}
		}
	}
	return false
}

// fused is DET414: a product that is added to and then compared, which some machines compute in one step with another
// rounding.
func (p *pkg) fused(n *node, c *ssa.BinOp, exact map[token.Pos]bool) {
	switch c.Op {
	case token.LSS, token.GTR, token.LEQ, token.GEQ, token.EQL, token.NEQ:
	default:
		return
	}
	if b, ok := c.X.Type().Underlying().(*types.Basic); !ok || b.Info()&types.IsFloat == 0 {
		return
	}
	if fusedIn(c.X, exact, 0) || fusedIn(c.Y, exact, 0) {
		p.hazard(n, "DET414", "comparison of a sum of products", c.Pos())
	}
}

func fusedIn(v ssa.Value, exact map[token.Pos]bool, depth int) bool {
	op, ok := v.(*ssa.BinOp)
	if !ok || depth > 4 {
		return false
	}
	switch op.Op {
	case token.ADD, token.SUB:
		return product(op.X, exact) || product(op.Y, exact) || fusedIn(op.X, exact, depth+1) || fusedIn(op.Y, exact, depth+1)
	case token.MUL, token.QUO:
		return fusedIn(op.X, exact, depth+1) || fusedIn(op.Y, exact, depth+1)
	}
	return false
}

func product(v ssa.Value, exact map[token.Pos]bool) bool {
	op, ok := v.(*ssa.BinOp)
	return ok && op.Op == token.MUL && !exact[op.Pos()]
}
