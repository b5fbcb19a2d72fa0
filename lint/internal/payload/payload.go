// Package payload finds what does not survive the way through JSON into a history and back: arguments, results, events and
// errors of annotated declarations, and values that code hands to the runtime.
package payload

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/annotations"
	"github.com/durablegen/durablegen/internal/collect"
	"github.com/durablegen/durablegen/lint/internal/code"
	"github.com/durablegen/durablegen/lint/internal/summary"
)

// Analyzer gives the []code.Finding of the rules DUR201 to DUR205.
var Analyzer = &analysis.Analyzer{
	Name:       "durablepayload",
	Doc:        "finds what does not survive the way into a history and back",
	Requires:   []*analysis.Analyzer{code.Analyzer, summary.Analyzer},
	Run:        run,
	ResultType: reflect.TypeFor[[]code.Finding](),
}

type checker struct {
	*code.Package
	effects *summary.Result
	found   []code.Finding
	told    map[place]bool
	fields  map[*types.Var]use // nil: not looked for
}

type place struct {
	rule string
	pos  token.Pos
}

func run(pass *analysis.Pass) (any, error) {
	c := &checker{
		Package: pass.ResultOf[code.Analyzer].(*code.Package), effects: pass.ResultOf[summary.Analyzer].(*summary.Result),
		told: map[place]bool{},
	}
	src := code.Source(pass)
	model, problems := collect.Collect(pass.Fset, src)
	for _, p := range problems {
		if len(p.Rule) == 6 && p.Rule[:4] == "DUR2" {
			c.report(code.Finding{Rule: p.Rule, Pos: p.Pos, Text: p.Message})
		}
	}
	for _, d := range model.Decls {
		c.declaration(d)
	}
	for _, f := range c.Funcs {
		if f.Inside {
			c.values(f)
		}
	}
	return c.found, nil
}

// report leaves out what was said of the same place: a type is used by many.
func (c *checker) report(f code.Finding) {
	at := place{f.Rule, f.Pos}
	if !c.told[at] {
		c.told[at] = true
		c.found = append(c.found, f)
	}
}

// declaration looks at the types of an annotated declaration that the generator accepts.
func (c *checker) declaration(d *collect.Decl) {
	switch node := d.Node.(type) {
	case *ast.FuncDecl:
		obj, ok := c.Pass.TypesInfo.Defs[node.Name].(*types.Func)
		if !ok {
			return
		}
		sig := obj.Signature()
		for v := range sig.Params().Variables() {
			if !code.IsContext(v.Type()) && !isStdContext(v.Type()) {
				c.walk(v.Type(), v.Name(), v.Pos(), string(d.Word)+" "+d.Local())
			}
		}
		if d.Func != nil && d.Func.Result != nil {
			r := sig.Results().At(0)
			c.walk(r.Type(), "the result", node.Type.Results.Pos(), string(d.Word)+" "+d.Local())
		}
	case *ast.TypeSpec:
		if d.Word == annotations.Event || d.Word == annotations.Error {
			c.walk(c.Pass.TypesInfo.TypeOf(node.Name), d.Ident, node.Name.Pos(), string(d.Word)+" "+d.Local())
		}
	}
}

func isStdContext(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "Context" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "context"
}
