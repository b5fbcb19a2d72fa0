package engine

import "github.com/durablegen/durablegen/internal/history"

// Turn is what one message made a program decide.
type Turn struct {
	Cause     uint64            // sequence of the message
	Slots     []history.Slot    // new decisions in order, activities included
	Cancel    []history.Ref     // timers to cancel, some perhaps of Slots
	Terminate []history.Address // open children to terminate too
	End       *history.End      // nil while the execution goes on
}

// Empty reports whether nothing was decided.
func (t Turn) Empty() bool {
	return len(t.Slots) == 0 && len(t.Cancel) == 0 && len(t.Terminate) == 0 && t.End == nil
}

// ref names a slot of this execution.
func (m *Machine) ref(slot uint32) history.Ref {
	return history.Ref{Run: m.run, Execution: m.execution, Slot: slot}
}

// finish ends the execution. Timers that are still pending are cancelled: complete at return.
func (m *Machine) finish(end *history.End) {
	m.end, m.turn.End = end, end
	for _, f := range m.open.all() {
		if f != nil && f.kind == timerFuture {
			m.turn.Cancel = append(m.turn.Cancel, m.ref(f.slot))
		}
	}
}

// fail ends the run as Failed, in the name of its orchestrator.
func (m *Machine) fail(f *history.Failure) {
	if f.Name == "" {
		named := *f
		named.Name = m.start.Orchestrator
		f = &named
	}
	m.finish(&history.End{Status: history.Failed, Failure: f})
}

func (m *Machine) failureOf(err error) *history.Failure {
	if m.cfg.Fail != nil {
		if f := m.cfg.Fail(err); f != nil {
			return f
		}
	}
	return &history.Failure{Message: err.Error()}
}

// terminate ends the run from outside, its open children too.
func (m *Machine) terminate(reason string) {
	if reason == "" {
		reason = "terminated"
	}
	for _, f := range m.open.all() {
		if f != nil && f.kind == childFuture {
			m.turn.Terminate = append(m.turn.Terminate, f.about.Target)
		}
	}
	m.finish(&history.End{Status: history.Terminated, Failure: &history.Failure{
		Message: reason, Kind: history.FailTerminated, Name: m.start.Orchestrator,
	}})
}

// continueAsNew ends the execution. The base carries everything that the next one could learn from the inbox so far:
// no buffered event and no seen id is lost.
func (m *Machine) continueAsNew(input history.Payload) {
	start := m.start
	start.Input = input
	m.finish(&history.End{Status: history.ContinuedAsNew, Base: &history.Base{
		Start: start, Started: m.started, Clock: m.clock, Buffered: m.buffered(), Seen: m.seen.since(m.clock),
		Paused: m.paused, Status: m.status, // Held is what drain has not come to
	}})
}
