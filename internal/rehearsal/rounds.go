package rehearsal

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// loop is a loop that only computes, at a place.
type loop struct {
	p           *program
	bit         uint64
	ends, gives int
	changing    []int // its variables
	at          *where
	base        facts // what is known in all rounds
	exact       bool  // its rounds are counted, and are few
}

const mostRoundsKnown = 16

// loopOf gives the loop that gives a value.
func (p *program) loopOf(val *shape.Value, at *where) *loop {
	l := &loop{p: p, bit: loopBit(val), ends: val.Args[0], gives: val.Args[1], at: at, base: at.facts.clone()}
	l.base.forgetLoop(p, l.bit)
	been := map[int]bool{}
	for open := slices.Clone(val.Args); len(open) > 0; {
		v := open[len(open)-1]
		open = open[:len(open)-1]
		in := &p.flow.Values[v]
		if been[v] || p.depends[v]&l.bit == 0 {
			continue
		}
		been[v] = true
		if in.Op == "mu" && in.Loop == val.Loop && len(in.Args) == 2 {
			l.changing = append(l.changing, v)
		}
		open = append(open, in.Args...)
	}
	slices.Sort(l.changing)
	l.exact = l.countsFew()
	return l
}

// forgetLoop drops what is known of values that are other ones in each round of a loop, or of one in it.
func (f facts) forgetLoop(p *program, bit uint64) {
	f.forget(func(v int) bool { return p.depends[v]&(functions-bit) != 0 })
}

// countsFew reports whether it is known after a few rounds that the loop ends.
func (l *loop) countsFew() bool {
	round := l.begin()
	for range mostRoundsKnown - 1 {
		if l.ended(round) {
			return true
		}
		round = l.next(round)
	}
	return false
}

// ended reports whether the loop certainly ends in a round.
func (l *loop) ended(round *where) bool {
	yes, sure := l.p.answer(l.ends, round.facts, 0)
	return yes && sure
}

// begin is the first round.
func (l *loop) begin() *where {
	return &where{facts: l.changed(0, l.at.facts), bit: l.bit, outer: l.at, first: true}
}

// next is the round behind one.
func (l *loop) next(round *where) *where {
	end := round.with(l.p, l.ends, false)
	return &where{facts: l.changed(1, end.facts), bit: l.bit, outer: l.at, before: []*where{end}}
}

// others are all rounds behind one: what is known is what is known in each.
func (l *loop) others(round *where) *where {
	all := l.next(round)
	for range 8 {
		end := all.with(l.p, l.ends, false)
		less := all.facts.meet(l.changed(1, end.facts), func(old, hull span) span {
			if hull.low < old.low {
				hull.low = lowest
			}
			if hull.high > old.high {
				hull.high = highest
			}
			return hull
		})
		if !less {
			all.before = append(all.before, end)
			return all
		}
	}
	all.facts = l.base.clone()
	all.before = append(all.before, all.with(l.p, l.ends, false))
	return all
}

// changed is what is known where the variables get values: those with which they begin, or those of the next round.
func (l *loop) changed(which int, known facts) facts {
	p, out := l.p, l.base.clone()
	for _, v := range l.changing {
		from := p.flow.Values[v].Args[which]
		if yes, sure := p.answer(from, known, 0); sure {
			out.is[v] = yes
		}
		if none, sure := p.isA(from, known, 0, "nil"); sure {
			out.none[v] = none
		}
		if s, ok := p.span(from, known, 0); ok {
			out.in[v] = s
		}
		if of := p.valueLike(shape.Value{Op: "len", Args: []int{p.same[v]}}); of >= 0 {
			out.in[of] = p.length(from, known, 0)
		}
	}
	return out
}

// agrees reports whether the loop can end where it does: what is known of what it gives, or of how long that is, tells.
func (l *loop) agrees(end *where) bool {
	p := l.p
	for v, is := range l.at.facts.in {
		inside := v
		if val := &p.flow.Values[v]; val.Op == "len" {
			if of := l.given(val.Args[0]); of >= 0 {
				inside = p.valueLike(shape.Value{Op: "len", Args: []int{p.same[of]}})
			}
		} else if of := l.given(v); of >= 0 {
			inside = of
		}
		if inside < 0 || inside == v {
			continue
		}
		if s, ok := p.span(inside, end.facts, 0); ok && (s.high < is.low || s.low > is.high) {
			return false
		}
	}
	return true
}

// given is what a value is in the round in which the loop ends, -1 if it does not come of the loop.
func (l *loop) given(v int) int {
	if val := &l.p.flow.Values[v]; val.Op == "eta" && val.Args[0] == l.ends && loopBit(val) == l.bit {
		return val.Args[1]
	}
	return -1
}
