package peer

import (
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

const house = "github.com/durablegen/durablegen/"

// TestOthersFit type-checks bench/compare, the module that nobody builds who does not compare, against this package and
// the standard library. What it imports from elsewhere is taken as it is used there.
func TestOthersFit(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	files := parseFolder(t, fset, filepath.Join("..", "compare"))
	known := knownPackages(t, files)
	var checked types.Config
	var wrong []error
	checked.Importer = importerOf(known)
	checked.Error = func(err error) {
		// What has to do with a type from elsewhere is not ours to judge.
		if !strings.Contains(err.Error(), errElsewhere.Error()) && !strings.Contains(err.Error(), "unknown type") {
			wrong = append(wrong, err)
		}
	}
	checked.Check(house+"bench/compare", fset, files, nil) // its first error is among those in wrong, or from elsewhere
	if err := errors.Join(wrong...); err != nil {
		t.Errorf("bench/compare no longer fits:\n%v", err)
	}
}

var errElsewhere = errors.New("a package of another module")

// importerOf gives packages by their path. The checker believes everything of the others.
type importerOf map[string]*types.Package

func (known importerOf) Import(path string) (*types.Package, error) {
	if p := known[path]; p != nil {
		return p, nil
	}
	return nil, errElsewhere
}

func parseFolder(t *testing.T, fset *token.FileSet, dir string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if fits, err := build.Default.MatchFile(dir, filepath.Base(name)); err != nil || !fits {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) < 5 {
		t.Fatalf("%d files in %s: too few to judge", len(files), dir)
	}
	return files
}

// knownPackages loads what the files import from the standard library and from this module.
func knownPackages(t *testing.T, files []*ast.File) map[string]*types.Package {
	t.Helper()
	paths := map[string]bool{}
	for _, file := range files {
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(path, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(path, house) {
				paths[path] = true
			}
		}
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.LoadTypes, Context: t.Context()}, slices.Sorted(maps.Keys(paths))...)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]*types.Package{}
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			t.Fatal(p.Errors)
		}
		known[p.PkgPath] = p.Types
	}
	return known
}
