package durable_test

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

// TestSavedHistory: a history in a file tells what the hub tells, has the form that is documented, keeps no secret when it is
// redacted, and can be looked at in another hub.
func TestSavedHistory(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, pay := flow("Pay"), task("Charge")
		h.work(durable.BindActivity(pay, func(_ context.Context, card string) (string, error) { return "", errors.New("secret " + card) }),
			durable.BindOrchestrator(o, func(ctx durable.Context, card string) (string, error) {
				if _, err := durable.ReceiveEvent[string](ctx, "Approved").Get(ctx); err != nil {
					return "", err
				}
				return call[string](ctx, pay, card)
			}))
		start[string](h, o, "secret 4711", durable.InstanceID("x"))
		h.pass(time.Second)
		live, err := h.client.SaveHistory(t.Context(), "x")
		must(t, err)
		must(t, h.client.Raise(t.Context(), "x", "approved", "secret yes"))
		h.pass(time.Hour)
		text, err := h.client.SaveHistory(t.Context(), "x")
		must(t, err)
		golden(t, "testdata/saved.json", text)

		want, err := h.client.History(t.Context(), "x")
		must(t, err)
		got, err := durable.ReadHistory(text)
		must(t, err)
		if diff := cmp.Diff(want.Steps, got.Steps); diff != "" || want.Summary != got.Summary {
			t.Errorf("the file tells something else (-hub +file):\n%s\n%s\n%s", diff, want.Summary, got.Summary)
		}
		redacted, err := durable.RedactHistory(text)
		must(t, err)
		if strings.Contains(string(redacted), "secret") {
			t.Errorf("redacted: %s", redacted)
		}
		if _, err := durable.ReadHistory(redacted); err != nil {
			t.Errorf("redacted: %v", err)
		}

		other := membackend.New(membackend.Config{Live: true, Partitions: 3})
		defer func() { must(t, other.Close()) }()
		c := durable.NewClient(other.View("client"), durable.ClientConfig{})
		defer func() { must(t, c.Close()) }()
		if _, err := c.ImportHistory(t.Context(), live); !errors.Is(err, durable.ErrNotFinished) {
			t.Errorf("a live one: %v", err)
		}
		if _, err := c.ImportHistory(t.Context(), []byte("{")); !errors.Is(err, durable.ErrHistory) {
			t.Errorf("no history: %v", err)
		}
		id, err := c.ImportHistory(t.Context(), text)
		must(t, err)
		there, err := c.History(t.Context(), id)
		must(t, err)
		if diff := cmp.Diff(want, there); diff != "" {
			t.Errorf("there (-here +there):\n%s", diff)
		}
		if _, err := c.ImportHistory(t.Context(), text); !errors.Is(err, durable.ErrAlreadyExists) {
			t.Errorf("again: %v", err)
		}
		if _, err := h.client.ImportHistory(t.Context(), text); !errors.Is(err, durable.ErrAlreadyExists) {
			t.Errorf("where it is from: %v", err)
		}
		if _, err := h.client.SaveHistory(t.Context(), "none"); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

// golden compares with a file: what is random is made equal before.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: it would be\n%s", err, got)
	}
	got = regexp.MustCompile(`\b[a-z2-7]{20}\b`).ReplaceAll(got, []byte("random"))
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// FuzzReadHistory: whatever a file holds, it is read or refused, and what is read is redacted.
func FuzzReadHistory(f *testing.F) {
	text, err := os.ReadFile("testdata/saved.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"group":"g","id":"i","orchestrator":"g.F","messages":[{"start":"1 g.F"},{"turn":"1-0 0 0 -","v":{"slots":[]}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := durable.ReadHistory(text); err != nil {
			if !errors.Is(err, durable.ErrHistory) {
				t.Fatal(err)
			}
			return
		}
		redacted, err := durable.RedactHistory(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := durable.ReadHistory(redacted); err != nil {
			t.Fatalf("redacted: %v\n%s", err, redacted)
		}
	})
}
