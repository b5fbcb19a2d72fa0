package exit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// TestCodes: the numbers and words are a contract.
func TestCodes(t *testing.T) {
	t.Parallel()
	for n, word := range []string{"ok", "error", "usage", "not_found", "failed", "ended", "timeout", "conflict", "refused", "partly", "nondeterminism"} {
		if got := exit.Code(n).String(); got != word {
			t.Errorf("code %d is %q, want %q", n, got, word)
		}
	}
	for _, c := range []struct {
		err  error
		want exit.Code
	}{
		{nil, exit.OK},
		{errors.New("anything"), exit.Error},
		{exit.Usagef("no"), exit.Usage},
		{durable.ErrNotFound, exit.NotFound},
		{durable.ErrNoOrchestrator, exit.NotFound},
		{natsbackend.ErrNoHub, exit.NotFound},
		{durable.ErrAlreadyExists, exit.Conflict},
		{durable.ErrFinished, exit.Conflict},
		{durable.ErrNotFailed, exit.Conflict},
		{durable.ErrNotFinished, exit.Conflict},
		{durable.ErrFull, exit.Conflict},
		{durable.ErrIncomplete, exit.Conflict},
		{durable.ErrPayload, exit.Usage},
		{durable.ErrPageToken, exit.Usage},
		{durable.ErrPermission, exit.Refused},
		{durable.ErrUnavailable, exit.Refused},
		{context.DeadlineExceeded, exit.Refused},
		{exit.With(exit.Timeout, context.DeadlineExceeded), exit.Timeout},
		{exit.Silent(exit.Partly), exit.Partly},
	} {
		if got := exit.Of(c.err); got != c.want {
			t.Errorf("%v comes to %v, want %v", c.err, got, c.want)
		}
		if c.err == nil {
			continue
		}
		if got := exit.Of(fmt.Errorf("durable: get: %w", c.err)); got != c.want {
			t.Errorf("%v, wrapped, comes to %v, want %v", c.err, got, c.want)
		}
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	got := exit.Message(fmt.Errorf("durable: get %q: %w", "x", durable.ErrNotFound))
	if want := "get \"x\": no such instance: `durable list` tells what the hub has"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if exit.With(exit.Failed, nil) != nil {
		t.Error("no error has a code")
	}
}
