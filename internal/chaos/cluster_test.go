package chaos_test

import (
	"math/rand/v2"
	"testing"

	"github.com/durablegen/durablegen/internal/chaos/harness"
	"github.com/durablegen/durablegen/internal/natscluster"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// TestClusterUnderLoad stops the leader of the log in a cluster of three and starts it again, twice, while everything is
// stored three times.
func TestClusterUnderLoad(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 5))
	c := natscluster.Start(t)
	ledger := openLedger(t)
	load := newLoad(t, natsbackend.Config{URL: c.URLs(), Replicas: natscluster.Size}, ledger)
	work(t, connect(t, natsbackend.Config{URL: c.URLs()}), ledger)
	const few = errands / 2
	load.begin(few, atOnce)
	const all = few * harness.EffectsOfErrand
	for round := range 2 {
		at := all*(round+1)/4 + rng.IntN(all/8)
		ledger.allow(at + 100)
		ledger.reach(t, at)
		n := c.Leader(harness.LogStream)
		c.Stop(n)
		t.Logf("server %d is down", n)
		ledger.allow(at + all/8)
		ledger.reach(t, at+all/8) // two of three go on
		c.Restart(n)
		c.Current(harness.LogStream)
	}
	load.finish()
}
