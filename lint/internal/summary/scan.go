package summary

import (
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/effects"
	"github.com/durablegen/durablegen/lint/internal/form"
	"github.com/durablegen/durablegen/lint/internal/policy"
)

// scan reads the instructions of a function: what it does itself goes into its summary, what it calls into its edges.
func (p *pkg) scan(n *node) {
	if obj := n.fn.Object(); !n.claim && obj != nil && p.marks.word(obj) == "pure" {
		return
	}
	last := n.fn.Pos()
	for _, b := range live(n.fn) {
		for i, in := range b.Instrs {
			pos := in.Pos()
			for j := i; j < len(b.Instrs) && !pos.IsValid(); j++ { // what has no place belongs to what it is made for
				pos = b.Instrs[j].Pos()
			}
			if pos.IsValid() {
				last = pos
			}
			p.operands(n, in, last)
			p.instruction(n, in, last)
		}
	}
}

// live gives the blocks of a function without those behind a condition that is constant.
func live(fn *ssa.Function) []*ssa.BasicBlock {
	if len(fn.Blocks) == 0 {
		return nil
	}
	reached := map[*ssa.BasicBlock]bool{}
	var walk func(*ssa.BasicBlock)
	walk = func(b *ssa.BasicBlock) {
		if b == nil || reached[b] {
			return
		}
		reached[b] = true
		succs := b.Succs
		if i, ok := b.Instrs[len(b.Instrs)-1].(*ssa.If); ok {
			if c, ok := i.Cond.(*ssa.Const); ok {
				succs = succs[:1]
				if c.Value.String() == "false" {
					succs = b.Succs[1:]
				}
			}
		}
		for _, s := range succs {
			walk(s)
		}
	}
	walk(fn.Blocks[0])
	walk(fn.Recover)
	return slices.DeleteFunc(slices.Clone(fn.Blocks), func(b *ssa.BasicBlock) bool { return !reached[b] })
}

// hazard notes what n does itself.
func (p *pkg) hazard(n *node, rule, what string, pos token.Pos) { p.noted(n, rule, what, "", pos) }

func (p *pkg) noted(n *node, rule, what, note string, pos token.Pos) {
	if !p.marks.allowed(rule, pos) {
		n.sum.hazards.add(&Hazard{Rule: rule, What: what, Note: note, Spot: p.spot(pos)})
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
		p.results[in.Common()] = in
		p.call(n, in.Common(), pos)
	case *ssa.Defer:
		p.call(n, in.Common(), pos)
	case *ssa.Store:
		p.write(n, addressed(in.Addr), pos)
	case *ssa.MapUpdate:
		p.write(n, behind(in.Map), pos)
	case *ssa.MakeInterface:
		if !stream(in.X) {
			p.makeType(n, in.X.Type())
		}
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
			if m, ok := in.(*ssa.MakeClosure); ok && p.bound(n, m, pos) {
				continue
			}
			if v != called {
				p.use(n, v, pos, nil)
			}
		case *ssa.Global:
			p.read(n, in, v, pos)
		}
	}
}

// bound is a method with its receiver that becomes a value, where what it does depends on the receiver: of an interface, or of
// a logger. It reports whether it is one.
func (p *pkg) bound(n *node, m *ssa.MakeClosure, pos token.Pos) bool {
	fn := m.Fn.(*ssa.Function)
	obj, ok := fn.Object().(*types.Func)
	if !ok || fn.Synthetic == "" || len(m.Bindings) != 1 || obj.Signature().Recv() == nil {
		return false
	}
	if types.IsInterface(obj.Signature().Recv().Type()) {
		if need, benign, ok := p.needs(n, m.Bindings[0].Type(), obj, pos); ok {
			p.dispatch(n, &dispatch{v: m.Bindings[0], need: need, benign: benign})
		}
		return true
	}
	if obj.Pkg() == nil || !isLogger(obj) {
		return false
	}
	if e, _, listed := listed(obj); listed && e.Rule == "DET306" {
		n.sum.acts = true
		p.dispatch(n, &dispatch{v: m.Bindings[0], need: Need{Key: needLogger, What: form.Short(obj.FullName()), Spot: Spot{Pos: pos}}})
		return true
	}
	return false
}

