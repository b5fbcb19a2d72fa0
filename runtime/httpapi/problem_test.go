package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestProblems: each error of a client has its status; a body says what the error says, and nothing of where it was made.
func TestProblems(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err   error
		code  int
		empty bool
	}{
		{durable.ErrNotFound, 404, true},
		{durable.ErrFinished, 410, true},
		{durable.ErrNoOrchestrator, 400, false},
		{durable.ErrPageToken, 400, false},
		{durable.ErrAlreadyExists, 409, false},
		{durable.ErrNotFinished, 409, false},
		{durable.ErrNotFailed, 412, false},
		{durable.ErrIncomplete, 501, false},
		{durable.ErrFull, 429, false},
		{durable.ErrPayload, 413, false},
		{&http.MaxBytesError{Limit: 7}, 413, false},
		{durable.ErrPermission, 403, false},
		{durable.ErrUnavailable, 503, false},
		{durable.ErrClosed, 503, false},
		{context.DeadlineExceeded, 503, false},
		{durable.ErrCodec, 500, false},
		{errors.New("anything"), 500, false},
		{incorrect("this"), 400, false},
	} {
		w := httptest.NewRecorder()
		problemOf(fmt.Errorf("about x: %w", test.err)).write(w)
		if w.Code != test.code || (w.Body.Len() == 0) != test.empty {
			t.Errorf("%v gives %d with %q, want %d", test.err, w.Code, w.Body, test.code)
		}
		if body := w.Body.String(); strings.Contains(body, ".go:") || strings.Contains(body, "goroutine") {
			t.Errorf("%v tells of the code: %s", test.err, body)
		}
	}
}
