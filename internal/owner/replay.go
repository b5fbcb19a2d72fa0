package owner

import (
	"fmt"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// Replay runs code over a history outside of a hub: a start or the base of an execution, then its inbox and its records in
// the order of the log. It gives how the code ends it, nil when it goes on, and an [*engine.NondeterminismError] when the
// code does not repeat what is recorded (I6). The history may come from anywhere.
func Replay(code Code, fail func(error) *history.Failure, of history.Address, messages []history.Message) (*history.End, error) {
	if len(messages) == 0 {
		return nil, fmt.Errorf("owner: the history of %s/%s is empty", of.Group, of.ID)
	}
	first, tail := messages[0], messages[1:]
	start, execution := startOf(first), uint32(0)
	s, ok := start.Record.(*history.Start)
	if !ok {
		return nil, fmt.Errorf("owner: the history of %s/%s begins with a record that begins nothing: want a start, or the end of an execution that continued as new", of.Group, of.ID)
	}
	run := s.Run
	program, ok := code.Program(s.Orchestrator, s.Version)
	if !ok {
		return nil, fmt.Errorf("owner: the history of %s/%s is of orchestrator %s, which is unknown here", of.Group, of.ID, s.Orchestrator)
	}
	cfg := engine.Config{Self: of, Program: program, Fail: fail, Resolve: code.Resolve}
	var m *engine.Machine
	if base, ok := first.Record.(*history.Turn); ok {
		run, execution = base.Run, base.Execution+1
		m = engine.Resume(cfg, first)
	} else {
		m = engine.New(cfg, first)
		if s.Prior != nil {
			execution = s.Prior.Execution()
			m.Recall(recordsOf(s.Prior.Messages, run, execution).list)
		}
	}
	defer m.Close()
	m.Expect(recordsOf(tail, run, execution).list)
	turn, err := m.Begin()
	for _, msg := range inboxOf(tail) {
		if err != nil || turn.End != nil {
			break
		}
		turn, err = m.Apply(msg)
	}
	if err == nil {
		err = m.Replayed()
	}
	return m.Ended(), err
}
