package payload

import (
	"go/types"
	"reflect"

	"golang.org/x/tools/go/ssa"
)

// use is how the code of the package uses a field: whether functions read it that do not set it, and whether others do.
type use struct{ relied, kept bool }

// missed reports whether somebody misses a field that JSON leaves behind. One that is only read where it is set is a cache, which
// is filled again. The tag "-" says that a field is meant to stay, which is wrong only when code reads it all the same.
func (c *checker) missed(f *types.Var, tag reflect.StructTag) bool {
	if c.fields == nil {
		c.readFields()
	}
	u := c.fields[f.Origin()]
	if tag.Get("json") == "-" {
		return u.relied
	}
	return u.relied || !u.kept
}

func (c *checker) readFields() {
	c.fields = map[*types.Var]use{}
	for _, f := range c.Funcs {
		read, set := map[*types.Var]bool{}, map[*types.Var]bool{}
		for _, b := range f.Blocks {
			for _, in := range b.Instrs {
				switch in := in.(type) {
				case *ssa.Field:
					read[fieldOf(in.X.Type(), in.Field)] = true
				case *ssa.FieldAddr:
					v := fieldOf(in.X.Type().Underlying().(*types.Pointer).Elem(), in.Field)
					for _, r := range *in.Referrers() {
						if s, ok := r.(*ssa.Store); ok && s.Addr == in {
							set[v] = true
						} else {
							read[v] = true
						}
					}
				}
			}
		}
		for v := range read {
			u := c.fields[v]
			u.relied, u.kept = u.relied || !set[v], u.kept || set[v]
			c.fields[v] = u
		}
	}
}

func fieldOf(t types.Type, i int) *types.Var { return t.Underlying().(*types.Struct).Field(i).Origin() }
