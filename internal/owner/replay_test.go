package owner_test

import (
	"errors"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
)

// oneProgram is code of a single orchestrator.
type oneProgram engine.Program

func (p oneProgram) Program(name, _ string) (engine.Program, bool) {
	return engine.Program(p), name == "o"
}
func (oneProgram) Resolve(_ history.SlotKind, name string) string { return name }
func (oneProgram) Orchestrators() []string                        { return []string{"o"} }

func calls(name string) oneProgram {
	return func(c *engine.Coroutine, input history.Payload) (history.Payload, error) {
		if string(input) == "1" {
			return nil, &engine.ContinueAsNew{Input: history.Payload("2")}
		}
		c.Await(c.Schedule(history.Slot{Kind: history.SlotActivity, Name: name}))
		return nil, nil
	}
}

// TestReplayOfALogWithItsBase: a log may hold the execution before the present one. Its end is not the end of the replay.
func TestReplayOfALogWithItsBase(t *testing.T) {
	t.Parallel()
	began := time.Unix(1, 0).UTC()
	start := history.Start{Run: 1, Orchestrator: "o", Input: history.Payload("1")}
	next := start
	next.Input = history.Payload("2")
	log := []history.Message{
		{Seq: 1, Time: began, Record: &start},
		{Seq: 2, Time: began, Record: &history.Turn{Run: 1, At: 1, End: &history.End{Status: history.ContinuedAsNew, Base: &history.Base{Start: next, Started: began, Clock: began}}}},
		{Seq: 3, Time: began, Record: &history.Task{Ref: history.Ref{Run: 1, Execution: 1}, Name: "a", Attempt: 1}},
	}
	of := history.Address{Group: "g", ID: "i"}
	replay := func(p oneProgram, log []history.Message) error {
		out, err := owner.Rehearsal{Code: p}.Replay(of, log)
		if err == nil && (out.Recorded != nil || out.Now != nil) {
			t.Errorf("it ends as %+v", out)
		}
		return err
	}
	if err := replay(calls("a"), log); err != nil {
		t.Errorf("the same code: %v", err)
	}
	if e, ok := errors.AsType[*engine.NondeterminismError](replay(calls("b"), log)); !ok || e.Ref.Execution != 1 {
		t.Errorf("other code: %v, want a mismatch in execution 1", e)
	}
	for name, log := range map[string][]history.Message{"nothing": nil, "no beginning": log[2:]} {
		if err := replay(calls("a"), log); err == nil {
			t.Errorf("%s is replayed", name)
		}
	}
	other := start
	other.Orchestrator = "p"
	if err := replay(calls("a"), []history.Message{{Seq: 1, Record: &other}}); !errors.Is(err, owner.ErrNoCode) {
		t.Errorf("without code: %v", err)
	}
}
