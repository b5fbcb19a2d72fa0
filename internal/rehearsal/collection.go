package rehearsal

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// collection does what an op does with a list, a map or what is ranged over. ok: it does.
func (r *run) collection(n int, v *shape.Value, args []any) (x any, ok bool) {
	if len(args) == 0 {
		return nil, false
	}
	of := args[0]
	if p, is := of.(pointer); is {
		of = p.to
	}
	if v.Op == "len" || v.Op == "item" {
		if s, ok := r.ranged(of); ok {
			of = s
		}
	}
	switch v.Op {
	case "len":
		return r.length(of), true
	case "index":
		return r.index(of, args[1]), true
	case "has":
		switch m := of.(type) {
		case table:
			_, found := m.lookUp(args[1])
			return r.asked(n, found), true
		case nil, zero:
			return r.asked(n, false), true
		}
		return r.asked(n, r.s.truth("has "+text(of)+text(args[1]))), true
	case "append":
		if l, is := r.asList(of); is {
			return append(slices.Clone(l), args[1:]...), true
		}
	case "concat":
		l, is := r.asList(of)
		more, too := r.asList(args[1])
		if is && too {
			if isZero(of) && len(more) == 0 {
				return of, true
			}
			return slices.Concat(l, more), true
		}
	case "put":
		return r.put(of, args[1], args[2])
	case "delete":
		if m, is := of.(table); is {
			return m.remove(args[1]), true
		}
		return of, isZero(of)
	case "clear":
		if _, is := of.(table); is {
			return table{}, true
		}
	case "slice":
		return r.slice(of, args, r.p.flow.Values[v.Args[2]].Op == "most")
	case "key":
		if m, is := of.(table); is {
			if i := r.integer(args[1]); i >= 0 && i < int64(len(m)) {
				return m[i].key, true
			}
			return broken{}, true
		}
	case "item":
		if s, is := of.(sequence); is {
			i := r.integer(args[1])
			if i < 0 || i >= int64(len(s)) {
				return broken{}, true
			}
			if v.What == "0" {
				return s[i].key, true
			}
			return s[i].value, true
		}
	case "runes":
		return int64(len([]rune(r.text(of)))), true
	case "rune", "runeat":
		return runeAt(v.Op, r.text(of), r.integer(args[1])), true
	}
	return nil, false
}

func runeAt(op, s string, n int64) any {
	for at, c := range s {
		if n == 0 && op == "rune" {
			return int64(c)
		} else if n == 0 {
			return int64(at)
		}
		n--
	}
	return broken{}
}

// asList gives a list; nil is one. One of which nothing is known has some elements.
func (r *run) asList(v any) (list, bool) {
	switch v := v.(type) {
	case list:
		return v, true
	case pointer:
		return r.asList(v.to)
	case nil, zero:
		return nil, true
	case unknown:
		out := make(list, r.length(v))
		for i := range out {
			out[i] = r.index(v, int64(i))
		}
		return out, true
	}
	return nil, false
}

func (r *run) length(of any) int64 {
	switch x := of.(type) {
	case list:
		return int64(len(x))
	case table:
		return int64(len(x))
	case sequence:
		return int64(len(x))
	case string:
		return int64(len(x))
	case nil, zero:
		return 0
	}
	return int64(r.s.choose(6, "length of "+text(of)))
}

func (r *run) index(of, at any) any {
	switch x := of.(type) {
	case list:
		if i := r.integer(at); i >= 0 && i < int64(len(x)) {
			return x[i]
		}
		return broken{}
	case string:
		if i := r.integer(at); i >= 0 && i < int64(len(x)) {
			return int64(x[i])
		}
		return broken{}
	case table:
		value, _ := x.lookUp(at)
		return value
	case zero:
		return zero{}
	case nil:
		if _, isNumber := at.(int64); isNumber {
			return broken{} // of a list; of a map it would be zero
		}
		return zero{}
	}
	return r.s.unknown("index", text(of), text(at))
}

func (r *run) put(of, at, value any) (any, bool) {
	switch x := of.(type) {
	case list:
		i := r.integer(at)
		if i < 0 || i >= int64(len(x)) {
			return broken{}, true
		}
		x = slices.Clone(x)
		x[i] = value
		return x, true
	case table:
		return x.put(at, value), true
	case nil:
		return broken{}, true
	}
	return nil, false
}

func (r *run) slice(of any, args []any, most bool) (any, bool) {
	text, isText := of.(string)
	l, isList := r.asList(of)
	n := int64(max(len(l), len(text)))
	low, high := int64(0), n
	if args[1] != nil {
		low = r.integer(args[1])
	}
	if args[2] != nil {
		if high = r.integer(args[2]); most {
			high = min(low+high, n)
		}
	}
	switch {
	case !isText && !isList:
		return nil, false
	case low < 0 || high < low || high > n:
		return broken{}, true
	case isText:
		return text[low:high], true
	case of == nil:
		return nil, true
	}
	return l[low:high:high], true
}
