package rehearsal

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// A future that is not complete may get another error and another result behind any step. Once it is complete without an error,
// both stay what they are. A wait that has ended with an error says less: a cancellation may have ended it.

// waited is what is known of futures where a node is.
type waited struct {
	there map[int]bool // those that were waited for
	last  map[int]int  // those of which a node has waited for the first
	well  map[int]bool // those that are complete without an error
}

// wait adds what a node that waits says of what it waits for. before: what was known before it.
func (p *program) wait(n int, before, known facts) {
	node := &p.flow.Nodes[n]
	switch node.Kind {
	case shape.Await:
		for _, v := range node.Args {
			if !p.waitsElsewhere(v) {
				known.there[v] = true
			}
		}
	case shape.AwaitAny:
		if _, ok := p.which(n); !ok {
			return
		}
		for _, v := range node.Args {
			if p.isThere(v, before) {
				known.there[v] = true
			}
			known.last[v] = n
		}
	case shape.Go:
		if node.Target == "map" || node.Target == "foreach" { // what it gives is there behind it
			for v := range p.flow.Values {
				if val := &p.flow.Values[v]; val.Op == "future" && val.Node == n {
					known.there[v] = true
				}
			}
		}
	}
}

// waitsElsewhere reports whether a future is waited for in another Context than its own: such a wait may end before it is complete.
func (p *program) waitsElsewhere(future int) bool {
	for v := range p.waits {
		if v == future {
			return true
		}
	}
	return false
}

// isThere reports whether it is known that a future is complete, or that a wait for it has ended.
func (p *program) isThere(future int, known facts) bool {
	if known.there[future] {
		return true
	}
	for v, yes := range known.is {
		if val := &p.flow.Values[v]; yes && val.Op == "ready" && val.Args[0] == future {
			return true
		}
	}
	n, ok := known.last[future]
	if !ok {
		return false
	}
	for v, s := range known.in {
		val := &p.flow.Values[v]
		if val.Op == "result" && len(val.Args) == 0 && val.What == "" && val.Node == n && s.low == s.high && p.flow.Nodes[n].Args[s.low] == future {
			return true
		}
	}
	return false
}

// lasts reports whether what is known of a value stays so behind any step that makes none of that on which it depends anew.
func (p *program) lasts(v int, known facts) bool {
	g := p.ground(v)
	return !g.fleeting && !slices.ContainsFunc(g.futures, func(f int) bool { return !known.well[f] })
}

// outcomeOf gives the future of which a value is the error or the result, -1 if it is none.
func (p *program) outcomeOf(v int) int {
	val := &p.flow.Values[v]
	if (val.Op == "error" || val.Op == "result") && len(val.Args) == 1 && val.Node == 0 {
		return val.Args[0]
	}
	return -1
}

// choosesFirst reports whether which of two a value is depends on what of several was there first.
func (p *program) choosesFirst(val *shape.Value) bool {
	c := &p.flow.Values[val.Args[0]]
	if c.Op != "==" || len(c.Args) != 2 {
		return false
	}
	first := &p.flow.Values[c.Args[0]]
	return first.Op == "result" && len(first.Args) == 0 && first.What == "" && p.flow.Nodes[first.Node].Kind == shape.AwaitAny
}

// chosen gives what is known where a value is one of the two between which it is: of several futures only one was the first.
func (p *program) chosen(val *shape.Value, yes bool, known facts) facts {
	if p.choosesFirst(val) {
		known = known.clone()
		p.learn(val.Args[0], yes, known)
	}
	return known
}
