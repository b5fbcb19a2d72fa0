package durable

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Errors to branch on with errors.Is.
var (
	ErrNotFound       = errors.New("durable: no such instance")
	ErrAlreadyExists  = errors.New("durable: instance exists already")
	ErrFinished       = errors.New("durable: instance has ended")
	ErrFull           = errors.New("durable: instance keeps as many events as it may that its orchestrator has not received")
	ErrNotFailed      = errors.New("durable: instance has not failed")
	ErrNotFinished    = errors.New("durable: instance has not ended")
	ErrTerminated     = errors.New("durable: instance was terminated")
	ErrCanceled       = activity.ErrCanceled  // also the cause of the context of an activity that nobody waits for any more
	ErrTimeout        = activity.ErrTimeout   // an attempt of an activity, or a wait: Future.Within; so are the next two
	ErrDeadline       = activity.ErrDeadline  // all attempts of a call together
	ErrHeartbeat      = activity.ErrHeartbeat // an attempt was silent for too long
	ErrNoOrchestrator = errors.New("durable: no such orchestrator")
	ErrVersionInUse   = errors.New("durable: a version of an orchestrator has live instances and no worker")
	ErrIncomplete     = errors.New("durable: history is not kept whole")
	ErrPanic          = errors.New("durable: code panicked")
	ErrPoison         = errors.New("durable: task killed its workers")
	ErrPayload        = errors.New("durable: value cannot be stored or read")
	ErrPermission     = backend.ErrPermission  // the server refuses this user
	ErrUnavailable    = backend.ErrUnavailable // no answer from the server; what was asked may have happened
	ErrClosed         = backend.ErrClosed      // the backend is closed
	ErrCodec          = backend.ErrCodec       // a payload that this program has no codec or key for; see WithCodec
)

// kinds ties the failures that the system makes to their sentinels.
var kinds = map[string][]error{
	history.FailPanic:      {ErrPanic},
	history.FailTimeout:    {ErrTimeout, context.DeadlineExceeded},
	history.FailDeadline:   {ErrDeadline, context.DeadlineExceeded},
	history.FailHeartbeat:  {ErrHeartbeat, context.DeadlineExceeded},
	history.FailDecode:     {ErrPayload},
	history.FailTooLarge:   {ErrPayload},
	history.FailPoison:     {ErrPoison},
	history.FailConflict:   {ErrAlreadyExists},
	history.FailTerminated: {ErrTerminated},
	history.FailCanceled:   {ErrCanceled},
	history.FailNotFound:   {ErrNotFound},
	history.FailFinished:   {ErrFinished},
}

// ActivityError is what a failed activity gives, after its last attempt.
type ActivityError struct {
	Activity  string // wire name
	Attempt   int    // the attempt that failed, from 1
	Message   string // text of the error it returned
	LastError string // of a failure that the system makes, such as a timeout: text of the error that ended the attempt before
	Stack     string // of a panic
	causes    []error
	from      *history.Failure
	slots     []uint32
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
	from         *history.Failure
	slots        []uint32
}

func (e *OrchestrationError) Error() string {
	return fmt.Sprintf("durable: orchestrator %s: %s", e.Orchestrator, e.Message)
}

// Unwrap gives the registered errors that its error held, and the failures of activities and children behind it.
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

// MissingReceiver is the error of a nil field of DurableReceivers.
func MissingReceiver(pkg, field string) error {
	return fmt.Errorf("durable: register %s: DurableReceivers.%s is nil: its methods are activities and need it", pkg, field)
}
