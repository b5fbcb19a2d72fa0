package growth

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
)

// judge follows the condition of an exit back to what decides it.
type judge struct {
	c     *checker
	l     *code.Loop
	again bool // functions that call one another are the loop
	seen  map[ssa.Value]bool
}

// real reports whether a condition may come to be by itself: by what the loop counts or remembers, the time, or the results
// of its work.
func (j *judge) real(v ssa.Value) bool {
	if v == nil || j.seen[v] {
		return false
	}
	j.seen[v] = true
	if isFailure(v.Type()) || isNothing(v) {
		return false
	}
	if p, ok := v.(*ssa.Parameter); ok {
		return j.changes(p)
	}
	in, ok := v.(ssa.Instruction)
	if !ok || !j.l.Body[in.Block()] {
		return false // the same in every round
	}
	switch x := v.(type) {
	case *ssa.Phi:
		if waits(x.Type()) {
			return slices.ContainsFunc(x.Edges, j.real)
		}
		return true
	case *ssa.BinOp:
		return j.real(x.X) || j.real(x.Y)
	case *ssa.UnOp:
		if x.Op == token.MUL {
			return j.loaded(x)
		}
		return j.real(x.X)
	case *ssa.Extract:
		return j.real(x.Tuple)
	case *ssa.Call:
		return j.call(x)
	case *ssa.Field:
		return j.real(x.X)
	case *ssa.FieldAddr:
		return j.real(x.X)
	case *ssa.MakeInterface:
		return j.real(x.X)
	case *ssa.ChangeInterface:
		return j.real(x.X)
	case *ssa.ChangeType:
		return j.real(x.X)
	case *ssa.Convert:
		return j.real(x.X)
	case *ssa.TypeAssert:
		return j.real(x.X)
	}
	return true
}

// loaded judges what is read from memory: of a variable that holds an event it is the event.
func (j *judge) loaded(u *ssa.UnOp) bool {
	if a, ok := root(u.X).(*ssa.Alloc); ok && !waits(u.Type()) {
		if stored := stores(a); len(stored) > 0 && !slices.ContainsFunc(stored, func(s *ssa.Store) bool { return s.Addr != ssa.Value(a) }) {
			return slices.ContainsFunc(stored, func(s *ssa.Store) bool { return j.l.Body[s.Block()] && j.real(s.Val) })
		}
	}
	return !waits(u.Type())
}

// call judges a call: errors and cancellations are failures, an event is somebody else's, a wait for several things is
// decided by what was there before the loop.
func (j *judge) call(call *ssa.Call) bool {
	switch name := code.Calls(call); name {
	case "Context.Err", "Context.Canceled":
		return false
	case "Future.Get", "Future.Err", "Future.Within", "Future.Ready":
		kinds := j.c.Kinds(call.Call.Args[0])
		return kinds&^(code.Event|code.Other) != 0 || kinds&code.Other != 0 && !j.inLoop(call.Call.Args[0])
	case "Any", "Select":
		return slices.ContainsFunc(code.Elements(call.Call.Args[1:]), j.ends)
	case "Timer.Fired":
		return j.ends(call.Call.Args[0])
	}
	obj := code.Callee(call.Common())
	if obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "errors" {
		return false
	}
	if b, ok := call.Call.Value.(*ssa.Builtin); ok && (b.Name() == "len" || b.Name() == "cap") {
		return j.real(call.Call.Args[0])
	}
	if fact := j.c.FactOf(obj); fact != nil && fact.Does&code.Awaits == 0 && fact.Does&code.Receives != 0 {
		return false
	}
	return true
}

// ends reports whether a future or timer that a loop waits for was there before the loop, and comes by itself.
func (j *judge) ends(v ssa.Value) bool {
	if j.inLoop(v) {
		return false
	}
	kinds := j.c.Kinds(v)
	return kinds&(code.Timer|code.Activity|code.Child|code.Coroutine) != 0 && kinds&code.Event == 0
}

// inLoop reports whether a value is made anew in the loop.
func (j *judge) inLoop(v ssa.Value) (is bool) {
	code.Origins(v, func(o ssa.Value) {
		in, ok := o.(ssa.Instruction)
		is = is || ok && j.l.Body[in.Block()]
	})
	return is
}

