package growth

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
)

const (
	most      = 1000     // rounds that need no thought
	mostBytes = 64 << 10 // of a payload that is written in the code
)

// counted judges a loop that counts (DUR302): its bound is a number from the input or from a result, with nothing that keeps
// it small, or a large constant. What goes over a slice is left alone: that has come as a payload, which is limited.
func (c *checker) counted(f *code.Func, l *code.Loop, first ssa.Instruction) {
	for _, e := range l.Exits() {
		if e.If == nil {
			continue
		}
		if b, ok := e.If.Cond.(*ssa.BinOp); ok {
			c.bound(f, l, b, first)
		}
	}
}

// bound judges one comparison of a counter.
func (c *checker) bound(f *code.Func, l *code.Loop, b *ssa.BinOp, first ssa.Instruction) {
	if b.Op != token.LSS && b.Op != token.LEQ && b.Op != token.GTR && b.Op != token.GEQ && b.Op != token.NEQ {
		return
	}
	counter, bound := b.X, b.Y
	if b.Op == token.GTR || b.Op == token.GEQ { // it counts down, from where it began
		if phi, ok := counter.(*ssa.Phi); ok && isSmall(bound) {
			bound = begins(phi, l)
		}
	}
	if !stepsByOne(counter, l) || bound == nil {
		return
	}
	if n, ok := bound.(*ssa.Const); ok {
		if v, exact := constant.Int64Val(constant.ToInt(n.Value)); exact && v > most {
			c.report(code.Finding{Rule: "DUR302", Pos: c.begin(l), What: strconv.FormatInt(v, 10) + " rounds around " + c.Name(first), In: f})
		}
		return
	}
	if c.fromOutside(f, bound, 0) && !capped(l, bound) {
		c.report(code.Finding{Rule: "DUR302", Pos: c.begin(l), What: "as many rounds as the input or a result says around " + c.Name(first), In: f})
	}
}

func isSmall(v ssa.Value) bool {
	_, ok := v.(*ssa.Const)
	return ok
}

// isCap reports whether a constant may be a limit: a comparison with 0 or 1 only asks whether there is anything.
func isCap(v ssa.Value) bool {
	n, ok := number(v)
	return ok && n > 1
}

// begins is what a counter begins with.
func begins(phi *ssa.Phi, l *code.Loop) ssa.Value {
	for i, e := range phi.Edges {
		if !l.Body[phi.Block().Preds[i]] {
			return e
		}
	}
	return nil
}

// stepsByOne recognises a counter.
func stepsByOne(v ssa.Value, l *code.Loop) bool {
	phi, ok := v.(*ssa.Phi)
	if !ok {
		if add, isAdd := v.(*ssa.BinOp); isAdd && add.Op == token.ADD { // of a range over an integer
			phi, ok = add.X.(*ssa.Phi)
		}
	}
	if !ok || phi.Block() != l.Header {
		return false
	}
	return slices.ContainsFunc(phi.Edges, func(e ssa.Value) bool {
		add, ok := e.(*ssa.BinOp)
		if !ok || add.Op != token.ADD && add.Op != token.SUB {
			return false
		}
		_, one := add.Y.(*ssa.Const)
		return one && add.X == ssa.Value(phi)
	})
}

// fromOutside reports whether a number comes from the input of an orchestrator, or from the result of an operation.
func (c *checker) fromOutside(f *code.Func, v ssa.Value, depth int) (is bool) {
	if depth > 4 {
		return false
	}
	code.Origins(v, func(o ssa.Value) { is = is || c.outside(f, o, depth) })
	return is
}

