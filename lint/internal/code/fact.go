package code

import (
	"fmt"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// Fact is what callers have to know of a function.
type Fact struct {
	Does    Does
	Returns Kind     // where the futures among its results come from
	Fails   bool     // its error may be that of an activity, a child or a coroutine
	Ignores []int    // parameters, the receiver first, that are futures which nobody looks at
	Spawns  []int    // parameters that it runs as coroutines
	Direct  []Direct // activities and orchestrators that it calls as plain functions
}

func (*Fact) AFact()           {}
func (f *Fact) String() string { return fmt.Sprintf("does %b", f.Does) }

func (f *Fact) empty() bool {
	return f.Does == 0 && f.Returns == 0 && !f.Fails && len(f.Ignores)+len(f.Spawns)+len(f.Direct) == 0
}

// Direct is a call of an activity or orchestrator without its handle.
type Direct struct {
	Word string
	Name string // "(*club.Bank).Charge"
	At   string // "example.com/club/bank.go:12:5"
	Via  []string
}

// FactOf is what is known of a function, here or in another package; nil is nothing.
func (p *Package) FactOf(obj *types.Func) *Fact {
	if obj == nil || obj.Pkg() == nil {
		return nil
	}
	if obj.Pkg() == p.Pass.Pkg {
		if f := p.of[p.SSA.Prog.FuncValue(obj)]; f != nil {
			return &f.Fact
		}
		return nil
	}
	if f, ok := p.facts[obj]; ok {
		return f
	}
	f := new(Fact)
	if !p.Pass.ImportObjectFact(obj, f) {
		f = nil
	}
	p.facts[obj] = f
	return f
}

// Effect is what a call does, as far as that is known.
func (p *Package) Effect(in ssa.CallInstruction) Does {
	c := in.Common()
	if name := RuntimeName(Callee(c)); name != "" {
		return known[name].does | p.handed(c, name)
	}
	var does Does
	fns, all := p.Targets(c)
	for _, fn := range fns {
		if f := p.Of(fn); f != nil {
			does |= f.Does
		} else if fact := p.FactOf(Declared(fn)); fact != nil {
			does |= fact.Does
		} else {
			all = false // it does nothing, or nobody has looked at it
		}
	}
	if !all && slices.ContainsFunc(c.Args, func(a ssa.Value) bool { return IsContext(a.Type()) }) {
		does |= Unknown
	}
	return does
}

// handed is what the functions do that the runtime is given and runs before it returns, or beside.
func (p *Package) handed(c *ssa.CallCommon, name string) (does Does) {
	only := ^Does(0)
	switch name {
	case "Go":
		only = Schedules | Receives
	case "SetQueryHandler", "Saga.Compensate":
		return 0
	}
	for _, arg := range c.Args {
		fns, _ := Functions(arg)
		for _, fn := range fns {
			if f := p.Of(fn); f != nil {
				does |= f.Does & only
			}
		}
	}
	return does
}

// Targets are the functions that a call may call; all is false when there may be others.
func (p *Package) Targets(c *ssa.CallCommon) (fns []*ssa.Function, all bool) {
	if c.IsInvoke() {
		return nil, false
	}
	if _, ok := c.Value.(*ssa.Builtin); ok {
		return nil, true
	}
	if fn := c.StaticCallee(); fn != nil {
		obj := Declared(fn)
		if obj != nil && obj.Pkg() != nil && obj.Pkg() == p.Pass.Pkg {
			if src := p.SSA.Prog.FuncValue(obj); src != nil {
				return []*ssa.Function{src}, true
			}
		}
		return []*ssa.Function{fn}, true
	}
	return Functions(c.Value)
}

// Functions are the functions that a value may be.
func Functions(v ssa.Value) (fns []*ssa.Function, all bool) {
	all = true
	Origins(v, func(o ssa.Value) {
		switch o := o.(type) {
		case *ssa.Function:
			fns = append(fns, o)
		case *ssa.MakeClosure:
			fns = append(fns, o.Fn.(*ssa.Function))
		case *ssa.Const:
		default:
			all = false
		}
	})
	return fns, all
}

// Kinds says where a future, or a slice of them, may come from.
func (p *Package) Kinds(v ssa.Value) (k Kind) {
	Origins(v, func(o ssa.Value) {
		if e, ok := o.(*ssa.Extract); ok {
			o = e.Tuple
		}
		c, ok := o.(*ssa.Call)
		if !ok {
			if _, isConst := o.(*ssa.Const); !isConst {
				k |= Other
			}
			return
		}
		obj := Callee(c.Common())
		if name := RuntimeName(obj); name != "" && known[name].kind != 0 {
			k |= known[name].kind
		} else if fact := p.FactOf(obj); fact != nil && fact.Returns != 0 {
			k |= fact.Returns
		} else {
			k |= Other
		}
	})
	return k
}

// PlaceOf tells a position as facts and messages do, without the folders of this machine.
func (p *Package) PlaceOf(pos token.Pos) string {
	at := p.Pass.Fset.Position(pos)
	return fmt.Sprintf("%s/%s:%d:%d", p.Pass.Pkg.Path(), filepath.Base(at.Filename), at.Line, at.Column)
}
