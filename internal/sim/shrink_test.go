package sim

import (
	"fmt"
	"maps"
	"slices"
)

// shrunk is a world that still ends badly, with as little as possible happening in it.
type shrunk struct {
	setup
	name    string // of the rule that it lacks
	failure *failure
	mishaps int // in the whole world
	runs    int
}

// shrinker looks for less that fails in the same way.
type shrinker struct {
	shrunk
	left int      // runs that may still be made
	ids  []uint32 // mishaps of the least world so far, in order
}

// shrink leaves out instances, mishaps and steps of a world that ends in f, as long as it ends in the same way. It runs
// at most budget worlds.
func shrink(s setup, f *failure, budget int) *shrunk {
	x := &shrinker{shrunk: shrunk{setup: s, failure: f}, left: budget}
	if !x.try(s) { // with its mishaps by name
		x.runs = budget - x.left
		return &x.shrunk
	}
	x.mishaps = len(x.ids)
	x.instances()
	x.faults()
	x.steps()
	x.instances() // once more: one that is left without a step may be needed no longer
	x.faults()
	x.runs = budget - x.left
	return &x.shrunk
}

// try runs a world, and takes it as the least one if it fails in the same way.
func (x *shrinker) try(s setup) bool {
	if x.left <= 0 {
		return false
	}
	x.left--
	w, f := simulate(s)
	if f == nil || f.kind != x.failure.kind {
		return false
	}
	x.setup, x.failure = s, f
	x.ids = nil
	x.keep = map[uint32]bool{}
	for _, m := range w.mishaps {
		if !x.keep[m.ID] {
			x.keep[m.ID] = true
			x.ids = append(x.ids, m.ID)
		}
	}
	return true
}

// dropping is the present setup without parts of the programs.
func (x *shrinker) dropping(parts ...string) setup {
	s := x.setup
	s.drop = map[string]bool{}
	maps.Copy(s.drop, x.drop)
	for _, p := range parts {
		s.drop[p] = true
	}
	return s
}

// instances leaves out all instances that the failure does not need: all but its own at best.
func (x *shrinker) instances() {
	var others []string
	for n := range instances {
		if id := fmt.Sprint("i", n); !x.drop[id] {
			others = append(others, id)
		}
	}
	root := rootOf(x.failure.id)
	if alone := slices.DeleteFunc(slices.Clone(others), func(id string) bool { return id == root }); root != "" && x.try(x.dropping(alone...)) {
		return
	}
	for _, id := range others {
		x.try(x.dropping(id))
	}
}

// faults leaves out mishaps: halves of them, then ever smaller parts (delta debugging), and at last single ones.
func (x *shrinker) faults() {
	for size := (len(x.ids) + 1) / 2; size > 0 && x.left > 0; {
		less := false
		for at := 0; at < len(x.ids); {
			n := min(size, len(x.ids)-at)
			s := x.setup
			s.keep = maps.Clone(x.keep)
			for _, id := range x.ids[at : at+n] {
				delete(s.keep, id)
			}
			if x.try(s) {
				less = true
			} else {
				at += n
			}
		}
		switch {
		case size > 1:
			size = (size + 1) / 2
		case !less:
			size = 0
		}
	}
}

// steps leaves out steps of the programs, those of children too.
func (x *shrinker) steps() {
	w := newWorld(x.setup)
	for n := range instances {
		w.start(fmt.Sprint("i", n))
	}
	var all func(steps []step)
	all = func(steps []step) {
		for _, s := range slices.Backward(steps) {
			if !x.try(x.dropping(s.ID)) {
				all(s.Steps)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.wanted)) {
		all(w.wanted[id].program)
	}
}
