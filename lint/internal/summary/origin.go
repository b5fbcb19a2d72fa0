package summary

import (
	"go/token"
	"go/types"
	"maps"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// initialValues are what initial functions store into the variables of the package, in the order of the code.
func (p *pkg) initialValues(initial map[*node]bool) map[*types.Var][]ssa.Value {
	values := map[*types.Var][]ssa.Value{}
	add := func(to []*ssa.Global, v ssa.Value) {
		for i, g := range to {
			if of, ok := g.Object().(*types.Var); ok && !slices.Contains(to[:i], g) {
				values[of] = append(values[of], v)
			}
		}
	}
	for _, n := range p.order {
		if !initial[n] {
			continue
		}
		for _, b := range n.fn.Blocks {
			for _, in := range b.Instrs {
				switch in := in.(type) {
				case *ssa.Store:
					add(addressed(in.Addr).globals, in.Val)
				case *ssa.MapUpdate:
					add(behind(in.Map).globals, in.Value)
				}
			}
		}
	}
	return values
}

// origins looks at the initial values of a variable: what they were computed from, and the functions and interfaces that it
// holds now.
func (p *pkg) origins(g *global, values []ssa.Value) {
	g.fact.Holds = nil
	for _, v := range values {
		p.origin(g, v)
	}
}

// origin follows a stored value back to the calls and functions that it is made of.
func (p *pkg) origin(g *global, v ssa.Value) {
	g.set = true
	sources := map[ssa.Value]bool{}
	trace(v, sources)
	held := newSum()
	for s := range sources {
		switch s := s.(type) {
		case *ssa.Call:
			p.originCall(g, s)
		case *ssa.UnOp:
			if from, ok := s.X.(*ssa.Global); ok {
				p.originVariable(g, from, s.Pos())
			}
		case *ssa.MakeInterface:
			if m := p.typeOf(s.X.Type()); m != nil {
				g.types[m.name] = m
			}
		case *ssa.Function:
			p.hold(held, s)
		case *ssa.MakeClosure:
			p.hold(held, s.Fn.(*ssa.Function))
			if p.remembers(s) {
				g.fact.State = form.FuncName(s.Fn.(*ssa.Function))
			}
		}
	}
	g.fact.Holds = append(g.fact.Holds, factsOf(held.hazards, p.at)...)
	maps.Copy(g.types, held.types)
}

// comesFrom keeps the first effect, by name, that a variable was computed from.
func (p *pkg) comesFrom(g *global, h *Hazard) {
	if p.marks.allowed("DET503", h.Pos) || g.fact.Origin != nil && g.fact.Origin.What <= h.What {
		return
	}
	o := *h
	o.Spot = h.Spot.fact(p.at)
	g.fact.Origin = &o
}

// originCall is for a variable that is computed by a function of the package: what it does, and the funcs with memory that
// it gives.
func (p *pkg) originCall(g *global, c *ssa.Call) {
	fn := c.Call.StaticCallee()
	if fn == nil {
		return
	}
	own := p.nodes[form.Origin(fn)]
	if own == nil {
		p.originAbroad(g, fn, c.Pos())
		return
	}
	maps.Copy(g.types, own.sum.types)
	for _, h := range own.sum.hazards.sorted() {
		if varies(h.Rule) {
			p.comesFrom(g, h)
		}
	}
	for _, b := range own.fn.Blocks {
		ret, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return)
		if !ok {
			continue
		}
		for _, v := range ret.Results {
			if m, ok := v.(*ssa.MakeClosure); ok && p.remembers(m) {
				g.fact.State = form.FuncName(own.fn)
			}
		}
	}
}

// originAbroad is originCall of a function of another package.
func (p *pkg) originAbroad(g *global, fn *ssa.Function, pos token.Pos) {
	obj, ok := form.Origin(fn).Object().(*types.Func)
	if !ok || obj.Pkg() == nil || isRuntime(obj.Pkg().Path()) {
		return
	}
	if e, _, listed := listed(obj); listed {
		p.comesFromListed(g, e.Rule, form.Short(obj.FullName()), pos)
		return
	}
	s := p.summaryOf(obj)
	if s == nil {
		return
	}
	maps.Copy(g.types, s.types)
	for _, h := range s.hazards.sorted() {
		if varies(h.Rule) && !p.marks.allowed(h.Rule, pos) {
			p.comesFrom(g, h)
		}
	}
}

