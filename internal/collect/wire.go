package collect

import (
	"fmt"
	"go/types"
	"reflect"
	"strings"
)

// Culprit is why a type does not survive the way through JSON; a Text of "" is that it does.
type Culprit struct {
	Rule string // of the linter
	Text string
}

// Unserialisable says why a value of type t would not survive the way through JSON, with the path from name to the culprit
// and what to do. The rules are those of encoding/json:
//
//   - a type that marshals and unmarshals itself (JSON or text) is trusted;
//   - chan, func, complex and unsafe.Pointer cannot be encoded, an address means nothing elsewhere;
//   - an interface with methods cannot be decoded, because JSON does not say which type was in it; any is accepted and
//     comes back as JSON's own types (map[string]any, []any, float64, string, bool, nil);
//   - a struct without any exported field would arrive empty; unexported fields beside exported ones are left behind, as
//     everywhere in Go's JSON;
//   - map keys are strings, integers or text marshalers.
func Unserialisable(t types.Type, name string) Culprit {
	w := walker{seen: map[types.Type]bool{}}
	path, typ, problem := w.check(t, name)
	if problem == "" {
		return Culprit{}
	}
	return Culprit{ruleOf(typ), fmt.Sprintf("%s is %s, %s", path, types.TypeString(typ, byName), problem)}
}

// ruleOf is the linter's rule about a type that cannot be stored.
func ruleOf(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		return "DUR202"
	case *types.Interface:
		return "DUR203"
	case *types.Map:
		if b, ok := u.Key().Underlying().(*types.Basic); ok && b.Info()&types.IsFloat != 0 {
			return "DUR204"
		}
	}
	return "DUR201"
}

type walker struct{ seen map[types.Type]bool }

func byName(p *types.Package) string { return p.Name() }

// check follows t, which is reached by path, and gives the first culprit.
func (w walker) check(t types.Type, path string) (string, types.Type, string) {
	if invalid(t) {
		return "", nil, "" // the type checker says why
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		if w.seen[named] || marshals(t, "JSON") || marshals(t, "Text") {
			return "", nil, ""
		}
		w.seen[named] = true
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return w.check(u.Elem(), path)
	case *types.Slice:
		return w.check(u.Elem(), path+"[…]")
	case *types.Array:
		return w.check(u.Elem(), path+"[…]")
	case *types.Map:
		if problem := mapKey(u); problem != "" {
			return path, t, problem
		}
		return w.check(u.Elem(), path+"[…]")
	case *types.Struct:
		return w.structure(t, u, path)
	default:
		return path, t, leaf(t)
	}
}

// leaf judges a type without parts.
func leaf(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsComplex != 0:
			return "a complex number, which JSON has no form for; pass the two parts as floats"
		case u.Kind() == types.UnsafePointer || u.Kind() == types.Uintptr:
			return "an address, which means nothing to another process; pass the value itself"
		}
		return ""
	case *types.Interface:
		switch {
		case u.NumMethods() == 0:
			return ""
		case isError(t):
			return "which does not come back with its type; return it as the function's error and mark it //durable:error, " +
				"or leave the field out with the tag `json:\"-\"`"
		}
		return "an interface with methods, and JSON does not say which type to decode; use a concrete type, or leave the field out with the tag `json:\"-\"`"
	case *types.Chan:
		return "a channel; pass the values, or wait for an event"
	case *types.Signature:
		return "a function; pass data and choose the function by it"
	}
	return "which JSON has no form for; use another type"
}

func mapKey(m *types.Map) string {
	basic, ok := m.Key().Underlying().(*types.Basic)
	if marshals(m.Key(), "Text") || ok && basic.Info()&(types.IsString|types.IsInteger) != 0 {
		return ""
	}
	return "whose keys are neither strings, integers nor text marshalers; use a slice of pairs"
}

func (w walker) structure(t types.Type, s *types.Struct, path string) (string, types.Type, string) {
	kept := 0
	for i := range s.NumFields() {
		field := s.Field(i)
		if reflect.StructTag(s.Tag(i)).Get("json") == "-" {
			kept++ // left out on purpose
			continue
		}
		if !field.Exported() && !(field.Embedded() && isStruct(field.Type())) {
			continue
		}
		kept++
		if culprit, typ, problem := w.check(field.Type(), path+"."+field.Name()); problem != "" {
			return culprit, typ, problem
		}
	}
	if kept == 0 && s.NumFields() > 0 {
		return path, t, "which has no exported field and would arrive empty; export what has to be kept, give it MarshalJSON and UnmarshalJSON, or pass something else"
	}
	return "", nil, ""
}

func isStruct(t types.Type) bool {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	_, ok := t.Underlying().(*types.Struct)
	return ok
}

// marshals reports whether a value of t encodes itself and a pointer to it decodes itself, as encoding/json looks for it.
func marshals(t types.Type, format string) bool {
	ptr := t
	if _, ok := types.Unalias(t).(*types.Pointer); !ok {
		ptr = types.NewPointer(t)
	}
	return hasMethod(ptr, "Marshal"+format) && hasMethod(ptr, "Unmarshal"+format)
}

func hasMethod(t types.Type, name string) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, false, nil, name)
	_, ok := obj.(*types.Func)
	return ok
}

// invalid reports whether the type checker could not make sense of a part of t.
func invalid(t types.Type) bool {
	return t == nil || strings.Contains(types.TypeString(t, byName), "invalid type")
}
