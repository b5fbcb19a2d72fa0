package history_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
)

// TestForeignTrace: what is no trace context is left out, written or read; the record itself is as good as before.
func TestForeignTrace(t *testing.T) {
	t.Parallel()
	for name, trace := range map[string]string{
		"words":            "not a trace",
		"a line break":     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0\n",
		"upper case":       "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
		"no trace id":      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"no span id":       "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"another version":  "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"longer":           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
		"other separators": "00.0af7651916cd43dd8448eb211c80319c.b7ad6b7169203331.01",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields, _, err := history.Encode(&history.Start{Run: 1, Orchestrator: "a", Trace: trace})
			if err != nil || len(fields) != 1 {
				t.Errorf("written: %v, %v", fields, err)
			}
			r, err := history.Decode(history.KindStart, history.HeadOf([]history.Field{{Key: "Durable-Start", Value: "1 a"}, {Key: "Durable-Trace", Value: trace}}), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.(*history.Start).Trace; got != "" {
				t.Errorf("read as %q", got)
			}
		})
	}
}

// TestContextLimits: whole members are dropped from the end, and what is no list of members is left out; written and read.
func TestContextLimits(t *testing.T) {
	t.Parallel()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	many := func(n int) string {
		return strings.TrimSuffix(strings.Repeat("k=v,", n), ",")
	}
	long := "k=" + strings.Repeat("x", 300)
	huge := "k=" + strings.Repeat("x", 5000)
	for name, test := range map[string]struct {
		parent, state, baggage         string
		wantParent, wantState, wantBag string
	}{
		"as they are":         {parent, "a=1,b@c=2", "user=anna;secret,k=%C3%A4", parent, "a=1,b@c=2", "user=anna;secret,k=%C3%A4"},
		"spaces and nothing":  {parent, " a=1 ,, b=2\t", " , k=v , ", parent, "a=1,b=2", "k=v"},
		"state alone":         {"", "a=1", "k=v", "", "", "k=v"},
		"beside a bad parent": {"00-0", "a=1", "", "", "", ""},
		"too many members":    {parent, many(33), many(65), parent, many(32), many(64)},
		"too many bytes":      {parent, long + "," + long, huge + "," + huge, parent, long, huge},
		"a member too long":   {parent, huge, huge + huge, parent, "", ""},
		"no members":          {parent, "a", "=v", parent, "", ""},
		"lines":               {parent, "a=1\nTask: 1", "k=v\r\nX: y", parent, "", ""},
		"not ASCII":           {parent, "a=ä", "k=ä", parent, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields, _, err := history.Encode(&history.Start{Run: 1, Orchestrator: "a", Trace: test.parent, TraceState: test.state, Baggage: test.baggage})
			if err != nil {
				t.Fatal(err)
			}
			raw := []history.Field{
				{Key: "Durable-Start", Value: "1 a"}, {Key: "Durable-Trace", Value: test.parent},
				{Key: "Durable-Tracestate", Value: test.state}, {Key: "Durable-Baggage", Value: test.baggage},
			}
			for how, fields := range map[string][]history.Field{"written": fields, "read": raw} {
				r, err := history.Decode(history.KindStart, history.HeadOf(fields), nil)
				if err != nil {
					t.Fatal(err)
				}
				s := r.(*history.Start)
				got, want := []string{s.Trace, s.TraceState, s.Baggage}, []string{test.wantParent, test.wantState, test.wantBag}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", how, diff)
				}
			}
		})
	}
}