func isFailure(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

func isNothing(v ssa.Value) bool {
	c, ok := v.(*ssa.Const)
	return ok && c.IsNil()
}

// waits reports whether t is something to wait for.
func waits(t types.Type) bool {
	return code.IsFuture(t) || code.IsRuntime(t, "Timer") || code.IsRuntime(t, "Awaitable")
}

// root is the variable, or the reference, that an address is in.
func root(addr ssa.Value) ssa.Value {
	for {
		switch a := addr.(type) {
		case *ssa.FieldAddr:
			addr = a.X
		case *ssa.IndexAddr:
			addr = a.X
		default:
			return addr
		}
	}
}

// stores are the writes of a variable, or of a part of it.
func stores(a *ssa.Alloc) (out []*ssa.Store) {
	var walk func(v ssa.Value)
	walk = func(v ssa.Value) {
		for _, r := range *v.Referrers() {
			switch r := r.(type) {
			case *ssa.Store:
				if r.Addr == v {
					out = append(out, r)
				}
			case *ssa.FieldAddr:
				walk(r)
			case *ssa.IndexAddr:
				walk(r)
			}
		}
	}
	walk(a)
	return out
}

// stuck reports whether a loop can never end: it has no exit, or only such as depend on what nothing in the loop changes.
func (c *checker) stuck(l *code.Loop, exits []code.Exit) bool {
	if c.rangesOver(l) || slices.ContainsFunc(exits, func(e code.Exit) bool { return e.If == nil }) {
		return false
	}
	writes := false
	for in := range l.Instrs {
		switch in := in.(type) {
		case *ssa.Store, *ssa.MapUpdate:
			writes = true
		case *ssa.Select, *ssa.Send: // another rule's
			return false
		case *ssa.UnOp:
			if in.Op == token.ARROW {
				return false
			}
		case ssa.CallInstruction:
			writes = writes || changesArgument(in)
			if len(exits) > 0 && !c.harmless(in) {
				return false
			}
		}
	}
	for _, e := range exits {
		if !c.fixed(e.If.Cond, l, writes, map[ssa.Value]bool{}) {
			return false
		}
	}
	return true
}

// looks are the functions of the runtime that tell the same until others have run.
var looks = []string{"Future.Ready", "Timer.Fired", "Context.Now", "Context.Err", "Context.Canceled", "Context.InstanceID", "Context.Replaying", "Context.Logger"}

// harmless reports whether a call changes nothing that a condition could see.
func (c *checker) harmless(in ssa.CallInstruction) bool {
	call := in.Common()
	if _, ok := call.Value.(*ssa.Builtin); ok {
		return true
	}
	obj := code.Callee(call)
	if obj == nil || obj.Pkg() == nil {
		return false
	}
	if name := code.RuntimeName(obj); name != "" {
		return slices.Contains(looks, name) || name == "StartActivity" || name == "StartChild" || name == "NewTimer"
	}
	if fns, all := c.Targets(call); all && len(fns) == 1 && c.Of(fns[0]) != nil && c.Of(fns[0]).Generated {
		return true // a handle
	}
	if slices.Contains([]string{"time.Now", "time.Since", "time.Until"}, obj.FullName()) {
		return false // they go on, which is another rule's
	}
	return slices.Contains([]string{"time", "errors", "fmt", "strings", "strconv", "context", "runtime"}, obj.Pkg().Path())
}

// changesArgument recognises the builtins that write.
func changesArgument(in ssa.CallInstruction) bool {
	b, ok := in.Common().Value.(*ssa.Builtin)
	return ok && slices.Contains([]string{"delete", "clear", "copy"}, b.Name())
}

// fixed reports whether a value is the same in every round of a loop.
func (c *checker) fixed(v ssa.Value, l *code.Loop, writes bool, seen map[ssa.Value]bool) bool {
	in, ok := v.(ssa.Instruction)
	if !ok || !l.Body[in.Block()] {
		return true
	}
	if seen[v] {
		return false
	}
	seen[v] = true
	switch x := v.(type) {
	case *ssa.Phi, *ssa.Next, *ssa.Lookup, *ssa.Alloc:
		return false
	case *ssa.UnOp:
		if x.Op == token.MUL && writes {
			return false
		}
	case *ssa.Call:
		if _, builtin := x.Call.Value.(*ssa.Builtin); !c.harmless(x) || builtin && writes {
			return false // len of a map
		}
	}
	for _, op := range in.Operands(nil) {
		if *op != nil && !c.fixed(*op, l, writes, seen) {
			return false
		}
	}
	return true
}
