package summary

import (
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/effects"
	"github.com/durablegen/durablegen/lint/internal/form"
)

// global is a variable of the package.
type global struct {
	fact   Variable
	types  map[string]*made
	set    bool // something in the package gives it a value
	writes []place
	reads  []place
	calls  []globalCall
}

type place struct {
	by  *node
	pos token.Pos
}

// globalCall is a call of what a variable holds.
type globalCall struct {
	by   *node
	need Need
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
		if addr, ok := in.(ssa.Value); !ok || !onlyWritten(addr) {
			own.reads = append(own.reads, place{n, pos})
		}
		return
	}
	if v.Pkg() == nil || isRuntime(v.Pkg().Path()) {
		return
	}
	name := form.Short(v.Pkg().Path() + "." + v.Name())
	if e, known, listed := listed(v); listed {
		if !known {
			p.hazard(n, "DET901", name, pos)
		} else if e.Rule != "" {
			p.hazard(n, e.Rule, name, pos)
		}
		return
	}
	var f Variable
	if p.marks.word(v) == "pure" {
		return
	}
	if p.pass.ImportObjectFact(v, &f) {
		p.readFact(n, name, &f, pos)
		for _, name := range f.Types {
			if m := p.typesOf(v.Pkg())[name]; m != nil {
				n.sum.types[name] = m
			}
		}
	}
	if p.setting(v) && f.Written == "" {
		p.hazard(n, "DET505", name, pos)
	}
}

// onlyWritten reports whether an address is taken to store there and for nothing else.
func onlyWritten(addr ssa.Value) bool {
	switch addr.(type) {
	case *ssa.FieldAddr, *ssa.IndexAddr:
		return len(*addr.Referrers()) > 0 && storesOnly(addr)
	}
	return false
}

// setting reports whether v is a variable of another module that is there to be set: a number, a text or a switch would be a
// constant if it were not.
func (p *pkg) setting(v *types.Var) bool {
	var l Looked
	if !v.Exported() || !p.pass.ImportPackageFact(v.Pkg(), &l) || l.Module == p.module {
		return false
	}
	_, ok := v.Type().Underlying().(*types.Basic)
	return ok
}

// asItself are the rules of what is told by its own name when a variable holds it: "logger" says more than "a variable
// from outside".
func asItself(h *Hazard) bool {
	return h.Rule == "DET205" || h.Rule == "DET306" || h.Rule == "DET304" && strings.HasPrefix(h.What, "flag.")
}

// readFact adds what reading a variable brings.
func (p *pkg) readFact(n *node, name string, f *Variable, pos token.Pos) {
	if f.Written != "" {
		p.noted(n, "DET502", name, "written by "+f.Written, pos)
	}
	if f.Origin != nil {
		rule := "DET503"
		if asItself(f.Origin) {
			rule = f.Origin.Rule
		}
		p.noted(n, rule, name, "set from "+f.Origin.What, pos)
	}
	if f.State != "" {
		p.noted(n, "DET504", name, "what it holds remembers: "+f.State, pos)
	}
	held := newSum()
	held.fill(f.Holds, nil, nil)
	n.sum.add(held, p.module, Spot{Pos: pos}, Step{Func: name, At: p.at(pos)})
}

// writeGlobal notes a write of a package variable, of this package or of another.
func (p *pkg) writeGlobal(n *node, g *ssa.Global, pos token.Pos) {
	v, ok := g.Object().(*types.Var)
	if !ok || v.Pkg() == nil || effects.Std(v.Pkg().Path()) || strings.HasSuffix(p.pass.Fset.Position(pos).Filename, "_test.go") {
		return
	}
	if own := p.globals[v]; own != nil {
		own.writes = append(own.writes, place{n, pos})
		return
	}
	p.hazard(n, "DET501", form.Short(v.Pkg().Path()+"."+v.Name()), pos)
}

// calledGlobal notes a call of what a package variable holds.
func (p *pkg) calledGlobal(n *node, g *ssa.Global, need Need) {
	v, ok := g.Object().(*types.Var)
	if !ok {
		return
	}
	own := p.globals[v]
	if own == nil {
		var f Variable
		if v.Pkg() != nil && p.pass.ImportObjectFact(v, &f) && f.Unset {
			p.unknownTo(n.sum, &need)
		}
		return
	}
	if !slices.ContainsFunc(own.calls, func(c globalCall) bool { return c.by == n && c.need.Pos == need.Pos && c.need.Key == need.Key }) {
		own.calls = append(own.calls, globalCall{n, need})
	}
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
	values := p.initialValues(initial)
	for range 3 { // variables are made of variables
		for _, v := range vars {
			p.origins(p.globals[v], values[v])
		}
	}
	for _, v := range vars {
		p.tell(v, initial)
	}
	p.fix()
	for _, v := range vars {
		p.exportVariable(v)
	}
}

// tell gives what a variable brings to those who read, write or call it.
func (p *pkg) tell(v *types.Var, initial map[*node]bool) {
	g, name := p.globals[v], form.Short(v.Pkg().Path()+"."+v.Name())
	written := map[string]bool{} // lines
	for _, w := range g.writes {
		g.set = true
		if initial[w.by] {
			continue
		}
		p.hazard(w.by, "DET501", name, w.pos)
		written[p.line(w.pos)] = true
		if g.fact.Written == "" && p.marks.word(v) != "readonly" {
			g.fact.Written = form.FuncName(w.by.fn)
		}
	}
	g.fact.Unset = !g.set && open(v.Type())
	for _, r := range g.reads {
		if !initial[r.by] && p.marks.word(v) != "pure" {
			f := g.fact
			if written[p.line(r.pos)] {
				f.Written = ""
			}
			p.readFact(r.by, name, &f, r.pos)
			r.by.sum.make(g.types)
		}
	}
	for _, c := range g.calls {
		if g.fact.Unset && g.fact.Written == "" && p.marks.word(v) == "" {
			p.unknownTo(c.by.sum, &c.need)
		}
	}
}

func (p *pkg) line(pos token.Pos) string {
	at := p.at(pos)
	at.Column = 0
	return at.String()
}

func (p *pkg) exportVariable(v *types.Var) {
	g := p.globals[v]
	if g.fact.Written == "" && g.fact.Origin == nil && g.fact.State == "" && g.fact.Holds == nil && len(g.types) == 0 && !g.fact.Unset {
		return
	}
	s := newSum()
	s.make(g.types)
	if f := s.fact(p.at); f != nil {
		g.fact.Types = f.Types
		p.tellTypes(s)
	}
	p.pass.ExportObjectFact(v, &g.fact)
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
