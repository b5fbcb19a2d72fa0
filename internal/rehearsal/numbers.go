package rehearsal

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// Where a number begins as one of a few and is computed anew in each round, it is one of a few still: a time that is doubled up to
// a limit. Then it is known which are next to a limit at which none of them is.

const mostNumbers = 64 // of a value

// beside is how far the numbers that are compared are apart when they are next to a limit at which they cannot be.
type beside struct{ below, above int64 }

// findNumbers finds which numbers variables can be, if those are few. It begins with none, and adds what comes on any way.
func (p *program) findNumbers() {
	p.numbers = map[int][]int64{}
	type way struct {
		phi, arg int
		known    facts
	}
	var ways []way
	for n, phis := range p.phis {
		for e, in := range p.flow.Nodes[n].In {
			at := p.paths[in.From]
			if at == nil || p.closed[fork{p, in.From, in.Next}] || len(phis) == 0 {
				continue
			}
			known := p.behindIt(in.From, in.Next, at)
			for _, phi := range phis {
				if args := p.flow.Values[phi].Args; e < len(args) {
					ways = append(ways, way{phi, args[e], known})
				}
			}
		}
		for _, phi := range phis {
			if len(p.flow.Values[phi].Args) == len(p.flow.Nodes[n].In) {
				p.numbers[phi] = []int64{}
			}
		}
	}
	for more := true; more; {
		more = false
		for _, w := range ways {
			before, ok := p.numbers[w.phi]
			if !ok {
				continue
			}
			came, ok := p.numbersOf(w.arg, w.known, 0)
			if ok {
				came, ok = few(append(came, before...))
			}
			if !ok {
				delete(p.numbers, w.phi)
			} else {
				p.numbers[w.phi] = came
			}
			more = more || !ok || len(came) > len(before)
		}
	}
}

// few sorts numbers, if they are not too many.
func few(all []int64) ([]int64, bool) {
	slices.Sort(all)
	all = slices.Compact(all)
	return all, len(all) <= mostNumbers
}

// numbersOf gives the numbers that a value can be where something is known, if those are few.
func (p *program) numbersOf(v int, known facts, depth int) ([]int64, bool) {
	all, ok := p.numbersMade(v, known, depth)
	s, bound := known.in[v]
	switch {
	case ok && bound:
		return slices.DeleteFunc(all, func(n int64) bool { return n < s.low || n > s.high }), true
	case bound && !s.parts && s.low >= -maxExact && s.high <= maxExact && s.high-s.low < mostNumbers:
		for n := s.low; n <= s.high; n++ {
			all = append(all, n)
		}
		return all, true
	}
	return all, ok
}

// maxExact is the greatest number that is the same when it is compared as one that may have a fraction.
const maxExact = 1 << 53

// numbersMade gives the numbers that come of how a value is made.
func (p *program) numbersMade(v int, known facts, depth int) ([]int64, bool) {
	if depth > 2*deepestFact {
		return nil, false
	}
	val := &p.flow.Values[v]
	switch {
	case val.Op == "const":
		n, whole := p.constants[v].(int64)
		return []int64{n}, whole
	case val.Op == "phi":
		all, ok := p.numbers[v]
		return p.agreeing(v, slices.Clone(all), known), ok
	case val.Op == "if":
		if c, sure := p.answer(val.Args[0], known, depth+1); sure {
			return p.numbersOf(val.Args[2-btoi(c)], known, depth+1)
		}
		a, known1 := p.numbersOf(val.Args[1], known, depth+1)
		b, known2 := p.numbersOf(val.Args[2], known, depth+1)
		if !known1 || !known2 {
			return nil, false
		}
		return few(append(a, b...))
	case len(val.Args) == 2 && (val.What == "" || val.Op == "call"):
		if of := arithmetic(val); of != nil {
			return p.combined(val, known, depth, of)
		}
	}
	return nil, false
}

// agreeing gives those numbers of a variable with which comparisons come to the answers that are known.
func (p *program) agreeing(phi int, all []int64, known facts) []int64 {
	for v, yes := range known.is {
		val := &p.flow.Values[v]
		if val.Op != "<" && val.Op != "<=" && val.Op != "==" || !slices.Contains(p.ground(v).phis, phi) {
			continue
		}
		all = slices.DeleteFunc(all, func(n int64) bool {
			got, sure := p.compare(val, facts{in: map[int]span{phi: {n, n, false}}}, 0)
			return sure && got != yes
		})
	}
	return all
}

// arithmetic gives how a value is made of two whole numbers, nil if it is not.
func arithmetic(val *shape.Value) func(a, b int64) int64 {
	switch {
	case val.Op == "+":
		return func(a, b int64) int64 { return a + b }
	case val.Op == "-":
		return func(a, b int64) int64 { return a - b }
	case val.Op == "*":
		return product
	case val.Op == "call" && val.What == "min":
		return func(a, b int64) int64 { return min(a, b) }
	case val.Op == "call" && val.What == "max":
		return func(a, b int64) int64 { return max(a, b) }
	}
	return nil
}

// product is too large to be counted if it may not be exact.
func product(a, b int64) int64 {
	if c := a * b; a == 0 || c/a == b {
		return c
	}
	return highest
}

// combined gives what comes of all pairs of numbers that two values can be.
func (p *program) combined(val *shape.Value, known facts, depth int, of func(a, b int64) int64) (out []int64, ok bool) {
	as, known1 := p.numbersOf(val.Args[0], known, depth+1)
	bs, known2 := p.numbersOf(val.Args[1], known, depth+1)
	if !known1 || !known2 {
		return nil, false
	}
	for _, a := range as {
		for _, b := range bs {
			n := of(a, b)
			if n < -maxExact || n > maxExact {
				return nil, false
			}
			out = append(out, n)
		}
	}
	return few(out)
}

// gaps are how far apart two numbers can be that are compared, wherever that is.
type gaps struct {
	all     []int64
	unknown bool
}

// addGaps adds how far apart the two numbers of a comparison can be where something is known.
func (p *program) addGaps(v int, known facts) {
	val := &p.flow.Values[v]
	if len(val.Args) != 2 || p.needs[v]&sawOrder == 0 {
		return
	}
	g := p.gaps[v]
	if g == nil {
		g = &gaps{}
		p.gaps[v] = g
	}
	all, ok := p.combined(val, known, 0, func(a, b int64) int64 { return a - b })
	if ok {
		all, ok = few(append(all, g.all...))
	}
	g.all, g.unknown = all, g.unknown || !ok
}

// orders are the answers that a comparison with such gaps can have.
func (g *gaps) orders() (saw uint8) {
	if g.unknown {
		return sawOrder
	}
	for _, gap := range g.all {
		switch {
		case gap < 0:
			saw |= sawLess
		case gap == 0:
			saw |= sawEqual
		default:
			saw |= sawMore
		}
	}
	return saw
}

// beside gives what is next to a limit if nothing is at it.
func (g *gaps) beside() (by beside, ok bool) {
	if g.unknown {
		return by, false
	}
	for _, gap := range g.all { // upwards
		switch {
		case gap == 0:
			return beside{}, false
		case gap < 0:
			by.below = -gap
		case by.above == 0:
			by.above = gap
		}
	}
	return by, by.below > 0 && by.above > 0
}
