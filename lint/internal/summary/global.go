package summary

import (
	"go/token"
	"go/types"
	"maps"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/effects"
)

// global is a variable of the package.
type global struct {
	fact   Variable
	types  map[string]*made
	writes []place
	reads  []place
}

type place struct {
	by  *node
	pos token.Pos
}

func (p *pkg) findGlobals() {
	for _, m := range p.ssa.Members {
		if g, ok := m.(*ssa.Global); ok && g.Object() != nil {
			p.globals[g.Object().(*types.Var)] = &global{types: map[string]*made{}}
		}
	}
}

// read notes that n uses a package variable other than by storing into it.
func (p *pkg) read(n *node, in ssa.Instruction, g *ssa.Global, pos token.Pos) {
	v, ok := g.Object().(*types.Var)
	if s, store := in.(*ssa.Store); !ok || store && s.Addr == g {
		return
	}
	if own := p.globals[v]; own != nil {
		own.reads = append(own.reads, place{n, pos})
		return
	}
	if v.Pkg() == nil || isRuntime(v.Pkg().Path()) {
		return
	}
	name := short(v.Pkg().Path() + "." + v.Name())
	if effects.Std(v.Pkg().Path()) {
		if e, known := effects.Of(v); !known {
			p.hazard(n, "DET901", name, pos)
		} else if e.Rule != "" {
			p.hazard(n, e.Rule, name, pos)
		}
		return
	}
	var f Variable
	if p.pass.ImportObjectFact(v, &f) {
		p.readFact(n, name, &f, pos)
	}
}

// readFact adds what reading a variable brings.
func (p *pkg) readFact(n *node, name string, f *Variable, pos token.Pos) {
	if f.Written != "" {
		p.noted(n, "DET502", name, f.Written, pos)
	}
	if f.Origin != nil {
		p.noted(n, "DET503", name, f.Origin.What, pos)
	}
	held := newSum()
	held.fill(f.Holds, nil)
	for _, t := range f.Types {
		held.types[t.Name] = madeOf(t)
	}
	n.sum.add(held, Step{Func: name, At: p.at(pos)}, pos, true)
}

func (p *pkg) noted(n *node, rule, what, note string, pos token.Pos) {
	if !p.marks.allowed(rule, pos) {
		n.sum.hazards.add(&Hazard{Rule: rule, What: what, Note: note, Pos: pos})
	}
}

// writeGlobal notes a write of a package variable, of this package or of another.
func (p *pkg) writeGlobal(n *node, g *ssa.Global, pos token.Pos) {
	v, ok := g.Object().(*types.Var)
	if !ok {
		return
	}
	if own := p.globals[v]; own != nil {
		own.writes = append(own.writes, place{n, pos})
		return
	}
	p.hazard(n, "DET501", short(v.Pkg().Path()+"."+v.Name()), pos)
}

// judgeGlobals says what the variables of the package are good for, and tells those who read or write them.
func (p *pkg) judgeGlobals() {
	for _, n := range p.order {
		for _, c := range n.calls {
			for i := range c.to.sum.writes {
				if c.on != nil && i < len(c.on.Args) {
					for _, g := range behind(c.on.Args[i]).globals {
						p.writeGlobal(n, g, c.pos)
					}
				}
			}
		}
	}
	initial := p.initial()
	vars := slices.SortedFunc(maps.Keys(p.globals), func(a, b *types.Var) int { return int(a.Pos() - b.Pos()) })
	for _, v := range vars {
		p.origins(v, initial)
	}
	for _, v := range vars {
		g, name := p.globals[v], short(v.Pkg().Path()+"."+v.Name())
		for _, w := range g.writes {
			if !initial[w.by] {
				p.hazard(w.by, "DET501", name, w.pos)
				if g.fact.Written == "" && p.marks.word(v) != "readonly" {
					g.fact.Written = funcName(w.by.fn)
				}
			}
		}
		for _, r := range g.reads {
			if !initial[r.by] {
				p.readOwn(r, name, g)
			}
		}
	}
	p.fix()
	for _, v := range vars {
		if g := p.globals[v]; g.fact.Written != "" || g.fact.Origin != nil || g.fact.Holds != nil || len(g.types) > 0 {
			s := newSum()
			s.make(g.types)
			if f := s.fact(p.at); f != nil {
				g.fact.Types = f.Types
			}
			p.pass.ExportObjectFact(v, &g.fact)
		}
	}
}

