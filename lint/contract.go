package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/lint/internal/code"
	"github.com/durablegen/durablegen/lint/internal/contract"
	"github.com/durablegen/durablegen/lint/internal/growth"
	"github.com/durablegen/durablegen/lint/internal/payload"
)

// Contract reports code that uses the runtime in a way that does not do what it seems to, payloads that do not survive, and
// histories that grow without bound: the rules DUR101 to DUR403.
var Contract = &analysis.Analyzer{
	Name:     "durablecontract",
	Doc:      "reports misuse of the runtime, payloads that do not survive, and histories that grow without bound",
	Requires: contractParts,
	Run:      runContract,
}

var contractParts = []*analysis.Analyzer{contract.Analyzer, payload.Analyzer, growth.Analyzer}

func runContract(pass *analysis.Pass) (any, error) {
	var found []code.Finding
	for _, a := range contractParts {
		found = append(found, pass.ResultOf[a].([]code.Finding)...)
	}
	slices.SortStableFunc(found, func(a, b code.Finding) int {
		return cmp.Or(cmp.Compare(a.Pos, b.Pos), strings.Compare(a.Rule, b.Rule), strings.Compare(a.What, b.What))
	})
	for _, f := range found {
		pass.Report(analysis.Diagnostic{Pos: f.Pos, Category: f.Rule, Message: contractMessage(f), SuggestedFixes: f.Fixes})
	}
	return nil, nil
}

// contractMessage is the text of a finding: the generator's own where it has one, else what, where, why and what to do.
func contractMessage(f code.Finding) string {
	if f.Text != "" {
		return fmt.Sprintf("%s (%s)", f.Text, f.Rule)
	}
	rule, _ := RuleOf(f.Rule)
	var b strings.Builder
	b.WriteString(f.What)
	if f.In != nil {
		fmt.Fprintf(&b, " in %s", f.In.Where())
	}
	fmt.Fprintf(&b, ": %s", rule.Why)
	if f.Note != "" {
		fmt.Fprintf(&b, " (%s)", f.Note)
	}
	fmt.Fprintf(&b, "; %s (%s)", rule.Do, rule.ID)
	return b.String()
}
