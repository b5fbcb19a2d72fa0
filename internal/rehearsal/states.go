package rehearsal

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// What a flow goes over is sometimes a table of the code, of which an input only chooses some lines: then all states to which it
// may come can be gone through. What is in none of them, such as an error for a table with a circle in it, no scenario comes to.

// states goes through the states of a program, for each choice of what it takes from its inputs.
type states struct {
	*run
	known   []bool        // by value: it is made of nothing else
	matters map[int]bool  // conditions on which it depends to which values variables come, and what comes into these
	follows map[int]bool  // those variables
	from    map[int][]any // inputs, and what they may be as far as it matters
	taken   map[way]bool
	left    int // of what may be kept of states
}

// state is a place, with the variables that are known there.
type state struct {
	n    int
	phis map[int]any
}

const (
	mostStates    = 1_000_000 // letters of their texts
	mostChoices   = 64
	mostStateWork = 300_000 // values that are computed
)

// rule finds what is dead by the states to which a side may come. again is the same side.
func (s *side) rule(again *side, pool *pool) {
	if out := again.ruledOut(pool); len(out) > 0 {
		s.program.ruledOut = out
		s.program.findDead()
	}
}

// ruledOut finds ways that are in no state. The side is of no use for anything else then: values of it were computed.
func (s *side) ruledOut(pool *pool) (out map[way]bool) {
	p := s.program
	x := &states{
		run: p.only(newScenario(0, pool, nil)), matters: map[int]bool{}, follows: map[int]bool{}, from: map[int][]any{},
		taken: map[way]bool{}, left: mostStates,
	}
	x.findKnown()
	x.findMatters()
	inputs, choices := x.choices()
	if len(x.follows) == 0 || choices > mostChoices {
		return nil
	}
	for c := range choices {
		if !x.visit(x.choose(inputs, c)) {
			return nil
		}
	}
	out = map[way]bool{}
	for n := range p.flow.Nodes {
		for i := range p.flow.Nodes[n].Next {
			if w := (way{n, i}); p.flow.Nodes[n].Kind == shape.Branch && !x.taken[w] {
				out[w] = true
			}
		}
	}
	return out
}

// only is a run that computes values, and does nothing else.
func (p *program) only(s *scenario) *run {
	return &run{
		p: p, s: s, m: &meeting{}, params: func(string) any { return broken{} },
		values: make([]any, len(p.flow.Nodes)), moments: make([]any, len(p.flow.Nodes)), phis: make([]any, len(p.flow.Values)),
	}
}

// visit goes through all states, from the beginning on. It reports whether there were not too many.
func (x *states) visit(chosen map[int]any) bool {
	been := map[string]bool{}
	open := []state{{}}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for i, next := range x.p.flow.Nodes[at.n].Next {
			if !x.goes(at, i, chosen) {
				continue
			}
			x.taken[way{at.n, i}] = true
			to := state{next, x.enter(at, i, chosen)}
			key := to.text()
			if been[key] {
				continue
			}
			been[key] = true
			if x.left -= len(key) + 100; x.left < 0 || x.p.side.work > mostStateWork {
				return false
			}
			open = append(open, to)
		}
	}
	return true
}

// goes reports whether a way may be taken in a state.
func (x *states) goes(at state, i int, chosen map[int]any) bool {
	n := &x.p.flow.Nodes[at.n]
	if n.Kind != shape.Branch {
		return true
	}
	yes, ok := x.value(n.Args[0], at, chosen).(bool)
	return !x.p.closed[fork{x.p, at.n, i}] && (!ok || yes == (i == 0))
}

// enter gives the variables that are known at the end of a way.
func (x *states) enter(at state, i int, chosen map[int]any) map[int]any {
	next := x.p.flow.Nodes[at.n].Next[i]
	edge := x.p.edge(at.n, i)
	out := map[int]any{}
	need := x.p.needed()[next]
	for phi, is := range at.phis {
		if !slices.Contains(x.p.phis[next], phi) && need.has(phi) {
			out[phi] = is
		}
	}
	for _, phi := range x.p.phis[next] {
		if args := x.p.flow.Values[phi].Args; edge >= 0 && edge < len(args) && x.follows[phi] && need.has(phi) {
			if is := x.value(args[edge], at, chosen); !isBroken(is) {
				out[phi] = is
			}
		}
	}
	return out
}

// value computes a value in a state. It is broken where it depends on anything else.
func (x *states) value(v int, at state, chosen map[int]any) (is any) {
	if !x.matters[v] {
		return broken{}
	}
	for _, phi := range x.p.ground(v).phis {
		is, ok := at.phis[phi]
		if !ok {
			return broken{}
		}
		x.phis[phi] = is
	}
	defer func() {
		if p := recover(); p != nil {
			if _, crashed := p.(crash); !crashed {
				panic(p)
			}
			is = broken{}
		}
	}()
	x.base, x.rounds, x.tired, x.s.guesses = &frame{known: map[int]any{}}, 0, false, 0
	for v, is := range chosen {
		x.base.known[v] = is
	}
	is = x.of(v, x.base)
	if x.tired || x.s.guesses > 0 {
		return broken{}
	}
	return is
}

// text says which state it is.
func (s state) text() string {
	of := table{}
	for phi, is := range s.phis {
		of = of.put(int64(phi), is)
	}
	return text(int64(s.n)) + text(of)
}
