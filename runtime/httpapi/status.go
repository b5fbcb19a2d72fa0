package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// status is what is told of an instance. Of the fields only the last four may be left out.
type status struct {
	Name          string          `json:"name"`
	InstanceID    string          `json:"instanceId"`
	RuntimeStatus durable.Status  `json:"runtimeStatus"`
	Input         json.RawMessage `json:"input"`
	CustomStatus  json.RawMessage `json:"customStatus"`
	Output        json.RawMessage `json:"output"`
	Created       string          `json:"createdTime"`
	Updated       string          `json:"lastUpdatedTime"`
	Version       string          `json:"version,omitempty"`
	Parked        string          `json:"parked,omitempty"` // why nobody runs it
	History       []event         `json:"historyEvents,omitzero"`
	Summary       string          `json:"summary,omitempty"`
}

func statusOf(i durable.Instance, showInput bool) status {
	s := status{
		Name: i.Name, InstanceID: i.ID, RuntimeStatus: i.Status, Version: i.Version, Parked: i.Parked,
		Input: embedded(nil), CustomStatus: embedded(i.CustomStatus), Output: embedded(i.Result),
		Created: i.Created.UTC().Format(seconds), Updated: i.Updated.UTC().Format(seconds),
	}
	if showInput {
		s.Input = embedded(i.Input)
	}
	if i.Status.Final() && i.Status != durable.Completed {
		s.Output = asJSON(i.Failure)
	}
	return s
}

const seconds = "2006-01-02T15:04:05Z"

// embedded is a payload within JSON.
func embedded(payload []byte) json.RawMessage {
	switch {
	case len(payload) == 0:
		return json.RawMessage("null")
	case json.Valid(payload):
		return payload
	}
	return asJSON(string(payload))
}

// asJSON is text as it stands when it is JSON, else as a JSON string.
func asJSON(text string) json.RawMessage {
	if strings.TrimSpace(text) == "" {
		return json.RawMessage(`""`)
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text) // a string always has a JSON form
	return quoted
}

// status tells of an instance.
func (a *api) status(c *call) error {
	if history.CheckID(c.id) != nil {
		return durable.ErrNotFound
	}
	showInput, showHistory := c.q.flag("showInput", true), c.q.flag("showHistory", false)
	inst, err := a.client.Get(c.r.Context(), c.id)
	if err != nil {
		return err
	}
	s := statusOf(inst, showInput)
	if showHistory || c.q.flag("showSummary", false) || inst.Status == durable.Suspended {
		h, err := a.client.History(c.r.Context(), c.id)
		if err != nil {
			return err
		}
		s = statusOf(h.Instance, showInput)
		if h.Instance.Status == durable.Suspended {
			s.Output = asJSON(h.SuspendedFor)
		}
		if showHistory && h.Instance.Status != durable.Pending {
			s.History = events(h.Steps, showInput, c.q.flag("showHistoryOutput", false))
		}
		if c.q.flag("showSummary", false) {
			s.Summary = h.Summary
		}
	}
	return a.tell(c, s)
}

// tell answers with a status, and the code that goes with it.
func (a *api) tell(c *call, s status) error {
	code := http.StatusOK
	switch {
	case !s.RuntimeStatus.Final():
		code = http.StatusAccepted
		c.w.Header().Set("Location", c.self())
		c.w.Header().Set("Retry-After", "5")
	case s.RuntimeStatus == durable.Failed && c.q.flag("returnInternalServerErrorOnFailure", false):
		code = http.StatusInternalServerError
	}
	writeJSON(c.w, code, s)
	return nil
}

const (
	tokenHeader = "x-ms-continuation-token"
	defaultPage = 100
	longestPage = 1000
	readers     = 8 // instances of a page that are read at once
)

// list tells of a page of instances.
func (a *api) list(c *call) error {
	f, err := c.q.filter()
	if err != nil {
		return err
	}
	f.Limit = defaultPage
	if top := c.q.number("top"); top > 0 {
		f.Limit = min(top, longestPage)
	}
	page, next, err := a.client.ListPage(c.r.Context(), f, c.r.Header.Get(tokenHeader))
	if err != nil {
		return err
	}
	if err := a.fill(c, page); err != nil {
		return err
	}
	all := make([]status, len(page))
	for n, inst := range page {
		all[n] = statusOf(inst, c.q.flag("showInput", true))
	}
	c.w.Header().Set(tokenHeader, next)
	writeJSON(c.w, http.StatusOK, all)
	return nil
}

// fill reads inputs and results, which a list of the client leaves out. One that has gone meanwhile stays as it was; so
// does one that this program cannot decode.
func (a *api) fill(c *call, page []durable.Instance) error {
	var wg sync.WaitGroup
	errs := make([]error, len(page))
	turns := make(chan struct{}, readers)
	for n := range page {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			inst, err := a.client.Get(c.r.Context(), page[n].ID)
			switch {
			case err == nil:
				page[n] = inst
			case !errors.Is(err, durable.ErrNotFound) && !errors.Is(err, durable.ErrCodec):
				errs[n] = err
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// time7 is a time with up to seven digits behind the second, as .NET writes it.
func time7(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.9999999Z") }
