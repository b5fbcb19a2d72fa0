package lock

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

// least is what the builtin min or max gives.
func (m *machine) least(e *ast.CallExpr, name string, t types.Type, args []*value) *value {
	if b, ok := t.Underlying().(*types.Basic); !ok || b.Info()&types.IsInteger == 0 {
		return m.val(e.Pos(), "call", name, args...)
	}
	v := args[0]
	for _, a := range args[1:] {
		v = m.extremum(e.Pos(), name, v, a)
	}
	return v
}

// extremum is the smaller or the larger of two integers, however it is written: min(a, b), if b < a { a = b }, and so on.
func (m *machine) extremum(pos token.Pos, name string, a, b *value) *value {
	if a.lit != nil && b.lit != nil {
		if constant.Compare(a.lit, token.LSS, b.lit) == (name == "min") {
			return a
		}
		return b
	}
	if order(a, b) {
		a, b = b, a
	}
	return m.val(pos, "call", name, a, b)
}

// either gives the extremum that a choice between the two sides of a comparison of integers is; nil: it is none.
func (m *machine) either(pos token.Pos, cond, yes, no *value) *value {
	if cond.op != "<" || !cond.whole {
		return nil
	}
	small, large := cond.args[0], cond.args[1]
	switch {
	case yes.class == small.class && m.bounds(large, no):
		return m.extremum(pos, "min", yes, no)
	case no.class == small.class && m.bounds(large, yes):
		return m.extremum(pos, "max", yes, no)
	}
	return nil
}

// bounds reports whether x < limit decides as well which of x and v is smaller: v is the limit, or the constant below it.
func (m *machine) bounds(limit, v *value) bool {
	if v.class == limit.class {
		return true
	}
	return limit.lit != nil && v.lit != nil && constant.Compare(constant.BinaryOp(v.lit, token.ADD, constant.MakeInt64(1)), token.EQL, limit.lit)
}
