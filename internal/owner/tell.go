package owner

import (
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// What the hooks are told. Everything here does nothing when nobody wants to know.

// present names the execution that is in memory.
func (i *instance) present() observe.Execution {
	s := i.start.Record.(*history.Start)
	e := observe.Execution{
		Group: i.addr.Group, Instance: i.addr.ID, Orchestrator: s.Orchestrator, Version: s.Version,
		Run: i.run, Number: i.execution, TraceParent: s.Trace, TraceState: s.TraceState, Baggage: s.Baggage, Began: i.began,
	}
	if s.Parent != nil {
		e.Parent = s.Parent.ID
	}
	return e
}

// trace is the trace context that the execution's activities, children and events carry on, and the tracestate beside it.
// It is the same on every worker, so that what is sent again is the same.
func (i *instance) trace() (parent, state string) {
	hooks := &i.p.cfg.Hooks
	if hooks.TraceParent == nil {
		s := i.start.Record.(*history.Start)
		return s.Trace, s.TraceState
	}
	if !i.traced {
		e := i.present()
		i.traced, i.traceParent = true, hooks.TraceParent(e)
		if hooks.TraceState != nil {
			i.traceState = hooks.TraceState(e)
		}
	}
	return i.traceParent, i.traceState
}

func (i *instance) baggage() string { return i.start.Record.(*history.Start).Baggage }

func (i *instance) tellStarted() {
	f := i.p.cfg.Hooks.Started
	if f == nil {
		return
	}
	s := observe.Start{Execution: i.present()}
	if i.execution == 0 {
		s.Queued = max(i.p.be.Clock().Now().Sub(i.began), 0)
	}
	f(s)
}

const mostLinks = 32 // events whose senders are told of

// tellEnded tells of an end that is stored. again: it was found in the log.
func (i *instance) tellEnded(end *history.End, at time.Time, again bool) {
	f := i.p.cfg.Hooks.Ended
	if f == nil {
		return
	}
	e := observe.End{Execution: i.present(), Status: string(end.Status), Ended: at, Again: again}
	if end.Failure != nil {
		e.Kind = end.Failure.Kind
	}
	for _, m := range i.past.list() {
		if r, ok := m.Record.(*history.Event); ok && r.Trace != "" && len(e.Events) < mostLinks {
			e.Events = append(e.Events, r.Trace)
		}
	}
	f(e)
}

// tellUntold tells of the end of the execution before, if its owner may have died before it could: the message that
// caused it has come again.
func (i *instance) tellUntold(base *history.Turn) {
	if i.p.cfg.Hooks.Ended == nil || len(i.queue) == 0 || i.queue[0].Message.Seq > base.At {
		return
	}
	b := base.End.Base
	before := instance{p: i.p, addr: i.addr, start: i.start, run: i.run, execution: base.Execution, began: b.Began}
	if before.began.IsZero() {
		before.began = b.Started
	}
	before.tellEnded(base.End, b.Clock, true)
}

// tellChanged tells of arguments that are not those of the record, at a call that wants no more than that.
func (c *Config) tellChanged(orchestrator string, e *engine.NondeterminismError) {
	if !c.warned.first(warnedOf{e.Instance, e.Ref}) {
		return
	}
	change := observe.ArgumentsChange{
		Group: e.Instance.Group, Instance: e.Instance.ID, Orchestrator: orchestrator,
		Call: e.Actual.Name, Slot: e.Ref.String(), Recorded: e.Expected.Site, Position: e.Position,
	}
	if f := c.Hooks.ArgumentsChanged; f != nil {
		f(change)
	}
	c.Logger.Warn("durable: the code has other arguments than the history, which stand", observe.KeyInstance, change.Instance,
		observe.KeyOrchestrator, change.Orchestrator, "call", change.Call, "slot", change.Slot, "recorded", change.Recorded, "position", change.Position)
}

func (i *instance) tellParked() {
	f := i.p.cfg.Hooks.Parked
	if f == nil {
		return
	}
	park := observe.Park{Group: i.addr.Group, Instance: i.addr.ID}
	if s, ok := i.start.Record.(*history.Start); ok {
		park.Orchestrator = s.Orchestrator
	}
	f(park)
}

func (p *Partition) tellDelivered(d backend.Delivery) {
	f := p.cfg.Hooks.Delivered
	if f == nil {
		return
	}
	_, cached := p.instances[d.To.ID]
	told := observe.Delivery{Group: p.cfg.Group, Partition: p.number, Again: d.Attempts > 1, Cached: cached}
	if r, ok := d.Message.Record.(*history.Fired); ok {
		told.Timer, told.Lag = true, max(d.Message.Time.Sub(r.Due), 0)
	}
	f(told)
}

// beginTurn and endTurn are around what the program runs for the first time.
func (i *instance) beginTurn() (began time.Time) {
	if i.p.cfg.Hooks.Turned != nil {
		began = time.Now()
	}
	return began
}

func (i *instance) endTurn(began time.Time) {
	if f := i.p.cfg.Hooks.Turned; f != nil {
		f(observe.Turn{Group: i.addr.Group, Orchestrator: i.start.Record.(*history.Start).Orchestrator, Took: time.Since(began)})
	}
}

func (i *instance) beginLoad() {
	if i.p.cfg.Hooks.Loaded != nil && i.asking.IsZero() {
		i.asking = i.p.be.Clock().Now()
	}
}

func (i *instance) endLoad(messages int) {
	if f := i.p.cfg.Hooks.Loaded; f != nil && !i.asking.IsZero() {
		f(observe.Load{
			Group: i.addr.Group, Orchestrator: i.start.Record.(*history.Start).Orchestrator,
			Messages: messages, Took: i.p.be.Clock().Now().Sub(i.asking),
		})
		i.asking = time.Time{}
	}
}
