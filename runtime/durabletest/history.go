package durabletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	of := history.Address{Group: group, ID: id}
	if errors.Is(err, backend.ErrNotFound) { // it may have left the log
		var s backend.State
		s, err = answer(e.world, func(done func(backend.State, error)) {
			hub.View.GetState(id, func(s backend.State, _ uint64, err error) { done(s, err) })
		})
		of = s.Address
	}
	if errors.Is(err, backend.ErrNotFound) {
		return history.Saved{}, durable.ErrNotFound
	}
	if err != nil {
		return history.Saved{}, err
	}
	loaded, err := answer(e.world, func(done func(backend.Known, error)) { backend.Read(hub.View, of, 0, done) })
	if err != nil {
		return history.Saved{}, err
	}
	first := loaded.Start
	if loaded.Base != nil {
		first = loaded.Base
	}
	if a := loaded.Archive; first == nil && !a.Snapshot() && len(a.Messages) > 0 { // it has ended, and left the log
		return history.NewSaved(of, a.Messages)
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
// Code may do more than the history tells, after its end. The values of results and the lengths of timers may change. Every
// payload must fit, also one that the code does not ask for; a redacted history has none, so names and their order count.
// Interceptors do not run: a history in which one has decided something, by a call or a timer, does not fit. To replay it, put
// what the interceptor does into the function that is bound.
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

// ReplayDir is [Replay] for every history in the files of a folder, as durable export --dir and durablegen check -export write
// them: each is a subtest, and they run in parallel. The registry is that of a worker, filled by RegisterDurable; activities
// do not run, so their receivers may be empty. A folder without histories fails the test.
func ReplayDir(t *testing.T, dir string, code *durable.Registry) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("durabletest: replay: %v", err)
	}
	found := false
	for _, f := range files {
		if ext := filepath.Ext(f.Name()); f.IsDir() || ext != ".json" && ext != ".jsonl" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatalf("durabletest: replay: %v", err)
		}
		found = true
		t.Run(f.Name(), func(t *testing.T) {
			t.Parallel()
			if err := replayFile(text, code); err != nil {
				t.Errorf("durabletest: replay of %s: %v", filepath.Join(dir, f.Name()), err)
			}
		})
	}
	if !found {
		t.Fatalf("durabletest: replay: there is no history in %s: durable export --dir writes some", dir)
	}
}

func replayFile(text []byte, code *durable.Registry) error {
	var errs []error
	for n, one := range histories(text) {
		if err := replayOf(one, code, nil); err != nil {
			errs = append(errs, fmt.Errorf("history %d: %w", n+1, err))
		}
	}
	return errors.Join(errs...)
}

// histories divides a file that may have one a line. What is none is left for the replay to complain about.
func histories(text []byte) (all [][]byte) {
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var one json.RawMessage
		switch err := d.Decode(&one); {
		case errors.Is(err, io.EOF) && len(all) > 0:
			return all
		case err != nil:
			return append(all, text[d.InputOffset():])
		}
		all = append(all, one)
	}
}

func replay(text []byte, bindings []durable.Binding) error {
	var code durable.Registry
	if err := code.Add(bindings...); err != nil {
		return err
	}
	return replayOf(text, &code, nil)
}

func replayOf(text []byte, code *durable.Registry, around []durable.OrchestratorInterceptor) error {
	s, err := history.ReadSaved(text)
	if err != nil {
		return err
	}
	group, ok := inside.Group(code, s.Orchestrator)
	if !ok {
		return fmt.Errorf("it is of orchestrator %s, which has no binding: give its handle's Bind(…)", s.Orchestrator)
	}
	if group != s.Group {
		return fmt.Errorf("it is of group %s, and orchestrator %s is now of group %s, whose workers do not look there: keep the group with group=", s.Group, s.Orchestrator, group)
	}
	r := owner.Rehearsal{Code: inside.Code(code, group), Fail: inside.Fail, Redacted: s.Redacted != ""}
	inside.Around(r.Code, around)
	out, err := r.Replay(history.Address{Group: s.Group, ID: s.ID}, s.Messages)
	if err != nil || r.Redacted {
		return err
	}
	return sameEnd(out.Recorded, out.Now)
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
