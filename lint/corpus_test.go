package lint_test

import (
	"fmt"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/lint"
	"github.com/durablegen/durablegen/lint/internal/driver"
)

var want = regexp.MustCompile(`// want ((?:D(?:ET|UR)\d+ ?)+)`)

// TestCorpus compares what is found with what the corpus wants, line by line.
func TestCorpus(t *testing.T) {
	dirs, err := filepath.Glob("testdata/corpus/*")
	if err != nil {
		t.Fatal(err)
	}
	wanted, patterns := map[string]bool{}, []string{}
	for _, dir := range dirs {
		patterns = append(patterns, "./"+dir)
		maps.Copy(wanted, wants(t, dir))
	}
	found := map[string]string{}
	result, err := driver.Run(t.Context(), driver.Config{Patterns: patterns, Analyzers: lint.Analyzers(), Skip: lint.Known})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range result.Problems {
		t.Error(p)
	}
	for _, f := range result.Findings {
		found[at(result.Fset.Position(f.Pos))+" "+f.Category] = f.Message
	}
	for _, f := range slices.Sorted(maps.Keys(found)) {
		if !wanted[f] {
			t.Errorf("false alarm: %s: %s", f, found[f])
		} else {
			t.Logf("%s: %s", f, found[f])
		}
	}
	for _, w := range slices.Sorted(maps.Keys(wanted)) {
		if found[w] == "" {
			t.Errorf("missed: %s", w)
		}
	}
}

// wants reads the want comments of a folder.
func wants(t *testing.T, dir string) map[string]bool {
	t.Helper()
	wanted := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(src), "\n") {
			if m := want.FindStringSubmatch(line); m != nil {
				for _, id := range strings.Fields(m[1]) {
					wanted[fmt.Sprintf("%s:%d %s", filepath.Base(name), i+1, id)] = true
				}
			}
		}
	}
	return wanted
}

func at(p token.Position) string { return fmt.Sprintf("%s:%d", filepath.Base(p.Filename), p.Line) }
