package summary

import (
	"go/token"
	"go/types"
	"maps"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// A function may call what it is given for each entry of a map: forEach, and iterators that people write. Whether the order
// shows is decided by who gives it.

// yield judges a call of a func in a loop over a map, when it is one that the function around the loop was given. The body of a
// loop over an iterator is a function of its own, inside of that.
func (l *loop) yield(in ssa.CallInstruction) {
	c := in.Common()
	if !slices.ContainsFunc(c.Args, func(a ssa.Value) bool { return l.values[a] || l.values[root(a)] }) {
		return
	}
	around := l.fn
	if l.header == nil {
		around = l.fn.Parent()
	}
	for _, param := range behind(c.Value).params {
		if param.Parent() == around {
			l.yields = append(l.yields, leak{rule: "DET402", what: param.Name() + " in map order", pos: in.Pos(), param: slices.Index(around.Params, param)})
		}
	}
}

// yielded notes what a loop at pos calls of the parameters of n.
func (p *pkg) yielded(n *node, pos token.Pos, yields []leak) {
	for _, y := range yields {
		if !p.marks.allowed(y.rule, pos) && !p.marks.allowed(y.rule, y.pos) {
			h := &Hazard{Rule: y.rule, What: y.what, Spot: p.spot(pos)}
			if h.Pos.IsValid() {
				h.Deep = p.at(y.pos)
			}
			n.sum.calls(y.param, h)
		}
	}
}

// yieldedBy is yielded of a function that another one calls in the order of a map: what it calls are parameters of the function
// around it.
func (p *pkg) yieldedBy(body *ssa.Function, rule, name string, pos token.Pos, yields []leak) {
	around := p.nodes[body.Parent()]
	if around == nil || p.marks.allowed(rule, pos) {
		return
	}
	for _, y := range yields {
		h := &Hazard{Rule: rule, What: name, Spot: p.spot(pos)}
		if h.Pos.IsValid() {
			h.Deep = p.at(y.pos)
		}
		p.grew = around.sum.calls(y.param, h) || p.grew
	}
}

// calls notes that a parameter is called in the order of a map, and reports whether that is news.
func (s *sum) calls(param int, h *Hazard) bool {
	if had := s.each[param]; had != nil && !h.shorter(had) {
		return false
	}
	s.each[param] = h
	return true
}

// passEach judges what a caller gives to be called in the order of a map, and reports whether that is news.
func (p *pkg) passEach(n *node, c pending) bool {
	if c.on == nil {
		return false
	}
	changed := false
	for _, i := range slices.Sorted(maps.Keys(c.callee.each)) {
		if i < len(c.on.Args) {
			h := c.callee.each[i].through(p.module, Spot{Pos: c.pos}, c.step)
			changed = p.given(n, c.on.Args[i], h, c.pos) || changed
		}
	}
	return changed
}

// given judges a func that is called in the order that h tells of.
func (p *pkg) given(n *node, fn ssa.Value, h *Hazard, pos token.Pos) bool {
	params := behind(fn).params
	switch fn.(type) {
	case *ssa.Function, *ssa.MakeClosure:
		params = nil
	}
	changed := false
	for _, param := range params { // of a function around n nothing is told
		if i := slices.Index(n.fn.Params, param); i >= 0 {
			changed = n.sum.calls(i, h) || changed
		}
	}
	if len(params) == 0 {
		changed = p.ordered(n, h, pos, p.each(fn, h.What, pos))
	}
	return changed
}

// ordered adds h to n if something shows of its order, and the ties that are sorted in it.
func (p *pkg) ordered(n *node, h *Hazard, pos token.Pos, leaks []leak) bool {
	changed := false
	for _, l := range leaks {
		switch {
		case p.marks.allowed(l.rule, l.pos) || p.marks.allowed(h.Rule, pos):
		case l.rule == "DET405":
			changed = n.sum.hazards.add(&Hazard{Rule: l.rule, What: l.what, Spot: p.spot(l.pos)}) || changed
		case l.returned:
			changed = n.sum.pending.add(h) || changed
		default:
			changed = n.sum.hazards.add(h) || changed
		}
	}
	return changed
}

// iterator is the order in which a closure, or a method with its receiver, calls its only parameter; nil when that is not of a map.
func (p *pkg) iterator(fn *ssa.Function) *Hazard {
	if len(fn.Params) != 1 {
		return nil
	}
	if to := p.nodes[fn]; to != nil {
		return to.sum.each[0]
	}
	obj, ok := fn.Object().(*types.Func)
	if !ok {
		return nil
	}
	if to := p.nodes[p.ssa.Prog.FuncValue(obj.Origin())]; to != nil {
		return to.sum.each[1]
	}
	return nil
}

// iterators judges what becomes of the closures that n makes and that call their only parameter in the order of a map.
func (p *pkg) iterators(n *node) bool {
	changed := false
	for _, b := range live(n.fn) {
		for _, in := range b.Instrs {
			m, ok := in.(*ssa.MakeClosure)
			if !ok {
				continue
			}
			h := p.iterator(m.Fn.(*ssa.Function))
			if h == nil {
				continue
			}
			f, leaks := p.sequence(m, h.What, map[ssa.Value]bool{})
			changed = p.ordered(n, h, m.Pos(), append(leaks, f.leakOf(h.What, m)...)) || changed
		}
	}
	return changed
}
