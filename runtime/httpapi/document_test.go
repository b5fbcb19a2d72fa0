package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/httpapi"
)

// session is a block of docs/http-api.md: a request, header and body, and behind an empty line the answer.
var session = regexp.MustCompile("(?s)```http\n([A-Z]+) (\\S+)\n((?:[A-Za-z-]+: [^\n]*\n)*)\n(?:([^0-9\n][^\n]*)\n\n)?([0-9]{3})\n((?:[A-Za-z-]+: [^\n]*\n)*)([^\n]*)\n?```")

// TestDocument repeats the session of docs/http-api.md.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/http-api.md")
	must(t, err)
	blocks := session.FindAllStringSubmatch(string(text), -1)
	if n := strings.Count(string(text), "```http\n"); n < 8 || n != len(blocks) {
		t.Fatalf("%d blocks of HTTP, %d can be read", n, len(blocks))
	}
	inHub(t, httpapi.Config{Keys: []string{"KEY"}}, func(t *testing.T, h *hub) {
		h.work(shop()...)
		for _, b := range blocks {
			request := httptest.NewRequestWithContext(t.Context(), b[1], "http://localhost"+b[2], strings.NewReader(b[4]))
			for line := range strings.Lines(b[3]) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				request.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			h.api.ServeHTTP(w, request)
			if code := w.Result().Status[:3]; code != b[5] {
				t.Errorf("%s %s: %s, want %s", b[1], b[2], code, b[5])
			}
			for line := range strings.Lines(b[6]) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				like(t, name, value, w.Header().Get(name))
			}
			like(t, b[1]+" "+b[2], b[7], strings.ReplaceAll(w.Body.String(), `\u0026`, "&"))
			h.pass()
		}
	})
}

// like compares text with a pattern, in which … stands for anything.
func like(t *testing.T, what, pattern, got string) {
	t.Helper()
	expression := "(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), "…", ".*") + "$"
	if !regexp.MustCompile(expression).MatchString(got) {
		t.Errorf("%s gives\n%s\nwant\n%s", what, got, pattern)
	}
}

func shop() []durable.Binding {
	name := func(n string) *durable.Orchestrator {
		return &durable.Orchestrator{Name: "shop." + n, Group: "shop", Source: "example.com/shop." + n}
	}
	charge := &durable.Activity{Name: "shop.Charge", Source: "example.com/shop.Charge"}
	return []durable.Binding{
		durable.BindOrchestrator(name("Order"), func(ctx durable.Context, in struct{ Price int }) (string, error) {
			if _, err := durable.StartActivity[int](ctx, charge, in.Price).Get(ctx); err != nil {
				return "", err
			}
			ctx.SetStatus("charged")
			_, err := durable.ReceiveEvent[json.RawMessage](ctx, "Approved").Get(ctx)
			return "shipped", err
		}),
		durable.BindOrchestrator(name("Price"), func(durable.Context, string) (int, error) { return 40, nil }),
		durable.BindActivity(charge, func(_ context.Context, price int) (int, error) { return price, nil }),
	}
}

// TestReader: the configuration of the document lets the token read and not write.
func TestReader(t *testing.T) {
	key, reader := "k", "r"
	cfg := httpapi.Config{
		Keys: []string{key},
		Bearer: func(r *http.Request, token string) error {
			if token == "" || token != reader {
				return errors.New("the token is unknown or has expired")
			}
			if r.Method != http.MethodGet {
				return httpapi.ErrForbidden
			}
			return nil
		},
		Rate: 50, // requests a second
	}
	inHub(t, cfg, func(t *testing.T, h *hub) {
		row{code: 404}.check(t, h.ask("GET", webhooks+"/instances/x", "", "Authorization: Bearer r"))
		row{code: 403, answer: "~Forbidden"}.check(t, h.ask("DELETE", webhooks+"/instances/x", "", "Authorization: Bearer r"))
		row{code: 401, answer: "~has expired"}.check(t, h.ask("GET", webhooks+"/instances/x", "", "Authorization: Bearer old"))
		row{code: 404}.check(t, h.ask("DELETE", webhooks+"/instances/x", "", "x-functions-key: k"))
	})
}
