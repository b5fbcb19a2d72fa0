package driver

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"os"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/packages"
)

// Unit is one package as the go command describes it to a tool of go vet. (The unitchecker of x/tools reads the same, but has
// the types of everything, the standard library too, from its own files: a first run takes it minutes.)
type Unit struct {
	ID            string // with the name of the test that it is compiled for
	ImportPath    string
	GoVersion     string
	GoFiles       []string
	NonGoFiles    []string
	IgnoredFiles  []string
	ModulePath    string
	ModuleVersion string
	ImportMap     map[string]string // import path to package path
	PackageFile   map[string]string // package path to export data
	PackageVetx   map[string]string // package path to facts
	VetxOnly      bool              // only facts are asked for
	VetxOutput    string
	Stdout        string // file for what is printed as JSON
}

// ReadUnit reads the description of a package.
func ReadUnit(path string) (*Unit, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	u := &Unit{}
	if err := json.Unmarshal(text, u); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return u, nil
}

// RunUnit looks at the package of a unit, with the facts of what it imports, and writes its own.
func RunUnit(ctx context.Context, cfg Config, u *Unit) (*Result, error) {
	if u.VetxOnly && cfg.Skip(u.ImportPath) || u.onlyTests() {
		return &Result{Fset: token.NewFileSet()}, os.WriteFile(u.VetxOutput, nil, 0o666)
	}
	register(cfg.Analyzers, map[*analysis.Analyzer]bool{})
	cfg.ReadFile, cfg.Path, cfg.Matters = os.ReadFile, func(path string) string { return path }, nil
	if cfg.Skip(u.ImportPath) { // asked for all the same
		cfg.Skip = func(path string) bool { return path != u.ImportPath }
	}
	pkg := u.listed()
	d := newDriver(cfg, []*packages.Package{pkg})
	own := d.units[pkg]
	for path, name := range u.PackageVetx {
		if err := d.facts.read(name, own.reach); err != nil {
			return nil, fmt.Errorf("facts of %s: %w", path, err)
		}
	}
	own.asked = !u.VetxOnly
	d.look(own)
	if len(own.problems) > 0 {
		return nil, errors.Join(own.problems...)
	}
	if err := d.facts.broken; err != nil {
		return nil, err
	}
	if err := d.facts.write(u.VetxOutput, u.ImportPath); err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	return d.result(nil), nil
}

// onlyTests reports whether a package is one of tests alone, which nobody imports, and whose findings nobody is told.
func (u *Unit) onlyTests() bool {
	return !slices.ContainsFunc(u.GoFiles, func(name string) bool { return !strings.HasSuffix(name, "_test.go") })
}

// listed is the package as go list would have it.
func (u *Unit) listed() *packages.Package {
	pkg := &packages.Package{
		PkgPath: u.ImportPath, CompiledGoFiles: u.GoFiles, OtherFiles: u.NonGoFiles, IgnoredFiles: u.IgnoredFiles,
		Imports: map[string]*packages.Package{},
	}
	if u.ModulePath != "" {
		pkg.Module = &packages.Module{Path: u.ModulePath, Version: u.ModuleVersion, GoVersion: strings.TrimPrefix(u.GoVersion, "go")}
	}
	for path, real := range u.ImportMap {
		pkg.Imports[path] = &packages.Package{PkgPath: real, ExportFile: u.PackageFile[real]}
	}
	return pkg
}

func register(list []*analysis.Analyzer, done map[*analysis.Analyzer]bool) {
	for _, a := range list {
		if !done[a] {
			done[a] = true
			for _, f := range a.FactTypes {
				gob.Register(f)
			}
			register(a.Requires, done)
		}
	}
}