func (c *checker) outside(f *code.Func, v ssa.Value, depth int) bool {
	switch x := v.(type) {
	case *ssa.Parameter:
		return c.parameter(f, x, depth)
	case *ssa.Field:
		return c.fromOutside(f, x.X, depth)
	case *ssa.FieldAddr:
		return c.fromOutside(f, x.X, depth)
	case *ssa.UnOp:
		if _, ok := x.X.(*ssa.Global); ok {
			return false
		}
		return c.fromOutside(f, x.X, depth)
	case *ssa.Alloc:
		for _, s := range stores(x) {
			if c.fromOutside(f, s.Val, depth+1) {
				return true
			}
		}
	case *ssa.Convert:
		return c.fromOutside(f, x.X, depth)
	case *ssa.BinOp:
		return c.fromOutside(f, x.X, depth) || c.fromOutside(f, x.Y, depth)
	case *ssa.Extract:
		return c.fromOutside(f, x.Tuple, depth)
	case *ssa.Call:
		return c.Effect(x)&code.Awaits != 0
	}
	return false
}

// parameter asks where a parameter comes from: of an orchestrator it is the input, of a helper what its callers give.
func (c *checker) parameter(f *code.Func, param *ssa.Parameter, depth int) bool {
	obj := code.Declared(f.Function)
	if obj != nil && c.Role(obj) == "orchestrator" {
		return true
	}
	i := slices.Index(f.Params, param)
	for _, caller := range c.Funcs {
		if !caller.Inside {
			continue
		}
		for _, b := range caller.Blocks {
			for _, in := range b.Instrs {
				call, ok := in.(ssa.CallInstruction)
				if !ok {
					continue
				}
				fns, _ := c.Targets(call.Common())
				if slices.Contains(fns, f.Function) && i >= 0 && i < len(call.Common().Args) && c.fromOutside(caller, call.Common().Args[i], depth+1) &&
					!guarded(call, call.Common().Args[i]) {
					return true
				}
			}
		}
	}
	return false
}

// capped reports whether something keeps a bound small: min, or a comparison with a constant before the loop.
func capped(l *code.Loop, bound ssa.Value) bool {
	if guardedAt(l.Header, bound) {
		return true
	}
	small := false
	code.Origins(bound, func(o ssa.Value) {
		if call, ok := o.(*ssa.Call); ok {
			b, builtin := call.Call.Value.(*ssa.Builtin)
			small = small || builtin && b.Name() == "min" && slices.ContainsFunc(call.Call.Args, isSmall)
		}
	})
	return small
}

func guarded(in ssa.Instruction, v ssa.Value) bool { return guardedAt(in.Block(), v) }

// guardedAt looks for a comparison of v with a constant on the way to a block.
func guardedAt(b *ssa.BasicBlock, v ssa.Value) bool {
	key := code.Key(v)
	for _, d := range b.Parent().Blocks {
		for _, in := range d.Instrs {
			cmp, ok := in.(*ssa.BinOp)
			if !ok || !d.Dominates(b) || d == b {
				continue
			}
			switch cmp.Op {
			case token.GTR, token.GEQ, token.LSS, token.LEQ:
				if isCap(cmp.Y) && same(cmp.X, v, key) || isCap(cmp.X) && same(cmp.Y, v, key) {
					return true
				}
			}
		}
	}
	if phi, ok := v.(*ssa.Phi); ok { // n := in.N; if n > 100 { n = 100 }
		return slices.ContainsFunc(phi.Edges, func(e ssa.Value) bool { return e != v && !isSmall(e) && guardedAt(phi.Block(), e) })
	}
	return false
}

func same(a, b ssa.Value, key string) bool { return a == b || key != "" && code.Key(a) == key }

// large finds payloads that are written in the code, or embedded in the program (DUR304): each call keeps a copy of its own in
// the history.
func (c *checker) large(f *code.Func) {
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			call, ok := in.(ssa.CallInstruction)
			if !ok || !c.Stores(call) {
				continue
			}
			for _, arg := range call.Common().Args {
				if what := c.size(arg); what != "" {
					c.report(code.Finding{Rule: "DUR304", Pos: c.At(call), What: what + " as an argument of " + c.Name(call), In: f})
				}
			}
		}
	}
}

