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

// TestReadsWithoutALeader: reads that are asked for at once are given up at once, however many they are. One after the other these
// would take minutes.
func TestReadsWithoutALeader(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t)
	b := member(t, c, "b", natsbackend.Impatient(natsbackend.Config{URL: c.URLs(), Provision: true, Replicas: natscluster.Size}, time.Second))
	var seqs []uint64
	for n := range 200 {
		seq, err := putState(t, b, backend.State{Address: history.Address{Group: "g", ID: fmt.Sprint(n)}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, seq)
	}
	if err := b.GetStates(seqs); err != nil {
		t.Fatal(err)
	}
	leader := c.Leader("KV_durable_default_instances")
	c.Stop(leader) // first: a leader that is left alone knows it only after some seconds
	c.Stop((leader + 1) % natscluster.Size)
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
