package contract

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/internal/collect"
	"github.com/durablegen/durablegen/lint/internal/code"
)

// declarations says of annotated declarations what the generator says (DUR108, DUR109), in the same words, and whether the
// generated file still fits them.
func (c *checker) declarations() {
	src := code.Source(c.Pass)
	model, problems := collect.Collect(c.Pass.Fset, src)
	for _, p := range append(problems, collect.StoredClashes(model)...) {
		if p.Rule == "DUR108" || p.Rule == "DUR109" {
			c.report(code.Finding{Rule: p.Rule, Pos: p.Pos, Text: p.Message, Fixes: c.otherContext(p)})
		}
	}
	c.registered(model)
	c.together()
}

// together finds stored names that two packages have which are registered by the same function (DUR109).
func (c *checker) together() {
	for _, file := range c.Pass.Files {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			owners := map[string]string{}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					c.registers(call, owners)
				}
				return true
			})
		}
	}
}

// registers adds the names of a package whose RegisterDurable is called to those that are taken.
func (c *checker) registers(call *ast.CallExpr, owners map[string]string) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "RegisterDurable" {
		return
	}
	fn, ok := c.Pass.TypesInfo.Uses[sel.Sel].(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Pkg() == c.Pass.Pkg {
		return
	}
	for _, s := range c.NamesOf(fn.Pkg()) {
		if other := owners[s.Name]; other != "" && other != s.Of {
			c.report(code.Finding{Rule: "DUR109", Pos: call.Pos(), Text: fmt.Sprintf(
				"the stored name %q of %s already belongs to %s, which is registered here too; history could not tell them apart: choose another with name=",
				s.Name, s.Of, other)})
			continue
		}
		owners[s.Name] = s.Of
	}
}

// otherContext exchanges a context of the wrong kind for the right one, where the file imports its package.
func (c *checker) otherContext(p collect.Problem) []analysis.SuggestedFix {
	field := c.fieldAt(p.Pos)
	if field == nil {
		return nil
	}
	want := ""
	switch {
	case strings.HasPrefix(p.Message, "an orchestrator takes a context.Context"), strings.HasPrefix(p.Message, "an orchestrator takes a pointer"):
		want = collect.RuntimePath
	case strings.HasPrefix(p.Message, "an activity takes a durable.Context"):
		want = "context"
	default:
		return nil
	}
	name := c.importName(p.Pos, want)
	if name == "" {
		return nil
	}
	edit := analysis.TextEdit{Pos: field.Type.Pos(), End: field.Type.End(), NewText: []byte(name + ".Context")}
	return []analysis.SuggestedFix{{Message: "Take a " + name + ".Context", TextEdits: []analysis.TextEdit{edit}}}
}

// fieldAt is the parameter that begins at a position.
func (c *checker) fieldAt(pos token.Pos) (at *ast.Field) {
	ast.Inspect(c.File(pos), func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && f.Pos() == pos {
			at = f
		}
		return at == nil && n != nil && n.Pos() <= pos && pos < n.End()
	})
	return at
}

// importName is what the file of a position calls a package; "" when it does not import it.
func (c *checker) importName(pos token.Pos, path string) string {
	for _, spec := range c.File(pos).Imports {
		if pkg := c.Pass.TypesInfo.PkgNameOf(spec); pkg != nil && pkg.Imported().Path() == path && pkg.Name() != "_" && pkg.Name() != "." {
			return pkg.Name()
		}
	}
	return ""
}

// registered compares the annotated functions with the generated file (DUR109): one that is missing there is registered
// nowhere, one with another name is registered under a name that its code no longer has.
func (c *checker) registered(model *collect.Package) {
	names, ok := c.generatedNames()
	if !ok {
		return
	}
	for _, d := range model.Decls {
		if d.Func == nil {
			continue
		}
		name, there := names[c.Pass.Pkg.Path()+"."+d.Local()]
		switch want := d.StoredName(model.Name); {
		case !there:
			c.report(code.Finding{Rule: "DUR109", Pos: d.Start, Text: string(d.Word) + " " + d.Local() +
				" is not in durable_gen.go, so that no worker knows it: run go generate"})
		case name != want:
			c.report(code.Finding{Rule: "DUR109", Pos: d.Start, Text: string(d.Word) + " " + d.Local() + " has the stored name " + want +
				", and durable_gen.go still has " + name + ", which running instances may know: run go generate, and keep the old name with alias=" + name})
		}
	}
}

// generatedNames are the stored names in the generated file, by the source that they stand for.
func (c *checker) generatedNames() (names map[string]string, ok bool) {
	names = map[string]string{}
	for _, file := range c.Pass.Files {
		if !strings.HasSuffix(c.Pass.Fset.Position(file.Package).Filename, "durable_gen.go") {
			continue
		}
		ok = true
		ast.Inspect(file, func(n ast.Node) bool {
			lit, isLit := n.(*ast.CompositeLit)
			if !isLit {
				return true
			}
			t := c.Pass.TypesInfo.TypeOf(lit)
			if t == nil || !code.IsRuntime(t, "Orchestrator") && !code.IsRuntime(t, "Activity") {
				return true
			}
			names[c.text(lit, "Source")] = c.text(lit, "Name")
			return true
		})
	}
	return names, ok
}

// text is a constant field of a literal.
func (c *checker) text(lit *ast.CompositeLit, field string) string {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); ok && key.Name == field {
			if v := c.Pass.TypesInfo.Types[kv.Value].Value; v != nil && v.Kind() == constant.String {
				return constant.StringVal(v)
			}
		}
	}
	return ""
}
