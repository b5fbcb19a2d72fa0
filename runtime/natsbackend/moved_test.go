package natsbackend

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// TestTheTailShowsThatHistoryMoved: between the reads of a load another run or execution may begin; then it starts over.
func TestTheTailShowsThatHistoryMoved(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	b, err := Connect(ctx, Config{URL: s.ClientURL(), Provision: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	base := &history.End{Status: history.ContinuedAsNew, Base: &history.Base{Start: history.Start{Run: 1, Orchestrator: "o"}}}
	for _, c := range []struct {
		name  string
		then  history.Record
		moved bool
	}{
		{"another run", &history.Start{Run: 2, Orchestrator: "o"}, true},
		{"another execution", &history.Turn{Run: 1, At: 1, End: base}, true},
		{"the same start again", &history.Start{Run: 1, Orchestrator: "o"}, false},
		{"an ordinary turn", &history.Turn{Run: 1, At: 1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := history.Address{Group: "g", ID: c.name}
			put := func(r history.Record) {
				done := make(chan error, 1)
				b.Append(backend.Append{To: of, Record: r}, func(_ uint64, err error) { done <- err })
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
			put(&history.Start{Run: 1, Orchestrator: "o"})
			l, moved, err := b.loadOnce(of)
			if err != nil || moved || len(l.Tail) != 0 {
				t.Fatalf("before: %d messages, moved %v, %v", len(l.Tail), moved, err)
			}
			put(c.then)
			if moved, err := b.tail(&l, b.names.instance(of), l.Start.Seq+1, false); err != nil || moved != c.moved {
				t.Errorf("moved %v, %v", moved, err)
			}
			again, err := b.load(of)
			if err != nil {
				t.Fatal(err)
			}
			if r, ok := c.then.(*history.Start); ok && again.Start.Record.(*history.Start).Run != r.Run {
				t.Errorf("the load begins at run %d", again.Start.Record.(*history.Start).Run)
			}
		})
	}
}
