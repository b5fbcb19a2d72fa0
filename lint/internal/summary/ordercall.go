package summary

import (
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// call judges a call in the body: what acts must not act in any order, and what writes into something that was there before
// writes in any order.
func (l *loop) call(in ssa.CallInstruction) {
	c := in.Common()
	if c.IsInvoke() {
		l.invoke(in)
		return
	}
	if b, ok := c.Value.(*ssa.Builtin); ok {
		if b.Name() == "copy" && l.outside(c.Args[0]) && l.values[c.Args[1]] {
			l.report("DET402", "copy in map order", in.Pos())
		}
		return
	}
	fn := c.StaticCallee()
	if fn == nil {
		l.yield(in)
		return
	}
	fn = form.Origin(fn)
	if to := l.p.nodes[fn]; to != nil {
		l.enter(in, to)
		return
	}
	obj, _ := fn.Object().(*types.Func)
	if obj == nil || obj.Pkg() == nil {
		return
	}
	name := form.Short(obj.FullName())
	if isRuntime(obj.Pkg().Path()) {
		if actsAtRuntime(obj) {
			l.report("DET401", name, in.Pos())
		}
		return
	}
	e, known, listed := listed(obj)
	if !listed {
		if s := l.p.summaryOf(obj.Origin()); s != nil {
			l.calls(in, name, s)
		}
		return
	}
	if !known || commutative(obj, c) || l.syncEntry(obj, c) {
		return
	}
	if e.Rule == "DET306" {
		l.report("DET401", name, in.Pos())
		return
	}
	for _, arg := range e.Writes {
		if i := argument(obj, arg); i < len(c.Args) && l.outside(c.Args[i]) && l.given(c, i) {
			l.report("DET402", name, in.Pos())
			return
		}
	}
	for _, call := range e.Calls {
		i := argument(obj, call.Arg)
		if i < len(c.Args) && slices.ContainsFunc(call.Methods, func(m string) bool { return strings.HasPrefix(m, "Write") }) && l.outside(c.Args[i]) && l.given(c, i) {
			l.report("DET402", name, in.Pos())
			return
		}
	}
}

// given reports whether a call passes something of the iteration besides argument i.
func (l *loop) given(c *ssa.CallCommon, i int) bool {
	for j, arg := range c.Args {
		if j != i && (l.values[arg] || l.values[root(arg)]) {
			return true
		}
	}
	return false
}

// calls judges a call of a function whose summary is known.
func (l *loop) calls(in ssa.CallInstruction, name string, s *sum) {
	if s.acts {
		l.report("DET401", name, in.Pos())
		return
	}
	c := in.Common()
	for i := range s.writes {
		if i < len(c.Args) && l.outside(c.Args[i]) && l.given(c, i) {
			l.report("DET402", name, in.Pos())
			return
		}
	}
}

// enter judges what a function of the package does to what was there before the loop, as a part of the body.
func (l *loop) enter(in ssa.CallInstruction, to *node) {
	name := form.FuncName(to.fn)
	if to.sum.acts {
		l.report("DET401", name, in.Pos())
		return
	}
	if len(to.sum.writes) == 0 && len(to.fn.FreeVars) == 0 {
		return // what it gives is followed where it is used
	}
	l.p.entered++
	if l.depth > 3 || l.p.entered > 100 || len(to.fn.Blocks) == 0 { // enough to tell loops that people read
		l.calls(in, name, to.sum)
		return
	}
	sub := l.p.calledLoop(to.fn, l.pos)
	sub.key, sub.values, sub.depth, sub.inner = nil, map[ssa.Value]bool{}, l.depth+1, map[ssa.Value]bool{}
	for i, param := range to.fn.Params {
		if i >= len(in.Common().Args) {
			break
		}
		arg := in.Common().Args[i]
		if l.values[arg] || l.values[root(arg)] && !l.outside(arg) {
			sub.values[param] = true
		}
		if arg == l.key && l.key != nil {
			sub.key = param
		}
		if !l.outside(arg) {
			sub.inner[param] = true
		}
	}
	for _, v := range to.fn.FreeVars {
		for _, b := range form.Bindings(v) {
			if l.values[b] {
				sub.values[v] = true
			}
			if !l.outside(b) {
				sub.inner[v] = true
			}
		}
	}
	if len(sub.values) == 0 {
		return // it does the same in every iteration
	}
	sub.run()
	for _, k := range sub.leaks {
		if k.returned && to.fn.Parent() != nil { // a variable around both
			l.leaks = append(l.leaks, k)
		}
		if !k.returned { // what it returns is followed where it is used
			l.report(k.rule, name, in.Pos())
			return
		}
	}
}

// invoke judges a call of an interface's method on what was there before the loop.
func (l *loop) invoke(in ssa.CallInstruction) {
	c := in.Common()
	if !l.outside(c.Value) {
		return
	}
	given := slices.ContainsFunc(c.Args, func(a ssa.Value) bool { return l.values[a] || l.values[root(a)] })
	if strings.HasPrefix(c.Method.Name(), "Write") && given {
		l.report("DET402", c.Method.Name(), in.Pos())
		return
	}
	for _, t := range l.p.leaves(c.Value, nil).types {
		made := l.p.typeOf(t)
		if made == nil {
			continue
		}
		for _, m := range made.methods {
			switch {
			case !m.is(methodKey(c.Method)):
			case m.sum().acts:
				l.report("DET401", m.name, in.Pos())
			case m.sum().writes[0] && given:
				l.report("DET402", m.name, in.Pos())
			}
		}
	}
}

// commutative recognises sums of whole numbers of any size: n.Add(n, x).
func commutative(obj *types.Func, c *ssa.CallCommon) bool {
	r := obj.Signature().Recv()
	if r == nil || len(c.Args) < 3 {
		return false
	}
	switch types.TypeString(r.Type(), nil) {
	case "*math/big.Int", "*math/big.Rat":
	default:
		return false
	}
	switch obj.Name() {
	case "Add", "Mul", "And", "Or", "Xor":
		return equal(c.Args[0], c.Args[1]) || equal(c.Args[0], c.Args[2])
	case "Sub":
		return equal(c.Args[0], c.Args[1])
	}
	return false
}

// syncEntry recognises an entry of a sync.Map under the loop's key.
func (l *loop) syncEntry(obj *types.Func, c *ssa.CallCommon) bool {
	r := obj.Signature().Recv()
	if r == nil || types.TypeString(r.Type(), nil) != "*sync.Map" || len(c.Args) < 2 {
		return false
	}
	key, ok := c.Args[1].(*ssa.MakeInterface)
	return ok && l.key != nil && (key.X == l.key || l.perKey(key.X))
}

// actsAtRuntime tells the runtime's functions that leave a trace from those that only look.
func actsAtRuntime(obj *types.Func) bool {
	switch obj.Name() {
	case "Now", "InstanceID", "Name", "Tags", "Version", "ParentID", "RootID", "Replaying", "Logger", // of a context
		"Get", "Err", "Wait", // waiting decides nothing, whoever is waited for first
		"Ready", "Fired", "Final", "Error", "Unwrap", "Is", "As", "String",
		"On", "OnTimer", "WithoutCancel", "RetryAfter", "NonRetryable", "MarshalJSON", "UnmarshalJSON":
		return false
	}
	return true
}
