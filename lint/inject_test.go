package lint_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/lint"
	"github.com/durablegen/durablegen/lint/internal/driver"
)

// What the hazards of the README name stands before them.
const surroundings = `
	members, ids := map[string]int{applicant.ID: 1, applicant.Phone: 2}, []string(nil)
	_ = members
`

const beyond = `
var (
	mu      sync.Mutex
	counter int
)

func notify() {}

type note struct{}

func (note) Call(ctx durable.Context, id string) { ctx.SetStatus(id) }

var NoteActivity note
`

// TestREADMEHazards puts each hazard of the README's list into a copy of the example and expects its rule on its line, and
// nothing on any other.
func TestREADMEHazards(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `(.+?)` \\| \\[(D[A-Z]+[0-9]+)\\]").FindAllStringSubmatch(string(readme), -1)
	if len(rows) < 15 {
		t.Fatalf("the README lists %d hazards", len(rows))
	}
	std := []string{"log", "math/rand/v2", "net/http", "os", "os/exec", "runtime", "sync", "time"}
	cfg := driver.Config{Patterns: append([]string{"../examples/membership/club"}, std...), Analyzers: lint.Analyzers(), Skip: lint.Known}
	graph, err := driver.Load(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range append(rows, []string{"", "_ = 0", ""}) {
		hazard, rule := row[1], row[2]
		t.Run(hazard, func(t *testing.T) {
			t.Parallel()
			cfg := cfg
			line := 0
			cfg.ReadFile = func(name string) ([]byte, error) {
				src, err := os.ReadFile(name)
				if filepath.Base(name) == "verify.go" && err == nil {
					src, line = inject(t, src, hazard, std)
				}
				return src, err
			}
			result, err := driver.Look(t.Context(), cfg, graph)
			if err != nil || len(result.Problems) > 0 {
				t.Fatal(err, result.Problems)
			}
			found := false
			for _, f := range result.Findings {
				pos := result.Fset.Position(f.Pos)
				t.Logf("%s:%d: %s", filepath.Base(pos.Filename), pos.Line, f.Message)
				if filepath.Base(pos.Filename) != "verify.go" || pos.Line != line || rule == "" {
					t.Errorf("line %d is clean", pos.Line)
				}
				found = found || f.Category == rule
			}
			if !found && rule != "" {
				t.Errorf("%s is not found on line %d", rule, line)
			}
		})
	}
}

// inject puts a hazard at the beginning of VerifyPhone, and gives its line.
func inject(t *testing.T, src []byte, hazard string, std []string) ([]byte, int) {
	t.Helper()
	const begin = "func VerifyPhone(ctx durable.Context, applicant Applicant, rules Rules) (bool, error) {\n"
	if !bytes.Contains(src, []byte(begin)) {
		t.Fatal("verify.go has no VerifyPhone")
	}
	if m := regexp.MustCompile(`^(\w+)(, (\w+))? := `).FindStringSubmatch(hazard); m != nil {
		hazard += "; _ = " + m[1]
		if m[3] != "" {
			hazard += "; _ = " + m[3]
		}
	}
	hazard = "{ " + hazard + "; ctx.SetStatus(ids) }" // what it declares clashes with nothing
	var imports strings.Builder
	for _, path := range std {
		name := strings.TrimSuffix(path, "/v2")
		name = name[strings.LastIndexByte(name, '/')+1:]
		if regexp.MustCompile(`\b`+name+`\.`).MatchString(hazard+beyond) && !bytes.Contains(src, []byte(`"`+path+`"`)) {
			fmt.Fprintf(&imports, "import %q\n", path)
		}
	}
	src = bytes.Replace(src, []byte("package club\n"), []byte("package club\n"+imports.String()), 1)
	src = bytes.Replace(src, []byte(begin), []byte(begin+surroundings+hazard+"\n"), 1)
	at := bytes.Index(src, []byte(hazard))
	return append(src, beyond...), bytes.Count(src[:at], []byte("\n")) + 1
}
