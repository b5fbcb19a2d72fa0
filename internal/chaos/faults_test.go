package chaos_test

import (
	"testing"

	"github.com/durablegen/durablegen/internal/chaos/harness"
)

// TestFaults is a short form of bench/chaos: a few of its faults, on a cluster of three server processes, with little load.
func TestFaults(t *testing.T) {
	for _, f := range harness.Faults {
		switch f.Name {
		case "kill-leader", "freeze-worker":
		default:
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			r := harness.Try(t.Context(), harness.Config{Seed: *seed, Calm: 12, AtOnce: 16, Log: t.Logf}, f)
			if r.Err != nil {
				t.Errorf("seed %d: %v", *seed, r.Err)
			}
			t.Logf("%d errands, the longest silence of the hub %v, of a partition %v", r.Errands, r.Silence.Hub, r.Silence.Partition)
		})
	}
}
