package annotations_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/durablegen/durablegen/annotations"
)

// FuzzParse feeds any text as a comment: no panic, positions inside the comment, and what is accepted keeps its promises.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"//durable:activity timeout=10s attempts=3 first=5s backoff=2 max=1m concurrency=4",
		"//durable:orchestrator name=a.B alias=c,d alias=e handle=F version=1 group=g",
		"//durable:allow DET101, DET102 -- reason",
		"//durable:event \"quoted\" `raw`",
		"// durable:activity", "/*durable:error*/", "//durable:activity timeout=\xff", "//durable:", "//durable:activity =",
		"//durable:activity alias=,,,", "//durable:pure\r", "//DURABLE : ERROR name=x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.HasPrefix(text, "//") && !strings.HasPrefix(text, "/*") || strings.Contains(text, "\n") {
			return // not a comment of the parser's
		}
		fset := token.NewFileSet()
		file := fset.AddFile("f.go", -1, len(text)+1)
		d, errs := annotations.Parse(fset, &ast.Comment{Slash: file.Pos(0), Text: text})
		for _, e := range errs {
			if !e.Pos.IsValid() || e.Pos.Column > len(text)+1 || e.Message == "" {
				t.Errorf("error %q of %q is outside of the comment", e, text)
			}
		}
		if d == nil || len(errs) > 0 {
			return
		}
		checkAccepted(t, text, d)
	})
}

func checkAccepted(t *testing.T, text string, d *annotations.Directive) {
	t.Helper()
	for _, name := range append([]string{d.Name, d.Group}, d.Aliases...) {
		if name != "" && !annotations.ValidName(name) {
			t.Errorf("%q: stored name %q was accepted", text, name)
		}
	}
	if d.Handle != "" && !token.IsIdentifier(d.Handle) {
		t.Errorf("%q: handle %q was accepted", text, d.Handle)
	}
	if d.Timeout < 0 || d.First < 0 || d.Max < 0 || d.Attempts < 0 || d.Concurrency < 0 || d.Backoff != 0 && !(d.Backoff >= 1) {
		t.Errorf("%q: a negative setting was accepted: %+v", text, d)
	}
	if (d.First > 0 || d.Max > 0 || d.Backoff > 0) && d.Attempts < 2 {
		t.Errorf("%q: retry settings without a second attempt were accepted", text)
	}
	if d.Word == annotations.Allow && (len(d.Rules) == 0 || d.Reason == "") {
		t.Errorf("%q: an allow without rule or reason was accepted", text)
	}
	if d.End < d.Pos || int(d.End-d.Pos) > len(text) {
		t.Errorf("%q: the directive ends at %d", text, d.End-d.Pos)
	}
}

// FuzzFile feeds whole files: no panic, every directive of a parsed file is either returned or reported, in order.
func FuzzFile(f *testing.F) {
	f.Add("package p\n\n//durable:activity\nfunc A() error { return nil }\n")
	f.Add("package p\n\n//durable:error\nvar (\n\tA, B = 1, 2\n)\n")
	f.Add("//durable:event\npackage p\n\ntype (\n\t//durable:event\n\tE struct {\n\t\t//durable:pure\n\t\tF func()\n\t}\n)\n")
	f.Add("package p\n\nfunc f() {\n\t//durable:activity\n\tx := 1 //durable:allow DET101 -- x\n}\n\n//durable:event\n")
	f.Fuzz(func(t *testing.T, src string) {
		if !utf8.ValidString(src) || strings.Contains(src, "//line") || strings.Contains(src, "/*line") {
			return // positions are somebody else's
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "f.go", src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return
		}
		directives, errs := annotations.File(fset, file)
		if !slices.IsSortedFunc(directives, func(a, b *annotations.Directive) int { return int(a.Pos - b.Pos) }) {
			t.Error("directives are not in source order")
		}
		if !slices.IsSortedFunc(errs, func(a, b *annotations.SyntaxError) int { return a.Pos.Offset - b.Pos.Offset }) {
			t.Error("errors are not in source order")
		}
		for _, group := range file.Comments {
			for _, c := range group.List {
				raw, ok := ast.ParseDirective(c.Slash, c.Text)
				if ok && raw.Tool == "durable" && !accounted(fset, c, directives, errs) {
					t.Errorf("%q was neither returned nor reported", c.Text)
				}
			}
		}
	})
}

func accounted(fset *token.FileSet, c *ast.Comment, directives []*annotations.Directive, errs []*annotations.SyntaxError) bool {
	for _, d := range directives {
		if d.Pos == c.Slash {
			return true
		}
	}
	line := fset.Position(c.Slash).Line
	for _, e := range errs {
		if e.Pos.Line == line {
			return true
		}
	}
	return false
}
