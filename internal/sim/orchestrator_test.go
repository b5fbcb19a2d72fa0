package sim

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

const (
	orchestrator = "sim.Run"
	activityName = "sim.Add"
	lateName     = "sim.Late" // the same activity, which nobody serves before the world is healed
)

// canceled is what a program ends with when it was cancelled.
type canceled struct{ *history.Failure }

func (c canceled) Error() string { return c.Message }

// slotError is what a program ends with when a slot has failed.
type slotError struct {
	message string
	slot    uint32
}

func (e slotError) Error() string { return e.message }

// tooEarly is what a program ends with that was woken before its time: in every run, for it has no failed slot.
type tooEarly string

func (e tooEarly) Error() string { return string(e) }

// toldWrong is what a program ends with whose delivery has another outcome than it must have: in every run, too.
type toldWrong string

func (e toldWrong) Error() string { return string(e) }

// fail is Config.Fail of the workers.
func fail(err error) *history.Failure {
	var c canceled
	var at slotError
	switch {
	case errors.As(err, &c):
		return c.Failure
	case errors.As(err, &at):
		return &history.Failure{Message: at.message, Slots: []uint32{at.slot}}
	}
	return &history.Failure{Message: err.Error()}
}

// run is the orchestrator.
func run(co *engine.Coroutine, input history.Payload) (_ history.Payload, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case canceled:
			err = r
		case slotError:
			err = r
		case tooEarly:
			err = r
		case toldWrong:
			err = r
		default:
			panic(r)
		}
	}()
	var s script
	if err := json.Unmarshal(input, &s); err != nil {
		return nil, err
	}
	for n, st := range s.Steps {
		if st.Do == "again" {
			s.Acc, s.Laps, s.Steps = mix(s.Acc, 2), s.Laps+1, s.Steps[n+1:]
			return nil, &engine.ContinueAsNew{Input: encode(s)}
		}
		does[st.Do](co, &s, st)
	}
	return encode(mix(s.Acc, s.Sum)), nil
}

