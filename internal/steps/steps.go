// Package steps turns the history of an instance into steps, in the order in which they began, and into one sentence for
// who asks what it is doing. It is pure: whoever has the messages, from the log, the archive or a file, can use it.
package steps

import (
	"encoding/json"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Kind says what a step is.
type Kind string

// The kinds. Activity to Version are decisions of the orchestrator and have a slot; the others came from outside, but for
// Ended.
const (
	Started    Kind = "started"
	Activity   Kind = "activity"
	Timer      Kind = "timer"
	Child      Kind = "child"
	Sent       Kind = "sent"    // an event to another instance
	Version    Kind = "version" // a marker
	Event      Kind = "event"   // received
	Suspended  Kind = "suspended"
	Resumed    Kind = "resumed"
	Canceled   Kind = "canceled" // it was asked to end by itself
	Terminated Kind = "terminated"
	Rewound    Kind = "rewound"
	Ended      Kind = "ended"
)

// State is what has become of a step.
type State string

// The states.
const (
	Open    State = "open"
	Done    State = "done"
	Failed  State = "failed"
	Dropped State = "dropped" // it had no end when the run ended, and nobody waits for it any more
)

// Step is one thing that an instance did, or that happened to it.
type Step struct {
	Kind     Kind            `json:"kind"`
	State    State           `json:"state"`
	Name     string          `json:"name,omitempty"`     // wire name of the orchestrator, activity or event; a marker's
	Slot     int             `json:"slot"`               // number among the decisions of the execution, from 0; -1: it is none
	Instance string          `json:"instance,omitempty"` // id of the child, or of who was sent an event
	Began    time.Time       `json:"began,omitzero"`     // when the log had it
	Ended    time.Time       `json:"ended,omitzero"`
	Due      time.Time       `json:"due,omitzero"`       // of a timer; of an activity that waits for its next attempt; of a start that was to be later
	Attempt  int             `json:"attempt,omitempty"`  // of an activity, from 1: the last that is known to have begun, or to be next when there is a Due
	Attempts int             `json:"attempts,omitempty"` // most of them; 0: unknown before a second one, when the call does not say
	Outside  bool            `json:"outside,omitempty"`  // the activity has returned, and is to be completed from outside before Due
	Local    bool            `json:"local,omitempty"`    // the activity ran in the worker of the orchestration
	Input    json.RawMessage `json:"input,omitempty"`    // or arguments, or what the event carries
	Result   json.RawMessage `json:"result,omitempty"`
	Failure  string          `json:"failure,omitempty"`
	Cause    string          `json:"cause,omitempty"`     // kind of a failure that the system made, such as timeout
	LastErr  string          `json:"lastError,omitempty"` // of the attempt before
	Reason   string          `json:"reason,omitempty"`    // of a suspend, resume, cancel, terminate or rewind
	Status   string          `json:"status,omitempty"`    // of the end: Completed, Failed, Terminated or Canceled
	Site     string          `json:"site,omitempty"`      // file:line of the call
}

// History is the present or last execution of an instance.
type History struct {
	Orchestrator string    `json:"orchestrator"`
	Version      string    `json:"version,omitempty"`
	Run          uint32    `json:"run"`
	Execution    uint32    `json:"execution"` // how often the run has continued as new
	Started      time.Time `json:"started,omitzero"`
	Steps        []Step    `json:"steps"`
}

// Of reads messages: the start or base that the execution began with, then its inbox and output in the order of the log.
// A schedule of an activity's next attempt may stand behind them. What a replay would not take is left out: a second
// completion of a slot, a repeated event, what belongs to another run or execution.
func Of(messages []history.Message) History {
	r := reader{slots: map[uint32]int{}, seen: map[string]bool{}}
	messages = current(messages)
	for n := range messages {
		r.read(messages[n])
	}
	return r.History
}

// current drops what an execution before the newest one decided, and what it was told.
func current(messages []history.Message) []history.Message {
	for n := len(messages) - 1; n > 0; n-- {
		t, ok := messages[n].Record.(*history.Turn)
		if !ok || t.End == nil || t.End.Base == nil {
			continue
		}
		kept := []history.Message{messages[n]}
		for _, m := range messages[1:] {
			if m.Kind().Inbox() && m.Seq > t.At || !m.Kind().Inbox() && m.Seq > messages[n].Seq {
				kept = append(kept, m)
			}
		}
		return kept
	}
	return messages
}

type reader struct {
	History
	slots map[uint32]int // index of a step by its slot
	seen  map[string]bool
	clock time.Time // of the newest message that has a time
}

func (r *reader) read(m history.Message) {
	if m.Time.IsZero() { // the archive does not know when the records of the last turn were stored: right after what caused them
		m.Time = r.clock
	}
	r.clock = m.Time
	switch rec := m.Record.(type) {
	case *history.Start:
		r.start(m, rec)
	case *history.Task:
		r.task(m, rec)
	case *history.Timer:
		r.later(rec)
	case *history.Turn:
		r.turn(m, rec)
	case *history.Done:
		r.done(m, rec)
	case *history.Fired:
		if s := r.open(rec.Ref, Timer); s != nil && !m.Time.Before(s.Due) {
			s.State, s.Ended = Done, m.Time
		}
	case *history.Event:
		if r.first(rec.ID) {
			r.add(Step{Kind: Event, State: Done, Name: rec.Name, Slot: -1, Began: m.Time, Ended: m.Time, Input: json.RawMessage(rec.Payload)})
		}
	case *history.Control:
		r.control(m, rec)
	}
}

func (r *reader) add(s Step) { r.Steps = append(r.Steps, s) }

// first reports whether an id is new: a repeated one changes nothing (I2).
func (r *reader) first(id string) bool {
	if id != "" && r.seen[id] {
		return false
	}
	r.seen[id] = true
	return true
}

func (r *reader) start(m history.Message, s *history.Start) {
	if len(r.Steps) > 0 {
		return // of the failed run, within the history that a rewound one begins with
	}
	r.Orchestrator, r.Version, r.Run, r.Started = s.Orchestrator, s.Version, s.Run, m.Time
	began := Step{Kind: Started, State: Done, Name: s.Orchestrator, Slot: -1, Began: m.Time, Ended: m.Time, Due: s.At, Input: json.RawMessage(s.Input)}
	if s.Prior == nil {
		r.add(began)
		return
	}
	r.Started, r.Execution = s.Prior.Started, s.Prior.Execution()
	began.Began, began.Ended = s.Prior.Started, s.Prior.Started
	if s.Prior.Base() == nil {
		r.add(began)
	}
	for _, prior := range s.Prior.Messages {
		r.read(prior)
	}
	r.Run = s.Run
	r.add(Step{Kind: Rewound, State: Done, Slot: -1, Began: m.Time, Ended: m.Time})
}

// base begins an execution that another one has continued as.
func (r *reader) base(m history.Message, t *history.Turn) {
	s := t.End.Base.Start
	r.Orchestrator, r.Version, r.Run, r.Execution, r.Started = s.Orchestrator, s.Version, t.Run, t.Execution+1, m.Time
	r.add(Step{Kind: Started, State: Done, Name: s.Orchestrator, Slot: -1, Began: m.Time, Ended: m.Time, Input: json.RawMessage(s.Input)})
	for _, e := range t.End.Base.Buffered {
		r.read(history.Message{Seq: m.Seq, Time: m.Time, Record: &e})
	}
	if t.End.Base.Paused {
		r.add(Step{Kind: Suspended, State: Done, Slot: -1, Began: m.Time, Ended: m.Time})
	}
	for _, held := range t.End.Base.Held {
		r.read(held)
	}
}

// task is the record of an activity, or of a later attempt of it.
func (r *reader) task(m history.Message, t *history.Task) {
	if !r.here(t.Ref) {
		return
	}
	n, known := r.slots[t.Slot]
	if !known {
		n = r.decide(Step{Kind: Activity, State: Open, Name: t.Name, Slot: int(t.Slot), Began: m.Time, Input: json.RawMessage(t.Args), Site: t.Site})
	}
	if s := &r.Steps[n]; s.State == Open && s.Name == t.Name && t.Attempt >= s.Attempt {
		s.tried(t)
		if t.NotBefore.After(m.Time) {
			s.Due = t.NotBefore
		}
	}
}

// later is a schedule: of a timer, which its slot tells already, or of the next attempt of an activity.
func (r *reader) later(t *history.Timer) {
	if t.Task == nil {
		return
	}
	s := r.open(t.Ref, Activity)
	switch {
	case s == nil || s.Name != t.Task.Name || t.Task.Attempt < s.Attempt:
	case t.Task.Lapsed: // it stands in for a completion from outside
		s.Outside, s.Due = true, t.Due
	default:
		s.tried(t.Task)
		s.Due = t.Due
	}
}

// tried notes an attempt.
func (s *Step) tried(t *history.Task) {
	s.Attempt, s.LastErr, s.Due, s.Outside = t.Attempt, t.LastErr, time.Time{}, false
	switch {
	case t.Most > 0:
		s.Attempts = t.Most
	case t.Policy != nil:
		s.Attempts = t.Policy.Attempts
	}
}

func (r *reader) turn(m history.Message, t *history.Turn) {
	if t.End != nil && t.End.Base != nil && len(r.Steps) == 0 {
		r.base(m, t)
		return
	}
	if t.Run != r.Run || t.Execution != r.Execution {
		return
	}
	for _, slot := range t.Slots {
		if _, known := r.slots[slot.N]; !known { // the first record of a slot wins (I2)
			r.decide(stepOf(slot, m.Time))
		}
	}
	if t.Ends() {
		r.end(m, t.End)
	}
}

// stepOf is what a turn decided.
func stepOf(slot history.Slot, at time.Time) Step {
	s := Step{State: Open, Name: slot.Name, Slot: int(slot.N), Began: at, Input: json.RawMessage(slot.Args), Site: slot.Site}
	switch slot.Kind {
	case history.SlotActivity:
		s.Kind = Activity
		s.Attempt = 1
		if slot.Policy != nil {
			s.Attempts = slot.Policy.Attempts
		}
	case history.SlotTimer:
		s.Kind, s.Due = Timer, slot.Due
	case history.SlotChild:
		s.Kind, s.Instance = Child, slot.Target.ID
	case history.SlotSend:
		s.Kind, s.Instance = Sent, slot.Target.ID
		if !slot.Confirm {
			s.State, s.Ended = Done, at
		}
	case history.SlotVersion:
		s.Kind, s.State, s.Ended = Version, Done, at
	}
	return s
}

// decide adds the step of a slot.
func (r *reader) decide(s Step) int {
	r.slots[uint32(s.Slot)] = len(r.Steps)
	r.add(s)
	return len(r.Steps) - 1
}

func (r *reader) done(m history.Message, d *history.Done) {
	if !r.here(d.Ref) {
		return
	}
	if _, known := r.slots[d.Slot]; !known && d.Local { // it is the record of its slot
		r.decide(Step{Kind: Activity, State: Open, Name: d.Name, Slot: int(d.Slot), Began: m.Time, Site: d.Site})
	}
	n, known := r.slots[d.Slot]
	if !known || r.Steps[n].State != Open || r.Steps[n].Kind == Timer || r.Steps[n].Name != d.Name {
		return
	}
	s := &r.Steps[n]
	s.State, s.Ended, s.Due, s.Local, s.Outside, s.Result = Done, m.Time, time.Time{}, d.Local, false, json.RawMessage(d.Result)
	if d.Attempt > 0 {
		s.Attempt = d.Attempt
	}
	if f := d.Failure; f != nil {
		s.State, s.Failure, s.Cause, s.Result = Failed, f.Message, f.Kind, nil
		if f.LastErr != "" {
			s.LastErr = f.LastErr
		}
	}
}

func (r *reader) control(m history.Message, c *history.Control) {
	kinds := map[history.Verb]Kind{
		history.Suspend: Suspended, history.Resume: Resumed, history.Cancel: Canceled, history.Terminate: Terminated, history.Rewind: Rewound,
	}
	if kind := kinds[c.Verb]; kind != "" && r.first(c.ID) {
		r.add(Step{Kind: kind, State: Done, Slot: -1, Began: m.Time, Ended: m.Time, Reason: c.Reason})
	}
}

// end ends the run: what is open has nobody who waits for it.
func (r *reader) end(m history.Message, e *history.End) {
	for n := range r.Steps {
		if r.Steps[n].State == Open {
			r.Steps[n].State = Dropped
		}
	}
	s := Step{Kind: Ended, State: Done, Slot: -1, Began: m.Time, Ended: m.Time, Status: string(e.Status), Result: json.RawMessage(e.Result)}
	if e.Status != history.Completed {
		s.State = Failed
	}
	if e.Failure != nil {
		s.Failure, s.Cause = e.Failure.Message, e.Failure.Kind
	}
	r.add(s)
}

// here reports whether a reference is of this execution.
func (r *reader) here(ref history.Ref) bool { return ref.Run == r.Run && ref.Execution == r.Execution }

// open finds the open step of a slot.
func (r *reader) open(ref history.Ref, kind Kind) *Step {
	n, known := r.slots[ref.Slot]
	if !known || !r.here(ref) || r.Steps[n].Kind != kind || r.Steps[n].State != Open {
		return nil
	}
	return &r.Steps[n]
}
