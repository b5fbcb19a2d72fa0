package summary

import (
	"go/types"
	"iter"

	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/durablegen/durablegen/lint/internal/effects"
)

// makeType notes that a value of type t becomes an interface.
func (p *pkg) makeType(n *node, t types.Type) {
	if m := p.typeOf(t); m != nil {
		n.sum.types[m.name] = m
	}
}

// typeOf gives the methods of t that may do more than compute; nil when there are none.
func (p *pkg) typeOf(t types.Type) *made {
	if _, ok := t.Underlying().(*types.Interface); ok {
		return nil
	}
	name := types.TypeString(t, nil)
	if m, ok := p.made[name]; ok {
		return m
	}
	p.made[name] = nil // a type may be a part of itself
	m := &made{name: name}
	for _, sel := range typeutil.IntuitiveMethodSet(t, nil) {
		obj := sel.Obj().(*types.Func).Origin()
		if f := p.methodOf(obj); f != nil {
			m.methods = append(m.methods, f)
		}
	}
	if m.methods != nil {
		p.made[name] = m
	}
	return p.made[name]
}

func (p *pkg) methodOf(obj *types.Func) *method {
	if obj.Pkg() == nil || p.marks.word(obj) != "" {
		return nil
	}
	m := &method{key: methodKey(obj), name: short(obj.FullName())}
	switch path := obj.Pkg().Path(); {
	case types.IsInterface(obj.Signature().Recv().Type()): // embedded in a struct: whoever made it counts
		m.done = newSum()
		m.done.invoke(&Invoke{Key: methodKey(obj)})
	case isRuntime(path):
		return nil
	case obj.Pkg() == p.pass.Pkg:
		fn := p.ssa.Prog.FuncValue(obj)
		if fn == nil || len(fn.Blocks) == 0 {
			return nil
		}
		m.node = p.addNode(fn)
	case effects.Std(path):
		e, known := effects.Of(obj)
		if known && e.Rule == "" {
			return nil
		}
		rule := e.Rule
		if !known {
			rule = "DET901"
		}
		m.done = newSum()
		m.done.hazards.add(&Hazard{Rule: rule, What: m.name})
	default:
		m.done = p.summaryOf(obj)
		if m.done == nil || m.done.empty() {
			return nil
		}
	}
	return m
}

// concrete is the type of what was made the interface v; v's own when that does not show.
func concrete(v ssa.Value) types.Type {
	if m, ok := v.(*ssa.MakeInterface); ok {
		return m.X.Type()
	}
	return v.Type()
}

// parts gives t and the named types that values of t are made of.
func parts(t types.Type) iter.Seq[types.Type] {
	return func(yield func(types.Type) bool) {
		seen := map[types.Type]bool{}
		var walk func(types.Type) bool
		walk = func(t types.Type) bool {
			if seen[t] {
				return true
			}
			seen[t] = true
			if _, ok := types.Unalias(t).(*types.Named); ok && !yield(t) {
				return false
			}
			switch u := t.Underlying().(type) {
			case *types.Pointer:
				return walk(u.Elem())
			case *types.Slice:
				return walk(u.Elem())
			case *types.Array:
				return walk(u.Elem())
			case *types.Map:
				return walk(u.Key()) && walk(u.Elem())
			case *types.Struct:
				for f := range u.Fields() {
					if !walk(f.Type()) {
						return false
					}
				}
			}
			return true
		}
		walk(t)
	}
}
