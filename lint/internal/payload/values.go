package payload

import (
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/internal/collect"
	"github.com/durablegen/durablegen/lint/internal/code"
)

// values looks at what the code of an orchestration hands over as any, and at how it compares what has come back.
func (c *checker) values(f *code.Func) {
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			switch in := in.(type) {
			case ssa.CallInstruction:
				c.handed(f, in)
			case *ssa.BinOp:
				c.compared(f, in)
			case *ssa.TypeAssert:
				c.asserted(f, in)
			}
		}
	}
}

// handed judges the concrete types behind the arguments of any: of the runtime's own functions, and of handles.
func (c *checker) handed(f *code.Func, call ssa.CallInstruction) {
	if !c.Stores(call) {
		return
	}
	for _, arg := range call.Common().Args {
		if m, ok := arg.(*ssa.MakeInterface); ok && isAny(m.Type()) {
			if culprit := collect.Unserialisable(m.X.Type(), "it"); culprit.Text != "" {
				c.report(code.Finding{Rule: culprit.Rule, Pos: c.At(call), What: "argument of " + c.Name(call), Note: culprit.Text, In: f})
			}
		}
		if code.Calls(call) != "" { // what an any of the runtime is decoded to is said by the binding
			continue
		}
		if kind := c.longNumber(arg, 0); kind != "" {
			c.report(code.Finding{Rule: "DUR204", Pos: c.At(call), What: kind + " as any in an argument of " + c.Name(call), In: f})
		}
	}
}

// asserted finds assertions that cannot hold: a number that came back as any is a float64.
func (c *checker) asserted(f *code.Func, a *ssa.TypeAssert) {
	b, ok := types.Unalias(a.AssertedType).(*types.Basic)
	if !ok || b.Info()&types.IsInteger == 0 || !isAny(a.X.Type()) || !c.decoded(f, a.X, 0) {
		return
	}
	c.report(code.Finding{Rule: "DUR204", Pos: a.Pos(), What: "assertion that a decoded number is " + b.Name(), In: f})
}

// decoded reports whether a value was read from JSON: it is of the input of an orchestrator, or of a result.
func (c *checker) decoded(f *code.Func, v ssa.Value, depth int) (is bool) {
	if depth > 6 {
		return false
	}
	deeper := func(from ssa.Value) { is = is || c.decoded(f, from, depth+1) }
	code.Origins(v, func(o ssa.Value) {
		switch x := o.(type) {
		case *ssa.Parameter:
			is = is || c.Role(code.Declared(f.Function)) == "orchestrator"
		case *ssa.Extract:
			deeper(x.Tuple)
		case *ssa.Lookup:
			deeper(x.X)
		case *ssa.Field:
			deeper(x.X)
		case *ssa.FieldAddr:
			deeper(x.X)
		case *ssa.IndexAddr:
			deeper(x.X)
		case *ssa.UnOp:
			deeper(x.X)
		case *ssa.Alloc:
			for _, r := range *x.Referrers() {
				if s, ok := r.(*ssa.Store); ok && s.Addr == x {
					deeper(s.Val)
				}
			}
		case *ssa.Call:
			is = is || c.Effect(x)&code.Awaits != 0
		}
	})
	return is
}

func isAny(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.NumMethods() == 0
}

// longNumber finds 64-bit numbers among what is handed over as any: JSON gives them back as float64.
func (c *checker) longNumber(v ssa.Value, depth int) string {
	if depth > 3 {
		return ""
	}
	switch x := v.(type) {
	case *ssa.MakeInterface:
		if b, ok := x.X.Type().Underlying().(*types.Basic); ok && isAny(x.Type()) && (b.Kind() == types.Int64 || b.Kind() == types.Uint64) {
			return types.TypeString(x.X.Type(), func(p *types.Package) string { return p.Name() })
		}
		return c.longNumber(x.X, depth+1)
	case *ssa.MakeMap:
		for _, r := range *x.Referrers() {
			if u, ok := r.(*ssa.MapUpdate); ok {
				if kind := c.longNumber(u.Value, depth+1); kind != "" {
					return kind
				}
			}
		}
	case *ssa.Slice:
		for _, e := range code.Stored(x) {
			if kind := c.longNumber(e, depth+1); kind != "" {
				return kind
			}
		}
	}
	return ""
}

// compared finds comparisons that the way through JSON changes: of times, which come back without their zone and monotonic
// reading, and of nil with what is left out when it is empty.
func (c *checker) compared(f *code.Func, b *ssa.BinOp) {
	if b.Op != token.EQL && b.Op != token.NEQ {
		return
	}
	if isTime(b.X.Type()) && !isZero(b.X) && !isZero(b.Y) {
		c.report(code.Finding{Rule: "DUR204", Pos: b.Pos(), What: "times compared with " + b.Op.String(), In: f})
	}
	for _, pair := range [][2]ssa.Value{{b.X, b.Y}, {b.Y, b.X}} {
		if name := omitted(pair[0]); name != "" && isZero(pair[1]) {
			c.report(code.Finding{Rule: "DUR204", Pos: b.Pos(), What: "comparison of " + name + " with nil, which is also what an empty one becomes", In: f})
		}
	}
}

func isTime(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "Time" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "time"
}

func isZero(v ssa.Value) bool {
	k, ok := v.(*ssa.Const)
	if ok {
		return k.Value == nil
	}
	u, ok := v.(*ssa.UnOp)
	if !ok {
		return false
	}
	a, ok := u.X.(*ssa.Alloc)
	return ok && len(*a.Referrers()) == 1 // time.Time{}
}

// omitted names the field of a slice or map that is read, when its tag has JSON leave an empty one out.
func omitted(v ssa.Value) string {
	switch v.Type().Underlying().(type) {
	case *types.Slice, *types.Map:
	default:
		return ""
	}
	var st *types.Struct
	i := 0
	switch x := v.(type) {
	case *ssa.Field:
		st, i = x.X.Type().Underlying().(*types.Struct), x.Field
	case *ssa.UnOp:
		a, ok := x.X.(*ssa.FieldAddr)
		if !ok {
			return ""
		}
		st, i = a.X.Type().Underlying().(*types.Pointer).Elem().Underlying().(*types.Struct), a.Field
	default:
		return ""
	}
	_, options, _ := strings.Cut(reflect.StructTag(st.Tag(i)).Get("json"), ",")
	if !strings.Contains(options, "omitempty") {
		return ""
	}
	return st.Field(i).Name()
}
