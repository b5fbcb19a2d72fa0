package backend

import (
	"testing"

	"github.com/durablegen/durablegen/internal/history"
)

// TestUnreadableCostsNothing: every delivery is asked, with codecs or without.
func TestUnreadableCostsNothing(t *testing.T) {
	for _, r := range []history.Record{
		&history.Start{Input: history.Payload("1")}, &history.Task{Args: history.Payload("1")}, &history.Event{Payload: history.Payload("1")},
		&history.Done{Result: history.Payload("1"), Failure: &history.Failure{Message: "no"}}, &history.Control{}, &history.Fired{},
		&history.Turn{Slots: []history.Slot{{Args: history.Payload("1")}}, End: &history.End{}},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if err := Unreadable(r); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%T: %v allocations", r, n)
		}
	}
}
