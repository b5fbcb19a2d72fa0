// Package form gives the SSA form of a package, made once for all analyzers that ask for it, and what all of them read there.
package form

import (
	"go/ast"
	"go/types"
	"reflect"
	"sync"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"
)

// Analyzer gives a *Package. It does nothing until it is asked.
var Analyzer = &analysis.Analyzer{
	Name:       "durableform",
	Doc:        "gives the SSA form of a package",
	Run:        func(pass *analysis.Pass) (any, error) { return &Package{pass: pass}, nil },
	ResultType: reflect.TypeFor[*Package](),
}

// Package is a package in SSA form.
type Package struct {
	pass  *analysis.Pass
	once  sync.Once
	built *ssa.Package
	funcs []*ssa.Function
}

// Build gives the SSA form, and the functions in source order, closures behind what they are in, the initialiser last. (The
// pass of x/tools does the same for every package, the standard library included, which takes ten times as long.)
func (p *Package) Build() (*ssa.Package, []*ssa.Function) {
	p.once.Do(p.build)
	return p.built, p.funcs
}

func (p *Package) build() {
	prog := ssa.NewProgram(p.pass.Fset, 0)
	for _, dep := range p.pass.Pkg.Imports() {
		prog.CreatePackage(dep, nil, nil, true)
	}
	p.built = prog.CreatePackage(p.pass.Pkg, p.pass.Files, p.pass.TypesInfo, false)
	p.built.Build()
	for _, file := range p.pass.Files {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && d.Name.Name != "_" { // SSA has no blank functions
				p.funcs = withClosures(p.funcs, prog.FuncValue(p.pass.TypesInfo.Defs[d.Name].(*types.Func)))
			}
		}
	}
	p.funcs = withClosures(p.funcs, p.built.Func("init"))
}

func withClosures(to []*ssa.Function, fn *ssa.Function) []*ssa.Function {
	to = append(to, fn)
	for _, anon := range fn.AnonFuncs {
		to = withClosures(to, anon)
	}
	return to
}
