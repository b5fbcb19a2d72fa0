package lock

import (
	"go/ast"
	"go/token"
	"slices"

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
		switch {
		case d.Event != nil:
			l.Events = append(l.Events, b.endpoint(d))
		case d.Word == annotations.Activity:
			l.Activities = append(l.Activities, b.endpoint(d))
		case d.Word == annotations.Orchestrator:
			e := b.endpoint(d)
			l.Orchestrators = append(l.Orchestrators, shape.Orchestrator{
				Name: e.Name, Aliases: e.Aliases, Version: d.Version, Group: d.Group, Params: e.Params, Result: e.Result,
				Flow: flows[d], Func: d.Ident, Pos: e.Pos, Directive: e.Directive,
			})
		}
	}
	l.Types = types.List()
	l.Describe()
	l.Written = declarations(l.Orchestrators)
	return l
}

// declarations gives those that orchestrators reach, each once.
func declarations(orchestrators []shape.Orchestrator) (out []shape.Written) {
	seen := map[[2]string]bool{}
	for _, o := range orchestrators {
		for _, w := range o.Flow.Written {
			if key := [2]string{w.Name, w.Pieces}; !seen[key] {
				seen[key], out = true, append(out, w)
			}
		}
	}
	return out
}

type builder struct {
	fset  *token.FileSet
	types *Types
}

// Foreign adds what flows name of other packages, as far as it is among plans.
func Foreign(fset *token.FileSet, types *Types, l *shape.Lock, plans []*names.Plan) {
	b := builder{fset, types}
	own := func(name string) bool {
		return slices.ContainsFunc(l.Orchestrators, func(o shape.Orchestrator) bool { return o.Name == name })
	}
	for _, o := range l.Orchestrators {
		used := o.Flow.Uses()
		for _, plan := range plans {
			if plan.Path == l.Package {
				continue
			}
			for _, d := range plan.Decls {
				switch {
				case d.Event != nil && used[shape.Receive][d.Wire]:
					l.Events = b.add(l.Events, d)
				case d.Word == annotations.Activity && used[shape.Activity][d.Wire]:
					l.Activities = b.add(l.Activities, d)
				case d.Word == annotations.Orchestrator && used[shape.Child][d.Wire] && !own(d.Wire):
					l.Children = b.add(l.Children, d)
				}
			}
		}
	}
	l.Types = types.List()
	l.Describe()
	l.Written = declarations(l.Orchestrators)
}

func (b builder) add(list []shape.Endpoint, d *names.Decl) []shape.Endpoint {
	if slices.ContainsFunc(list, func(e shape.Endpoint) bool { return e.Name == d.Wire }) {
		return list
	}
	return append(list, b.endpoint(d))
}

// endpoint gives a declaration without what is an orchestrator's own.
func (b builder) endpoint(d *names.Decl) shape.Endpoint {
	e := shape.Endpoint{Name: d.Wire, Aliases: d.Aliases, Result: shape.NoType, Func: d.Ident, Pos: d.Pos, Directive: b.fset.Position(d.Directive.Pos)}
	if d.Event != nil {
		e.Params = []shape.Param{{Type: b.types.Ref(d.Event.Type), Pos: d.Pos}}
		return e
	}
	e.Params, e.Result = b.params(d.Decl), b.types.Ref(d.Func.Result)
	return e
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
