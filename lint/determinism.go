package lint

import (
	"fmt"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/lint/internal/summary"
)

// Determinism reports what an orchestrator reaches and a replay could not repeat.
var Determinism = &analysis.Analyzer{
	Name:     "durabledeterminism",
	Doc:      "reports what an orchestrator reaches and a replay could not repeat",
	Requires: []*analysis.Analyzer{summary.Analyzer},
	Run:      runDeterminism,
}

// Analyzers gives everything that looks at a package.
func Analyzers() []*analysis.Analyzer { return []*analysis.Analyzer{Determinism, Contract} }

// Known reports whether a table says what a package does, so that it is not looked at.
func Known(path string) bool { return summary.Known(path) }

func runDeterminism(pass *analysis.Pass) (any, error) {
	type place struct {
		rule string
		pos  token.Pos
	}
	told := map[place]bool{} // a hazard that several orchestrators reach is told once
	for _, root := range pass.ResultOf[summary.Analyzer].(*summary.Result).Roots {
		for _, h := range root.Hazards {
			if at := (place{h.Rule, h.Pos}); !told[at] {
				told[at] = true
				pass.Report(diagnostic(root.Func.Name(), h))
			}
		}
	}
	return nil, nil
}

func diagnostic(orchestrator string, h *summary.Hazard) analysis.Diagnostic {
	rule, _ := RuleOf(h.Rule)
	var b strings.Builder
	fmt.Fprintf(&b, "%s in orchestrator %s", h.What, orchestrator)
	if len(h.Via) > 0 {
		var names []string
		for _, s := range h.Via {
			names = append(names, s.Func)
		}
		fmt.Fprintf(&b, " via %s", strings.Join(names, " → "))
	}
	fmt.Fprintf(&b, ": %s", rule.Why)
	if h.Note != "" {
		fmt.Fprintf(&b, " (%s)", h.Note)
	}
	fmt.Fprintf(&b, "; %s (%s)", rule.Do, rule.ID)
	return analysis.Diagnostic{Pos: h.Pos, Category: h.Rule, Message: b.String()}
}
