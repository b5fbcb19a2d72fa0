package load

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"runtime"
	"slices"

	"golang.org/x/tools/go/packages"

	"github.com/durablegen/durablegen/gen/internal/diag"
)

// checkSignatures is the first check: declarations only, so that bodies may name handles that do not exist yet.
func (p *Program) checkSignatures() {
	done := map[string]*types.Package{}
	for _, pkg := range p.Packages {
		pkg.Defs = map[*ast.Ident]types.Object{}
		pkg.Types, _ = p.check(pkg, pkg.Files, done, &types.Info{Defs: pkg.Defs}, true) // mistakes come again in the second check
		done[pkg.Path] = pkg.Types
	}
}

// Verify is the second check: all packages at once, with the new bytes of their generated files and with the bodies of
// all, so that handles of one package are seen by the others. No diagnostics mean that everything compiles; those in bodies
// of dependencies are left out, they are for the runs that ask for these packages.
func (p *Program) Verify(generated map[*Package][]byte) (map[*Package][]diag.Diagnostic, error) {
	problems := map[*Package][]diag.Diagnostic{}
	done := map[string]*types.Package{}
	for _, pkg := range p.Packages {
		files := pkg.Files
		if src := generated[pkg]; src != nil {
			var err error
			if files, err = pkg.addGenerated(p.Fset, src); err != nil {
				return nil, err
			}
		}
		info := newInfo()
		checked, found := p.check(pkg, files, done, info, false)
		done[pkg.Path] = checked
		pkg.Checked = &Checked{Files: files, Types: checked, Info: info, Sound: len(found) == 0}
		if !pkg.Target {
			found = slices.DeleteFunc(found, func(d diag.Diagnostic) bool { return p.inBody(files, d.Pos) })
		}
		problems[pkg] = found
	}
	return problems, nil
}

func newInfo() *types.Info {
	return &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Implicits:  map[ast.Node]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
		Instances:  map[*ast.Ident]types.Instance{},
	}
}

// inBody reports whether a position is in the body of a function.
func (p *Program) inBody(files []*ast.File, pos token.Position) bool {
	for _, file := range files {
		if p.Fset.Position(file.FileStart).Filename != pos.Filename {
			continue
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && fn.Body != nil && p.Fset.Position(fn.Body.Lbrace).Offset < pos.Offset && pos.Offset <= p.Fset.Position(fn.Body.Rbrace).Offset {
				return true
			}
		}
	}
	return false
}

// check type-checks one package whose source dependencies are in done.
func (p *Program) check(pkg *Package, files []*ast.File, done map[string]*types.Package, info *types.Info, signatures bool) (*types.Package, []diag.Diagnostic) {
	var problems []diag.Diagnostic
	cfg := types.Config{
		Importer:         packageImporter{p, pkg, done},
		IgnoreFuncBodies: signatures,
		FakeImportC:      true,
		Sizes:            types.SizesFor("gc", runtime.GOARCH),
		Error:            func(err error) { problems = append(problems, p.diagnostic(pkg, err)) },
	}
	if m := pkg.listed.Module; m != nil && m.GoVersion != "" {
		cfg.GoVersion = "go" + m.GoVersion
	}
	checked, _ := cfg.Check(pkg.Path, p.Fset, files, info) // every error went through cfg.Error
	return checked, problems
}

func (p *Program) diagnostic(pkg *Package, err error) diag.Diagnostic {
	var e types.Error
	if !errors.As(err, &e) {
		return diag.Diagnostic{Message: err.Error()}
	}
	pos := p.Fset.Position(e.Pos)
	if pos.Filename == pkg.GenPath && !pkg.Foreign {
		return diag.At(pos, "the code that durablegen would write does not compile against the runtime that go.mod selects: %s; "+
			"use durablegen and runtime of the same version, and report it if they are", e.Msg)
	}
	return diag.Diagnostic{Pos: pos, Message: e.Msg}
}

// packageImporter resolves the imports of one package: to what this run checks from source, else to export data.
type packageImporter struct {
	program *Program
	pkg     *Package
	done    map[string]*types.Package
}

func (i packageImporter) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if dep := i.pkg.listed.Imports[path]; dep != nil {
		path = dep.PkgPath
	}
	if source := i.done[path]; source != nil {
		return source, nil
	}
	return i.program.deps.Import(path)
}

// exportImporter reads compiler export data.
type exportImporter struct {
	types.Importer
	exports map[string]*packages.Package
}

func newExportImporter(fset *token.FileSet, exports map[string]*packages.Package) *exportImporter {
	i := &exportImporter{exports: exports}
	i.Importer = importer.ForCompiler(fset, "gc", i.open)
	return i
}

func (i *exportImporter) open(path string) (io.ReadCloser, error) {
	pkg := i.exports[path]
	if pkg == nil {
		return nil, fmt.Errorf("no package %s among the dependencies", path)
	}
	if pkg.ExportFile == "" {
		why := "it does not build"
		if len(pkg.Errors) > 0 {
			why = pkg.Errors[0].Msg
		}
		return nil, fmt.Errorf("%s", why)
	}
	return os.Open(pkg.ExportFile)
}
