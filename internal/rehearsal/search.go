package rehearsal

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// goal is what no scenario has shown yet: an answer to a question, or a way from a branch.
type goal struct {
	question // its v is -1 if this is a way
	fork
}

func (g goal) missing() bool {
	if g.question.p != nil {
		return g.question.missing()
	}
	return g.fork.missing()
}

func (g goal) side() *side {
	if g.question.p != nil {
		return g.question.p.side
	}
	return g.fork.p.side
}

// sample is a scenario that has come near to a goal.
type sample struct {
	base
	gap float64
}

const mostSamples = 8 // of a goal

// remember keeps a scenario for the goals to which it has come near.
func (x *pair) remember(b base) {
	if !maps.Equal(x.old.states, x.now.states) {
		if len(x.apart) < 2*mostSamples {
			x.apart = append(x.apart, b)
		} else {
			x.apart[x.done%len(x.apart)] = b
		}
	}
	for _, s := range []*side{x.old, x.now} {
		s.each(func(p *program) {
			for _, t := range p.targets {
				t.hit(x, b)
			}
			for n, took := range p.took {
				if at := (step{p, n}); took && p.slots[n] < enoughSlots && len(x.rare[at]) < mostSamples {
					x.rare[at] = append(x.rare[at], b)
				}
			}
		})
		for q, m := range s.met {
			if s.changed[q] {
				x.reached(q, m, b)
			}
			if q.missing() {
				gap := math.Inf(1)
				if m.numbers {
					gap = m.gap
				}
				x.keep(goal{question: q}, sample{b, gap})
			}
		}
		for f := range s.forks {
			if f.missing() {
				x.keep(goal{fork: f}, sample{b, math.Inf(1)})
			}
		}
	}
}

// keep keeps the samples that are nearest, on both sides of the limit: those of one may have no knob that leads farther.
func (x *pair) keep(g goal, new sample) {
	all := x.closest[g]
	if len(all) < mostSamples {
		x.closest[g] = append(all, new)
		return
	}
	above := 0
	for _, s := range all {
		above += btoi(s.gap > 0)
	}
	side := new.gap > 0 // that has to give one up
	switch {
	case above > mostSamples/2:
		side = true
	case above < mostSamples/2:
		side = false
	}
	farthest := -1
	for i, s := range all {
		if s.gap > 0 == side && (farthest < 0 || math.Abs(s.gap) > math.Abs(all[farthest].gap)) {
			farthest = i
		}
	}
	if s := all[farthest]; new.gap > 0 != side || math.Abs(new.gap) < math.Abs(s.gap) {
		all[farthest] = new
	}
}

// hunt is a search for what drawing does not come to.
type hunt struct {
	x      *pair
	draw   *rand.Rand
	budget int
	wrong  string
}

// search goes on where drawing is not enough: it turns the knobs of scenarios that have come near to what is missing, until
// nothing is or the budget is spent.
func (x *pair) search(budget int) string {
	h := &hunt{x: x, draw: rand.New(rand.NewPCG(1, 2)), budget: budget}
	for _, s := range []*side{x.old, x.now} {
		s.each((*program).findPossible)
	}
	for round := 0; !h.over() && !x.complete() && x.old.work+x.now.work < mostWork; round++ {
		h.strive()
		for _, g := range x.goals(round%4 == 3) {
			h.attempt(g, round)
			if h.over() {
				return h.wrong
			}
		}
		h.again()
		for range 40 {
			if !h.over() {
				h.shake()
			}
		}
	}
	return h.wrong
}

func (h *hunt) over() bool { return h.budget <= 0 || h.wrong != "" }

// run runs a scenario with one more knob set.
func (h *hunt) run(b base, more settings) *scenario {
	if h.over() {
		return nil
	}
	h.budget--
	set := settings{}
	maps.Copy(set, b.set)
	maps.Copy(set, more)
	wrong, s := h.x.try(base{b.seed, set})
	if wrong != "" {
		h.wrong = wrong
	}
	return s
}

// limit is an answer to a question.
type limit struct {
	question
	saw uint8
}

// reached keeps scenarios that have answered a question that is not in both programs.
func (x *pair) reached(q question, m *met, b base) {
	for _, saw := range []uint8{1, 2, sawEqual} {
		at := limit{q, saw}
		switch all := x.limits[at]; {
		case m.saw&saw == 0:
		case len(all) < mostSamples:
			x.limits[at] = append(all, b)
		default: // later ones have come farther
			all[x.done%mostSamples] = b
		}
	}
}

// vary turns knobs of scenarios that have answered the questions that are not in both programs: a difference may need
// something else besides. The same is done with scenarios in which variables have come to other values: there may be a use for
// them later. If there are none, other scenarios are drawn.
func (x *pair) vary(budget int) string {
	h := &hunt{x: x, draw: rand.New(rand.NewPCG(3, 4)), budget: budget}
	order := x.order()
	limits := slices.SortedFunc(maps.Keys(x.limits), func(a, b limit) int {
		return cmp.Or(cmp.Compare(order[a.p], order[b.p]), cmp.Compare(a.v, b.v), cmp.Compare(a.saw, b.saw))
	})
	for seed := uint64(mostDrawn); !h.over() && (h.budget > budget-leastVaried || x.old.work+x.now.work < 2*mostWork); seed++ {
		if n := len(x.apart); n > 0 && seed%2 == 0 {
			h.shaken(x.apart[h.draw.IntN(n)])
			continue
		}
		if len(limits) == 0 || seed%8 == 1 {
			h.run(base{seed: seed}, nil)
			continue
		}
		all := x.limits[limits[h.draw.IntN(len(limits))]]
		h.shaken(all[h.draw.IntN(len(all))])
	}
	return h.wrong
}

