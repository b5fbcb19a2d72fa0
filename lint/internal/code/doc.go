// Package code knows which functions of a package run inside orchestrations, and what each of them does there: whether it
// takes a place in the history, lets others run, makes futures or forgets those it is given.
//
// A package is looked at alone; what is known of the functions of its dependencies comes as facts. A package that does not
// import the runtime has nothing to tell, and is not looked at.
package code
