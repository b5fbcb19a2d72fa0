package lock

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/durablegen/durablegen/internal/shape"
)

// Types gathers what payloads are made of: how encoding/json writes and reads values of a Go type. It is for one
// goroutine; locks may share it.
type Types struct {
	fset *token.FileSet
	ends map[token.Pos]token.Pos // of struct types whose declaration has been read: its name → the closing brace
	refs typeutil.Map            // types.Type → shape.TypeRef
	list []shape.Type

	sources []*Source
	prog    *program
}

// NewTypes makes an empty table. Of types declared in files it knows where they end, which is where a removed last field
// was.
func NewTypes(fset *token.FileSet, files ...*ast.File) *Types {
	t := &Types{fset: fset, ends: map[token.Pos]token.Pos{}}
	for _, file := range files {
		for _, decl := range file.Decls {
			gen, _ := decl.(*ast.GenDecl)
			if gen == nil || gen.Tok != token.TYPE {
				continue
			}
			for _, spec := range gen.Specs {
				spec := spec.(*ast.TypeSpec)
				if s, ok := spec.Type.(*ast.StructType); ok {
					t.ends[spec.Name.Pos()] = s.Fields.Closing
				}
			}
		}
	}
	return t
}

// List gives the table. A [shape.TypeRef] is an index into it.
func (t *Types) List() []shape.Type { return t.list }

// Ref gives the index of a type, [shape.NoType] for nil.
func (t *Types) Ref(typ types.Type) shape.TypeRef {
	if typ == nil {
		return shape.NoType
	}
	typ = types.Unalias(typ)
	if ref, ok := t.refs.At(typ).(shape.TypeRef); ok {
		return ref
	}
	ref := shape.TypeRef(len(t.list))
	t.refs.Set(typ, ref) // before its parts, which may contain it
	t.list = append(t.list, shape.Type{})
	made := t.make(typ)
	if named, ok := typ.(*types.Named); ok {
		made.Pos = t.fset.Position(named.Obj().Pos())
		made.End = t.fset.Position(t.ends[named.Origin().Obj().Pos()])
		if prog := t.program(); prog != nil {
			if own := prog.declared(named); own != nil {
				if w, ok := prog.linesOf(own.Obj()); ok {
					made.Written = append(made.Written, w)
				}
			}
		}
	}
	t.list[ref] = made
	return ref
}

// make says how values of typ are written. Methods come first, as in encoding/json.
func (t *Types) make(typ types.Type) shape.Type {
	name := types.TypeString(typ, func(p *types.Package) string { return p.Path() })
	switch name {
	case "time.Time":
		return shape.Type{Kind: "time"}
	case "encoding/json.RawMessage":
		return shape.Type{Kind: "raw"}
	case "encoding/json.Number": // a string that is written as a number
		return shape.Type{Kind: "own", Name: name}
	}
	if _, pointer := typ.Underlying().(*types.Pointer); !pointer {
		switch {
		case hasMethod(typ, "MarshalJSON") || hasMethod(typ, "UnmarshalJSON"):
			return t.coded(shape.Type{Kind: "own", Name: name}, typ)
		case hasMethod(typ, "MarshalText") || hasMethod(typ, "UnmarshalText"):
			return t.coded(shape.Type{Kind: "text", Name: name}, typ)
		}
	}
	switch u := typ.Underlying().(type) {
	case *types.Basic:
		return basic(u)
	case *types.Pointer:
		return shape.Type{Kind: "pointer", Elem: t.Ref(u.Elem())}
	case *types.Slice:
		if b, ok := u.Elem().Underlying().(*types.Basic); ok && b.Kind() == types.Uint8 && t.plain(u.Elem()) {
			return shape.Type{Kind: "bytes"}
		}
		return shape.Type{Kind: "list", Elem: t.Ref(u.Elem())}
	case *types.Array:
		return shape.Type{Kind: "array", Bits: int(u.Len()), Elem: t.Ref(u.Elem())}
	case *types.Map:
		return shape.Type{Kind: "map", Key: t.Ref(u.Key()), Elem: t.Ref(u.Elem())}
	case *types.Struct:
		return shape.Type{Kind: "object", Name: types.TypeString(typ, func(p *types.Package) string { return p.Name() }), Fields: t.fields(u)}
	case *types.Interface:
		if u.Empty() {
			return shape.Type{Kind: "any"}
		}
	}
	return shape.Type{Kind: "own", Name: name} // cannot be a payload; the diagnostics say so
}

// plain reports whether a type has none of the methods that encoding/json looks for.
func (t *Types) plain(typ types.Type) bool {
	kind := t.list[t.Ref(typ)].Kind
	return kind != "own" && kind != "text"
}

func basic(b *types.Basic) shape.Type {
	sizes := map[types.BasicKind]int{
		types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Int64: 64, types.Int: 64,
		types.Uint8: 8, types.Uint16: 16, types.Uint32: 32, types.Uint64: 64, types.Uint: 64, types.Uintptr: 64,
		types.Float32: 32, types.Float64: 64,
	}
	kind := "own"
	switch info := b.Info(); {
	case info&types.IsString != 0:
		return shape.Type{Kind: "string"}
	case info&types.IsBoolean != 0:
		return shape.Type{Kind: "bool"}
	case info&types.IsUnsigned != 0:
		kind = "uint"
	case info&types.IsInteger != 0:
		kind = "int"
	case info&types.IsFloat != 0:
		kind = "float"
	default:
		return shape.Type{Kind: kind, Name: b.Name()}
	}
	bits := sizes[b.Kind()]
	if bits == 0 {
		bits = 64 // of an untyped constant
	}
	return shape.Type{Kind: kind, Bits: bits}
}

func hasMethod(typ types.Type, name string) bool {
	return methodOf(typ, name) != nil
}