// order numbers the programs.
func (x *pair) order() map[*program]int {
	order := map[*program]int{}
	for _, s := range []*side{x.old, x.now} {
		s.each(func(p *program) { order[p] = len(order) })
	}
	return order
}

// step is a node of a program.
type step struct {
	p *program
	n int
}

// again comes to steps that were seldom seen with other values.
func (h *hunt) again() {
	for _, s := range []*side{h.x.old, h.x.now} {
		s.each(func(p *program) {
			for n := range p.slots {
				for _, b := range h.x.rare[step{p, n}] {
					if p.slots[n] >= enoughSlots {
						delete(h.x.rare, step{p, n})
						break
					}
					h.values(b)
				}
			}
		})
	}
}

// values draws values of a scenario anew, and leaves what happens and the lengths of lists as they are.
func (h *hunt) values(b base) {
	const most = 6
	s := h.run(b, nil)
	if s == nil {
		return
	}
	var values []knob
	for _, k := range s.knobs.all {
		if k.below == 0 && !strings.HasPrefix(k.name, "size of") && !strings.HasPrefix(k.name, "until") {
			values = append(values, k)
		}
	}
	for range 3 {
		set := settings{}
		for range min(most, len(values)) {
			k := values[h.draw.IntN(len(values))]
			set[k.name] = h.turned(s, k)
		}
		h.run(b, set)
	}
}

// shake turns some knobs of a scenario that has shown something new.
func (h *hunt) shake() {
	if len(h.x.corpus) == 0 {
		h.budget = 0
		return
	}
	n := len(h.x.corpus)
	h.shaken(h.x.corpus[n-1-int(float64(n)*math.Pow(h.draw.Float64(), 2))])
}

func (h *hunt) shaken(b base) {
	s := h.run(b, nil)
	for range 4 {
		if s == nil || len(s.knobs.all) == 0 {
			return
		}
		set := settings{}
		for range 1 + h.draw.IntN(4) {
			k := s.knobs.all[h.draw.IntN(len(s.knobs.all))]
			set[k.name] = h.turned(s, k)
		}
		h.run(b, set)
	}
}

// turned gives something else to which a knob may be set.
func (h *hunt) turned(s *scenario, k knob) setting {
	switch other := s.knobs.all[h.draw.IntN(len(s.knobs.all))]; {
	case k.below > 0:
		return setting{n: (k.n + 1 + h.draw.Int64N(max(k.below-1, 1))) % k.below}
	case k.text && other.text && h.draw.IntN(3) == 0:
		return other.setting
	case k.text:
		return setting{written: s.pool.texts[h.draw.IntN(len(s.pool.texts))]}
	case h.draw.IntN(3) == 0:
		return setting{n: k.n + int64(h.draw.IntN(7)) - 3}
	case !other.text && h.draw.IntN(3) == 0:
		return other.setting
	}
	return setting{n: s.pool.numbers[h.draw.IntN(len(s.pool.numbers))]}
}

// goals are those that are worth an attempt, in the order of the programs. all: also those that are not known to lead to
// what is missing.
func (x *pair) goals(all bool) []goal {
	wanted := x.wanted()
	var out []goal
	old := false
	for g := range x.closest {
		if !g.missing() {
			delete(x.closest, g)
		} else if all || wanted(g) {
			out = append(out, g)
			old = old || g.side() == x.old
		}
	}
	if old && !all { // what the new program lacks is often the same
		out = slices.DeleteFunc(out, func(g goal) bool { return g.side() != x.old })
	}
	order := x.order()
	slices.SortFunc(out, func(a, b goal) int {
		return cmp.Or(cmp.Compare(order[a.question.p], order[b.question.p]), cmp.Compare(order[a.fork.p], order[b.fork.p]),
			cmp.Compare(a.v, b.v), cmp.Compare(a.n, b.n), cmp.Compare(a.next, b.next))
	})
	return out
}

// wanted tells which goals lead to what is missing: a question that is, and a way to a node that is. Where a value is
// missing that was never computed, every way may lead to it.
func (x *pair) wanted() func(goal) bool {
	values, nodes, any := map[question]bool{}, map[*program]map[int]bool{}, false
	for _, l := range x.lacks {
		if !l.still(l.p, l.n, l.v) {
			continue
		}
		if l.n < 0 {
			values[question{l.p, l.v}] = true
			any = any || l.p.asks[l.v]&evaluated == 0
			continue
		}
		if l.v >= 0 {
			values[question{l.p, l.v}] = true
		}
		if nodes[l.p] == nil {
			nodes[l.p] = map[int]bool{}
		}
		nodes[l.p][l.n] = true
	}
	return func(g goal) bool {
		if g.question.p != nil {
			return values[g.question]
		}
		p := g.fork.p
		return any || nodes[p][g.n] || p.leads(p.flow.Nodes[g.n].Next[g.next], nodes[p]) || p != p.side.program && len(nodes[p]) == 0
	}
}

// leads reports whether there is a way from a node to one of others.
func (p *program) leads(from int, to map[int]bool) bool {
	if len(to) == 0 {
		return false
	}
	been, open := map[int]bool{from: true}, []int{from}
	for len(open) > 0 {
		n := open[len(open)-1]
		open = open[:len(open)-1]
		if to[n] {
			return true
		}
		for _, next := range p.flow.Nodes[n].Next {
			if !been[next] {
				been[next] = true
				open = append(open, next)
			}
		}
	}
	return false
}
