package rehearsal

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/shape"
)

// payload writes arguments: by name, where they are stored by name, and as encoding/json writes their types.
func (s *side) payload(n *shape.Node, args []any) history.Payload {
	stored := map[string]any{}
	params := s.params(n)
	for i, a := range args {
		name, ref := strconv.Itoa(i), shape.NoType
		switch {
		case i < len(params) && len(params) <= len(args):
			ref = params[i].Type
			if len(params) > 1 {
				name = params[i].Name
			}
		case len(params) > 1:
			name = strconv.Itoa(i - len(params))
		}
		if n.Kind == shape.Send && i == len(args)-1 {
			ref = s.event(n.Target)
		}
		stored[name] = s.written(ref, a, 0)
	}
	b, err := json.Marshal(stored)
	if err != nil {
		panic(err) // what written gives can be written
	}
	return b
}

// typeOf gives a type, nil for none.
func (s *side) typeOf(ref shape.TypeRef) *shape.Type {
	if ref < 0 || int(ref) >= len(s.lock.Types) {
		return nil
	}
	return &s.lock.Types[ref]
}

const deepestWritten = 12 // of types that hold themselves

// written is a value as the JSON of a type, for json.Marshal. What does not fit is written by what it is.
func (s *side) written(ref shape.TypeRef, v any, depth int) any {
	t := s.typeOf(ref)
	if t == nil || depth > deepestWritten {
		return odd(v)
	}
	v = pointee(v)
	if m, ok := v.(moment); ok {
		v = m.at
	}
	switch t.Kind {
	case "pointer":
		switch v.(type) {
		case nil, zero:
			return nil
		}
		return s.written(t.Elem, v, depth+1)
	case "list":
		switch v.(type) {
		case nil, zero:
			return nil
		}
		return s.writtenList(t, v, -1, depth)
	case "array":
		return s.writtenList(t, v, t.Bits, depth)
	case "map":
		return s.writtenMap(t, v, depth)
	case "object":
		return s.writtenObject(t, v, depth)
	case "any":
		return whatever(v)
	}
	return basic(t, v)
}

// basic writes a value of a type that holds no others.
func basic(t *shape.Type, v any) any {
	_, isZeroOfAny := v.(zero)
	unset := v == nil || isZeroOfAny
	switch x := v.(type) {
	case string:
		if t.Kind == "string" || t.Kind == "text" || t.Kind == "bytes" {
			return x
		}
	case bool:
		if t.Kind == "bool" {
			return x
		}
	case int64, float64:
		switch {
		case t.Kind == "float" && t.Bits == 32:
			return number(float64(float32(toFloat(x))), 32)
		case t.Kind == "int" || t.Kind == "uint" || t.Kind == "float":
			return number(toFloat(x), 64, x)
		}
	case time.Time:
		if t.Kind == "time" {
			return x.UTC().Format(time.RFC3339Nano)
		}
	}
	if !unset {
		return odd(v)
	}
	switch t.Kind {
	case "string", "text":
		return ""
	case "bool":
		return false
	case "int", "uint", "float":
		return 0
	case "time":
		return time.Time{}.Format(time.RFC3339Nano)
	case "bytes":
		return nil
	}
	return odd(v)
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// number writes a number as encoding/json does: an int and a float of the same are the same.
func number(f float64, bits int, exact ...any) any {
	if len(exact) > 0 {
		if n, ok := exact[0].(int64); ok {
			return n
		}
	}
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return odd(f)
	case bits == 32:
		return float32(f)
	case f == 0:
		return 0
	}
	return f
}

// odd is what does not fit its type, or has none that is known: by what it is, and no JSON that a value could have.
func odd(v any) any { return "\x00" + text(unboxed(v)) }

