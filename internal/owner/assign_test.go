package owner

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

var assignSeed = flag.Uint64("assign", 1, "seed of the random sets of workers that partitions are assigned to")

// TestAssignIsEven: every worker owns its fair share of the partitions, rounded up or down, in whatever order the
// workers are listed, and nobody owns anything when there is nobody.
func TestAssignIsEven(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(*assignSeed, 1))
	for range 2000 {
		partitions, group := 1+rng.IntN(64), fmt.Sprint("group", rng.IntN(100))
		workers := crew(rng, rng.IntN(13))
		owners := assign(workers, group, partitions)
		rng.Shuffle(len(workers), func(i, j int) { workers[i], workers[j] = workers[j], workers[i] })
		if again := assign(workers, group, partitions); !slices.Equal(owners, again) {
			t.Fatalf("seed %d: in another order %v own %v, not %v", *assignSeed, workers, again, owners)
		}
		load := map[string]int{}
		for _, w := range owners {
			load[w]++
		}
		if len(workers) == 0 && load[""] == partitions {
			continue
		}
		for _, w := range workers {
			if n := load[w]; n != partitions/len(workers) && n != (partitions+len(workers)-1)/len(workers) {
				t.Fatalf("seed %d: %d partitions of %s among %v: %s owns %d", *assignSeed, partitions, group, workers, w, n)
			}
		}
		if load[""] > 0 {
			t.Fatalf("seed %d: %d of %d partitions have no owner among %v", *assignSeed, load[""], partitions, workers)
		}
	}
}

// TestAssignIsStable: when a worker joins or leaves, at least its share moves, and on the average no more than one and a
// half times the share and two.
func TestAssignIsStable(t *testing.T) {
	t.Parallel()
	const rounds = 300
	rng := rand.New(rand.NewPCG(*assignSeed, 2))
	for _, partitions := range []int{1, 4, 8, 16, 64} {
		for n := 1; n <= 8; n++ {
			moves, share := 0, 0
			for r := range rounds {
				group, with := fmt.Sprint("group", r), crew(rng, n+1)
				before, after := assign(with[:n], group, partitions), assign(with, group, partitions)
				for p := range before {
					if before[p] != after[p] {
						moves++
					}
					if after[p] == with[n] {
						share++
					}
				}
			}
			t.Logf("%2d partitions, %d workers and one more: %.2f move, its share is %.2f",
				partitions, n, float64(moves)/rounds, float64(share)/rounds)
			if moves < share || 2*moves > 3*share+4*rounds {
				t.Errorf("seed %d: %d partitions, from %d workers to one more or back: %d moves in %d rounds, the share is %d",
					*assignSeed, partitions, n, moves, rounds, share)
			}
		}
	}
}

func crew(rng *rand.Rand, n int) []string {
	workers := make([]string, n)
	for i := range workers {
		workers[i] = fmt.Sprintf("worker-%016x", rng.Uint64())
	}
	return workers
}
