package rehearsal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// lack is something of a program that scenarios have to show.
type lack struct {
	p      *program
	n, v   int // a node or a value, -1 for none
	number int // of an arrival, -1 for none
	what   string
	still  func(p *program, n, v int) bool
}

// missing reports that nothing has shown it yet. Of a function that was compared as a whole, nothing has to be shown.
func (l lack) missing() bool {
	s := l.p.side
	return !(s.said[l.p] && !s.ran[l.p]) && l.still(l.p, l.n, l.v)
}

// missing tells what the programs do not have in common and no scenario has shown: while there is any, that nothing was found
// says little.
func (x *pair) missing() (out []string) {
	for _, l := range x.lacks {
		if l.missing() {
			out = append(out, l.what)
		}
	}
	return out
}

// unseen says what is missing to people: steps by what they are, values and conditions by their lines.
func (x *pair) unseen() (out []string) {
	if x.endless {
		out = append(out, "an end of every step of the new code")
	}
	for _, l := range x.lacks {
		if !l.missing() {
			continue
		}
		what := "all that may matter"
		if l.v >= 0 && l.p.flow.Values[l.v].Pos.IsValid() {
			what = fmt.Sprintf("all outcomes of line %d", l.p.flow.Values[l.v].Pos.Line)
		} else if l.n >= 0 && slotKinds[l.p.flow.Nodes[l.n].Kind] {
			what = l.p.flow.Nodes[l.n].String() + " often enough"
		}
		if !slices.Contains(out, what) {
			out = append(out, what)
		}
	}
	return out
}

// complete reports whether nothing is missing.
func (x *pair) complete() bool {
	return !slices.ContainsFunc(x.lacks, lack.missing)
}

// signs are what steps and values of a side look like from near.
func (s *side) signs() map[string]bool {
	signs := map[string]bool{}
	s.each(func(p *program) {
		for v := range p.flow.Values {
			signs[p.sign(v, 2)] = true
			if p.flow.Values[v].Op == "phi" {
				signs[p.signOfPhi(v)] = true
			}
		}
		for n := range p.flow.Nodes {
			signs[p.signOf(n)] = true
		}
	})
	return signs
}

func (p *program) each(visit func(*program)) {
	visit(p)
	for _, inner := range p.inner {
		inner.each(visit)
	}
}

// sign says what a value looks like down to a depth.
func (p *program) sign(v, depth int) string {
	val := &p.flow.Values[v]
	s := val.Op + "\x00" + val.What + "\x00" + val.Sum
	if val.Op == "const" {
		return s
	}
	if val.Node != 0 || val.Op == "future" {
		n := &p.flow.Nodes[val.Node]
		s += string(n.Kind) + n.Target
	}
	if depth == 0 || val.Op == "phi" {
		return s
	}
	for _, a := range val.Args {
		s += "(" + p.sign(a, depth-1) + ")"
	}
	return s
}

// signOf says what a step looks like, with what is behind it.
func (p *program) signOf(n int) string {
	node := &p.flow.Nodes[n]
	s := "node " + string(node.Kind) + " " + node.Target
	for _, a := range node.Args {
		s += "(" + p.sign(a, 2) + ")"
	}
	for _, next := range node.Next {
		s += "," + p.behind(next)
	}
	return s
}

// behind names the step at the end of joins.
func (p *program) behind(n int) string {
	for range 8 {
		node := &p.flow.Nodes[n]
		if node.Kind != shape.Join || len(node.Next) == 0 {
			return string(node.Kind) + node.Target
		}
		n = node.Next[0]
	}
	return "join"
}

// lacks are what scenarios have to show of a side beside another.
func (s *side) lacks(other *side) (out []lack) {
	signs := other.signs()
	s.changed = map[question]bool{}
	s.each(func(p *program) {
		p.follow(signs)
		out = append(out, p.lacksUse()...)
		for n := range p.flow.Nodes {
			out = append(out, p.lacksOf(n, signs[p.signOf(n)])...)
		}
		for v := range p.flow.Values {
			if signs[p.sign(v, 2)] || !p.used[v] {
				continue
			}
			val := &p.flow.Values[v]
			if val.Op == "phi" || val.Op == "const" {
				continue
			}
			if p.needs[v] != 0 || val.Op == "call" {
				s.changed[question{p, v}] = true
			}
			out = append(out, lack{p, -1, v, -1, fmt.Sprintf("value %d %s", v, strings.ReplaceAll(p.sign(v, 2), "\x00", " ")), unanswered})
		}
	})
	return out
}

