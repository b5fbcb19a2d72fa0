// Package exit holds the exit codes of the command, and which error comes to which: they are a contract with scripts.
package exit

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// Code is what the command exits with.
type Code int

// The exit codes.
const (
	OK             Code = iota
	Error               // anything else that went wrong, or findings of doctor
	Usage               // wrong flags or arguments; nothing was done
	NotFound            // no such instance, orchestrator or hub
	Failed              // the instance that was waited for, or asked about, has failed
	Ended               // it was terminated or cancelled
	Timeout             // it has not ended in time
	Conflict            // the state of the instance does not allow this, or its id is taken
	Refused             // the server refuses this user, or gives no answer
	Partly              // of several, some were done and some not
	Nondeterminism      // the instance is parked: its code does not fit its history
)

var words = [...]string{"ok", "error", "usage", "not_found", "failed", "ended", "timeout", "conflict", "refused", "partly", "nondeterminism"}

// String is the word that errors in JSON have for the code.
func (c Code) String() string {
	if c < 0 || int(c) >= len(words) {
		return fmt.Sprintf("code_%d", int(c))
	}
	return words[c]
}

// Worse reports whether a is worse news than b of instances that were waited for: a known end, then what could not be
// found out, then one that is not there, then one that goes on.
func Worse(a, b Code) bool { return badness(a) > badness(b) }

func badness(c Code) int {
	switch c {
	case OK:
		return 0
	case Timeout:
		return 1
	case NotFound:
		return 2
	case Ended:
		return 4
	case Failed:
		return 5
	}
	return 3
}

// known is the table: the first row that an error is counts. Help is told behind the error when that does not say itself
// what to do.
var known = []struct {
	is   error
	code Code
	help string
}{
	{is: durable.ErrNoOrchestrator, code: NotFound},
	{is: durable.ErrNotFound, code: NotFound, help: "`durable list` tells what the hub has"},
	{is: natsbackend.ErrNoHub, code: NotFound},
	{is: durable.ErrAlreadyExists, code: Conflict},
	{is: durable.ErrFinished, code: Conflict, help: "`durable restart` runs it again"},
	{is: durable.ErrNotFailed, code: Conflict, help: "`durable restart` runs an instance again that has ended"},
	{is: durable.ErrNotFinished, code: Conflict},
	{is: durable.ErrFull, code: Conflict},
	{is: durable.ErrIncomplete, code: Conflict},
	{is: durable.ErrPayload, code: Usage},
	{is: durable.ErrPageToken, code: Usage},
	{is: durable.ErrSchedule, code: Usage},
	{is: durable.ErrCodec, code: Error, help: "this command has no keys: only your own programs can read the hub's payloads"},
	{is: durable.ErrPermission, code: Refused},
	{is: durable.ErrUnavailable, code: Refused, help: "what was asked for may have happened: look, then try again"},
	{is: durable.ErrClosed, code: Refused},
	{is: context.DeadlineExceeded, code: Refused, help: "the server gives no answer within --timeout: what was asked for may have happened"},
	{is: context.Canceled, code: Error},
}

// coded is an error that has its code.
type coded struct {
	error
	code Code
}

func (c coded) Unwrap() error { return c.error }

// With gives an error its code, whatever it wraps. nil stays nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return coded{err, code}
}

// Usagef makes an error of the command line.
func Usagef(format string, args ...any) error { return With(Usage, fmt.Errorf(format, args...)) }

// Of tells what an error comes to. nil is OK.
func Of(err error) Code {
	code, _ := explain(err)
	return code
}

func explain(err error) (Code, string) {
	var c coded
	switch {
	case err == nil:
		return OK, ""
	case errors.As(err, &c):
		return c.code, ""
	}
	for _, row := range known {
		if errors.Is(err, row.is) {
			return row.code, row.help
		}
	}
	return Error, ""
}

// prefix is where an error comes from, which tells nothing to who uses the command.
var prefix = regexp.MustCompile(`\b(durable|natsbackend|backend|backup|embedded|nats|doctor): `)

// Message is the one sentence that is told of an error: without the names of packages, with what to do.
func Message(err error) string {
	text := prefix.ReplaceAllString(err.Error(), "")
	if _, help := explain(err); help != "" {
		text += ": " + help
	}
	return text
}

// Silent is an error that has been told already, in full: only its code counts.
func Silent(code Code) error { return coded{errTold, code} }

var errTold = errors.New("told already")

// IsSilent reports whether an error has been told already.
func IsSilent(err error) bool { return errors.Is(err, errTold) }
