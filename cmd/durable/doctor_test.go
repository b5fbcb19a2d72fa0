package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// ask runs the command and checks its exit code and what it says.
func ask(t *testing.T, server string, code exit.Code, says string, args ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	got := run(t.Context(), append(args, "--no-context"), surroundings{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		getenv: func(name string) string { return map[string]string{"NATS_URL": server}[name] },
	})
	if said := stdout.String() + stderr.String(); got != int(code) || !strings.Contains(said, says) {
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
	ask(t, s.URL(), exit.OK, "0 found", "doctor", "--hub", "ward")
	stored := make(chan error, 1)
	ghost := backend.State{Address: history.Address{Group: "g", ID: "ghost"}, Name: "g.Ghost", Status: history.Running, Run: 1}
	hub.PutState(ghost, 0, func(_ uint64, err error) { stored <- err })
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	ask(t, s.URL(), exit.Error, "--fix would remove the state", "doctor", "--hub", "ward")
	ask(t, "", exit.OK, "fixed: remove the state", "doctor", "--hub=ward", "--server", s.URL(), "--fix")
	ask(t, s.URL(), exit.OK, "0 found", "doctor", "--hub", "ward")
	ask(t, s.URL(), exit.NotFound, "there is no hub nowhere", "doctor", "--hub", "nowhere")
}

func TestUsage(t *testing.T) {
	t.Parallel()
	ask(t, "", exit.OK, "doctor")
	ask(t, "", exit.OK, "--fix", "doctor", "--help")
	ask(t, "", exit.Usage, "--fixx", "doctor", "--fixx")
	ask(t, "", exit.Usage, `"more"`, "doctor", "more")
	ask(t, "", exit.Usage, "docter", "docter")
	ask(t, "", exit.Refused, "is a NATS server", "doctor", "--server", "nats://127.0.0.1:1")
}
