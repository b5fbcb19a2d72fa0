package durable_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// web answers requests without a socket, which a bubble cannot have, and notes them.
type web struct {
	notes
	t      *testing.T
	begin  time.Time
	answer func(n int, r *http.Request) (*http.Response, error) // n from 0
	keys   []string                                             // Idempotency-Key of each request
}

// RoundTrip notes the second, the request, and the values of its header that are secrets.
func (w *web) RoundTrip(r *http.Request) (*http.Response, error) {
	n := len(w.all())
	note := fmt.Sprintf("%d %s %s", int(time.Since(w.begin)/time.Second), r.Method, r.URL)
	for _, name := range []string{"Authorization", "Cookie", "X-Api-Key", "Accept", "Referer"} {
		if v := r.Header.Get(name); v != "" {
			note += " " + v
		}
	}
	w.addf("%s", note)
	w.keys = append(w.keys, r.Header.Get("Idempotency-Key"))
	res, err := w.answer(n, r)
	if res != nil {
		res.Request = r
	}
	return res, err
}

func reply(status int, body string, header ...string) (*http.Response, error) {
	h := http.Header{}
	for n := 0; n < len(header); n += 2 {
		h.Set(header[n], header[n+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
}

var secrets = http.Header{"Authorization": {"auth"}, "Cookie": {"cookie"}, "X-Api-Key": {"key"}, "Accept": {"text"}}

// browse makes a request in an orchestration and gives what came of it.
func browse(h *hub, w *web, req durable.HTTPRequest, opts ...durable.HTTPOption) (string, error) {
	o := flow("Browse")
	r := registry(h.t, durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
		res, err := durable.CallHTTP(ctx, req, opts...)
		return fmt.Sprintf("%d %s %s", res.Status, res.URL, res.Body), err
	}))
	must(h.t, durable.RegisterHTTP(r, &http.Client{Transport: w}))
	worker := durable.NewWorker(h.m.View("worker"), r, durable.WorkerConfig{})
	must(h.t, worker.Start(h.t.Context()))
	h.t.Cleanup(func() { h.stop(worker) })
	w.t, w.begin = h.t, time.Now()
	return start[string](h, o, nil).Wait(h.t.Context())
}

func TestHTTP(t *testing.T) {
	get := durable.HTTPRequest{URL: "https://a.example/job", Header: secrets}
	const all = " auth cookie key text"
	for _, c := range []struct {
		name   string
		req    durable.HTTPRequest
		opts   []durable.HTTPOption
		answer func(n int, r *http.Request) (*http.Response, error)
		want   string
		saw    []string
	}{
		{"the answer comes back, whatever its status", get, nil, func(int, *http.Request) (*http.Response, error) {
			return reply(404, "nothing here")
		}, "404 https://a.example/job nothing here", []string{"0 GET https://a.example/job" + all}},
		{"method and body go out", durable.HTTPRequest{Method: "PUT", URL: "http://a.example", Body: []byte("hello")}, nil, func(_ int, r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			return reply(200, string(body))
		}, "200 http://a.example hello", []string{"0 PUT http://a.example"}},
		{"an operation is looked at where and when the server says", durable.HTTPRequest{Method: "POST", URL: "https://a.example/job?id=1", Header: secrets}, nil, func(n int, r *http.Request) (*http.Response, error) {
			switch n {
			case 0:
				return reply(202, "", "Location", "state/1", "Retry-After", "120")
			case 1: // a date, an hour from now
				return reply(202, "", "Location", "/state/2", "Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
			case 2: // still there, and no time: the default
				return reply(202, "")
			case 3: // at once is not at once
				return reply(202, "", "Retry-After", "0")
			}
			return reply(200, "done")
		}, "200 https://a.example/state/2 done", []string{
			"0 POST https://a.example/job?id=1" + all, "120 GET https://a.example/state/1" + all, "3720 GET https://a.example/state/2" + all,
			"3750 GET https://a.example/state/2" + all, "3751 GET https://a.example/state/2" + all,
		}},
		{"its own interval", get, []durable.HTTPOption{durable.PollInterval(5 * time.Second)}, func(n int, r *http.Request) (*http.Response, error) {
			if n == 0 {
				return reply(202, "", "Location", "/state", "Retry-After", "soon")
			}
			return reply(200, "done")
		}, "200 https://a.example/state done", []string{"0 GET https://a.example/job" + all, "5 GET https://a.example/state" + all}},
		{"no polling", get, []durable.HTTPOption{durable.NoPolling}, func(int, *http.Request) (*http.Response, error) {
			return reply(202, "later", "Location", "/state")
		}, "202 https://a.example/job later", []string{"0 GET https://a.example/job" + all}},
		{"nowhere to look", get, nil, func(int, *http.Request) (*http.Response, error) { return reply(202, "thanks") },
			"202 https://a.example/job thanks", []string{"0 GET https://a.example/job" + all}},
		{"no secret goes to another host that is to be polled", get, nil, func(n int, _ *http.Request) (*http.Response, error) {
			if n == 0 {
				return reply(202, "", "Location", "https://b.example/state", "Retry-After", "1")
			}
			return reply(200, "done")
		}, "200 https://b.example/state done", []string{"0 GET https://a.example/job" + all, "1 GET https://b.example/state text"}},
		{"no secret goes to a less secure port", get, nil, func(n int, _ *http.Request) (*http.Response, error) {
			if n == 0 {
				return reply(202, "", "Location", "http://a.example:443/state", "Retry-After", "1")
			}
			return reply(200, "done")
		}, "200 http://a.example:443/state done", []string{"0 GET https://a.example/job" + all, "1 GET http://a.example:443/state text"}},
		{"no secret goes where a redirect to another host leads, not even back", get, nil, func(n int, _ *http.Request) (*http.Response, error) {
			switch n {
			case 0:
				return reply(302, "", "Location", "/moved")
			case 1:
				return reply(302, "", "Location", "https://sub.a.example/")
			case 2:
				return reply(302, "", "Location", "https://a.example/trap")
			}
			return reply(200, "done")
		}, "200 https://a.example/trap done", []string{
			"0 GET https://a.example/job" + all, "0 GET https://a.example/moved" + all + " https://a.example/job",
			"0 GET https://sub.a.example/ text", "0 GET https://a.example/trap text",
		}},
		{"no secret goes to the operation of another host that took over", get, nil, func(n int, _ *http.Request) (*http.Response, error) {
			switch n {
			case 0:
				return reply(307, "", "Location", "https://b.example/job")
			case 1:
				return reply(202, "", "Location", "/state", "Retry-After", "1")
			}
			return reply(200, "done")
		}, "200 https://b.example/state done", []string{
			"0 GET https://a.example/job" + all, "0 GET https://b.example/job text", "1 GET https://b.example/state text",
		}},
		{"a redirect to the secure port keeps them", durable.HTTPRequest{URL: "http://a.example/job", Header: http.Header{"X-Api-Key": {"key"}}}, nil, func(n int, _ *http.Request) (*http.Response, error) {
			if n == 0 {
				return reply(301, "", "Location", "https://A.example/job")
			}
			return reply(200, "done")
		}, "200 https://A.example/job done", []string{"0 GET http://a.example/job key", "0 GET https://A.example/job key http://a.example/job"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				w := &web{answer: c.answer}
				got, err := browse(h, w, c.req, c.opts...)
				must(t, err)
				if got != c.want {
					t.Errorf("it gives %q, want %q", got, c.want)
				}
				if diff := cmp.Diff(c.saw, w.all()); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestHTTPFails: what has no answer is an error that shows no secret; a policy tries again, with the same key.
func TestHTTPFails(t *testing.T) {
	long := strings.Repeat("x", durable.MaxHTTPBody+1)
	three := durable.RetryPolicy{Attempts: 3, First: time.Second}
	for _, c := range []struct {
		name   string
		req    durable.HTTPRequest
		opts   []durable.HTTPOption
		answer func(n int, r *http.Request) (*http.Response, error)
		asked  int
		says   []string
	}{
		{"no answer", durable.HTTPRequest{Method: "POST", URL: "https://me:pass@a.example/job?token=hidden"}, []durable.HTTPOption{three}, func(int, *http.Request) (*http.Response, error) {
			return nil, errors.New("no route")
		}, 3, []string{"attempt 3", "POST https://a.example/job", "no route"}},
		{"an answer that is too long", durable.HTTPRequest{URL: "https://a.example"}, []durable.HTTPOption{three}, func(int, *http.Request) (*http.Response, error) {
			return reply(200, long)
		}, 1, []string{"more than 4194304 bytes"}},
		{"a body that is too long", durable.HTTPRequest{URL: "https://a.example", Body: []byte(long)}, nil, nil, 0, []string{"4194305 bytes"}},
		{"no host", durable.HTTPRequest{URL: "/job?hidden"}, nil, nil, 0, []string{"/job", "want http:// or https://"}},
		{"no method", durable.HTTPRequest{URL: "https://a.example", Method: "BAD METHOD"}, []durable.HTTPOption{three}, nil, 0, []string{"BAD METHOD"}},
		{"redirected in a circle", durable.HTTPRequest{URL: "https://a.example"}, nil, func(int, *http.Request) (*http.Response, error) {
			return reply(302, "", "Location", "/?hidden")
		}, 10, []string{"10 redirects"}},
		{"too slow", durable.HTTPRequest{URL: "https://a.example", Timeout: time.Minute}, nil, func(_ int, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, 1, []string{"deadline"}},
		{"a place to look that is none", durable.HTTPRequest{URL: "https://a.example"}, nil, func(int, *http.Request) (*http.Response, error) {
			return reply(202, "", "Location", "mailto:hidden")
		}, 1, []string{"want http:// or https://"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				w := &web{answer: c.answer}
				_, err := browse(h, w, c.req, c.opts...)
				says(t, err, c.says...)
				for _, secret := range []string{"hidden", "pass"} {
					if err != nil && strings.Contains(err.Error(), secret) {
						t.Errorf("%q tells a secret", err)
					}
				}
				if n := len(w.all()); n != c.asked {
					t.Errorf("asked %d times, want %d", n, c.asked)
				}
				for n, key := range w.keys {
					if c.req.Method == "POST" && (key == "" || key != w.keys[0]) {
						t.Errorf("request %d has idempotency key %q, the first %q", n, key, w.keys[0])
					}
				}
			})
		})
	}
}

// TestHTTPRequestKeepsSecrets: who prints or logs a request does not tell them.
func TestHTTPRequestKeepsSecrets(t *testing.T) {
	t.Parallel()
	r := durable.HTTPRequest{URL: "https://me:hidden@a.example/job?hidden", Header: http.Header{"X-Api-Key": {"hidden"}}, Body: []byte("hidden")}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("asked", "request", r)
	for _, text := range []string{r.String(), fmt.Sprintf("%+v", struct{ R durable.HTTPRequest }{r}), log.String()} {
		if strings.Contains(text, "hidden") || !strings.Contains(text, "GET https://a.example/job, header [X-Api-Key], body of 6 bytes") {
			t.Errorf("it tells %s", text)
		}
	}
}

// TestRegisterHTTPOnce: a second client would have to be chosen from.
func TestRegisterHTTPOnce(t *testing.T) {
	t.Parallel()
	var r durable.Registry
	must(t, durable.RegisterHTTP(&r, nil))
	says(t, durable.RegisterHTTP(&r, nil), "durable.HTTP", "taken twice")
}
