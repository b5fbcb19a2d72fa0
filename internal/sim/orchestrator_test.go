package sim

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// step is one thing that a random program does.
type step struct {
	Do    string `json:"do"`
	N     int    `json:"n,omitempty"`
	Event string `json:"event,omitempty"`
	Steps []step `json:"steps,omitempty"` // of a child
}

// script is the input of a random program: what is left to do, and the result so far.
type script struct {
	Acc   int    `json:"acc"`
	Steps []step `json:"steps"`
}

const (
	orchestrator = "sim.Run"
	activityName = "sim.Add"
	instances    = 6   // that a client starts
	tripping     = 100 // from this argument on, the activity fails in the first run
)

// randomSteps makes a program. events collects the names of the events that clients must send to its instance.
func randomSteps(rng *rand.Rand, depth int, events *[]string) []step {
	var steps []step
	for range 1 + rng.IntN(5) {
		switch kind := rng.IntN(13); kind {
		case 0, 1:
			steps = append(steps, step{Do: "call", N: rng.IntN(100)})
		case 2:
			steps = append(steps, step{Do: "fan", N: 1 + rng.IntN(5)})
		case 3:
			steps = append(steps, step{Do: "sleep", N: rng.IntN(2000)})
		case 4:
			steps = append(steps, step{Do: "stopped", N: rng.IntN(100)})
		case 5:
			steps = append(steps, step{Do: "race", N: rng.IntN(1500)})
		case 6:
			steps = append(steps, step{Do: "again"})
		case 7, 8:
			if depth > 0 {
				var none []string
				if kind == 7 {
					steps = append(steps, step{Do: "child", Steps: randomSteps(rng, depth-1, &none)})
					for n := range none { // a child waits for what its parent sends
						steps[len(steps)-1].N = n + 1
					}
				} else {
					steps = append(steps, step{Do: "nudge", N: rng.IntN(100)})
				}
			}
		case 9:
			name := fmt.Sprintf("e%d", len(*events))
			*events = append(*events, name)
			steps = append(steps, step{Do: "wait", Event: name})
		case 12:
			steps = append(steps, step{Do: "trip", N: tripping + rng.IntN(3)})
		case 10:
			steps = append(steps, step{Do: "cancelled", N: rng.IntN(100)})
		case 11:
			if depth > 0 {
				steps = append(steps, step{Do: "doomed", N: rng.IntN(3)})
			}
		}
	}
	return steps
}

// add is what the activity does: a result that depends on its arguments alone.
func add(n int) int { return n*31 + 7 }

func mix(acc, n int) int { return (acc*131 + n) % 1_000_003 }

// expected is the result of a script, computed without any machinery.
func expected(s script) int {
	acc := s.Acc
	for _, st := range s.Steps {
		switch st.Do {
		case "call", "stopped", "cancelled", "doomed":
			acc = mix(acc, add(st.N))
		case "fan":
			for n := range st.N {
				acc = mix(acc, add(n))
			}
		case "trip":
			for n := range st.N - tripping + 1 {
				acc = mix(acc, add(n+tripping))
			}
		case "sleep", "race":
			acc = mix(acc, 1)
		case "again":
			acc = mix(acc, 2)
		case "child":
			acc = mix(acc, expected(script{Steps: st.Steps}))
		case "nudge":
			acc = mix(acc, mix(st.N, 3))
		case "wait":
			acc = mix(acc, len(st.Event))
		}
	}
	return acc
}

// canceled is what a program ends with when it was cancelled.
type canceled struct{ *history.Failure }

func (c canceled) Error() string { return c.Message }

// slotError is what a program ends with when a slot has failed.
type slotError struct {
	message string
	slot    uint32
}

