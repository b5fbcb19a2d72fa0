package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	durable "github.com/durablegen/durablegen/runtime"
)

// problem is an answer that says what is wrong. Without a message it has no body, as the contract wants some.
type problem struct {
	status    int
	message   string
	detail    string
	retry     string // Retry-After
	challenge string // WWW-Authenticate
}

func (p *problem) Error() string { return p.message + ": " + p.detail }

func (p *problem) write(w http.ResponseWriter) {
	if p.retry != "" {
		w.Header().Set("Retry-After", p.retry)
	}
	if p.challenge != "" {
		w.Header().Set("WWW-Authenticate", p.challenge)
	}
	if p.message == "" {
		w.WriteHeader(p.status)
		return
	}
	writeJSON(w, p.status, struct {
		Message          string
		ExceptionMessage string
	}{p.message, p.detail})
}

// The words of the reference server.
const (
	badArgument = "One or more of the arguments submitted is incorrect"
	badJSON     = "Invalid JSON content"
	onlyJSON    = "Only application/json request content is supported"
	wentWrong   = "Something went wrong while processing your request"
)

func incorrect(detail string) *problem {
	return &problem{status: http.StatusBadRequest, message: badArgument, detail: detail}
}

// problemOf gives the answer that an error of the client comes to.
func problemOf(err error) *problem {
	var p *problem
	var tooBig *http.MaxBytesError
	with := func(status int, message string) *problem {
		return &problem{status: status, message: message, detail: err.Error()}
	}
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooBig):
		return with(http.StatusRequestEntityTooLarge, "The body is too large")
	case errors.Is(err, durable.ErrNoOrchestrator), errors.Is(err, durable.ErrPageToken):
		return incorrect(err.Error())
	case errors.Is(err, durable.ErrNotFailed):
		return with(http.StatusPreconditionFailed, "Only a failed instance can be rewound")
	case errors.Is(err, durable.ErrIncomplete):
		return with(http.StatusNotImplemented, "The instance cannot be rewound")
	case errors.Is(err, durable.ErrNotFound):
		return &problem{status: http.StatusNotFound}
	case errors.Is(err, durable.ErrFinished):
		return &problem{status: http.StatusGone}
	case errors.Is(err, durable.ErrAlreadyExists), errors.Is(err, durable.ErrNotFinished):
		return with(http.StatusConflict, "The state of the instance does not allow this")
	case errors.Is(err, durable.ErrFull):
		p := with(http.StatusTooManyRequests, "The instance cannot take more events now")
		p.retry = "5"
		return p
	case errors.Is(err, durable.ErrPayload):
		return with(http.StatusRequestEntityTooLarge, "The hub cannot store this")
	case errors.Is(err, durable.ErrPermission):
		return with(http.StatusForbidden, "The server of the hub does not permit this")
	case errors.Is(err, durable.ErrUnavailable), errors.Is(err, durable.ErrClosed), errors.Is(err, context.DeadlineExceeded):
		// In a cluster, while a leader is elected: a few seconds. Clients do not try again by themselves what is 504.
		p := with(http.StatusServiceUnavailable, "The hub gives no answer in time; what was asked for may have happened")
		p.retry = "5"
		return p
	}
	return with(http.StatusInternalServerError, wentWrong)
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // a payload that is no JSON is made some before
		status, body = http.StatusInternalServerError, []byte(`{"Message":"`+wentWrong+`","ExceptionMessage":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who asked may have gone
}
