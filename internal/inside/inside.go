// Package inside is what package durable shows to its test kit, durabletest, and to nobody else. Package durable fills
// the variables in; their arguments are its own types, which this package cannot name.
package inside

import (
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
)

// A registry is a *durable.Registry, a binding a durable.Binding, a worker a *durable.Worker.
var (
	// Override puts a binding into a registry in place of the bindings that have one of its names.
	Override func(registry, binding any)
	// Merge adds all that a registry has to another.
	Merge func(into, from any)
	// Serves reports whether a registry has an activity, by name or alias.
	Serves func(registry any, activity string) bool
	// Name is the wire name of a binding, "" of an empty one.
	Name func(binding any) string
	// Group tells the group of an orchestrator, by name or alias.
	Group func(registry any, orchestrator string) (group string, ok bool)
	// Groups lists the groups of the orchestrators of a registry.
	Groups func(registry any) []string
	// Code is what a registry can run of a group.
	Code func(registry any, group string) owner.Code
	// Around has what Code gave run within interceptors, a []durable.OrchestratorInterceptor.
	Around func(code owner.Code, interceptors any)
	// Fail encodes an error that an orchestrator returned.
	Fail func(error) *history.Failure
	// Intercept tells when a function of an activity begins, by its wire name, task and slot, and calls the result when it
	// has returned. An error is that of the attempt, whose function does not run then.
	Intercept func(registry any, begin func(activity string, of history.Address, ref history.Ref) (returned func(), err error))
	// Crash ends a worker whose backend is dead: nothing is stored or handed over, and nothing is waited for.
	Crash func(worker any)
)
