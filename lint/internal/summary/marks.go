package summary

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/annotations"
	"github.com/durablegen/durablegen/lint/internal/form"
	"github.com/durablegen/durablegen/lint/internal/policy"
)

// Runtime is the package whose functions an orchestrator may call, with all below it.
const Runtime = form.Runtime

func isRuntime(path string) bool {
	return path == Runtime || len(path) > len(Runtime) && path[:len(Runtime)+1] == Runtime+"/"
}

// marks are the directives of a package.
type marks struct {
	pass   *analysis.Pass
	words  map[types.Object]string
	policy *policy.Policy
}

func readMarks(pass *analysis.Pass) *marks {
	m := &marks{pass: pass, words: map[types.Object]string{}, policy: pass.ResultOf[policy.Analyzer].(*policy.Policy)}
	for _, d := range m.policy.Directives { // its mistakes are another rule's
		if d.Word != annotations.Allow {
			m.mark(d)
		}
	}
	return m
}

func (m *marks) mark(d *annotations.Directive) {
	for _, id := range declared(d.Node) {
		obj := m.pass.TypesInfo.Defs[id]
		if obj == nil {
			continue
		}
		m.words[obj] = string(d.Word)
		m.pass.ExportObjectFact(obj, &Role{Word: string(d.Word)})
	}
}

func declared(n ast.Node) []*ast.Ident {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{n.Name}
	case *ast.ValueSpec:
		return n.Names
	case *ast.Field:
		return n.Names
	}
	return nil
}

// word is the directive of a declaration, here or in another package; "" is none.
func (m *marks) word(obj types.Object) string {
	if obj.Pkg() == m.pass.Pkg {
		return m.words[obj]
	}
	var r Role
	if obj.Pkg() != nil && m.pass.ImportObjectFact(obj, &r) {
		return r.Word
	}
	return ""
}

// allowed reports whether a rule may be broken at pos.
func (m *marks) allowed(rule string, pos token.Pos) bool { return m.policy.Allowed(rule, pos) }

// allowedThere is allowed for what a call at pos does elsewhere.
func (m *marks) allowedThere(h *Hazard, module string, pos token.Pos) bool {
	if h.Deep.known() && h.Deep.Module != module {
		return m.policy.AllowedAbroad(h.Rule, pos)
	}
	return m.policy.Allowed(h.Rule, pos)
}

// hidden reports whether the policy takes code on the way to h as pure. Of a step, the package is where the next one is.
func (m *marks) hidden(h *Hazard) bool {
	for i, s := range h.Via {
		at := h.Deep
		if !at.known() {
			at = h.At
		}
		if i+1 < len(h.Via) {
			at = h.Via[i+1].At
		}
		if m.policy.Hides(at.Package, s.Func) {
			return true
		}
	}
	return false
}
