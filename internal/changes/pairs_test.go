package changes_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/gen"
	"github.com/durablegen/durablegen/internal/changes"
)

// program is the module that the pairs become. Its name lets it import internal/changes.
const program = "github.com/durablegen/durablegen/pairs"

// TestPairs runs old code half way and new code from there on, for every pair: each verdict of the corpus must be what
// really happens.
func TestPairs(t *testing.T) {
	t.Parallel()
	pairs := chosen(readPairs(t))
	confirmed := 0
	outcomes := runPairs(t, pairs)
	for n, o := range outcomes {
		p := pairs[n]
		switch {
		case o.Error != "":
			t.Errorf("%s: %s", p.name, o.Error)
		case p.want.Verdict == "safe" && o.Broken != "":
			t.Errorf("%s: is told to be safe, but breaks: %s", p.name, o.Broken)
		case p.want.Verdict == "unsafe" && o.Broken == "":
			t.Errorf("%s: is told to be unsafe, but nothing broke in %d runs", p.name, o.Runs)
		case p.want.Verdict == "unsafe" && o.Replay == "":
			t.Errorf("%s: the replay check lets it pass, but: %s", p.name, o.Broken)
		case p.want.Verdict == "safe" && o.Replay != "":
			t.Errorf("%s: the replay check refuses it, but nothing breaks: %s", p.name, o.Replay)
		default:
			confirmed++
		}
	}
	t.Logf("%d pairs, %d confirmed, %d disagreements", len(pairs), confirmed, len(pairs)-confirmed)
}

// runPairs makes one program of the pairs, runs it and gives what it has found, in the order of the pairs.
func runPairs(t *testing.T, pairs []pair) []changes.Outcome {
	t.Helper()
	dir := newModule(t, program)
	for _, p := range pairs {
		writeSide(t, p.earlier, program, dir, folder(p.earlier))
		writeSide(t, p.before, program, dir, folder(p.before))
		writeSide(t, p.after, program, dir, folder(p.after))
	}
	packages := generate(t, dir)
	writeFile(t, filepath.Join(dir, "pairs_test.go"), programOf(t, pairs, packages))
	out := filepath.Join(dir, "outcomes.json")
	cmd := exec.Command("go", "test", "-trimpath", "-gcflags="+program+"/...=-N -l -dwarf=false", "-ldflags=-s -w", "-vet=off", "-count=1", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PAIRS_OUT="+out, "GOGC=400") // it lives on garbage
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go test of the program of all pairs: %v\n%s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var outcomes []changes.Outcome
	if err := json.Unmarshal(data, &outcomes); err != nil {
		t.Fatal(err)
	}
	if len(outcomes) != len(pairs) {
		t.Fatalf("the program tells of %d pairs, want %d", len(outcomes), len(pairs))
	}
	return outcomes
}

// folder names the place of a side by what it holds, so that pairs share theirs, and builds are cached.
func folder(side map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(side)) {
		fmt.Fprintf(h, "%s\n%s\n", name, side[name])
	}
	return fmt.Sprintf("s%x", h.Sum(nil)[:6])
}

// sources are what generated code says of where it comes from. Without them a hub lets names move to other code: whether
// a worker may take a name over is no question of what its code does.
var sources = regexp.MustCompile(`\n\tSource:\s+"[^"]*",`)

// generated is a package with a generated file.
type generated struct {
	folder string
	errors bool // it registers durable errors
}

var registersError = regexp.MustCompile(`(?m)^(?:var |\t)_ += (durable\.RegisterError.*)$`)

// separateErrors makes a function, DurableErrors, of the registrations of errors in a generated file: at the start of a
// program that holds both sides of a pair they would be two of one name.
func separateErrors(text []byte) ([]byte, bool) {
	calls := registersError.FindAllSubmatch(text, -1)
	if len(calls) == 0 {
		return text, false
	}
	text = registersError.ReplaceAll(text, nil)
	text = append(text, "\n// DurableErrors registers the errors.\nfunc DurableErrors() {\n"...)
	for _, c := range calls {
		text = fmt.Appendf(text, "\t%s\n", c[1])
	}
	return append(text, "}\n"...), true
}

// generate writes the generated files of a module and gives the packages that have some.
func generate(t *testing.T, dir string) (packages []generated) {
	t.Helper()
	result, err := gen.Generate(context.Background(), gen.Config{Dir: dir, Patterns: []string{"./..."}})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range result.Diagnostics {
		t.Errorf("generate: %s", strings.TrimPrefix(d.String(), dir))
	}
	if t.Failed() {
		t.FailNow()
	}
	for _, f := range result.Files {
		if filepath.Base(f.Path) != gen.FileName {
			writeFile(t, f.Path, f.New)
			continue
		}
		text, has := separateErrors(sources.ReplaceAll(f.New, nil))
		writeFile(t, f.Path, text)
		rel, err := filepath.Rel(dir, filepath.Dir(f.Path))
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, generated{filepath.ToSlash(rel), has})
	}
	return packages
}

// programOf is the source of the program: a list of the pairs with their registrations.
func programOf(t *testing.T, pairs []pair, packages []generated) []byte {
	var head, body strings.Builder
	for n, p := range packages {
		fmt.Fprintf(&head, "\tg%d %q\n", n, program+"/"+p.folder)
	}
	codeOf := func(side map[string][]byte) string {
		if len(side) == 0 {
			return "nil"
		}
		var list []string
		for at, p := range packages {
			if !strings.HasPrefix(p.folder, folder(side)+"/") {
				continue
			}
			list = append(list, fmt.Sprintf("g%d.RegisterDurable", at))
			if p.errors {
				list = append(list, fmt.Sprintf("changes.Errors(g%d.DurableErrors)", at))
			}
		}
		return "changes.Code{" + strings.Join(list, ", ") + "}"
	}
	for _, p := range pairs {
		fmt.Fprintf(&body, "\t{Name: %q, Earlier: %s, Before: %s, After: %s, Scenarios: %q},\n", p.name, codeOf(p.earlier), codeOf(p.before), codeOf(p.after), p.scenarios)
	}
	return fmt.Appendf(nil, `package pairs

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/durablegen/durablegen/internal/changes"

%s)

var pairs = []changes.Pair{
%s}

func TestPairs(t *testing.T) {
	outcomes := changes.ConfirmAll(t, pairs)
	data, err := json.Marshal(outcomes)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("PAIRS_OUT"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}
`, head.String(), body.String())
}
