package rehearsal

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// target is a step that scenarios have to come to, with what an arrival brings if there is one. Where every way has been taken
// by some scenario, no fork tells how near others have come: the steps that are left do.
type target struct {
	*program
	n, number int    // number is -1 if there is no arrival
	lacks     []lack // for which it is one
	far       []int  // by node: how many steps it is to n, -1 if no way leads there

	near    int    // in this scenario: how near it has come
	nearest int    // the node where it was then
	times   int    // and how often, which may be what has to change before it can come nearer
	knobs   int    // that were asked for before it did so for the last time
	best    [2]int // how near any scenario has come, and how often, below 0
	samples []targeted
	runs    int // that were made for it
}

// targeted is a scenario that has come near to a target.
type targeted struct {
	base
	nearest, knobs int
}

const (
	mostTargets = 12 // at a time
	unreached   = 1 << 30
)

// aim chooses targets among what is missing: of the old program, if anything of it is.
func (x *pair) aim() (targets []*target) {
	for _, s := range []*side{x.old, x.now} {
		s.each(func(p *program) { p.targets = nil })
	}
	for _, l := range x.lacks {
		if l.n < 0 || l.v >= 0 && l.p.flow.Nodes[l.n].Kind != shape.Go || !l.missing() || l.p.slots[l.n] > 0 && l.number < 0 {
			continue
		}
		if len(targets) > 0 && l.p.side != targets[0].side {
			break
		}
		at := aimed{l.p, l.n, l.number}
		if x.targets[at] == nil {
			x.targets[at] = &target{program: l.p, n: l.n, number: l.number, far: l.p.distances(l.n), best: [2]int{unreached}}
		}
		t := x.targets[at]
		if slices.Contains(targets, t) {
			t.lacks = append(t.lacks, l)
			continue
		}
		t.lacks = []lack{l}
		targets = append(targets, t)
	}
	slices.SortStableFunc(targets, func(a, b *target) int { return a.runs - b.runs })
	targets = targets[:min(mostTargets, len(targets))]
	for _, t := range targets {
		t.program.targets = append(t.program.targets, t)
	}
	return targets
}

// aimed names a target.
type aimed struct {
	p         *program
	n, number int
}

// distances are how many steps it is from each node to one of them.
func (p *program) distances(to int) []int {
	far := make([]int, len(p.flow.Nodes))
	for n := range far {
		far[n] = -1
	}
	far[to] = 0
	for open := []int{to}; len(open) > 0; open = open[1:] {
		for from := range p.flow.Nodes {
			for i, next := range p.flow.Nodes[from].Next {
				if next == open[0] && far[from] < 0 && !p.closed[fork{p, from, i}] {
					far[from] = far[next] + 1
					open = append(open, from)
				}
			}
		}
	}
	return far
}

// nearTargets notes how near a run has come to targets.
func (r *run) nearTargets() {
	for _, t := range r.p.targets {
		if far := t.far[r.at]; far >= 0 && far <= t.near && (t.number < 0 || r.carries(t.number)) {
			if far < t.near {
				t.times = 0
			}
			t.times++
			t.near, t.nearest, t.knobs = far, r.at, len(r.s.knobs.all)
		}
	}
}

// carries reports whether a variable for which there may be a use has what an arrival has brought.
func (r *run) carries(number int) bool {
	need := r.p.needed()[r.at]
	for phi, came := range r.came {
		if came.has(number) && need.has(phi) {
			return true
		}
	}
	return false
}

// hit keeps a scenario for a target if none has come nearer.
func (t *target) hit(x *pair, b base) {
	const most = 6
	is := [2]int{t.near, -t.times}
	order := slices.Compare(is[:], t.best[:])
	if t.near >= unreached || order > 0 {
		return
	}
	if order < 0 {
		t.best, t.samples = is, nil
	}
	if s := (targeted{b, t.nearest, t.knobs}); len(t.samples) < most {
		t.samples = append(t.samples, s)
	} else {
		t.samples[x.done%most] = s
	}
}

// strive turns knobs of the scenarios that have come nearest to targets: those on which it depends which way is taken there, and
// others, rather those that were asked for behind that.
func (h *hunt) strive() {
	const most = 24
	for _, t := range h.x.aim() {
		if len(t.samples) == 0 {
			continue
		}
		from := t.samples[h.draw.IntN(len(t.samples))]
		if t.crowded() && t.best[0] == 0 {
			h.fill(t, from)
		}
		s := h.run(from.base, nil)
		if s == nil {
			return
		}
		all, fields := s.knobs.about(t.depends(from.nearest))
		for i := range most {
			if h.over() {
				break
			}
			t.runs++
			set := settings{}
			there := all
			if i%4 == 0 {
				there = fields
			}
			if i%2 == 0 && len(there) > 0 {
				k := there[h.draw.IntN(len(there))]
				set[k.name] = h.turned(s, k)
			}
			for range h.draw.IntN(3) + btoi(len(set) == 0) {
				first := 0
				if later := len(s.knobs.all) - from.knobs; later > 0 && h.draw.IntN(4) > 0 {
					first = from.knobs
				}
				k := s.knobs.all[first+h.draw.IntN(len(s.knobs.all)-first)]
				set[k.name] = h.turned(s, k)
			}
			h.run(from.base, set)
		}
	}
}

// depends are the names of the fields and steps on which it depends where a scenario goes from a node.
func (t *target) depends(n int) map[string]bool {
	names := map[string]bool{}
	goal{question{v: -1}, fork{t.program, n, 0}}.about(names)
	return names
}
