package owner

import (
	"cmp"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// What comes of a replay, beside an [*engine.NondeterminismError].
var (
	ErrNoCode     = errors.New("no code for it")
	ErrUnreadable = errors.New("the code cannot read what the history holds")
	ErrPanics     = errors.New("the code panics where it did not")
)

// Rehearsal is code that is run over histories outside of a hub.
type Rehearsal struct {
	Code     Code
	Fail     func(error) *history.Failure
	Redacted bool // payloads were left out of the history: names and their order are compared
}

// Replayed is how an execution ends: as the history says, nil when it goes on, and with the code that replays it.
type Replayed struct{ Recorded, Now *history.End }

// Replay runs code over a history: a start or the base of an execution, then its inbox and its records in the order of the
// log. Of several executions the newest counts, as for a worker. The error is an [*engine.NondeterminismError] when the code
// does not repeat what is recorded (I6), or wraps one of those above. The history may come from anywhere.
func (r Rehearsal) Replay(of history.Address, messages []history.Message) (out Replayed, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanics, p, debug.Stack())
		}
	}()
	first, tail, err := newest(messages)
	if err != nil {
		return out, fmt.Errorf("owner: the history of %s/%s %w", of.Group, of.ID, err)
	}
	s := startOf(first).Record.(*history.Start)
	program, ok := r.Code.Program(s.Orchestrator, s.Version)
	if !ok {
		return out, fmt.Errorf("owner: the history of %s/%s is of %s: %w", of.Group, of.ID, named(s), ErrNoCode)
	}
	cfg := engine.Config{Self: of, Program: program, Fail: r.Fail, Resolve: r.Code.Resolve, Reading: !r.Redacted, Redacted: r.Redacted}
	m, run, execution := r.machine(cfg, first)
	defer m.Close()
	m.Expect(recordsOf(tail, run, execution).list)
	out.Recorded = endOf(tail, run, execution)
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
	out.Now = m.Ended()
	if m.Delayed() {
		return out, errors.Join(err, beginning(cfg, first))
	}
	return out, verdict(m, out, err)
}

// newest finds the message that the newest execution begins with, and what follows.
func newest(messages []history.Message) (first history.Message, tail []history.Message, err error) {
	if len(messages) == 0 {
		return first, nil, errors.New("is empty")
	}
	first = messages[0]
	s, ok := startOf(first).Record.(*history.Start)
	if !ok {
		return first, nil, errors.New("begins with a record that begins nothing: want a start, or the end of an execution that continued as new")
	}
	run, base := s.Run, (*history.Message)(nil)
	if t, ok := first.Record.(*history.Turn); ok {
		run, base = t.Run, &first
	}
	base, tail = newestBase(run, base, messages[1:], true)
	if base != nil {
		first = *base
	}
	return first, tail, nil
}

func (Rehearsal) machine(cfg engine.Config, first history.Message) (m *engine.Machine, run, execution uint32) {
	if base, ok := first.Record.(*history.Turn); ok {
		return engine.Resume(cfg, first), base.Run, base.Execution + 1
	}
	s := first.Record.(*history.Start)
	m = engine.New(cfg, first)
	if s.Prior != nil {
		execution = s.Prior.Execution()
		m.Recall(recordsOf(s.Prior.Messages, s.Run, execution).list)
	}
	return m, s.Run, execution
}

// endOf is how the log says that an execution ended, nil if it goes on.
func endOf(tail []history.Message, run, execution uint32) (end *history.End) {
	for _, msg := range tail {
		if t, ok := msg.Record.(*history.Turn); ok && t.Run == run && t.Execution == execution && t.End != nil && end == nil {
			end = t.End
		}
	}
	return end
}

// verdict weighs what a replay has shown. A payload that cannot be read comes first: what differs may only follow from it,
// and a program may hide it. One that the history itself failed of is no news.
func verdict(m *engine.Machine, out Replayed, err error) error {
	if unread := m.Unread(); unread != nil && !failedAs(out.Recorded, history.FailDecode) {
		return fmt.Errorf("%w: %w", ErrUnreadable, unread)
	}
	if err == nil && failedAs(out.Now, history.FailPanic) && !failedAs(out.Recorded, history.FailPanic) {
		return fmt.Errorf("%w: %s", ErrPanics, out.Now.Failure.Message)
	}
	return err
}

func failedAs(end *history.End, kind string) bool {
	return end != nil && end.Failure != nil && end.Failure.Kind == kind
}

// beginning tries the first steps of a program that is scheduled for later: it has an input, which it has not read.
func beginning(cfg engine.Config, first history.Message) error {
	s := *first.Record.(*history.Start)
	s.At, s.Prior = time.Time{}, nil
	first.Record = &s
	m := engine.New(cfg, first)
	defer m.Close()
	_, err := m.Begin()
	return verdict(m, Replayed{Now: m.Ended()}, err)
}

func named(s *history.Start) string {
	return "orchestrator " + s.Orchestrator + ", version " + cmp.Or(s.Version, history.FirstVersion)
}
