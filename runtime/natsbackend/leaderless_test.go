package natsbackend_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/natscluster"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// TestReadsWithoutALeader: reads that are asked for at once are given up at once, however many they are. It takes the half minute
// after which a read is given up; one after the other they would take four minutes.
func TestReadsWithoutALeader(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t)
	b := member(t, c, "b", natsbackend.Config{URL: c.URL(2), Provision: true, Replicas: natscluster.Size})
	var seqs []uint64
	for n := range 8 {
		seq, err := putState(t, b, backend.State{Address: history.Address{Group: "g", ID: fmt.Sprint(n)}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, seq)
	}
	if err := b.GetStates(seqs); err != nil {
		t.Fatal(err)
	}
	c.Stop(0)
	c.Stop(1)
	c.Leaderless("KV_durable_default_instances")
	answer := make(chan error, 1)
	go func() { answer <- b.GetStates(seqs) }()
	select {
	case err := <-answer:
		if !errors.Is(err, backend.ErrUnavailable) {
			t.Errorf("without a leader: %v, want unavailable", err)
		}
	case <-time.After(4 * patience):
		t.Fatal("the reads have not been given up")
	}
}
