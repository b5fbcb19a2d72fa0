package summary

import (
	"fmt"
	"go/token"
)

// Function is the fact of a function that does more than compute.
type Function struct {
	Hazards []Hazard // what it does without the help of interfaces
	Types   []Type   // made interfaces by it, or by methods of one another: those with methods that do more than compute
	Invokes []Invoke // methods that it calls of interfaces that it does not know
	Writes  []int    // parameters, the receiver first, through which it writes
}

func (*Function) AFact()           {}
func (f *Function) String() string { return fmt.Sprintf("%d hazards", len(f.Hazards)) }

// Type is one that was made an interface.
type Type struct {
	Name    string // "*example.com/store.HTTP"
	Methods []Method
}

// Method does more than compute.
type Method struct {
	Key     string // name and signature, as Invoke.Key
	Func    string // as people call it: "(*store.HTTP).Get"
	Hazards []Hazard
	Invokes []Invoke
}

// Invoke is a call of an interface's method.
type Invoke struct {
	Key string    // "Get func(string) error"; of the standard library's calls the name alone
	Pos token.Pos // of the call; no part of a fact
	Via []Step    // to the function that calls
	Out int       // as Hazard.Out
}

// Variable is the fact of a package variable that is more than a constant.
type Variable struct {
	Written string   // where it is written after its package's initialisation; "": nowhere
	Origin  *Hazard  // what it was initialised from
	Holds   []Hazard // of the functions that it holds
	Types   []Type   // of the interfaces that it holds
}

func (*Variable) AFact()           {}
func (v *Variable) String() string { return "variable" }

// Role is the fact of a declaration with a directive.
type Role struct {
	Word string // "orchestrator", "activity", "pure", "readonly"
}

func (*Role) AFact()           {}
func (r *Role) String() string { return r.Word }

// Looked is the fact of a package that has been looked at: what has no facts in it is harmless.
type Looked struct{}

func (*Looked) AFact()         {}
func (*Looked) String() string { return "looked at" }
