package engine_test

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

func machineOf(t *testing.T, program engine.Program) *engine.Machine {
	t.Helper()
	m := engine.New(engine.Config{Self: self, Program: program}, startOf(1, nil))
	t.Cleanup(m.Close)
	return m
}

func must(t *testing.T) func(engine.Turn, error) engine.Turn {
	return func(turn engine.Turn, err error) engine.Turn {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return turn
	}
}

func eventAt(seq uint64, after time.Duration, name, id string) history.Message {
	return history.Message{Seq: seq, Time: began.Add(after), Record: &history.Event{Name: name, ID: id, Payload: payload(fmt.Sprint(seq))}}
}

func waiter(c *co, _ payloadT) (payloadT, error) {
	note, err := get(c, c.Receive("note"))
	return payload(note), err
}

func TestMismatchTellsBothSides(t *testing.T) {
	t.Parallel()
	var line int
	m := machineOf(t, func(c *co, _ payloadT) (payloadT, error) {
		_, _, line, _ = runtime.Caller(0)
		c.Schedule(history.Slot{Kind: history.SlotActivity, Name: "now", Args: payload("1")})
		return nil, nil
	})
	recorded := history.Slot{Kind: history.SlotActivity, Name: "then", Args: payload("2"), Site: "member.go:42"}
	m.Expect([]engine.Recorded{{Slot: recorded, Seq: 9}, {Slot: history.Slot{Kind: history.SlotTimer}, Seq: 12}})
	_, err := m.Begin()
	var got *engine.NondeterminismError
	if !errors.As(err, &got) {
		t.Fatalf("Begin gives %v, want a NondeterminismError", err)
	}
	if want := fmt.Sprintf("machine_test.go:%d", line+1); got.Position != want {
		t.Errorf("position %s, want %s", got.Position, want)
	}
	want := &engine.NondeterminismError{
		Instance: self, Ref: history.Ref{Run: 1}, Expected: recorded, Recorded: 9, Position: got.Position,
		Actual: history.Slot{Kind: history.SlotActivity, Name: "now", Args: payload("1")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if turn, again := m.Apply(eventAt(2, 0, "note", "n")); again != err || !turn.Empty() {
		t.Errorf("afterwards Apply gives %v, %v, want the same error and no decision", turn, again)
	}
	if again := m.Replayed(); again != err {
		t.Errorf("afterwards Replayed gives %v, want the same error", again)
	}
}

func TestArgumentsAreComparedAsValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, recorded, now string
		same                bool
	}{
		{"bytes", `{"a":1}`, `{"a":1}`, true},
		{"spaces and order", `{"a":1,"b":[true,null]}`, ` {"b":[true, null],"a":1}`, true},
		{"another value", `{"a":1}`, `{"a":2}`, false},
		{"a field more", `{"a":1}`, `{"a":1,"b":null}`, false},
		{"numbers", `[1,10,0.5]`, `[1.0,1e1,5e-1]`, true},
		{"large whole numbers", `9007199254740993`, `9007199254740992`, false},
		{"text and number", `1`, `"1"`, false},
		{"escapes", `"\u00fc<"`, `"ü\u003c"`, true},
		{"nothing and null", ``, `null`, true},
		{"nothing and something", ``, `0`, false},
		{"no JSON", `a=1`, `a=1`, true},
		{"no JSON, spaced", `a=1`, `a=1 `, false},
		{"JSON and more", `1`, `1 2`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := machineOf(t, func(c *co, _ payloadT) (payloadT, error) {
				activity(c, "a", test.now)
				return nil, nil
			})
			m.Expect([]engine.Recorded{{Slot: history.Slot{Kind: history.SlotActivity, Name: "a", Args: payload(test.recorded)}, Seq: 2}})
			turn, err := m.Begin()
			if (err == nil) != test.same {
				t.Fatalf("error %v, want the same: %v", err, test.same)
			}
			if err == nil && string(turn.Slots[0].Args) != test.recorded {
				t.Errorf("the slot has %s, want the recorded %s", turn.Slots[0].Args, test.recorded)
			}
		})
	}
}

