package mend_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/cmd/durablegen/internal/mend"
	"github.com/durablegen/durablegen/lint"
)

const source = `package p

import (
	"fmt"
	"time"
)

func f() {
	fmt.Println(time.Now())
	fmt.Println(time.Now())
}
`

// edit replaces the n-th old in source, from 0.
func edit(path, old, text string, n int) lint.Edit {
	at := 0
	for range n {
		at += strings.Index(source[at:], old) + len(old)
	}
	at += strings.Index(source[at:], old)
	return lint.Edit{File: path, Start: at, End: at + len(old), New: text}
}

func fixed(edits ...lint.Edit) lint.Finding { return lint.Finding{Fixes: []lint.Fix{{Edits: edits}}} }

func TestApply(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		findings func(path string) []lint.Finding
		want     string
		done     int
	}{
		{"one of two", func(p string) []lint.Finding { return []lint.Finding{fixed(edit(p, "time.Now()", "1", 0))} },
			strings.Replace(source, "time.Now()", "1", 1), 1},
		{"both, and the import goes", func(p string) []lint.Finding {
			return []lint.Finding{fixed(edit(p, "time.Now()", "1", 1)), fixed(edit(p, "time.Now()", "1", 0))}
		}, strings.ReplaceAll(strings.Replace(source, "\t\"time\"\n", "", 1), "time.Now()", "1"), 2},
		{"the same edit in two fixes", func(p string) []lint.Finding {
			add := lint.Edit{File: p, Start: strings.Index(source, "\t\"time\""), End: strings.Index(source, "\t\"time\""), New: "\t\"slices\"\n"}
			return []lint.Finding{fixed(add, edit(p, "time.Now()", "slices.Max([]int{1})", 0)), fixed(add, edit(p, "time.Now()", "time.UTC", 1))}
		}, strings.Replace(strings.Replace(strings.Replace(source, "time.Now()", "slices.Max([]int{1})", 1), "time.Now()", "time.UTC", 1),
			"\t\"time\"", "\t\"slices\"\n\t\"time\"", 1), 2},
		{"two that overlap", func(p string) []lint.Finding {
			return []lint.Finding{fixed(edit(p, "time.Now()", "1", 0)), fixed(edit(p, "fmt.Println(time.Now())", "return", 0))}
		}, strings.Replace(source, "time.Now()", "1", 1), 1},
		{"what is allowed stays", func(p string) []lint.Finding {
			f := fixed(edit(p, "time.Now()", "1", 0))
			f.Allowed = "so it is"
			return []lint.Finding{f, {}}
		}, "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "p.go")
			if err := os.WriteFile(path, []byte(source), 0o644); err != nil {
				t.Fatal(err)
			}
			files, done, err := mend.Apply(test.findings(path))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(files) == 1 {
				got = string(files[0].New)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("mended (-want +got):\n%s", diff)
			}
			if len(done) != test.done {
				t.Errorf("%d findings are done, want %d", len(done), test.done)
			}
			if now, err := os.ReadFile(path); err != nil || string(now) != source {
				t.Errorf("Apply wrote the file: %v", err)
			}
		})
	}
}
