// Package effects knows what the exported functions, methods and variables of the standard library do to determinism.
//
// The knowledge is a table that people read and review, in std/*.txt; std/base.txt starts with its notation. The source
// of the standard library is never analysed: behind fmt and reflect everything reaches everything.
//
// All functions may be called concurrently. The slices of an [Effect] belong to the table and must not be changed.
package effects

import (
	"go/types"
	"slices"
	"strings"
)

// Effect is what calling a function or method does, or reading a variable. The zero value is a pure one.
type Effect struct {
	Rule  string // id of the rule that it breaks by itself, as "DET101"; "": none
	Calls []Call // what it calls of what it is given

	Order bool // its result, or the order in which it calls, is that of a map (maps.Keys, reflect.Value.MapRange): DET404 decides
	Local bool // its result is a time in the zone of the machine (time.Unix): DET105 decides where it is formatted
	Zoned bool // what it gives depends on the zone of its receiver (Time.Format, Time.Day)

	// Writes holds the arguments, and Receiver, whose elements or pointee it changes: list.PushBack of a global is a
	// write of that global (DET501), MatchString of a global *regexp.Regexp is not.
	Writes []int
}

// Call is a call that a function of the standard library makes to code of its caller. A constructor over an interface
// counts as the caller of what its result calls later: bufio.NewWriter calls Write.
type Call struct {
	Arg     int      // index among the arguments; Receiver: the receiver
	Methods []string // methods called on it; AnyMethod: every exported one; nil: it is a func and is called itself
	Elem    bool     // not on the argument but on its elements: a variadic, slice or map
	Deep    bool     // also on whatever can be reached through the value (MarshalJSON of a field)
	Benign  bool     // by custom such methods have no effects: a value whose type is not known counts as harmless
}

// Receiver is the Arg of a call to the receiver.
const Receiver = -1

// AnyMethod in Call.Methods stands for every exported method of types outside the standard library. Which one is called
// is known at run time only (a template names it), so that an effect behind it is one that may be.
const AnyMethod = "*"

// Of tells what a function, method, builtin or variable of the standard library does. Known is false for what the table
// does not classify (DET901): what is not of the standard library, and what is newer than the table. Constants, fields
// and types do nothing, save constants with a line of their own (runtime.GOOS).
//
// A method of an interface that anybody can implement calls itself on the receiver, unless the table says more.
func Of(obj types.Object) (e Effect, known bool) {
	s, ok := symbolOf(obj)
	if !ok {
		return Effect{}, false
	}
	return std().effect(s)
}

// Method is Of for the method fn called through the interface type recv. It knows more if recv embeds the interface
// that declares fn: Write of a hash.Hash is pure, although it is io.Writer's.
func Method(recv types.Type, fn *types.Func) (e Effect, known bool) {
	if named, ok := types.Unalias(recv).(*types.Named); ok && types.IsInterface(named) {
		s := symbol{path: pathOf(named.Obj()), name: named.Obj().Name() + "." + fn.Name(), method: true, open: true}
		if e, known := std().explicit(s); known {
			return e, true
		}
	}
	return Of(fn)
}

// Std reports whether path is that of a package of the standard library, internal and vendored ones included. Modules of
// users may have paths without a dot too; those that begin as no package of the standard library are not its own.
func Std(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return std().roots[first]
}

// symbol is an object of the standard library as the table names it.
type symbol struct {
	path string // of its package; builtin for the universe
	name string // Func, Var or Type.Method

	method  bool
	pointer bool // a method with a pointer receiver
	open    bool // a method of an interface that other packages can implement
	silent  bool // a constant, field or type
}

func symbolOf(obj types.Object) (symbol, bool) {
	switch obj := obj.(type) {
	case *types.Func:
		obj = obj.Origin()
		recv := obj.Signature().Recv()
		if recv == nil {
			return symbol{path: pathOf(obj), name: obj.Name()}, true
		}
		return methodOf(obj, types.Unalias(recv.Type())), true
	case *types.Var:
		return symbol{path: pathOf(obj), name: obj.Name(), silent: obj.IsField()}, true
	case *types.Builtin:
		return symbol{path: pathOf(obj), name: obj.Name()}, true
	case *types.Const, *types.TypeName:
		return symbol{path: pathOf(obj), name: obj.Name(), silent: true}, true
	}
	return symbol{}, false
}

func methodOf(fn *types.Func, recv types.Type) symbol {
	s := symbol{path: pathOf(fn), name: "interface." + fn.Name(), method: true}
	if p, ok := recv.(*types.Pointer); ok {
		s.pointer = true
		recv = types.Unalias(p.Elem())
	}
	if named, ok := recv.(*types.Named); ok {
		s.name = named.Obj().Name() + "." + fn.Name()
	}
	if i, ok := recv.Underlying().(*types.Interface); ok {
		s.open = !slices.ContainsFunc(slices.Collect(i.Methods()), func(m *types.Func) bool { return !m.Exported() })
	}
	return s
}

func pathOf(obj types.Object) string {
	if obj.Pkg() == nil {
		return "builtin"
	}
	return obj.Pkg().Path()
}
