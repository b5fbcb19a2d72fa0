// Package report prints the findings of the linter: for people, for programs, and as SARIF.
package report

import (
	"fmt"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/durablegen/durablegen/lint"
)

// Text prints "file:line:col: message (ID)", and below it, indented, the way from the orchestrator. Findings that are allowed
// are left out.
func Text(w io.Writer, findings []lint.Finding) {
	for _, f := range findings {
		if f.Allowed != "" {
			continue
		}
		fmt.Fprintf(w, "%s: %s\n", place(f.Pos), f.Message) // a lost line of output is the reader's loss only
		for _, s := range f.Chain {
			if s.Pos.IsValid() {
				fmt.Fprintf(w, "\t%s: %s\n", place(s.Pos), s.Text)
			} else {
				fmt.Fprintf(w, "\t%s\n", s.Text)
			}
		}
	}
}

// Unseen prints what was not looked at.
func Unseen(w io.Writer, list []lint.Unseen) {
	for _, u := range list {
		fmt.Fprintf(w, "not looked at: %s: %s\n", Short(u.What), strings.Join(shortened(u.Why), "\n\t"))
	}
}

func shortened(texts []string) []string {
	var out []string
	for _, t := range texts {
		file, rest, found := strings.Cut(t, ":")
		if found {
			t = Short(file) + ":" + rest
		}
		out = append(out, t)
	}
	return out
}

func place(pos token.Position) string {
	pos.Filename = Short(pos.Filename)
	return pos.String()
}

// Short gives an absolute path as seen from the working directory when that is shorter.
func Short(path string) string {
	wd, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}
