package durable

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/durablegen/durablegen/internal/history"
)

// PayloadError is a stored value that does not fit the Go type that reads it: code has changed while the value was in the
// log. errors.Is tells it by [ErrPayload]. It is final: nothing reads the value again, an orchestrator that returns the
// error fails with it. What is unknown is "".
type PayloadError struct {
	What         string // "input", "result of activity shop.Charge", "event shop.Paid"
	Orchestrator string // wire name of the orchestrator that read it, and its version
	Version      string
	Field        string // in JSON, with dots: "items.price"; "" is the value itself, or what a type that reads itself says
	Type         string // the Go type that was wanted there
	Found        string // the JSON that was found: "string", "number 300", "object"

	err error
}

// Error implements error.
func (e *PayloadError) Error() string {
	var b strings.Builder
	b.WriteString(ErrPayload.Error() + ": ")
	if e.What != "" {
		b.WriteString(e.What + " ")
	}
	if e.Orchestrator != "" {
		b.WriteString("of orchestrator " + e.Orchestrator)
		if e.Version != "" {
			b.WriteString(" version " + e.Version)
		}
		b.WriteString(" ")
	}
	fmt.Fprintf(&b, "does not fit type %s", e.Type)
	switch {
	case e.Found != "" && e.Field != "":
		fmt.Fprintf(&b, ": the field %s is a JSON %s", e.Field, e.Found)
	case e.Found != "":
		fmt.Fprintf(&b, ": it is a JSON %s", e.Found)
	default:
		fmt.Fprintf(&b, ": %v", e.err)
	}
	return b.String()
}

// Unwrap gives [ErrPayload] and what the decoder said.
func (e *PayloadError) Unwrap() []error { return []error{ErrPayload, e.err} }

// decode reads a value from the log. Nothing and null give the zero value. A [*PayloadError] when it does not fit.
func decode[T any](p history.Payload) (T, error) {
	var v T
	if len(p) == 0 {
		return v, nil
	}
	if s, ok := any(&v).(*string); ok && history.PlainText(p) {
		*s = string(p[1 : len(p)-1])
		return v, nil
	}
	return unmarshal[T](p)
}

// unmarshal is apart from decode, whose value would be on the heap for it.
func unmarshal[T any](p history.Payload) (T, error) {
	var v T
	err := json.Unmarshal(p, &v)
	if err == nil {
		return v, nil
	}
	e := &PayloadError{What: "it", Type: fmt.Sprintf("%T", v), err: err}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Type != nil {
		e.Type, e.Field, e.Found = wrong.Type.String(), wrong.Field, wrong.Value
	}
	return v, e
}

// decodeIn reads a value for an orchestrator.
func decodeIn[T any](ctx Context, p history.Payload, what string) (T, error) {
	v, err := decode[T](p)
	if err != nil {
		return misread(ctx, v, err, what)
	}
	return v, nil
}

// misread says what an orchestrator could not read. Of a redacted history, that is a zero value.
func misread[T any](ctx Context, v T, err error, what string) (T, error) {
	if ctx.co.Redacted() {
		var zero T
		return zero, nil
	}
	if e, ok := errors.AsType[*PayloadError](err); ok {
		start := ctx.co.Start()
		e.What, e.Orchestrator, e.Version = what, start.Orchestrator, start.Version
	}
	return v, err
}
