package rehearsal

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/shape"
)

// operate does what an op does.
func (r *run) operate(n int, v *shape.Value, args []any) any {
	switch v.Op {
	case "==":
		same := r.equal(args[0], args[1])
		r.near(n, 1-btoi(same), args[0], args[1])
		return r.asked(n, same)
	case "<", "<=":
		order := r.compare(args[0], args[1])
		r.near(n, order, args[0], args[1])
		return r.asked(n, order < 0 || v.Op == "<=" && order == 0)
	case "not", "!":
		return !r.truth(args[0])
	case "+", "-", "*", "/", "%", "&", "|", "^", "&^", "<<", ">>", "neg":
		return r.arithmetic(v.Op, v.What, args)
	case "cat":
		var b strings.Builder
		for _, a := range args {
			b.WriteString(r.text(a))
		}
		return b.String()
	case "conv":
		out := r.convert(v.What, args[0])
		if letters, ok := out.(list); ok && ofLetters(v.What) {
			r.asked(n, len(letters) != len(r.text(args[0])))
		}
		return out
	case "list":
		return listOf(v.What, args)
	case "made":
		return zeros(r.integer(args[0]))
	case "map":
		m := table{}
		for i := 0; i+1 < len(args); i += 2 {
			m = m.put(args[i], args[i+1])
		}
		return m
	case "struct":
		return structOf(v.What, args)
	case "field":
		return r.field(v.What, args[0])
	case "pointer": // it is told from what it points to
		if x, ok := args[0].(record); ok {
			x = maps.Clone(x)
			x["*"] = true
			return x
		}
	case "id", "most", "left", "out":
		return args[0]
	case "call":
		if f, ok := args[max(len(args)-1, 0):], strings.HasPrefix(v.What, "recursion "); ok && len(f) == 1 {
			return r.apply(f[0], args[:len(args)-1], f[0])
		}
		args = r.yielded(v.What, args)
		if x, ok := r.printing(v.What, r.p.ops(v.Args), args); ok {
			return r.answered(n, v.What, args, x)
		}
		return r.answered(n, v.What, args, r.library(v.What, args))
	case "copy":
		dst, ok := r.asList(args[0])
		if src, too := r.asList(args[1]); ok && too {
			return int64(min(len(dst), len(src)))
		}
	case "text":
		if v.What == "WriteByte" || v.What == "WriteRune" {
			return character(v.What, r.integer(args[0]))
		}
	case "apply":
		return r.call(args[0], args[1:])
	case "cancel":
		scope, _ := append(args, nil)[0].(*engine.Scope)
		return canceler{scope}
	case "stirred":
		if text(args[0]) == text(args[1]) {
			return args[0]
		}
	case "external":
		return named{name: v.What}
	case "bound":
		return named{v.What, args}
	case "part":
		return r.part(v.What, args[0])
	case "zero":
		return zero{}
	case "timeout":
		return fault{id: "timeout"}
	case "box":
		return boxed{v.What, args[0]}
	case "method":
		return method{v.What, args[0]}
	case dispatched:
		return r.dispatchValue(v, args)
	case "kind":
		return kind(v.What)
	case "as", "assert":
		return as(v, args)
	case "is":
		if b, ok := args[0].(boxed); ok {
			return r.asked(n, isOf(b, v.What, args[1:]))
		}
		return r.asked(n, r.is(v.What, args[0]))
	case "global":
		if v.What == itemErrors || v.What == itemError {
			return kind(v.What)
		}
		return r.s.unknown("global", v.What, texts(args))
	}
	if x, ok := r.collection(n, v, args); ok {
		return x
	}
	return r.s.unknown(v.Op, v.What, v.Sum, texts(args))
}

func listOf(what string, args []any) any {
	if what != "keyed" {
		return list(args)
	}
	size, ok := args[len(args)-1].(int64)
	if !ok {
		return broken{}
	}
	l, ok := zeros(size).(list)
	if !ok {
		return broken{}
	}
	for i := 0; i+1 < len(args)-1; i += 2 {
		if at, ok := args[i].(int64); ok && at < size {
			l[at] = args[i+1]
		}
	}
	return l
}

// zeros is a list of zero values, broken if there are too many.
func zeros(n int64) any {
	if n < 0 || n > 10_000 {
		return broken{}
	}
	out := make(list, n)
	for i := range out {
		out[i] = zero{}
	}
	return out
}

