package emit

import (
	"fmt"
	"go/types"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dave/jennifer/jen"
)

// typeOf spells a type. Collect has refused what cannot appear here.
func typeOf(t types.Type) *jen.Statement {
	switch t := t.(type) {
	case *types.Alias:
		return named(t.Obj(), t.TypeArgs())
	case *types.Named:
		return named(t.Obj(), t.TypeArgs())
	case *types.Basic:
		return jen.Id(t.Name())
	case *types.Pointer:
		return jen.Op("*").Add(typeOf(t.Elem()))
	case *types.Slice:
		return jen.Index().Add(typeOf(t.Elem()))
	case *types.Array:
		return jen.Index(jen.Id(strconv.FormatInt(t.Len(), 10))).Add(typeOf(t.Elem()))
	case *types.Map:
		return jen.Map(typeOf(t.Key())).Add(typeOf(t.Elem()))
	case *types.Struct:
		return structOf(t)
	case *types.Interface:
		return jen.Interface()
	}
	panic(fmt.Sprintf("durablegen: a parameter of type %T passed the checks", t)) // broken invariant of collect
}

func named(obj *types.TypeName, args *types.TypeList) *jen.Statement {
	s := jen.Id(obj.Name())
	if obj.Pkg() != nil {
		s = jen.Qual(obj.Pkg().Path(), obj.Name())
	}
	if args.Len() == 0 {
		return s
	}
	var list []jen.Code
	for arg := range args.Types() {
		list = append(list, typeOf(arg))
	}
	return s.Types(list...)
}

func structOf(s *types.Struct) *jen.Statement {
	var fields []jen.Code
	for i := range s.NumFields() {
		field := jen.Null()
		if f := s.Field(i); !f.Embedded() {
			field.Id(f.Name())
		}
		field.Add(typeOf(s.Field(i).Type()))
		if tag := s.Tag(i); tag != "" {
			field.Add(tagOf(tag))
		}
		fields = append(fields, field)
	}
	return jen.Struct(fields...)
}

func tagOf(tag string) *jen.Statement {
	if strconv.CanBackquote(tag) {
		return jen.Op("`" + tag + "`")
	}
	return jen.Op(strconv.Quote(tag))
}

// duration spells d as a reader would: in the largest unit that divides it.
func duration(d time.Duration) *jen.Statement {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"}} {
		if d%unit.size != 0 {
			continue
		}
		if d == unit.size {
			return jen.Qual("time", unit.name)
		}
		return jen.Id(strconv.FormatInt(int64(d/unit.size), 10)).Op("*").Qual("time", unit.name)
	}
	return jen.Id(strconv.FormatInt(int64(d), 10)).Op("*").Qual("time", "Nanosecond")
}

func factor(f float64) *jen.Statement {
	if f == math.Trunc(f) {
		return jen.Id(strconv.FormatFloat(f, 'f', -1, 64))
	}
	return jen.Id(strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64)))
}
