package code

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// Runtime is the package whose functions are known by name.
const Runtime = "github.com/durablegen/durablegen/runtime"

// Does says what a function does to the orchestration that it runs in.
type Does uint8

const (
	Schedules Does = 1 << iota // takes a place in the history
	Awaits                     // lets others run
	Continues                  // makes the error with which an orchestrator goes on as a new execution
	Receives                   // asks for an event, which is a place in the history once it is there
	Unknown                    // calls a function that gets a Context and is not known
)

// Kind says where a future may come from.
type Kind uint8

const (
	Activity Kind = 1 << iota
	Child
	Coroutine
	Event
	Timer
	Other
)

// known are the functions of the runtime that do something to an orchestration; the others only look.
var known = map[string]struct {
	does Does
	kind Kind
}{
	"StartActivity": {Schedules, Activity},
	"StartChild":    {Schedules, Child},
	"ReceiveEvent":  {Receives, Event},
	"Go":            {0, Coroutine},
	"NewTimer":      {Schedules, Timer},
	"Sleep":         {Schedules | Awaits, 0},
	"Any":           {Awaits, 0},
	"All":           {Awaits, 0},
	"Collect":       {Awaits, 0},
	"Select":        {Awaits, 0},
	"ForEach":       {Awaits, 0},
	"Map":           {Awaits, 0},
	"CallHTTP":      {Schedules | Awaits, 0},
	"DeliverEvent":  {Schedules | Awaits, 0},
	"SendEvent":     {Schedules, 0},
	"ContinueWith":  {Continues, 0},
	"ContinueAs":    {Continues, 0},
	"WithTimeout":   {Schedules, 0},

	"Future.Get":           {Awaits, 0},
	"Future.Err":           {Awaits, 0},
	"Future.Within":        {Awaits, 0},
	"Timer.Wait":           {Awaits, 0},
	"Saga.Rollback":        {Awaits, 0},
	"Saga.RollbackOnError": {Awaits, 0},
	"Context.Canceled":     {0, Event},
	"Context.Version":      {Schedules, 0},
}

// RuntimeName names a function of the runtime as "Go" or "Future.Get"; "" is of another package.
func RuntimeName(obj *types.Func) string {
	if obj == nil || obj.Pkg() == nil || obj.Pkg().Path() != Runtime {
		return ""
	}
	recv := obj.Signature().Recv()
	if recv == nil {
		return obj.Name()
	}
	if named := Named(recv.Type()); named != nil {
		return named.Obj().Name() + "." + obj.Name()
	}
	return obj.Name()
}

// Named is the defined type behind t or its pointer; nil when there is none.
func Named(t types.Type) *types.Named {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, _ := types.Unalias(t).(*types.Named)
	return n
}

// IsRuntime reports whether t is a type of the runtime with this name.
func IsRuntime(t types.Type, name string) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == name && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == Runtime
}

// IsContext reports whether t is durable.Context.
func IsContext(t types.Type) bool { return IsRuntime(t, "Context") }

// IsFuture reports whether t is a durable.Future.
func IsFuture(t types.Type) bool { return IsRuntime(t, "Future") }

// Callee is the declared function that a call calls; nil when it is a closure, an interface's method or a value.
func Callee(c *ssa.CallCommon) *types.Func {
	if c.IsInvoke() {
		return nil
	}
	return Declared(c.StaticCallee())
}

// Declared is the object of a function, of a generic one the origin; nil for closures and wrappers of the compiler.
func Declared(fn *ssa.Function) *types.Func {
	if fn == nil || fn.Parent() != nil {
		return nil
	}
	if fn.Origin() != nil {
		fn = fn.Origin()
	}
	obj, _ := fn.Object().(*types.Func)
	if obj != nil {
		obj = obj.Origin()
	}
	return obj
}

// Calls reports the name of the runtime's function that is called, as RuntimeName.
func Calls(in ssa.Instruction) string {
	c, ok := in.(ssa.CallInstruction)
	if !ok {
		return ""
	}
	return RuntimeName(Callee(c.Common()))
}

// Stores reports whether the arguments of a call go into the history: of the runtime's own functions, and of handles.
func (p *Package) Stores(in ssa.CallInstruction) bool {
	obj := Callee(in.Common())
	switch RuntimeName(obj) {
	case "":
	case "StartActivity", "StartChild", "SendEvent", "DeliverEvent", "ContinueWith", "ContinueAs", "Context.SetStatus":
		return true
	default:
		return false
	}
	if obj == nil || obj.Signature().Recv() == nil || p.Effect(in)&(Schedules|Continues) == 0 {
		return false
	}
	return slices.Contains([]string{"Call", "Start", "StartChild", "Send", "Deliver", "ContinueAsNew"}, obj.Name())
}
