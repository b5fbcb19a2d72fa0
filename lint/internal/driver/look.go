package driver

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/packages"
)

// look checks one package and runs the analyzers.
func (d *driver) look(u *unit) {
	u.problems = d.check(u)
	if !u.asked {
		u.files, u.results = nil, nil // facts are all that is needed of it
	}
}

func (d *driver) check(u *unit) []error {
	if err := d.parse(u); err != nil {
		return split(err)
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{}, Defs: map[*ast.Ident]types.Object{},
		Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
		Scopes: map[ast.Node]*types.Scope{}, FileVersions: map[*ast.File]string{},
	}
	var errs []error
	check := types.Config{
		Importer: importing{d.exports, u.Package}, Sizes: types.SizesFor("gc", runtime.GOARCH),
		Error: func(err error) { errs = append(errs, err) },
	}
	if m := u.Module; m != nil && m.GoVersion != "" {
		check.GoVersion = "go" + m.GoVersion
	}
	checked, err := check.Check(d.cfg.Path(u.PkgPath), d.fset, u.files, info)
	switch {
	case err != nil:
		return errs // those of the go command are the same, with worse positions
	case len(u.Errors) > 0:
		for _, e := range u.Errors {
			errs = append(errs, e)
		}
		return errs
	}
	r := &run{driver: d, unit: u, types: checked, info: info, seen: &lookup{facts: d.facts}}
	u.results = map[*analysis.Analyzer]any{}
	for _, a := range d.cfg.Analyzers {
		if _, err := r.analyze(a); err != nil {
			return []error{fmt.Errorf("%s: %w", a.Name, err)}
		}
	}
	return nil
}

func (d *driver) parse(u *unit) error {
	names := u.CompiledGoFiles
	if len(names) == 0 {
		names = u.GoFiles // the go command gave up before it had them
	}
	for _, name := range names {
		src, err := d.cfg.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(d.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		u.files = append(u.files, file)
	}
	return nil
}

// split gives the errors of a parser one by one.
func split(err error) []error {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return []error{err}
	}
	var errs []error
	for _, e := range list {
		errs = append(errs, e)
	}
	return errs
}

// exports reads what the compiler says of packages.
type exports struct {
	mu     sync.Mutex
	files  map[string]*packages.Package
	reader types.Importer
}

func newExports(fset *token.FileSet, graph []*packages.Package) *exports {
	e := &exports{files: map[string]*packages.Package{}}
	packages.Visit(graph, nil, func(pkg *packages.Package) { e.files[pkg.PkgPath] = pkg })
	e.reader = importer.ForCompiler(fset, "gc", e.open)
	return e
}

func (e *exports) open(path string) (io.ReadCloser, error) {
	pkg := e.files[path]
	if pkg == nil || pkg.ExportFile == "" {
		return nil, fmt.Errorf("%s does not build", path)
	}
	return os.Open(pkg.ExportFile)
}

// importing resolves the imports of one package, vendored ones too.
type importing struct {
	*exports
	pkg *packages.Package
}

func (i importing) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if dep := i.pkg.Imports[path]; dep != nil {
		path = dep.PkgPath
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.reader.Import(path)
}

// run is one package under the analyzers.
type run struct {
	*driver
	*unit
	types *types.Package
	info  *types.Info
	seen  *lookup
}

func (r *run) analyze(a *analysis.Analyzer) (v any, err error) {
	if v, ok := r.results[a]; ok {
		return v, nil
	}
	if v, ok := r.cfg.Given[a]; ok {
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
	defer func() {
		if p := recover(); p != nil { // one package that nobody foresaw is no reason to say nothing of the others
			err = fmt.Errorf("panic, please report it: %v\n%s", p, debug.Stack())
		}
	}()
	v, err = a.Run(r.pass(a, needs))
	r.results[a] = v
	return v, err
}

func (r *run) pass(a *analysis.Analyzer, needs map[*analysis.Analyzer]any) *analysis.Pass {
	pass := &analysis.Pass{
		Analyzer: a, Fset: r.fset, Files: r.files, OtherFiles: r.OtherFiles, IgnoredFiles: r.IgnoredFiles,
		Pkg: r.types, TypesInfo: r.info, TypesSizes: types.SizesFor("gc", runtime.GOARCH), ResultOf: needs, ReadFile: r.cfg.ReadFile,
		Report: func(diag analysis.Diagnostic) {
			if r.asked && slices.Contains(r.cfg.Analyzers, a) {
				r.findings = append(r.findings, Finding{r.PkgPath, diag})
			}
		},
		ImportObjectFact: func(obj types.Object, f analysis.Fact) bool {
			return obj != nil && obj.Pkg() != nil && r.reach[obj.Pkg().Path()] && r.seen.object(obj, f)
		},
		ExportObjectFact:  r.seen.putObject,
		ImportPackageFact: func(pkg *types.Package, f analysis.Fact) bool { return r.reach[pkg.Path()] && r.facts.pkg(pkg, f) },
		ExportPackageFact: func(f analysis.Fact) { r.facts.putPackage(r.types, f) },
		AllObjectFacts:    func() []analysis.ObjectFact { return nil },
		AllPackageFacts:   func() []analysis.PackageFact { return nil },
	}
	if m := r.Module; m != nil {
		pass.Module = &analysis.Module{Path: m.Path, Version: m.Version, GoVersion: m.GoVersion}
	}
	return pass
}
