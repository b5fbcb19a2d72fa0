package changes_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// corpus is where the pairs are. A pair is one txtar file. Its comment says what was changed and why that is safe or not.
// The files under before/ and after/ are the packages of either side: before/shop/order.go is of the package
// example.com/shop; those under earlier/, which few have, are of code that is older than both. want.json holds a [verdict],
// scenarios.txt what happens to instances: see changes.ParseScenarios.
const corpus = "../../testdata/changes"

// limits is where those pairs are of which the lock says something else than running shows.
const limits = "../../testdata/limits"

// verdict is what the static judgement is to say of a pair.
type verdict struct {
	Verdict      string           `json:"verdict"`        // safe or unsafe: what running shows
	Orchestrator string           `json:"orchestrator"`   // wire name
	Kind         string           `json:"kind"`           // of change, for the table of the docs
	At           map[string][]int `json:"at,omitempty"`   // lines of files of the new side that a finding may point to
	Says         []string         `json:"says,omitempty"` // the findings of an unsafe one, sorted: of those that show how users are told
}

type pair struct {
	limit                  bool // the lock has it wrong
	name, comment          string
	want                   verdict
	scenarios              string
	earlier, before, after map[string][]byte // by path
}

// readPairs reads the corpus, sorted by name.
func readPairs(t testing.TB) (all []pair) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(corpus, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no pairs in %s: %v", corpus, err)
	}
	beyond, err := filepath.Glob(filepath.Join(limits, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	paths = append(paths, beyond...)
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p := pair{
			name: strings.TrimSuffix(filepath.Base(path), ".txtar"), comment: strings.TrimSpace(string(archive.Comment)), limit: filepath.Dir(path) == filepath.Clean(limits),
			earlier: map[string][]byte{}, before: map[string][]byte{}, after: map[string][]byte{},
		}
		for _, f := range archive.Files {
			if name, ok := strings.CutPrefix(f.Name, "earlier/"); ok {
				p.earlier[name] = f.Data
			} else if name, ok := strings.CutPrefix(f.Name, "before/"); ok {
				p.before[name] = f.Data
			} else if name, ok := strings.CutPrefix(f.Name, "after/"); ok {
				p.after[name] = f.Data
			} else if f.Name == "scenarios.txt" {
				p.scenarios = string(f.Data)
			} else if f.Name == "want.json" {
				if err := json.Unmarshal(f.Data, &p.want); err != nil {
					t.Fatalf("%s: want.json: %v", p.name, err)
				}
			} else {
				t.Fatalf("%s: nobody reads the file %s", p.name, f.Name)
			}
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Compare(a.name, b.name) })
	return all
}

// imports is what the sources write for the place that a side of a pair comes to.
const imports = `"example.com/`

// newModule makes a module that uses this repository, without the network.
func newModule(t testing.TB, path string) (dir string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	_, requires, _ := bytes.Cut(mod, []byte("\n"))
	if dir, err = filepath.EvalSymlinks(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "go.sum"), sums)
	writeFile(t, filepath.Join(dir, "go.mod"), fmt.Appendf(nil,
		"module %s\n%s\nrequire github.com/durablegen/durablegen v0.0.0\n\nreplace github.com/durablegen/durablegen => %q\n", path, requires, root))
	return dir
}

// writeSide puts a side of a pair into a folder of a module.
func writeSide(t testing.TB, files map[string][]byte, module, dir, folder string) {
	t.Helper()
	for name, data := range files {
		data = bytes.ReplaceAll(data, []byte(imports), fmt.Appendf(nil, `"%s/%s/`, module, folder))
		writeFile(t, filepath.Join(dir, folder, name), data)
	}
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

var (
	update = flag.Bool("update", false, "write the table of the docs anew")
	only   = flag.String("pairs", "", "look only at the pairs whose name matches this expression")
)

func chosen(pairs []pair) []pair {
	return slices.DeleteFunc(pairs, func(p pair) bool { return !regexp.MustCompile(*only).MatchString(p.name) })
}
