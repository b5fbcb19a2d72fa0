package lint_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/go/packages"

	"github.com/durablegen/durablegen/lint"
	"github.com/durablegen/durablegen/lint/internal/driver"
)

// TestUnitsAgree: package by package, with facts in files as go vet has it, the linter says the same of its own corpus and of
// the example as in one process, in the same order. (That go vet describes packages as this test does, and that its output is
// the same, are for the scripts of cmd/durablegen.)
func TestUnitsAgree(t *testing.T) {
	patterns := []string{"../examples/membership/club", "../bench/workload", "./testdata/shop", "./testdata/corpus/..."}
	work, err := filepath.Abs("testdata/go.work") // the corpus has modules of others
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "GOWORK="+work, "GOFLAGS=")
	result, err := lint.Run(t.Context(), lint.Config{Patterns: patterns, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]lint.Finding{}
	for _, f := range result.Findings {
		want[f.Package] = append(want[f.Package], f)
	}
	graph, err := driver.Load(t.Context(), driver.Config{Patterns: patterns, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	u := units{t: t, dir: t.TempDir(), facts: map[*packages.Package]string{}}
	got := map[string][]lint.Finding{}
	for _, pkg := range graph {
		if found := u.look(pkg, false); len(found) > 0 {
			got[pkg.PkgPath] = found
		}
	}
	// A unit cannot name the function around a place in another package; go vet does not print it.
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(lint.Finding{}, "Func")); diff != "" {
		t.Errorf("all at once and package by package (-all +package):\n%s", diff)
	}
	if len(want) < 20 {
		t.Errorf("there are findings in %d packages: nothing was compared", len(want))
	}
}

// units looks at packages as the go command has a tool do it.
type units struct {
	t      *testing.T
	dir    string
	facts  map[*packages.Package]string // files of those that have been looked at
	looked int
}

// look looks at what a package imports, then at itself.
func (u *units) look(pkg *packages.Package, factsOnly bool) []lint.Finding {
	u.t.Helper()
	cfg := driver.Unit{
		ID: pkg.PkgPath, ImportPath: pkg.PkgPath, GoFiles: pkg.CompiledGoFiles, NonGoFiles: pkg.OtherFiles, IgnoredFiles: pkg.IgnoredFiles,
		ImportMap: map[string]string{}, PackageFile: map[string]string{}, PackageVetx: map[string]string{}, VetxOnly: factsOnly,
	}
	if m := pkg.Module; m != nil {
		cfg.ModulePath, cfg.ModuleVersion, cfg.GoVersion = m.Path, m.Version, "go"+m.GoVersion
	}
	for path, dep := range pkg.Imports {
		if dep.PkgPath == "unsafe" {
			continue
		}
		if u.facts[dep] == "" {
			u.look(dep, true)
		}
		cfg.ImportMap[path], cfg.PackageFile[dep.PkgPath], cfg.PackageVetx[dep.PkgPath] = dep.PkgPath, dep.ExportFile, u.facts[dep]
	}
	u.looked++
	name := filepath.Join(u.dir, fmt.Sprint(u.looked))
	u.facts[pkg], cfg.VetxOutput = name, name
	text, err := json.Marshal(cfg)
	if err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(name+".cfg", text, 0o644); err != nil {
		u.t.Fatal(err)
	}
	unit, err := lint.RunUnit(u.t.Context(), name+".cfg")
	if err != nil {
		u.t.Fatal(err)
	}
	return unit.Findings
}
