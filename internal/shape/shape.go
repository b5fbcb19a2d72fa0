// Package shape is the model of durable.lock.json: what the orchestrators of a package decide, in which order and from
// what, so that a later run can tell whether instances that began with the old code can go on with the new.
//
// It is plain data and the judgement over it: reading Go is gen's, printing is the command's.
package shape

import "go/token"

// Lock is the shape of one package.
type Lock struct {
	Format        int            `json:"format"`  // [Format]
	Package       string         `json:"package"` // import path
	Orchestrators []Orchestrator `json:"orchestrators"`
	Activities    []Endpoint     `json:"activities,omitempty"` // with those of other packages that a flow names, like the next two
	Events        []Endpoint     `json:"events,omitempty"`
	Children      []Endpoint     `json:"children,omitempty"` // orchestrators of other packages that a flow starts
	Types         []Type         `json:"types,omitempty"`    // what payloads are made of; a [TypeRef] is an index
	Accepted      []Accepted     `json:"accepted,omitempty"`
	Written       []Written      `json:"written,omitempty"` // declarations that the flows are made of, by name

	Pos token.Position `json:"-"` // of the package clause
}

// Format is the newest form of a lock that this package reads and writes.
const Format = 1

// Accepted is an incompatible change that somebody has taken upon themselves, with the reason.
type Accepted struct {
	Orchestrator string `json:"orchestrator"`
	Change       string `json:"change"` // what the finding said
	Reason       string `json:"reason"`
}

// Orchestrator is one function, or one version of it.
type Orchestrator struct {
	Name    string   `json:"name"` // wire name
	Aliases []string `json:"aliases,omitempty"`
	Version string   `json:"version,omitempty"`
	Group   string   `json:"group"`
	Params  []Param  `json:"params,omitempty"`
	Result  TypeRef  `json:"result"`
	Flow    Flow     `json:"flow"`

	Func      string         `json:"-"` // the Go function
	Pos       token.Position `json:"-"` // of its name
	Directive token.Position `json:"-"`
}

// Endpoint is an activity or an event type.
type Endpoint struct {
	Name    string   `json:"name"` // wire name
	Aliases []string `json:"aliases,omitempty"`
	Params  []Param  `json:"params,omitempty"` // of an event: the event itself
	Result  TypeRef  `json:"result"`

	Func      string         `json:"-"` // the Go function or type
	Pos       token.Position `json:"-"` // of its name
	Directive token.Position `json:"-"`
}

// Param is a parameter that travels: contexts are left out.
type Param struct {
	Name string         `json:"name"` // "" of a single one, whose name is not on the wire
	Type TypeRef        `json:"type"`
	Pos  token.Position `json:"-"`
}

// TypeRef is an index into [Lock.Types], or NoType.
type TypeRef int

// NoType is the result of a function that has none.
const NoType TypeRef = -1

// Type is how values of a Go type are written as JSON. Two types that are written alike are the same type: names of Go
// types tell people where to look and are not compared.
type Type struct {
	Kind   string         `json:"kind"`             // string, bool, int, uint, float, bytes, time, any, raw, list, array, map, pointer, object, text (writes itself as text), own (writes itself as JSON)
	Bits   int            `json:"bits,omitempty"`   // of int, uint and float; the length of an array
	Name   string         `json:"name,omitempty"`   // of the Go type, for people; it is compared for text and own
	Key    TypeRef        `json:"key,omitempty"`    // of a map
	Elem   TypeRef        `json:"elem,omitempty"`   // of list, array, map and pointer
	Fields []Field        `json:"fields,omitempty"` // of an object, in the order in which they are written
	Reads  string         `json:"reads,omitempty"`  // of text and own, if the module has the code: a hash of that by which values are read
	Writes string         `json:"writes,omitempty"` // the same of that by which they are written
	Pos    token.Position `json:"-"`
	End    token.Position `json:"-"` // of a struct that is declared in files of the run: its closing brace

	ReadsPos, WritesPos token.Position `json:"-"` // of the methods
	Written             []Written      `json:"-"` // the declarations of which it is made
}