func structOf(names string, args []any) record {
	out := record{}
	for i, name := range strings.Split(names, " ") {
		if i < len(args) {
			out[name] = args[i]
		}
	}
	return out
}

func (r *run) field(name string, of any) any {
	switch x := of.(type) {
	case record:
		if field, ok := x[name]; ok {
			return field
		}
		return promoted(name, x)
	case pointer:
		return r.field(name, x.to)
	case zero:
		return zero{}
	case nil:
		return broken{}
	case boxed:
		return r.field(name, x.value)
	case fault:
		if field, ok := x.ofItem(name); ok {
			return field
		}
	}
	return r.s.unknown("field", name, text(of))
}

// promoted gives a field of a struct within a struct: of one that is embedded, whose name is that of a type. In its place may be
// the outer one as it was before other fields changed, with the embedded one in it: a flow does not tell them apart.
func promoted(name string, of record) any {
	for _, inner := range slices.Sorted(maps.Keys(of)) {
		in, ok := pointee(of[inner]).(record)
		for ok && unicode.IsUpper(rune(inner[0])) {
			if field, found := in[name]; found {
				return field
			}
			in, ok = pointee(in[inner]).(record)
		}
	}
	return zero{}
}

func (r *run) part(what string, of any) any {
	i, err := strconv.Atoi(what)
	if all, ok := of.(tuple); ok && err == nil && i < len(all) {
		return all[i]
	}
	return r.s.unknown("part", what, text(of))
}

// is reports whether a value is of a type, as far as that can be told.
func (r *run) is(what string, v any) bool {
	switch v.(type) {
	case nil:
		return false
	case string:
		return what == "string"
	case bool:
		return what == "bool"
	case float64:
		return what == "float64"
	case int64:
		return strings.HasPrefix(what, "int")
	}
	return r.s.truth("is " + what + text(v))
}

// changed is what a call leaves of one of its arguments.
func (r *run) changed(v *shape.Value, in *frame) any {
	if c, ok := r.values[v.Node].(called); ok && v.What != "" {
		if left, changed := c.left[v.What]; changed {
			return left
		}
		return r.of(v.Args[0], in)
	}
	by := &r.p.flow.Values[v.Args[0]]
	if by.Op == "apply" {
		if x, ok := r.afterwards(v, by, in); ok {
			return x
		}
	}
	if by.Op == dispatched && len(v.Args) == 2 && v.What != "" {
		if c, ok := r.dispatch(r.all(by.Args, in)); ok {
			if left, changed := c.left[v.What]; changed {
				return left
			}
			return r.of(v.Args[1], in)
		}
	}
	if by.Op == "copy" && len(v.Args) == 2 {
		if x, ok := r.copied(by, v.Args[1], in); ok {
			if !isBroken(x) {
				r.p.note(v.Args[0], evaluated)
			}
			return x
		}
	}
	var of string // a call gives the same for the same, and leaves the same
	if by.Op == "call" && len(v.Args) == 1 {
		args := r.all(by.Args, in)
		if v.What == "0" && by.What == "fmt.Fprintf" && len(args) > 1 {
			if s, ok := args[0].(string); ok { // of a strings.Builder
				args, code := r.code(r.p.ops(by.Args)[1:], args[1:])
				if len(args) > 0 && !slices.ContainsFunc(args, isBroken) {
					r.p.note(v.Args[0], evaluated)
					return s + r.sprintf(r.text(args[0]), args[1:], code)
				}
			}
		}
		if v.What == "1" && by.What == "errors.As" && len(args) > 1 {
			if found, known := r.errorAs(args); found != nil {
				return found
			} else if known {
				return args[1]
			}
		}
		if v.What == "0" {
			if x, ok := r.mutated(by.What, args); ok {
				if !isBroken(x) {
					r.p.note(v.Args[0], evaluated)
				}
				return x
			}
		}
		of = "call " + by.What + texts(args)
	}
	args := r.all(v.Args, in)
	if slices.ContainsFunc(args, isBroken) {
		return broken{}
	}
	if v.Node != 0 {
		of += text(r.values[v.Node])
	}
	return r.s.unknown("changed", v.What, texts(args), of)
}
