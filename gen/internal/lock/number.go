package lock

import (
	"go/constant"
	"go/token"
	"go/types"
	"math"
)

// wide reports whether values of a type are integers that are taken not to overflow: int and int64.
func wide(t *types.Basic) bool {
	return t != nil && (t.Kind() == types.Int || t.Kind() == types.Int64 || t.Info()&types.IsUntyped != 0 && t.Info()&types.IsInteger != 0)
}

// kindOf names the numbers of which a sum is not what it is on paper; "" are int, int64 and everything else.
func kindOf(t *types.Basic) string {
	if t == nil || wide(t) || t.Info()&types.IsNumeric == 0 {
		return ""
	}
	return t.Name()
}

// held is a constant as a variable of a type holds it: integers wrap, floats are rounded. nil: it is not known.
func held(c constant.Value, t *types.Basic) constant.Value {
	switch {
	case t.Info()&types.IsUntyped != 0:
		return c
	case t.Info()&types.IsInteger != 0:
		bits := uint(8 * size(t))
		mask := constant.BinaryOp(constant.Shift(constant.MakeInt64(1), token.SHL, bits), token.SUB, constant.MakeInt64(1))
		c = constant.BinaryOp(constant.ToInt(c), token.AND, mask) // of negative ones as of two's complement
		if half := constant.Shift(constant.MakeInt64(1), token.SHL, bits-1); t.Info()&types.IsUnsigned == 0 && constant.Compare(c, token.GEQ, half) {
			c = constant.BinaryOp(c, token.SUB, constant.Shift(constant.MakeInt64(1), token.SHL, bits))
		}
		return c
	case t.Kind() == types.Float64:
		f, _ := constant.Float64Val(c)
		return float(f)
	case t.Kind() == types.Float32:
		f, _ := constant.Float32Val(c)
		return float(float64(f))
	case t.Info()&types.IsNumeric != 0:
		return nil
	}
	return c
}

func float(f float64) constant.Value {
	if math.IsInf(f, 0) || f == 0 { // there are two zeros
		return nil
	}
	return constant.MakeFloat64(f)
}

// mayDiffer reports whether a value of a type may be unequal to itself: it may be, or hold, a NaN.
func mayDiffer(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&(types.IsFloat|types.IsComplex) != 0
	case *types.Array:
		return mayDiffer(u.Elem())
	case *types.Struct:
		for i := range u.NumFields() {
			if mayDiffer(u.Field(i).Type()) {
				return true
			}
		}
	}
	return false
}
