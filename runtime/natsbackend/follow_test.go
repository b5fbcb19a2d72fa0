package natsbackend_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// TestFollowThroughARestart: who follows the log hears that its consumer has gone with the server, and goes on after the
// place that it was told.
func TestFollowThroughARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, embedded.Config{Dir: dir, Listen: "127.0.0.1:0"})
	b, err := natsbackend.Connect(within(t), natsbackend.Config{URL: s.URL(), Provision: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	first := put(t, b, anna, &history.Start{Run: 1, Orchestrator: "a"})
	seen := make(chan backend.Happening, 10)
	type end struct {
		last uint64
		err  error
	}
	ends := make(chan end, 1)
	follow := func(after uint64) {
		last, err := b.FollowLog(within(t), after, func(h backend.Happening) bool { seen <- h; return h.Name != "last" })
		ends <- end{last, err}
	}
	go follow(0)
	if h := receive(t, seen); h.Seq != first || h.Name != "a" {
		t.Errorf("it tells %+v, want the start", h)
	}
	listen := strings.TrimPrefix(s.URL(), "nats://")
	s.Close()
	serve(t, embedded.Config{Dir: dir, Listen: listen})
	put(t, b, anna, &history.Event{Name: "last", ID: "1"})
	e := receive(t, ends)
	if e.last != first || !errors.Is(e.err, backend.ErrUnavailable) {
		t.Fatalf("it ends at %d with %v, want %d and that the store was away", e.last, e.err, first)
	}
	go follow(e.last)
	if h := receive(t, seen); h.Kind != history.KindEvent || h.ID != anna.ID {
		t.Errorf("it tells %+v, want the event", h)
	}
	if e := receive(t, ends); e.err != nil {
		t.Errorf("it ends with %v", e.err)
	}
}
