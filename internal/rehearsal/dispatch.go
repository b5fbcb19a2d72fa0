package rehearsal

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// Values in interfaces whose types are declared by the module say which that are, so that it is known what stands behind a
// call of one of their methods.
type (
	boxed struct {
		typ   string
		value any
	}
	method struct { // of a type, as a function that takes what it is called on
		typ string
		f   any
	}
	kind string // a type as a value
)

// dispatched is what a node calls, and the op of a value that does: a method of an interface.
const dispatched = "dispatch"

// unboxed is what is in an interface.
func unboxed(v any) any {
	if b, ok := v.(boxed); ok {
		return b.value
	}
	return v
}

func allUnboxed(vs []any) []any {
	if !slices.ContainsFunc(vs, func(v any) bool { _, is := v.(boxed); return is }) {
		return vs
	}
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = unboxed(v)
	}
	return out
}

// behind finds the method of what is in an interface. The receiver is the first of args, and the methods are the last.
// f is nil if it is not known which it is.
func behind(args []any) (f any, plain []any) {
	n := len(args)
	for n > 0 && isMethod(args[n-1]) {
		n--
	}
	plain = slices.Clone(args[:n])
	if n == 0 {
		return nil, plain
	}
	b, ok := plain[0].(boxed)
	if !ok {
		return nil, plain
	}
	for _, a := range args[n:] {
		if m := a.(method); m.typ == b.typ {
			plain[0] = b.value
			return m.f, plain
		}
	}
	return nil, plain
}

func isMethod(v any) bool { _, is := v.(method); return is }

// dispatch calls a method of an interface, and gives what it returns and leaves. ok: it is known what that is.
func (r *run) dispatch(args []any) (c called, ok bool) {
	f, plain := behind(args)
	fn, is := f.(function)
	if !is {
		return c, false
	}
	return r.reckon(fn, plain, nil, nil)
}

// dispatchValue is dispatch as a value.
func (r *run) dispatchValue(v *shape.Value, args []any) any {
	if len(args) == 0 || isZero(args[0]) {
		return broken{}
	}
	if c, ok := r.dispatch(args); ok {
		if len(c.results) == 1 {
			return c.results[0]
		}
		return tuple(c.results)
	}
	if x, ok := r.printing(v.What, r.p.ops(v.Args), args); ok {
		return x
	}
	return r.s.unknown(dispatched, v.What, texts(args))
}

// isOf reports whether a value in an interface is of a type, or of one of those that are of an interface.
func isOf(b boxed, what string, args []any) bool {
	return b.typ == what || len(args) > 0 && slices.Contains(args, any(b.typ))
}

// as is a value in an interface as one of a type; what an assertion that fails gives is none.
func as(v *shape.Value, args []any) any {
	b, ok := args[0].(boxed)
	switch {
	case !ok:
		return args[0]
	case !isOf(b, v.What, args[1:]) && v.Op == "assert":
		return broken{}
	case !isOf(b, v.What, args[1:]):
		return zero{}
	case len(args) > 1: // it is in another interface
		return b
	}
	return b.value
}

// errorAs is errors.As: what it finds, nil for nothing. The second of args is what the target held, and the last is the type
// that is looked for. known: it can be told, as no type has a method that has a say in it.
func (r *run) errorAs(args []any) (found any, known bool) {
	want, ok := args[len(args)-1].(kind)
	switch {
	case ok && (want == itemErrors || want == itemError):
		return itemsIn(args[0], string(want))
	case !ok || len(args) != 3:
		return nil, false
	}
	return errorOfType(args[0], string(want))
}

func errorOfType(err any, want string) (found any, known bool) {
	switch e := err.(type) {
	case nil, zero:
		return nil, true
	case boxed:
		switch {
		case e.typ != want:
			return nil, true
		case !isZero(e.value):
			return e.value, true
		}
	case fault:
		for _, c := range e.cause {
			if found, known := errorOfType(c, want); found != nil || !known {
				return found, known
			}
		}
		return nil, true
	}
	return nil, false
}
