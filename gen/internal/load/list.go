package load

import (
	"bytes"
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/durablegen/durablegen/gen/internal/diag"
)

const graphMode = packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedModule

// list gives the packages that the patterns name, with the graph below them.
func list(ctx context.Context, cfg Config) ([]*packages.Package, []diag.Diagnostic, error) {
	patterns := cfg.Patterns
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	if cfg.Dir != "" {
		if _, err := os.Stat(cfg.Dir); err != nil {
			return nil, nil, fmt.Errorf("durablegen: %w", err)
		}
	}
	for _, pattern := range patterns {
		if strings.HasSuffix(pattern, ".go") {
			return nil, nil, fmt.Errorf("durablegen: %s is a file; name packages, such as . or ./..., because a package has one generated file", pattern)
		}
	}
	graph, err := packages.Load(cfg.packages(ctx, graphMode, nil), patterns...)
	if err != nil {
		return nil, nil, fmt.Errorf("durablegen: list packages: %w", cause(ctx, err))
	}
	if blank := blanks(graph); len(graph) > 0 && len(listErrors(graph)) > 0 && len(blank) > 0 {
		// A broken or outdated generated file may be the cause; it counts for nothing, so list again without it.
		if graph, err = packages.Load(cfg.packages(ctx, graphMode, blank), patterns...); err != nil {
			return nil, nil, fmt.Errorf("durablegen: list packages: %w", cause(ctx, err))
		}
	}
	if problems := listErrors(graph); len(problems) > 0 {
		return nil, problems, nil
	}
	if len(graph) == 0 {
		return nil, nil, fmt.Errorf("durablegen: %s matched no packages", strings.Join(patterns, " "))
	}
	slices.SortFunc(graph, func(a, b *packages.Package) int { return strings.Compare(a.PkgPath, b.PkgPath) })
	return graph, nil, nil
}

// listExports gives export data of the packages at paths and of everything below them. The packages of the run are not
// asked for: building them would fail whenever there is something to generate.
func listExports(ctx context.Context, cfg Config, paths []string) (map[string]*packages.Package, error) {
	roots, err := packages.Load(cfg.packages(ctx, graphMode|packages.NeedExportFile, nil), paths...)
	if err != nil {
		return nil, fmt.Errorf("durablegen: build dependencies: %w", cause(ctx, err))
	}
	exports := map[string]*packages.Package{}
	packages.Visit(roots, nil, func(pkg *packages.Package) { exports[pkg.PkgPath] = pkg })
	return exports, nil
}

// cause gives the context's error when that is why a load failed; go/packages has only its text.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (cfg Config) packages(ctx context.Context, mode packages.LoadMode, overlay map[string][]byte) *packages.Config {
	return &packages.Config{Context: ctx, Mode: mode, Dir: cfg.Dir, Env: cfg.Env, Overlay: overlay}
}

// blanks is an overlay that empties our generated files among the packages and what they depend on.
func blanks(graph []*packages.Package) map[string][]byte {
	overlay := map[string][]byte{}
	packages.Visit(graph, nil, func(pkg *packages.Package) {
		if !ownModule(pkg) || pkg.Dir == "" {
			return
		}
		path := filepath.Join(pkg.Dir, FileName)
		if old, err := os.ReadFile(path); err == nil && isOurs(old) {
			overlay[path] = []byte("package " + clauseOf(pkg.Dir, pkg.Name) + "\n")
		}
	})
	return overlay
}

// clauseOf gives the package name that the other files of dir agree on.
func clauseOf(dir, fallback string) string {
	names, _ := filepath.Glob(filepath.Join(dir, "*.go")) // the pattern is well formed
	for _, name := range names {
		if filepath.Base(name) == FileName || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly); err == nil {
			return file.Name.Name
		}
	}
	if fallback == "" {
		return "p"
	}
	return fallback
}

// isOurs reports whether content is a generated file of ours.
func isOurs(content []byte) bool { return bytes.HasPrefix(content, []byte(Header)) }

// listErrors gives what go list complains about, apart from syntax errors: those come with better positions from our own
// parser.
func listErrors(graph []*packages.Package) []diag.Diagnostic {
	var problems []diag.Diagnostic
	packages.Visit(graph, nil, func(pkg *packages.Package) {
		for _, e := range pkg.Errors {
			if e.Kind != packages.ParseError || !ownModule(pkg) {
				problems = append(problems, diag.Diagnostic{Pos: position(e.Pos), Message: e.Msg})
			}
		}
	})
	return diag.Sorted(problems)
}

// position reads the "file:line:col" of go/packages, in which line and column may be missing.
func position(s string) token.Position {
	var numbers []int
	for len(numbers) < 2 {
		i := strings.LastIndexByte(s, ':')
		if i < 0 {
			break
		}
		n, err := strconv.Atoi(s[i+1:])
		if err != nil {
			break
		}
		numbers, s = append(numbers, n), s[:i]
	}
	if s == "" || s == "-" {
		return token.Position{}
	}
	pos := token.Position{Filename: s}
	switch len(numbers) {
	case 2:
		pos.Line, pos.Column = numbers[1], numbers[0]
	case 1:
		pos.Line = numbers[0]
	}
	return pos
}
