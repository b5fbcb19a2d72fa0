package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/lint"
)

// TestVetToolAgrees: go vet -vettool and durablegen lint say the same of the linter's own corpus and of the example, in the
// same order. (The go command prints the packages in the order in which they are done, so each is compared by itself.)
func TestVetToolAgrees(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	corpus, err := filepath.Glob(filepath.Join(root, "lint/testdata/corpus/*"))
	if err != nil {
		t.Fatal(err)
	}
	patterns := []string{"./examples/membership/club", "./bench/workload", "./lint/testdata/shop"}
	for _, dir := range corpus {
		rel, err := filepath.Rel(root, dir)
		if err != nil {
			t.Fatal(err)
		}
		patterns = append(patterns, "./"+filepath.ToSlash(rel)+"/...")
	}
	// The corpus has modules of others in a workspace.
	env := append(append(os.Environ(), goEnv(t)...), "GOWORK="+filepath.Join(root, "lint/testdata/go.work"), "GOFLAGS=")
	result, err := lint.Run(t.Context(), lint.Config{Dir: root, Patterns: patterns, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for _, f := range result.Findings {
		if f.Allowed == "" {
			dir := filepath.Dir(f.Pos.Filename)
			want[dir] = append(want[dir], fmt.Sprintf("%s: %s", f.Pos, f.Message))
		}
	}
	got := vetted(t, root, env, patterns)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("durablegen lint and go vet (-lint +vet):\n%s", diff)
	}
	if len(want) < 2 {
		t.Errorf("there are findings in %d packages: nothing was compared", len(want))
	}
}

// vetted gives what go vet says of each folder.
func vetted(t *testing.T, root string, env, patterns []string) map[string][]string {
	t.Helper()
	tool, err := exec.LookPath("durablegen")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append([]string{"vet", "-vettool=" + tool}, patterns...)...)
	cmd.Dir = root
	cmd.Env = env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	said := map[string][]string{}
	for line := range strings.Lines(stderr.String()) {
		line = strings.TrimSuffix(line, "\n")
		file, rest, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(rest, " ") {
			t.Errorf("go vet says: %s", line)
			continue
		}
		file = filepath.Join(root, file)
		said[filepath.Dir(file)] = append(said[filepath.Dir(file)], file+":"+rest)
	}
	return said
}
