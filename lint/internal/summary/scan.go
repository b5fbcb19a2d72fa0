package summary

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/effects"
)

// scan reads the instructions of a function: what it does itself goes into its summary, what it calls into its edges.
func (p *pkg) scan(n *node) {
	if obj := n.fn.Object(); obj != nil && p.marks.word(obj) == "pure" {
		return
	}
	last := n.fn.Pos()
	for _, b := range n.fn.Blocks {
		for _, in := range b.Instrs {
			if in.Pos().IsValid() {
				last = in.Pos()
			}
			p.operands(n, in, last)
			p.instruction(n, in, last)
		}
	}
}

// hazard notes what n does itself.
func (p *pkg) hazard(n *node, rule, what string, pos token.Pos) {
	if !p.marks.allowed(rule, pos) {
		n.sum.hazards.add(&Hazard{Rule: rule, What: what, Pos: pos})
	}
}

func (p *pkg) instruction(n *node, in ssa.Instruction, pos token.Pos) {
	switch in := in.(type) {
	case *ssa.Go:
		p.hazard(n, "DET201", "go statement", pos)
		p.call(n, in.Common(), pos)
	case *ssa.MakeChan:
		p.hazard(n, "DET202", "make of a channel", pos)
	case *ssa.Send:
		p.hazard(n, "DET202", "send on a channel", pos)
	case *ssa.Select:
		p.hazard(n, "DET203", "select", pos)
	case *ssa.UnOp:
		if in.Op == token.ARROW {
			p.hazard(n, "DET202", "receive from a channel", pos)
		}
	case *ssa.Call:
		p.call(n, in.Common(), pos)
	case *ssa.Defer:
		p.call(n, in.Common(), pos)
	case *ssa.Store:
		p.write(n, addressed(in.Addr), pos)
	case *ssa.MapUpdate:
		p.write(n, behind(in.Map), pos)
	case *ssa.MakeInterface:
		p.makeType(n, in.X.Type())
	}
}

// operands notes the functions that become values, and the package variables that are read.
func (p *pkg) operands(n *node, in ssa.Instruction, pos token.Pos) {
	var called ssa.Value
	if c, ok := in.(ssa.CallInstruction); ok && !c.Common().IsInvoke() {
		called = c.Common().Value
	}
	for _, op := range in.Operands(nil) {
		switch v := (*op).(type) {
		case *ssa.Function:
			if v != called {
				p.use(n, v, pos, nil)
			}
		case *ssa.Global:
			p.read(n, in, v, pos)
		}
	}
}

func (p *pkg) call(n *node, c *ssa.CallCommon, pos token.Pos) {
	if c.IsInvoke() {
		p.invoke(n, c.Value.Type(), c.Method, pos)
		return
	}
	switch v := c.Value.(type) {
	case *ssa.Builtin:
		switch v.Name() {
		case "close":
			p.hazard(n, "DET202", "close of a channel", pos)
		case "print", "println":
			p.hazard(n, "DET306", v.Name(), pos)
		case "copy", "delete", "clear":
			p.write(n, behind(c.Args[0]), pos)
		}
	default:
		if fn := c.StaticCallee(); fn != nil {
			p.use(n, fn, pos, c)
		}
	}
}

// use is a call of a function, or a place where it becomes a value (c is nil).
func (p *pkg) use(n *node, fn *ssa.Function, pos token.Pos, c *ssa.CallCommon) {
	if fn.Origin() != nil {
		fn = fn.Origin()
	}
	obj, _ := fn.Object().(*types.Func)
	if obj == nil || fn.Parent() != nil { // a closure, or a wrapper that the compiler makes
		p.edge(n, fn, pos, c)
		return
	}
	obj = obj.Origin()
	if r := obj.Signature().Recv(); r != nil && types.IsInterface(r.Type()) { // I.Method as a value
		p.invoke(n, r.Type(), obj, pos)
		return
	}
	switch word := p.marks.word(obj); {
	case word == "pure":
	case word == "activity", word == "orchestrator": // boundaries; who calls one directly hears of it from the contract rules
	case obj.Pkg() == p.pass.Pkg:
		if src := p.ssa.Prog.FuncValue(obj); src != nil {
			p.edge(n, src, pos, c)
		}
	default:
		p.abroad(n, obj, pos, c)
	}
}

