package summary

import "fmt"

// Function is the fact of a function that does more than compute.
type Function struct {
	Hazards []Hazard // what it does without the help of interfaces
	Pending []Hazard // of its result, which has the order of a map: hazards of who uses it without sorting
	Types   []string // made interfaces by it, or by methods of one another: those with methods that do more than compute
	Invokes []Invoke // methods that it calls of interfaces that it does not know
	Needs   []Need   // what it calls of its parameters
	Each    []Each   // parameters that it calls in the order of a map
	Writes  []int    // parameters, the receiver first, through which it writes
	Sorts   []int    // parameters that it sorts
	Acts    bool     // it schedules, logs, or draws from the orchestration
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
	Needs   []Need
	Acts    bool
	Writes  bool // its receiver
}

// Invoke is a call of an interface's method on whatever was made an interface.
type Invoke struct {
	Key  string // "Get func(string) error"; of the standard library's calls, and of generic code, the name alone
	Site string // as a whole program knows the call; "": there is none
	Spot
	Via []Step // to the function that calls
}

// Each is a parameter, the receiver first, that is called for each entry of a map.
type Each struct {
	Param int
	Order Hazard // where, if it shows
}

// Need is a call whose target depends on an argument: a method of it, or the func that it is.
type Need struct {
	Param int    // the receiver first
	Path  []int  // from the parameter to what is called: fields, or element
	Key   string // as Invoke.Key, or one of the needs below
	What  string // "Store.Get", as people call it
	Deep  bool   // of everything that can be reached from there
	Site  string // as Invoke.Site
	Spot
	Via []Step
}

// Needs that are no methods.
const (
	needFunc   = "()"     // it is called
	needLogger = "logger" // something is logged to it
	needZone   = "zone"   // a time is formatted
)

// element stands for an index or key in a path.
const element = -1

// Variable is the fact of a package variable that is more than a constant.
type Variable struct {
	Written string   // where it is written after its package's initialisation; "": nowhere
	Origin  *Hazard  // what it was initialised from
	State   string   // the function with memory of its own that it holds
	Holds   []Hazard // of the functions that it holds
	Types   []string // of the interfaces that it holds
	Unset   bool     // nothing in its package gives it a value
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
type Looked struct {
	Module string
	Types  []Type // those that facts of its functions and variables name
}

func (*Looked) AFact()         {}
func (*Looked) String() string { return "looked at" }
