package rehearsal

import (
	"math/rand/v2"
	"testing"
)

// A decision that is turned is another one.
func TestTurnedIsAnother(t *testing.T) {
	h := &hunt{draw: rand.New(rand.NewPCG(1, 2))}
	for _, below := range []int64{2, 3, 5} {
		s := &scenario{knobs: knobs{at: map[string]int{}}}
		s.choose(int(below), "way")
		for range 20 {
			k := s.knobs.all[0]
			if to := h.turned(s, k); to.n == k.n || to.n < 0 || to.n >= below {
				t.Fatalf("one of %d is turned from %d to %d", below, k.n, to.n)
			}
		}
	}
}

func TestKnobsAbout(t *testing.T) {
	k := knobs{all: []knob{{name: "result 1.granted"}, {name: "step 3 granted"}, {name: "failure of 1 a 2"}, {name: "input .other[2]"}, {name: "input .rows[2]"}}}
	all, fields := k.about(map[string]bool{"granted": true, "a": true, "rows": true})
	if len(all) != 4 || len(fields) != 2 || fields[0].name != "result 1.granted" || fields[1].name != "input .rows[2]" {
		t.Errorf("of fields are %v, of all %v", fields, all)
	}
}