// does are the steps of the orchestrator.
var does = map[string]func(co *engine.Coroutine, s *script, st step){
	"call": func(co *engine.Coroutine, s *script, st step) { s.take(co, call(co, st.N)) },
	"fan": func(co *engine.Coroutine, s *script, st step) {
		var fs []*engine.Future
		for n := range st.N {
			fs = append(fs, call(co, n))
		}
		s.take(co, fs...)
	},
	"here": func(co *engine.Coroutine, s *script, st step) { s.take(co, here(co, nil, st.N)) },
	"heres": func(co *engine.Coroutine, s *script, st step) { // beside a queued one and a timer
		t := timer(co, 20*st.N)
		var fs []*engine.Future
		for n := range st.N {
			f := here(co, nil, n)
			if n == 2 {
				f = call(co, n)
			}
			fs = append(fs, f)
		}
		s.take(co, fs...)
		outcome(co, t)
	},
	"given up": func(co *engine.Coroutine, s *script, st step) { // one may have come to its end before
		scope := co.Scope(nil)
		here(co, scope, st.N+1)
		s.take(co, here(co, nil, st.N))
		co.CancelScope(scope, enough)
		here(co, nil, st.N+2)
	},
	"trip":  trip,
	"sleep": sleep,
	"stopped": func(co *engine.Coroutine, s *script, st step) {
		t := timer(co, 3_600_000)
		s.take(co, call(co, st.N))
		co.Cancel(t)
	},
	"late": func(co *engine.Coroutine, s *script, st step) { // its task and its timer are old when the log is shortened
		t := timer(co, 9000)
		f := co.Schedule(history.Slot{Kind: history.SlotActivity, Name: lateName, Args: encode(st.N)})
		s.take(co, call(co, st.N))
		outcome(co, t)
		s.take(co, f)
	},
	"race": func(co *engine.Coroutine, s *script, st step) {
		racers := []*engine.Future{call(co, st.N), timer(co, st.N)}
		outcome(co, racers[co.Await(racers...)])
		s.Acc = mix(s.Acc, 1)
	},
	"lap": func(co *engine.Coroutine, s *script, st step) { // the call may be left over
		racers := []*engine.Future{call(co, st.N), timer(co, st.N%10)}
		outcome(co, racers[co.Await(racers...)])
		s.Acc = mix(s.Acc, 1)
	},
	"child": func(co *engine.Coroutine, s *script, st step) { // what it waits for comes from its parent
		id := s.childID(st)
		f := child(co, id, st.Code, script{ID: id, Steps: st.Steps})
		for _, w := range waits(st.Steps) {
			send(co, group, id, w.Event, w.N)
		}
		s.take(co, f)
	},
	"nudge": func(co *engine.Coroutine, s *script, st step) {
		id := s.childID(st)
		f := child(co, id, orchestrator, script{ID: id, Acc: st.N, Steps: nudged})
		send(co, "", id, nudged[0].Event, nudged[0].N)
		s.take(co, f)
	},
	"gift": func(co *engine.Coroutine, s *script, st step) { // the child may have ended before its parent knows that it has it
		id := s.childID(st)
		f := child(co, id, orchestrator, script{ID: id, Acc: st.N, Steps: nudged})
		told(co, deliver(co, id, nudged[0].Event, nudged[0].N), "")
		s.Acc = mix(s.Acc, 6)
		s.take(co, f)
	},
	"nobody": func(co *engine.Coroutine, s *script, st step) {
		told(co, deliver(co, s.childID(st), "gift", st.N), history.FailNotFound)
		s.Acc = mix(s.Acc, 7)
	},
	"orphan": orphan,
	"doomed": doomed,
	"clash": func(co *engine.Coroutine, s *script, st step) { // its own id is taken, surely
		f := co.Schedule(history.Slot{
			Kind: history.SlotChild, Name: orchestrator, Args: encode(script{}), Target: co.Self(), Child: &history.ChildOptions{OwnID: true},
		})
		co.Await(f)
		_, failure := f.Result()
		switch {
		case failure != nil && failure.Kind == history.FailConflict:
			s.Acc = mix(s.Acc, 5)
		default:
			outcome(co, f)
		}
	},
	"note": func(co *engine.Coroutine, s *script, st step) { // to itself
		send(co, group, co.Self().ID, "note-"+st.ID, st.N)
		s.Sum += number(co, co.Receive("note-"+st.ID))
	},
	"wait": func(co *engine.Coroutine, s *script, st step) { s.Sum += number(co, co.Receive(s.Mark+st.Event)) },
	"cancelled": func(co *engine.Coroutine, s *script, st step) { // what is left over of a scope
		scope := co.Scope(nil)
		co.ScheduleIn(scope, history.Slot{Kind: history.SlotActivity, Name: activityName, Args: encode(st.N + 1)})
		co.ScheduleIn(scope, history.Slot{Kind: history.SlotTimer, Due: co.Now().Add(time.Hour)})
		s.take(co, call(co, st.N))
		co.CancelScope(scope, enough)
	},
}

var enough = &history.Failure{Kind: history.FailCanceled, Message: "enough"}

func trip(co *engine.Coroutine, s *script, st step) {
	left := timer(co, 1_000_000)
	var fs []*engine.Future
	for n := range st.N - tripping + 1 {
		fs = append(fs, call(co, n+tripping))
	}
	for _, f := range fs {
		co.Await(f)
	}
	s.take(co, fs...)
	co.Cancel(left)
}

func sleep(co *engine.Coroutine, s *script, st step) {
	due := co.Now().Add(time.Duration(st.N) * time.Millisecond)
	outcome(co, timer(co, st.N))
	if co.Now().Before(due) {
		panic(tooEarly(fmt.Sprintf("woke at %v, before %v", co.Now(), due))) // I8, H21
	}
	s.Acc = mix(s.Acc, 1)
}

