package changes_test

import (
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/durablegen/durablegen/gen"
	"github.com/durablegen/durablegen/internal/shape"
)

// TestNothingElse compares every orchestrator of the old sides with itself but for one argument of its first activity:
// that is one finding, whatever loops, waits and coroutines there are besides.
func TestNothingElse(t *testing.T) {
	t.Parallel()
	dir := newModule(t, example)
	sides := map[string]bool{}
	for _, p := range chosen(readPairs(t)) {
		if name := folder(p.before); !sides[name] {
			sides[name] = true
			writeSide(t, p.before, example, dir, name)
		}
	}
	generate(t, dir)
	compared := 0
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != gen.LockName {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		old, err := shape.Read(text)
		if err != nil {
			return err
		}
		for i := range old.Orchestrators {
			now, err := shape.Read(text)
			if err != nil {
				return err
			}
			if o := &now.Orchestrators[i]; otherArgument(&o.Flow) {
				compared++
				oneFinding(t, old, now, i)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("%d orchestrators", compared); compared == 0 {
		t.Error("nothing was compared")
	}
}

// otherArgument changes what the first activity of a flow is called with, and gives all nodes places. It reports whether
// there is such an activity.
func otherArgument(f *shape.Flow) bool {
	// A loop in a function value is written as a variable without values: nobody can tell that it equals itself.
	if slices.ContainsFunc(f.Values, func(v shape.Value) bool { return v.Op == "phi" && len(v.Args) == 0 }) {
		return false
	}
	at := slices.IndexFunc(f.Nodes, func(n shape.Node) bool { return n.Kind == shape.Activity && len(n.Args) > 0 && !n.Loose })
	if at < 0 {
		return false
	}
	f.Values = append(f.Values, shape.Value{Op: "const", What: `"another"`})
	f.Nodes[at].Args[0] = len(f.Values) - 1
	for i := range f.Nodes {
		f.Nodes[i].Pos = token.Position{Filename: "flow.go", Line: i + 1}
	}
	return true
}

// oneFinding compares one orchestrator of two locks.
func oneFinding(t *testing.T, old, now shape.Lock, i int) {
	t.Helper()
	name := fmt.Sprintf("%s %s", old.Package, old.Orchestrators[i].Name)
	old.Orchestrators, now.Orchestrators = old.Orchestrators[i:i+1], now.Orchestrators[i:i+1]
	var said []string
	for _, f := range shape.Compare(&old, &now, nil) {
		if !f.Safe {
			said = append(said, f.Change)
		}
	}
	if len(said) != 1 {
		t.Errorf("%s: %d findings, want 1: %q", name, len(said), said)
	}
}
