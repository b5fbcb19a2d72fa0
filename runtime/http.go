package durable

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	MaxHTTPBody         = 4 << 20          // bytes of a request's or response's body of [CallHTTP]
	DefaultPollInterval = 30 * time.Second // between two looks at an operation whose server names no Retry-After
)

// HTTPRequest is a request of [CallHTTP]. It is stored in the instance's history as it is, header and all. Secrets do not
// belong there: let the Transport of the client given to [RegisterHTTP] add them. Text and log value leave out the query,
// the values of the header and the body.
type HTTPRequest struct {
	Method  string        `json:"method,omitempty"` // "": GET
	URL     string        `json:"url"`              // http or https, with a host
	Header  http.Header   `json:"header,omitempty"`
	Body    []byte        `json:"body,omitempty"`    // at most MaxHTTPBody
	Timeout time.Duration `json:"timeout,omitempty"` // of one attempt, its body read; 0: DefaultActivityTimeout
}

// HTTPResponse is what a server answered, with any status: one of 400 and above is no error.
type HTTPResponse struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
	Body   []byte      `json:"body,omitempty"`
	URL    string      `json:"url"` // that gave the answer, after redirects
}

// String tells the request without what may be secret.
func (r HTTPRequest) String() string {
	return fmt.Sprintf("%s %s, header %v, body of %d bytes", r.method(), openURL(r.URL), slices.Sorted(maps.Keys(r.Header)), len(r.Body))
}

// LogValue implements slog.LogValuer with the text of String.
func (r HTTPRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

func (r HTTPRequest) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

// openURL gives what may be shown of a URL: no user, no query.
func openURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "a URL that cannot be read"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// HTTPOption changes one [CallHTTP]: [RetryPolicy], [PollInterval].
type HTTPOption interface{ applyHTTP(*httpOptions) }

type httpOptions struct {
	call []CallOption
	poll time.Duration
}

func (r RetryPolicy) applyHTTP(o *httpOptions) { o.call = append(o.call, r) }

// PollInterval is the time between two looks at an operation whose server does not name it. 0 keeps
// [DefaultPollInterval], less than 0 is [NoPolling].
type PollInterval time.Duration

// NoPolling makes [CallHTTP] give a 202 as it comes.
const NoPolling PollInterval = -1

func (p PollInterval) applyHTTP(o *httpOptions) {
	if p != 0 {
		o.poll = time.Duration(p)
	}
}

// CallHTTP makes a request from an orchestrator, as an activity: at least once, on any worker that has called
// [RegisterHTTP]. A request without an answer is an [*ActivityError], tried again as a [RetryPolicy] says; any answer is
// a result.
//
// An answer 202 with a Location begins an operation, as in Durable Functions: CallHTTP looks there with GET, after the
// Retry-After that the server names (seconds, or a date by ctx.Now(), at least one second) or the [PollInterval], until
// the answer is another. The header of the request goes along to the same host only. It waits as long as the server
// makes it wait: bound it with [WithTimeout]. Each look adds five messages to the history.
func CallHTTP(ctx Context, req HTTPRequest, opts ...HTTPOption) (HTTPResponse, error) {
	o := httpOptions{poll: DefaultPollInterval}
	for _, opt := range opts {
		opt.applyHTTP(&o)
	}
	if req.Timeout > 0 {
		o.call = append(o.call, Timeout(req.Timeout))
	}
	if err := req.check(); err != nil {
		return HTTPResponse{}, err
	}
	res, err := StartActivity[HTTPResponse](ctx, httpActivity, req, o.call...).Get(ctx)
	polling := false
	for err == nil && o.poll > 0 && res.Status == http.StatusAccepted {
		location := res.Header.Get("Location")
		if location == "" && !polling {
			return res, nil
		}
		if req, err = req.look(res.URL, location); err != nil {
			return res, err
		}
		polling = true
		if err = Sleep(ctx, retryAfter(res.Header.Get("Retry-After"), ctx.Now(), o.poll)); err != nil {
			return res, err
		}
		res, err = StartActivity[HTTPResponse](ctx, httpActivity, req, o.call...).Get(ctx)
	}
	return res, err
}

func (r HTTPRequest) check() error {
	if _, err := target(r.URL); err != nil {
		return err
	}
	if len(r.Body) > MaxHTTPBody {
		return fmt.Errorf("durable: HTTP request to %s: %w: its body has %d bytes, at most %d are sent", openURL(r.URL), ErrPayload, len(r.Body), MaxHTTPBody)
	}
	return nil
}

func target(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("durable: HTTP request to %s: want http:// or https:// and a host", openURL(s))
	}
	return u, nil
}

// look makes the request that asks how an operation goes on. An answer without a location leaves it where it was.
func (r HTTPRequest) look(from, location string) (HTTPRequest, error) {
	first, err := target(r.URL)
	if err != nil {
		return r, err
	}
	at, err := target(from)
	if err != nil {
		return r, err
	}
	to, err := at.Parse(location)
	if err != nil {
		return r, fmt.Errorf("durable: HTTP request to %s: its answer has a Location that cannot be read", openURL(r.URL))
	}
	if _, err := target(to.String()); err != nil {
		return r, err
	}
	next := HTTPRequest{Method: http.MethodGet, URL: to.String(), Header: r.Header.Clone(), Timeout: r.Timeout}
	if !sameHost(first, at) || !sameHost(at, to) {
		keepOpen(next.Header)
	}
	next.Header.Del("Content-Type")
	return next, nil
}

// sameHost reports whether what was sent to a may be sent to b: the same host and port, or its secure port, never less
// secure than before.
func sameHost(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if p := u.Port(); p != "" {
			return p
		}
		return map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	upgrade := a.Scheme == "http" && b.Scheme == "https" && port(a) == "80" && port(b) == "443"
	return strings.EqualFold(a.Hostname(), b.Hostname()) && (a.Scheme == b.Scheme && port(a) == port(b) || upgrade)
}

// openHeaders may be sent to any host: they say nothing about who asks.
var openHeaders = []string{"Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "User-Agent"}

// keepOpen drops every header that may hold a credential.
func keepOpen(h http.Header) {
	maps.DeleteFunc(h, func(name string, _ []string) bool {
		return !slices.Contains(openHeaders, http.CanonicalHeaderKey(name))
	})
}

const (
	leastPoll = time.Second
	mostPoll  = 365 * 24 * time.Hour
)

// retryAfter reads a Retry-After: seconds, or a date.
func retryAfter(value string, now time.Time, otherwise time.Duration) time.Duration {
	wait := otherwise
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	} else {
		return wait
	}
	return min(max(wait, leastPoll), mostPoll)
}
