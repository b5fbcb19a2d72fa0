package membackend

import "time"

// dice decide what goes wrong and how long things take. Every case draws from a source of its own, named by what it is
// about and by how often that came before: a case that does not come to pass leaves the others as they are.
type dice struct {
	seed uint64
	seen map[uint64]uint64 // cases of a name so far
}

// Mishap is a fault that the dice have decided on.
type Mishap struct {
	ID    uint32 // names it: the same in every run in which its case comes up
	At    time.Time
	What  string   // the kind of fault
	About []string // which view, what it does, and to whom
}

// OnMishap asks fn about every fault of Config.Faults that the dice decide on, whether it may happen; nil ends that. fn
// is called with the hub's lock: it must not use the hub.
func (m *Memory) OnMishap(fn func(Mishap) (may bool)) { m.hook(func(h *hooks) { h.mishap = fn }) }

// throw gives the random number of the next case of a name, and the name with its count.
func (d *dice) throw(what string, about []string) (random, id uint64) {
	id = hashed(offset, what)
	for _, s := range about {
		id = hashed(id, s)
	}
	n := d.seen[id] + 1
	d.seen[id] = n
	id = mixed(id + n*0x9e3779b97f4a7c15)
	return mixed(id ^ d.seed), id
}

const offset = 14695981039346656037

// hashed is FNV-1a, with an end to every string.
func hashed(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return (h ^ 0xff) * 1099511628211
}

// mixed spreads the bits of x (the end of SplitMix64).
func mixed(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// fraction is a random number from 0 to 1, without 1.
func fraction(random uint64) float64 { return float64(random>>11) / (1 << 53) }

// happens throws the dice about a fault. Lock held.
func (m *Memory) happens(rate float64, what string, about ...string) bool {
	if rate <= 0 {
		return false
	}
	random, id := m.dice.throw(what, about)
	if fraction(random) >= rate {
		return false
	}
	if m.hooks.mishap == nil {
		return true
	}
	words := make([]string, len(about)) // a copy, so that about stays on the stack of those who call in vain
	copy(words, about)
	return m.hooks.mishap(Mishap{ID: uint32(id), At: m.time(m.now()), What: what, About: words})
}

// upTo is a random duration. Lock held.
func (m *Memory) upTo(d time.Duration, what string, about ...string) time.Duration {
	if d <= 0 {
		return 0
	}
	random, _ := m.dice.throw(what, about)
	return time.Duration(fraction(random) * float64(d+1))
}

// trip is the time of one way between a view and the store. Lock held.
func (v *View) trip(what string, about ...string) time.Duration {
	d := v.m.cfg.Latency + v.slow
	if d <= 0 {
		return 0
	}
	random, _ := v.m.dice.throw(what, about)
	return time.Duration(fraction(random) * float64(d+1))
}
