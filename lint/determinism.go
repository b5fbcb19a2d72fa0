package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/lint/internal/mend"
	"github.com/durablegen/durablegen/lint/internal/summary"
)

// Determinism reports what an orchestrator reaches and a replay could not repeat.
var Determinism = &analysis.Analyzer{
	Name:     "durabledeterminism",
	Doc:      "reports what an orchestrator reaches and a replay could not repeat",
	Requires: []*analysis.Analyzer{summary.Analyzer},
	Run:      runDeterminism,
}

// found is a hazard with its place in the files.
type found struct {
	root *summary.Root
	*summary.Hazard
	at    analysis.Range
	order string
}

func runDeterminism(pass *analysis.Pass) (any, error) {
	places := newPlaces(pass)
	var all []found
	result := pass.ResultOf[summary.Analyzer].(*summary.Result)
	roots := result.Roots
	for i := range roots {
		for _, h := range roots[i].Hazards {
			at := places.of(h.Spot)
			p := pass.Fset.Position(at.Pos())
			all = append(all, found{&roots[i], h, at, fmt.Sprintf("%s:%08d:%08d", p.Filename, p.Line, p.Column)})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Or(strings.Compare(a.order, b.order), strings.Compare(a.Rule, b.Rule), cmp.Compare(weight(a.Hazard), weight(b.Hazard)),
			cmp.Compare(len(a.Via), len(b.Via)))
	})
	for _, claim := range result.Claims {
		for _, h := range claim.Hazards {
			pass.Report(broken(&claim, h, places))
		}
	}
	fixes := mend.New(pass, summary.Runtime)
	for _, f := range distinct(all) {
		d := diagnostic(f)
		d.Related = places.related(f.Hazard)
		d.SuggestedFixes = fixes.For(f.Rule, f.at.Pos())
		pass.Report(d)
	}
	return nil, nil
}

// broken tells what a function does that is said to be pure.
func broken(claim *summary.Root, h *summary.Hazard, places *places) analysis.Diagnostic {
	at := places.of(h.Spot)
	rule, _ := RuleOf(h.Rule)
	way := ""
	if steps := names(found{root: claim, Hazard: h}); len(steps) > 0 {
		way = " via " + strings.Join(steps, " → ")
	}
	return analysis.Diagnostic{
		Pos: at.Pos(), End: at.End(), Category: h.Rule, Related: places.related(h),
		Message: fmt.Sprintf("%s in %s%s, which is marked //durable:pure: %s; give it what it needs as an argument, or take the mark away (%s)",
			h.What, claim.Func.Name(), way, rule.Why, rule.ID),
	}
}

// distinct tells a hazard once that several orchestrators reach, and of a call into another module the gravest thing only:
// behind one name there may be hundreds.
func distinct(all []found) []found {
	type place struct{ rule, order string }
	told, abroad := map[place]bool{}, map[string]int{}
	var out []found
	for _, f := range all {
		if _, ok := RuleOf(f.Rule); !ok || told[place{f.Rule, f.order}] {
			continue
		}
		told[place{f.Rule, f.order}] = true
		if len(f.Via) > 0 && f.Deep.File != "" && f.Deep.Module != f.At.Module {
			if i, had := abroad[f.order]; had {
				if weight(f.Hazard) < weight(out[i].Hazard) {
					out[i] = f
				}
				continue
			}
			abroad[f.order] = len(out)
		}
		out = append(out, f)
	}
	return out
}

// weight orders rules by how much they say of a call into code of others.
func weight(h *summary.Hazard) int {
	for i, prefix := range []string{"DET302", "DET301", "DET303", "DET304", "DET1", "DET30", "DET201", "DET4", "DET2", "DET5"} {
		if strings.HasPrefix(h.Rule, prefix) {
			return i
		}
	}
	return 10
}

func diagnostic(f found) analysis.Diagnostic {
	rule, _ := RuleOf(f.Rule)
	var b strings.Builder
	fmt.Fprintf(&b, "%s in orchestrator %s", f.What, f.root.Func.Name())
	if way := names(f); len(way) > 0 {
		fmt.Fprintf(&b, " via %s", strings.Join(way, " → "))
	}
	fmt.Fprintf(&b, ": %s", rule.Why)
	if f.Note != "" {
		fmt.Fprintf(&b, " (%s)", f.Note)
	}
	fmt.Fprintf(&b, "; %s (%s)", rule.Do, rule.ID)
	return analysis.Diagnostic{Pos: f.at.Pos(), End: f.at.End(), Category: f.Rule, Message: b.String()}
}

// names are the functions on the way. Function literals have the name of what they are in: one that follows itself is left
// out.
func names(f found) []string {
	var way []string
	last := f.root.Name
	for _, s := range f.Via {
		if s.Func != last {
			way = append(way, s.Func)
		}
		last = s.Func
	}
	return way
}
