package rehearsal

import (
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/shape"
)

// seen is what scenarios have shown of a program.
type seen struct {
	asks   []uint8  // by value
	needs  []uint8  // by value: what asks can come to
	beside []beside // by value: what is next to a limit, if what is compared cannot be at it
	sure   []bool   // by value: the answer is always the same
	nodes  []uint8
	passed []int   // by node: how often it was passed in this scenario
	often  []uint8 // by node: the logarithms of how often that was
	took   []bool  // by node: it took a slot in this scenario
	slots  []int   // by node: scenarios in which it did
	gives  []uint8 // by node that is a call: what was called
	crowds map[crowd]bool
}

// What a node has called.
const (
	toFunction = 1 << iota
	toCollector
)

// What was seen of a value, beside answers that are no and yes.
const (
	sawLess = 4 << iota
	sawEqual
	sawMore
	evaluated
	sawBelow // just below a limit at which nothing can be
	sawAbove

	sawYes   = 2
	sawBoth  = 1 | sawYes
	sawOrder = sawLess | sawEqual | sawMore
)

// What was seen of a node.
const (
	sawTrue = 1 << iota
	sawFalse
	sawNode
	sawSlot
)

func newSeen(f *shape.Flow) seen {
	values, nodes := len(f.Values), len(f.Nodes)
	s := seen{
		asks: make([]uint8, values), needs: make([]uint8, values), beside: make([]beside, values), sure: make([]bool, values),
		nodes: make([]uint8, nodes), passed: make([]int, nodes), often: make([]uint8, nodes), took: make([]bool, nodes), slots: make([]int, nodes),
		gives: make([]uint8, nodes), crowds: map[crowd]bool{},
	}
	for v := range f.Values {
		s.needs[v] = needs(&f.Values[v])
	}
	for i := range f.Nodes {
		if n := &f.Nodes[i]; n.Kind == shape.Go && n.Target != "go" && len(n.Args) > 1 && !takesAll(f, n) {
			s.needs[n.Args[1]] |= sawMore // items than that run at once
		}
	}
	return s
}

// needs are the answers to which a value has to come before it can be said that it was seen.
func needs(v *shape.Value) uint8 {
	switch v.Op {
	case "if", "==", "has", "is":
		return sawBoth
	case "<", "<=":
		return sawBoth | sawEqual
	case "conv":
		if ofLetters(v.What) { // a text of which letters are more than a byte
			return sawYes
		}
	case "call":
		if edits[v.What] { // a text that is not what it was
			return sawYes
		}
		switch v.What {
		case "unicode/utf8.RuneCountInString":
			return sawYes
		case "(time.Time).Before", "(time.Time).After":
			return sawBoth | sawEqual
		case "(time.Time).Equal":
			return sawBoth
		case "(time.Time).Compare", "cmp.Compare", "strings.Compare":
			return sawLess | sawMore
		case "cmp.Or": // the first is given, and another one
			return sawBoth
		case "min", "max":
			if len(v.Args) == 2 {
				return sawLess | sawMore
			}
		}
	}
	return 0
}

// question is a value that is true or false, or compares two.
type question struct {
	p *program
	v int
}

func (q question) missing() bool {
	return !q.p.sure[q.v] && q.p.asks[q.v]&q.p.needs[q.v] != q.p.needs[q.v]
}

// fork is a way from a branch.
type fork struct {
	p       *program
	n, next int
}

func (f fork) missing() bool {
	return !f.p.closed[f] && f.p.nodes[f.n]&(sawTrue<<f.next) == 0 && !f.stops()
}

// stops reports whether a way is what a function that only computes does when a loop over what it yields has ended: nobody looks
// at that.
func (f fork) stops() bool {
	v := &f.p.flow.Values[f.p.flow.Nodes[f.n].Args[0]]
	return f.p.still && f.next == 1 && v.Op == "result" && len(v.Args) == 0 && f.p.gives[v.Node] == toCollector
}

// met is what a scenario has shown of a question.
type met struct {
	gap     float64 // the least between two numbers
	numbers bool    // that were met
	pairs   [][2]any
	knobs   int // that were asked for before
	saw     uint8
}

const mostPairs = 6 // of different values that met in a question

// note notes what was seen of a value.
func (p *program) note(v int, saw uint8) {
	if p.asks[v]|saw != p.asks[v] && !p.side.silent {
		p.asks[v] |= saw
		p.side.fresh++
	}
}

// see notes what was seen of a node.
func (p *program) see(n int, saw uint8) {
	if p.nodes[n]|saw != p.nodes[n] && !p.side.silent {
		p.nodes[n] |= saw
		p.side.fresh++
	}
}

// enoughSlots is how often a step has to be seen to take a slot: once, its arguments may be what they are by chance.
const enoughSlots = 8

// take notes that a node has taken a slot.
func (p *program) take(n int) {
	p.see(n, sawSlot)
	p.took[n] = true
}

