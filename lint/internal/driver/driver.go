// Package driver runs analyzers over packages as go vet does, in one process.
//
// Each package is checked from source by itself, all that it imports comes from the compiler's export data, and facts go from
// package to package by name. So a run gives what go vet -vettool gives, and the standard library is never read.
package driver

import (
	"context"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/packages"
)

// Config says what to look at.
type Config struct {
	Dir       string   // defaults to the current folder
	Env       []string // of the go command; defaults to the process's own
	Patterns  []string
	Analyzers []*analysis.Analyzer
	// Given are results of analyzers that have them from elsewhere; they are not run.
	Given map[*analysis.Analyzer]any
	// Skip names packages that need no facts. They are not read, and neither is what only they import.
	Skip func(path string) bool
	// Matters reports whether a package that was asked for can have findings; nil: all can. Of the others only those are looked
	// at that these import.
	Matters func(pkg *packages.Package) bool
	// ReadFile reads source files; nil: os.ReadFile.
	ReadFile func(name string) ([]byte, error)
	// Path renames packages, so that a table which knows them takes them for others; nil: none.
	Path func(path string) string
}

// Result is what was found.
type Result struct {
	Fset     *token.FileSet
	Findings []Finding // by package, in each as they were reported
	Packages []Package // those that were asked for and looked at, by path
	Problems []Problem // by package
	Graph    []*packages.Package
}

// Finding is one diagnostic of a package that was asked for.
type Finding struct {
	Package string
	analysis.Diagnostic
}

// Package is one that was looked at.
type Package struct {
	Path    string
	Files   []*ast.File
	Results map[*analysis.Analyzer]any
}

// Problem is why a package was not looked at.
type Problem struct {
	Package string
	Errs    []error
}

// String gives "path: first error", for tests.
func (p Problem) String() string { return fmt.Sprintf("%s: %v", p.Package, p.Errs) }

const mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
	packages.NeedExportFile | packages.NeedModule | packages.NeedTypesSizes

// Load lists the packages and what they depend on, and has the go command build what they import.
func Load(ctx context.Context, cfg Config) ([]*packages.Package, error) {
	graph, err := packages.Load(&packages.Config{Context: ctx, Mode: mode, Dir: cfg.Dir, Env: cfg.Env}, cfg.Patterns...)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("list packages: %w", err)
	}
	slices.SortFunc(graph, func(a, b *packages.Package) int { return strings.Compare(a.PkgPath, b.PkgPath) })
	return graph, nil
}

// Run looks at the packages and what they depend on.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	graph, err := Load(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return Look(ctx, cfg, graph)
}

// Look is Run over packages that [Load] gave. It may be called again, with other sources.
func Look(ctx context.Context, cfg Config, graph []*packages.Package) (*Result, error) {
	if cfg.ReadFile == nil {
		cfg.ReadFile = os.ReadFile
	}
	if cfg.Path == nil {
		cfg.Path = func(path string) string { return path }
	}
	d := newDriver(cfg, graph)
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for _, u := range d.order {
		wg.Go(func() {
			defer close(u.done)
			for _, dep := range u.deps {
				<-dep.done
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			if ctx.Err() == nil {
				d.look(u)
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return d.result(graph), nil
}

type driver struct {
	cfg     Config
	fset    *token.FileSet
	exports *exports
	facts   *facts
	order   []*unit // dependencies first
	units   map[*packages.Package]*unit
}

// unit is one package that is looked at.
type unit struct {
	*packages.Package
	asked    bool
	deps     []*unit
	done     chan struct{}
	findings []Finding
	problems []error
	files    []*ast.File
	results  map[*analysis.Analyzer]any
	reach    map[string]bool // packages whose facts it may see
}

func newDriver(cfg Config, graph []*packages.Package) *driver {
	fset := token.NewFileSet()
	d := &driver{cfg: cfg, fset: fset, facts: newFacts(), units: map[*packages.Package]*unit{}}
	d.exports = newExports(fset, graph)
	for _, pkg := range graph {
		if len(pkg.Errors) > 0 || cfg.Matters == nil || cfg.Matters(pkg) {
			if u := d.add(pkg); u != nil {
				u.asked = true
			}
		}
	}
	return d
}

// add puts a package behind what it imports.
func (d *driver) add(pkg *packages.Package) *unit {
	if u, ok := d.units[pkg]; ok {
		return u
	}
	d.units[pkg] = nil
	if pkg.PkgPath == "unsafe" || d.cfg.Skip(d.cfg.Path(pkg.PkgPath)) {
		return nil
	}
	u := &unit{Package: pkg, done: make(chan struct{}), reach: map[string]bool{d.cfg.Path(pkg.PkgPath): true}}
	for _, path := range slices.Sorted(maps.Keys(pkg.Imports)) {
		if dep := d.add(pkg.Imports[path]); dep != nil {
			u.deps = append(u.deps, dep)
			for p := range dep.reach {
				u.reach[p] = true
			}
		}
	}
	d.units[pkg] = u
	d.order = append(d.order, u)
	return u
}

func (d *driver) result(graph []*packages.Package) *Result {
	r := &Result{Fset: d.fset, Graph: graph}
	for _, u := range d.order {
		if len(u.problems) > 0 {
			r.Problems = append(r.Problems, Problem{u.PkgPath, u.problems})
		}
		if u.asked && len(u.problems) == 0 {
			r.Findings = append(r.Findings, u.findings...)
			r.Packages = append(r.Packages, Package{Path: u.PkgPath, Files: u.files, Results: u.results})
		}
	}
	slices.SortFunc(r.Problems, func(a, b Problem) int { return strings.Compare(a.Package, b.Package) })
	slices.SortFunc(r.Packages, func(a, b Package) int { return strings.Compare(a.Path, b.Path) })
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return strings.Compare(a.Package, b.Package) })
	return r
}
