package gen_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"go/format"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/durablegen/durablegen/gen"
)

var update = flag.Bool("update", false, "rewrite the want/ files of testdata/golden from what is generated now")

// A golden case is one txtar file in testdata/golden. Its comment says what the case proves. Its files become the
// directory <case> of a module example.com, so that a package in b/ has the import path example.com/<case>/b. Then come,
// never both:
//
//	want/durable_gen.go      the generated file of the package in the case's root; want/b/durable_gen.go that of b. An
//	                         empty one says that the file is removed.
//	want/durable.lock.json   the lock of the same package; compared, and rewritten, only where a case has one
//	want/errors.txt          the diagnostics, one a line, with paths relative to the case's root
//
// A file "patterns" lists the packages to generate, one a line; without it they are all of the case's.
//
// With -update the want/ files are written anew. Generate itself refuses what does not compile against the runtime of
// this repository, so a golden that is written compiles; [TestGoldensBuild] asks the real compiler.
type goldenCase struct {
	name, path string
	archive    *txtar.Archive
}

func readCases(t *testing.T) []goldenCase {
	t.Helper()
	paths, err := filepath.Glob("../testdata/golden/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	var cases []goldenCase
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, goldenCase{strings.TrimSuffix(filepath.Base(path), ".txtar"), path, archive})
	}
	return cases
}

// newModule makes a module that uses the runtime of this repository, without the network.
func newModule(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "go.sum"), sums)
	writeFile(t, filepath.Join(dir, "go.mod"), fmt.Appendf(nil,
		"module example.com\n\ngo 1.26.0\n\nrequire github.com/durablegen/durablegen v0.0.0\n\nreplace github.com/durablegen/durablegen => %q\n", root))
	return dir
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// write puts the input files of a case into dir and gives the patterns.
func (c goldenCase) write(t *testing.T, dir string) (patterns []string) {
	t.Helper()
	patterns = []string{"./..."}
	for _, f := range c.archive.Files {
		switch {
		case f.Name == "patterns":
			patterns = strings.Fields(string(f.Data))
		case !strings.HasPrefix(f.Name, "want/"):
			writeFile(t, filepath.Join(dir, f.Name), f.Data)
		}
	}
	return patterns
}

// want gives the expected files, or diagnostics, by name.
func (c goldenCase) want() map[string]string {
	files := map[string]string{}
	for _, f := range c.archive.Files {
		if strings.HasPrefix(f.Name, "want/") {
			files[f.Name] = string(f.Data)
		}
	}
	return files
}

func TestGolden(t *testing.T) {
	t.Parallel()
	module := newModule(t)
	for _, c := range readCases(t) {
		dir := filepath.Join(module, c.name)
		patterns := c.write(t, dir)
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			result, err := gen.Generate(context.Background(), gen.Config{Dir: dir, Patterns: patterns})
			if err != nil {
				t.Fatal(err)
			}
			got, want := describe(t, dir, result), c.want()
			maps.DeleteFunc(got, func(name, _ string) bool {
				_, wanted := want[name]
				return filepath.Base(name) == gen.LockName && !wanted
			})
			if *update {
				c.update(t, got)
				return
			}
			if len(bytes.TrimSpace(c.archive.Comment)) == 0 {
				t.Error("the case has no comment that says what it proves")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("generated (-want +got):\n%s", diff)
			}
		})
	}
}

// describe gives a result in the form of the want/ files.
func describe(t *testing.T, dir string, result gen.Result) map[string]string {
	t.Helper()
	got := map[string]string{}
	if len(result.Diagnostics) > 0 {
		if len(result.Files) > 0 {
			t.Error("there are files beside diagnostics")
		}
		var text strings.Builder
		for _, d := range result.Diagnostics {
			fmt.Fprintln(&text, strings.ReplaceAll(d.String(), dir+string(filepath.Separator), ""))
		}
		got["want/errors.txt"] = text.String()
		return got
	}
	for _, f := range result.Files {
		rel, err := filepath.Rel(dir, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		got["want/"+filepath.ToSlash(rel)] = string(f.New)
		if filepath.Ext(rel) != ".go" {
			continue
		}
		if formatted, err := format.Source(f.New); f.New != nil && (err != nil || !bytes.Equal(formatted, f.New)) {
			t.Errorf("%s is not gofmt-clean: %v", rel, err)
		}
	}
	return got
}

func (c goldenCase) update(t *testing.T, got map[string]string) {
	t.Helper()
	c.archive.Files = slices.DeleteFunc(c.archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want/") })
	var names []string
	for name := range got {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		c.archive.Files = append(c.archive.Files, txtar.File{Name: name, Data: []byte(got[name])})
	}
	writeFile(t, c.path, txtar.Format(c.archive))
}

// TestGoldensBuild compiles every case that has generated files, as the compiler sees them after generation.
func TestGoldensBuild(t *testing.T) {
	t.Parallel()
	if *update {
		return // TestGolden is rewriting what this test would read
	}
	module := newModule(t)
	args := []string{"vet"}
	for _, c := range readCases(t) {
		want := c.want()
		if _, errors := want["want/errors.txt"]; errors {
			continue
		}
		dir := filepath.Join(module, c.name)
		patterns := c.write(t, dir)
		for name, content := range want {
			path := filepath.Join(dir, strings.TrimPrefix(name, "want/"))
			if content == "" {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				continue
			}
			writeFile(t, path, []byte(content))
		}
		if slices.Equal(patterns, []string{"./..."}) {
			args = append(args, "./"+c.name+"/...")
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go vet: %v\n%s", err, out)
	}
}
