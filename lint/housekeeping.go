package lint

import (
	"fmt"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/annotations"
	"github.com/durablegen/durablegen/lint/internal/policy"
)

var houseRules = []Rule{
	{"DET951", Error, "suppression without a reason", "whoever reads it later has to know whether it still holds", "write //durable:allow DET101 -- reason", "0.1"},
	{"DET952", Warning, "unused suppression", "it would hide the next mistake at this place", "remove it", "0.1"},
	{"DET953", Error, "misplaced or misspelt directive", "nothing acts on it", "write it as docs/directives.md says, directly above what it marks", "0.1"},
}

// housekeeping gives what is wrong with the directives of a package.
func housekeeping(p *policy.Policy) []analysis.Diagnostic {
	var found []analysis.Diagnostic
	for _, m := range p.Mistakes {
		id := "DET953"
		if m.NoReason {
			id = "DET951"
		}
		d := analysis.Diagnostic{Pos: m.At, Category: id, Message: fmt.Sprintf("%s (%s)", m.Message, id)}
		if f := m.Fix; f != nil {
			d.SuggestedFixes = []analysis.SuggestedFix{{
				Message: f.Message, TextEdits: []analysis.TextEdit{{Pos: f.Pos, End: f.End, NewText: []byte(f.New)}},
			}}
		}
		found = append(found, d)
	}
	allows, used := p.Allows()
	still := map[*annotations.Directive]int{} // rules of it that hide something, or would if there were such a rule
	for _, a := range allows {
		if _, exists := RuleOf(a.Rule); used[a] || !exists {
			still[a.Directive]++
		}
	}
	for _, a := range allows {
		if d, ok := useless(a, used[a], still[a.Directive] > 0); ok {
			found = append(found, d)
		}
	}
	return found
}

// useless tells of an allow that hides nothing. Its comment can go when all of it hides nothing.
func useless(a *policy.Allow, used, needed bool) (analysis.Diagnostic, bool) {
	rule, exists := RuleOf(a.Rule)
	pos := a.Directive.Pos
	switch {
	case !exists:
		return analysis.Diagnostic{
			Pos: pos, Category: "DET953", Message: fmt.Sprintf("//durable:allow names %s: there is no such rule; docs/lint lists them (DET953)", a.Rule),
		}, true
	case used:
		return analysis.Diagnostic{}, false
	}
	if a.Refused {
		return analysis.Diagnostic{
			Pos: pos, Category: "DET952",
			Message: fmt.Sprintf("//durable:allow %s hides nothing: what it is about happens in another module; look there, and permit it in durablelint.yaml (DET952)", a.Rule),
		}, true
	}
	d := analysis.Diagnostic{
		Pos: pos, Category: "DET952",
		Message: fmt.Sprintf("//durable:allow %s hides nothing: there is no %s in its reach, and it would hide the next one; remove it (DET952)", a.Rule, rule.Title),
	}
	if !needed {
		d.SuggestedFixes = []analysis.SuggestedFix{{
			Message: "Remove the comment", TextEdits: []analysis.TextEdit{{Pos: pos, End: a.Directive.End}},
		}}
	}
	return d, true
}
