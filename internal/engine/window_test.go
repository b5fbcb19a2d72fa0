package engine

import (
	"math/rand/v2"
	"testing"
)

// TestWindow: the list of open slots knows what a map knows, and is not much longer.
func TestWindow(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var w window
		model := map[uint32]*Future{}
		stubborn := r.IntN(3) // slots that stay open to the end
		for slot, steps := uint32(0), 0; steps < 2000; steps++ {
			if r.IntN(2) == 0 && len(model) < 1+r.IntN(300) {
				slot += uint32(1 + r.IntN(2)) // sends and markers leave gaps
				f := &Future{slot: slot}
				w.add(f)
				model[slot] = f
				continue
			}
			for n := range model {
				if int(n) > stubborn {
					w.remove(n)
					delete(model, n)
				}
				break
			}
			probe := r.Uint32N(slot + 2)
			if got := w.at(probe); got != model[probe] {
				t.Fatalf("seed %d: slot %d is %v, want %v", seed, probe, got, model[probe])
			}
		}
		last := uint32(0)
		for _, f := range w.all() {
			if f.slot <= last && last != 0 || model[f.slot] != f {
				t.Fatalf("seed %d: all gives slot %d after %d", seed, f.slot, last)
			}
			last = f.slot
		}
		holes := 0
		for _, o := range w.slots[w.head:] {
			if o.f == nil {
				holes++
			}
		}
		if w.holes != holes {
			t.Fatalf("seed %d: %d holes are counted, there are %d", seed, w.holes, holes)
		}
		if open := len(w.all()); open != len(model) || len(w.slots)-w.head > 2*open+mostKept+1 {
			t.Fatalf("seed %d: %d open in a list of %d, want %d", seed, open, len(w.slots)-w.head, len(model))
		}
	}
}