func (p *pkg) call(n *node, c *ssa.CallCommon, pos token.Pos) {
	if c.IsInvoke() {
		p.invoke(n, c, pos)
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
			return
		}
		if p.saidPure(c.Value) {
			return
		}
		p.dispatch(n, &dispatch{v: c.Value, need: Need{Key: needFunc, What: called(c.Value), Site: p.site(pos), Spot: Spot{Pos: pos}}})
	}
}

func (p *pkg) dispatch(n *node, d *dispatch) { n.dispatches = append(n.dispatches, d) }

// saidPure reports whether a func is called that a field holds which is marked pure.
func (p *pkg) saidPure(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.UnOp:
		return p.saidPure(v.X)
	case *ssa.FieldAddr:
		if ptr, ok := v.X.Type().Underlying().(*types.Pointer); ok {
			return p.pureField(ptr.Elem(), v.Field)
		}
	case *ssa.Field:
		return p.pureField(v.X.Type(), v.Field)
	}
	return false
}

func (p *pkg) pureField(of types.Type, i int) bool {
	st, ok := of.Underlying().(*types.Struct)
	return ok && p.marks.word(st.Field(i).Origin()) == "pure"
}

// called is what people call a func that is called by its value.
func called(v ssa.Value) string {
	switch v := v.(type) {
	case *ssa.Parameter:
		return v.Name()
	case *ssa.UnOp:
		return called(v.X)
	case *ssa.Global:
		return v.Pkg.Pkg.Name() + "." + v.Name()
	case *ssa.FieldAddr:
		if s, ok := types.Unalias(v.X.Type()).Underlying().(*types.Pointer); ok {
			if st, ok := s.Elem().Underlying().(*types.Struct); ok {
				return st.Field(v.Field).Name()
			}
		}
	case *ssa.Field:
		if st, ok := v.X.Type().Underlying().(*types.Struct); ok {
			return st.Field(v.Field).Name()
		}
	case *ssa.FreeVar:
		return v.Name()
	}
	return "a func value"
}

// use is a call of a function, or a place where it becomes a value (c is nil).
func (p *pkg) use(n *node, fn *ssa.Function, pos token.Pos, c *ssa.CallCommon) {
	for _, arg := range fn.TypeArgs() { // generic code calls methods of its type arguments
		p.makeType(n, arg)
		p.makeType(n, types.NewPointer(arg))
	}
	fn = form.Origin(fn)
	obj, _ := fn.Object().(*types.Func)
	if obj == nil || fn.Parent() != nil { // a closure, or a wrapper that the compiler makes
		p.edge(n, fn, pos, c)
		return
	}
	obj = obj.Origin()
	if r := obj.Signature().Recv(); r != nil && types.IsInterface(r.Type()) { // I.Method as a value
		p.opaque(n, r.Type(), obj, pos)
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
		p.abroad(n, obj, p.mention(n, obj, pos), c)
	}
}

// mention is where the source names a function near pos that is not called there by its name: "now := time.Now".
func (p *pkg) mention(n *node, obj *types.Func, pos token.Pos) token.Pos {
	if p.named[pos] == obj {
		return pos
	}
	best := pos
	far := 0
	for _, at := range p.mentions[mention{n, obj}] {
		d := int(at - pos)
		if d = max(d, -d); best == pos || d < far {
			best, far = at, d
		}
	}
	return best
}

func (p *pkg) edge(n *node, to *ssa.Function, pos token.Pos, c *ssa.CallCommon) {
	if len(to.Blocks) == 0 {
		switch name := form.FuncName(to); {
		case to.Synthetic != "":
		case p.linked[to.Object()]:
			p.hazard(n, "DET903", name, pos)
		case strings.Contains(name, "._Cfunc_"):
			p.hazard(n, "DET307", "C."+name[strings.Index(name, "._Cfunc_")+len("._Cfunc_"):], pos)
		default:
			p.hazard(n, "DET307", name, pos)
		}
		return
	}
	if strings.Contains(to.Name(), "_Cfunc_") {
		p.hazard(n, "DET307", "C."+strings.TrimPrefix(to.Name(), "_Cfunc_"), pos)
		return
	}
	n.calls = append(n.calls, call{to: p.addNode(to), pos: pos, on: c, step: Step{Func: form.FuncName(to), At: p.at(pos)}})
}

