package code

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// scan reads the instructions of a function: what it does itself goes into its fact, whom it reaches into its edges.
func (p *Package) scan(f *Func) {
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			if c, ok := in.(ssa.CallInstruction); ok {
				p.call(f, c)
			}
			p.values(f, in)
		}
	}
}

func (p *Package) call(f *Func, in ssa.CallInstruction) {
	c := in.Common()
	if obj := Callee(c); obj != nil {
		if word := p.Role(obj); word != "" {
			return // a boundary, whose direct call is a finding of its own
		}
	}
	fns, _ := p.Targets(c)
	for _, fn := range fns {
		if word := p.Role(Declared(fn)); word == "" {
			p.edge(f, edge{in: in, call: c}, fn)
		}
	}
}

// values notes the functions that become values.
func (p *Package) values(f *Func, in ssa.Instruction) {
	var called ssa.Value
	if c, ok := in.(ssa.CallInstruction); ok && !c.Common().IsInvoke() {
		called = c.Common().Value
	}
	for _, op := range in.Operands(nil) {
		fn, ok := (*op).(*ssa.Function)
		if !ok || fn == called || p.Role(Declared(fn)) != "" {
			continue
		}
		e := edge{in: in}
		if m, ok := in.(*ssa.MakeClosure); ok && m.Fn == fn {
			e.spawns, e.later = taken(m, m.Referrers())
		} else if c, ok := in.(ssa.CallInstruction); ok {
			e.spawns, e.later = takes(c)
		}
		p.edge(f, e, fn)
	}
}

// taken says how a closure is used: by the runtime as a coroutine, or by something that runs it later.
func taken(m *ssa.MakeClosure, uses *[]ssa.Instruction) (spawns, later bool) {
	for _, r := range *uses {
		if c, ok := r.(ssa.CallInstruction); ok && c.Common().Value != m {
			s, l := takes(c)
			spawns, later = spawns || s, later || l
		}
		if s, ok := r.(*ssa.Store); ok && IsHandle(s.Addr) {
			later = true
		}
	}
	return spawns, later
}

// IsHandle reports whether an address is that of RetryPolicy.Handle.
func IsHandle(addr ssa.Value) bool {
	a, ok := addr.(*ssa.FieldAddr)
	if !ok {
		return false
	}
	p, ok := a.X.Type().Underlying().(*types.Pointer)
	if !ok || !IsRuntime(p.Elem(), "RetryPolicy") {
		return false
	}
	return p.Elem().Underlying().(*types.Struct).Field(a.Field).Name() == "Handle"
}

func takes(c ssa.CallInstruction) (spawns, later bool) {
	switch Calls(c) {
	case "Go", "ForEach", "Map":
		return true, false
	case "SetQueryHandler", "Saga.Compensate":
		return false, true
	}
	return false, false
}

func (p *Package) edge(f *Func, e edge, fn *ssa.Function) {
	if obj := Declared(fn); obj != nil && obj.Pkg() == p.Pass.Pkg {
		fn = p.SSA.Prog.FuncValue(obj)
	} else if obj != nil {
		return // another package's: its facts count
	}
	if fn == nil || len(fn.Blocks) == 0 {
		return
	}
	e.to = p.add(fn)
	f.edges = append(f.edges, e)
}

// fix lets what is known flow along the calls until nothing changes.
func (p *Package) fix() {
	for changed := true; changed; {
		changed = false
		for _, f := range p.Funcs {
			before := f.Fact
			p.grow(f)
			changed = changed || before.Does != f.Does || before.Returns != f.Returns || before.Fails != f.Fails ||
				len(before.Ignores) != len(f.Ignores) || len(before.Direct) != len(f.Direct) || len(before.Spawns) != len(f.Spawns)
		}
	}
}

func (p *Package) grow(f *Func) {
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			switch in := in.(type) {
			case ssa.CallInstruction:
				f.Does |= p.Effect(in)
				p.direct(f, in)
				p.params(f, in)
			case *ssa.Return:
				p.returns(f, in)
			}
		}
	}
	for _, e := range f.edges {
		if e.call == nil && !e.later {
			does := e.to.Does
			if e.spawns && Calls(user(e.in)) == "Go" {
				does &= Schedules | Receives
			}
			f.Does |= does
		}
	}
	f.Ignores = f.Ignores[:0]
	for i, param := range f.Params {
		if HoldsFutures(param.Type()) && !p.Follow(param).Used() {
			f.Ignores = append(f.Ignores, i)
		}
	}
}

