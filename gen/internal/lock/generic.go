package lock

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

// typeArgs are what the type parameters of a generic function stand for in one call of it.
type typeArgs map[*types.TypeParam]types.Type

func (a typeArgs) String() string {
	all := make([]string, 0, len(a))
	for param, arg := range a {
		all = append(all, param.Obj().Name()+"="+typeName(arg))
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

// exprType is the type of an expression, in the call that is being read.
func (m *machine) exprType(e ast.Expr) types.Type { return m.frame.actual(m.frame.info.TypeOf(e)) }

// actual is a type with what its type parameters stand for.
func (f *frame) actual(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	switch u := types.Unalias(t).(type) {
	case *types.TypeParam:
		for g := f; g != nil; g = g.outer {
			if own := g.types[u]; own != nil {
				return own
			}
		}
	case *types.Pointer:
		if e := f.actual(u.Elem()); e != u.Elem() {
			return types.NewPointer(e)
		}
	case *types.Slice:
		if e := f.actual(u.Elem()); e != u.Elem() {
			return types.NewSlice(e)
		}
	case *types.Array:
		if e := f.actual(u.Elem()); e != u.Elem() {
			return types.NewArray(e, u.Len())
		}
	case *types.Map:
		k, e := f.actual(u.Key()), f.actual(u.Elem())
		if k != u.Key() || e != u.Elem() {
			return types.NewMap(k, e)
		}
	case *types.Named:
		return f.instance(u)
	}
	return t
}

func (f *frame) instance(t *types.Named) types.Type {
	if t.TypeArgs() == nil {
		return t
	}
	args, changed := make([]types.Type, t.TypeArgs().Len()), false
	for i := range args {
		args[i] = f.actual(t.TypeArgs().At(i))
		changed = changed || args[i] != t.TypeArgs().At(i)
	}
	if !changed {
		return t
	}
	made, err := types.Instantiate(nil, t.Origin(), args, false)
	if err != nil {
		return t
	}
	return made
}

// argsOf gives what the type parameters of a function stand for where an identifier names it.
func (m *machine) argsOf(fn *types.Func, id *ast.Ident) typeArgs {
	return m.bindTypes(fn.Origin().Signature().TypeParams(), m.frame.info.Instances[id].TypeArgs)
}

// argsOfRecv gives what the type parameters of a method's receiver stand for.
func (m *machine) argsOfRecv(fn *types.Func) typeArgs {
	recv := fn.Signature().Recv()
	if recv == nil {
		return nil
	}
	t := recv.Type()
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return nil
	}
	return m.bindTypes(fn.Origin().Signature().RecvTypeParams(), named.TypeArgs())
}

func (m *machine) bindTypes(params *types.TypeParamList, args *types.TypeList) typeArgs {
	if params == nil || args == nil || params.Len() != args.Len() {
		return nil
	}
	bound := typeArgs{}
	for i := range params.Len() {
		bound[params.At(i)] = m.frame.actual(args.At(i))
	}
	return bound
}
