package durabletest

import (
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

// History gives the history of an instance in the form of a file for [Replay]: of its current or last execution, all that
// it was told and all that it decided. The test fails when there is no such instance.
func (e *Env) History(id string) []byte {
	e.t.Helper()
	s, err := e.history(id)
	if err != nil {
		e.t.Fatalf("durabletest: the history of %q: %v", id, err)
	}
	text, err := s.Text()
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

func (e *Env) history(id string) (history.Saved, error) {
	hub := clientHub{e.world.look, e}
	group, err := answer(e.world, func(done func(string, error)) { hub.View.Group(id, done) })
	if errors.Is(err, backend.ErrNotFound) {
		return history.Saved{}, durable.ErrNotFound
	}
	if err != nil {
		return history.Saved{}, err
	}
	of := history.Address{Group: group, ID: id}
	loaded, err := answer(e.world, func(done func(backend.Known, error)) { backend.Read(hub.View, of, 0, done) })
	if err != nil {
		return history.Saved{}, err
	}
	first := loaded.Start
	if loaded.Base != nil {
		first = loaded.Base
	}
	if first == nil {
		return history.Saved{}, durable.ErrNotFound
	}
	return history.NewSaved(of, append([]history.Message{*first}, loaded.Tail...))
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
	s, err := history.ReadSaved(text)
	if err != nil {
		return err
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
	return sameEnd(s.End(), end)
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
