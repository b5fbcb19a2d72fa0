package durabletest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/inside"
	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

// Call is one attempt of an activity.
type Call struct {
	Activity string          // wire name
	Instance string          // id of the instance that called it
	Args     json.RawMessage // null, the one argument, or an object of all; see Args
	Attempt  int             // from 1
	After    time.Duration   // virtual time from the beginning of the test until the attempt began
	Result   json.RawMessage // of an attempt that succeeded
	Err      string          // text of the error of one that failed
}

// run is a call under way: from its delivery until its outcome is stored and its function has returned. A function may
// return long after the outcome, if it took too long.
type run struct {
	n        int // of Env.calls
	task     taskKey
	on       *membackend.View // of its worker
	begun    bool             // the function has been called
	returned bool
	stored   bool // so is the outcome
}

type taskKey struct {
	of  history.Address
	ref history.Ref
}

// Calls lists the attempts of activities in the order they began. Each name is a wire name or its last part; without
// names all are listed. A call that still runs has neither Result nor Err.
func (e *Env) Calls(names ...string) []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []Call
	for _, c := range e.calls {
		if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return named(c.Activity, n) }) {
			found = append(found, c)
		}
	}
	return found
}

// named reports whether a wire name is meant by name, which may be its last part.
func named(wire, name string) bool { return wire == name || strings.HasSuffix(wire, "."+name) }

// Order lists the names of the activities, without their package, in the order in which their attempts began.
func (e *Env) Order() []string {
	var order []string
	for _, c := range e.Calls() {
		order = append(order, c.Activity[strings.LastIndex(c.Activity, ".")+1:])
	}
	return order
}

// CallsOf lists the attempts of an activity by its handle, as in CallsOf(env, SendChallengeActivity).
func CallsOf[F any](e *Env, handle interface{ Bind(F) durable.Binding }) []Call {
	var none F
	return e.Calls(inside.Name(handle.Bind(none)))
}

// Args reads the arguments of a call. T is the type of the activity's parameter; for several parameters it is a struct
// that has the fields of interest, by the parameters' names. The test fails when they do not fit.
func Args[T any](t testing.TB, c Call) T {
	t.Helper()
	var args T
	if err := json.Unmarshal(c.Args, &args); err != nil {
		t.Fatalf("durabletest: the arguments of activity %s, %s, do not fit type %T: %v", c.Activity, c.Args, args, err)
	}
	return args
}

// Timer is a timer that an orchestrator started.
type Timer struct {
	Instance string
	After    time.Duration // virtual time from the beginning of the test until it was due, or will be
}

// Timers lists the timers that were started, in order, those that were stopped before they fired too.
func (e *Env) Timers() []Timer {
	var timers []Timer
	for _, s := range e.slots(history.SlotTimer) {
		timers = append(timers, Timer{Instance: s.of.ID, After: s.slot.Due.Sub(e.world.begin)})
	}
	return timers
}

// Child is a child orchestration.
type Child struct {
	Parent       string // id of the instance that started it
	ID           string
	Orchestrator string // wire name
	Input        json.RawMessage
}

// Children lists the child orchestrations that were started, in order.
func (e *Env) Children() []Child {
	var children []Child
	for _, s := range e.slots(history.SlotChild) {
		id := s.slot.Target.ID
		children = append(children, Child{Parent: s.of.ID, ID: id, Orchestrator: s.slot.Name, Input: json.RawMessage(s.slot.Args)})
	}
	return children
}

type decided struct {
	of   history.Address
	slot history.Slot
}

// slots lists the decisions of a kind that the log holds; the first record of a slot counts.
func (e *Env) slots(kind history.SlotKind) []decided {
	var list []decided
	seen := map[taskKey]bool{}
	for _, stored := range e.world.m.Log() {
		turn, ok := stored.Message.Record.(*history.Turn)
		if !ok {
			continue
		}
		for _, s := range turn.Slots {
			key := taskKey{stored.To, history.Ref{Run: turn.Run, Execution: turn.Execution, Slot: s.N}}
			if s.Kind == kind && !seen[key] {
				seen[key] = true
				list = append(list, decided{stored.To, s})
			}
		}
	}
	return list
}

