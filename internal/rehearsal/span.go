package rehearsal

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// span is a range of numbers in which a value is, its ends included.
type span struct {
	low, high int64
	parts     bool // it need not be a whole number
}

// Ends of a span that is open.
const (
	lowest  = math.MinInt64
	highest = math.MaxInt64
)

func (s span) hull(o span) span {
	return span{min(s.low, o.low), max(s.high, o.high), s.parts || o.parts}
}

// plus adds two spans: sums of whole numbers do not overflow.
func (s span) plus(o span) span {
	return span{sum(s.low, o.low, lowest), sum(s.high, o.high, highest), s.parts || o.parts}
}

func (s span) minus(o span) span {
	return s.plus(span{-max(o.high, -highest), -max(o.low, -highest), o.parts})
}

// times multiplies two spans of which one is a number that is not below 0, if both are known and whole. Where the result may be
// too far to be counted, it may be anything.
func (s span) times(o span, known bool) (span, bool) {
	if s.low == s.high {
		s, o = o, s
	}
	if !known || o.low != o.high || o.low < 0 || s.parts || o.parts {
		return span{}, false
	}
	low, high := product(s.low, o.low), product(s.high, o.low)
	return span{low, high, false}, low > -maxExact && high < maxExact
}

// sum gives an open end if one of its parts is, or if it is too far to be counted.
func sum(a, b, open int64) int64 {
	const far = math.MaxInt64 / 4
	if a < -far || a > far || b < -far || b > far {
		return open
	}
	return a + b
}

// facts are what is known where a node is: answers, what is nil and what is not, in which spans numbers are, and what was
// waited for.
type facts struct {
	is, none map[int]bool
	in       map[int]span
	waited
}

func noFacts() facts {
	return facts{map[int]bool{}, map[int]bool{}, map[int]span{}, waited{map[int]bool{}, map[int]int{}, map[int]bool{}}}
}

func (f facts) clone() facts {
	return facts{maps.Clone(f.is), maps.Clone(f.none), maps.Clone(f.in), waited{maps.Clone(f.there), maps.Clone(f.last), maps.Clone(f.well)}}
}

// meet keeps what is known on both of two ways, of spans the hull. It reports whether that is less than on the first.
func (f facts) meet(o facts, wider func(old, new span) span) (less bool) {
	for _, of := range [][2]map[int]bool{{f.is, o.is}, {f.none, o.none}, {f.there, o.there}, {f.well, o.well}} {
		less = common(of[0], of[1]) || less
	}
	less = common(f.last, o.last) || less
	for v, s := range f.in {
		other, known := o.in[v]
		switch hull := s.hull(other); {
		case !known:
			delete(f.in, v)
			less = true
		case hull != s:
			f.in[v] = wider(s, hull)
			less = true
		}
	}
	return less
}

// common drops what another map does not have, too. It reports whether there was any.
func common[V comparable](m, o map[int]V) (less bool) {
	for v, is := range m {
		if other, known := o[v]; !known || other != is {
			delete(m, v)
			less = true
		}
	}
	return less
}

// forget drops what is known of values that are other ones now.
func (f facts) forget(changed func(v int) bool) {
	for _, m := range []map[int]bool{f.is, f.none, f.there, f.well} {
		maps.DeleteFunc(m, func(v int, _ bool) bool { return changed(v) })
	}
	maps.DeleteFunc(f.in, func(v int, _ span) bool { return changed(v) })
	maps.DeleteFunc(f.last, func(v int, _ int) bool { return changed(v) })
}

