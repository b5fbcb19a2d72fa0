package main

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// TestTailGoesOn: a tail goes on when the server was away, and ends without an error when it is interrupted.
func TestTailGoesOn(t *testing.T) {
	t.Parallel()
	within, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dir, listen := t.TempDir(), "127.0.0.1:0"
	serve := func() *embedded.Server {
		s, err := embedded.Start(within, embedded.Config{Dir: dir, Listen: listen})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		listen = strings.TrimPrefix(s.URL(), "nats://")
		return s
	}
	flows := &durable.Orchestrator{Name: "flow.Wait", Group: "flow", Source: "example.com/flow.Wait"}
	start := func(s *embedded.Server, id string) {
		t.Helper()
		b, err := s.Backend(within, natsbackend.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		c := durable.NewClient(b, durable.ClientConfig{})
		defer c.Close()
		if _, err := durable.StartInstance[string](within, c, flows, "", durable.InstanceID(id)); err != nil {
			t.Fatal(err)
		}
	}
	s := serve()
	start(s, "first")

	ctx, interrupt := context.WithCancel(within)
	out, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"tail", "--after", "0", "-o", "name", "--server", s.URL(), "--no-context"}, surroundings{
			stdin: strings.NewReader(""), stdout: w, stderr: io.Discard, getenv: func(string) string { return "" },
		})
		w.Close()
	}()
	lines := bufio.NewScanner(out)
	for _, id := range []string{"first", "second"} {
		if !lines.Scan() || lines.Text() != id {
			t.Fatalf("it tells of %q, want %s", lines.Text(), id)
		}
		if id == "first" {
			s.Close()
			s = serve()
			start(s, "second")
		}
	}
	interrupt()
	if got := <-code; got != int(exit.OK) {
		t.Errorf("exit code %d when it is interrupted, want 0", got)
	}
}
