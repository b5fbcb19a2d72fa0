package summary

import (
	"cmp"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// unordered judges a call that a table knows to give, or to call, in the order of a map (DET404).
func (p *pkg) unordered(n *node, c *ssa.Call) {
	fn := c.Call.StaticCallee()
	if fn == nil {
		return
	}
	obj, ok := form.Origin(fn).Object().(*types.Func)
	if !ok || obj.Pkg() == nil || isRuntime(obj.Pkg().Path()) {
		return
	}
	e, known, listed := listed(obj)
	if !listed || !known || !e.Order {
		return
	}
	name := form.Short(obj.FullName())
	for _, call := range e.Calls {
		if i := argument(obj, call.Arg); call.Methods == nil && i < len(c.Call.Args) {
			p.leaked(n, "DET404", c.Pos(), p.each(c.Call.Args[i], name, c.Pos()))
			return
		}
	}
	if obj.Name() == "DeleteFunc" || obj.Name() == "EqualFunc" {
		return
	}
	p.leaked(n, "DET404", c.Pos(), p.order404(c, name))
}

// each judges a func that is called for each entry of a map.
func (p *pkg) each(fn ssa.Value, name string, pos token.Pos) []leak {
	var body *ssa.Function
	switch fn := fn.(type) {
	case *ssa.MakeClosure:
		body = fn.Fn.(*ssa.Function)
	case *ssa.Function:
		body = fn
	default:
		return []leak{{rule: "DET404", what: name, pos: pos}}
	}
	l := p.calledLoop(body, pos)
	l.run()
	p.yieldedBy(body, "DET404", name, pos, l.yields)
	return l.named(name)
}

// named tells what shows of the order of a call by the call's name.
func (l *loop) named(name string) []leak {
	for i := range l.leaks {
		if l.leaks[i].rule != "DET405" {
			l.leaks[i].what = name
		}
	}
	return l.leaks
}

// order404 tells where the order of a call's result shows.
func (p *pkg) order404(v ssa.Value, name string) []leak {
	var f fate
	switch v.Type().Underlying().(type) {
	case *types.Signature:
		var leaks []leak
		f, leaks = p.sequence(v, name, map[ssa.Value]bool{})
		return append(leaks, f.leakOf(name, v)...)
	case *types.Slice:
		f = p.slice(v, nil)
	default:
		f.leaks = true
	}
	return f.leakOf(name, v)
}

func (f fate) leakOf(name string, v ssa.Value) []leak {
	var out []leak
	switch {
	case f.leaks:
		out = append(out, leak{rule: "DET404", what: name, pos: v.Pos()})
	case f.returned:
		out = append(out, leak{rule: "DET404", what: name, pos: v.Pos(), returned: true})
	}
	for _, pos := range f.ties {
		out = append(out, leak{rule: "DET405", what: "sort by a key that may be equal", pos: pos})
	}
	return out
}

// sequence is the fate of an iterator, and where loops over it show its order.
func (p *pkg) sequence(v ssa.Value, name string, seen map[ssa.Value]bool) (f fate, leaks []leak) {
	if seen[v] || v.Referrers() == nil {
		return f, nil
	}
	seen[v] = true
	for _, r := range *v.Referrers() {
		var more fate
		var inside []leak
		switch r := r.(type) {
		case *ssa.DebugRef:
		case *ssa.ChangeType:
			more, inside = p.sequence(r, name, seen)
		case *ssa.Phi:
			more, inside = p.sequence(r, name, seen)
		case *ssa.Return:
			more.returned = true
		case *ssa.Call:
			if r.Call.Value == v && len(r.Call.Args) == 1 {
				inside = p.each(r.Call.Args[0], name, cmp.Or(r.Pos(), v.Pos()))
			} else {
				more = p.consumed(r)
			}
		default:
			more.leaks = true
		}
		f.leaks, f.returned = f.leaks || more.leaks, f.returned || more.returned
		f.ties = append(f.ties, more.ties...)
		leaks = append(leaks, inside...)
	}
	return f, leaks
}

// consumed is the fate of an iterator that a call takes.
func (p *pkg) consumed(c *ssa.Call) fate {
	switch path, name := calleeName(c); path + "." + name {
	case "slices.Sorted", "maps.Collect", "maps.Insert":
		return fate{}
	case "slices.SortedFunc", "slices.SortedStableFunc":
		if !p.totalFunc(c.Call.Args[1], c) {
			return fate{ties: []token.Pos{c.Pos()}}
		}
		return fate{}
	case "slices.Collect", "slices.AppendSeq":
		return p.slice(c, nil)
	}
	return fate{leaks: true}
}

// passPending judges what a caller does with a result that has the order of a map, and reports whether that is news.
func (p *pkg) passPending(n *node, c pending) bool {
	if len(c.callee.pending) == 0 {
		return false
	}
	f := fate{leaks: true}
	var leaks []leak
	if call := p.results[c.on]; call != nil {
		f, leaks = p.resultFate(call)
	}
	if len(leaks) > 0 {
		f.leaks = true
	}
	changed := false
	for _, h := range c.callee.pending {
		h := h.through(p.module, Spot{Pos: c.pos}, c.step)
		switch {
		case p.marks.allowed(h.Rule, c.pos):
		case f.leaks:
			changed = n.sum.hazards.add(h) || changed
		case f.returned:
			changed = n.sum.pending.add(h) || changed
		}
	}
	for _, pos := range f.ties {
		if !p.marks.allowed("DET405", pos) {
			changed = n.sum.hazards.add(&Hazard{Rule: "DET405", What: "sort by a key that may be equal", Spot: Spot{Pos: pos}}) || changed
		}
	}
	return changed
}

// resultFate is what becomes of the slices and iterators among the results of a call.
func (p *pkg) resultFate(c *ssa.Call) (f fate, leaks []leak) {
	results := []ssa.Value{c}
	if _, ok := c.Type().(*types.Tuple); ok {
		results = nil
		for _, r := range *c.Referrers() {
			if e, ok := r.(*ssa.Extract); ok {
				results = append(results, e)
			}
		}
	}
	for _, v := range results {
		var more fate
		var inside []leak
		switch v.Type().Underlying().(type) {
		case *types.Signature:
			more, inside = p.sequence(v, "", map[ssa.Value]bool{})
		case *types.Slice:
			more = p.slice(v, nil)
		default:
			continue
		}
		f.leaks, f.returned = f.leaks || more.leaks, f.returned || more.returned
		f.ties = append(f.ties, more.ties...)
		leaks = append(leaks, inside...)
	}
	slices.Sort(f.ties)
	return f, slices.DeleteFunc(leaks, func(l leak) bool { return l.rule == "DET405" })
}

// atMostOne reports whether a map is made here with one entry or none, and nothing can put more into it.
func atMostOne(m ssa.Value) bool {
	made, ok := m.(*ssa.MakeMap)
	if !ok {
		return false
	}
	entries := 0
	for _, r := range *made.Referrers() {
		switch r := r.(type) {
		case *ssa.MapUpdate:
			if r.Map != made || r.Block() != made.Block() {
				return false
			}
			entries++
		case *ssa.Range, *ssa.Lookup, *ssa.DebugRef:
		case *ssa.Call:
			if _, builtin := r.Call.Value.(*ssa.Builtin); !builtin {
				return false
			}
		default:
			return false
		}
	}
	return entries <= 1
}
