package durable

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/durablegen/durablegen/internal/history"
)

// How much of one error the log keeps. What does not fit is cut or counted, never refused: an error about too large an
// error helps nobody.
const (
	mostMessage = 16 << 10  // bytes of the outermost text
	mostText    = 4 << 10   // of every other text, and of a stack
	mostFailure = 128 << 10 // of all texts, stacks and details behind the outermost one
	mostErrors  = 1000      // errors looked at; a tree beyond this is a loop or a joke
	perFailure  = 100       // bytes that a failure takes beside its texts
)

// failureOf writes an error for the log: its text, the registered errors in its tree, and every failure of an activity
// or child that it wraps or joins, with all that those wrap in turn, and their slots.
func failureOf(err error) *history.Failure {
	w := failureWriter{errors: mostErrors, room: mostFailure}
	f := &history.Failure{Message: shorten(err.Error(), mostMessage)}
	var never nonRetryable
	f.Final = errors.As(err, &never)
	var after retryLater
	if errors.As(err, &after) {
		f.After = after.delay
	}
	w.note(f, err)
	f.Slots = slotsIn(nil, err, new(int))
	return f
}

// failureWriter counts what one error may still take.
type failureWriter struct{ errors, room int }

// note adds to f what survives the wire of err and of all that it wraps, outermost first.
func (w *failureWriter) note(f *history.Failure, err error) {
	if err == nil {
		return
	}
	if w.errors--; w.errors < 0 {
		if causeOf(err) != nil {
			f.Omitted++
		}
		return
	}
	if c := causeOf(err); c != nil {
		kept := w.keep(c)
		if kept == nil {
			f.Omitted++
			return
		}
		if _, read := sourceOf(err); !read {
			w.noteWrapped(kept, err)
		}
		f.Add(kept)
		return
	}
	if n, ok := nameOf(err); ok && w.take(len(n.Name)+len(n.Details)) {
		f.Names = append(f.Names, n)
	}
	if f.Kind == "" {
		f.Kind = kindOf(err)
	}
	w.noteWrapped(f, err)
}

func (w *failureWriter) noteWrapped(f *history.Failure, err error) {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		w.note(f, e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, wrapped := range e.Unwrap() {
			w.note(f, wrapped)
		}
	}
}

// keep copies a failure with all that it wraps, as far as there is room; nil when there is none.
func (w *failureWriter) keep(f *history.Failure) *history.Failure {
	c := *f
	c.Slots = nil // of another instance
	c.Message, c.LastErr, c.Stack = shorten(f.Message, mostText), shorten(f.LastErr, mostText), shorten(f.Stack, mostText)
	if !w.take(perFailure + len(c.Message) + len(c.LastErr)) {
		return nil
	}
	if w.room < mostFailure/2 || !w.take(len(c.Stack)) { // stacks must not crowd out errors
		c.Stack = ""
	}
	c.Names = nil
	for _, n := range f.Names {
		if w.take(len(n.Name) + len(n.Details)) {
			c.Names = append(c.Names, n)
		}
	}
	c.Cause, c.Causes = nil, nil
	for _, cause := range f.All() {
		if kept := w.keep(cause); kept != nil {
			c.Add(kept)
		} else {
			c.Omitted++
		}
	}
	return &c
}

func (w *failureWriter) take(n int) bool {
	if n > w.room {
		return false
	}
	w.room -= n
	return true
}

// shorten cuts a text and says so.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s… (%d bytes in all)", strings.ToValidUTF8(s[:most], ""), len(s))
}

// causeOf gives the failure of an activity or child, nil for any other error: as it was read from the log, so that what
// this program does not know survives, too.
func causeOf(err error) *history.Failure {
	if f, ok := sourceOf(err); ok {
		return f
	}
	switch e := err.(type) {
	case *ActivityError:
		return &history.Failure{Name: e.Activity, Attempt: e.Attempt, Message: e.Message, Stack: e.Stack, LastErr: e.LastError}
	case *OrchestrationError:
		return &history.Failure{Name: e.Orchestrator, Message: e.Message, Stack: e.Stack}
	}
	return nil
}

