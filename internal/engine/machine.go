package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Program is an orchestrator below its types. An error it returns ends the run as Failed, encoded by Config.Fail; a
// [*ContinueAsNew], also a wrapped one, ends only the execution.
type Program func(*Coroutine, history.Payload) (history.Payload, error)

// ContinueAsNew is the error a Program returns to start its next execution, whose history begins again.
type ContinueAsNew struct {
	Version *string         // of the code that the next execution runs; nil: as this one
	Input   history.Payload // of the next execution
}

func (*ContinueAsNew) Error() string {
	return "durable: continue as new: the orchestrator must return this error, not handle it"
}

// Config is what a machine runs and for whom. Program must be set.
type Config struct {
	Self    history.Address
	Program Program
	// Fail encodes an error of user code: registered names, chain. nil keeps the text only.
	Fail func(error) *history.Failure
	// Resolve gives the present wire name of a name or alias, for the replay check and for completions. nil: identity.
	Resolve func(kind history.SlotKind, name string) string
	// Logger receives what the program logs, except while it repeats itself. nil discards.
	Logger *slog.Logger
	// Changed is told, in a replay, of other arguments than the recorded ones at a call with the policy Warn. nil: nobody.
	Changed func(orchestrator string, e *NondeterminismError)

	// Reading makes the machine look whether the program can read every payload that it is given, see [Machine.Unread].
	Reading bool
	// Redacted says that payloads were left out of the history: arguments are not compared, nor ids that may be made of
	// them, and what cannot be read is a zero value.
	Redacted bool

	// Stacks are what coroutines run on. nil: each has one of its own.
	Stacks *Stacks

	// Without switches rules off, for tests that show what each of them prevents.
	Without Rule
}

// Rule is a set of rules of the engine, named after the holes that they close (docs/protocol.md).
type Rule uint8

// The rules.
const (
	DropSeen       Rule = 1 << iota // H6: an event or control message whose id was seen changes nothing
	IgnoreEarly                     // H21: a fired timer stamped before its due time is ignored
	CarryOver                       // continue-as-new keeps the events that nobody has received yet
	CarrySeen                       // H6: continue-as-new keeps the ids that were seen
	CheckExecution                  // I2: a completion counts for its own run and execution only
)

// Machine is one execution of one instance. It is not safe for concurrent use, but any goroutine may use it in turn.
// The caller must Close it.
type Machine struct {
	cfg       Config
	start     history.Start
	original  history.Payload // input of the run's first execution
	version   string          // that the run began with
	started   time.Time       // of the run
	run       uint32
	seed      uint32 // run that UUIDs and random numbers are made of
	execution uint32
	origin    uint64 // sequence of the message that begins the execution

	clock   time.Time // running maximum of the inbox time stamps (I8)
	status  history.Payload
	seen    seen
	mail    map[string]*mailbox
	held    []history.Message    // inbox kept while suspended
	settled map[history.Ref]bool // slots that something in held completes
	kept    backlog              // what mail and held have
	paused  bool
	delayed bool // the program waits for the time it was scheduled for

	next     uint32 // number of the next slot
	open     window // slots that wait for a completion
	versions map[string]*Future
	prior    *prior // of a rewound run, until Begin has gone through it
	arrivals uint64 // events so far, and calls of Receive: what came first is older

	root     Scope // of the execution
	detached Scope // never cancelled
	spins    int   // waits of this turn that a cancelled scope ended at once

	first, last *Coroutine   // all that have not ended, oldest first
	ready       []*Coroutine // to be run, in order
	turned      int          // how many of ready have been run
	current     *Coroutine   // the one that runs; nil while the program is blocked

	turn     Turn
	begun    bool
	end      *history.End
	broken   error // a mismatch with the records, or a record that cannot be begun from; nothing runs any more
	closing  bool
	expected map[uint32]Recorded
	recorded uint64 // highest sequence of the records
	repeats  bool   // what runs has run before

	reading *reading // nil unless Config.Reading

	queries map[string]Query // by name; none after the end
	asking  bool             // one of them runs

	uuids  uint64
	random *rand.Rand
	logger *slog.Logger
}

// New makes a machine for the first execution of a run; the record of start is a *history.Start. Nothing has run yet.
func New(cfg Config, start history.Message) *Machine {
	m := &Machine{cfg: cfg, origin: start.Seq}
	m.root.m, m.detached.m = m, m
	s, ok := start.Record.(*history.Start)
	if !ok {
		m.broken = fmt.Errorf("durable: message %d of instance %s cannot begin a run: it is no start", start.Seq, cfg.Self.ID)
		return m
	}
	m.start, m.original, m.version, m.run, m.seed = *s, s.Input, s.Version, s.Run, s.Run
	if s.Prior != nil {
		m.goBack(s.Prior, start.Time)
		return m
	}
	m.tick(start.Time)
	m.started = m.clock
	return m
}