// size says what is large about a value; "" is nothing.
func (c *checker) size(v ssa.Value) (what string) {
	code.Origins(v, func(o ssa.Value) {
		for {
			conv, ok := o.(*ssa.Convert)
			if !ok {
				break
			}
			o = conv.X
		}
		switch x := o.(type) {
		case *ssa.Const:
			if x.Value != nil && x.Value.Kind() == constant.String && len(constant.StringVal(x.Value)) >= mostBytes {
				what = strconv.Itoa(len(constant.StringVal(x.Value))) + " bytes of text"
			}
		case *ssa.MakeSlice:
			if n, ok := number(x.Len); ok && n >= mostBytes {
				what = strconv.FormatInt(n, 10) + " elements"
			}
		case *ssa.Slice:
			if a, ok := x.X.(*ssa.Alloc); ok && a.Comment == "makeslice" {
				if arr, ok := a.Type().Underlying().(*types.Pointer).Elem().Underlying().(*types.Array); ok && arr.Len() >= mostBytes {
					what = strconv.FormatInt(arr.Len(), 10) + " elements"
				}
			}
		case *ssa.Call:
			what = repeated(x)
		case *ssa.UnOp:
			if g, ok := x.X.(*ssa.Global); ok && c.embedded(g.Object()) {
				what = "a whole file (" + g.Name() + ")"
			}
		}
	})
	return what
}

func number(v ssa.Value) (int64, bool) {
	k, ok := v.(*ssa.Const)
	if !ok || k.Value == nil {
		return 0, false
	}
	return constant.Int64Val(constant.ToInt(k.Value))
}

func repeated(call *ssa.Call) string {
	obj := code.Callee(call.Common())
	if obj == nil || obj.Pkg() == nil || obj.Name() != "Repeat" || len(call.Call.Args) != 2 {
		return ""
	}
	n, ok := number(call.Call.Args[1])
	text, isText := call.Call.Args[0].(*ssa.Const)
	if ok && isText && text.Value != nil && text.Value.Kind() == constant.String {
		n *= int64(len(constant.StringVal(text.Value)))
	}
	if !ok || n < mostBytes {
		return ""
	}
	return strconv.FormatInt(n, 10) + " bytes of text"
}

// embedded reports whether a variable is filled by go:embed.
func (c *checker) embedded(obj types.Object) bool {
	if obj == nil {
		return false
	}
	file := c.File(obj.Pos())
	if file == nil {
		return false
	}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || obj.Pos() < gen.Pos() || obj.Pos() >= gen.End() {
			continue
		}
		docs := []*ast.CommentGroup{gen.Doc}
		for _, spec := range gen.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && v.Pos() <= obj.Pos() && obj.Pos() < v.End() {
				docs = append(docs, v.Doc)
			}
		}
		for _, doc := range docs {
			if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
				return true
			}
		}
	}
	return false
}

// wholeFiles finds activities whose result is a file as it is (DUR304).
func (c *checker) wholeFiles(f *code.Func) {
	obj := code.Declared(f.Function)
	if obj == nil || c.Role(obj) != "activity" {
		return
	}
	for _, b := range f.Blocks {
		r, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return)
		if !ok || len(r.Results) != 2 {
			continue
		}
		code.Origins(r.Results[0], func(o ssa.Value) {
			for {
				conv, ok := o.(*ssa.Convert)
				if !ok {
					break
				}
				o = conv.X
			}
			e, ok := o.(*ssa.Extract)
			if !ok {
				return
			}
			call, ok := e.Tuple.(*ssa.Call)
			if !ok {
				return
			}
			if name := code.Callee(call.Common()); name != nil && slices.Contains([]string{"os.ReadFile", "io.ReadAll"}, name.FullName()) {
				c.report(code.Finding{Rule: "DUR304", Pos: c.At(call), What: "a whole file (" + name.FullName() + ") as the result of activity " + obj.Name()})
			}
		})
	}
}
