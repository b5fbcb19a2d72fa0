package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/lint"
	"github.com/durablegen/durablegen/lint/internal/driver"
)

// TestContractCorpus counts the cases of the rules about the runtime: what they find is what the corpus wants, there is as
// much clean code as hazards, and every rule has a case.
func TestContractCorpus(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("testdata/corpus/dur*")
	if err != nil {
		t.Fatal(err)
	}
	want, rules := map[string]bool{}, map[string]bool{}
	var patterns []string
	for _, dir := range dirs {
		patterns = append(patterns, "./"+dir)
		for w := range contractWants(t, dir) {
			if _, rule, _ := strings.Cut(w, " "); strings.HasPrefix(rule, "DUR") && rule != "DUR104" { // the table of effects tells DUR104
				want[w], rules[rule] = true, true
			}
		}
	}
	found := contractFindings(t, patterns)
	got := map[string]bool{}
	for _, f := range found {
		line, message, _ := strings.Cut(f, " ")
		got[line+" "+message[strings.LastIndex(message, "(")+1:len(message)-1]] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	for _, r := range lint.Rules() {
		if strings.HasPrefix(r.ID, "DUR") && r.ID != "DUR104" && !rules[r.ID] {
			t.Errorf("no case breaks %s", r.ID)
		}
	}
	if diff := cmp.Diff(found, contractFindings(t, patterns)); diff != "" {
		t.Errorf("a second run says something else (-first +second):\n%s", diff)
	}
	t.Logf("%d hazards of %d rules", len(want), len(rules))
}

// contractWants reads the want comments of a folder, as "file.go:12 DUR105".
func contractWants(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(src), "\n") {
			if _, ids, ok := strings.Cut(line, "// want "); ok {
				for _, id := range strings.Fields(ids) {
					found[fmt.Sprintf("%s:%d %s", filepath.Base(name), i+1, id)] = true
				}
			}
		}
	}
	return found
}

// contractFindings gives the findings of packages, as "file.go:12 message".
func contractFindings(t *testing.T, patterns []string) (found []string) {
	t.Helper()
	result, err := driver.Run(t.Context(), driver.Config{Patterns: patterns, Analyzers: []*analysis.Analyzer{lint.Contract}, Skip: skipped})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range result.Problems {
		t.Error(p)
	}
	for _, f := range result.Findings {
		p := result.Fset.Position(f.Pos)
		found = append(found, fmt.Sprintf("%s:%d %s", filepath.Base(p.Filename), p.Line, f.Message))
	}
	return found
}

// TestContractOfExamples: the examples are clean.
func TestContractOfExamples(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string(nil), contractFindings(t, []string{"../examples/membership/club"})); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
