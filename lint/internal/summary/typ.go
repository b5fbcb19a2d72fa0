package summary

import (
	"go/types"
	"iter"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/durablegen/durablegen/lint/internal/effects"
	"github.com/durablegen/durablegen/lint/internal/form"
)

// makeType notes that a value of type t becomes an interface.
func (p *pkg) makeType(n *node, t types.Type) {
	if m := p.typeOf(t); m != nil {
		n.sum.types[m.name] = m
	}
}

// typeOf gives the methods of t that may do more than compute; nil when there are none.
func (p *pkg) typeOf(t types.Type) *made {
	if had, ok := p.madeOf[t]; ok {
		return had
	}
	m := p.typeNamed(t)
	p.madeOf[t] = m
	return m
}

func (p *pkg) typeNamed(t types.Type) *made {
	if open(t) {
		return nil
	}
	name := types.TypeString(t, nil)
	if m, ok := p.made[name]; ok {
		return m
	}
	p.made[name] = nil // a type may be a part of itself
	m := &made{name: name}
	for _, f := range p.methodsOf(t) {
		if f.node != nil || !f.done.empty() {
			m.methods = append(m.methods, f)
		}
	}
	if m.methods != nil {
		p.made[name] = m
	}
	return p.made[name]
}

// methodsOf gives the methods of t that can be looked at.
func (p *pkg) methodsOf(t types.Type) []*method {
	var out []*method
	for _, sel := range typeutil.IntuitiveMethodSet(t, nil) {
		obj := sel.Obj().(*types.Func)
		if obj.Pkg() == nil {
			continue
		}
		m := &method{key: methodKey(obj), name: form.Short(obj.Origin().FullName())}
		if p.marks.word(obj.Origin()) != "" {
			m.done = newSum()
		} else {
			p.follow(m, obj.Origin())
		}
		if m.node != nil || m.done != nil {
			out = append(out, m)
		}
	}
	return out
}

// follow finds what a method does.
func (p *pkg) follow(m *method, obj *types.Func) {
	switch path := obj.Pkg().Path(); {
	case types.IsInterface(obj.Signature().Recv().Type()): // embedded in a struct: whoever made it counts
		m.done = newSum()
		m.done.invoke(&Invoke{Key: methodKey(obj)})
	case isRuntime(path):
	case obj.Pkg() == p.pass.Pkg:
		if fn := p.ssa.Prog.FuncValue(obj); fn != nil && len(fn.Blocks) > 0 {
			m.node = p.addNode(fn)
		}
	default:
		if e, known, listed := listed(obj); listed {
			m.done = newSum()
			if !known {
				e.Rule = "DET901"
			}
			if e.Rule != "" {
				m.done.hazards.add(&Hazard{Rule: e.Rule, What: m.name})
			}
			return
		}
		m.done = p.summaryOf(obj)
	}
}

// listed is what the tables say of an object of another package. Of the standard library they say all, of others what
// people use most.
func listed(obj types.Object) (e effects.Effect, known, listed bool) {
	if effects.Std(obj.Pkg().Path()) {
		e, known = effects.Of(obj)
		return e, known, true
	}
	e, known = effects.Other(obj)
	return e, known, known
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
			if named, ok := types.Unalias(t).(*types.Named); ok {
				if !yield(t) {
					return false
				}
				if named.Obj().Pkg() != nil && effects.Std(named.Obj().Pkg().Path()) {
					return true // what is inside is no business of others
				}
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

// methodKey is name and signature, the receiver left out; the name alone where the signature depends on type parameters.
func methodKey(m *types.Func) string {
	sig := types.NewSignatureType(nil, nil, nil, unnamed(m.Signature().Params()), unnamed(m.Signature().Results()), m.Signature().Variadic())
	if generic(sig) {
		return m.Name()
	}
	return m.Name() + " " + types.TypeString(sig, nil)
}

func unnamed(t *types.Tuple) *types.Tuple {
	var out []*types.Var
	for v := range t.Variables() {
		out = append(out, types.NewParam(v.Pos(), v.Pkg(), "", v.Type()))
	}
	return types.NewTuple(out...)
}

// generic reports whether a type has type parameters in it.
func generic(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		return true
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			if generic(arg) {
				return true
			}
		}
	case *types.Pointer:
		return generic(t.Elem())
	case *types.Slice:
		return generic(t.Elem())
	case *types.Array:
		return generic(t.Elem())
	case *types.Chan:
		return generic(t.Elem())
	case *types.Map:
		return generic(t.Key()) || generic(t.Elem())
	case *types.Tuple:
		for v := range t.Variables() {
			if generic(v.Type()) {
				return true
			}
		}
	case *types.Signature:
		return generic(t.Params()) || generic(t.Results())
	}
	return false
}
