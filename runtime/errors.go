package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// Errors to branch on with errors.Is.
var (
	ErrNotFound      = errors.New("durable: no such instance")
	ErrAlreadyExists = errors.New("durable: instance exists already")
	ErrFinished      = errors.New("durable: instance has ended")
	ErrNotFailed     = errors.New("durable: instance has not failed")
	ErrNotFinished   = errors.New("durable: instance has not ended")
	ErrTerminated    = errors.New("durable: instance was terminated")
	ErrCanceled      = activity.ErrCanceled // also the cause of the context of an activity that nobody waits for any more
	ErrTimeout       = errors.New("durable: timed out")
	ErrPanic         = errors.New("durable: code panicked")
	ErrPoison        = errors.New("durable: task killed its workers")
	ErrPayload       = errors.New("durable: value cannot be stored or read")
	ErrPermission    = backend.ErrPermission  // the server refuses this user
	ErrUnavailable   = backend.ErrUnavailable // no answer from the server; what was asked may have happened
	ErrClosed        = backend.ErrClosed      // the backend is closed
	ErrCodec         = backend.ErrCodec       // a payload that this program has no codec or key for; see WithCodec
)

// kinds ties the failures that the system makes to their sentinels.
var kinds = map[string][]error{
	history.FailPanic:      {ErrPanic},
	history.FailTimeout:    {ErrTimeout, context.DeadlineExceeded},
	history.FailDecode:     {ErrPayload},
	history.FailTooLarge:   {ErrPayload},
	history.FailPoison:     {ErrPoison},
	history.FailConflict:   {ErrAlreadyExists},
	history.FailTerminated: {ErrTerminated},
	history.FailCanceled:   {ErrCanceled},
}

// ActivityError is what a failed activity gives, after its last attempt.
type ActivityError struct {
	Activity string // wire name
	Attempt  int    // the attempt that failed, from 1
	Message  string // text of the error it returned
	Stack    string // of a panic
	causes   []error
	slots    []uint32
}

func (e *ActivityError) Error() string {
	return fmt.Sprintf("durable: activity %s, attempt %d: %s", e.Activity, e.Attempt, e.Message)
}

// Unwrap gives the registered errors that the activity's error held.
func (e *ActivityError) Unwrap() []error { return e.causes }

// OrchestrationError is what a failed or terminated orchestration gives to its parent or to who waits for it.
type OrchestrationError struct {
	Orchestrator string // wire name
	Message      string
	Stack        string // of a panic
	causes       []error
	slots        []uint32
}

func (e *OrchestrationError) Error() string {
	return fmt.Sprintf("durable: orchestrator %s: %s", e.Orchestrator, e.Message)
}

// Unwrap gives the registered errors that its error held, and the activity or child failure behind it.
func (e *OrchestrationError) Unwrap() []error { return e.causes }

// registered holds the errors that survive the wire. It is filled while packages are initialised.
var registered = struct {
	sync.RWMutex
	byName map[string]knownError
	names  map[any]string // sentinel or reflect.Type → name
}{byName: map[string]knownError{}, names: map[any]string{}}

type knownError struct {
	sentinel error
	typ      reflect.Type
}

// RegisterError makes a sentinel error recognisable across the wire under name. It returns true so that it can
// initialise a package variable. It panics when name or err is taken.
func RegisterError(name string, err error) bool {
	if err == nil || !reflect.TypeOf(err).Comparable() {
		panic(fmt.Sprintf("durable: error %s cannot be a sentinel: it is nil or not comparable", name))
	}
	return register(name, err, knownError{sentinel: err})
}

// RegisterErrorType does the same for a typed error, whose exported fields travel as JSON.
func RegisterErrorType[E error](name string) bool {
	t := reflect.TypeFor[E]()
	return register(name, t, knownError{typ: t})
}

func register(name string, key any, e knownError) bool {
	registered.Lock()
	defer registered.Unlock()
	if _, taken := registered.byName[name]; taken {
		panic(fmt.Sprintf("durable: two errors are registered as %q: give one of them another name with //durable:error name=", name))
	}
	if other, taken := registered.names[key]; taken {
		panic(fmt.Sprintf("durable: error %s is registered already, as %s", name, other))
	}
	registered.byName[name], registered.names[key] = e, name
	return true
}

