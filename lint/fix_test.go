package lint_test

import (
	"bytes"
	"cmp"
	"flag"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/imports"

	"github.com/durablegen/durablegen/lint/internal/driver"
)

var update = flag.Bool("update", false, "write testdata/fix/after and the .golden files of testdata/durfix anew")

// unmended is what the edits leave, in the order of the file. A helper has no context to ask. The coroutine that a go statement has
// become is one that nobody waits for, as before; but with the orchestrator it ends, which the go statement hid. Whether to wait
// for it or to let it go is for people to say.
var unmended = []string{"Goes DUR105", "Helped DET101"}

// TestFixes applies all edits to testdata/fix/before and compares with testdata/fix/after, which compiles and in which nothing
// but what has no edit is found.
func TestFixes(t *testing.T) {
	result := run(t, []string{"./testdata/fix/before"})
	files, err := filepath.Glob("testdata/fix/before/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		got := mended(t, result, name)
		golden := strings.Replace(name, "before", "after", 1)
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", golden, diff)
		}
	}
	var left []string
	for _, f := range run(t, []string{"./testdata/fix/after"}).Findings {
		left = append(left, orchestratorOf(f.Message)+" "+f.Category)
	}
	if diff := gocmp.Diff(unmended, left); diff != "" {
		t.Errorf("found in mended code (-want +got):\n%s", diff)
	}
}

// TestEachFix applies one edit at a time: the code must compile after each, without another edit or a tool that sorts imports.
func TestEachFix(t *testing.T) {
	result := run(t, []string{"./testdata/fix/before"})
	check := checker(t, filepath.Dir("testdata/fix/before/fix.go"))
	n := 0
	for _, f := range result.Findings {
		for _, fix := range f.SuggestedFixes {
			n++
			name := result.Fset.Position(f.Pos).Filename
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			mended := apply(t, result.Fset, src, fix.TextEdits)
			if err := check(name, mended); err != nil {
				t.Errorf("%s: after %q: %v\n%s", at(result.Fset.Position(f.Pos)), fix.Message, err, mended)
			}
		}
	}
	if n < 20 {
		t.Errorf("%d edits, want 20 at least", n)
	}
}

// checker gives a function that checks the types of a folder in which one file is another.
func checker(t *testing.T, dir string) func(name string, src []byte) error {
	t.Helper()
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedImports | packages.NeedDeps | packages.NeedExportFile}, "./"+dir, "fmt", "maps", "slices")
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	packages.Visit(loaded, nil, func(p *packages.Package) { exports[p.PkgPath] = p.ExportFile })
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	names, err := filepath.Glob(dir + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	return func(name string, src []byte) error {
		var files []*ast.File
		for _, other := range names {
			var text any
			if filepath.Base(other) == filepath.Base(name) {
				text = src
			}
			file, err := parser.ParseFile(fset, other, text, 0)
			if err != nil {
				return err
			}
			files = append(files, file)
		}
		_, err := (&types.Config{Importer: imports}).Check("fix", fset, files, nil)
		return err
	}
}

// mended is a file with all edits that are for it.
func mended(t *testing.T, result *driver.Result, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var edits []analysis.TextEdit
	for _, f := range result.Findings {
		if filepath.Base(result.Fset.Position(f.Pos).Filename) == filepath.Base(name) {
			for _, fix := range f.SuggestedFixes {
				edits = append(edits, fix.TextEdits...)
			}
		}
	}
	out, err := imports.Process(name, apply(t, result.Fset, src, edits), nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// apply makes edits, each once.
func apply(t *testing.T, fset *token.FileSet, src []byte, edits []analysis.TextEdit) []byte {
	t.Helper()
	slices.SortFunc(edits, func(a, b analysis.TextEdit) int { return cmp.Or(cmp.Compare(a.Pos, b.Pos), cmp.Compare(a.End, b.End)) })
	edits = slices.CompactFunc(edits, func(a, b analysis.TextEdit) bool {
		return a.Pos == b.Pos && a.End == b.End && bytes.Equal(a.NewText, b.NewText)
	})
	var out []byte
	at := 0
	for _, e := range edits {
		from, to := fset.Position(e.Pos).Offset, fset.Position(e.End).Offset
		if from < at {
			t.Fatalf("edits overlap at %s: %q", fset.Position(e.Pos), e.NewText)
		}
		out = append(append(out, src[at:from]...), e.NewText...)
		at = to
	}
	return append(out, src[at:]...)
}
