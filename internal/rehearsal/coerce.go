package rehearsal

import (
	"cmp"
	"math"
	"strings"

	"github.com/durablegen/durablegen/internal/engine"
)

// equal compares two values as == does.
func (r *run) equal(a, b any) bool {
	if a == nil || b == nil {
		x := a
		if x == nil {
			x = b
		}
		return r.isNil(x)
	}
	if w, ok := a.(which); ok {
		return w.is(b)
	}
	if w, ok := b.(which); ok {
		return w.is(a)
	}
	x, boxA := a.(boxed)
	y, boxB := b.(boxed)
	if boxA && boxB {
		return x.typ == y.typ && r.equal(x.value, y.value)
	}
	a, b = pointee(a), pointee(b)
	_, oddA := a.(unknown)
	_, oddB := b.(unknown)
	if oddA != oddB {
		if oddA {
			a, b = b, a
		}
		switch a := a.(type) { // b is what is not known
		case int64, float64:
			return r.number(a) == r.number(b)
		case string:
			return a == r.text(b)
		case bool:
			return a == r.truth(b)
		}
	}
	if f, ok := a.(*engine.Future); ok {
		g, ok := b.(*engine.Future)
		return ok && f == g
	}
	if isNumber(a) && isNumber(b) {
		return r.number(a) == r.number(b)
	}
	return text(a) == text(b)
}

func isNumber(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

func (r *run) isNil(v any) bool {
	switch x := v.(type) {
	case nil, zero:
		return true
	case unknown:
		return r.s.truth("nil " + text(x))
	case which:
		return false
	}
	return false
}

// is compares what Any gives with a future, or with its place among those that were waited for.
func (w which) is(v any) bool {
	switch v := v.(type) {
	case int64:
		return int64(w.index) == v
	case *engine.Future:
		return v == w.future
	case which:
		return w.index == v.index
	}
	return false
}

// compare orders two values, of which at least one should be a number or a text.
func (r *run) compare(a, b any) int {
	a, b = pointee(a), pointee(b)
	_, textA := a.(string)
	_, textB := b.(string)
	if textA || textB {
		return strings.Compare(r.text(a), r.text(b))
	}
	_, floatA := a.(float64)
	_, floatB := b.(float64)
	if floatA || floatB {
		x, y := r.number(a), r.number(b)
		switch { // not cmp.Compare, which has NaN below all others
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	return cmp.Compare(r.integer(a), r.integer(b))
}

// pointee is what a pointer points to; anything else is itself.
func pointee(v any) any {
	v = unboxed(v)
	if p, ok := v.(pointer); ok {
		return p.to
	}
	return v
}

// truth, integer, number and text are what a value is for who takes it for that.
func (r *run) truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case boxed:
		return r.truth(v.value)
	case pointer:
		return r.truth(v.to)
	case nil, zero:
		return false
	}
	return r.s.truth("truth " + text(v))
}

func (r *run) integer(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		return int64(v)
	case boxed:
		return r.integer(v.value)
	case pointer:
		return r.integer(v.to)
	case nil, zero:
		return 0
	}
	return r.s.number("number " + text(v))
}

func (r *run) number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case boxed:
		return r.number(v.value)
	case pointer:
		return r.number(v.to)
	}
	return float64(r.integer(v))
}

func (r *run) text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case boxed:
		return r.text(v.value)
	case pointer:
		return r.text(v.to)
	case nil, zero:
		return ""
	case unknown:
		return r.s.text("text " + text(v))
	}
	return "<" + text(v) + ">"
}

func (r *run) arithmetic(op, kind string, args []any) any {
	_, isFloat := args[0].(float64)
	if len(args) > 1 {
		_, too := args[1].(float64)
		isFloat = isFloat || too
	}
	if isFloat || strings.HasPrefix(kind, "float") {
		return floats(op, r.number(args[0]), func() float64 { return r.number(args[1]) })
	}
	a := r.integer(args[0])
	if len(args) == 1 {
		if op == "neg" {
			return -a
		}
		return wrapped(^a, kind)
	}
	b := r.integer(args[1])
	switch op {
	case "+":
		a += b
	case "-":
		a -= b
	case "*":
		a *= b
	case "/", "%":
		if b == 0 {
			return broken{}
		}
		if op == "%" {
			a %= b
		} else {
			a /= b
		}
	case "&":
		a &= b
	case "|":
		a |= b
	case "^":
		a ^= b
	case "&^":
		a &^= b
	case "<<", ">>":
		if b < 0 {
			return broken{}
		}
		if op == "<<" {
			a <<= min(uint64(b), 64)
		} else {
			a >>= min(uint64(b), 64)
		}
	}
	return wrapped(a, kind)
}

func floats(op string, a float64, second func() float64) any {
	switch op {
	case "neg":
		return -a
	case "+":
		return a + second()
	case "-":
		return a - second()
	case "*":
		return a * second()
	case "/":
		return a / second()
	}
	return broken{}
}

// wrapped is a number in a type of integers.
func wrapped(n int64, kind string) any {
	switch kind {
	case "int8":
		return int64(int8(n))
	case "int16":
		return int64(int16(n))
	case "int32", "rune":
		return int64(int32(n))
	case "uint8", "byte":
		return int64(uint8(n))
	case "uint16":
		return int64(uint16(n))
	case "uint32":
		return int64(uint32(n))
	}
	return n
}

func (r *run) convert(kind string, v any) any {
	v = pointee(v)
	switch kind {
	case "float64":
		return r.number(v)
	case "float32":
		return float64(float32(r.number(v)))
	case "string":
		switch v := v.(type) {
		case string:
			return v
		case int64:
			return string(rune(v))
		case list:
			runes := make([]rune, len(v))
			for i := range v {
				runes[i] = rune(r.integer(v[i]))
			}
			return string(runes)
		}
		return r.text(v)
	case "[]byte":
		return r.text(v)
	case "[]rune", "[]int32":
		var out list
		for _, c := range r.text(v) {
			out = append(out, int64(c))
		}
		return out
	case "int", "int64", "int8", "int16", "int32", "uint8", "uint16", "uint32", "uint", "uint64", "rune", "byte":
		if f, ok := v.(float64); ok {
			if math.IsNaN(f) || math.Abs(f) > 1e18 {
				return broken{}
			}
			return wrapped(int64(f), kind)
		}
		return wrapped(r.integer(v), kind)
	}
	return v
}