// seeAppend fails the test when something is called that has no binding.
func (e *Env) seeAppend(a backend.Append) {
	switch r := a.Record.(type) {
	case *history.Task:
		if !e.serves(r.Name) {
			e.lacks("activity", r.Name, fmt.Sprintf("instance %q calls it", a.To.ID))
		}
	case *history.Start:
		_, bound := inside.Group(e.code, r.Orchestrator)
		if _, known := inside.Code(e.code, a.To.Group).Program(r.Orchestrator, r.Version); !bound && !known { // schedules have no binding
			e.lacks("orchestrator", r.Orchestrator, fmt.Sprintf("instance %q is started", a.To.ID))
		}
	}
}

func (e *Env) lacks(kind, name, who string) {
	short := name[strings.LastIndex(name, ".")+1:]
	short = strings.ToUpper(short[:1]) + short[1:]
	handle := short + map[string]string{"activity": "Activity", "orchestrator": "Orchestrator"}[kind]
	err := fmt.Errorf("durabletest: %s %s has no binding, and %s: add it to the test, as env.Register(%s.Bind(…))", kind, name, who, handle)
	e.t.Error(err)
	e.world.fail(err)
}

// seeTask notes the beginning of an attempt.
func (e *Env) seeTask(on *membackend.View, d backend.TaskDelivery) *run {
	e.world.began()
	after := e.world.now().Sub(e.world.begin)
	e.mu.Lock()
	defer e.mu.Unlock()
	args := json.RawMessage(d.Task.Args)
	if len(args) == 0 {
		args = json.RawMessage("null")
	}
	r := &run{n: len(e.calls), task: taskKey{d.From, d.Task.Ref}, on: on}
	e.calls = append(e.calls, Call{Activity: d.Task.Name, Instance: d.From.ID, Args: args, Attempt: d.Task.Attempt, After: after})
	e.runs = append(e.runs, r)
	return r
}

// seeBegin notes that the function of an attempt is called, and what the test wants of it.
func (e *Env) seeBegin(activity string, of history.Address, ref history.Ref) (returned func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := slices.IndexFunc(e.runs, func(r *run) bool { return r.task == taskKey{of, ref} && !r.begun })
	r := e.runs[at] // its delivery has just been seen
	r.begun = true
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		r.returned = true
		e.leave(r)
	}, e.failure(activity)
}

// seeOutcome notes the end of an attempt, which has just been stored.
func (e *Env) seeOutcome(on *membackend.View, a backend.Append) {
	switch r := a.Record.(type) {
	case *history.Done:
		e.end(e.runOf(on, taskKey{a.To, r.Ref}), func(c *Call) {
			c.Result = json.RawMessage(r.Result)
			if r.Failure != nil {
				c.Err = r.Failure.Message
			}
		})
	case *history.Task:
		if r.LastErr != "" { // of a local activity
			e.end(e.runOf(on, taskKey{a.To, r.Ref}), func(c *Call) { c.Err = r.LastErr })
		}
	case *history.Timer:
		if r.Task != nil {
			e.end(e.runOf(on, taskKey{a.To, r.Ref}), func(c *Call) { c.Err = r.Task.LastErr })
		}
	}
}

// seeDropped notes the end of an attempt whose function has returned and that will have no outcome.
func (e *Env) seeDropped(on *membackend.View, key taskKey) {
	r := e.runOf(on, key)
	e.mu.Lock()
	over := r != nil && r.returned
	e.mu.Unlock()
	if over {
		e.end(r, nil)
	}
}

// runOf finds the run of a worker whose outcome is stored: the one whose function has just returned, or one that takes
// too long. nil if there is none: it is of a child, or a repetition.
func (e *Env) runOf(on *membackend.View, key taskKey) (found *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.runs {
		if r.on == on && r.task == key && !r.stored && (found == nil || r.returned && !found.returned) {
			found = r
		}
	}
	return found
}

// end notes what came of a run, the first time that it is stored or given back.
func (e *Env) end(r *run, note func(*Call)) {
	if r == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.stored {
		return
	}
	r.stored = true
	if note != nil {
		note(&e.calls[r.n])
	}
	e.leave(r)
}

// leave forgets a run that is over. Lock held.
func (e *Env) leave(r *run) {
	if r.stored && (r.returned || !r.begun) {
		e.runs = slices.DeleteFunc(e.runs, func(o *run) bool { return o == r })
		e.world.ended()
	}
}