// sourceOf gives the failure that an error was read from.
func sourceOf(err error) (*history.Failure, bool) {
	switch e := err.(type) {
	case *ActivityError:
		return e.from, e.from != nil
	case *OrchestrationError:
		return e.from, e.from != nil
	}
	return nil, false
}

// kindOf gives the kind that a sentinel of this package stands for, "" for any other error.
func kindOf(err error) string {
	switch err {
	case ErrPanic:
		return history.FailPanic
	case ErrDeadline:
		return history.FailDeadline
	case ErrHeartbeat:
		return history.FailHeartbeat
	case ErrTimeout:
		return history.FailTimeout
	case ErrPayload:
		return history.FailDecode
	case ErrPoison:
		return history.FailPoison
	case ErrAlreadyExists:
		return history.FailConflict
	case ErrTerminated:
		return history.FailTerminated
	case ErrCanceled:
		return history.FailCanceled
	case ErrNotFound:
		return history.FailNotFound
	case ErrFinished:
		return history.FailFinished
	}
	return ""
}

func nameOf(err error) (history.Named, bool) {
	t := reflect.TypeOf(err)
	registered.RLock()
	defer registered.RUnlock()
	if reflect.ValueOf(err).Comparable() {
		if name, ok := registered.names[err]; ok {
			return history.Named{Name: name}, true
		}
	}
	name, ok := registered.names[t]
	if !ok {
		return history.Named{}, false
	}
	details, jsonErr := json.Marshal(err)
	if jsonErr != nil {
		return history.Named{}, false // its text is kept
	}
	return history.Named{Name: name, Details: details}, true
}

// errorOf reads a failure of an activity or child from the log. An attempt number tells an activity.
func errorOf(f *history.Failure) error { return errorFrom(f, nil) }

func errorFrom(f *history.Failure, slots []uint32) error {
	causes := causesOf(f, slots)
	if f.Attempt > 0 {
		return &ActivityError{Activity: f.Name, Attempt: f.Attempt, Message: f.Message, LastError: f.LastErr, Stack: f.Stack, causes: causes, from: f, slots: slots}
	}
	if f.Name != "" {
		return orchestrationError(f, slots)
	}
	var err error = &codeError{message: f.Message, causes: causes, slots: slots}
	if f.After > 0 {
		err = retryLater{err, f.After}
	}
	if f.Final {
		err = nonRetryable{err}
	}
	return err
}

func orchestrationError(f *history.Failure, slots []uint32) error {
	return &OrchestrationError{Orchestrator: f.Name, Message: f.Message, Stack: f.Stack, causes: causesOf(f, slots), from: f, slots: slots}
}

// codeError is an error of the orchestrator's own code: of a coroutine, or a value that cannot be stored.
type codeError struct {
	message string
	causes  []error
	slots   []uint32
}

func (e *codeError) Error() string   { return e.message }
func (e *codeError) Unwrap() []error { return e.causes }

func causesOf(f *history.Failure, slots []uint32) []error {
	var causes []error
	for _, n := range f.Names {
		registered.RLock()
		known, ok := registered.byName[n.Name]
		registered.RUnlock()
		if !ok {
			continue // registered by a program that this one does not know; the text is kept
		}
		if known.sentinel != nil {
			causes = append(causes, known.sentinel)
			continue
		}
		if err, ok := typedError(known.typ, n.Details); ok {
			causes = append(causes, err)
		}
	}
	causes = append(causes, kinds[f.Kind]...)
	for _, c := range f.All() {
		causes = append(causes, errorFrom(c, slots))
	}
	if f.Omitted > 0 {
		causes = append(causes, fmt.Errorf("durable: and %d more failures, which there was no room for", f.Omitted))
	}
	return causes
}

func typedError(t reflect.Type, details []byte) (error, bool) {
	v := reflect.New(t)
	if len(details) > 0 && json.Unmarshal(details, v.Interface()) != nil {
		return nil, false
	}
	err, ok := v.Elem().Interface().(error)
	if !ok || t.Kind() == reflect.Pointer && v.Elem().IsNil() {
		return nil, false
	}
	return err, true
}
