package lock

import (
	"go/constant"
	"go/token"
)

// test gives what a condition compares with which constant; less: it asks whether it is smaller, else whether it is that.
func test(cond *value) (v *value, c constant.Value, less, ok bool) {
	if cond.op != "==" && (cond.op != "<" || !cond.whole) {
		return nil, nil, false, false
	}
	v, c = cond.args[0], cond.args[1].lit
	ok = c != nil && v.lit == nil && (c.Kind() == constant.Int || c.Kind() == constant.String)
	return v, c, cond.op == "<", ok
}

// sorted puts choices between constants that one value is compared with into one order: what is smaller first, and
// whether it is smaller before whether it is that. nil: they are so. Only one of several such conditions can hold, or
// one follows from another, so the order of cases says nothing.
func (m *machine) sorted(pos token.Pos, cond, yes, no *value) *value {
	v, c, less, ok := test(cond)
	if !ok {
		return nil
	}
	inner := func(w *value) (constant.Value, bool, bool) {
		if w.op != "if" {
			return nil, false, false
		}
		of, d, less, ok := test(w.args[0])
		return d, less, ok && of.class == v.class && d.Kind() == c.Kind()
	}
	if d, also, ok := inner(no); ok {
		in, a, b := no.args[0], no.args[1], no.args[2]
		smaller := constant.Compare(c, token.LSS, d)
		switch {
		case less && (also && !smaller || !also && constant.Compare(d, token.LSS, c)): // x is not smaller than c
			return m.choose(pos, cond, yes, b)
		case !less && also && smaller:
			return m.choose(pos, in, m.choose(pos, cond, yes, a), b)
		case !less && (also || constant.Compare(d, token.LSS, c)):
			return m.choose(pos, in, a, m.choose(pos, cond, yes, b))
		}
	}
	if d, also, ok := inner(yes); ok {
		in, a, b := yes.args[0], yes.args[1], yes.args[2]
		switch {
		case !less && (also && constant.Compare(c, token.LSS, d) || !also && constant.Compare(c, token.EQL, d)):
			return m.choose(pos, cond, a, no)
		case !less:
			return m.choose(pos, cond, b, no)
		case also && constant.Compare(c, token.LEQ, d):
			return m.choose(pos, cond, a, no)
		case also:
			return m.choose(pos, in, a, m.choose(pos, cond, b, no))
		case constant.Compare(c, token.LEQ, d):
			return m.choose(pos, cond, b, no)
		}
	}
	return nil
}
