package lock

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/durablegen/durablegen/gen/internal/names"
)

// Methods with which a type writes and reads itself.
var (
	marshals   = []string{"MarshalJSON", "MarshalText", "IsZero"}
	unmarshals = []string{"UnmarshalJSON", "UnmarshalText"}
)

// payload is a value that crosses the wire: if its type writes or reads itself, with what those methods do.
func (m *machine) payload(pos token.Pos, v *value, t types.Type, op string, methods []string) *value {
	if t == nil || runtimeType(t) != "" {
		return v
	}
	var sums []*value
	for _, fn := range m.methodsOf(t, methods) {
		sums = append(sums, m.summary(fn))
	}
	if len(sums) == 0 {
		return v
	}
	return m.val(pos, op, "", append([]*value{v}, sums...)...)
}

// recorded is an argument as it is recorded.
func (m *machine) recorded(v *value, t types.Type) *value {
	return m.payload(v.pos, v, t, "written", marshals)
}

// decoded is what was recorded, as the program gets it.
func (m *machine) decoded(pos token.Pos, v *value, t types.Type) *value {
	return m.payload(pos, v, t, "read", unmarshals)
}

// declaration is what a function takes and gives, or the type of an event, in the types of the sources that are read.
type declaration struct {
	params []types.Type
	result types.Type
}

func (d declaration) param(i int) types.Type {
	if i < len(d.params) {
		return d.params[i]
	}
	return nil
}

// declared gives the declaration of which a generated handle is called.
func (m *machine) declared(e *ast.CallExpr, d *names.Decl) declaration {
	x, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr)
	if !ok || m.frame.info.Selections[x] == nil {
		return declaration{}
	}
	handle, ok := types.Unalias(m.frame.info.Selections[x].Recv()).(*types.Named)
	if !ok || handle.Obj().Pkg() == nil {
		return declaration{}
	}
	switch obj := handle.Obj().Pkg().Scope().Lookup(d.Ident).(type) {
	case *types.TypeName:
		return declaration{result: obj.Type()}
	case *types.Func:
		var out declaration
		list := obj.Signature().Params()
		for i := list.Len() - len(d.Func.Params); i >= 0 && i < list.Len(); i++ {
			out.params = append(out.params, list.At(i).Type())
		}
		if d.Func.Result != nil {
			out.result = obj.Signature().Results().At(0).Type()
		}
		return out
	}
	return declaration{}
}
