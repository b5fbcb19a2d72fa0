package rehearsal

import (
	"fmt"
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// That a value of one of the programs was computed says little as long as nothing has used it: a step may get it much later,
// by variables. So what flows into a variable where ways meet is followed, if it is not in both programs, to all steps that
// may get it.

// arrival is a way by which a value comes into a variable.
type arrival struct{ phi, edge int }

// arrivals are some of those of a program, by their number.
type arrivals []uint64

func (a arrivals) has(n int) bool { return n/64 < len(a) && a[n/64]&(1<<(n%64)) != 0 }

func (a arrivals) with(n int) arrivals {
	a = slices.Clone(a)
	for len(a) <= n/64 {
		a = append(a, 0)
	}
	a[n/64] |= 1 << (n % 64)
	return a
}

func (a arrivals) and(b arrivals) arrivals {
	if len(b) > len(a) {
		a, b = b, a
	}
	for i := range b {
		if b[i]&^a[i] != 0 {
			a = slices.Clone(a)
			for k := range b {
				a[k] |= b[k]
			}
			return a
		}
	}
	return a
}

// flowing is what is known of the arrivals of a program.
type flowing struct {
	number   map[arrival]int
	byPhi    [][]int    // by value: the variables on which it depends, -1 in front of what was not looked for yet
	came     []arrivals // by node: what scenarios have brought to it
	names    []string
	all      []arrival      // by their number
	reach    []map[int]bool // the same: nodes that may use what comes so, nil in front of those that were not looked for yet
	changing map[int]bool   // variables of arrivals
}

// follow finds what has to be followed. common: values that both programs have, by what they look like.
func (p *program) follow(common map[string]bool) {
	p.changing = map[int]bool{}
	p.number, p.byPhi, p.came = map[arrival]int{}, make([][]int, len(p.flow.Values)), make([]arrivals, len(p.flow.Nodes))
	for v := range p.flow.Values {
		val := &p.flow.Values[v]
		if val.Op != "phi" {
			continue
		}
		whole := common[p.signOfPhi(v)]
		for e, a := range val.Args {
			if a != v && (!whole || !p.allCommon(a, common, map[int]bool{})) {
				p.changing[v] = true
				p.number[arrival{v, e}] = len(p.number)
				p.all = append(p.all, arrival{v, e})
				p.names = append(p.names, fmt.Sprintf("variable %d as of way %d", v, e))
			}
		}
	}
}

// signOfPhi is what a variable looks like, with all that comes into it.
func (p *program) signOfPhi(v int) string {
	val := &p.flow.Values[v]
	s := "variable"
	for i, a := range val.Args {
		s += "(" + p.sign(a, 2) + ")"
		if in := p.flow.Nodes[val.Node].In; i < len(in) {
			s += string(p.flow.Nodes[in[i].From].Kind) + p.flow.Nodes[in[i].From].Target
		}
	}
	return s
}

// allCommon reports whether both programs have a value, and all of which it is made outside of variables.
func (p *program) allCommon(v int, common map[string]bool, been map[int]bool) bool {
	if been[v] {
		return true
	}
	been[v] = true
	val := &p.flow.Values[v]
	if val.Op == "phi" {
		return true
	}
	if !common[p.sign(v, 2)] {
		return false
	}
	return !slices.ContainsFunc(val.Args, func(a int) bool { return !p.allCommon(a, common, been) })
}

// variables are those on which a value depends.
func (p *program) variables(v int) []int {
	if p.byPhi[v] == nil {
		found := []int{-1}
		been := map[int]bool{}
		var look func(v int)
		look = func(v int) {
			if been[v] {
				return
			}
			been[v] = true
			val := &p.flow.Values[v]
			if val.Op == "phi" {
				found = append(found, v)
				return
			}
			for _, a := range val.Args {
				look(a)
			}
		}
		look(v)
		p.byPhi[v] = found
	}
	return p.byPhi[v][1:]
}

// into is what arrivals bring to a value.
func (p *program) into(v int, state map[int]arrivals) (out arrivals) {
	for _, phi := range p.variables(v) {
		out = out.and(state[phi])
	}
	return out
}

// arrive is what arrivals bring to a variable by one of its ways.
func (p *program) arrive(at arrival, state map[int]arrivals) arrivals {
	out := p.into(p.flow.Values[at.phi].Args[at.edge], state)
	if n, ok := p.number[at]; ok {
		out = out.with(n)
	}
	return out
}

// get notes what has come to a node.
func (p *program) get(n int, state map[int]arrivals) {
	if len(p.number) == 0 || p.side.silent {
		return
	}
	for _, v := range p.flow.Nodes[n].Args {
		if came := p.came[n].and(p.into(v, state)); !slices.Equal(came, p.came[n]) {
			p.came[n] = came
			p.side.fresh++
		}
	}
}

// mayGet finds what may come to each node.
func (p *program) mayGet() []arrivals {
	out := make([]arrivals, len(p.flow.Nodes))
	if len(p.number) == 0 {
		return out
	}
	states := make([]map[int]arrivals, len(p.flow.Nodes))
	states[0] = map[int]arrivals{}
	open := []int{0}
	for len(open) > 0 {
		n := open[len(open)-1]
		open = open[:len(open)-1]
		for i, next := range p.flow.Nodes[n].Next {
			if p.closed[fork{p, n, i}] {
				continue
			}
			if p.merge(n, i, next, states) {
				open = append(open, next)
			}
		}
	}
	for n := range out {
		if states[n] != nil && p.flow.Nodes[n].Kind != shape.Join {
			for _, v := range p.flow.Nodes[n].Args {
				out[n] = out[n].and(p.into(v, states[n]))
			}
		}
	}
	return out
}

// mayReach reports whether a node may use what an arrival brings: mayGet finds it for all of them at once, but does not tell
// apart what is known on the ways of each.
func (p *program) mayReach(number, n int) bool {
	if p.reach == nil {
		p.reach = make([]map[int]bool, len(p.all))
	}
	if p.reach[number] == nil {
		p.reach[number] = p.reaches(p.all[number])
	}
	return p.reach[number][n]
}

// merge adds to the state at the end of a way. It reports whether that is more.
func (p *program) merge(n, i, next int, states []map[int]arrivals) bool {
	more := states[next] == nil
	if more {
		states[next] = map[int]arrivals{}
	}
	set := map[int]arrivals{}
	for phi, a := range states[n] {
		set[phi] = a
	}
	for _, e := range p.ways[way{n, i}] {
		if in := p.flow.Nodes[next].In; e < len(in) && in[e].From == n && in[e].Next == i {
			for _, phi := range p.phis[next] {
				if e < len(p.flow.Values[phi].Args) {
					set[phi] = p.arrive(arrival{phi, e}, states[n])
				}
			}
		}
	}
	for phi, a := range set {
		if all := states[next][phi].and(a); !slices.Equal(all, states[next][phi]) {
			states[next][phi] = all
			more = true
		}
	}
	return more
}
