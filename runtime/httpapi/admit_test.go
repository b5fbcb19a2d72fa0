package httpapi_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/runtime/httpapi"
)

func TestAuthorisation(t *testing.T) {
	keys := httpapi.Config{Keys: []string{"old", "new"}}
	tokens := httpapi.Config{Bearer: func(r *http.Request, token string) error {
		switch {
		case token == "expired":
			return errors.New("the token has expired")
		case token == "reader" && r.Method != http.MethodGet:
			return httpapi.ErrForbidden
		}
		return nil
	}}
	either := httpapi.Config{Keys: keys.Keys, Bearer: tokens.Bearer}
	for name, test := range map[string]struct {
		cfg     httpapi.Config
		request string
		header  string
		row     row
	}{
		"open":                  {httpapi.Config{}, "GET /instances/x", "", row{code: 404}},
		"no key":                {keys, "GET /instances/x", "", row{code: 401, answer: `~"Message":"Not authorised"…x-functions-key`}},
		"wrong key":             {keys, "GET /instances/x?code=bad", "", row{code: 401, answer: `~no valid key`}},
		"empty key":             {keys, "GET /instances/x?code=", "x-functions-key: ", row{code: 401, answer: `~no valid key`}},
		"key in the URL":        {keys, "GET /instances/x?CODE=old", "", row{code: 404}},
		"key in a header":       {keys, "GET /instances/x", "x-functions-key: new", row{code: 404}},
		"a token opens no keys": {keys, "GET /instances/x", "Authorization: Bearer good", row{code: 401, answer: "~no valid key"}},
		"unknown route, no key": {keys, "GET /x", "", row{code: 401, answer: "~Not authorised"}},
		"links carry the key":   {keys, "POST /orchestrators/flow.Echo/x", "x-functions-key: new", row{code: 202, answer: `~\u0026code=new"`}},
		"token":                 {tokens, "GET /instances/x", "Authorization: bearer good", row{code: 404}},
		"no token":              {tokens, "GET /instances/x", "", row{code: 401, answer: "~no token", headers: "WWW-Authenticate: Bearer"}},
		"another scheme":        {tokens, "GET /instances/x", "Authorization: Basic good", row{code: 401, answer: "~no token"}},
		"expired":               {tokens, "GET /instances/x", "Authorization: Bearer expired", row{code: 401, answer: "~the token has expired"}},
		"may read":              {tokens, "GET /instances/x", "Authorization: Bearer reader", row{code: 404}},
		"may not write":         {tokens, "POST /instances/x/terminate", "Authorization: Bearer reader", row{code: 403, answer: "~Forbidden"}},
		"links carry no token":  {tokens, "POST /orchestrators/flow.Echo/x", "Authorization: Bearer good", row{code: 202, answer: `~connection=Storage"`}},
		"either: token":         {either, "GET /instances/x", "Authorization: Bearer good", row{code: 404}},
		"either: key":           {either, "GET /instances/x?code=old", "", row{code: 404}},
		"either: none":          {either, "GET /instances/x", "", row{code: 401, answer: "~no valid key", headers: "WWW-Authenticate: Bearer"}},
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, test.cfg, func(t *testing.T, h *hub) {
				method, path, _ := strings.Cut(test.request, " ")
				test.row.check(t, h.ask(method, webhooks+path, "", strings.Split(test.header, "\n")...))
				h.pass()
			})
		})
	}
}

// TestOrigins: pages of other origins neither see answers nor change anything, unless they are named.
func TestOrigins(t *testing.T) {
	open := httpapi.Config{Origins: []string{"https://ok.example"}}
	preflight := []string{"Origin: https://ok.example", "Access-Control-Request-Method: POST"}
	for name, test := range map[string]struct {
		cfg    httpapi.Config
		method string
		header []string
		row    row
	}{
		"no page":             {httpapi.Config{}, "POST", nil, row{code: 404}},
		"a page reads":        {httpapi.Config{}, "GET", []string{"Origin: https://ok.example", "Sec-Fetch-Site: cross-site"}, row{code: 404, headers: "Access-Control-Allow-Origin: "}},
		"a page writes":       {httpapi.Config{}, "POST", []string{"Origin: https://ok.example", "Sec-Fetch-Site: cross-site"}, row{code: 403, answer: "~A page of another origin"}},
		"a page deletes":      {httpapi.Config{}, "DELETE", []string{"Origin: https://ok.example"}, row{code: 403, answer: "~A page of another origin"}},
		"asks beforehand":     {httpapi.Config{}, "OPTIONS", preflight, row{code: 404, headers: "Access-Control-Allow-Origin: "}},
		"its own page writes": {httpapi.Config{}, "POST", []string{"Origin: http://club.example:7071"}, row{code: 404}},
		"named, reads":        {open, "GET", []string{"Origin: https://ok.example"}, row{code: 404, headers: "Access-Control-Allow-Origin: https://ok.example; Vary: Origin"}},
		"named, writes":       {open, "POST", []string{"Origin: https://ok.example", "Sec-Fetch-Site: cross-site"}, row{code: 404, headers: "Access-Control-Allow-Origin: https://ok.example"}},
		"named, beforehand":   {open, "OPTIONS", preflight, row{code: 204, headers: "Access-Control-Allow-Methods: GET, POST, DELETE"}},
		"another, writes":     {open, "POST", []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, row{code: 403, answer: "~A page of another origin", headers: "Access-Control-Allow-Origin: "}},
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, test.cfg, func(t *testing.T, h *hub) {
				path := map[bool]string{true: "/instances/x", false: "/instances/x/terminate"}[test.method == "GET" || test.method == "DELETE"]
				test.row.check(t, h.ask(test.method, webhooks+path, "", test.header...))
			})
		})
	}
}

