package owner

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
)

func TestOutcome(t *testing.T) {
	t.Parallel()
	for _, o := range []Outcome{
		{ID: "order 7", Run: 1, Status: history.Completed, Result: history.Payload("{\"a\":\n\n1}")},
		{ID: "ä\n", Run: 4_000_000_000, Status: history.Completed},
		{ID: "x", Run: 2, Status: history.Failed, Failure: &history.Failure{Message: "no", Cause: &history.Failure{Message: "deep"}}},
		{ID: "large", Run: 3},
	} {
		data, err := o.encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseOutcome(data)
		if diff := cmp.Diff(o, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", data, err, diff)
		}
	}
}

// TestForeignHints: topics of hints are as open as the server's permissions make them.
func TestForeignHints(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"nothing":              "",
		"no record":            "x ",
		"no id":                " 1-0 0 0 Completed\n\n1",
		"an id that is not":    "a=zz 1-0 0 0 Completed\n\n1",
		"an end that is none":  "x 1-0 0 0 Running\n\n1",
		"a continue-as-new":    "x 1-0 0 0 ContinuedAsNew json\n\n{\"base\":{\"start\":{\"run\":1,\"name\":\"a\"}}}",
		"a failure without it": "x 1-0 0 0 Failed\n\n",
		"much":                 "x 1-0 0 0 Completed" + strings.Repeat(" ", 1<<20) + "\n\n",
	} {
		if o, err := ParseOutcome([]byte(data)); err == nil {
			t.Errorf("%s: %+v, want an error", name, o)
		}
	}
}