// whatever writes what is in an interface.
func whatever(v any) any {
	switch v := v.(type) {
	case nil, zero:
		return nil
	case boxed:
		return whatever(v.value)
	case pointer:
		return whatever(v.to)
	case bool, string:
		return v
	case int64, float64:
		return number(toFloat(v), 64, v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return odd(v)
}

func (s *side) writtenList(t *shape.Type, v any, n, depth int) any {
	l, ok := v.(list)
	if _, unset := v.(zero); !ok && v != nil && !unset {
		return odd(v)
	}
	if n < 0 {
		n = len(l)
	}
	out := make([]any, n)
	for i := range out {
		var e any = zero{}
		if i < len(l) {
			e = l[i]
		}
		out[i] = s.written(t.Elem, e, depth+1)
	}
	return out
}

func (s *side) writtenMap(t *shape.Type, v any, depth int) any {
	m, ok := v.(table)
	if _, unset := v.(zero); v == nil || unset {
		return nil
	}
	if !ok {
		return odd(v)
	}
	out := map[string]any{}
	for _, e := range m {
		out[keyText(e.key)] = s.written(t.Elem, e.value, depth+1)
	}
	return out
}

// keyText is the key of a map in JSON.
func keyText(key any) string {
	switch key := key.(type) {
	case string:
		return key
	case int64:
		return strconv.FormatInt(key, 10)
	}
	return "\x00" + text(key)
}

func (s *side) writtenObject(t *shape.Type, v any, depth int) any {
	r, ok := v.(record)
	if _, unset := v.(zero); !ok && v != nil && !unset {
		return odd(v)
	}
	out := map[string]any{}
	for _, f := range t.Fields {
		field := r.member(f)
		if f.Optional && s.leftOut(&f, field) {
			continue
		}
		w := s.written(f.Type, field, depth+1)
		if f.Quoted {
			b, _ := json.Marshal(w)
			w = "quoted " + string(b)
		}
		out[f.Name] = w
	}
	return out
}

// member gives a field, if need be from the embedded struct in which it is.
func (r record) member(f shape.Field) any {
	if v, ok := r[f.Name]; ok {
		return v
	}
	at := r
	for _, name := range strings.Split(f.From, ".") {
		v := at[strings.TrimPrefix(name, "*")]
		if p, ok := v.(pointer); ok {
			v = p.to
		}
		inner, ok := v.(record)
		if !ok {
			break
		}
		at = inner
	}
	if v, ok := at[f.Name]; ok {
		return v
	}
	return zero{}
}

// leftOut reports whether an optional field is not written.
func (s *side) leftOut(f *shape.Field, v any) bool {
	kind := ""
	if t := s.typeOf(f.Type); t != nil {
		kind = t.Kind
	}
	switch x := v.(type) {
	case nil, zero:
		return f.Zero != "" || kind != "object" && kind != "time"
	case list:
		return f.Zero == "" && len(x) == 0
	case table:
		return f.Zero == "" && len(x) == 0
	case pointer:
		return false
	}
	if kind == "pointer" || f.Zero == "" && (kind == "object" || kind == "time") {
		return false
	}
	return isZero(v)
}

// read gives a value that was written as one type as it is read into another: types of two versions of the code may differ.
func (s *side) read(ref shape.TypeRef, v any, depth int) any {
	t := s.typeOf(ref)
	if t == nil || depth > deepestWritten {
		return v
	}
	if t.Kind == "pointer" {
		switch x := v.(type) {
		case nil, zero:
			return nil
		case pointer:
			v = x.to
		}
		if v = s.read(t.Elem, v, depth+1); isBroken(v) {
			return v
		}
		return pointer{v}
	}
	if p, ok := v.(pointer); ok {
		v = p.to
	}
	if !fits(t.Kind, v) {
		return broken{}
	}
	switch x := v.(type) {
	case int64:
		switch t.Kind {
		case "float":
			return rounded(float64(x), t.Bits)
		case "any":
			return float64(x)
		case "int", "uint":
			if wrapped(x, t.Kind+strconv.Itoa(t.Bits)) != any(x) || t.Kind == "uint" && x < 0 {
				return broken{}
			}
		}
	case float64:
		switch t.Kind {
		case "float":
			return rounded(x, t.Bits)
		case "int", "uint":
			if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
				return broken{}
			}
			return s.read(ref, int64(x), depth)
		}
	case time.Time:
		if t.Kind != "time" {
			return x.UTC().Format(time.RFC3339Nano)
		}
	case list:
		return s.readList(t, x, depth)
	case record:
		return s.readRecord(t, x, depth)
	case table:
		return s.readTable(t, x, depth)
	case nil:
		if t.Kind != "list" && t.Kind != "map" && t.Kind != "any" && t.Kind != "bytes" {
			return zero{}
		}
	}
	return v
}

// fits reports whether JSON of a value can be read into a kind of type, as far as the kind says.
func fits(kind string, v any) bool {
	kinds := ""
	switch v.(type) {
	case string:
		kinds = "string text bytes"
	case bool:
		kinds = "bool"
	case int64, float64:
		kinds = "int uint float"
	case time.Time:
		kinds = "time string text"
	case list:
		kinds = "list array"
	case record, table:
		kinds = "map object"
	default:
		return true
	}
	return kind == "any" || kind == "raw" || kind == "own" || slices.Contains(strings.Fields(kinds), kind)
}

func rounded(f float64, bits int) any {
	if bits == 32 {
		return float64(float32(f))
	}
	return f
}

func (s *side) readList(t *shape.Type, l list, depth int) any {
	if t.Kind != "list" && t.Kind != "array" {
		return l
	}
	n := len(l)
	if t.Kind == "array" {
		n = t.Bits
	}
	out := make(list, n)
	for i := range out {
		if out[i] = zero(struct{}{}); i < len(l) {
			out[i] = s.read(t.Elem, l[i], depth+1)
		}
	}
	if slices.ContainsFunc(out, isBroken) {
		return broken{}
	}
	return out
}

func (s *side) readRecord(t *shape.Type, r record, depth int) any {
	switch t.Kind {
	case "map":
		out := table{}
		for name, v := range r {
			out = out.put(name, s.read(t.Elem, v, depth+1))
		}
		return out.orBroken()
	case "object":
		out := record{}
		for _, f := range t.Fields {
			out[f.Name] = zero{}
			for name, v := range r {
				if strings.EqualFold(name, f.Name) {
					out[f.Name] = s.read(f.Type, v, depth+1)
				}
			}
			if isBroken(out[f.Name]) {
				return broken{}
			}
		}
		return out
	}
	return r
}

func (s *side) readTable(t *shape.Type, m table, depth int) any {
	switch t.Kind {
	case "map":
		out := table{}
		for _, e := range m {
			out = out.put(s.read(t.Key, e.key, depth+1), s.read(t.Elem, e.value, depth+1))
		}
		return out.orBroken()
	case "object":
		r := record{}
		for _, e := range m {
			r[keyText(e.key)] = e.value
		}
		return s.readRecord(t, r, depth)
	}
	return m
}

// orBroken is what was read of a map: all of it, or nothing.
func (t table) orBroken() any {
	if slices.ContainsFunc(t, func(e entry) bool { return isBroken(e.key) || isBroken(e.value) }) {
		return broken{}
	}
	return t
}