// span gives the span of a value, if anything is known of it.
func (p *program) span(v int, known facts, depth int) (s span, ok bool) {
	if s, ok = known.in[v]; ok || depth > 2*deepestFact {
		return s, ok
	}
	val := &p.flow.Values[v]
	switch {
	case val.Op == "const":
		n, whole := p.constants[v].(int64)
		return span{n, n, false}, whole
	case val.Op == "len":
		return p.length(val.Args[0], known, depth), true
	case val.Op == "mu" && len(val.Args) == 2:
		return p.spanOfLoop(v, val, known, depth)
	case val.Op == "eta":
		inside := known.clone()
		inside.forgetLoop(p, loopBit(val))
		return p.span(val.Args[1], inside, depth+1)
	case val.Op == "call" && (val.What == "max" || val.What == "min") && len(val.Args) == 2:
		a, b := p.spanOrAny(val.Args[0], known, depth+1), p.spanOrAny(val.Args[1], known, depth+1)
		if val.What == "max" {
			return span{max(a.low, b.low), max(a.high, b.high), a.parts || b.parts}, true
		}
		return span{min(a.low, b.low), min(a.high, b.high), a.parts || b.parts}, true
	case val.Op == "result" && len(val.Args) == 0 && val.What == "":
		return p.which(val.Node)
	case val.Op == "index" || val.Op == "field":
		is, zero := p.element(v, known, depth)
		if zero || is == v {
			return span{}, zero
		}
		return p.span(is, known, depth+1)
	case (val.Op == "+" || val.Op == "-") && val.What == "" && len(val.Args) == 2:
		a, known1 := p.span(val.Args[0], known, depth+1)
		b, known2 := p.span(val.Args[1], known, depth+1)
		if val.Op == "-" {
			return a.minus(b), known1 && known2
		}
		return a.plus(b), known1 && known2
	case val.Op == "*" && val.What == "" && len(val.Args) == 2:
		a, known1 := p.span(val.Args[0], known, depth+1)
		b, known2 := p.span(val.Args[1], known, depth+1)
		return a.times(b, known1 && known2)
	case val.Op == "if":
		if c, sure := p.answer(val.Args[0], known, depth+1); sure {
			return p.span(val.Args[2-btoi(c)], known, depth+1)
		}
		a, known1 := p.span(val.Args[1], p.chosen(val, true, known), depth+1)
		b, known2 := p.span(val.Args[2], p.chosen(val, false, known), depth+1)
		return a.hull(b), known1 && known2
	}
	return span{}, false
}

// element is what an element of a list is that is told by which of its elements it is, or a field of a struct. What is not known is
// the value itself. zero: the struct does not have the field.
func (p *program) element(v int, known facts, depth int) (is int, zero bool) {
	val := &p.flow.Values[v]
	if depth > 2*deepestFact || val.Op != "index" && val.Op != "field" {
		return v, false
	}
	from, zero := p.element(val.Args[0], known, depth+1)
	of := &p.flow.Values[from]
	switch {
	case zero:
	case val.Op == "field" && of.Op == "struct":
		if i := slices.Index(strings.Fields(of.What), val.What); i >= 0 && i < len(of.Args) {
			return of.Args[i], false
		}
		return v, true
	case val.Op == "index" && of.Op == "list" && of.What == "":
		if i, ok := p.span(val.Args[1], known, depth+1); ok && i.low == i.high && i.low >= 0 && i.low < int64(len(of.Args)) {
			return of.Args[i.low], false
		}
	}
	return v, false
}

// length gives the span of how long a value is: a part of another one is shorter by where it begins.
func (p *program) length(of int, known facts, depth int) span {
	s := span{0, highest, false}
	val := &p.flow.Values[of]
	if val.Op != "slice" || len(val.Args) < 3 || !p.isNil(val.Args[2]) {
		return s
	}
	for v, is := range known.is { // what begins before the end is not empty
		if less := &p.flow.Values[v]; is && less.Op == "<" && less.Args[0] == val.Args[1] && p.isLength(less.Args[1], val.Args[0]) {
			s.low = 1
		}
	}
	from, ok := p.span(val.Args[1], known, depth+1)
	if !ok {
		return s
	}
	for v, whole := range known.in {
		if is := &p.flow.Values[v]; is.Op == "len" && is.Args[0] == val.Args[0] {
			left := whole.minus(from)
			s.low, s.high = max(s.low, left.low), min(s.high, left.high)
		}
	}
	return s
}

func (p *program) isLength(v, of int) bool {
	val := &p.flow.Values[v]
	return val.Op == "len" && val.Args[0] == of
}

// spanOrAny gives the span of a number, which is any if nothing is known of it.
func (p *program) spanOrAny(v int, known facts, depth int) span {
	if s, ok := p.span(v, known, depth); ok {
		return s
	}
	return span{lowest, highest, true}
}

// spanOfLoop gives the span of what changes in a loop that only computes: where it begins, if no round leaves that, or that and
// all that is more or less.
func (p *program) spanOfLoop(v int, val *shape.Value, known facts, depth int) (span, bool) {
	begins, ok := p.span(val.Args[0], known, depth+1)
	if !ok {
		return span{}, false
	}
	for _, s := range []span{begins, {begins.low, highest, begins.parts}, {lowest, begins.high, begins.parts}} {
		assumed := known.clone()
		assumed.in[v] = s
		if then, ok := p.span(val.Args[1], assumed, depth+1); ok && s.hull(then) == s {
			return s, true
		}
	}
	return span{}, false
}

// which is which of its futures a wait may give, unless there are lists of them.
func (p *program) which(n int) (span, bool) {
	node := &p.flow.Nodes[n]
	if node.Kind != shape.AwaitAny || len(node.Args) == 0 {
		return span{}, false
	}
	if slices.ContainsFunc(node.Args, func(v int) bool { return !p.isFuture(v, map[int]bool{}) }) {
		return span{}, false
	}
	return span{0, int64(len(node.Args) - 1), false}, true
}

