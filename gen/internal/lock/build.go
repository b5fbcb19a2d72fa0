package lock

import (
	"go/ast"
	"go/token"

	"github.com/durablegen/durablegen/annotations"
	"github.com/durablegen/durablegen/gen/internal/names"
	"github.com/durablegen/durablegen/internal/collect"
	"github.com/durablegen/durablegen/internal/shape"
)

// Build makes the lock of a package, from types that all locks of the run may share. It has no orchestrators, activities and events when there is nothing to lock.
func Build(fset *token.FileSet, types *Types, plan *names.Plan, files []*ast.File, flows map[*names.Decl]shape.Flow) *shape.Lock {
	b := builder{fset, types}
	l := &shape.Lock{Format: shape.Format, Package: plan.Path}
	if len(files) > 0 {
		l.Pos = fset.Position(files[0].Package)
	}
	for _, d := range plan.Decls {
		directive := fset.Position(d.Directive.Pos)
		switch {
		case d.Event != nil:
			params := []shape.Param{{Type: types.Ref(d.Event.Type), Pos: d.Pos}}
			l.Events = append(l.Events, shape.Endpoint{Name: d.Wire, Aliases: d.Aliases, Params: params, Result: shape.NoType, Pos: d.Pos, Directive: directive})
		case d.Word == annotations.Activity:
			l.Activities = append(l.Activities, shape.Endpoint{Name: d.Wire, Aliases: d.Aliases, Params: b.params(d.Decl), Result: types.Ref(d.Func.Result), Pos: d.Pos, Directive: directive})
		case d.Word == annotations.Orchestrator:
			l.Orchestrators = append(l.Orchestrators, shape.Orchestrator{
				Name: d.Wire, Aliases: d.Aliases, Version: d.Version, Group: d.Group, Params: b.params(d.Decl), Result: types.Ref(d.Func.Result),
				Flow: flows[d], Func: d.Ident, Pos: d.Pos, Directive: directive,
			})
		}
	}
	l.Types = types.List()
	return l
}

type builder struct {
	fset  *token.FileSet
	types *Types
}

// params gives what a function takes. The name of a single one is not on the wire.
func (b builder) params(d *collect.Decl) []shape.Param {
	var out []shape.Param
	at := b.positions(d)
	for i, p := range d.Func.Params {
		param := shape.Param{Name: p.Name, Type: b.types.Ref(p.Type), Pos: d.Pos}
		if len(d.Func.Params) == 1 {
			param.Name = ""
		}
		if n := len(at) - len(d.Func.Params) + i; n >= 0 {
			param.Pos = at[n]
		}
		out = append(out, param)
	}
	return out
}

// positions gives where the parameters of a function stand, its context included.
func (b builder) positions(d *collect.Decl) []token.Position {
	fn, ok := d.Node.(*ast.FuncDecl)
	if !ok {
		return nil
	}
	var list []token.Position
	for _, field := range fn.Type.Params.List {
		for _, name := range field.Names {
			list = append(list, b.fset.Position(name.Pos()))
		}
		if len(field.Names) == 0 {
			list = append(list, b.fset.Position(field.Type.Pos()))
		}
	}
	return list
}
