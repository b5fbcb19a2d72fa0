package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/chaos/harness"
)

func TestMain(m *testing.M) {
	harness.Main()
	os.Exit(m.Run())
}

// TestMistakes: what is not there is told with what is, and exit code 2. What the command does is tested by
// internal/chaos, in a short form.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-fault", "flood"}, "kill-leader"},
		{[]string{"-measure", "luck"}, "rebalance"},
		{[]string{"-seed", "x"}, "-seed"},
	} {
		var out, said bytes.Buffer
		if code := run(t.Context(), c.args, &out, &said); code != 2 || !strings.Contains(said.String(), c.want) || out.Len() > 0 {
			t.Errorf("%v: exit code %d, it says %q and %q", c.args, code, out.String(), said.String())
		}
	}
}