// orphan starts a child that nobody waits for, and tells it what it waits for between two completions.
func orphan(co *engine.Coroutine, s *script, st step) {
	id := s.childID(st)
	child(co, id, st.Code, script{ID: id, Steps: nudged})
	fs := []*engine.Future{call(co, st.N), call(co, st.N+1)}
	co.Await(fs...)
	send(co, group, id, nudged[0].Event, nudged[0].N)
	s.take(co, fs...)
}

// doomed starts a child that ends only because it is cancelled, sometimes in the turn that begins it.
func doomed(co *engine.Coroutine, s *script, st step) {
	scope, id := co.Scope(nil), co.UUID()
	never := script{ID: s.childID(st), Steps: []step{{ID: "never", Do: "wait", Event: "never"}}}
	co.ScheduleIn(scope, history.Slot{Kind: history.SlotChild, Name: orchestrator, Args: encode(never), Target: history.Address{Group: group, ID: hex.EncodeToString(id[:6])}})
	if st.N == 0 {
		co.CancelScope(scope, enough)
	}
	s.take(co, call(co, st.N))
	co.CancelScope(scope, enough)
}

// take mixes in the results of futures, in their order.
func (s *script) take(co *engine.Coroutine, fs ...*engine.Future) {
	for _, f := range fs {
		s.Acc = mix(s.Acc, number(co, f))
	}
}

func (s *script) childID(st step) string {
	return s.ID + st.ID[strings.LastIndex(st.ID, "."):]
}

func child(co *engine.Coroutine, id, code string, s script) *engine.Future {
	return co.Schedule(history.Slot{Kind: history.SlotChild, Name: code, Args: encode(s), Target: history.Address{Group: group, ID: id}})
}

func send(co *engine.Coroutine, group, id, event string, n int) {
	co.Schedule(history.Slot{Kind: history.SlotSend, Name: event, Target: history.Address{Group: group, ID: id}, Args: encode(n)})
}

// deliver sends an event, to an instance whose group has to be looked up, and waits.
func deliver(co *engine.Coroutine, id, event string, n int) *engine.Future {
	f := co.Schedule(history.Slot{Kind: history.SlotSend, Name: event, Target: history.Address{ID: id}, Args: encode(n), Confirm: true})
	co.Await(f)
	return f
}

// told asserts how a delivery has ended: with a failure of this kind, "" for none.
func told(co *engine.Coroutine, f *engine.Future, want string) {
	got := ""
	if _, failure := f.Result(); failure != nil {
		got = failure.Kind
	}
	switch got {
	case want:
	case history.FailCanceled:
		outcome(co, f)
	default:
		panic(toldWrong(fmt.Sprintf("%v ended as %q, want %q", f, got, want)))
	}
}

func call(co *engine.Coroutine, n int) *engine.Future {
	return co.Schedule(history.Slot{Kind: history.SlotActivity, Name: activityName, Args: encode(n)})
}

// here calls an activity that the owner runs.
func here(co *engine.Coroutine, in *engine.Scope, n int) *engine.Future {
	return co.ScheduleIn(in, history.Slot{Kind: history.SlotActivity, Name: activityName, Args: encode(n), Local: true})
}

func timer(co *engine.Coroutine, ms int) *engine.Future {
	return co.Schedule(history.Slot{Kind: history.SlotTimer, Due: co.Now().Add(time.Duration(ms) * time.Millisecond)})
}

func number(co *engine.Coroutine, f *engine.Future) int {
	var n int
	if err := json.Unmarshal(outcome(co, f), &n); err != nil {
		panic(err)
	}
	return n
}

func outcome(co *engine.Coroutine, f *engine.Future) history.Payload {
	co.Await(f)
	result, failure := f.Result()
	switch {
	case failure == nil:
	case failure.Kind == history.FailCanceled:
		panic(canceled{failure})
	default:
		panic(slotError{failure.Message, f.Slot()})
	}
	return result
}

func encode(v any) history.Payload {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
