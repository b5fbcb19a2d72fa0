package summary

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"
)

// build gives the SSA form of a package, and its functions in source order, closures behind what they are in. (The pass of
// x/tools does the same for every package, the standard library included, which takes ten times as long.)
func build(pass *analysis.Pass) (*ssa.Package, []*ssa.Function) {
	prog := ssa.NewProgram(pass.Fset, 0)
	for _, dep := range pass.Pkg.Imports() {
		prog.CreatePackage(dep, nil, nil, true)
	}
	pkg := prog.CreatePackage(pass.Pkg, pass.Files, pass.TypesInfo, false)
	pkg.Build()
	var fns []*ssa.Function
	for _, file := range pass.Files {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok {
				fns = withClosures(fns, prog.FuncValue(pass.TypesInfo.Defs[d.Name].(*types.Func)))
			}
		}
	}
	return pkg, withClosures(fns, pkg.Func("init"))
}

func withClosures(to []*ssa.Function, fn *ssa.Function) []*ssa.Function {
	to = append(to, fn)
	for _, anon := range fn.AnonFuncs {
		to = withClosures(to, anon)
	}
	return to
}