func TestKindsAreCompared(t *testing.T) {
	t.Parallel()
	m := machineOf(t, func(c *co, _ payloadT) (payloadT, error) {
		activity(c, "a", "")
		return nil, nil
	})
	m.Expect([]engine.Recorded{{Slot: history.Slot{Kind: history.SlotSend, Name: "a"}, Seq: 2}})
	if turn, err := m.Begin(); err == nil {
		t.Errorf("an activity passes for the recorded send: %+v", turn)
	}
}

func TestTargetsAreCompared(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		recorded history.Address
		same     bool
	}{
		{"the same", history.Address{Group: "club", ID: "fee"}, true},
		{"group not known", history.Address{ID: "fee"}, true},
		{"another id", history.Address{Group: "club", ID: "fees"}, false},
		{"another group", history.Address{Group: "pub", ID: "fee"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := machineOf(t, func(c *co, _ payloadT) (payloadT, error) {
				child(c, "fee")
				return nil, nil
			})
			m.Expect([]engine.Recorded{{Slot: history.Slot{Kind: history.SlotChild, Name: "club.Fee", Args: payload("7"), Target: test.recorded}}})
			if _, err := m.Begin(); (err == nil) != test.same {
				t.Errorf("error %v, want the same: %v", err, test.same)
			}
		})
	}
}

// TestForeignGoroutine: the context panics in the goroutine that misuses it, and says what to do.
func TestForeignGoroutine(t *testing.T) {
	t.Parallel()
	var kept *co
	m := machineOf(t, func(c *co, in payloadT) (payloadT, error) {
		kept = c
		return waiter(c, in)
	})
	must(t)(m.Begin())
	for name, use := range map[string]func(){
		"Now":    func() { kept.Now() },
		"Await":  func() { kept.Await(kept.Promise()) },
		"Cancel": func() { kept.Cancel(nil) },
	} {
		said := make(chan any)
		go func() {
			defer func() { said <- recover() }()
			use()
		}()
		if r := <-said; !strings.Contains(fmt.Sprint(r), "goroutine of its own") {
			t.Errorf("%s from another goroutine: panic %v, want one that explains", name, r)
		}
	}
	if turn := must(t)(m.Apply(eventAt(2, 0, "note", "n"))); turn.End == nil {
		t.Errorf("the orchestration did not go on: %v", turn)
	}
}

// TestAnyGoroutineDrives: workers apply messages from whatever goroutine they come on.
func TestAnyGoroutineDrives(t *testing.T) {
	t.Parallel()
	m := machineOf(t, hello)
	turn := must(t)(m.Begin())
	for turn.End == nil {
		done := make(chan engine.Turn)
		go func() {
			s := turn.Slots[0]
			next, err := m.Apply(history.Message{Record: &history.Done{Ref: history.Ref{Run: 1, Slot: s.N}, Name: s.Name, Hash: history.ArgsHash(s.Args)}})
			if err != nil {
				t.Error(err)
			}
			done <- next
		}()
		turn = <-done
	}
	if turn.End.Status != history.Completed {
		t.Errorf("end %v", turn.End)
	}
}

