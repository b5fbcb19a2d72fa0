// Package policy knows what the people who answer for a piece of code have decided about it: the //durable:allow comments
// of a package, and durablelint.yaml of the module.
package policy

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/annotations"
)

// Analyzer reads the policy of a package.
var Analyzer = &analysis.Analyzer{
	Name:       "durablepolicy",
	Doc:        "reads //durable:allow comments and durablelint.yaml",
	Run:        run,
	ResultType: reflect.TypeFor[*Policy](),
}

// Policy is what was decided about one package. Its methods may be called concurrently.
type Policy struct {
	Directives []*annotations.Directive // of all files, those that are right
	Mistakes   []*annotations.SyntaxError
	Own        bool // the package is of the module under work, not of one that it requires

	fset    *token.FileSet
	allows  []*Allow
	file    *File
	mu      sync.Mutex
	hits    map[Hit]*Allow
	refused map[string]bool // lines by rule
}

// Allow is one rule of a //durable:allow, with the code in which it may be broken.
type Allow struct {
	Rule      string
	Directive *annotations.Directive
	Refused   bool // it would hide what is another module's affair
	from, to  token.Pos
}

// Hit is a finding that an allow hides.
type Hit struct {
	Rule string
	Pos  token.Pos
}

func run(pass *analysis.Pass) (any, error) {
	p := &Policy{Own: pass.Module == nil || pass.Module.Version == "", fset: pass.Fset, hits: map[Hit]*Allow{}, refused: map[string]bool{}}
	for _, file := range pass.Files {
		directives, mistakes := annotations.File(pass.Fset, file)
		p.Directives = append(p.Directives, directives...)
		p.Mistakes = append(p.Mistakes, mistakes...)
		for _, d := range directives {
			if d.Word == annotations.Allow {
				p.add(pass.Fset, file, d)
			}
		}
	}
	var err error
	p.file, err = fileFor(pass, p.Own)
	return p, err
}

// add finds what an allow stands for: the declaration it is the comment of, or the code of its line or of the next.
func (p *Policy) add(fset *token.FileSet, file *ast.File, d *annotations.Directive) {
	from, to := lines(fset, file, d)
	if d.Node != nil {
		from, to = d.Node.Pos(), d.Node.End()
	}
	for _, rule := range d.Rules {
		p.allows = append(p.allows, &Allow{Rule: rule, Directive: d, from: from, to: to})
	}
}

// lines is the code on the line of an allow, or, if that has none but the comment, the statement that begins below it.
func lines(fset *token.FileSet, file *ast.File, d *annotations.Directive) (from, to token.Pos) {
	tf := fset.File(d.Pos)
	line, below := tf.Line(d.Pos), 0
	for _, g := range file.Comments {
		if g.Pos() <= d.Pos && d.Pos < g.End() {
			below = tf.Line(g.End()) + 1
		}
	}
	var own, next ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		switch n.(type) {
		case nil, *ast.CommentGroup:
			return false
		case *ast.File, *ast.BlockStmt: // they begin on lines of others
			return true
		}
		if n.Pos() < d.Pos && (tf.Line(n.Pos()) == line || tf.Line(n.End()) == line) {
			own = n
		}
		switch n.(type) {
		case ast.Stmt, ast.Spec, ast.Decl, *ast.Field, ast.Expr:
			if next == nil && tf.Line(n.Pos()) == below {
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
	return d.Pos, d.Pos
}

// Allowed reports whether a rule may be broken at pos, and remembers that it is.
func (p *Policy) Allowed(rule string, pos token.Pos) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	refused := p.refused[p.line(rule, pos)] || !p.Own && strings.HasPrefix(rule, "DET2")
	for _, a := range p.allows {
		if a.Rule == rule && a.from <= pos && pos < a.to {
			if refused {
				a.Refused = true
				return false
			}
			p.hits[Hit{rule, pos}] = a
			return true
		}
	}
	return false
}

// AllowedAbroad is Allowed for what a call at pos does in another module. A comment at the call does not allow goroutines and
// locks there (DET2xx): what they are for shows there and not here. durablelint.yaml may.
func (p *Policy) AllowedAbroad(rule string, pos token.Pos) bool {
	if strings.HasPrefix(rule, "DET2") {
		p.mu.Lock()
		p.refused[p.line(rule, pos)] = true
		p.mu.Unlock()
	}
	return p.Allowed(rule, pos)
}

// line is a line that has a finding, which may begin before pos.
func (p *Policy) line(rule string, pos token.Pos) string {
	at := p.fset.Position(pos)
	return fmt.Sprintf("%s %s:%d", rule, at.Filename, at.Line)
}

// Hidden gives what the allows hide, by position. It is complete when all that asks has run.
func (p *Policy) Hidden() []Hit {
	p.mu.Lock()
	defer p.mu.Unlock()
	var hits []Hit
	for h := range p.hits {
		hits = append(hits, h)
	}
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(a.Pos, b.Pos), cmp.Compare(a.Rule, b.Rule)) })
	return hits
}

// By is the allow that hides a hit.
func (p *Policy) By(h Hit) *Allow {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hits[h]
}

// Allows gives all of them, and whether they hide something.
func (p *Policy) Allows() (all []*Allow, used map[*Allow]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	used = map[*Allow]bool{}
	for _, a := range p.hits {
		used[a] = true
	}
	return p.allows, used
}
