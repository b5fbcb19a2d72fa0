package whole

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const program = `package main

import (
	"errors"
	"sort"
)

type shape interface{ area() int }

type square int

func (s square) area() int { return int(s * s) }

type circle int

func (c circle) area() int { return int(3 * c * c) }

type named struct {
	shape
	name string
}

type unused int

func (unused) area() int { return 0 }

var chosen shape
var measure func(int) int

type byArea []shape

func (s byArea) Len() int           { return len(s) }
func (s byArea) Less(i, j int) bool { return s[i].area() < s[j].area() } // LESS
func (s byArea) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }

func twice(n int) int { return 2 * n }

type wrapped struct{ error }

type again struct{ wrapped }

func text(w interface{ Error() string }) string { return w.Error() } // ERROR

func each[T any](list []T, f func(T)) {
	for _, v := range list {
		f(v) // EACH
	}
}

func main() {
	chosen = named{square(2), "two"}
	measure = twice
	println(chosen.area()) // CHOSEN
	println(measure(1))    // MEASURE
	measure = func(n int) int { return n }
	defer measure(2) // LATER
	sort.Sort(byArea{circle(1), chosen})
	each([]int{1}, func(int) {})
	println(text(wrapped{again{wrapped{errors.New("gone")}}}), error.Error(wrapped{}))
	f := error.Error
	println(f(wrapped{}))
	println(unused(0).area()) // STATIC
}
`

// TestGraph: a call's callees are those that the program can put there, and no others that would fit.
func TestGraph(t *testing.T) {
	t.Parallel()
	dir := module(t, program)
	g, err := Load(t.Context(), Config{Dir: dir, Patterns: []string{"."}, Skip: func(path string) bool { return path != "example.com" }})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for place, list := range g.sites {
		line := lineOf(program, place)
		for _, c := range list {
			for _, to := range c.to {
				if to.Func != nil && to.Func.Pkg() == nil || to.At == "-" {
					t.Errorf("%s: %+v is written nowhere", line, to)
				}
				got[line] = append(got[line], to.Name)
			}
		}
	}
	for line := range got {
		slices.Sort(got[line])
		got[line] = slices.Compact(got[line])
	}
	want := map[string][]string{
		"CHOSEN":  {"(example.com.square).area"}, // behind the wrapper of named
		"MEASURE": {"example.com.main", "example.com.twice"},
		"LATER":   {"example.com.main", "example.com.twice"},
		"LESS":    {"(example.com.circle).area", "(example.com.square).area"}, // through the standard library and back
		"EACH":    {"example.com.main"},
		"ERROR":   {"(*errors.errorString).Error"}, // behind an embedded interface
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestBroken: a program that does not compile is an error that says where.
func TestBroken(t *testing.T) {
	t.Parallel()
	dir := module(t, "package main\n\nfunc main() { nothing() }\n")
	_, err := Load(t.Context(), Config{Dir: dir, Patterns: []string{"."}, Skip: func(string) bool { return false }})
	if err == nil || !strings.Contains(err.Error(), "main.go:3:15: undefined: nothing") {
		t.Errorf("error %v", err)
	}
}

func module(t *testing.T, src string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com\n\ngo 1.26\n", "main.go": src} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lineOf is the comment of the line that a place names.
func lineOf(src, place string) string {
	parts := strings.Split(place, ":")
	n := 0
	for _, d := range parts[len(parts)-2] {
		n = 10*n + int(d-'0')
	}
	_, comment, _ := strings.Cut(strings.Split(src, "\n")[n-1], "// ")
	return comment
}
