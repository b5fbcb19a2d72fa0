package durable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// httpActivity is what [CallHTTP] calls.
var httpActivity = &Activity{Name: "durable.HTTP", Source: "github.com/durablegen/durablegen/runtime.HTTP"}

// RegisterHTTP adds the activity durable.HTTP, which makes the requests of [CallHTTP] with client; nil is a client of its
// own. Its redirects are followed, up to what its CheckRedirect says, but to another host goes nothing of the header that
// could be a credential. A request that is no GET or HEAD gets the header Idempotency-Key, equal on every attempt, unless
// it has one. An error when the registry has it already.
func RegisterHTTP(r *Registry, client *http.Client) error {
	guarded := http.Client{}
	if client != nil {
		guarded = *client
	}
	then := guarded.CheckRedirect
	guarded.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		for _, hop := range append(via[1:len(via):len(via)], req) {
			if !sameHost(via[0].URL, hop.URL) { // also when it comes back: the other host chose where to
				keepOpen(req.Header)
			}
		}
		if then != nil {
			return then(req, via)
		}
		if len(via) >= mostRedirects {
			return fmt.Errorf("stopped after %d redirects", mostRedirects)
		}
		return nil
	}
	return r.Add(BindActivity(httpActivity, func(ctx context.Context, req HTTPRequest) (HTTPResponse, error) {
		return doHTTP(ctx, &guarded, req)
	}))
}

const mostRedirects = 10 // as net/http

func doHTTP(ctx context.Context, client *http.Client, r HTTPRequest) (HTTPResponse, error) {
	req, err := http.NewRequestWithContext(ctx, r.method(), r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return HTTPResponse{}, NonRetryable(fmt.Errorf("durable: HTTP request %s: it cannot be made: method or URL is wrong", r))
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	info, _ := InfoOf(ctx)
	if m := req.Method; m != http.MethodGet && m != http.MethodHead && req.Header.Get("Idempotency-Key") == "" && info.IdempotencyKey != "" {
		req.Header.Set("Idempotency-Key", info.IdempotencyKey)
	}
	res, err := client.Do(req)
	if err != nil {
		return HTTPResponse{}, fmt.Errorf("durable: %s %s: %w", r.method(), openURL(r.URL), withoutURL(err))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxHTTPBody+1))
	if err != nil {
		return HTTPResponse{}, fmt.Errorf("durable: %s %s: read its answer: %w", r.method(), openURL(r.URL), err)
	}
	if len(body) > MaxHTTPBody {
		return HTTPResponse{}, NonRetryable(fmt.Errorf("durable: %s %s: %w: the answer's body has more than %d bytes: fetch it in an activity that stores it elsewhere", r.method(), openURL(r.URL), ErrPayload, MaxHTTPBody))
	}
	return HTTPResponse{Status: res.StatusCode, Header: res.Header, Body: body, URL: res.Request.URL.String()}, nil
}

// withoutURL drops the URL from what net/http says: its query may hold a secret, and failures are logged.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