// user is the instruction that uses a closure, or the one that uses a function as it is.
func user(in ssa.Instruction) ssa.Instruction {
	if m, ok := in.(*ssa.MakeClosure); ok {
		for _, r := range *m.Referrers() {
			if Calls(r) != "" {
				return r
			}
		}
	}
	return in
}

// direct notes a call without a handle, also one behind a function of another package.
func (p *Package) direct(f *Func, in ssa.CallInstruction) {
	for _, d := range p.DirectOf(in) {
		if !slices.ContainsFunc(f.Direct, func(had Direct) bool { return had.At == d.At && had.Name == d.Name }) {
			f.Direct = append(f.Direct, d)
		}
	}
}

// DirectOf are the activities and orchestrators that a call reaches without their handles. Those behind functions of this
// package are told where they are, but for the facts.
func (p *Package) DirectOf(in ssa.CallInstruction) (ds []Direct) {
	fns, _ := p.Targets(in.Common())
	for _, fn := range fns {
		obj := Declared(fn)
		if obj == nil {
			continue
		}
		if word := p.Role(obj); word != "" {
			ds = append(ds, Direct{Word: word, Name: form.Short(obj.FullName()), At: p.PlaceOf(p.At(in))})
		} else if fact := p.FactOf(obj); fact != nil {
			for _, d := range fact.Direct {
				if len(d.Via) < 8 {
					d.Via = append([]string{form.Short(obj.FullName())}, d.Via...)
					ds = append(ds, d)
				}
			}
		}
	}
	return ds
}

// params notes what happens to the functions among the parameters.
func (p *Package) params(f *Func, in ssa.CallInstruction) {
	c := in.Common()
	for i, arg := range c.Args {
		spawned := func(at *ssa.Function) {
			for j := range f.Params {
				if param := f.Params[j]; p.runs(arg, param, at) && !slices.Contains(f.Spawns, j) {
					f.Spawns = append(f.Spawns, j)
				}
			}
		}
		switch name := Calls(in); {
		case (name == "Go" || name == "ForEach" || name == "Map") && isFunc(arg):
			spawned(f.Function)
		default:
			if fact := p.FactOf(Callee(c)); fact != nil && slices.Contains(fact.Spawns, i) {
				spawned(f.Function)
			}
		}
	}
}

// runs reports whether a function value is a parameter, or a closure that calls it.
func (p *Package) runs(v ssa.Value, param *ssa.Parameter, _ *ssa.Function) (is bool) {
	if !isFunc(param) {
		return false
	}
	Origins(v, func(o ssa.Value) {
		if o == param {
			is = true
		}
		m, ok := o.(*ssa.MakeClosure)
		if !ok {
			return
		}
		for _, b := range m.Fn.(*ssa.Function).Blocks {
			for _, in := range b.Instrs {
				if c, ok := in.(ssa.CallInstruction); ok && !c.Common().IsInvoke() {
					Origins(c.Common().Value, func(called ssa.Value) { is = is || called == param })
				}
			}
		}
	})
	return is
}

func isFunc(v ssa.Value) bool {
	_, ok := v.Type().Underlying().(*types.Signature)
	return ok
}

// returns looks at what a function gives back: futures, and the failures of activities.
func (p *Package) returns(f *Func, r *ssa.Return) {
	for _, v := range r.Results {
		if HoldsFutures(v.Type()) {
			f.Returns |= p.Kinds(v)
		}
	}
	if n := len(r.Results); n > 0 && isError(r.Results[n-1].Type()) && !f.Fails {
		f.Fails = p.failure(r.Results[n-1], map[ssa.Value]bool{})
	}
}

