package lock

import (
	"go/token"
	"go/types"
	"slices"
	"strconv"

	"github.com/durablegen/durablegen/internal/shape"
)

// code is what functions of the module do that somebody else calls, so that nobody can read them in place of the call: a
// hash of each, by what it does with arguments that are not known.
func (m *machine) code(fns []*function) []*value {
	sums := map[string]*function{}
	for _, fn := range fns {
		if sum := m.sumOf(fn); sum != "" {
			sums[sum] = fn
		}
	}
	var list []*value
	for _, sum := range sortedKeys(sums) {
		list = append(list, m.val(sums[sum].decl.Name.Pos(), "code", sum))
	}
	return list
}

func sortedKeys[V any](in map[string]V) []string {
	var keys []string
	for k := range in {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// behindFuel is what one function may need that is read by itself.
const behindFuel = 50_000

// enter begins with an orchestrator of a package. Values in it are of types of what the package imports.
func (prog *program) enter(pkg *types.Package) {
	if prog.root == pkg {
		return
	}
	prog.root, prog.within, prog.sums = pkg, map[*types.Package]bool{}, map[*function]string{}
	var add func(*types.Package)
	add = func(p *types.Package) {
		if !prog.within[p] {
			prog.within[p] = true
			for _, q := range p.Imports() {
				add(q)
			}
		}
	}
	add(pkg)
}

// sumOf gives the hash of a function's flow; "" within itself.
func (prog *program) sumOf(fn *function) string {
	if sum, ok := prog.sums[fn]; ok {
		return sum
	}
	if prog.summing[fn] {
		prog.cycles++
		return ""
	}
	prog.summing[fn] = true
	cycles := prog.cycles
	sum := hash(Canonical(prog.alone(fn)))
	delete(prog.summing, fn)
	if prog.cycles == cycles || len(prog.summing) == 0 { // else it is that of a part of a cycle
		prog.sums[fn] = sum
	}
	return sum
}

// alone reads a function by itself.
func (prog *program) alone(fn *function) shape.Flow {
	m := newMachine(prog, nil)
	*m.fuel = behindFuel
	m.lambda = true
	p := m.begin()
	sig := fn.obj.Signature()
	n := m.unknowns(p, params(sig), fn.decl.Pos())
	m.cur = []*path{p}
	m.inline(fn, nil, n, fn.decl.Pos())
	m.finish(fn.decl.Body, true)
	flow, _ := m.emit()
	return flow
}

// params are the types of what a function takes, the receiver first.
func params(sig *types.Signature) []types.Type {
	var list []types.Type
	if sig.Recv() != nil {
		list = append(list, sig.Recv().Type())
	}
	for v := range sig.Params().Variables() {
		list = append(list, v.Type())
	}
	return list
}

// unknowns pushes arguments that are not known. What a function makes of what they lead to is part of what it does.
func (m *machine) unknowns(p *path, list []types.Type, pos token.Pos) int {
	k := 0
	for _, t := range list {
		if isContext(t) {
			p.push(m.leaf("ctx", "", pos))
			continue
		}
		v := m.leaf("param", strconv.Itoa(k), pos)
		k++
		arg := m.shelter(p, t, v)
		switch t.Underlying().(type) {
		case *types.Pointer, *types.Map:
			arg.cell.typ = t
			if ptr, ok := t.Underlying().(*types.Pointer); ok {
				arg.cell.typ = ptr.Elem()
			}
			arg.cell.maybe = v
			m.given = append(m.given, handed{arg.cell, v})
		case *types.Slice:
			c := m.newCell() // others that have the same elements
			c.typ = t
			p.vars[c] = v
			m.given = append(m.given, handed{c, v})
		}
		p.push(arg)
	}
	return len(list)
}

// handed is a place that was given to a function that is read by itself, and what was there.
type handed struct {
	cell *cell
	was  *value
}

// left is what a function leaves in the places that were given to it, where that is something else than before.
func (m *machine) left(p *path) []*value {
	var list []*value
	for _, g := range m.given {
		if v := p.vars[g.cell]; v != nil && v.class != g.was.class {
			list = append(list, m.val(v.pos, "left", g.was.what, m.freeze(p, v)))
		}
	}
	return list
}

// implementations are the methods of a name that a value of an interface may have: of all types of the module that have
// its methods.
func (prog *program) implementations(iface *types.Interface, name string) []*function {
	var list []*function
	for _, t := range prog.named {
		ptr := types.NewPointer(t)
		if !prog.within[t.Obj().Pkg()] {
			continue
		}
		if t.TypeParams().Len() == 0 && !types.Implements(ptr, iface) && !types.Implements(t, iface) {
			continue
		}
		obj, _, _ := types.LookupFieldOrMethod(ptr, true, t.Obj().Pkg(), name)
		if fn, ok := obj.(*types.Func); ok && prog.funcs[fn.Origin()] != nil && !slices.Contains(list, prog.funcs[fn.Origin()]) {
			list = append(list, prog.funcs[fn.Origin()])
		}
	}
	return list
}

// interfaceOf is the interface that a type is, or that limits a type parameter.
func interfaceOf(t types.Type) *types.Interface {
	if p, ok := types.Unalias(t).(*types.TypeParam); ok {
		t = p.Constraint()
	}
	i, _ := t.Underlying().(*types.Interface)
	return i
}

// behind is the code that a method of an interface may be.
func (m *machine) behind(sel *types.Selection, obj *types.Func) []*value {
	at := sel.Recv()
	for _, i := range sel.Index()[:len(sel.Index())-1] {
		at = structOf(at).Field(i).Type()
	}
	iface := interfaceOf(at)
	if iface == nil || runtimeType(obj.Signature().Recv().Type()) != "" {
		return nil
	}
	return m.code(m.implementations(iface, obj.Name()))
}

// addTypes remembers the types of the module that have methods.
func (prog *program) addTypes(src *Source) {
	for _, obj := range src.Info.Defs {
		t, ok := obj.(*types.TypeName)
		if !ok || t.IsAlias() {
			continue
		}
		if named, ok := t.Type().(*types.Named); ok && !types.IsInterface(named) {
			prog.named = append(prog.named, named)
		}
	}
	slices.SortFunc(prog.named, func(a, b *types.Named) int { return int(a.Obj().Pos() - b.Obj().Pos()) })
}

// itself is the code of a function that is being read and calls itself.
func (m *machine) itself(f *frame) []*value {
	if f.fn != nil {
		return m.code([]*function{f.fn})
	}
	return []*value{m.val(f.lit.Pos(), "code", m.source(f.lit.Body, f.info))}
}

// closureSource is a hash of the text of a function that is a value.
func (m *machine) closureSource(c *closure) string {
	if c.fn != nil {
		return m.source(c.fn.decl.Body, c.fn.info)
	}
	return m.source(c.lit.Body, c.frame.info)
}

// byItself reports whether a function is read apart from who calls it, or what is within such a one: functions that it is
// given may do anything.
func (m *machine) byItself() bool {
	for ; m != nil; m = m.parent {
		if m.lambda {
			return true
		}
	}
	return false
}
