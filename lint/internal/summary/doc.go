// Package summary computes, function by function, what code does that a replay could not repeat.
//
// # How it looks at code
//
// A package is looked at alone, in SSA form; what it needs to know of its dependencies comes as facts, so that go vet, which
// compiles package by package, gives the same answers as a run over everything. Three rules make that possible without a call
// graph of the program:
//
//   - A function value counts as called where it is made: who hands time.Now to a sort, a callback or a field reads the clock.
//     So calls of parameters, of fields and of what maps hold need no resolution.
//   - An interface method is called on the types that were made interfaces on the way, and on no others. A summary has the
//     impure methods of types that it makes interfaces, and the methods that it calls without knowing of whom; an
//     orchestrator's own summary joins the two. (The idea is rapid type analysis, by Bacon and Sweeney.)
//   - Who reads a package variable does what its initialiser did with functions and interfaces, and depends on whoever writes
//     the variable.
//
// Standard library and runtime are not looked at: a table says what they do.
package summary
