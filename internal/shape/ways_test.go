package shape_test

import (
	"strings"
	"testing"
)

// TestWaysOut looks at the first way out that is told: a call of Version that is gone cannot be put behind another.
func TestWaysOut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, before, after, want string }{
		{"another activity", "x = activity A(in)\nawait x", "x = activity B(in)\nawait x", "put the change behind a patch"},
		{"a marker is gone", "v = version asked\nx = activity A(in)\nawait x", "x = activity A(in)\nawait x", `keep the call, for instances that have it recorded: ctx.Version("asked")`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			findings := compare(test.before, test.after)
			if len(findings) != 1 || findings[0].Safe || !strings.HasPrefix(findings[0].WaysOut[0], test.want) {
				t.Errorf("findings: %+v, want one whose first way out begins with %q", findings, test.want)
			}
		})
	}
}
