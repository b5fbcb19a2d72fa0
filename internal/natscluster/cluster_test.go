package natscluster_test

import (
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
