// Package collect turns annotated declarations into the model that code is generated from, and reports every one that
// cannot be made durable. The generator and the linter say the same because both ask here.
package collect

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/durablegen/durablegen/annotations"
)

// RuntimePath is the import path of the package that generated code calls.
const RuntimePath = "github.com/durablegen/durablegen/runtime"

// Source is a package to read.
type Source struct {
	Path, Name string
	Files      []*ast.File // parsed with comments, without the generated one
	Tests      []*ast.File // test files, which may hold no directives
	Types      *types.Package
	Defs       map[*ast.Ident]types.Object
}

// Problem is a declaration that cannot be made durable: where, what, why and the accepted form.
type Problem struct {
	Rule    string // of the linter; "" for a mistake of the directive itself
	Pos     token.Pos
	At      token.Position
	Message string
}

// Package is the model of one package.
type Package struct {
	Path, Name string
	Fset       *token.FileSet
	Types      *types.Package
	Imports    []string // names that files of the package import by; no declaration may have one of them
	Decls      []*Decl  // in source order
	Refused    []string // default handle names of declarations with diagnostics: "undefined" errors about them are echoes
}

// Decl is one annotated declaration. Exactly one of Func, Event and Error is set.
type Decl struct {
	*annotations.Directive
	Pos   token.Position // of its name
	Start token.Pos      // the same
	Ident string         // its name
	Doc   []string       // lines of its doc comment with their slashes, without directives
	Func  *Func
	Event *Event
	Error *Error
}

// Local names the declaration within its package: "SendChallenge", or "Notifier.SendChallenge" for a method.
func (d *Decl) Local() string {
	if d.Func != nil && d.Func.Receiver != "" {
		return d.Func.Receiver + "." + d.Ident
	}
	return d.Ident
}

// Func is an orchestrator or activity.
type Func struct {
	Receiver string // the type of a method's receiver; "" for a function
	Context  bool   // an activity that takes a context.Context; orchestrators always take theirs
	Params   []Param
	Result   types.Type // nil when the function returns only an error
	ReturnAs string     // the name of its result, "" when it has none
}

// Param is one argument on the wire.
type Param struct {
	Name string
	Type types.Type
}

// Event is a type whose values are delivered to instances.
type Event struct{ Type types.Type }

// Error is an error that keeps its identity across the wire.
type Error struct {
	Type    types.Type // of a typed error, nil for a sentinel
	Pointer bool       // the pointer to Type is the error
}

type collector struct {
	src      *Source
	fset     *token.FileSet
	out      *Package
	problems []Problem
}

// Collect reads the directives of a package.
func Collect(fset *token.FileSet, src *Source) (*Package, []Problem) {
	c := &collector{src: src, fset: fset, out: &Package{Path: src.Path, Name: src.Name, Fset: fset, Types: src.Types}}
	for _, file := range src.Files {
		c.imports(file)
		c.file(file)
	}
	for _, file := range src.Tests {
		c.testFile(file)
	}
	c.keep()
	return c.out, c.problems
}

// errorf reports a declaration of the wrong shape.
func (c *collector) errorf(pos token.Pos, format string, args ...any) {
	c.problem("DUR108", pos, format, args...)
}

func (c *collector) problem(rule string, pos token.Pos, format string, args ...any) {
	c.problems = append(c.problems, Problem{rule, pos, c.fset.Position(pos), fmt.Sprintf(format, args...)})
}

func (c *collector) imports(file *ast.File) {
	for _, spec := range file.Imports {
		path := strings.Trim(spec.Path.Value, "`\"")
		if spec.Name != nil {
			c.out.Imports = append(c.out.Imports, spec.Name.Name)
			continue
		}
		for _, dep := range c.out.Types.Imports() {
			if dep.Path() == path {
				c.out.Imports = append(c.out.Imports, dep.Name())
			}
		}
	}
}

func (c *collector) file(file *ast.File) {
	directives, errs := c.directives(file)
	if ast.IsGenerated(file) && len(directives)+len(errs) > 0 {
		pos := file.Package
		if len(directives) > 0 {
			pos = directives[0].Pos
		}
		c.errorf(pos, "a directive in a generated file: it is lost when the file is generated again; put it into a file that is written by hand")
		for _, d := range directives {
			c.refuse(d)
		}
		return
	}
	for _, e := range errs {
		c.problems = append(c.problems, Problem{At: e.Pos, Message: e.Message})
	}
	for _, d := range directives {
		if decl := c.declaration(d); decl != nil {
			c.out.Decls = append(c.out.Decls, decl)
		} else {
			c.refuse(d)
		}
	}
	c.refuseUnread(file, directives)
}