// Field is a member of an object.
type Field struct {
	Name     string         `json:"name"` // in JSON
	Type     TypeRef        `json:"type"`
	Optional bool           `json:"optional,omitempty"` // omitempty or omitzero: an absent one is not written
	Zero     string         `json:"zero,omitempty"`     // when that is, if omitempty would not say so: "zero", and a hash of the type's own IsZero
	Quoted   bool           `json:"quoted,omitempty"`   // the option string
	From     string         `json:"from,omitempty"`     // the embedded structs in which it is, by their Go names: "Base.", "*Base." behind a pointer
	Hides    bool           `json:"hides,omitempty"`    // there are others of its name, deeper or without a tag, which are not written
	Pos      token.Position `json:"-"`
}

// Flow is a graph of what a function does that matters to a replay, with the bodies of the functions that it calls in
// place. Node 0 is where it begins. Nodes and values are in the order of a walk from there, so that the same behaviour is
// the same flow whatever the source looks like.
type Flow struct {
	Nodes  []Node  `json:"nodes"`
	Values []Value `json:"values,omitempty"`

	Functions []Function `json:"functions,omitempty"` // of an orchestrator: those that its values tell by a Sum, in the order of these

	// Run, of an orchestrator, is the same flow with what the other tells by a hash written out, so that it can be run: what
	// coroutines share, and what stands behind interfaces. It is not compared, and nil where it would be the same.
	Run *Flow `json:"run,omitempty"`

	Written []Written `json:"-"` // of an orchestrator: declarations that it reaches
}

// Function is a function that is given away, with all that it does, steps and loops: value outer n in it is Args[n] of the
// func, and a param the number of a parameter, as What of an arg is. It returns what a func without a Sum has in Args. Two of
// them are compared by their Sums; the flow serves to run them. A lock that was written before there were any has none.
type Function struct {
	Sum  string `json:"sum"`
	Flow Flow   `json:"flow"`
}

// Written is a declaration as it was written when the shape of the package last changed. It serves to point to what was
// changed since, and to nothing else.
type Written struct {
	Name   string           `json:"name"`   // with that of its package
	Pieces string           `json:"pieces"` // a hash of each: statements, ends of blocks, members
	Places []token.Position `json:"-"`
}

// Node is one step of a flow.
type Node struct {
	Kind     NodeKind `json:"kind"`
	Target   string   `json:"target,omitempty"`   // wire name of an activity, child, event or marker; what a call calls
	Args     []int    `json:"args,omitempty"`     // values; see the kinds
	Loose    bool     `json:"loose,omitempty"`    // the call site does not compare arguments
	Bytes    bool     `json:"bytes,omitempty"`    // arguments are compared by the bytes of their JSON
	Shielded bool     `json:"shielded,omitempty"` // it is begun with a Context that nothing cancels: only rehearsals ask for that
	Bodies   []Flow   `json:"bodies,omitempty"`   // of functions that are run with a Context of their own; value outer n in them is Args[n]
	Type     TypeRef  `json:"type"`               // of the result
	Next     []int    `json:"next,omitempty"`     // nodes; of a branch: if true, if false
	In       []Edge   `json:"in,omitempty"`       // of a join: where its edges come from; a value phi has an argument for each

	Pos    token.Position   `json:"-"` // of the call or the statement
	Calls  []token.Position `json:"-"` // of named functions in place of which it stands, the outermost first
	After  []token.Position `json:"-"` // what stands behind it in the source, on the way to each of Next
	Within token.Position   `json:"-"` // the body of the if in whose head it is
	Late   bool             `json:"-"` // it was deferred, or is a compensation
}

// Edge is the way from a node by one of its Next.
type Edge struct {
	From int `json:"from"`
	Next int `json:"next,omitempty"`
}

// NodeKind says what a [Node] does.
type NodeKind string

