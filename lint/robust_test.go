package lint_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/packages"

	"github.com/durablegen/durablegen/lint"
	"github.com/durablegen/durablegen/lint/internal/driver"
)

var foreign = flag.String("foreign", "encoding/json text/template sort strings slices maps",
	"packages that TestForeignCode takes for orchestrations, separated by spaces")

var function = regexp.MustCompile(`(?m)^func `)

// TestForeignCode has the linter look at code that was not written for it, with every function of it an orchestrator: it does
// not panic, and says the same twice. make robust does so with everything there is.
func TestForeignCode(t *testing.T) {
	t.Parallel()
	cfg := driver.Config{
		Patterns: strings.Fields(*foreign), Analyzers: lint.Analyzers(), Skip: lint.Known,
		Path: func(path string) string {
			if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
				return path
			}
			return "foreign.example/" + path // the table of the standard library does not know it
		},
		ReadFile: func(name string) ([]byte, error) {
			src, err := os.ReadFile(name)
			return function.ReplaceAll(src, []byte("//durable:orchestrator\nfunc ")), err
		},
	}
	graph, err := driver.Load(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(graph) == 0 {
		t.Fatalf("%s matches nothing", *foreign)
	}
	first := lookAt(t, cfg, graph)
	if diff := cmp.Diff(first, lookAt(t, cfg, graph)); diff != "" {
		t.Errorf("a second run says something else (-first +second):\n%s", diff)
	}
	t.Logf("%d packages, %d findings", len(graph), len(first))
}

// lookAt gives the findings as text. What cannot be loaded is no mistake of the linter.
func lookAt(t *testing.T, cfg driver.Config, graph []*packages.Package) []string {
	t.Helper()
	result, err := driver.Look(t.Context(), cfg, graph)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range result.Problems {
		for _, err := range p.Errs {
			if strings.Contains(err.Error(), "panic") {
				t.Errorf("%s: %v", p.Package, err)
			}
		}
		out = append(out, p.String())
	}
	for _, f := range result.Findings {
		out = append(out, fmt.Sprintf("%s: %s", result.Fset.Position(f.Pos), f.Message))
	}
	if len(out) < 100 {
		t.Errorf("%d findings: nothing was looked at", len(out))
	}
	return out
}
