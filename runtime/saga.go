package durable

import (
	"errors"
	"fmt"

	"github.com/durablegen/durablegen/internal/engine"
)

// Saga undoes the steps of an orchestration that went wrong later. The zero value is ready; it belongs to one
// orchestration, whose coroutines may share it.
//
// Add the compensation before its step: a step that failed may have had its effect all the same, so that a compensation
// must not mind that there is nothing to undo.
type Saga struct{ undo []func(Context) error }

// Compensate adds what undoes the step that is about to be taken. Activities that undo should have a RetryPolicy.
func (s *Saga) Compensate(undo func(ctx Context) error) { s.undo = append(s.undo, undo) }

// Rollback runs the compensations one after the other, the newest first, each once: a second Rollback has nothing to do
// but what was added since. One that fails does not keep the others from running; all errors come back joined. They run
// to their end also when ctx is cancelled.
func (s *Saga) Rollback(ctx Context) error {
	ctx = WithoutCancel(ctx)
	var errs []error
	for len(s.undo) > 0 {
		n := len(s.undo)
		undo := s.undo[n-1]
		s.undo = s.undo[:n-1]
		if err := undo(ctx); err != nil {
			errs = append(errs, fmt.Errorf("durable: compensation %d: %w", n, err))
		}
	}
	return errors.Join(errs...)
}

// RollbackOnError rolls back when *err is not nil as the function returns, and joins what Rollback gives to it. Defer it
// in a function with a named error:
//
//	func Travel(ctx durable.Context, trip Trip) (_ Ticket, err error) {
//		var saga durable.Saga
//		defer saga.RollbackOnError(ctx, &err)
//
// Going on as a new execution is no failure. A panic is not compensated: it is a mistake in the code, and fails the
// instance at once.
func (s *Saga) RollbackOnError(ctx Context, err *error) {
	if _, next := errors.AsType[*engine.ContinueAsNew](*err); *err == nil || next {
		return
	}
	if failed := s.Rollback(ctx); failed != nil {
		*err = errors.Join(*err, failed)
	}
}
