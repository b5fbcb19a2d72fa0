package summary

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// dispatch is a call whose target depends on a value: of an interface's method, of a func, or by the standard library of a
// method of what it is given.
type dispatch struct {
	v      ssa.Value
	need   Need        // with the way to the call; Param says nothing
	benign bool        // by custom such methods have no effects
	args   []ssa.Value // of the call; nil: somebody else makes it
	depth  int         // of methods that were entered

	resolved bool
	targets  []target
}

// target is a method that is called.
type target struct {
	*method
	had int // the version of its summary that has been added
}

// settle finds the targets of a dispatch of n, and reports whether n's summary, or that of the function that n is in, grew.
func (p *pkg) settle(n *node, d *dispatch) bool {
	switch d.need.Key {
	case needLogger, needZone:
		return p.settleValue(n, d)
	}
	changed := false
	if !d.resolved {
		d.resolved = true
		changed = p.resolve(n, d)
	}
	for i := range d.targets {
		t := &d.targets[i]
		if callee := t.sum(); t.had != callee.version {
			t.had = callee.version
			changed = n.sum.add(callee, p.module, d.need.Spot, append(slices.Clone(d.need.Via), Step{Func: t.name, At: p.place(d.need.Spot)})...) || changed
			changed = p.enter(n, t.method, d) || changed
		}
	}
	return changed
}

// place is where a spot is.
func (p *pkg) place(s Spot) Place {
	if s.Pos.IsValid() {
		return p.at(s.Pos)
	}
	return s.At
}

// resolve finds the methods that are called by a dispatch, and passes on what it cannot find.
func (p *pkg) resolve(n *node, d *dispatch) bool {
	changed := false
	l := p.leaves(d.v, d.need.Path)
	for _, t := range l.types {
		if !d.need.Deep {
			p.target(t, d)
			continue
		}
		for _, part := range p.partsOf(t) {
			p.target(part, d)
		}
	}
	for _, leaf := range l.params {
		if d.benign {
			l.opaque = true
			break
		}
		changed = p.needOf(leaf.param, leaf.path, d.need) || changed
	}
	method := d.need.Key != needFunc
	lost := method && l.opaque || method && len(l.globals) > 0 || slices.ContainsFunc(l.globals, settable)
	if lost && !slices.ContainsFunc(l.globals, p.pureVariable) {
		more, all := p.putThere(n.sum, &d.need)
		changed = more || changed
		if all {
			return changed
		}
	}
	if lost && method {
		changed = n.sum.invoke(d.need.invoke()) || changed
	}
	if !d.benign {
		for _, g := range l.globals {
			p.calledGlobal(n, g, d.need)
		}
	}
	return changed
}

func (p *pkg) pureVariable(g *ssa.Global) bool {
	return g.Object() != nil && p.marks.word(g.Object()) == "pure"
}

// settable reports whether other packages may put something into a variable: of the others, the package itself knows all.
func settable(g *ssa.Global) bool { return token.IsExported(g.Name()) }

// target adds the methods of a type that a dispatch calls.
func (p *pkg) target(t types.Type, d *dispatch) {
	made := p.typeOf(t)
	if made == nil {
		return
	}
	for _, m := range made.methods {
		if m.is(d.need.Key) && !slices.ContainsFunc(d.targets, func(t target) bool { return t.method == m }) {
			d.targets = append(d.targets, target{method: m})
		}
	}
}

// partsOf gives the types of all that is in a value, as values and as pointers.
func (p *pkg) partsOf(t types.Type) []types.Type {
	if had, ok := p.parts[t]; ok {
		return had
	}
	var out []types.Type
	for part := range parts(t) {
		out = append(out, part, types.NewPointer(part))
	}
	p.parts[t] = out
	return out
}

// enter lets the value whose method is called, and the arguments, answer what the method needs.
func (p *pkg) enter(n *node, m *method, d *dispatch) bool {
	if d.depth > 3 {
		return false
	}
	changed := false
	for _, need := range m.sum().needs {
		up := *need
		up.Via = slices.Concat(d.need.Via, []Step{{Func: m.name, At: p.place(d.need.Spot)}}, need.Via)
		up.Spot = need.seen(p.module, d.need.Spot)
		switch {
		case need.Param == 0 && !d.need.Deep:
			up.Path = slices.Concat(d.need.Path, need.Path)
			changed = p.settle(n, &dispatch{v: d.v, need: up, benign: d.benign, depth: d.depth + 1}) || changed
		case need.Param > 0 && need.Param <= len(d.args):
			changed = p.settle(n, &dispatch{v: d.args[need.Param-1], need: up, benign: d.benign, depth: d.depth + 1}) || changed
		case ofMethod(need.Key):
			changed = n.sum.invoke(up.invoke()) || changed
		}
	}
	return changed
}

// invoke is a need of whatever was made an interface.
func (n *Need) invoke() *Invoke { return &Invoke{Key: n.Key, Site: n.Site, Spot: n.Spot, Via: n.Via} }

