package rehearsal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/shape"
)

// TestRehearsalsRepeat rehearses orchestrators of an example against themselves, twice: nothing differs, and the second time
// everything is as it was the first time.
func TestRehearsalsRepeat(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("../../examples/membership/club", shape.FileName))
	if err != nil {
		t.Fatal(err)
	}
	l, err := shape.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.Orchestrators {
		o := &l.Orchestrators[i]
		t.Run(o.Name, func(t *testing.T) {
			t.Parallel()
			p := shape.Program{Lock: &l, Orchestrator: o, Flow: &o.Flow}
			first, second := Rehearse(p, p), Rehearse(p, p)
			if diff := cmp.Diff(first, second); diff != "" {
				t.Errorf("the second rehearsal is another one (-first +second):\n%s", diff)
			}
			if first.Differs {
				t.Errorf("a program does not repeat itself: %+v", first)
			}
		})
	}
}