// crowd notes that so many items have come to a Map.
func (p *program) crowd(at crowd, came bool) {
	if came && !p.crowds[at] {
		p.crowds[at] = true
		p.side.fresh++
	}
}

func (p *program) pass(n int) {
	if p.side.silent {
		return
	}
	p.passed[n]++
	p.see(n, sawNode)
}

// fork notes which way was taken from a branch.
func (p *program) fork(n, next, knobs int) {
	p.see(n, sawTrue<<next)
	if other := (fork{p, n, 1 - next}); other.missing() && !p.side.silent {
		p.side.forks[other] = knobs
	}
}

// begin begins to look at a scenario.
func (s *side) begin() int {
	clear(s.met)
	clear(s.states)
	clear(s.forks)
	s.each(func(p *program) {
		for _, t := range p.targets {
			t.near = unreached
		}
		clear(p.passed)
		clear(p.took)
	})
	return s.fresh
}

// end looks at how often nodes were passed. It gives how much was ever seen for the first time.
func (s *side) end() int {
	s.each(func(p *program) {
		for n, times := range p.passed {
			if saw := uint8(1) << min(bits.Len(uint(times)), 7); times > 0 && p.often[n]&saw == 0 {
				p.often[n] |= saw
				s.fresh++
			}
			p.slots[n] += btoi(p.took[n])
		}
	})
	return s.fresh
}

// keeps gives where to note what is compared, nil if nobody needs it.
func (r *run) keeps(v int) *met {
	q, side := question{r.p, v}, r.p.side
	if side.silent || !q.missing() && !side.watched[q] && !side.changed[q] {
		return nil
	}
	m := side.met[q]
	if m == nil {
		m = &met{knobs: len(r.s.knobs.all)}
		side.met[q] = m
	}
	return m
}

// asked notes how a question was answered.
func (r *run) asked(v int, yes bool) bool {
	if m := r.keeps(v); m != nil {
		m.saw |= 1 << btoi(yes)
	}
	r.p.note(v, 1<<btoi(yes))
	return yes
}

// near notes how two values compare, and how far apart they are.
func (r *run) near(v, order int, a, b any) {
	r.p.note(v, []uint8{sawLess, sawEqual, sawMore}[order+1])
	if by := r.p.beside[v]; by != (beside{}) {
		r.beside(v, by, a, b)
	}
	m := r.keeps(v)
	if m == nil {
		return
	}
	if order != 0 {
		m.pair(a, b)
	} else {
		m.saw |= sawEqual
	}
	if gap, ok := r.gap(a, b); ok && (!m.numbers || math.Abs(gap) < math.Abs(m.gap)) {
		m.gap, m.numbers = gap, true
	}
}

// beside notes that a number was next to a limit at which it cannot be. Both sides of that stand for the limit.
func (r *run) beside(v int, by beside, a, b any) {
	gap, ok := r.gap(a, b)
	switch {
	case !ok:
	case gap < 0 && -gap <= float64(by.below):
		r.p.note(v, sawBelow)
	case gap > 0 && gap <= float64(by.above):
		r.p.note(v, sawAbove)
	}
	if r.p.asks[v]&(sawBelow|sawAbove) == sawBelow|sawAbove {
		r.p.note(v, sawEqual)
	}
}

func (m *met) pair(a, b any) {
	if len(m.pairs) < mostPairs {
		m.pairs = append(m.pairs, [2]any{a, b})
	}
}

// gap is how far two numbers are apart, times in seconds.
func (r *run) gap(a, b any) (float64, bool) {
	switch a.(type) {
	case int64, float64:
		return r.number(a) - r.number(b), true
	case time.Time, moment:
		return r.time(a).Sub(r.time(b)).Seconds(), true
	}
	return 0, false
}

// answered notes what a call has given.
func (r *run) answered(n int, name string, args []any, result any) any {
	of := r.p.needs[n]
	switch {
	case edits[name] && len(args) > 0:
		r.asked(n, r.text(args[0]) != r.text(result))
		return result
	case name == "unicode/utf8.RuneCountInString" && len(args) > 0:
		r.asked(n, r.integer(result) != int64(len(r.text(args[0]))))
		return result
	case name == "cmp.Or" && len(args) > 1:
		r.asked(n, isZero(args[0]))
		return result
	case len(args) == 2 && strings.HasPrefix(name, "(time.Time)") && of != 0:
		r.near(n, r.time(args[0]).Compare(r.time(args[1])), args[0], args[1])
	case len(args) == 2 && of != 0:
		r.near(n, r.compare(args[0], args[1]), args[0], args[1])
	}
	yes, ok := result.(bool)
	if !ok {
		return result
	}
	r.p.needs[n] |= sawBoth
	if m := r.keeps(n); m != nil && len(args) >= 2 {
		if l, isList := args[0].(list); isList {
			for _, e := range slices.Backward(l) {
				m.pair(e, args[1])
			}
		}
		m.pair(args[0], args[1])
	}
	return r.asked(n, yes)
}
