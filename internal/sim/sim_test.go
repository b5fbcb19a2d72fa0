package sim

import (
	"flag"
	"testing"
	"time"
)

var (
	seeds = flag.Int("seeds", 150, "how many seeds to run")
	first = flag.Uint64("seed", 1, "the first of them")
	fresh = flag.Int("fresh", 0, "how many seeds to run that nobody has seen")
	runs  = flag.Int("runs", 300, "how many worlds may be run to shrink one that ends badly")
)

// TestEverythingEndsOnce runs random orchestrations under random misfortune.
func TestEverythingEndsOnce(t *testing.T) {
	t.Parallel()
	endsOnce(t, *seeds, setup{seed: *first})
}

// TestEverythingEndsOnceThoughKeysDiffer: some workers cannot read what others write, until the world is healed.
func TestEverythingEndsOnceThoughKeysDiffer(t *testing.T) {
	t.Parallel()
	endsOnce(t, (*seeds+1)/2, setup{seed: *first, keys: true})
}

// TestEverythingEndsOnceInFreshWorlds looks where no run before has.
func TestEverythingEndsOnceInFreshWorlds(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seeds from %d", seed)
	endsOnce(t, *fresh, setup{seed: seed})
}

// TestEverythingEndsOnceFromATinyCache: nearly every message finds its instance evicted.
func TestEverythingEndsOnceFromATinyCache(t *testing.T) {
	t.Parallel()
	endsOnce(t, (*seeds+1)/2, setup{seed: *first, tiny: true})
}

func endsOnce(t *testing.T, seeds int, s setup) {
	t.Helper()
	for range seeds {
		if _, f := simulate(s); f != nil {
			t.Fatal(shrink(s, f, *runs))
		}
		s.seed++
	}
}
