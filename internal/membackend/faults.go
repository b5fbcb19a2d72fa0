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

// happens throws a die. Lock held.
func (m *Memory) happens(rate float64) bool { return rate > 0 && m.rng.Float64() < rate }

// upTo is a random duration. Lock held.
func (m *Memory) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(m.rng.Int64N(int64(d) + 1))
}

// trip is the time of one way between a view and the store. Lock held.
func (m *Memory) trip() time.Duration { return m.upTo(m.cfg.Latency) }

// fate adds what the rates decide to what a hook has decided. Lock held.
func (m *Memory) fate(v Verdict, record bool) Verdict {
	f := &m.faults
	v.LoseRequest = v.LoseRequest || m.happens(f.RequestLost)
	v.LoseAnswer = v.LoseAnswer || m.happens(f.AnswerLost)
	if m.happens(f.RequestDelayed) {
		v.Delay += m.upTo(or(f.DelayedBy, 5*time.Second))
	}
	if record {
		v.Double = v.Double || m.happens(f.RecordDoubled)
	}
	return v
}
