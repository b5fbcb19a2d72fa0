package lint_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/imports"

	"github.com/durablegen/durablegen/lint"
	"github.com/durablegen/durablegen/lint/internal/driver"
)

var updateContract = flag.Bool("update-contract", false, "write the .golden files of testdata/durfix from what the fixes make now")

// TestContractFixes applies every fix of testdata/durfix and compares each file that changes with its .golden. What comes out
// must compile.
func TestContractFixes(t *testing.T) {
	t.Parallel()
	cfg := driver.Config{Patterns: []string{"./testdata/durfix/..."}, Analyzers: []*analysis.Analyzer{lint.Contract}, Skip: skipped}
	result, err := driver.Run(t.Context(), cfg)
	if err != nil || len(result.Problems) > 0 {
		t.Fatal(err, result.Problems)
	}
	edits := map[string][]analysis.TextEdit{}
	for _, f := range result.Findings {
		for _, fix := range f.SuggestedFixes {
			for _, e := range fix.TextEdits {
				name := result.Fset.Position(e.Pos).Filename
				edits[name] = append(edits[name], e)
			}
		}
	}
	fixed := map[string][]byte{}
	for name, list := range edits {
		fixed[name] = withEdits(t, result, name, list)
		golden := name + ".golden"
		if *updateContract {
			if err := os.WriteFile(golden, fixed[name], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(fixed[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filepath.Base(golden), diff)
		}
	}
	goldens, err := filepath.Glob("testdata/durfix/*/*.golden")
	if err != nil || len(goldens) != len(fixed) {
		t.Errorf("%d files were fixed, there are %d .golden files (%v)", len(fixed), len(goldens), err)
	}
	pkgs, err := packages.Load(&packages.Config{Mode: packages.NeedTypes | packages.NeedName | packages.NeedImports | packages.NeedSyntax, Overlay: fixed}, cfg.Patterns...)
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range pkgs {
		for _, e := range pkg.Errors {
			t.Errorf("the fixed code does not compile: %v", e)
		}
	}
}

// skipped are the packages whose facts no rule about the runtime asks for.
func skipped(path string) bool {
	return lint.Known(path) || strings.HasPrefix(path, "github.com/durablegen/durablegen/internal/")
}

// withEdits makes the edits of one file, each once.
func withEdits(t *testing.T, result *driver.Result, name string, edits []analysis.TextEdit) []byte {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(edits, func(a, b analysis.TextEdit) int { return int(a.Pos - b.Pos) })
	edits = slices.CompactFunc(edits, func(a, b analysis.TextEdit) bool {
		return a.Pos == b.Pos && a.End == b.End && bytes.Equal(a.NewText, b.NewText)
	})
	var out []byte
	at := 0
	for _, e := range edits {
		from, to := result.Fset.Position(e.Pos).Offset, result.Fset.Position(e.End).Offset
		if from < at {
			t.Fatalf("%s: two edits overlap at %d", name, from)
		}
		out = append(append(out, src[at:from]...), e.NewText...)
		at = to
	}
	out, err = imports.Process(name, append(out, src[at:]...), nil) // drops the imports that nobody needs any more
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out
}
