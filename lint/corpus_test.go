package lint_test

import (
	"bytes"
	"fmt"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/lint"
	"github.com/durablegen/durablegen/lint/internal/driver"
)

// missed are hazards of the corpus that are not found, by "file.go:Orchestrator RULE", each with its reason. They count.
var missed = map[string]string{}

// TestCorpus compares what is found with what the corpus wants, line by line, and prints how well the linter does. A case is
// an orchestrator; what it wants stands on the lines of the hazards, in it or in what it reaches.
func TestCorpus(t *testing.T) {
	dirs, err := filepath.Glob("testdata/corpus/*")
	if err != nil {
		t.Fatal(err)
	}
	wanted, cases, patterns := map[string]bool{}, 0, []string{}
	for _, dir := range dirs {
		patterns = append(patterns, "./"+dir)
		more, n := wants(t, dir)
		maps.Copy(wanted, more)
		cases += n
	}
	result := run(t, patterns)
	found, hazardous := map[string]string{}, map[string]bool{}
	said := map[string]bool{}
	for _, f := range result.Findings {
		if place := fmt.Sprint(f.Package, f.Pos, f.Category); said[place] {
			t.Errorf("said twice: %s: %s", at(result.Fset.Position(f.Pos)), f.Message)
		} else {
			said[place] = true
		}
		found[at(result.Fset.Position(f.Pos))+" "+f.Category] = f.Message
		hazardous[f.Package+" "+orchestratorOf(f.Message)] = true
	}
	right, own := 0, 0
	lines := map[string]bool{}
	for w := range wanted {
		line, _, _ := strings.Cut(w, " ")
		lines[line] = true
	}
	for _, f := range slices.Sorted(maps.Keys(found)) {
		line, _, _ := strings.Cut(f, " ")
		if lines[line] {
			own++
		}
		if wanted[f] {
			right++
			t.Logf("%s: %s", f, found[f])
		} else {
			t.Errorf("false alarm: %s: %s", f, found[f])
		}
	}
	for _, w := range slices.Sorted(maps.Keys(wanted)) {
		if found[w] == "" && missed[w] == "" {
			t.Errorf("missed: %s", w)
		}
	}
	t.Logf("%d orchestrators, %d of them with hazards; %d hazards wanted: precision %.3f, recall %.3f, on the hazard's own line %.3f",
		cases, len(hazardous), len(wanted), share(right, len(found)), share(right, len(wanted)), share(own, len(found)))
	if cases < 150 {
		t.Errorf("%d cases, want 150 at least", cases)
	}
}

func share(part, of int) float64 { return float64(part) / float64(max(of, 1)) }

var inOrchestrator = regexp.MustCompile(` in orchestrator (\w+)`)

func orchestratorOf(message string) string {
	if m := inOrchestrator.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}

// run looks at packages of testdata, in a workspace in which there are modules of others.
func run(t *testing.T, patterns []string) *driver.Result {
	t.Helper()
	work, err := filepath.Abs("testdata/go.work")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOWORK", work)
	t.Setenv("GOFLAGS", "")
	result, err := driver.Run(t.Context(), driver.Config{Patterns: patterns, Analyzers: lint.Analyzers(), Skip: lint.Known})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range result.Problems {
		t.Error(p)
	}
	return result
}

// TestRepeats looks twice and compares all that is said.
func TestRepeats(t *testing.T) {
	all := func() string {
		result := run(t, []string{"./testdata/corpus/..."})
		var b bytes.Buffer
		for _, f := range result.Findings {
			fmt.Fprintln(&b, result.Fset.Position(f.Pos), f.Message)
			for _, fix := range f.SuggestedFixes {
				for _, e := range fix.TextEdits {
					fmt.Fprintf(&b, "%s %s-%s %q\n", fix.Message, result.Fset.Position(e.Pos), result.Fset.Position(e.End), e.NewText)
				}
			}
			for _, r := range f.Related {
				fmt.Fprintln(&b, result.Fset.Position(r.Pos), r.Message)
			}
		}
		return b.String()
	}
	first := all()
	for range 3 {
		if again := all(); again != first {
			t.Fatalf("the second run says something else:\n%s\nthe first said:\n%s", again, first)
		}
	}
}

var want = regexp.MustCompile(`// want ((?:D(?:ET|UR)\d+ ?)+)`)

// wants reads the want comments of a folder, and counts its orchestrators.
func wants(t *testing.T, dir string) (wanted map[string]bool, cases int) {
	t.Helper()
	wanted = map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		cases += strings.Count(string(src), "//durable:orchestrator\n")
		for i, line := range strings.Split(string(src), "\n") {
			if m := want.FindStringSubmatch(line); m != nil {
				for _, id := range strings.Fields(m[1]) {
					wanted[fmt.Sprintf("%s:%d %s", filepath.Base(name), i+1, id)] = true
				}
			}
		}
	}
	return wanted, cases
}

func at(p token.Position) string { return fmt.Sprintf("%s:%d", filepath.Base(p.Filename), p.Line) }

// TestWay compares all that is said of some findings: how the hazard is reached, what is told of other modules, where the
// order of a map shows.
func TestWay(t *testing.T) {
	result := run(t, []string{"./testdata/corpus/across", "./testdata/corpus/dispatch"})
	var got []string
	for _, f := range result.Findings {
		switch orchestratorOf(f.Message) {
		case "ThirdDeep", "ThirdApplyImpure", "Stamp", "NapsInMapOrder", "HTTP":
			got = append(got, at(result.Fset.Position(f.Pos))+": "+f.Message)
			for _, r := range f.Related {
				got = append(got, "\t"+at(result.Fset.Position(r.Pos))+": "+r.Message)
			}
		}
	}
	const golden = "testdata/way.txt"
	text := strings.Join(got, "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