func TestOriginThatIsNone(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("New takes an origin that is none")
		}
	}()
	httpapi.New(nil, httpapi.Config{Origins: []string{"*"}})
}

// TestRate: authorised requests are counted, refused ones are not.
func TestRate(t *testing.T) {
	inHub(t, httpapi.Config{Rate: 0.5, Burst: 2, Keys: []string{"k"}}, func(t *testing.T, h *hub) {
		ask := func(key string) int { return h.ask("GET", webhooks+"/instances/x", "", "x-functions-key: "+key).Code }
		for n, want := range []int{404, 401, 404, 429, 401} {
			if got := ask([]string{"k", "bad", "k", "k", "bad"}[n]); got != want {
				t.Errorf("request %d gives %d, want %d", n+1, got, want)
			}
		}
		row{code: 429, answer: "~Too many requests", headers: "Retry-After: 1"}.check(t, h.ask("GET", webhooks+"/instances/x", "", "x-functions-key: k"))
		h.pass()
		if got := ask("k"); got != 404 {
			t.Errorf("two seconds later: %d, want 404", got)
		}
	})
}

// TestBaseURL: behind a proxy the links lead to the proxy.
func TestBaseURL(t *testing.T) {
	inHub(t, httpapi.Config{BaseURL: "https://club.example.org/"}, func(t *testing.T, h *hub) {
		at := "https://club.example.org" + webhooks + "/instances/x"
		row{code: 202, answer: "~" + at, headers: "Location: " + at + "?taskHub=club&connection=Storage"}.check(t, h.ask("POST", webhooks+"/orchestrators/flow.Wait/x", ""))
		row{code: 202, answer: "~", headers: "Location: " + at + "?showInput=false"}.check(t, h.ask("GET", webhooks+"/instances/x?showInput=false", ""))
	})
}

// TestHubIsAway: what cannot be answered is 503, says so and when to ask again, and does not keep who asks for ever.
func TestHubIsAway(t *testing.T) {
	inHub(t, httpapi.Config{}, func(t *testing.T, h *hub) {
		h.view.Pause(time.Hour)
		begin := time.Now()
		row{code: 503, answer: "~in time", headers: "Retry-After: 5"}.check(t, h.ask("GET", webhooks+"/instances/x", ""))
		if took := time.Since(begin); took != 20*time.Second {
			t.Errorf("an answer took %v, want 20 s", took)
		}
		h.view.Resume()
		h.view.Disconnect()
		for _, request := range []string{"GET /instances/x", "POST /instances/x/terminate", "POST /orchestrators/flow.Echo/x", "DELETE /instances/x", "POST /instances/x/restart"} {
			method, path, _ := strings.Cut(request, " ")
			begin := time.Now()
			got := h.ask(method, webhooks+path, "")
			row{code: got.Code, answer: "~may have happened"}.check(t, got)
			if took := time.Since(begin); got.Code != 503 || got.Header().Get("Retry-After") != "5" || took > 21*time.Second {
				t.Errorf("%s gives %d after %v", request, got.Code, took)
			}
		}
		h.view.Reconnect()
		must(t, h.client.Close())
		row{code: 503, answer: "~may have happened…closed", headers: "Retry-After: 5"}.check(t, h.ask("POST", webhooks+"/orchestrators/flow.Echo/x", ""))
	})
}

// TestReasonInJSON: a reason that is JSON is told as such, any other as a string.
func TestReasonInJSON(t *testing.T) {
	inHub(t, httpapi.Config{}, func(t *testing.T, h *hub) {
		h.populate()
		h.ask("POST", webhooks+"/instances/running/terminate?reason=%7B%22a%22%3A1%7D", "")
		h.ask("POST", webhooks+"/instances/a%20b%2Fc/terminate?reason=%7B", "")
		h.pass()
		row{code: 200, answer: `~"output":{"a":1}`}.check(t, h.ask("GET", webhooks+"/instances/running", ""))
		row{code: 200, answer: `~"output":"{"`}.check(t, h.ask("GET", webhooks+"/instances/a%20b%2Fc", ""))
	})
}

// TestElsewhere: what is not below a prefix is not served.
func TestElsewhere(t *testing.T) {
	inHub(t, httpapi.Config{}, func(t *testing.T, h *hub) {
		for path, want := range map[string]int{
			"/": 404, "/instances": 404, "/runtime/webhooks/durabletask": 404, "/durabletaskinstances": 404,
			"/Runtime/WebHooks/DurableTask/instances": 200, "/durabletask/instances": 200,
		} {
			if got := h.ask("GET", path, "").Code; got != want {
				t.Errorf("%s gives %d, want %d", path, got, want)
			}
		}
	})
}
