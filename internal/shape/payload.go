package shape

import "fmt"

// Payloads tells which activities, events and children carry other types than before, so that people see that these were
// looked at. Whether that breaks an orchestrator is for [Compare] to say.
func Payloads(old, now *Lock) []Finding {
	var findings []Finding
	tell := func(what string, before, after []Endpoint) {
		for i := range before {
			a := &before[i]
			b := find(after, a.Name)
			if b == nil {
				continue
			}
			changes := CompareParams(old, a.Params, now, b.Params)
			changes = append(changes, CompareTypes(old, a.Result, now, b.Result)...)
			for _, c := range changes {
				pos := c.Pos
				if !pos.IsValid() {
					pos = b.Pos
				}
				findings = append(findings, Finding{
					Orchestrator: a.Name, Kind: "payload", Safe: true, Pos: pos,
					Change: fmt.Sprintf("%s %s: %s", what, a.Name, c.Change), Reason: "no orchestrator whose code was compared breaks by it",
				})
			}
		}
	}
	tell("activity", old.Activities, now.Activities)
	tell("event", old.Events, now.Events)
	tell("child", old.Children, now.Children)
	return findings
}
