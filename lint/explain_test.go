package lint_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/txtar"

	"github.com/durablegen/durablegen/lint"
	"github.com/durablegen/durablegen/lint/internal/driver"
)

// TestDocuments: docs/lint is what go generate writes.
func TestDocuments(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	paths, err := filepath.Glob("../docs/lint/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(path)] = string(text)
	}
	if diff := cmp.Diff(lint.Documents(), got); diff != "" {
		t.Errorf("docs/lint is old; run go generate ./lint (-want +got):\n%s", diff)
	}
}

// alike are the rules that cannot be broken alone, with what else is broken: a seed is unknown by what it is made from, and the
// generator refuses an orchestrator that is a method.
var alike = map[string][]string{"DET114": {"DET101", "DET114"}, "DET506": {"DET506", "DUR108"}}

// TestExamples lints the example of each rule: what is wrong breaks that rule and no other, what is right breaks none.
func TestExamples(t *testing.T) {
	t.Parallel()
	work, err := filepath.Abs("testdata/go.work") // two examples use modules of others
	if err != nil {
		t.Fatal(err)
	}
	cfg := driver.Config{
		Patterns: []string{"./testdata/shop", "example.com/third", "github.com/google/uuid"}, Analyzers: lint.Analyzers(), Skip: lint.Known,
		Env: append(os.Environ(), "GOWORK="+work, "GOFLAGS="),
	}
	graph, err := driver.Load(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	shop := graph[slices.IndexFunc(graph, func(pkg *packages.Package) bool { return pkg.Name == "shop" })]
	for _, pkg := range graph {
		if pkg != shop {
			shop.Imports[pkg.PkgPath] = pkg
		}
	}
	files, err := filepath.Glob("examples/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, path := range files {
		there = append(there, strings.TrimSuffix(filepath.Base(path), ".txtar"))
	}
	var ids []string
	for _, r := range lint.Rules() {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	if diff := cmp.Diff(ids, there); diff != "" {
		t.Errorf("rules and the files in examples (-want +got):\n%s", diff)
	}
	for _, path := range files {
		id := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			breaks := []string{id}
			if more := alike[id]; more != nil {
				breaks = more
			}
			for i, want := range []struct {
				name string
				ids  []string
			}{{"wrong.go", breaks}, {"right.go", nil}} {
				if len(a.Files) != 2 || a.Files[i].Name != want.name {
					t.Fatalf("%s has not the files wrong.go and right.go", path)
				}
				cfg := cfg
				cfg.ReadFile = func(name string) ([]byte, error) {
					if filepath.Base(name) == "example.go" {
						return a.Files[i].Data, nil
					}
					return os.ReadFile(name)
				}
				result, err := driver.Look(t.Context(), cfg, graph)
				if err != nil || len(result.Problems) > 0 {
					t.Fatalf("%s: %v %v", want.name, err, result.Problems)
				}
				var got []string
				for _, f := range result.Findings {
					if strings.Contains(f.Message, "is not in durable_gen.go") { // nobody has generated for an example
						continue
					}
					got = append(got, f.Category)
					t.Logf("%s: %s", want.name, f.Message)
				}
				slices.Sort(got)
				if diff := cmp.Diff(want.ids, slices.Compact(got)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", want.name, diff)
				}
			}
		})
	}
}
