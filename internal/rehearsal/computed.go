package rehearsal

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// Where a value is computed may be known more closely than where the node is that has a use for it: one of two that are chosen
// is computed only if the condition says so, and what a loop changes only if the loop goes round.

// where is a place among values: within choices, and in a round of a loop that only computes.
type where struct {
	facts
	bit    uint64   // of the loop, 0 for none
	outer  *where   // where the loop is
	first  bool     // the round may be the first
	before []*where // ends of rounds that may be before it
	later  bool     // in a function that is a value: it may be called later
}

// with is a place where something more is known.
func (w *where) with(p *program, v int, yes bool) *where {
	more := *w
	more.facts = w.facts.clone()
	p.learn(v, yes, more.facts)
	p.simplify(more.facts)
	return &more
}

// round is the place in a round of the loop to which a variable belongs, nil if that is not known.
func (w *where) round(bit uint64) *where {
	for ; w != nil && w.bit != bit; w = w.outer {
	}
	return w
}

// walk goes through values where they are computed.
type walk struct {
	p        *program
	possible []uint8
	computed []bool
	been     map[*where]map[int]bool
	later    *where
	left     int // values that it may still look at
}

// How many values are looked at, counted each time that something else is known: of those for which one node has a use, and in all.
const (
	mostWalked      = 5000
	mostWalkedInAll = 200_000
)

// addComputed adds which answers values can have where something is known, and which are computed there at all.
func (p *program) addComputed(args []int, known facts, possible []uint8, computed []bool) {
	most := min(mostWalked, mostWalkedInAll-p.walked)
	w := &walk{p, make([]uint8, len(possible)), make([]bool, len(computed)), map[*where]map[int]bool{}, &where{facts: noFacts(), later: true}, most}
	begin := &where{facts: known.clone()}
	p.simplify(begin.facts)
	for _, v := range args {
		w.visit(v, begin)
	}
	p.walked += most - max(w.left, 0)
	if w.left < 0 { // nothing is known of places
		p.addPossible(args, known, possible)
		p.addAll(args, computed)
		return
	}
	for v := range possible {
		possible[v] |= w.possible[v]
		computed[v] = computed[v] || w.computed[v]
	}
}

// addAll adds values, and all of which they are made outside of variables.
func (p *program) addAll(args []int, computed []bool) {
	been, open := map[int]bool{}, slices.Clone(args)
	for len(open) > 0 {
		v := open[len(open)-1]
		open = open[:len(open)-1]
		if been[v] {
			continue
		}
		been[v], computed[v] = true, true
		if val := &p.flow.Values[v]; val.Op != "phi" {
			open = append(open, val.Args...)
		}
	}
}

func (w *walk) visit(v int, at *where) {
	if w.been[at] == nil {
		w.been[at] = map[int]bool{}
	}
	if w.been[at][v] || w.left < 0 {
		return
	}
	w.left--
	w.been[at][v] = true
	w.computed[v] = true
	p, val := w.p, &w.p.flow.Values[v]
	if p.needs[v] != 0 {
		w.possible[v] |= p.answers(v, at.facts)
	}
	p.addGaps(v, at.facts)
	switch {
	case val.Op == "phi":
	case val.Op == "func":
		w.all(val.Args, w.later)
	case at.later:
		w.all(val.Args, at)
	case val.Op == "if":
		w.choice(val, at)
	case val.Op == "eta" && val.Loop < mostDepth-1:
		w.loop(val, at)
	case val.Op == "mu" || val.Op == "eta":
		w.changing(val, at.round(loopBit(val)))
	default:
		w.all(val.Args, at)
	}
}

func (w *walk) all(vs []int, at *where) {
	for _, v := range vs {
		w.visit(v, at)
	}
}

func (w *walk) choice(val *shape.Value, at *where) {
	w.visit(val.Args[0], at)
	yes, sure := w.p.answerPlain(val.Args[0], at.facts)
	for i, is := range []bool{true, false} {
		switch {
		case !sure:
			w.visit(val.Args[1+i], at.with(w.p, val.Args[0], is))
		case is == yes:
			w.visit(val.Args[1+i], at)
		}
	}
}

// changing visits what a variable of a loop can be in a round.
func (w *walk) changing(val *shape.Value, round *where) {
	if round == nil || val.Op != "mu" || len(val.Args) != 2 {
		w.all(val.Args, w.later)
		return
	}
	if round.first {
		w.visit(val.Args[0], round.outer)
	}
	for _, before := range round.before {
		w.visit(val.Args[1], before)
	}
}

// loop visits what a loop computes in its first round, in others, and when it ends.
func (w *walk) loop(val *shape.Value, at *where) {
	l := w.p.loopOf(val, at)
	round := l.begin()
	for range mostRoundsKnown {
		if w.round(l, round); w.left < 0 || !l.exact || l.ended(round) {
			break
		}
		round = l.next(round)
	}
	if !l.ended(round) {
		w.round(l, l.others(round))
	}
}

// round visits what is computed in a round, and if the loop can end there, what it gives.
func (w *walk) round(l *loop, round *where) {
	w.visit(l.ends, round)
	yes, sure := w.p.answer(l.ends, round.facts, 0)
	if sure && !yes {
		return
	}
	if end := round.with(w.p, l.ends, true); l.agrees(end) {
		w.visit(l.gives, end)
	}
}

// findIdle finds values that are computed nowhere.
func (p *program) findIdle(computed []bool) {
	for v := range p.flow.Values {
		if val := &p.flow.Values[v]; val.Op == "future" {
			p.addAll([]int{v}, computed)
		}
	}
	p.idle = make([]bool, len(p.flow.Values))
	for v, is := range computed {
		p.idle[v] = !is
	}
}

// isIdle reports that nothing computes a value, if that was looked for.
func (p *program) isIdle(v int) bool { return p.idle != nil && p.idle[v] }
