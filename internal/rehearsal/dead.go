package rehearsal

import (
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// findDead finds what no scenario comes to, because it is behind conditions that exclude each other, and which values only
// that has a use for.
func (p *program) findDead() {
	p.live, p.closed = make([]bool, len(p.flow.Nodes)), map[fork]bool{}
	for w := range p.ruledOut {
		p.closed[fork{p, w.from, w.next}] = true
	}
	p.paths = p.pathsFrom(map[int]*place{0: {facts: noFacts()}})
	for n := range p.flow.Nodes {
		at := p.paths[n]
		p.live[n] = at != nil
		if node := &p.flow.Nodes[n]; at != nil && node.Kind == shape.Branch {
			if yes, known := p.answer(node.Args[0], at.facts, 0); known {
				p.closed[fork{p, n, btoi(yes)}] = true
			}
		}
	}
	p.findUsed()
}

// findUsed finds the values for which something has a use that is not dead.
func (p *program) findUsed() {
	p.used = make([]bool, len(p.flow.Values))
	var use func(v int)
	use = func(v int) {
		if p.used[v] {
			return
		}
		p.used[v] = true
		val := &p.flow.Values[v]
		for i, a := range val.Args {
			if val.Op == "changed" && val.What != "" && p.alwaysLeaves(val.Node, val.What) {
				break // it is what the call leaves
			}
			if val.Op == "phi" && i < len(p.flow.Nodes[val.Node].In) {
				if e := p.flow.Nodes[val.Node].In[i]; !p.live[e.From] || p.closed[fork{p, e.From, e.Next}] {
					continue
				}
			}
			use(a)
		}
	}
	for n := range p.flow.Nodes {
		if p.live[n] {
			for _, a := range p.flow.Nodes[n].Args {
				use(a)
			}
		}
	}
	for v := range p.flow.Values {
		if val := &p.flow.Values[v]; val.Op == "future" && p.live[val.Node] {
			use(v)
		}
	}
}

// learn adds that a value is true or not, with what follows from that.
func (p *program) learn(v int, yes bool, known facts) {
	if _, old := known.is[v]; old {
		return
	}
	known.is[v] = yes
	p.bound(v, yes, known)
	switch val := &p.flow.Values[v]; {
	case val.Op == "not":
		p.learn(val.Args[0], !yes, known)
		return
	case val.Op == "==" && p.isNil(val.Args[1]):
		p.learnNil(val.Args[0], yes, known)
	}
	for _, c := range p.choices(v, 0) {
		for _, assumed := range []bool{true, false} {
			with := known.clone()
			delete(with.is, v)
			with.is[c] = assumed
			if got, sure := p.answer(v, with, 0); sure && got != yes {
				p.learn(c, !assumed, known)
			}
		}
	}
}

const deepestFact = 5

// choices are the conditions of what a value is chosen by.
func (p *program) choices(v, depth int) (out []int) {
	val := &p.flow.Values[v]
	if depth > deepestFact || val.Op == "phi" || val.Op == "mu" || val.Op == "eta" || val.Op == "func" {
		return nil
	}
	if val.Op == "if" {
		out = append(out, val.Args[0])
	}
	for _, a := range val.Args {
		out = append(out, p.choices(a, depth+1)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// answer tells whether a value is true, if that is known.
func (p *program) answer(v int, known facts, depth int) (yes, sure bool) {
	if yes, sure := known.is[v]; sure || depth > 2*deepestFact {
		return yes, sure
	}
	val := &p.flow.Values[v]
	switch {
	case val.Op == "const":
		yes, sure = p.constants[v].(bool)
		return yes, sure
	case p.beyond(v):
		return false, true
	case val.Op == "not":
		yes, sure = p.answer(val.Args[0], known, depth+1)
		return !yes, sure
	case val.Op == "if":
		return p.either(val, known, depth, func(v int) (bool, bool) { return p.answer(v, known, depth+1) })
	case val.Op == "call" && val.What == "errors.Is" && len(val.Args) == 2 && p.isTimeout(val.Args[1]):
		return p.isA(val.Args[0], known, depth, "timeout")
	case val.Op == "==" && p.isNil(val.Args[1]):
		if yes, sure := p.isA(val.Args[0], known, depth, "nil"); sure {
			return yes, sure
		}
	case val.Op == "call" && val.What == "errors.Is" && len(val.Args) == 2 && p.flow.Values[val.Args[1]].Op == "global":
		none, sure := p.isA(val.Args[0], known, depth, "nil")
		wraps := p.wraps(val.Args[0], val.Args[1], depth)
		return wraps, wraps || none && sure
	case val.Op == "==" && len(val.Args) == 2 && (p.foreign(val.Args[0], val.Args[1]) || p.foreign(val.Args[1], val.Args[0])):
		return false, true
	case val.Op == "<" && p.equals(val.Args, known, true):
		return false, true
	case val.Op == "<" && p.notYet(val, known):
		return true, true
	case val.Op == "call" && val.What == "errors.As" && len(val.Args) > 0:
		none, sure := p.isA(val.Args[0], known, depth, "nil")
		return false, none && sure
	case (val.Op == "<" || val.Op == "<=" || val.Op == "==") && len(val.Args) == 2:
		return p.compare(val, known, depth)
	}
	return false, false
}

// foreign reports whether a value is the error of something that a history tells, and another one is declared by the module: what is
// read from a history is never that itself.
func (p *program) foreign(v, other int) bool {
	val, is := &p.flow.Values[v], &p.flow.Values[other]
	if val.Op != "error" || is.Op != "global" || len(is.Args) > 0 || strings.Contains(is.What, "durablegen/runtime.") {
		return false
	}
	f := &p.flow.Values[val.Args[0]]
	kind := p.flow.Nodes[f.Node].Kind
	return f.Op == "future" && (slotKinds[kind] || kind == shape.Receive)
}

// equals reports whether it is known that two values are equal, or that they are not.
func (p *program) equals(args []int, known facts, yes bool) bool {
	for v, is := range known.is {
		of := &p.flow.Values[v]
		if of.Op == "==" && is == yes && (slices.Equal(of.Args, args) || of.Args[0] == args[1] && of.Args[1] == args[0]) {
			return true
		}
	}
	return false
}

// notYet reports whether it is known that n+1 < m, because n < m and n+1 is not m.
func (p *program) notYet(val *shape.Value, known facts) bool {
	next := &p.flow.Values[val.Args[0]]
	if next.Op != "+" || next.What != "" || len(next.Args) != 2 || p.constants[next.Args[1]] != any(int64(1)) {
		return false
	}
	for v, is := range known.is {
		if of := &p.flow.Values[v]; of.Op == "<" && is && of.Args[0] == next.Args[0] && of.Args[1] == val.Args[1] {
			return p.equals(val.Args, known, false)
		}
	}
	return false
}

// either tells of a value that is chosen what is known of those between which it is.
func (p *program) either(val *shape.Value, known facts, depth int, of func(v int) (bool, bool)) (yes, sure bool) {
	if c, sure := p.answer(val.Args[0], known, depth+1); sure {
		return of(val.Args[2-btoi(c)])
	}
	yes, sure = of(val.Args[1])
	no, too := of(val.Args[2])
	return yes, sure && too && yes == no
}

// isA tells whether an error is ErrTimeout, or none, if that is known.
func (p *program) isA(v int, known facts, depth int, what string) (yes, sure bool) {
	switch val := &p.flow.Values[v]; {
	case depth > 2*deepestFact:
	case what == "nil" && p.knowsNil(v, known):
		return known.none[v], true
	case what == "nil" && val.Op == "field" && p.neverNil(v, known):
		return false, true
	case what == "nil" && val.Op == "global" && len(val.Args) == 0: // an error that is declared
		return false, true
	case what == "nil" && val.Op == "call" && neverNone[val.What]:
		return false, true
	case what == "nil" && val.Op == "call" && val.What == "errors.Join":
		return p.joinsNil(p.joined(v), known, depth)
	case what == "timeout" && val.Op == "error" && len(val.Args) == 1 && p.isReceive(val.Args[0]) && !p.side.timeouts:
		return false, true // it can be cancelled, or get what it cannot read
	case val.Op == "timeout":
		return what == "timeout", true
	case val.Op == "const" && val.What == "nil":
		return what == "nil", true
	case val.Op == "if":
		return p.either(val, known, depth, func(v int) (bool, bool) { return p.isA(v, known, depth+1, what) })
	}
	return false, false
}

// wraps reports whether an error is another one, or certainly wraps it.
func (p *program) wraps(v, other, depth int) bool {
	val, is := &p.flow.Values[v], &p.flow.Values[other]
	if v == other || val.Op == "global" && is.Op == "global" && val.What == is.What {
		return true
	}
	if depth > 2*deepestFact || val.Op != "call" || val.What != "fmt.Errorf" || len(val.Args) < 2 {
		return false
	}
	format, _ := p.constants[val.Args[0]].(string)
	for i, verb := range verbs(format) {
		if verb == 'w' && i+1 < len(val.Args) && p.wraps(val.Args[i+1], other, depth+1) {
			return true
		}
	}
	return false
}

func (p *program) isNil(v int) bool {
	return p.flow.Values[v].Op == "const" && p.flow.Values[v].What == "nil"
}

func (p *program) knowsNil(v int, known facts) bool { _, ok := known.none[v]; return ok }

func (p *program) isReceive(v int) bool {
	val := &p.flow.Values[v]
	return val.Op == "future" && p.flow.Nodes[val.Node].Kind == shape.Receive
}

func (p *program) isTimeout(v int) bool {
	val := &p.flow.Values[v]
	return val.Op == "global" && strings.HasSuffix(val.What, "durablegen/runtime.ErrTimeout")
}
