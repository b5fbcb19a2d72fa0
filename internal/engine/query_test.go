package engine_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// TestQueriesEndWithTheExecution: a handler reads variables between two messages; after the end nobody answers.
func TestQueriesEndWithTheExecution(t *testing.T) {
	t.Parallel()
	heard := "nothing"
	m := engine.New(engine.Config{Self: self, Program: func(c *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		answer := func(history.Payload) (history.Payload, error) { return history.Payload(heard), nil }
		c.Answer("heard", func(history.Payload) (history.Payload, error) { panic("replaced") })
		c.Answer("heard", answer)
		c.Answer("also", answer)
		c.Await(c.Receive("word"))
		heard = "a word"
		c.Await(c.Receive("word"))
		return nil, nil
	}}, startOf(1, nil))
	defer m.Close()
	apply := func(seq uint64, id string) {
		if _, err := m.Apply(history.Message{Seq: seq, Time: began, Record: &history.Event{Name: "word", ID: id}}); err != nil {
			t.Fatal(err)
		}
	}
	says := func(want string) {
		t.Helper()
		if got, err := m.Ask("heard", nil); err != nil || string(got) != want {
			t.Errorf("it answers %q, %v, want %q", got, err, want)
		}
	}
	knows := func(want ...string) {
		t.Helper()
		_, err := m.Ask("other", nil)
		unknown, ok := errors.AsType[*engine.UnknownQueryError](err)
		if !ok {
			t.Fatalf("a query that nobody answers gives %v", err)
		}
		if diff := cmp.Diff(want, unknown.Known); diff != "" {
			t.Errorf("it knows (-want +got):\n%s", diff)
		}
	}
	knows()
	if _, err := m.Begin(); err != nil {
		t.Fatal(err)
	}
	says("nothing")
	knows("also", "heard")
	apply(2, "1")
	says("a word")
	apply(3, "2")
	knows()
}
