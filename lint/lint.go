package lint

import (
	"cmp"
	"fmt"
	"go/token"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/lint/internal/policy"
	"github.com/durablegen/durablegen/lint/internal/summary"
)

// Analyzer is the linter: all checks of a package, without what //durable:allow permits, by position.
var Analyzer = &analysis.Analyzer{
	Name:       "durable",
	Doc:        "reports what is wrong with durable orchestrations\n\nSee docs/lint of durablegen for the rules.",
	URL:        "https://pkg.go.dev/github.com/durablegen/durablegen/lint",
	Run:        run,
	ResultType: reflect.TypeFor[[]hidden](),
}

// checks look at a package and report what they find, with the id of its rule as the category of the diagnostic. They must
// not require one another; what they share is an analyzer that reports nothing.
var checks = []*analysis.Analyzer{Determinism, Contract}

// Analyzers gives what a multichecker, gopls or golangci-lint is to run. It is one analyzer: what an allow hides, and that it
// hides nothing, can be told only of all checks together.
func Analyzers() []*analysis.Analyzer { return []*analysis.Analyzer{Analyzer} }

// Known reports whether a table says what a package does, so that it is not looked at. What the runtime is made of nobody else
// can call.
func Known(path string) bool {
	return summary.Known(path) || strings.HasPrefix(path, "github.com/durablegen/durablegen/internal/")
}

func init() {
	Analyzer.Requires = []*analysis.Analyzer{policy.Analyzer}
	for _, c := range checks {
		for _, need := range c.Requires {
			if !slices.Contains(Analyzer.Requires, need) {
				Analyzer.Requires = append(Analyzer.Requires, need)
			}
		}
		Analyzer.FactTypes = append(Analyzer.FactTypes, c.FactTypes...)
	}
	Analyzer.Flags.StringVar(&policy.Path, "config", "", "the "+policy.FileName+" to read (default: the one beside go.mod)")
}

// hidden is a finding that an allow permits.
type hidden struct {
	rule   string
	pos    token.Pos
	reason string
}

func run(pass *analysis.Pass) (any, error) {
	var found []analysis.Diagnostic
	for _, check := range checks {
		sub := *pass
		sub.Analyzer = check
		sub.Report = func(d analysis.Diagnostic) { found = append(found, d) }
		if _, err := check.Run(&sub); err != nil {
			return nil, fmt.Errorf("%s: %w", check.Name, err)
		}
	}
	p := pass.ResultOf[policy.Analyzer].(*policy.Policy)
	found = slices.DeleteFunc(found, func(d analysis.Diagnostic) bool { return p.Allowed(d.Category, d.Pos) })
	found = append(found, housekeeping(p)...)
	for _, d := range ordered(pass.Fset, found) {
		if !strings.HasSuffix(pass.Fset.File(d.Pos).Name(), "_test.go") { // no worker runs an orchestrator of a test
			pass.Report(d)
		}
	}
	var out []hidden
	for _, h := range p.Hidden() {
		out = append(out, hidden{h.Rule, h.Pos, p.By(h).Directive.Reason})
	}
	return out, nil
}

// ordered sorts diagnostics by place and text, and tells of each place once what breaks a rule there.
func ordered(fset *token.FileSet, list []analysis.Diagnostic) []analysis.Diagnostic {
	place := func(a, b analysis.Diagnostic) int {
		p, q := fset.Position(a.Pos), fset.Position(b.Pos)
		return cmp.Or(strings.Compare(p.Filename, q.Filename), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column), strings.Compare(a.Category, b.Category))
	}
	slices.SortStableFunc(list, func(a, b analysis.Diagnostic) int { return cmp.Or(place(a, b), strings.Compare(a.Message, b.Message)) })
	return slices.CompactFunc(list, func(a, b analysis.Diagnostic) bool { return place(a, b) == 0 })
}
