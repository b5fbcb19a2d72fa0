package load

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/durablegen/durablegen/gen/internal/diag"
)

// parse reads the files of all packages, each file once for both checks.
func (p *Program) parse() ([]diag.Diagnostic, error) {
	problems := make([][]diag.Diagnostic, len(p.Packages))
	errs := make([]error, len(p.Packages))
	var wg sync.WaitGroup
	for i, pkg := range p.Packages {
		wg.Go(func() { problems[i], errs[i] = pkg.parse(p.Fset) })
	}
	wg.Wait()
	return slices.Concat(problems...), errors.Join(errs...)
}

func (pkg *Package) parse(fset *token.FileSet) ([]diag.Diagnostic, error) {
	if err := pkg.readGenerated(); err != nil {
		return nil, err
	}
	var problems []diag.Diagnostic
	names := slices.Clone(pkg.listed.GoFiles)
	slices.Sort(names)
	for _, name := range names {
		if filepath.Base(name) == FileName && !pkg.Foreign {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("durablegen: %w", err)
		}
		file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		problems = append(problems, syntaxErrors(err)...)
		pkg.Files = append(pkg.Files, file)
	}
	if pkg.Target {
		pkg.parseTests(fset)
	}
	return problems, nil
}

// parseTests parses the test files that mention a directive. One that cannot be read is for `go test` to report.
func (pkg *Package) parseTests(fset *token.FileSet) {
	names, _ := filepath.Glob(filepath.Join(pkg.Dir, "*_test.go")) // the pattern is well formed
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(src, []byte("durable:")) {
			continue
		}
		if file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution); err == nil {
			pkg.Tests = append(pkg.Tests, file)
		}
	}
}

// addGenerated parses new bytes of the generated file.
func (pkg *Package) addGenerated(fset *token.FileSet, src []byte) ([]*ast.File, error) {
	file, err := parser.ParseFile(fset, pkg.GenPath, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("durablegen: generated code of %s does not parse, please report this: %w", pkg.Path, err)
	}
	return append(slices.Clone(pkg.Files), file), nil
}

func syntaxErrors(err error) []diag.Diagnostic {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return nil
	}
	var problems []diag.Diagnostic
	for _, e := range list {
		problems = append(problems, diag.Diagnostic{Pos: e.Pos, Message: "syntax error: " + e.Msg})
	}
	return problems
}
