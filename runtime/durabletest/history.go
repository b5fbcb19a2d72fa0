package durabletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/inside"
	"github.com/durablegen/durablegen/internal/owner"
	durable "github.com/durablegen/durablegen/runtime"
)

// saved is the form of a history in a file: what the archive holds of an instance, with its name, a message a line.
type saved struct {
	Group        string           `json:"group"`
	ID           string           `json:"id"`
	Orchestrator string           `json:"orchestrator"` // wire name
	Messages     history.Messages `json:"messages"`
}

// History gives the history of an instance in the form of a file for [Replay]: of its current or last execution, all that
// it was told and all that it decided. The test fails when there is no such instance.
func (e *Env) History(id string) []byte {
	e.t.Helper()
	s, err := e.history(id)
	if err != nil {
		e.t.Fatalf("durabletest: the history of %q: %v", id, err)
	}
	text, err := s.text()
	if err != nil {
		e.t.Fatalf("durabletest: the history of %q: %v", id, err)
	}
	return text
}

// SaveHistory writes the history of an instance to a file, which [Replay] reads. Keep the file with the tests: it shows
// whether a later version of the code can go on with what this one began.
func (e *Env) SaveHistory(id, path string) {
	e.t.Helper()
	if err := os.WriteFile(path, e.History(id), 0o644); err != nil {
		e.t.Fatalf("durabletest: save the history of %q: %v", id, err)
	}
}

func (e *Env) history(id string) (saved, error) {
	hub := clientHub{e.world.look, e}
	group, err := answer(e.world, func(done func(string, error)) { hub.View.Group(id, done) })
	if errors.Is(err, backend.ErrNotFound) {
		return saved{}, durable.ErrNotFound
	}
	if err != nil {
		return saved{}, err
	}
	of := history.Address{Group: group, ID: id}
	loaded, err := answer(e.world, func(done func(backend.Known, error)) { backend.Read(hub.View, of, 0, done) })
	if err != nil {
		return saved{}, err
	}
	first := loaded.Start
	if loaded.Base != nil {
		first = loaded.Base
	}
	if first == nil {
		return saved{}, durable.ErrNotFound
	}
	s := saved{Group: of.Group, ID: of.ID, Messages: append(history.Messages{*first}, loaded.Tail...)}
	s.Orchestrator = s.start().Orchestrator
	return s, nil
}

// start is the start that the history begins with, possibly within a base; nil if there is none.
func (s *saved) start() *history.Start {
	if len(s.Messages) == 0 {
		return nil
	}
	switch r := s.Messages[0].Record.(type) {
	case *history.Start:
		return r
	case *history.Turn:
		if r.End != nil && r.End.Base != nil {
			return &r.End.Base.Start
		}
	}
	return nil
}

// text writes a message a line, so that a change shows in a diff.
func (s *saved) text() ([]byte, error) {
	data, err := json.Marshal(s.Messages)
	if err != nil {
		return nil, err
	}
	var messages []json.RawMessage
	if err := json.Unmarshal(data, &messages); err != nil {
		return nil, err
	}
	head, err := json.Marshal(saved{Group: s.Group, ID: s.ID, Orchestrator: s.Orchestrator})
	if err != nil {
		return nil, err
	}
	head, _ = bytes.CutSuffix(head, []byte("null}"))
	lines := make([][]byte, len(messages))
	for n, m := range messages {
		lines[n] = m
	}
	return fmt.Appendf(head, "[\n%s\n]}\n", bytes.Join(lines, []byte(",\n"))), nil
}

// Replay runs the present code over a history: the path of a file of [Env.SaveHistory], or what it holds. The test fails
// when the code does not do again what the history says it did, with both sides and the place in the code: then
// instances that were begun by the older code cannot go on with this one. The bindings are those of the orchestrator and,
// if names have changed, of the activities and children with aliases; no activity runs.
//
// Code may do more than the history tells, after its end. The values of results and the lengths of timers may change.
func Replay[H string | []byte](t testing.TB, history H, bindings ...durable.Binding) {
	t.Helper()
	name, text := "a history", []byte(history)
	if path, ok := any(history).(string); ok {
		var err error
		name = path
		if text, err = os.ReadFile(path); err != nil {
			t.Fatalf("durabletest: replay: %v", err)
		}
	}
	if err := replay(text, bindings); err != nil {
		t.Fatalf("durabletest: replay of %s: %v", name, err)
	}
}

func replay(text []byte, bindings []durable.Binding) (err error) {
	var s saved
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	start := s.start()
	switch {
	case start == nil:
		return errors.New("it does not begin with a start, or with the end of an execution that continued as new")
	case start.Orchestrator != s.Orchestrator:
		return fmt.Errorf("it is of orchestrator %s, and its first message is of %s", s.Orchestrator, start.Orchestrator)
	}
	var code durable.Registry
	if err := code.Add(bindings...); err != nil {
		return err
	}
	group, ok := inside.Group(&code, s.Orchestrator)
	if !ok {
		return fmt.Errorf("it is of orchestrator %s, which has no binding: give Replay its handle's Bind(…)", s.Orchestrator)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	end, err := owner.Replay(inside.Code(&code, group), inside.Fail, history.Address{Group: s.Group, ID: s.ID}, s.Messages)
	if err != nil {
		return err
	}
	return sameEnd(s.end(), end)
}

// end is how the history says that the execution ended, nil if it goes on.
func (s *saved) end() *history.End {
	if turn, ok := s.Messages[len(s.Messages)-1].Record.(*history.Turn); ok && len(s.Messages) > 1 {
		return turn.End
	}
	return nil
}

// sameEnd refuses code that ends otherwise what has ended.
func sameEnd(recorded, now *history.End) error {
	if recorded == nil || now == nil || recorded.Status == now.Status {
		return nil
	}
	why := ""
	if now.Failure != nil {
		why = ": " + now.Failure.Message
	}
	return fmt.Errorf("it ended as %s, and the present code ends it as %s%s", recorded.Status, now.Status, why)
}