// ofMethod reports whether a need is of a method.
func ofMethod(key string) bool { return key != needFunc && key != needLogger && key != needZone }

// needOf makes the target of a call depend on who calls the parameter's function.
func (p *pkg) needOf(param *ssa.Parameter, path []int, need Need) bool {
	owner := p.nodes[param.Parent()]
	i := slices.Index(param.Parent().Params, param)
	if owner == nil || i < 0 {
		return false
	}
	need.Param, need.Path = i, path
	if !owner.sum.need(&need) {
		return false
	}
	owner.sum.version++
	return true
}

// passNeeds lets the arguments of a call answer what the callee needs.
func (p *pkg) passNeeds(n *node, c call) bool {
	changed := false
	if c.on == nil { // whoever calls the value gives the arguments
		for _, need := range c.to.sum.needs {
			if ofMethod(need.Key) {
				up := *need
				up.Spot = need.seen(p.module, Spot{Pos: c.pos})
				changed = n.sum.invoke(up.invoke()) || changed
			}
		}
		return changed
	}
	for _, need := range c.to.sum.needs {
		if need.Param < len(c.on.Args) {
			changed = p.settle(n, p.answer(need, c.on.Args[need.Param], c.pos, c.step)) || changed
		}
	}
	return changed
}

// answer is a need of a callee as a dispatch of its caller.
func (p *pkg) answer(need *Need, arg ssa.Value, pos token.Pos, step Step) *dispatch {
	up := *need
	up.Via = append([]Step{step}, need.Via...)
	up.Spot = need.seen(p.module, Spot{Pos: pos})
	return &dispatch{v: arg, need: up}
}

// settleValue is settle for what depends on a value and not on its type: a logger, a time.
func (p *pkg) settleValue(n *node, d *dispatch) bool {
	changed := false
	if d.need.Key == needLogger {
		for _, param := range behind(d.v).params {
			changed = p.needOf(param, nil, d.need) || changed
		}
		return changed
	}
	z := p.zone(d.v)
	for _, param := range z.params {
		changed = p.needOf(param, nil, d.need) || changed
	}
	if z.local && !p.marks.allowed("DET105", d.need.Pos) {
		changed = n.sum.hazards.add(&Hazard{Rule: "DET105", What: d.need.What, Note: "the time is in the zone of the machine", Spot: d.need.Spot, Via: d.need.Via}) || changed
	}
	return changed
}

// unanswered reports what an orchestrator calls of what it is given: nobody makes its arguments but the runtime, from JSON.
func (p *pkg) unanswered(fn *ssa.Function, s *sum) {
	for _, need := range s.needs {
		if t := fn.Params[need.Param].Type(); fromRuntime(t) {
			continue
		}
		switch need.Key {
		case needZone:
		case needLogger:
			s.hazards.add(&Hazard{Rule: "DET306", What: need.What, Spot: need.Spot, Via: need.Via})
		default:
			p.unknownTo(s, need)
		}
	}
}

func fromRuntime(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && isRuntime(named.Obj().Pkg().Path())
}

// unknownTo notes a call in s whose target no package shows: of what the program puts there, or of unknown code.
func (p *pkg) unknownTo(s *sum, need *Need) {
	if _, all := p.putThere(s, need); all {
		return
	}
	if h := p.unknown(need); h != nil {
		s.hazards.add(h)
	}
}

// unknown is the hazard of a call whose target is not known, nil if all that it could be is harmless.
func (p *pkg) unknown(need *Need) *Hazard {
	h := &Hazard{Rule: "DET901", What: "call of " + need.What, Spot: need.Spot, Via: need.Via}
	if p.marks.allowed(h.Rule, need.Pos) {
		return nil
	}
	if p.program != nil {
		h.Note = "nothing in the program shows what is there"
	}
	if need.Key == needFunc {
		return h
	}
	seen, impure := p.visible(need.Key)
	switch {
	case impure != "":
		h.Rule, h.What = "DET902", fmt.Sprintf("%s, which may be %s", need.What, impure)
	case seen:
		return nil
	}
	return h
}

// visible looks for methods of types of the package and of what it imports: whether there is one, and one that does more
// than compute.
func (p *pkg) visible(key string) (seen bool, impure string) {
	for _, pkg := range append([]*types.Package{p.pass.Pkg}, p.pass.Pkg.Imports()...) {
		if pkg != p.pass.Pkg && Known(pkg.Path()) {
			continue
		}
		for _, name := range pkg.Scope().Names() {
			tn, ok := pkg.Scope().Lookup(name).(*types.TypeName)
			if !ok || types.IsInterface(tn.Type()) || tn.IsAlias() {
				continue
			}
			for _, m := range p.methodsOf(types.NewPointer(tn.Type())) {
				if !m.is(key) {
					continue
				}
				seen = true
				if c := m.sum(); len(c.hazards)+len(c.invokes) > 0 && impure == "" {
					impure = m.name
				}
			}
		}
	}
	return seen, impure
}
