package engine_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// TestACompletionIsARecordOfWhatWasBefore: a replay is silent up to where the local activity was decided. What follows from
// its completion has perhaps never run.
func TestACompletionIsARecordOfWhatWasBefore(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	m := engine.New(engine.Config{
		Logger: slog.New(slog.NewTextHandler(&said, nil)),
		Program: func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
			co.Logger().Info("before")
			co.Await(co.Schedule(history.Slot{Kind: history.SlotActivity, Name: "a", Local: true}))
			co.Logger().Info("after")
			return nil, nil
		},
	}, history.Message{Seq: 1, Time: time.Unix(1, 0), Record: &history.Start{Run: 1}})
	defer m.Close()
	done := &history.Done{Ref: history.Ref{Run: 1}, Name: "a", Hash: history.ArgsHash(nil), Local: true}
	m.Expect([]engine.Recorded{{Slot: done.LocalSlot(), Seq: 2}})
	if _, err := m.Begin(); err != nil {
		t.Fatal(err)
	}
	turn, err := m.Apply(history.Message{Seq: 2, Time: time.Unix(2, 0), Record: done})
	if err != nil || turn.End == nil || m.Replayed() != nil {
		t.Fatalf("it gives %+v, %v, %v", turn, err, m.Replayed())
	}
	if got := said.String(); strings.Contains(got, "before") || !strings.Contains(got, "after") {
		t.Errorf("it says %q", got)
	}
}
