package shape_test

import (
	"embed"
	"fmt"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

//go:embed testdata/flows/*.txt
var flowCases embed.FS

// TestFlows compares the pairs of testdata/flows. A file holds cases:
//
//	# name: safe            or, with the line of the finding: unsafe 3
//	old text
//	--
//	new text
func TestFlows(t *testing.T) {
	t.Parallel()
	files, err := flowCases.ReadDir("testdata/flows")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := flowCases.ReadFile(path.Join("testdata/flows", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range strings.Split("\n"+string(text), "\n# ")[1:] {
			head, body, _ := strings.Cut(c, "\n")
			name, want, _ := strings.Cut(head, ": ")
			before, after, ok := strings.Cut(body, "--\n")
			if !ok {
				t.Fatalf("%s: case %q has no second text", f.Name(), name)
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				checkFlows(t, before, after, want)
			})
		}
	}
}

func checkFlows(t *testing.T, before, after, want string) {
	t.Helper()
	findings := compare(before, after)
	got := "safe"
	var lines []string
	for _, f := range findings {
		if !f.Safe {
			got = "unsafe"
			lines = append(lines, strconv.Itoa(f.Pos.Line))
		}
	}
	verdict, line, _ := strings.Cut(want, " ")
	if got != verdict {
		t.Errorf("it is %s, want %s: %s", got, want, said(findings))
	}
	if line != "" && strings.Join(lines, ",") != line {
		t.Errorf("at lines %v, want %s: %s", lines, line, said(findings))
	}
}

func said(findings []shape.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "\n%s:%d: %t %s: %s (%s) breaks %s", f.Pos.Filename, f.Pos.Line, f.Safe, f.Kind, f.Change, f.Reason, f.Breaks)
	}
	return b.String()
}
