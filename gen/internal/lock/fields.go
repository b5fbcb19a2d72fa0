package lock

import (
	"cmp"
	"go/types"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/durablegen/durablegen/internal/shape"
)

// member is a field of a struct or of one that is embedded in it.
type member struct {
	field  *types.Var
	name   string // in JSON
	tagged bool   // the name is from a tag
	path   []int
	from   string // the embedded structs in which it is, each with a dot
	zero   bool   // omitzero
	empty  bool   // omitempty, which does something
	shape.Field
}

// fields gives what encoding/json writes of a struct, in the order in which it does: exported fields, and those of embedded
// structs unless a field nearer to the top has the same name.
func (t *Types) fields(s *types.Struct) []shape.Field {
	all := gather(s)
	byName := map[string][]member{}
	for _, m := range all {
		byName[m.name] = append(byName[m.name], m)
	}
	all = slices.DeleteFunc(all, func(m member) bool { return !dominates(m, byName[m.name]) })
	slices.SortFunc(all, func(a, b member) int { return slices.Compare(a.path, b.path) })
	var out []shape.Field
	for _, m := range all {
		m.Field.Name, m.Field.Type, m.Field.Pos = m.name, t.Ref(m.field.Type()), t.fset.Position(m.field.Pos())
		m.From, m.Hides = m.from, len(byName[m.name]) > 1
		if m.zero {
			m.Zero = t.whenZero(m)
		}
		out = append(out, m.Field)
	}
	return out
}

// dominates reports whether m is the one of its name: the nearest to the top, then the one with a tag; two that are equal
// annihilate each other.
func dominates(m member, same []member) bool {
	for _, other := range same {
		if slices.Equal(other.path, m.path) {
			continue
		}
		order := cmp.Or(cmp.Compare(len(other.path), len(m.path)), -compareBool(other.tagged, m.tagged))
		if order <= 0 {
			return false
		}
	}
	return true
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

type embedded struct {
	structure *types.Struct
	named     types.Type // nil at the top
	path      []int
	from      string
}

// gather walks embedded structs level by level. A type is entered on one level only; twice on the same level, its fields
// are there twice and so annihilate each other.
func gather(top *types.Struct) []member {
	var all []member
	entered := map[types.Type]bool{}
	for level := []embedded{{structure: top}}; len(level) > 0; {
		var next []embedded
		for _, e := range level {
			if e.named != nil {
				entered[e.named] = true
			}
		}
		for _, e := range level {
			for i := range e.structure.NumFields() {
				m, inner := readField(e, i)
				if inner != nil && !entered[inner.named] {
					next = append(next, *inner)
				}
				if m != nil {
					all = append(all, *m)
				}
			}
		}
		level = next
	}
	return all
}

// readField gives a field, or the struct that it embeds, or neither.
func readField(e embedded, i int) (*member, *embedded) {
	field := e.structure.Field(i)
	tag := reflect.StructTag(e.structure.Tag(i)).Get("json")
	if tag == "-" {
		return nil, nil
	}
	typ := types.Unalias(field.Type())
	bare := typ // of what is embedded, without its pointer
	if p, ok := typ.(*types.Pointer); ok {
		bare = types.Unalias(p.Elem())
	}
	structure, isStruct := bare.Underlying().(*types.Struct)
	if !field.Exported() && !(field.Embedded() && isStruct) {
		return nil, nil
	}
	name, options, _ := strings.Cut(tag, ",")
	if !validName(name) {
		name = ""
	}
	path := append(slices.Clone(e.path), i)
	if name == "" && field.Embedded() && isStruct {
		from := field.Name() + "."
		if bare != typ {
			from = "*" + from
		}
		return nil, &embedded{structure, bare, path, e.from + from}
	}
	if !field.Exported() && name == "" {
		return nil, nil
	}
	m := &member{field: field, name: name, tagged: name != "", path: path, from: e.from}
	if name == "" {
		m.name = field.Name()
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			m.Optional, m.empty = m.Optional || mayBeEmpty(typ), mayBeEmpty(typ)
		case "omitzero":
			m.Optional, m.zero = true, true
		case "string":
			m.Quoted = quotable(bare)
		}
	}
	return m, nil
}

// whenZero says when omitzero leaves a field out, as far as that is not when omitempty would.
func (t *Types) whenZero(m member) string {
	how := "zero"
	switch m.field.Type().Underlying().(type) {
	case *types.Slice, *types.Map: // empty ones are not zero
		if m.empty {
			how = ""
		}
	case *types.Basic, *types.Pointer, *types.Interface:
		how = ""
	}
	if sum := t.isZero(m.field.Type()); sum != "" {
		how = strings.TrimSpace("zero " + sum)
		if m.empty {
			how = "empty or " + how
		}
	}
	return how
}

// validName is encoding/json's idea of a name in a tag.
func validName(s string) bool {
	for _, c := range s {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return s != ""
}

// mayBeEmpty reports whether omitempty does anything: structs are never empty.
func mayBeEmpty(typ types.Type) bool {
	switch u := typ.Underlying().(type) {
	case *types.Struct:
		return false
	case *types.Array:
		return u.Len() == 0
	}
	return true
}

// quotable reports whether the option string does anything.
func quotable(typ types.Type) bool {
	b, ok := typ.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsBoolean|types.IsInteger|types.IsFloat|types.IsString) != 0
}