func (p *pkg) comesFromListed(g *global, rule, what string, pos token.Pos) {
	h := &Hazard{Rule: rule, What: what, Spot: p.spot(pos)}
	if (varies(rule) || asItself(h)) && !p.marks.allowed(rule, pos) {
		p.comesFrom(g, h)
	}
}

func (p *pkg) originVariable(g *global, from *ssa.Global, pos token.Pos) {
	v, ok := from.Object().(*types.Var)
	if !ok || v.Pkg() == nil {
		return
	}
	if e, _, listed := listed(v); listed {
		p.comesFromListed(g, e.Rule, form.Short(v.Pkg().Path()+"."+v.Name()), pos)
		return
	}
	if own := p.globals[v]; own != nil {
		if own.fact.Origin != nil {
			p.comesFrom(g, own.fact.Origin)
		}
		if own.fact.State != "" {
			g.fact.State = own.fact.State
		}
		maps.Copy(g.types, own.types)
		return
	}
	var f Variable
	if p.pass.ImportObjectFact(v, &f) && f.Origin != nil {
		p.comesFrom(g, f.Origin)
	}
}

// remembers reports whether a closure writes what it has captured, or is a method that writes its receiver: it gives
// something else the next time.
func (p *pkg) remembers(m *ssa.MakeClosure) bool {
	fn := m.Fn.(*ssa.Function)
	if obj, ok := fn.Object().(*types.Func); ok && fn.Synthetic != "" { // a method with its receiver
		if obj.Pkg() == p.pass.Pkg {
			own := p.nodes[p.ssa.Prog.FuncValue(obj.Origin())]
			return own != nil && own.sum.writes[0]
		}
		s := p.summaryOf(obj.Origin())
		return s != nil && s.writes[0]
	}
	for _, b := range fn.Blocks {
		for _, in := range b.Instrs {
			switch in := in.(type) {
			case *ssa.Store:
				if captured(in.Addr) {
					return true
				}
			case *ssa.MapUpdate:
				if captured(in.Map) {
					return true
				}
			}
		}
	}
	return false
}

// captured reports whether memory belongs to what a closure has captured.
func captured(v ssa.Value) bool {
	_, ok := root(v).(*ssa.FreeVar)
	return ok
}

// hold adds what fn does to what a variable holds.
func (p *pkg) hold(held *sum, fn *ssa.Function) {
	user := &node{fn: fn, sum: held}
	p.use(user, fn, token.NoPos, nil)
	for _, c := range user.calls {
		held.merge(c.to.sum)
	}
}

// trace gathers the values that v is computed from, inside its function.
func trace(v ssa.Value, seen map[ssa.Value]bool) {
	if v == nil || seen[v] {
		return
	}
	seen[v] = true
	if a, ok := v.(*ssa.Alloc); ok {
		stored(a, seen)
	}
	if m, ok := v.(*ssa.MakeMap); ok {
		for _, r := range *m.Referrers() {
			if u, ok := r.(*ssa.MapUpdate); ok {
				trace(u.Value, seen)
			}
		}
	}
	if c, ok := v.(*ssa.Call); ok { // what is called is no part of the value
		for _, arg := range c.Call.Args {
			trace(arg, seen)
		}
		return
	}
	if in, ok := v.(ssa.Instruction); ok {
		for _, op := range in.Operands(nil) {
			trace(*op, seen)
		}
	}
}

func stored(addr ssa.Value, seen map[ssa.Value]bool) {
	for _, r := range *addr.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			if r.Addr == addr {
				trace(r.Val, seen)
			}
		case *ssa.FieldAddr:
			stored(r, seen)
		case *ssa.IndexAddr:
			stored(r, seen)
		}
	}
}