// failure reports whether an error may be that of an activity: handed on, wrapped, or joined.
func (p *Package) failure(v ssa.Value, seen map[ssa.Value]bool) (is bool) {
	Origins(v, func(o ssa.Value) {
		if seen[o] {
			return
		}
		seen[o] = true
		if e, ok := o.(*ssa.Extract); ok {
			o = e.Tuple
		}
		c, ok := o.(*ssa.Call)
		if !ok {
			return
		}
		if p.MayFail(c) {
			is = true
			return
		}
		if obj := Callee(c.Common()); obj != nil && obj.Pkg() != nil && (obj.Pkg().Path() == "fmt" || obj.Pkg().Path() == "errors") {
			for _, part := range Elements(c.Call.Args) {
				is = is || isError(part.Type()) && p.failure(part, seen)
			}
		}
	})
	return is
}

// MayFail reports whether the error of a call tells that an activity, a child, a coroutine or a delivery has failed. That
// of a timer or an event only tells that the orchestration is cancelled, which the next operation tells again.
func (p *Package) MayFail(c *ssa.Call) bool {
	obj := Callee(c.Common())
	switch name := RuntimeName(obj); name {
	case "":
		fact := p.FactOf(obj)
		if fact == nil {
			if fns, _ := p.Targets(c.Common()); len(fns) == 1 && p.Of(fns[0]) != nil {
				return p.Of(fns[0]).Fails
			}
		}
		return fact != nil && fact.Fails
	case "Future.Get", "Future.Err", "Future.Within":
		return p.Kinds(c.Call.Args[0])&^(Event|Timer) != 0 && (p.Kinds(c.Call.Args[0])&(Activity|Child|Coroutine) != 0)
	case "All", "Collect", "ForEach", "Map", "CallHTTP", "DeliverEvent", "Saga.Rollback":
		return true
	}
	return false
}

// Elements gives the values among arguments, those of a variadic list one by one.
func Elements(args []ssa.Value) (out []ssa.Value) {
	for _, arg := range args {
		if s, ok := arg.(*ssa.Slice); ok {
			if list := Stored(s); list != nil {
				for _, v := range list {
					out = append(out, behind(v))
				}
				continue
			}
		}
		out = append(out, arg)
	}
	return out
}

// Stored gives what a literal slice is made of, nil when it is none.
func Stored(s *ssa.Slice) (out []ssa.Value) {
	a, ok := s.X.(*ssa.Alloc)
	if !ok {
		return nil
	}
	for _, r := range *a.Referrers() {
		if ix, ok := r.(*ssa.IndexAddr); ok {
			for _, rr := range *ix.Referrers() {
				if st, ok := rr.(*ssa.Store); ok && st.Addr == ix {
					out = append(out, st.Val)
				}
			}
		}
	}
	return out
}

// behind is what was made an interface.
func behind(v ssa.Value) ssa.Value {
	switch x := v.(type) {
	case *ssa.MakeInterface:
		return behind(x.X)
	case *ssa.ChangeInterface:
		return behind(x.X)
	}
	return v
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

// reach finds the code of orchestrations: what the orchestrators of the package reach, then every function that gets a
// Context, and what those reach.
func (p *Package) reach() {
	var queue []*Func
	enter := func(f *Func, root string, via []string) {
		if !f.Inside {
			f.Inside, f.Root, f.Via = true, root, via
			queue = append(queue, f)
		}
	}
	walk := func() {
		for ; len(queue) > 0; queue = queue[1:] {
			f := queue[0]
			for _, e := range f.edges {
				via := f.Via
				if e.to.Parent() == nil {
					via = append(slices.Clip(slices.Clone(via)), form.FuncName(e.to.Function))
				}
				enter(e.to, f.Root, via)
			}
		}
	}
	for _, f := range p.Funcs {
		if obj := Declared(f.Function); obj != nil && p.Role(obj) == "orchestrator" {
			enter(f, obj.Name(), nil)
		}
	}
	walk()
	for _, f := range p.Funcs {
		if p.Role(Declared(f.Function)) == "" && f.Synthetic == "" && takesContext(f.Signature) {
			enter(f, "", nil)
		}
	}
	walk()
	for _, f := range p.Funcs {
		if f.Generated || f.Pos() == token.NoPos {
			f.Inside = false
		}
	}
}

func takesContext(sig *types.Signature) bool {
	for v := range sig.Params().Variables() {
		if IsContext(v.Type()) {
			return true
		}
	}
	return sig.Recv() != nil && IsContext(sig.Recv().Type())
}