func (e slotError) Error() string { return e.message }

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
		default:
			panic(r)
		}
	}()
	var s script
	if err := json.Unmarshal(input, &s); err != nil {
		return nil, err
	}
	for n, st := range s.Steps {
		switch st.Do {
		case "call":
			s.Acc = mix(s.Acc, number(co, call(co, st.N)))
		case "fan":
			var fs []*engine.Future
			for n := range st.N {
				fs = append(fs, call(co, n))
			}
			for _, f := range fs {
				s.Acc = mix(s.Acc, number(co, f))
			}
		case "trip":
			left := timer(co, 1_000_000)
			var fs []*engine.Future
			for n := range st.N - tripping + 1 {
				fs = append(fs, call(co, n+tripping))
			}
			for _, f := range fs {
				co.Await(f)
			}
			for _, f := range fs {
				s.Acc = mix(s.Acc, number(co, f))
			}
			co.Cancel(left)
		case "sleep":
			due := co.Now().Add(time.Duration(st.N) * time.Millisecond)
			outcome(co, timer(co, st.N))
			if co.Now().Before(due) {
				return nil, fmt.Errorf("woke at %v, before %v", co.Now(), due) // I8, H21
			}
			s.Acc = mix(s.Acc, 1)
		case "stopped":
			t := timer(co, 3_600_000)
			s.Acc = mix(s.Acc, number(co, call(co, st.N)))
			co.Cancel(t)
		case "race":
			racers := []*engine.Future{call(co, st.N), timer(co, st.N)}
			outcome(co, racers[co.Await(racers...)])
			s.Acc = mix(s.Acc, 1)
		case "again":
			s.Acc = mix(s.Acc, 2)
			rest := script{Acc: s.Acc, Steps: s.Steps[n+1:]}
			return nil, &engine.ContinueAsNew{Input: encode(rest)}
		case "child":
			// A child's own waits are fed by its parent.
			id := childID(co)
			child := co.Schedule(history.Slot{Kind: history.SlotChild, Name: orchestrator, Args: encode(script{Steps: st.Steps}), Target: history.Address{Group: group, ID: id}})
			for k := range st.N {
				name := fmt.Sprintf("e%d", k)
				co.Schedule(history.Slot{Kind: history.SlotSend, Name: name, Target: history.Address{Group: group, ID: id}, Args: encode(len(name))})
			}
			s.Acc = mix(s.Acc, number(co, child))
		case "nudge":
			id := childID(co)
			child := co.Schedule(history.Slot{Kind: history.SlotChild, Name: orchestrator, Args: encode(script{Acc: st.N, Steps: []step{{Do: "wait", Event: "nud"}}}), Target: history.Address{Group: group, ID: id}})
			co.Schedule(history.Slot{Kind: history.SlotSend, Name: "nud", Target: history.Address{ID: id}, Args: encode(3)})
			s.Acc = mix(s.Acc, number(co, child))
		case "wait":
			s.Acc = mix(s.Acc, number(co, co.Receive(st.Event)))
		case "cancelled": // what is left over of a scope
			scope := co.Scope(nil)
			co.ScheduleIn(scope, history.Slot{Kind: history.SlotActivity, Name: activityName, Args: encode(st.N + 1)})
			co.ScheduleIn(scope, history.Slot{Kind: history.SlotTimer, Due: co.Now().Add(time.Hour)})
			s.Acc = mix(s.Acc, number(co, call(co, st.N)))
			co.CancelScope(scope, &history.Failure{Kind: history.FailCanceled, Message: "enough"})
		case "doomed": // a child that ends only because it is cancelled, sometimes in the turn that begins it
			scope := co.Scope(nil)
			co.ScheduleIn(scope, history.Slot{Kind: history.SlotChild, Name: orchestrator, Args: encode(script{Steps: []step{{Do: "wait", Event: "never"}}}), Target: history.Address{Group: group, ID: childID(co)}})
			if st.N == 0 {
				co.CancelScope(scope, &history.Failure{Kind: history.FailCanceled, Message: "enough"})
			}
			s.Acc = mix(s.Acc, number(co, call(co, st.N)))
			co.CancelScope(scope, &history.Failure{Kind: history.FailCanceled, Message: "enough"})
		}
	}
	return encode(s.Acc), nil
}

func call(co *engine.Coroutine, n int) *engine.Future {
	return co.Schedule(history.Slot{Kind: history.SlotActivity, Name: activityName, Args: encode(n)})
}

func timer(co *engine.Coroutine, ms int) *engine.Future {
	return co.Schedule(history.Slot{Kind: history.SlotTimer, Due: co.Now().Add(time.Duration(ms) * time.Millisecond)})
}

func childID(co *engine.Coroutine) string {
	u := co.UUID()
	return hex.EncodeToString(u[:6])
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