// directives reads a file. The words that only the linter acts on are left out.
func (c *collector) directives(file *ast.File) ([]*annotations.Directive, []*annotations.SyntaxError) {
	all, errs := annotations.File(c.fset, file)
	var own []*annotations.Directive
	for _, d := range all {
		switch d.Word {
		case annotations.Orchestrator, annotations.Activity, annotations.Event, annotations.Error:
			own = append(own, d)
		}
	}
	return own, errs
}

func (c *collector) testFile(file *ast.File) {
	directives, _ := c.directives(file)
	for _, d := range directives {
		c.errorf(d.Pos, "//durable:%s in a test file: the generated file belongs to the package, which is built without its tests; "+
			"move the declaration, or bind a fake with the handle's Bind", d.Word)
	}
}

func (c *collector) declaration(d *annotations.Directive) *Decl {
	switch node := d.Node.(type) {
	case *ast.FuncDecl:
		return c.function(d, node)
	case *ast.TypeSpec:
		if d.Word == annotations.Event {
			return c.event(d, node)
		}
		return c.errorType(d, node)
	case *ast.ValueSpec:
		return c.errorVar(d, node)
	}
	return nil
}

// newDecl gives a declaration without its shape.
func (c *collector) newDecl(d *annotations.Directive, name *ast.Ident) *Decl {
	return &Decl{Directive: d, Pos: c.fset.Position(name.Pos()), Start: name.Pos(), Ident: name.Name, Doc: docLines(c.docOf(d))}
}

// docOf gives the comment above a declaration, which for a single type or variable belongs to the keyword.
func (c *collector) docOf(d *annotations.Directive) *ast.CommentGroup {
	for _, file := range c.src.Files {
		if file.FileStart <= d.Pos && d.Pos < file.FileEnd {
			for _, group := range file.Comments {
				if group.Pos() <= d.Pos && d.Pos < group.End() {
					return group
				}
			}
		}
	}
	return nil
}

// docLines gives the lines of a doc comment as they stand, without directives and without the blank lines around them.
func docLines(doc *ast.CommentGroup) []string {
	if doc == nil {
		return nil
	}
	var lines []string
	for _, comment := range doc.List {
		if _, directive := ast.ParseDirective(comment.Slash, comment.Text); directive || strings.HasPrefix(comment.Text, "//line ") {
			continue
		}
		if text, block := strings.CutPrefix(comment.Text, "/*"); block {
			for line := range strings.SplitSeq(strings.TrimSuffix(text, "*/"), "\n") {
				lines = append(lines, strings.TrimRight("// "+strings.TrimSpace(line), " "))
			}
			continue
		}
		lines = append(lines, strings.TrimRight(comment.Text, " \t"))
	}
	for len(lines) > 0 && lines[0] == "//" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "//" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// refuse remembers the handle that a faulty declaration would have had.
func (c *collector) refuse(d *annotations.Directive) {
	name := d.Handle
	if name == "" {
		switch node := d.Node.(type) {
		case *ast.FuncDecl:
			name = node.Name.Name + Suffix(d.Word)
		case *ast.TypeSpec:
			name = node.Name.Name + Suffix(d.Word)
		}
	}
	c.out.Refused = append(c.out.Refused, name)
}

// refuseUnread does the same for declarations whose directive could not be read: any handle of theirs may be meant.
func (c *collector) refuseUnread(file *ast.File, read []*annotations.Directive) {
	known := map[ast.Node]bool{}
	for _, d := range read {
		known[d.Node] = true
	}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if ok && !known[fn] && mentionsDirective(fn.Doc) {
			for _, w := range []annotations.Word{annotations.Orchestrator, annotations.Activity} {
				c.out.Refused = append(c.out.Refused, fn.Name.Name+Suffix(w))
			}
		}
		if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.TYPE {
			for _, spec := range gen.Specs {
				ts := spec.(*ast.TypeSpec)
				if !known[ts] && (mentionsDirective(gen.Doc) || mentionsDirective(ts.Doc)) {
					c.out.Refused = append(c.out.Refused, ts.Name.Name+Suffix(annotations.Event))
				}
			}
		}
	}
}

func mentionsDirective(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, comment := range doc.List {
		if strings.Contains(strings.ToLower(comment.Text), "durable:") {
			return true
		}
	}
	return false
}

// Suffix is what a handle's default name adds to the name of its declaration.
func Suffix(w annotations.Word) string {
	switch w {
	case annotations.Orchestrator:
		return "Orchestrator"
	case annotations.Activity:
		return "Activity"
	default:
		return "Event"
	}
}
