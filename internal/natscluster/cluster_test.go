package natscluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/natscluster"
)

// TestRestart: every server in turn goes and comes back; what is stored stays, and a client finds its way.
func TestRestart(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t)
	nc, err := nats.Connect(c.URLs(), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	const stream = "KEPT"
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: stream, Subjects: []string{"kept"}, Replicas: natscluster.Size}); err != nil {
		t.Fatal(err)
	}
	stopped := map[int]bool{}
	for round := range uint64(3) {
		if ack, err := js.Publish(t.Context(), "kept", nil); err != nil || ack.Sequence != round+1 {
			t.Fatalf("round %d: %+v, %v", round, ack, err)
		}
		n := c.Leader(stream)
		stopped[n] = true
		c.Stop(n)
		if c.Leader(stream) == n {
			t.Fatalf("server %d leads and is stopped", n)
		}
		c.Restart(n)
		c.Current(stream)
	}
	if len(stopped) < 2 {
		t.Errorf("only %v ever led", stopped)
	}
}

// failed is a test that has failed, and what it says.
type failed struct {
	testing.TB
	text strings.Builder
	ends []func()
}

func (f *failed) Failed() bool               { return true }
func (f *failed) Cleanup(end func())         { f.ends = append(f.ends, end) }
func (f *failed) Logf(text string, v ...any) { fmt.Fprintf(&f.text, text, v...) }

// TestTellsWhenATestFails what the servers, the clients, and the test did, and what there was in the end.
func TestTellsWhenATestFails(t *testing.T) {
	t.Parallel()
	f := &failed{TB: t}
	c := natscluster.Start(f)
	c.Note("round %d", 1)
	c.Logger("client").Debug("hello")
	c.Stop(2)
	for _, end := range f.ends {
		end()
	}
	for _, want := range []string{"s0: ", "s1: ", "s2 is stopped", "leads the cluster: ", "s1 notice Server is ready", "test round 1", "client level=DEBUG msg=hello"} {
		if !strings.Contains(f.text.String(), want) {
			t.Errorf("%q is not in what it tells:\n%s", want, f.text.String())
		}
	}
}