func (p *pkg) edge(n *node, to *ssa.Function, pos token.Pos, c *ssa.CallCommon) {
	if len(to.Blocks) == 0 {
		if to.Synthetic == "" {
			p.hazard(n, "DET307", funcName(to), pos)
		}
		return
	}
	n.calls = append(n.calls, call{to: p.addNode(to), pos: pos, on: c})
}

// abroad is a use of a function of another package.
func (p *pkg) abroad(n *node, obj *types.Func, pos token.Pos, c *ssa.CallCommon) {
	if obj.Pkg() == nil { // error.Error
		return
	}
	name := short(obj.FullName())
	switch path := obj.Pkg().Path(); {
	case isRuntime(path):
	case effects.Std(path):
		p.standard(n, obj, pos, c)
	default:
		s := p.summaryOf(obj)
		if s == nil {
			p.hazard(n, "DET901", name, pos)
			return
		}
		before := n.sum
		n.sum = newSum()
		n.sum.add(s, Step{Func: name, At: p.at(pos)}, pos, true)
		for k, h := range n.sum.hazards {
			if p.marks.allowed(h.Rule, pos) {
				delete(n.sum.hazards, k)
			}
		}
		more := n.sum
		n.sum = before
		n.sum.merge(more)
		if c != nil {
			for i := range s.writes {
				if i < len(c.Args) {
					p.write(n, behind(c.Args[i]), pos)
				}
			}
		}
	}
}

// summaryOf is what the facts say of a function of another package; nil: the package was not looked at.
func (p *pkg) summaryOf(obj *types.Func) *sum {
	if s, ok := p.foreign[obj]; ok {
		return s
	}
	var s *sum
	var f Function
	switch {
	case p.pass.ImportObjectFact(obj, &f):
		s = sumOf(&f)
	case p.pass.ImportPackageFact(obj.Pkg(), new(Looked)):
		s = newSum()
	}
	p.foreign[obj] = s
	return s
}

// standard is a use of a function of the standard library.
func (p *pkg) standard(n *node, obj *types.Func, pos token.Pos, c *ssa.CallCommon) {
	e, known := effects.Of(obj)
	p.effect(n, short(obj.FullName()), e, known, pos)
	for _, call := range e.Calls {
		for _, m := range call.Methods {
			n.sum.invoke(&Invoke{Key: m, Pos: pos, Via: []Step{{Func: short(obj.FullName()), At: p.at(pos)}}})
		}
		if c == nil || !call.Deep {
			continue
		}
		if i := argument(obj, call.Arg); i < len(c.Args) {
			for t := range parts(concrete(c.Args[i])) {
				p.makeType(n, t)
				p.makeType(n, types.NewPointer(t))
			}
		}
	}
	if c == nil {
		return
	}
	for _, arg := range e.Writes {
		if i := argument(obj, arg); i < len(c.Args) {
			p.write(n, behind(c.Args[i]), pos)
		}
	}
}

func (p *pkg) effect(n *node, name string, e effects.Effect, known bool, pos token.Pos) {
	switch {
	case !known:
		p.hazard(n, "DET901", name, pos)
	case e.Rule != "":
		p.hazard(n, e.Rule, name, pos)
	}
}

// argument is the place of an argument of obj among those of an SSA call, where a receiver is the first.
func argument(obj *types.Func, i int) int {
	if obj.Signature().Recv() != nil {
		return i + 1
	}
	return i
}

// invoke is a call of an interface's method. Of a foreign interface the table may say what it does whoever implements it.
func (p *pkg) invoke(n *node, recv types.Type, m *types.Func, pos token.Pos) {
	switch {
	case m.Pkg() == nil || isRuntime(m.Pkg().Path()) || p.marks.word(m) == "pure":
		return
	case effects.Std(m.Pkg().Path()):
		e, known := effects.Method(recv, m)
		p.effect(n, short(m.FullName()), e, known, pos)
		if len(e.Calls) == 0 {
			return
		}
	}
	n.sum.invoke(&Invoke{Key: methodKey(m), Pos: pos})
}

// methodKey is name and signature, the receiver left out.
func methodKey(m *types.Func) string {
	return m.Name() + " " + types.TypeString(types.NewSignatureType(nil, nil, nil, m.Signature().Params(), m.Signature().Results(), m.Signature().Variadic()), nil)
}