// Resume makes a machine for the execution that follows a continue-as-new record; the record of base is a *history.Turn
// with End.Base. The caller runs Begin and then applies the inbox after Turn.At (H8).
func Resume(cfg Config, base history.Message) *Machine {
	m := &Machine{cfg: cfg}
	m.root.m, m.detached.m = m, m
	t, ok := base.Record.(*history.Turn)
	if !ok || t.End == nil || t.End.Base == nil {
		m.broken = fmt.Errorf("durable: message %d of instance %s cannot begin an execution: it holds no base", base.Seq, cfg.Self.ID)
		return m
	}
	m.origin, m.run, m.seed = t.At, t.Run, t.Run
	m.goOn(t)
	return m
}

// goOn takes over what a base holds.
func (m *Machine) goOn(t *history.Turn) {
	b := t.End.Base
	m.start, m.original, m.version, m.execution = b.Start, b.First, b.FirstVersion(), t.Execution+1
	m.start.Run = m.run
	m.started, m.status, m.paused, m.root.cause = b.Started, b.Status, b.Paused, b.Canceled
	m.tick(b.Clock)
	for _, h := range b.Held {
		m.keep(h)
	}
	for _, e := range b.Buffered {
		m.buffer(eventName(e.Name), e)
	}
	for _, s := range b.Seen {
		m.seen.add(s.ID, s.At)
	}
}

// Begin runs the program to its first block. The cause of the turn is the start, or what caused the base. Messages that
// a base holds because the instance was suspended are applied too, unless it still is.
func (m *Machine) Begin() (Turn, error) {
	if m.begun {
		panic("engine: Begin is called twice")
	}
	m.begun = true
	m.take(m.origin)
	switch {
	case m.broken != nil:
	case m.prior != nil:
		m.relive()
	default:
		m.spawn(m.main)
		m.settle()
		m.drain()
	}
	return m.give()
}

// Apply applies one inbox message and runs until everything is blocked again. A message that changes nothing gives an
// empty Turn, as does every message after the end. The error is a [*NondeterminismError]; it stays.
func (m *Machine) Apply(msg history.Message) (Turn, error) {
	if !m.begun {
		panic("engine: Apply is called before Begin")
	}
	m.take(msg.Seq)
	if m.broken == nil && m.end == nil && msg.Record != nil {
		m.receive(msg)
	}
	return m.give()
}

// take begins the turn of a message.
func (m *Machine) take(seq uint64) {
	if m.closing {
		panic("engine: the machine is closed")
	}
	m.turn = Turn{Cause: seq}
	m.spins = 0
	m.repeats = seq <= m.recorded
}

// give ends the turn.
func (m *Machine) give() (Turn, error) {
	turn := m.turn
	m.turn = Turn{}
	if m.broken != nil {
		return Turn{Cause: turn.Cause}, m.broken
	}
	return turn, nil
}

// settle runs coroutines, first ready first, until all are blocked or the execution has ended.
func (m *Machine) settle() {
	for m.turned < len(m.ready) && m.end == nil && m.broken == nil {
		c := m.ready[m.turned]
		m.ready[m.turned] = nil
		m.turned++
		if !m.resume(c) {
			m.forget(c)
		}
	}
	if m.ready, m.turned = m.ready[:0], 0; cap(m.ready) > mostKept {
		m.ready = nil
	}
}

// main is the body of the first coroutine: its return ends the execution.
func (m *Machine) main(c *Coroutine) {
	if !m.start.At.IsZero() {
		m.delayed = true
		c.Await(c.Schedule(history.Slot{Kind: history.SlotTimer, Due: m.start.At}))
		m.delayed = false
	}
	result, err := m.cfg.Program(c, m.start.Input)
	var next *ContinueAsNew
	switch {
	case err == nil:
		m.finish(&history.End{Status: history.Completed, Result: result})
	case errors.As(err, &next) && next != nil:
		m.continueAsNew(next)
	default:
		m.fail(m.failureOf(err))
	}
}

// tick moves the clock, never back (I8).
func (m *Machine) tick(t time.Time) {
	if t.After(m.clock) {
		m.clock = t.Round(0).UTC()
	}
}

// Ended gives how the execution ended, nil while it has not.
func (m *Machine) Ended() *history.End { return m.end }

// Ref tells which run and execution this is.
func (m *Machine) Ref() (run, execution uint32) { return m.run, m.execution }

// Pending reports whether a slot of this execution waits for its completion, and none is held until the instance resumes.
func (m *Machine) Pending(ref history.Ref) bool { return m.waiting(ref) != nil && !m.settled[ref] }

// Clock is the time of the orchestration: the running maximum of the inbox time stamps.
func (m *Machine) Clock() time.Time { return m.clock }

// CustomStatus is what the program last set, nil for nothing.
func (m *Machine) CustomStatus() history.Payload { return m.status }

// Suspended reports whether inbox messages are held.
func (m *Machine) Suspended() bool { return m.paused }

// Delayed reports whether the program has not begun, because it is scheduled for later.
func (m *Machine) Delayed() bool { return m.delayed && m.end == nil }

// Close unwinds all coroutines, newest first, so that their deferred functions run. Those can read, but they decide and
// wait for nothing. Idempotent; nothing but the accessors may be used afterwards.
func (m *Machine) Close() {
	if m.closing {
		return
	}
	m.closing = true
	for c := m.last; c != nil; c = c.older {
		m.unwind(c)
	}
	m.first, m.last, m.ready, m.open, m.mail, m.held, m.expected = nil, nil, nil, window{}, nil, nil, nil
}
