package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCompares(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args, rest string
		want       bool
	}{
		{args: "-compare -only dbos -list", rest: "-only dbos -list", want: true},
		{args: "--compare", want: true},
		{args: "-workload hello"},
		{args: ""},
	} {
		rest, got := compares(strings.Fields(c.args))
		if got != c.want || !slices.Equal(rest, strings.Fields(c.rest)) {
			t.Errorf("compares(%q) = %q, %v, want %q, %v", c.args, rest, got, c.rest, c.want)
		}
	}
}

// TestCompareDir: the command finds its module, and the module uses this checkout.
func TestCompareDir(t *testing.T) {
	t.Parallel()
	dir, err := compareDir(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"module github.com/durablegen/durablegen/bench/compare\n", "replace github.com/durablegen/durablegen => ../..\n"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("go.mod has no line %q", line)
		}
	}
}