// nonRetryable marks an error that another attempt would not mend.
type nonRetryable struct{ error }

func (e nonRetryable) Unwrap() error { return e.error }

// NonRetryable marks an activity's error as one that another attempt would not mend. nil stays nil.
func NonRetryable(err error) error {
	if err == nil {
		return nil
	}
	return nonRetryable{err}
}

// failureOf writes an error for the log: its text, the registered errors in its tree, the first failure of an activity or
// child that it wraps, with what that one wraps in turn, and the slots of all of them.
func failureOf(err error) *history.Failure {
	f := &history.Failure{Message: err.Error()}
	seen := 0
	noteTree(f, err, &seen)
	seen = 0
	f.Slots = slotsIn(nil, err, &seen)
	return f
}

// noteTree adds to f what survives the wire of err and of all that it wraps, outermost first.
func noteTree(f *history.Failure, err error, seen *int) {
	const most = 64 // a tree beyond this is a loop or a joke
	if *seen++; err == nil || *seen > most {
		return
	}
	if f.Cause == nil {
		if f.Cause = causeOf(err); f.Cause != nil {
			wrapped(err, func(w error) { noteTree(f.Cause, w, seen) })
			return
		}
	}
	if n, ok := nameOf(err); ok {
		f.Names = append(f.Names, n)
	}
	if f.Kind == "" {
		f.Kind = kindOf(err)
	}
	wrapped(err, func(w error) { noteTree(f, w, seen) })
}

// slotsIn adds the slots of this instance that the errors of a tree came from: a rewind runs those again.
func slotsIn(slots []uint32, err error, seen *int) []uint32 {
	const most = 10_000 // a join of a large fan-out is wide
	if *seen++; err == nil || *seen > most {
		return slots
	}
	var from []uint32
	switch e := err.(type) {
	case *ActivityError:
		from = e.slots
	case *OrchestrationError:
		from = e.slots
	case *codeError:
		from = e.slots
	}
	for _, slot := range from {
		if !slices.Contains(slots, slot) {
			slots = append(slots, slot)
		}
	}
	if len(from) == 0 { // else what it wraps came from there too
		wrapped(err, func(w error) { slots = slotsIn(slots, w, seen) })
	}
	return slots
}

func wrapped(err error, visit func(error)) {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		visit(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, w := range e.Unwrap() {
			visit(w)
		}
	}
}

// causeOf gives the failure of an activity or child, nil for any other error.
func causeOf(err error) *history.Failure {
	switch e := err.(type) {
	case *ActivityError:
		return &history.Failure{Name: e.Activity, Attempt: e.Attempt, Message: e.Message, Stack: e.Stack}
	case *OrchestrationError:
		return &history.Failure{Name: e.Orchestrator, Message: e.Message, Stack: e.Stack}
	}
	return nil
}

// kindOf gives the kind that a sentinel of this package stands for, "" for any other error.
func kindOf(err error) string {
	switch err {
	case ErrPanic:
		return history.FailPanic
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

// errorAt reads the failure of a future. It and all that it wraps came from the future's slot; of a coroutine, from those
// that it names.
func errorAt(f *engine.Future, failure *history.Failure) error {
	slots := failure.Slots
	if n := f.Slot(); n != engine.NoSlot {
		slots = []uint32{n}
	}
	return errorFrom(failure, slots)
}

func errorFrom(f *history.Failure, slots []uint32) error {
	causes := causesOf(f, slots)
	if f.Attempt > 0 {
		return &ActivityError{Activity: f.Name, Attempt: f.Attempt, Message: f.Message, Stack: f.Stack, causes: causes, slots: slots}
	}
	if f.Name == "" {
		return &codeError{message: f.Message, causes: causes, slots: slots}
	}
	return &OrchestrationError{Orchestrator: f.Name, Message: f.Message, Stack: f.Stack, causes: causes, slots: slots}
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
	if f.Cause != nil {
		causes = append(causes, errorFrom(f.Cause, slots))
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

// MissingReceiver is the error of a nil field of DurableReceivers.
func MissingReceiver(pkg, field string) error {
	return fmt.Errorf("durable: register %s: DurableReceivers.%s is nil: its methods are activities and need it", pkg, field)
}
