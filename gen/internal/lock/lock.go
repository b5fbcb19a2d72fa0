// Package lock reads what the orchestrators of a package decide, in which order and from what, and gives it as the flow
// of a lock.
//
// It runs every orchestrator with symbols for values, function calls in place: what only computes becomes a value, what
// takes a slot, waits or chooses between such things becomes a node. So two sources that do the same give the same
// flow, whatever they look like.
package lock

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/durablegen/durablegen/annotations"
	"github.com/durablegen/durablegen/gen/internal/names"
	"github.com/durablegen/durablegen/internal/collect"
	"github.com/durablegen/durablegen/internal/shape"
)

// Source is one package of a run, checked together with its new generated file.
type Source struct {
	Path  string
	Files []*ast.File // the generated one included
	Types *types.Package
	Info  *types.Info // all maps of expressions and identifiers
	Plan  *names.Plan // nil: not annotated
}

// Flows reads the orchestrators of the sources that want accepts (nil: all). typeOf gives the reference of a result's
// type (nil: none is given). Equal values have an entry for each place where they are written, because of the
// positions; see [shape.Canonical]. The sources are only read; several calls may run at once.
func Flows(fset *token.FileSet, sources []*Source, want func(*Source) bool, typeOf func(types.Type) shape.TypeRef) map[*names.Decl]shape.Flow {
	prog := newProgram(fset, sources, typeOf)
	flows := map[*names.Decl]shape.Flow{}
	second := secondPass{all: map[*names.Decl]*machine{}}
	for _, src := range sources {
		if src.Plan == nil || want != nil && !want(src) {
			continue
		}
		for _, d := range src.Plan.Decls {
			if d.Word != annotations.Orchestrator || d.Func == nil {
				continue
			}
			obj, _ := src.Types.Scope().Lookup(d.Ident).(*types.Func)
			if fn := prog.funcs[obj]; fn != nil {
				flow, m := prog.flow(fn, d.Func.Params)
				flow.Written = prog.lines(append([]types.Object{obj}, prog.reached(prog.codeOf(obj))...))
				flows[d] = flow
				second.add(d, m)
			}
		}
	}
	second.read(prog, flows)
	return flows
}

// flow runs one orchestrator, and gives what has read it, too.
func (prog *program) flow(fn *function, params []collect.Param) (shape.Flow, *machine) {
	m := newMachine(prog, nil)
	m.home = fn.obj.Pkg()
	p := m.begin()
	args := []*value{m.leaf("ctx", "", fn.decl.Pos())}
	sig := fn.obj.Signature()
	for i, param := range params {
		v := m.leaf("param", param.Name, fn.decl.Pos())
		if len(params) == 1 {
			v = m.leaf("param", "", fn.decl.Pos())
		}
		if i+1 < sig.Params().Len() {
			v.pos = sig.Params().At(i + 1).Pos()
		}
		args = append(args, m.shelter(p, param.Type, v))
	}
	p.push(args...)
	m.cur = []*path{p}
	m.inline(fn, nil, len(args), fn.decl.Pos())
	m.finish(fn.decl.Body, false)
	return m.emit(), m
}