// The kinds of nodes. Activity to Marker take a slot of the history.
const (
	Activity NodeKind = "activity" // starts it; Args are its arguments, by parameter
	Timer    NodeKind = "timer"
	Child    NodeKind = "child"  // Args are its arguments; one more is the id that the call gives, if it does
	Send     NodeKind = "send"   // Args: the id, the event
	Marker   NodeKind = "marker" // Context.Version

	Receive  NodeKind = "receive" // makes the future of an event
	Await    NodeKind = "await"   // blocks; Args are the futures, all of which it waits for
	AwaitAny NodeKind = "any"     // blocks for the first of Args; its result is which
	Now      NodeKind = "now"     // the clock
	UUID     NodeKind = "uuid"    // the next of a sequence
	Random   NodeKind = "random"  // the same
	Go       NodeKind = "go"      // runs Bodies as coroutines of their own: Go, Map, ForEach; what a loop defers, a goroutine: Target says which
	Scope    NodeKind = "scope"   // makes a Context that is cancelled by something: Target says by what
	Call     NodeKind = "call"    // gives the Context to what cannot be looked into
	Branch   NodeKind = "branch"  // Args: the condition
	Join     NodeKind = "join"    // ways meet, or a loop begins
	Return   NodeKind = "return"
	Continue NodeKind = "continue" // continues as new; Args are the arguments
	Panic    NodeKind = "panic"

	Variable NodeKind = "variable" // in the form to run: makes a place in memory, its result, that holds Args[0]
	Store    NodeKind = "store"    // the same: puts Args[1] into the place Args[0]
)

// Value is how a value is computed. Those that nothing of a flow depends on are not in it.
//
// A loop that only computes is two kinds of values. A mu is what changes in it: Args[0] when it begins, and Args[1] after
// each round, where the mus of the loop are what they were before the round. An eta is what the loop leaves: Args[1] in the
// first round in which Args[0] is true. Which loop a mu is of is said by Loop: that of the innermost eta around it with the
// same Loop. The mus of a loop within another have one more than those of the other.
//
// A func is a function that is given away. With a Sum it is compared by that only; Args are then what it takes from around it,
// and what it does stands in Functions of the orchestrator's flow. Without, Args are what it returns, and behind that what it
// leaves changed: as values out in variables around it, which are numbered, and as values left in what it was given. What is
// changed by the call of such a function says by What which of these it then is, "out 0" or "arg 0"; "" may be any. In them
// What of an arg is the number of a parameter, not counting a Context, of the innermost func around it with the same Func. The
// receiver is parameter 0 of a method that was not taken from a value. A finds is what that func finds in a variable that it
// changes, by its number and the fields in it: Args[0] the first time, and what it has left there from then on. Within a
// function with a Sum it is a found.
//
// A "box" is a value that has become one of an interface: What is its type. In a form to run a "dispatch" calls a method of an
// interface, as a value, or as the Target of a call: its arguments are the receiver, those of the method, and a "method" for every
// type that may be there, with the name of that and the function. An "is" or "as" of an interface names behind the value the types
// that are of it, an "assert" is an as that panics. A "kind" is a type for which errors.As looks.
type Value struct {
	Op   string `json:"op"`             // "param", "outer", "result", "phi", "const", "field", "call", "+", …
	What string `json:"what,omitempty"` // name of a parameter, field or function; text of a constant
	Args []int  `json:"args,omitempty"` // values
	Node int    `json:"node,omitempty"` // of a result: the node that it is of; of a phi: the join
	Sum  string `json:"sum,omitempty"`  // of a call into code of the module: hash of what it does; of anything else: ""
	Loop int    `json:"loop,omitempty"` // of a mu and an eta: how many loops that only compute it is in, its own included
	Func int    `json:"func,omitempty"` // of a func and an arg: in how many others the function lies

	Pos   token.Position `json:"-"`
	Parts []Part         `json:"-"` // of a text that was joined from several
	Unset []Part         `json:"-"` // of a struct: the fields that are zero, and where they got that
	After token.Position `json:"-"` // of a list, a map or a call: what stands behind it in the source
}

// Part is a piece of a constant text, or a field by its name.
type Part struct {
	Text string
	Pos  token.Position
}
