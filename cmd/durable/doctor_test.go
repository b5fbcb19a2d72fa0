package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// ask runs the command and checks its exit code and what it says.
func ask(t *testing.T, server string, code int, says string, args ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	got := run(t.Context(), args, func(string) string { return server }, &stdout, &stderr)
	if said := stdout.String() + stderr.String(); got != code || !strings.Contains(said, says) {
		t.Errorf("durable %v: exit code %d, want %d and %q:\n%s", args, got, code, says, said)
	}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	s, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	hub, err := s.Backend(t.Context(), natsbackend.Config{Hub: "ward", Options: []nats.Option{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hub.Close() })
	ask(t, s.URL(), exitOK, "0 found", "doctor", "--hub", "ward")
	stored := make(chan error, 1)
	ghost := backend.State{Address: history.Address{Group: "g", ID: "ghost"}, Name: "g.Ghost", Status: history.Running, Run: 1}
	hub.PutState(ghost, 0, func(_ uint64, err error) { stored <- err })
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	ask(t, s.URL(), exitProblems, "--fix would remove the state", "doctor", "--hub", "ward")
	ask(t, "", exitOK, "fixed: remove the state", "doctor", "--hub=ward", "--server", s.URL(), "--fix")
	ask(t, s.URL(), exitOK, "0 found", "doctor", "--hub", "ward")
	ask(t, s.URL(), exitProblems, "does not exist", "doctor", "--hub", "nowhere")
}

func TestUsage(t *testing.T) {
	t.Parallel()
	ask(t, "", exitOK, "doctor")
	ask(t, "", exitOK, "--fix", "doctor", "--help")
	ask(t, "", exitUsage, "--fixx", "doctor", "--fixx")
	ask(t, "", exitUsage, `"more"`, "doctor", "more")
	ask(t, "", exitUsage, "docter", "docter")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if code := run(ctx, []string{"doctor", "--server", "nats://127.0.0.1:1"}, func(string) string { return "" }, &out, &out); code != exitProblems {
		t.Errorf("exit code %d with nobody to ask: %s", code, out.String())
	}
}
