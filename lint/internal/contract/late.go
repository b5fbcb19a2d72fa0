package contract

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
)

const acts = code.Schedules | code.Awaits

// deferred finds operations in deferred functions (DUR110): they also run when the orchestration is cancelled, when none of
// them can be started any more, and when the worker drops the instance. A saga, a timer's Stop and what is done with
// durable.WithoutCancel are made for that.
func (c *checker) deferred(f *code.Func) {
	for in := range instrs(f.Function) {
		d, ok := in.(*ssa.Defer)
		if !ok || c.Effect(d)&acts == 0 && !c.closureActs(d) {
			continue
		}
		fns, _ := c.Targets(d.Common())
		inner := slices.ContainsFunc(fns, func(fn *ssa.Function) bool { return fn.Parent() != nil })
		if !inner {
			if !c.madeForIt(d) {
				c.report(code.Finding{Rule: "DUR110", Pos: c.At(d), What: "deferred call of " + c.Name(d), In: f})
			}
			continue
		}
		for _, fn := range fns {
			c.operationsIn(fn)
		}
	}
}

func (c *checker) closureActs(d *ssa.Defer) bool {
	fns, _ := c.Targets(d.Common())
	return slices.ContainsFunc(fns, func(fn *ssa.Function) bool { return c.Of(fn) != nil && c.Of(fn).Does&acts != 0 })
}

// operationsIn reports the operations of a deferred closure, each where it is.
func (c *checker) operationsIn(fn *ssa.Function) {
	for in := range instrs(fn) {
		call, ok := in.(ssa.CallInstruction)
		if !ok || c.Effect(call)&acts == 0 || c.madeForIt(call) || c.partOfAnother(call) {
			continue
		}
		c.report(code.Finding{Rule: "DUR110", Pos: c.At(call), What: "deferred call of " + c.Name(call), In: c.Of(fn)})
	}
}

// partOfAnother reports whether a call only prepares one that is told: the Get of a Start, say.
func (c *checker) partOfAnother(call ssa.CallInstruction) bool {
	switch code.Calls(call) {
	case "Future.Get", "Future.Err", "Future.Within", "Timer.Wait":
		inner, ok := call.Common().Args[0].(*ssa.Call)
		return ok && c.Effect(inner)&acts != 0
	}
	return false
}

// madeForIt reports whether an operation is one that works in a deferred function.
func (c *checker) madeForIt(call ssa.CallInstruction) (is bool) {
	switch code.Calls(call) {
	case "Saga.Rollback", "Saga.RollbackOnError", "Timer.Stop":
		return true
	}
	for _, arg := range call.Common().Args {
		if code.IsContext(arg.Type()) {
			code.Origins(arg, func(o ssa.Value) {
				w, ok := o.(*ssa.Call)
				is = is || ok && code.Calls(w) == "WithoutCancel"
			})
		}
	}
	return is
}

// afterContinue finds operations behind the end of an execution (DUR110), and ends that are not returned (DUR305): going on
// as a new execution is an error that the orchestrator returns.
func (c *checker) afterContinue(f *code.Func) {
	for in := range instrs(f.Function) {
		call, ok := in.(*ssa.Call)
		if !ok || c.Effect(call)&code.Continues == 0 || !types.Identical(call.Type(), types.Universe.Lookup("error").Type()) {
			continue
		}
		if len(*call.Referrers()) == 0 {
			c.report(code.Finding{Rule: "DUR305", Pos: c.At(call), What: "dropped result of " + c.Name(call), In: f})
			continue
		}
		var late ssa.CallInstruction
		code.Reaches(call, func(in ssa.Instruction) bool { return in == ssa.Instruction(call) }, func(in ssa.Instruction) bool {
			if next, ok := in.(ssa.CallInstruction); ok && c.Effect(next)&code.Schedules != 0 {
				late = next
			}
			return late != nil
		})
		if late != nil && c.ends(call) {
			c.report(code.Finding{Rule: "DUR110", Pos: c.At(late), What: "call of " + c.Name(late) + " behind " + c.Name(call), In: f})
		}
	}
}

// ends reports whether a call makes the end itself: a helper may have done other work, and come back without it.
func (c *checker) ends(call *ssa.Call) bool {
	if code.Calls(call) == "ContinueWith" {
		return true
	}
	fns, _ := c.Targets(call.Common())
	for _, fn := range fns {
		if obj := code.Declared(fn); obj != nil && obj.Name() == "ContinueAsNew" {
			return true
		}
	}
	return false
}

// callbacks finds functions that the runtime calls in between and that must only look (DUR111): handlers of queries, and
// RetryPolicy.Handle.
func (c *checker) callbacks(f *code.Func) {
	for in := range instrs(f.Function) {
		switch in := in.(type) {
		case *ssa.Call:
			if code.Calls(in) == "SetQueryHandler" {
				for _, arg := range in.Call.Args {
					c.callback(arg, "the handler of a query")
				}
			}
		case *ssa.Store:
			if code.IsHandle(in.Addr) {
				c.callback(in.Val, "RetryPolicy.Handle")
			}
		}
	}
}

func (c *checker) callback(v ssa.Value, where string) {
	fns, _ := code.Functions(v)
	for _, fn := range fns {
		f := c.Of(fn)
		if f == nil || fn.Signature.Params().Len() > 1 {
			continue
		}
		for in := range instrs(fn) {
			switch in := in.(type) {
			case ssa.CallInstruction:
				if c.Effect(in)&(acts|code.Receives) != 0 && !c.partOfAnother(in) || where != "RetryPolicy.Handle" && c.usesContext(in) {
					c.report(code.Finding{Rule: "DUR111", Pos: c.At(in), What: c.Name(in) + " in " + where, In: f})
				}
			case *ssa.Store:
				if _, shared := fieldOf(in.Addr).(*ssa.FreeVar); shared && where != "RetryPolicy.Handle" {
					c.report(code.Finding{Rule: "DUR111", Pos: in.Pos(), What: "write of " + fieldOf(in.Addr).Name() + " in " + where, In: f})
				}
			}
		}
	}
}

// usesContext reports whether a call is a method of a Context, or takes one.
func (c *checker) usesContext(in ssa.CallInstruction) bool {
	return slices.ContainsFunc(in.Common().Args, func(a ssa.Value) bool { return code.IsContext(a.Type()) })
}

func elem(t types.Type) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}
