package rehearsal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// Missing tells what the programs do not have in common and no scenario has shown: while there is any, that nothing was found
// says little.
func (x *Pair) Missing() []string {
	return append(x.old.missing(x.now), x.now.missing(x.old)...)
}

// signs are what steps and values of a side look like from near.
func (s *side) signs() map[string]bool {
	signs := map[string]bool{}
	s.each(func(p *program) {
		for v := range p.flow.Values {
			signs[p.sign(v, 2)] = true
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

func (s *side) missing(other *side) (out []string) {
	signs := other.signs()
	s.each(func(p *program) {
		if s.said[p] && !s.ran[p] {
			return
		}
		for n := range p.flow.Nodes {
			node := &p.flow.Nodes[n]
			if slotKinds[node.Kind] && !s.decided[node] {
				out = append(out, fmt.Sprintf("slot %d %s %s", n, node.Kind, node.Target))
			}
			if signs[p.signOf(n)] {
				continue
			}
			switch {
			case node.Kind == shape.Join || node.Kind == shape.Return:
			case !s.nodes[node]:
				out = append(out, fmt.Sprintf("node %d %s %s", n, node.Kind, node.Target))
			case node.Kind == shape.Go && len(node.Args) > 1 && node.Target != "go" && s.asks[question{p, node.Args[1]}]&sawMore == 0:
				out = append(out, fmt.Sprintf("many in %d", n))
			case node.Kind == shape.Branch && !(s.ways[way2{node, 0}] && s.ways[way2{node, 1}]):
				out = append(out, fmt.Sprintf("way of %d", n))
			}
		}
		for v := range p.flow.Values {
			if signs[p.sign(v, 2)] {
				continue
			}
			val := &p.flow.Values[v]
			if val.Op == "phi" || val.Op == "const" {
				continue
			}
			seen := s.asks[question{p, v}]
			switch {
			case seen&evaluated == 0:
				out = append(out, fmt.Sprintf("value %d %s %s", v, val.Op, val.What))
			case (val.Op == "if" || val.Op == "==" || val.Op == "has" || val.Op == "is") && seen&3 != 3,
				(val.Op == "<" || val.Op == "<=") && (seen&3 != 3 || seen&sawEqual == 0):
				out = append(out, fmt.Sprintf("answer of %d %s %b", v, strings.ReplaceAll(p.sign(v, 2), "\x00", " "), seen))
			}
		}
	})
	slices.Sort(out)
	return out
}

// What was seen of a value, beside answers that are no and yes.
const (
	sawLess = 4 << iota
	sawEqual
	sawMore
	evaluated
)

var slotKinds = map[shape.NodeKind]bool{shape.Activity: true, shape.Timer: true, shape.Child: true, shape.Send: true}
