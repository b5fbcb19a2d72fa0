package shape

import (
	"slices"
	"strings"
)

// unborn gives the new flow with zero values for what the old type of the input does not have: no instance that began with the
// old code was given it.
func (j *judgement) unborn(f *Flow) *Flow {
	old, now := j.from.Params, j.to.Params
	if len(old) > 1 != (len(now) > 1) {
		return f // it is stored in another form
	}
	u := unborn{j, f, map[int][2]TypeRef{}}
	out := *f
	for v := range f.Values {
		of := u.types(v)
		if of[0] != NoType || of[1] == NoType {
			continue
		}
		zero, ok := j.new.zeroOf(of[1])
		if !ok {
			continue
		}
		if &out.Values[0] == &f.Values[0] {
			out.Values = slices.Clone(f.Values)
		}
		out.Values[v] = Value{Op: opConst, What: zero, Pos: f.Values[v].Pos}
	}
	return &out
}

// unborn finds of which types values of the input were, and are.
type unborn struct {
	*judgement
	flow  *Flow
	known map[int][2]TypeRef
}

// types gives the old type and the new one; no old type: the old code has not known it; no new one: it is no value of the input.
func (u *unborn) types(v int) [2]TypeRef {
	if of, known := u.known[v]; known {
		return of
	}
	of := [2]TypeRef{NoType, NoType}
	u.known[v] = of
	switch val := &u.flow.Values[v]; val.Op {
	case "param":
		of = [2]TypeRef{typeOfParam(u.from.Params, val.What), typeOfParam(u.to.Params, val.What)}
	case "field":
		if whole := u.types(val.Args[0]); whole[1] != NoType {
			of = [2]TypeRef{u.old.field(whole[0], val.What), u.new.field(whole[1], val.What)}
		}
	}
	u.known[v] = of
	return of
}

func typeOfParam(params []Param, name string) TypeRef {
	for _, p := range params {
		if p.Name == name || len(params) == 1 {
			return p.Type
		}
	}
	return NoType
}

// field gives the type of a field of an object, or of what a pointer leads to: as encoding/json reads it.
func (l *Lock) field(of TypeRef, name string) TypeRef {
	for of >= 0 && l.Types[of].Kind == "pointer" {
		of = l.Types[of].Elem
	}
	if of < 0 {
		return NoType
	}
	t := &l.Types[of]
	if t.Kind != "object" { // a map, or anything, may have held it
		return of
	}
	for _, f := range t.Fields {
		if strings.EqualFold(f.Name, name) {
			return f.Type
		}
	}
	return NoType
}

// zeroOf gives the constant that is the zero value of a type, if there is one.
func (l *Lock) zeroOf(ref TypeRef) (what string, ok bool) {
	switch l.Types[ref].Kind {
	case "string":
		return `""`, true
	case "bool":
		return "false", true
	case "int", "uint", "float":
		return "0", true
	case "pointer", "list", "map", "any", "bytes":
		return "nil", true
	}
	return "", false
}