// isFuture reports whether a value is one future, whatever way it came.
func (p *program) isFuture(v int, been map[int]bool) bool {
	if been[v] {
		return true
	}
	been[v] = true
	val := &p.flow.Values[v]
	return val.Op == "future" && p.flow.Nodes[val.Node].Kind != shape.Go || // which a cancellation does not complete
		val.Op == "phi" && !slices.ContainsFunc(val.Args, func(a int) bool { return !p.isFuture(a, been) })
}

// compare answers a comparison of two numbers of which spans are known.
func (p *program) compare(val *shape.Value, known facts, depth int) (yes, sure bool) {
	a, known1 := p.span(val.Args[0], known, depth+1)
	b, known2 := p.span(val.Args[1], known, depth+1)
	switch {
	case !known1 || !known2:
	case val.Op == "<" && (a.high < b.low || a.low >= b.high):
		return a.high < b.low, true
	case val.Op == "<=" && (a.high <= b.low || a.low > b.high):
		return a.high <= b.low, true
	case val.Op == "==" && (a.high < b.low || b.high < a.low):
		return false, true
	case val.Op == "==" && a.low == a.high && a == b:
		return true, true
	}
	return false, false
}

// bound narrows the spans of what is compared with each other to where it has an answer.
func (p *program) bound(v int, yes bool, known facts) {
	val := &p.flow.Values[v]
	if val.Op != "<" && val.Op != "<=" && val.Op != "==" || len(val.Args) != 2 {
		return
	}
	a, b := val.Args[0], val.Args[1]
	left, known1 := p.span(a, known, 0)
	right, known2 := p.span(b, known, 0)
	if known1 != known2 {
		left, known1 = p.spanOfPayload(a, left, known1)
		right, known2 = p.spanOfPayload(b, right, known2)
	}
	if !known1 || !known2 {
		return
	}
	by, step := int64(btoi(val.Op == "<")), int64(1) // a + by <= b
	if left.parts || right.parts {
		by, step = 0, 0
	}
	switch {
	case val.Op == "==" && yes:
		both := span{max(left.low, right.low), min(left.high, right.high), left.parts && right.parts}
		p.narrow(a, both, known)
		p.narrow(b, both, known)
	case val.Op == "==" && step == 0:
	case val.Op == "==":
		p.narrow(a, left.without(right), known)
		p.narrow(b, right.without(left), known)
	case yes:
		p.narrow(a, span{left.low, min(left.high, sum(right.high, -by, highest)), left.parts}, known)
		p.narrow(b, span{max(right.low, sum(left.low, by, lowest)), right.high, right.parts}, known)
	default: // b + step - by <= a
		p.narrow(a, span{max(left.low, sum(right.low, step-by, lowest)), left.high, left.parts}, known)
		p.narrow(b, span{right.low, min(right.high, sum(left.high, by-step, highest)), right.parts}, known)
	}
}

// without leaves out a number that is at one end.
func (s span) without(o span) span {
	switch {
	case o.low != o.high:
	case s.low == o.low && s.low < s.high:
		s.low++
	case s.high == o.low && s.low < s.high:
		s.high--
	}
	return s
}

// withoutOthers leaves out the ends of a span that a whole number is known not to be.
func (p *program) withoutOthers(v int, s span, known facts) span {
	for old := (span{}); !s.parts && s != old; {
		old = s
		for q, yes := range known.is {
			if val := &p.flow.Values[q]; !yes && val.Op == "==" && len(val.Args) == 2 && val.Args[0] == v {
				if c, whole := p.constants[val.Args[1]].(int64); whole && p.flow.Values[val.Args[1]].Op == "const" {
					s = s.without(span{c, c, false})
				}
			}
		}
	}
	return s
}

// narrow notes a span of a value, and of that to which it adds a constant.
func (p *program) narrow(v int, s span, known facts) {
	val := &p.flow.Values[v]
	if is, ok := p.span(v, known, 0); ok {
		s = span{max(s.low, is.low), min(s.high, is.high), s.parts && is.parts}
	}
	s = p.withoutOthers(v, s, known)
	if val.Op == "const" || s.low > s.high {
		return
	}
	known.in[v] = s
	if (val.Op == "+" || val.Op == "-") && val.What == "" && len(val.Args) == 2 {
		if by, ok := p.constants[val.Args[1]].(int64); ok && p.flow.Values[val.Args[1]].Op == "const" {
			if val.Op == "+" {
				by = -by
			}
			p.narrow(val.Args[0], s.plus(span{by, by, false}), known)
		}
	}
}