func (p *pkg) readOwn(r place, name string, g *global) {
	f := g.fact
	f.Types = nil
	p.readFact(r.by, name, &f, r.pos)
	r.by.sum.make(g.types)
}

// initial are the functions that run before main and never again: initialisers, and those that only such ones call.
func (p *pkg) initial() map[*node]bool {
	callers := map[*node][]*node{}
	value := map[*node]bool{}
	for _, n := range p.order {
		for _, c := range n.calls {
			callers[c.to] = append(callers[c.to], n)
			value[c.to] = value[c.to] || c.on == nil && c.to.fn.Parent() == nil
		}
	}
	initial := map[*node]bool{}
	for _, n := range p.order {
		initial[n] = isInit(n.fn) || len(callers[n]) > 0 && !value[n] && !token.IsExported(n.fn.Name())
	}
	for changed := true; changed; {
		changed = false
		for _, n := range p.order {
			if initial[n] && !isInit(n.fn) && slices.ContainsFunc(callers[n], func(c *node) bool { return !initial[c] }) {
				initial[n], changed = false, true
			}
		}
	}
	return initial
}

func isInit(fn *ssa.Function) bool {
	return fn.Parent() == nil && fn.Signature.Recv() == nil && (fn.Name() == "init" || len(fn.Name()) > 5 && fn.Name()[:5] == "init#")
}

// origins looks at everything that initial functions store into v: what it was computed from, and the functions and
// interfaces that it holds now.
func (p *pkg) origins(v *types.Var, initial map[*node]bool) {
	g := p.globals[v]
	for _, n := range p.order {
		if !initial[n] {
			continue
		}
		for _, b := range n.fn.Blocks {
			for _, in := range b.Instrs {
				if s, ok := in.(*ssa.Store); ok && slices.ContainsFunc(addressed(s.Addr).globals, func(to *ssa.Global) bool { return to.Object() == v }) {
					p.origin(n, g, s.Val)
				}
				if m, ok := in.(*ssa.MapUpdate); ok && slices.ContainsFunc(behind(m.Map).globals, func(to *ssa.Global) bool { return to.Object() == v }) {
					p.origin(n, g, m.Value)
				}
			}
		}
	}
}

// origin follows a stored value back to the calls and functions that it is made of.
func (p *pkg) origin(n *node, g *global, v ssa.Value) {
	sources := map[ssa.Value]bool{}
	trace(v, sources)
	called, held := map[token.Pos]bool{}, newSum()
	for s := range sources {
		switch s := s.(type) {
		case *ssa.Call:
			called[s.Pos()] = true
			if fn := s.Call.StaticCallee(); fn != nil && p.nodes[fn] != nil {
				maps.Copy(g.types, p.nodes[fn].sum.types)
			}
		case *ssa.UnOp:
			called[s.Pos()] = true
		case *ssa.MakeInterface:
			if m := p.typeOf(s.X.Type()); m != nil {
				g.types[m.name] = m
			}
		case *ssa.Function:
			p.hold(held, s)
		case *ssa.MakeClosure:
			p.hold(held, s.Fn.(*ssa.Function))
		}
	}
	for _, h := range n.sum.hazards.sorted() {
		if called[h.Pos] && g.fact.Origin == nil && !p.marks.allowed("DET503", h.Pos) {
			o := *h
			o.At, o.Pos = p.at(h.Pos), token.NoPos
			g.fact.Origin = &o
		}
	}
	g.fact.Holds = append(g.fact.Holds, factsOf(held.hazards, p.at)...)
	maps.Copy(g.types, held.types)
}

// hold adds what fn does to what a variable holds.
func (p *pkg) hold(held *sum, fn *ssa.Function) {
	user := &node{fn: fn, sum: held}
	p.use(user, fn, fn.Pos(), nil)
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
		for _, r := range *a.Referrers() {
			switch r := r.(type) {
			case *ssa.Store:
				trace(r.Val, seen)
			case *ssa.FieldAddr:
				stored(r, seen)
			case *ssa.IndexAddr:
				stored(r, seen)
			}
		}
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
