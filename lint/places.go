package lint

import (
	"bytes"
	"go/ast"
	"go/token"
	"os"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/lint/internal/summary"
)

// places finds positions of a pass. Those in other packages of the module come as file and line: their files join the file
// set, so that a hazard is told where it is whichever package reaches it.
type places struct {
	pass  *analysis.Pass
	calls map[token.Pos]*ast.CallExpr // by their left parenthesis, which is where the SSA form has them
	files map[string]*token.File
}

func newPlaces(pass *analysis.Pass) *places {
	p := &places{pass: pass, calls: map[token.Pos]*ast.CallExpr{}, files: map[string]*token.File{}}
	for _, file := range pass.Files {
		f := pass.Fset.File(file.FileStart)
		p.files[f.Name()] = f
		ast.Inspect(file, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok {
				p.calls[c.Lparen] = c
			}
			return true
		})
	}
	return p
}

// span is a position with an end.
type span struct{ pos, end token.Pos }

func (s span) Pos() token.Pos { return s.pos }
func (s span) End() token.Pos { return s.end }

// of is the code of a spot: of a call all of it, if it begins on the line where its name stands.
func (p *places) of(s summary.Spot) analysis.Range {
	pos := s.Pos
	if !pos.IsValid() {
		pos = p.find(s.At)
	}
	c := p.calls[pos]
	if c == nil {
		return span{pos, pos}
	}
	if p.pass.Fset.Position(c.Pos()).Line == p.pass.Fset.Position(pos).Line {
		return span{c.Pos(), c.End()}
	}
	if sel, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr); ok {
		return span{sel.Sel.Pos(), c.End()}
	}
	return span{pos, c.End()}
}

// find is a place as a position; that of the package clause if its file cannot be read.
func (p *places) find(at summary.Place) token.Pos {
	f := p.file(at.File)
	if f == nil || at.Line < 1 || at.Line > f.LineCount() {
		return p.pass.Files[0].Package
	}
	start := f.LineStart(at.Line)
	if int(start)+at.Column-1 > f.Base()+f.Size() {
		return start
	}
	return start + token.Pos(at.Column-1)
}

func (p *places) file(name string) *token.File {
	if f, ok := p.files[name]; ok {
		return f
	}
	p.files[name] = nil
	src, err := p.read(name)
	if err != nil {
		return nil
	}
	f := p.pass.Fset.AddFile(name, -1, len(src))
	f.SetLinesForContent(src)
	p.files[name] = f
	if end := bytes.IndexByte(src, 0); end >= 0 {
		p.files[name] = nil
	}
	return p.files[name]
}

// read reads a file of another package, which drivers that only know the files of one refuse.
func (p *places) read(name string) ([]byte, error) {
	if p.pass.ReadFile != nil {
		if src, err := p.pass.ReadFile(name); err == nil {
			return src, nil
		}
	}
	return os.ReadFile(name)
}

// related tells the way to a hazard, a line for each step.
func (p *places) related(h *summary.Hazard) []analysis.RelatedInformation {
	var out []analysis.RelatedInformation
	for _, s := range h.Via {
		if s.At.File != "" {
			out = append(out, analysis.RelatedInformation{Pos: p.find(s.At), Message: "by way of " + s.Func})
		}
	}
	if h.Deep.File == "" {
		return out
	}
	message := h.What + " is here"
	if len(h.Rule) > 4 && h.Rule[:4] == "DET4" {
		message = "the order shows here"
	}
	return append(out, analysis.RelatedInformation{Pos: p.find(h.Deep), Message: message})
}
