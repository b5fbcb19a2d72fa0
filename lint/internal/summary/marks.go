package summary

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/annotations"
)

// Runtime is the package whose functions an orchestrator may call, with all below it.
const Runtime = "github.com/durablegen/durablegen/runtime"

func isRuntime(path string) bool {
	return path == Runtime || len(path) > len(Runtime) && path[:len(Runtime)+1] == Runtime+"/"
}

// marks are the directives of a package.
type marks struct {
	pass  *analysis.Pass
	words map[types.Object]string
	allow []allow
}

// allow is a piece of code in which some rules may be broken.
type allow struct {
	rules    []string
	from, to token.Pos
	pos      token.Pos
}

func readMarks(pass *analysis.Pass) *marks {
	m := &marks{pass: pass, words: map[types.Object]string{}}
	for _, file := range pass.Files {
		directives, _ := annotations.File(pass.Fset, file) // its mistakes are another rule's
		for _, d := range directives {
			switch d.Word {
			case annotations.Allow:
				m.addAllow(file, d)
			default:
				m.mark(d)
			}
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

// addAllow finds what an allow stands for: the function it is the comment of, the statement below it, or its own line.
func (m *marks) addAllow(file *ast.File, d *annotations.Directive) {
	a := allow{rules: d.Rules, pos: d.Pos}
	if d.Node != nil {
		a.from, a.to = d.Node.Pos(), d.Node.End()
	} else {
		a.from, a.to = m.lines(file, d)
	}
	m.allow = append(m.allow, a)
}

// lines is the code on the line of an allow, or, if that has none but the comment, the statement that begins on the next.
func (m *marks) lines(file *ast.File, d *annotations.Directive) (from, to token.Pos) {
	tf := m.pass.Fset.File(d.Pos)
	line := tf.Line(d.Pos)
	var own, next ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			return false
		}
		switch n.(type) {
		case ast.Stmt, ast.Spec, ast.Decl:
			if n.Pos() < d.Pos && tf.Line(n.Pos()) == line {
				own = n
			}
			if next == nil && tf.Line(n.Pos()) == line+1 {
				next = n
			}
		}
		return true
	})
	switch {
	case own != nil:
		return tf.LineStart(line), d.Pos
	case next != nil:
		return next.Pos(), next.End()
	}
	return d.Pos, d.End
}

// allowed reports whether a rule may be broken at pos.
func (m *marks) allowed(rule string, pos token.Pos) bool {
	for _, a := range m.allow {
		if a.from <= pos && pos < a.to {
			for _, r := range a.rules {
				if r == rule {
					return true
				}
			}
		}
	}
	return false
}