func TestErrorsOfThePrograms(t *testing.T) {
	t.Parallel()
	fail := func(err error) *history.Failure {
		if errors.Is(err, fs.ErrExist) {
			panic("cannot be written")
		}
		if errors.Is(err, fs.ErrClosed) {
			return nil
		}
		return &history.Failure{Message: err.Error(), Names: []history.Named{{Name: "known"}}}
	}
	var none *engine.ContinueAsNew
	for _, test := range []struct {
		name string
		err  error
		want history.Failure
	}{
		{"encoded", errors.New("no"), history.Failure{Message: "no", Name: "hello", Names: []history.Named{{Name: "known"}}}},
		{"not encoded", fs.ErrClosed, history.Failure{Message: "file already closed", Name: "hello"}},
		{"a nil ContinueAsNew", none, history.Failure{Message: none.Error(), Name: "hello", Names: []history.Named{{Name: "known"}}}},
		{"that panics when encoded", fs.ErrExist, history.Failure{Message: "panic: cannot be written", Kind: history.FailPanic, Name: "hello"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := engine.New(engine.Config{Self: self, Fail: fail, Program: func(*co, payloadT) (payloadT, error) { return nil, test.err }}, startOf(1, nil))
			defer m.Close()
			end := must(t)(m.Begin()).End
			if end == nil || end.Failure == nil {
				t.Fatalf("end %v, want a failure", end)
			}
			got := *end.Failure
			got.Stack = ""
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPausedBase: an execution that begins suspended runs to its first block and holds the rest.
func TestPausedBase(t *testing.T) {
	t.Parallel()
	base := history.Message{Seq: 20, Record: &history.Turn{Run: 2, Execution: 3, At: 17, End: &history.End{
		Status: history.ContinuedAsNew, Base: &history.Base{
			Start: history.Start{Run: 2, Orchestrator: "waiter"}, Started: began, Clock: began.Add(time.Hour), Paused: true,
			Held: []history.Message{eventAt(15, 0, "note", "n1")}, Seen: []history.SeenID{{ID: "n0", At: began.Add(time.Hour)}},
		},
	}}}
	m := engine.Resume(engine.Config{Self: self, Program: waiter}, base)
	defer m.Close()
	if turn := must(t)(m.Begin()); !turn.Empty() || turn.Cause != 17 {
		t.Errorf("Begin gives %+v, want nothing, caused by 17", turn)
	}
	if turn := must(t)(m.Apply(eventAt(18, 0, "note", "n2"))); !turn.Empty() || !m.Suspended() {
		t.Errorf("while suspended: %+v", turn)
	}
	turn := must(t)(m.Apply(history.Message{Seq: 19, Time: began, Record: &history.Control{Verb: history.Resume, ID: "r"}}))
	if turn.End == nil || string(turn.End.Result) != "15" {
		t.Errorf("resume gives %+v, want the held event's 15", turn)
	}
	if run, execution := m.Ref(); run != 2 || execution != 4 {
		t.Errorf("run %d, execution %d, want 2, 4", run, execution)
	}
}

func TestNothingToBeginFrom(t *testing.T) {
	t.Parallel()
	cfg := engine.Config{Self: self, Program: waiter}
	for name, m := range map[string]*engine.Machine{
		"New from an event":        engine.New(cfg, eventAt(1, 0, "note", "n")),
		"New from nothing":         engine.New(cfg, history.Message{}),
		"Resume from a start":      engine.Resume(cfg, startOf(1, nil)),
		"Resume without an end":    engine.Resume(cfg, history.Message{Record: &history.Turn{}}),
		"Resume from a completion": engine.Resume(cfg, history.Message{Record: &history.Turn{End: &history.End{Status: history.Completed}}}),
	} {
		if _, err := m.Begin(); err == nil {
			t.Errorf("%s begins", name)
		}
		if _, err := m.Apply(eventAt(2, 0, "note", "n")); err == nil {
			t.Errorf("%s goes on", name)
		}
		m.Close()
	}
}

func TestStrangeMessages(t *testing.T) {
	t.Parallel()
	m := machineOf(t, waiter)
	must(t)(m.Begin())
	for _, r := range []history.Record{
		nil, &history.Turn{}, &history.Task{}, &history.Timer{}, &history.Done{}, &history.Fired{}, &history.Event{},
		&history.Control{Verb: "dance", ID: "1"}, &history.Start{},
	} {
		if turn := must(t)(m.Apply(history.Message{Seq: 7, Record: r})); !turn.Empty() || turn.Cause != 7 {
			t.Errorf("%T gives %+v, want an empty turn caused by 7", r, turn)
		}
	}
}

// TestSeenIsBounded: what an instance remembers of ids has a limit, also in the base.
func TestSeenIsBounded(t *testing.T) {
	t.Parallel()
	m := machineOf(t, func(c *co, _ payloadT) (payloadT, error) {
		c.Await(c.Receive("end"))
		return nil, &engine.ContinueAsNew{}
	})
	must(t)(m.Begin())
	const most = 4096
	for n := range most + 10 {
		must(t)(m.Apply(eventAt(uint64(n), 0, "note", fmt.Sprint(n))))
	}
	base := must(t)(m.Apply(eventAt(1, 0, "end", "e"))).End.Base
	if len(base.Seen) != most || base.Seen[0].ID != "11" || base.Seen[most-1].ID != "e" {
		t.Errorf("%d ids, from %v to %v, want the last %d", len(base.Seen), base.Seen[0], base.Seen[len(base.Seen)-1], most)
	}
}

func TestChildIDsFit(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, parent := range []string{"a", strings.Repeat("p", history.MaxID), strings.Repeat("p", history.MaxID-1) + "q"} {
		m := engine.New(engine.Config{Self: history.Address{Group: "club", ID: parent}, Program: func(c *co, _ payloadT) (payloadT, error) {
			child(c, "")
			child(c, "")
			return nil, nil
		}}, startOf(1, nil))
		for _, s := range must(t)(m.Begin()).Slots {
			if err := history.CheckID(s.Target.ID); err != nil {
				t.Error(err)
			}
			ids[s.Target.ID] = true
		}
		m.Close()
	}
	if len(ids) != 6 {
		t.Errorf("6 children have %d ids: %v", len(ids), ids)
	}
}

func TestUUIDIsVersion5(t *testing.T) {
	t.Parallel()
	var us [][16]byte
	m := machineOf(t, func(c *co, _ payloadT) (payloadT, error) {
		us = append(us, c.UUID(), c.UUID())
		return nil, nil
	})
	must(t)(m.Begin())
	for _, u := range us {
		if u[6]>>4 != 5 || u[8]>>6 != 2 {
			t.Errorf("%x is not of version 5 and variant 2", u)
		}
	}
	if us[0] == us[1] {
		t.Errorf("%x twice", us[0])
	}
}

func TestWaitingIsShort(t *testing.T) {
	t.Parallel()
	m := machineOf(t, func(c *co, _ payloadT) (payloadT, error) {
		all := []*future{c.Promise(), timer(c, time.Minute), child(c, "")}
		for n := range 1000 {
			all = append(all, activity(c, fmt.Sprint("a", n), ""))
		}
		c.Await(all...)
		return nil, nil
	})
	must(t)(m.Begin())
	want := "timer until 2026-05-04T12:01:00Z, child ada:1-0-0 (club.Fee), activity a0, activity a1, …"
	if got := strings.Replace(m.Waiting(), "1-0-1", "1-0-0", 1); got != want {
		t.Errorf("waits for %s, want %s", got, want)
	}
}

// TestFutures: what a future tells of itself.
func TestFutures(t *testing.T) {
	t.Parallel()
	m := machineOf(t, func(c *co, _ payloadT) (payloadT, error) {
		a, s, e := activity(c, "a", ""), send(c, "bob"), c.Receive("e")
		if got, want := []uint32{a.Slot(), s.Slot(), e.Slot(), c.Promise().Slot()}, []uint32{0, 1, engine.NoSlot, engine.NoSlot}; !slices.Equal(got, want) {
			t.Errorf("slots %v, want %v", got, want)
		}
		c.Cancel(a)
		c.Cancel(e)
		if a.Done() || !e.Done() || !e.Stopped() {
			t.Errorf("only what can be cancelled is: activity %v, event %v", a.Done(), e.Done())
		}
		if n := c.Await(a, e); n != 1 {
			t.Errorf("waiting for a cancelled Receive gives %d", n)
		}
		return nil, nil
	})
	if turn := must(t)(m.Begin()); turn.End == nil || len(turn.Cancel) != 0 {
		t.Errorf("turn %+v", turn)
	}
}

// TestManyCoroutinesAreClosed: closing leaves no goroutine behind, whatever state they are in.
func TestManyCoroutinesAreClosed(t *testing.T) {
	before := runtime.NumGoroutine()
	unwound := 0
	for range 20 {
		m := engine.New(engine.Config{Self: self, Program: func(c *co, _ payloadT) (payloadT, error) {
			for n := range 10 {
				c.Go(func(c *co) {
					defer func() { unwound++ }()
					if n%2 == 0 {
						c.Go(func(*co) { t.Error("ran after the end") })
						panic("one of them")
					}
					waiter(c, nil)
				})
			}
			c.Await(c.Receive("end"))
			return nil, nil
		}}, startOf(1, nil))
		must(t)(m.Begin())
		m.Close()
		m.Close()
	}
	if unwound != 20 {
		t.Errorf("%d coroutines have run their deferred functions, want 20: the first panics, the rest never ran", unwound)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, before there were %d", after, before)
	}
}