// abroad is a use of a function of another package.
func (p *pkg) abroad(n *node, obj *types.Func, pos token.Pos, c *ssa.CallCommon) {
	if obj.Pkg() == nil { // error.Error
		return
	}
	name := form.Short(obj.FullName())
	if isRuntime(obj.Pkg().Path()) {
		n.sum.acts = n.sum.acts || actsAtRuntime(obj)
		return
	}
	if e, known, listed := listed(obj); listed {
		p.listed(n, obj, e, known, pos, c)
		return
	}
	if class := p.marks.policy.Class(obj); class != policy.Inspect && class != policy.Pure {
		p.hazard(n, string(class), name, pos)
		return
	}
	s := p.summaryOf(obj)
	if s == nil {
		p.hazard(n, "DET901", name, pos)
		return
	}
	step := Step{Func: name, At: p.at(pos)}
	more := newSum()
	more.add(s, p.module, Spot{Pos: pos}, step)
	for k, h := range more.hazards {
		if p.marks.hidden(h) || p.marks.allowedThere(h, p.module, pos) {
			delete(more.hazards, k)
		}
	}
	n.sum.add(more, p.module, Spot{Pos: pos})
	if len(s.pending)+len(s.each) > 0 {
		n.pendings = append(n.pendings, pending{s, c, pos, step})
	}
	if c == nil {
		return
	}
	for i := range s.writes {
		if i < len(c.Args) {
			p.write(n, behind(c.Args[i]), pos)
		}
	}
	for _, need := range s.needs {
		if need.Param < len(c.Args) {
			p.dispatch(n, p.answer(need, c.Args[need.Param], pos, step))
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
	case p.marks.policy.Class(obj) == policy.Pure:
		s = newSum()
	case p.pass.ImportObjectFact(obj, &f):
		s = sumOf(&f, p.typesOf(obj.Pkg()))
	case p.pass.ImportPackageFact(obj.Pkg(), new(Looked)):
		s = newSum()
	}
	p.foreign[obj] = s
	return s
}

// typesOf are the types that facts of another package name.
func (p *pkg) typesOf(of *types.Package) map[string]*made {
	if m, ok := p.imported[of]; ok {
		return m
	}
	m := map[string]*made{}
	var l Looked
	if p.pass.ImportPackageFact(of, &l) {
		for _, t := range l.Types {
			m[t.Name] = madeOf(t)
		}
	}
	p.imported[of] = m
	return m
}

// listed is a use of a function that a table knows.
func (p *pkg) listed(n *node, obj *types.Func, e effects.Effect, known bool, pos token.Pos, c *ssa.CallCommon) {
	name := form.Short(obj.FullName())
	switch {
	case !known:
		p.hazard(n, "DET901", name, pos)
	case e.Rule == "DET306" && c != nil && isLogger(obj): // where it logs to is told where it was made
		n.sum.acts = true
		p.dispatch(n, &dispatch{v: c.Args[0], need: Need{Key: needLogger, What: name, Spot: Spot{Pos: pos}}})
	case e.Rule == "DET412" && c != nil && deterministic(c):
	case e.Rule != "":
		p.hazard(n, e.Rule, name, pos)
		n.sum.acts = n.sum.acts || e.Rule == "DET306"
	}
	for _, call := range e.Calls {
		p.callback(n, obj, call, pos, c)
	}
	if c == nil {
		return
	}
	if e.Zoned {
		p.dispatch(n, &dispatch{v: c.Args[0], need: Need{Key: needZone, What: name, Spot: Spot{Pos: pos}}})
	}
	for _, arg := range e.Writes {
		if i := argument(obj, arg); i < len(c.Args) {
			p.write(n, behind(c.Args[i]), pos)
		}
	}
}

// isLogger recognises the methods of the standard library's loggers that log.
func isLogger(obj *types.Func) bool {
	r := obj.Signature().Recv()
	if r == nil {
		return false
	}
	switch types.TypeString(r.Type(), nil) {
	case "*log/slog.Logger", "*log.Logger":
		return true
	}
	return false
}

// callback is what a listed function calls of what it is given.
func (p *pkg) callback(n *node, obj *types.Func, call effects.Call, pos token.Pos, c *ssa.CallCommon) {
	step := Step{Func: form.Short(obj.FullName()), At: p.at(pos)}
	for _, m := range call.Methods {
		if m == effects.AnyMethod {
			continue // a template names it, if any
		}
		need := Need{Key: m, What: m, Spot: Spot{Pos: pos}, Via: []Step{step}, Deep: call.Deep}
		i := 0
		if c != nil {
			i = argument(obj, call.Arg)
		}
		if c == nil || i >= len(c.Args) {
			n.sum.invoke(&Invoke{Key: m, Spot: need.Spot, Via: need.Via})
			continue
		}
		if call.Elem {
			need.Path = []int{element}
		} else if strings.HasPrefix(m, "Write") {
			p.write(n, behind(c.Args[i]), pos)
		}
		p.dispatch(n, &dispatch{v: c.Args[i], need: need, benign: call.Benign})
	}
}

// argument is the place of an argument of obj among those of an SSA call, where a receiver is the first.
func argument(obj *types.Func, i int) int {
	if obj.Signature().Recv() != nil {
		return i + 1
	}
	return i
}

// invoke is a call of an interface's method, or of a type parameter's.
func (p *pkg) invoke(n *node, c *ssa.CallCommon, pos token.Pos) {
	need, benign, ok := p.needs(n, c.Value.Type(), c.Method, pos)
	if !ok {
		return
	}
	if strings.HasPrefix(c.Method.Name(), "Write") && effects.Std(c.Method.Pkg().Path()) {
		p.write(n, behind(c.Value), pos)
	}
	p.dispatch(n, &dispatch{v: c.Value, need: need, benign: benign, args: c.Args})
	if _, param := types.Unalias(c.Value.Type()).(*types.TypeParam); param {
		n.sum.invoke(need.invoke())
	}
}

// opaque is invoke of whatever was made an interface.
func (p *pkg) opaque(n *node, recv types.Type, m *types.Func, pos token.Pos) {
	if need, _, ok := p.needs(n, recv, m, pos); ok {
		n.sum.invoke(need.invoke())
	}
}

// needs is what a call of an interface's method needs to know. Of a foreign interface a table may say what it does whoever
// implements it.
func (p *pkg) needs(n *node, recv types.Type, m *types.Func, pos token.Pos) (need Need, benign, ok bool) {
	name := form.Short(m.FullName())
	if named, ok := types.Unalias(recv).(*types.Named); ok {
		name = form.Short(named.Obj().Name() + "." + m.Name())
	}
	need = Need{Key: methodKey(m), What: name, Site: p.site(pos), Spot: Spot{Pos: pos}}
	switch {
	case m.Pkg() == nil:
		return need, true, m.Name() == "Error"
	case isRuntime(m.Pkg().Path()) || p.marks.word(m) != "" || p.marks.policy.Class(m) == policy.Pure:
		return need, false, false
	case p.marks.policy.Class(m) != policy.Inspect:
		p.hazard(n, string(p.marks.policy.Class(m)), form.Short(m.FullName()), pos)
		return need, false, false
	case effects.Std(m.Pkg().Path()):
		e, known := effects.Method(recv, m)
		switch {
		case !known:
			p.hazard(n, "DET901", form.Short(m.FullName()), pos)
		case e.Rule != "":
			p.hazard(n, e.Rule, form.Short(m.FullName()), pos)
		}
		if len(e.Calls) == 0 {
			return need, false, false
		}
		benign = e.Calls[0].Benign
	default:
		if e, known := effects.Other(m); known {
			if e.Rule != "" {
				p.hazard(n, e.Rule, form.Short(m.FullName()), pos)
			}
			return need, false, false
		}
	}
	return need, benign, true
}
