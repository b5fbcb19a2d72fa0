package shape

import (
	"cmp"
	"go/token"
	"slices"
)

// Finding is a change and what it means for instances that began with the old code.
type Finding struct {
	Orchestrator string         // wire name, or that of an activity or event
	Version      string         // of the orchestrator
	Kind         string         // what sort of change it is, one word
	Safe         bool           // no instance breaks
	Pos          token.Position // in the new source; not valid when nothing is left there: the package then
	Change       string         // what changed, a sentence
	Reason       string         // why that is safe or not
	Breaks       string         // which instances; "" when it is safe
	WaysOut      []string       // what can be done about it; nil when it is safe
}

// Unsafe reports whether any of the findings is.
func Unsafe(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return !f.Safe })
}

func sortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.Filename, b.Pos.Filename), cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column), cmp.Compare(a.Orchestrator, b.Orchestrator), cmp.Compare(a.Change, b.Change))
	})
}

// Ways out of a change that breaks instances.
const (
	wayVersion = "put the change behind a patch: if ctx.Version(\"what-changed\") { the new way } else { the old way }"
	wayKeep    = "keep the call, for instances that have it recorded: ctx.Version(%q), whatever it answers"
	wayCopy    = "keep the old function beside the new one, named …V1, and give the new one version=2"
	wayWait    = "deploy when no instance that began before is left: durable count -q --name %s --status Pending --status Running --status Suspended"
	wayAccept  = "if no instance can be there, record that: durablegen check -accept REASON"
	wayAlias   = "keep the stored name: name=%s, or answer to it: alias=%s"
	wayGroup   = "keep the group: group=%s"
)
