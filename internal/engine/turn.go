package engine

import (
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Turn is what one message made a program decide.
type Turn struct {
	Cause     uint64            // sequence of the message
	Slots     []history.Slot    // new decisions in order, activities included
	Cancel    []history.Ref     // timers to cancel, some perhaps of Slots
	Abort     []Aborted         // activities that nobody waits for any more, some perhaps of Slots
	Terminate []history.Address // open children to terminate too
	// CancelChild are children to cancel, some perhaps of Slots.
	CancelChild []Child
	// Again is, of a prior history: timers to arm and children to ask under the numbers of this run.
	Again []history.Slot
	End   *history.End // nil while the execution goes on
}

// Aborted is an activity that need not go on.
type Aborted struct {
	history.Ref
	Name string
}

// Child is a child and the slot that it belongs to.
type Child struct {
	history.Address
	history.Ref
}

// Empty reports whether nothing was decided.
func (t Turn) Empty() bool {
	return len(t.Slots) == 0 && len(t.Cancel) == 0 && len(t.Abort) == 0 && len(t.Terminate) == 0 && len(t.CancelChild) == 0 && len(t.Again) == 0 && t.End == nil
}

// ref names a slot of this execution.
func (m *Machine) ref(slot uint32) history.Ref {
	return history.Ref{Run: m.run, Execution: m.execution, Slot: slot}
}

// finish ends the execution. Timers and activities that are still pending are cancelled: complete at return.
func (m *Machine) finish(end *history.End) {
	m.end, m.turn.End, m.queries = end, end, nil
	for _, f := range m.open.all() {
		switch {
		case f == nil:
		case f.kind == timerFuture:
			m.turn.Cancel = append(m.turn.Cancel, m.ref(f.slot))
		case f.kind == activityFuture:
			m.turn.Abort = append(m.turn.Abort, Aborted{m.ref(f.slot), f.name})
		}
	}
}

// fail ends the run in the name of its orchestrator: as Failed, or as Canceled when that is what it was asked for.
func (m *Machine) fail(f *history.Failure) {
	if f.Name == "" {
		named := *f
		named.Name = m.start.Orchestrator
		f = &named
	}
	status := history.Failed
	if m.root.cause != nil && f.Kind == history.FailCanceled {
		status = history.Canceled
	}
	m.finish(&history.End{Status: status, Failure: f})
}

func (m *Machine) failureOf(err error) *history.Failure {
	if m.cfg.Fail != nil {
		if f := m.cfg.Fail(err); f != nil {
			return f
		}
	}
	return &history.Failure{Message: err.Error()}
}

// terminate ends the run from outside, its open children too unless they are to go on.
func (m *Machine) terminate(c *history.Control) {
	reason := c.Reason
	if reason == "" {
		reason = "terminated"
	}
	for _, f := range m.open.all() {
		if f != nil && f.kind == childFuture && !c.Alone {
			m.turn.Terminate = append(m.turn.Terminate, f.about.Target)
		}
	}
	m.finish(&history.End{Status: history.Terminated, Failure: &history.Failure{
		Message: reason, Kind: history.FailTerminated, Name: m.start.Orchestrator,
	}})
}

// continueAsNew ends the execution. The base carries everything that the next one could learn from the inbox so far:
// no buffered event and no seen id is lost.
func (m *Machine) continueAsNew(next *ContinueAsNew) {
	start := m.start
	start.Input, start.At, start.Born = next.Input, time.Time{}, time.Time{}
	if next.Version != nil {
		start.Version = *next.Version
	}
	base := &history.Base{
		Start: start, First: m.original, Started: m.started, Clock: m.clock, Buffered: m.buffered(), Seen: m.seen.since(m.clock),
		Paused: m.paused, Canceled: m.root.cause, Status: m.status, // Held is what drain has not come to
	}
	if start.Version != m.version {
		base.Version = &m.version
	}
	if m.cfg.Without&CarryOver != 0 {
		base.Buffered = nil
	}
	if m.cfg.Without&CarrySeen != 0 {
		base.Seen = nil
	}
	m.finish(&history.End{Status: history.ContinuedAsNew, Base: base})
}