// unanswered reports that a value was not computed, or has not come to all answers.
func unanswered(p *program, _, v int) bool {
	return !p.isIdle(v) && (p.asks[v]&evaluated == 0 || question{p, v}.missing())
}

// lacksUse are the steps that have to be seen to get something.
func (p *program) lacksUse() (out []lack) {
	for n, may := range p.mayGet() {
		for i, name := range p.names {
			if may.has(i) && !p.last(n) {
				what := fmt.Sprintf("use of %s in %d %s", name, n, p.flow.Nodes[n].Kind)
				out = append(out, lack{p, n, -1, i, what, func(p *program, n, _ int) bool {
					return !p.came[n].has(i) && (!p.usedAt(i) || !p.gets(n, i)) && p.mayReach(i, n)
				}})
			}
		}
	}
	return out
}

// usedAt reports whether an arrival has come to any step.
func (p *program) usedAt(i int) bool {
	return slices.ContainsFunc(p.came, func(a arrivals) bool { return a.has(i) })
}

// gets reports whether a step has got a variable by any of its ways.
func (p *program) gets(n, i int) bool {
	for at, k := range p.number {
		if at.phi == p.all[i].phi && p.came[n].has(k) {
			return true
		}
	}
	return false
}

// last reports whether a node ends the execution: what it takes is in no history that is repeated.
func (p *program) last(n int) bool {
	kind := p.flow.Nodes[n].Kind
	return kind == shape.Continue || kind == shape.Return && p == p.side.program
}

// lacksOf are what scenarios have to show of a node. common: the other side has it, too.
func (p *program) lacksOf(n int, common bool) (out []lack) {
	node := &p.flow.Nodes[n]
	if !p.live[n] {
		return nil
	}
	add := func(what string, v int, still func(p *program, n, v int) bool) {
		out = append(out, lack{p, n, v, -1, fmt.Sprintf("%s %d %s %s", what, n, node.Kind, node.Target), still})
	}
	if slotKinds[node.Kind] {
		add("slot", -1, func(p *program, n, _ int) bool { return p.slots[n] < enoughSlots })
	}
	if common || node.Kind == shape.Join || node.Kind == shape.Return {
		return out
	}
	add("node", -1, func(p *program, n, _ int) bool { return p.nodes[n]&sawNode == 0 })
	if node.Kind == shape.Go && len(node.Args) > 1 && node.Target != "go" {
		limits := []int64{atOnce}
		if !takesAll(p.flow, node) {
			add("many in", node.Args[1], func(p *program, _, v int) bool { return p.asks[v]&sawMore == 0 })
			limits = p.limits(node.Args[1], nil)
		}
		for _, most := range limits {
			at := crowd{n, most}
			add(fmt.Sprintf("more than %d in", max(most, 1)), -1, func(p *program, _, _ int) bool { return !p.crowds[at] })
		}
	}
	if node.Kind == shape.Branch {
		add("ways of", -1, func(p *program, n, _ int) bool { return fork{p, n, 0}.missing() || fork{p, n, 1}.missing() })
	}
	return out
}

// crowd is a Map or ForEach that got more items than it takes at once, which was a constant.
type crowd struct {
	n    int
	most int64 // or atOnce
}

// atOnce stands for all: a Map or ForEach that takes any number of items at once has to get more than one.
const atOnce = 0

// limits are the constants that a value may be.
func (p *program) limits(v int, out []int64) []int64 {
	val := &p.flow.Values[v]
	n, isNumber := constant(val.What).(int64)
	switch {
	case val.Op == "const" && isNumber && n > 0 && !slices.Contains(out, n):
		out = append(out, n)
	case val.Op == "if":
		out = p.limits(val.Args[2], p.limits(val.Args[1], out))
	case val.Op == "call" && (val.What == "min" || val.What == "max"):
		for _, a := range val.Args {
			out = p.limits(a, out)
		}
	}
	return out
}

var slotKinds = map[shape.NodeKind]bool{shape.Activity: true, shape.Timer: true, shape.Child: true, shape.Send: true}
