// Package driver runs analyzers over packages as go vet does, in one process.
//
// Each package is checked from source by itself, all that it imports comes from the compiler's export data, and facts go from
// package to package by name. So a run gives what go vet -vettool gives, and the standard library is never read.
package driver

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"runtime"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/packages"
)

// Config says what to look at.
type Config struct {
	Dir       string // defaults to the current folder
	Patterns  []string
	Analyzers []*analysis.Analyzer
	Skip      func(path string) bool // packages that need no facts; they are not read
}

// Result is what was found.
type Result struct {
	Fset     *token.FileSet
	Findings []Finding // by position
	Problems []Problem
}

// Finding is one diagnostic of a package that was asked for.
type Finding struct {
	Package string
	analysis.Diagnostic
}

// Problem is why a package was not looked at.
type Problem struct {
	Package string
	Err     error
}

const mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
	packages.NeedExportFile | packages.NeedModule | packages.NeedTypesSizes

// Run looks at the packages and what they depend on.
func Run(cfg Config) (*Result, error) {
	graph, err := packages.Load(&packages.Config{Mode: mode, Dir: cfg.Dir}, cfg.Patterns...)
	if err != nil {
		return nil, fmt.Errorf("load packages: %w", err)
	}
	d := &driver{
		cfg: cfg, fset: token.NewFileSet(), exports: map[string]*packages.Package{}, facts: newFacts(),
		asked: map[*packages.Package]bool{}, result: &Result{},
	}
	d.result.Fset = d.fset
	d.importer = importer.ForCompiler(d.fset, "gc", d.open)
	for _, pkg := range graph {
		d.asked[pkg] = true
	}
	var order []*packages.Package
	packages.Visit(graph, nil, func(pkg *packages.Package) { d.exports[pkg.PkgPath] = pkg })
	looked := func(pkg *packages.Package) bool { return !cfg.Skip(pkg.PkgPath) } // below those nobody asks for facts
	packages.Visit(graph, looked, func(pkg *packages.Package) {
		if looked(pkg) {
			order = append(order, pkg)
		}
	})
	for _, pkg := range order {
		if err := d.look(pkg); err != nil {
			d.result.Problems = append(d.result.Problems, Problem{pkg.PkgPath, err})
		}
	}
	d.sort()
	return d.result, nil
}

type driver struct {
	cfg      Config
	fset     *token.FileSet
	exports  map[string]*packages.Package
	importer types.Importer
	facts    *facts
	asked    map[*packages.Package]bool
	result   *Result
}

func (d *driver) open(path string) (io.ReadCloser, error) {
	pkg := d.exports[path]
	if pkg == nil || pkg.ExportFile == "" {
		return nil, fmt.Errorf("no export data of %s: it does not build", path)
	}
	return os.Open(pkg.ExportFile)
}

// look checks one package and runs the analyzers.
func (d *driver) look(pkg *packages.Package) error {
	if len(pkg.Errors) > 0 {
		return pkg.Errors[0]
	}
	var files []*ast.File
	for _, name := range pkg.CompiledGoFiles {
		file, err := parser.ParseFile(d.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{}, Defs: map[*ast.Ident]types.Object{},
		Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
		Scopes: map[ast.Node]*types.Scope{}, FileVersions: map[*ast.File]string{},
	}
	check := types.Config{Importer: importing{d, pkg}, Sizes: types.SizesFor("gc", runtime.GOARCH)}
	if m := pkg.Module; m != nil && m.GoVersion != "" {
		check.GoVersion = "go" + m.GoVersion
	}
	checked, err := check.Check(pkg.PkgPath, d.fset, files, info)
	if err != nil {
		return err
	}
	r := &run{driver: d, pkg: pkg, files: files, types: checked, info: info, results: map[*analysis.Analyzer]any{}}
	for _, a := range d.cfg.Analyzers {
		if _, err := r.analyze(a); err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	return nil
}

// importing resolves the imports of one package, vendored ones too.
type importing struct {
	*driver
	pkg *packages.Package
}

func (i importing) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if dep := i.pkg.Imports[path]; dep != nil {
		path = dep.PkgPath
	}
	return i.importer.Import(path)
}

// run is one package under the analyzers.
type run struct {
	*driver
	pkg     *packages.Package
	files   []*ast.File
	types   *types.Package
	info    *types.Info
	results map[*analysis.Analyzer]any
}

func (r *run) analyze(a *analysis.Analyzer) (any, error) {
	if v, ok := r.results[a]; ok {
		return v, nil
	}
	needs := map[*analysis.Analyzer]any{}
	for _, need := range a.Requires {
		v, err := r.analyze(need)
		if err != nil {
			return nil, err
		}
		needs[need] = v
	}
	pass := &analysis.Pass{
		Analyzer: a, Fset: r.fset, Files: r.files, OtherFiles: r.pkg.OtherFiles, IgnoredFiles: r.pkg.IgnoredFiles,
		Pkg: r.types, TypesInfo: r.info, TypesSizes: types.SizesFor("gc", runtime.GOARCH), ResultOf: needs, ReadFile: os.ReadFile,
		Report: func(diag analysis.Diagnostic) {
			if r.asked[r.pkg] {
				r.result.Findings = append(r.result.Findings, Finding{r.pkg.PkgPath, diag})
			}
		},
		ImportObjectFact:  r.facts.object,
		ExportObjectFact:  r.facts.putObject,
		ImportPackageFact: r.facts.pkg,
		ExportPackageFact: func(f analysis.Fact) { r.facts.putPackage(r.types, f) },
		AllObjectFacts:    func() []analysis.ObjectFact { return nil },
		AllPackageFacts:   func() []analysis.PackageFact { return nil },
	}
	if m := r.pkg.Module; m != nil {
		pass.Module = &analysis.Module{Path: m.Path, Version: m.Version, GoVersion: m.GoVersion}
	}
	v, err := a.Run(pass)
	r.results[a] = v
	return v, err
}

func (d *driver) sort() {
	slices.SortStableFunc(d.result.Findings, func(a, b Finding) int {
		p, q := d.fset.Position(a.Pos), d.fset.Position(b.Pos)
		if c := compare(p, q); c != 0 {
			return c
		}
		return compareText(a.Message, b.Message)
	})
}
