package history_test

import (
	"testing"

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
