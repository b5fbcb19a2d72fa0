package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/lint"
)

// TestWholeProgram has the corpus looked at as a whole program. Nothing in it sets variables of other packages, so the same has to
// be found at the same places: that a package is known too well to need the program, and that the program adds nothing of its own.
func TestWholeProgram(t *testing.T) {
	t.Parallel()
	work, err := filepath.Abs("testdata/go.work")
	if err != nil {
		t.Fatal(err)
	}
	found := func(program bool) (list []string) {
		result, err := lint.Run(t.Context(), lint.Config{
			Patterns: []string{"./testdata/corpus/..."}, Env: append(os.Environ(), "GOWORK="+work, "GOFLAGS="), Program: program,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range result.Unseen {
			if u.Broken {
				t.Errorf("not looked at: %+v", u)
			}
		}
		for _, f := range result.Findings {
			list = append(list, fmt.Sprintf("%s %s", at(f.Pos), f.Rule.ID))
		}
		return list
	}
	packages := found(false)
	if len(packages) < 700 {
		t.Fatalf("%d findings in the corpus", len(packages))
	}
	if diff := cmp.Diff(packages, found(true)); diff != "" {
		t.Errorf("(-by package +whole program):\n%s", diff)
	}
}
