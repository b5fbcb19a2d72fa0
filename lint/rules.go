package lint

import "slices"

// Severity says what a finding means.
type Severity string

const (
	Error   Severity = "error"   // a proven hazard
	Warning Severity = "warning" // a hazard on some paths or machines, or against good practice
	Note    Severity = "note"    // a hint
)

// Rule is one thing that the linter looks for.
type Rule struct {
	ID       string
	Severity Severity
	Title    string // in a few words
	Why      string // "it reads the wall clock"
	Do       string // "use ctx.Now()"
	Since    string // version of durablegen
}

// Rules gives all of them by id.
func Rules() []Rule { return slices.Clone(rules) }

// RuleOf finds a rule by its id.
func RuleOf(id string) (r Rule, ok bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

var rules = slices.Concat(timeRules, concurrencyRules, outsideRules, orderRules, stateRules, unknownRules, useRules, payloadRules, historyRules, changeRules, houseRules)
