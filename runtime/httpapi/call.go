package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	durable "github.com/durablegen/durablegen/runtime"
)

// origin is what is needed of a request for the links of its answer.
type origin struct {
	base string   // up to the path of the API
	self *url.URL // as it was asked for
	code string   // key that it brought
}

type originKey struct{}

func withOrigin(ctx context.Context, o origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// answerWithin bounds everything but a wait for the end of an instance and a purge of many.
const answerWithin = 20 * time.Second

// call is one request that is let in.
type call struct {
	w http.ResponseWriter
	r *http.Request

	whole context.Context // that ends only when nobody reads the answer
	q     query
	origin
	id string // of the instance, "" when the path has none
}

// serve has a call handled, and tells what is wrong.
func (a *api) serve(w http.ResponseWriter, r *http.Request, handle func(*call) error) {
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	whole := r.Context()
	r = r.WithContext(ctx)
	c := &call{w: w, r: r, whole: whole, q: queryOf(r.URL.RawQuery), id: r.PathValue("id")}
	c.origin, _ = r.Context().Value(originKey{}).(origin)
	r.Body = http.MaxBytesReader(w, r.Body, a.cfg.MaxBody)
	err := a.check(c)
	if err == nil {
		err = handle(c)
	}
	if err != nil && whole.Err() == nil { // else nobody reads it
		problemOf(err).write(w)
	}
}

// check refuses what no endpoint takes.
func (a *api) check(c *call) error {
	for _, part := range []string{c.r.PathValue("function"), c.id, c.r.PathValue("event"), c.q.text("reason")} {
		for _, template := range []string{"{functionName}", "{instanceId}", "[/{instanceId}]", "{eventName}", "{text}"} {
			if part == template {
				return incorrect(fmt.Sprintf("the placeholder %s of the link has not been replaced", template))
			}
		}
	}
	if hub := c.q.text("taskHub"); hub != "" && !strings.EqualFold(hub, a.client.Hub()) {
		return incorrect(fmt.Sprintf("this API serves the task hub %q, not %q: leave taskHub out, or ask the API of that hub", a.client.Hub(), hub))
	}
	if len(c.q.text("reason")) > durable.MaxReason {
		return incorrect(fmt.Sprintf("the reason has %d bytes, at most %d are kept", len(c.q.text("reason")), durable.MaxReason))
	}
	return nil
}

// body reads the body: JSON, or nothing.
func (c *call) body() (json.RawMessage, error) {
	text, err := io.ReadAll(c.r.Body)
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return nil, err
	case err != nil:
		return nil, &problem{status: http.StatusBadRequest, message: "The body cannot be read", detail: err.Error()}
	case len(text) == 0:
		return nil, nil
	case !utf8.Valid(text):
		return nil, &problem{status: http.StatusBadRequest, message: badJSON, detail: "the body is not UTF-8"}
	}
	var value json.RawMessage
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, &problem{status: http.StatusBadRequest, message: badJSON, detail: err.Error()}
	}
	return value, nil
}

// isJSON reports whether the request says that its body is JSON.
func (c *call) isJSON() bool {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// management is the answer to a start: where to look, and what to do with the instance.
type management struct {
	ID        string `json:"id"`
	Status    string `json:"statusQueryGetUri"`
	Raise     string `json:"sendEventPostUri"`
	Terminate string `json:"terminatePostUri"`
	Rewind    string `json:"rewindPostUri"`
	Purge     string `json:"purgeHistoryDeleteUri"`
	Restart   string `json:"restartPostUri"`
	Suspend   string `json:"suspendPostUri"`
	Resume    string `json:"resumePostUri"`
}

// accepted answers a start that is not waited for.
func (c *call) accepted(hub, id string) {
	about := "taskHub=" + url.QueryEscape(hub) + "&connection=" + url.QueryEscape(c.q.textOr("connection", "Storage"))
	if c.code != "" {
		about += "&code=" + url.QueryEscape(c.code)
	}
	at := c.base + "/instances/" + strings.ReplaceAll(url.QueryEscape(id), "+", "%20")
	m := management{
		ID: id, Status: at + "?" + about, Raise: at + "/raiseEvent/{eventName}?" + about, Purge: at + "?" + about,
		Terminate: at + "/terminate?reason={text}&" + about, Rewind: at + "/rewind?reason={text}&" + about,
		Suspend: at + "/suspend?reason={text}&" + about, Resume: at + "/resume?reason={text}&" + about, Restart: at + "/restart?" + about,
	}
	c.w.Header().Set("Location", m.Status)
	c.w.Header().Set("Retry-After", "10")
	writeJSON(c.w, http.StatusAccepted, m)
}

// self is the absolute URL of the request.
func (c *call) self() string {
	u := *c.origin.self
	base, err := url.Parse(c.base)
	if err == nil {
		u.Scheme, u.Host = base.Scheme, base.Host
	}
	return u.String()
}
