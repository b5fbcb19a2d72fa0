// Package summary computes, function by function, what code does that a replay could not repeat.
//
// # How it looks at code
//
// A package is looked at alone, in SSA form; what it needs to know of its dependencies comes as facts, so that go vet, which
// compiles package by package, gives the same answers as a run over everything. These rules make that possible without a call
// graph of the program:
//
//   - A function value counts as called where it is made: who hands time.Now to a sort, a callback or a field reads the clock.
//   - A method of an interface is called on the types that the value can be traced back to: through variables, fields,
//     elements and constructors of the package (flow.go). A trace that ends at a parameter becomes a need of the function,
//     which its callers answer with their arguments, in other packages too.
//   - Where a trace ends elsewhere, the method is called on all types that were made interfaces on the way, and on no others.
//     A summary has the types that it makes interfaces, and the methods that it calls without knowing of whom; an
//     orchestrator's own summary joins the two. (The idea is rapid type analysis, by Bacon and Sweeney.)
//   - Who reads a package variable does what its initialiser did with functions and interfaces, and depends on whoever writes
//     the variable.
//   - What nobody answers, because an orchestrator's own parameters or a variable that nothing sets would have to, is unknown
//     code.
//
// Standard library and runtime are not looked at: a table says what they do.
//
// # Order
//
// Loops over maps are judged by what shows of their order (order.go, ordersum.go, ordercall.go). A slice that is gathered in
// such a loop is followed until it is sorted or something looks at it (sorted.go, ties.go); one that is returned as it is
// stays pending in the summary, for the callers to sort. Iterators over maps, and what the table says to have the order of a
// map, are followed in the same way (unordered.go).
//
// # Bounds
//
// All of it ends and stays small: paths into values have four steps, judging a loop enters a hundred calls, a downloaded
// module tells one hazard of each rule for a function. Behind a bound an answer is coarser; a value that is kept deeper than four steps
// down may be missed.
package summary
