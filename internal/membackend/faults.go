package membackend

import (
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Faults are the probabilities, from 0 to 1, with which things go wrong.
type Faults struct {
	RequestLost    float64       // a call never reaches the store: ErrUnavailable
	AnswerLost     float64       // a call acts on the store, and reports ErrUnavailable
	RequestDelayed float64       // a call reaches the store later, possibly after its sender died
	DelayedBy      time.Duration // longest such delay; defaults to 5 s
	ReadDelayed    float64       // the same of a read of the log or the archive, so that much happens between two of them
	RecordDoubled  float64       // an append is stored twice; done is called once

	DeliveryLost     float64 // a delivery never arrives, which leaves a gap in Order; it comes again after AckWait
	DeliveryRepeated float64 // a delivery comes again although nobody asked
	Shuffled         float64 // of several messages to be delivered again, the next one is any
	AckLost          float64
	SignalLost       float64

	// Behind has a Load answered by a replica that has come just as far as was asked for. What it does not show at all the
	// leader answers, as Load promises.
	Behind float64

	// A lagging replica. Load and the leader's reads promise what these break: the holes H1, H15, H18 and H23.
	LagLoads    float64 // a Load shows the log as it was some messages ago
	LagBy       int     // most messages it is behind; defaults to 10
	LagStates   float64 // GetState and ListStates show the value before the newest
	LagArchives float64 // GetArchive shows the value before the newest
	ShowEarly   bool    // a Load shows what came before the start, which Load promises not to (H9)
}

// Verdict says what becomes of a call. The zero value lets it pass.
type Verdict struct {
	LoseRequest bool          // it never reaches the store: ErrUnavailable
	LoseAnswer  bool          // it acts on the store, and reports ErrUnavailable
	Delay       time.Duration // it reaches the store so much later; calls after it overtake it
	Double      bool          // its record is stored twice
}

// hooks decide single cases. They are called on the caller's goroutine, without a lock of the hub.
type hooks struct {
	append   func(backend.Append) Verdict
	delivery func(view string, d backend.Delivery) (lose bool)
	load     func(of history.Address, reach uint64) (upTo uint64)
	mishap   func(Mishap) (may bool)
	act      func(Act)
}

// OnAppend asks fn about every append of every view; nil ends that.
func (m *Memory) OnAppend(fn func(backend.Append) Verdict) { m.hook(func(h *hooks) { h.append = fn }) }

// OnDelivery asks fn whether an inbox delivery gets lost on its last step; nil ends that.
func (m *Memory) OnDelivery(fn func(view string, d backend.Delivery) (lose bool)) {
	m.hook(func(h *hooks) { h.delivery = fn })
}

// OnLoad asks fn how far the replica that answers a Load has come: it shows nothing above sequence upTo, whatever it
// promised. 0 means everything; nil ends it.
func (m *Memory) OnLoad(fn func(of history.Address, reach uint64) (upTo uint64)) {
	m.hook(func(h *hooks) { h.load = fn })
}

func (m *Memory) hook(set func(*hooks)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	set(&m.hooks)
}

func (m *Memory) hooked() hooks {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hooks
}

// Act is something that the store has done for a view.
type Act struct {
	At      time.Time
	View    string
	Verb    string // append to, load, put the state of, ack, ...
	ID      string // of the instance, or what else it is about
	Subject string // of a message, within its instance
	Seq     uint64 // sequence or revision, where there is one
	Err     error
}

// OnAct tells fn of everything that the store does for a view; nil ends that. fn is called with the hub's lock: it must
// not use the hub.
func (m *Memory) OnAct(fn func(Act)) { m.hook(func(h *hooks) { h.act = fn }) }

// did tells of an act. Lock held.
func (m *Memory) did(v *View, o op, res any, err error) {
	if m.hooks.act == nil {
		return
	}
	seq, _ := res.(uint64)
	m.hooks.act(Act{At: m.time(m.now()), View: v.name, Verb: o.verb, ID: o.id, Subject: o.subject, Seq: seq, Err: err})
}

// fate adds what the rates decide to what a hook has decided. Lock held.
func (v *View) fate(o op, verdict Verdict, record bool) Verdict {
	m := v.m
	f := &m.faults
	verdict.LoseRequest = verdict.LoseRequest || m.happens(f.RequestLost, "request lost", v.name, o.verb, o.id, o.subject)
	verdict.LoseAnswer = verdict.LoseAnswer || m.happens(f.AnswerLost, "answer lost", v.name, o.verb, o.id, o.subject)
	late := f.RequestDelayed
	if o.reads {
		late = max(late, f.ReadDelayed)
	}
	if m.happens(late, "request late", v.name, o.verb, o.id, o.subject) {
		verdict.Delay += m.upTo(or(f.DelayedBy, 5*time.Second), "delay", v.name, o.verb, o.id, o.subject)
	}
	if record {
		verdict.Double = verdict.Double || m.happens(f.RecordDoubled, "stored twice", v.name, o.verb, o.id, o.subject)
	}
	return verdict
}
