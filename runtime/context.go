package durable

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// None is the result of a function that returns only an error, and the argument of one that takes none.
type None struct{}

// MarshalJSON writes null.
func (None) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// UnmarshalJSON accepts anything.
func (*None) UnmarshalJSON([]byte) error { return nil }

// Limits of what an orchestrator may hand over. They are part of what a replay must find again and do not change with
// configuration.
const (
	MaxPayload = 16 << 20 // bytes of an argument, result or event
	MaxStatus  = 16 << 10 // bytes of a custom status, as Durable Functions
)

// Context is an orchestrator's access to its instance, valid in the coroutine it was given to and nowhere else. It is
// not a context.Context, so that it cannot be passed to I/O by mistake.
//
// It is cancelled by [Client.Cancel], or by who made it with [WithCancel] or [WithTimeout].
type Context struct {
	co    *engine.Coroutine
	scope *engine.Scope // nil: of the whole execution
}

// Now is the time of the message being applied: the same on every replay.
func (c Context) Now() time.Time { return c.co.Now() }

// InstanceID is the id of this instance.
func (c Context) InstanceID() string { return c.co.Self().ID }

// Name is the wire name of the orchestrator that this instance was started as.
func (c Context) Name() string { return c.co.Start().Orchestrator }

// Tags are those that this instance was started with. The map is the caller's.
func (c Context) Tags() Tags { return maps.Clone(c.co.Start().Tags) }

// OrchestratorVersion is the version of the orchestrator that this execution runs, as the handle or option it was started
// with has it; "" is the first.
func (c Context) OrchestratorVersion() string { return c.co.Start().Version }

// ParentID is the id of the instance that started this one as its child, or "".
func (c Context) ParentID() string {
	if p := c.co.Start().Parent; p != nil {
		return p.ID
	}
	return ""
}

// RootID is the id of the topmost instance of the family: the parent's, and so on, or that of this instance if a client
// started it.
func (c Context) RootID() string { return c.co.Start().RootID(c.co.Self().ID) }

// NewUUID makes a version 5 UUID from the instance, the execution and a counter: the same on every replay.
func (c Context) NewUUID() string {
	u := c.co.UUID()
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// Rand is a source of random numbers that is the same on every replay.
func (c Context) Rand() *rand.Rand { return c.co.Rand() }

// Logger is silent while a replay repeats what was logged before.
func (c Context) Logger() *slog.Logger { return c.co.Logger() }

// Replaying reports whether the code repeats what it did before. Decisions must not depend on it.
func (c Context) Replaying() bool { return c.co.Replaying() }

// SetStatus replaces the custom status, which clients read as JSON. It panics when v cannot be written as JSON of at
// most [MaxStatus] bytes.
func (c Context) SetStatus(v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("durable: custom status of type %T: %v", v, err))
	}
	if len(data) > MaxStatus {
		panic(fmt.Sprintf("durable: custom status has %d bytes, at most %d are kept: keep the rest where an activity can reach it", len(data), MaxStatus))
	}
	c.co.SetStatus(data)
}

// encode writes a value for the log.
func encode(v any) (history.Payload, *history.Failure) {
	data, err := marshal(v)
	if err != nil {
		return nil, &history.Failure{Kind: history.FailDecode, Message: fmt.Sprintf("durable: a value of type %T cannot be stored: %v", v, err)}
	}
	if len(data) > MaxPayload {
		return nil, tooLarge(v, len(data), MaxPayload)
	}
	return data, nil
}

// marshal is json.Marshal, quicker for a string that needs no escapes: many steps have no other argument.
func marshal(v any) ([]byte, error) {
	if s, ok := v.(string); ok {
		data := make([]byte, 0, len(s)+2)
		if data = append(append(append(data, '"'), s...), '"'); history.PlainText(data) {
			return data, nil
		}
	}
	return json.Marshal(v)
}

func tooLarge(v any, size, most int) *history.Failure {
	return &history.Failure{Kind: history.FailTooLarge, Message: fmt.Sprintf("durable: a value of type %T has %d bytes, at most %d can be stored: store it elsewhere and pass a reference", v, size, most)}
}
