package code

import (
	"go/ast"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/internal/collect"
)

// Source is a package as the generator reads it.
func Source(pass *analysis.Pass) *collect.Source {
	src := &collect.Source{Path: pass.Pkg.Path(), Name: pass.Pkg.Name(), Types: pass.Pkg, Defs: pass.TypesInfo.Defs}
	for _, file := range pass.Files {
		switch {
		case strings.HasSuffix(pass.Fset.Position(file.Package).Filename, "_test.go"):
			src.Tests = append(src.Tests, file)
		case !ast.IsGenerated(file):
			src.Files = append(src.Files, file)
		}
	}
	return src
}
