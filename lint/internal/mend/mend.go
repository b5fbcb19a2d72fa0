// Package mend writes the edits that mend what the rules report, where one edit is right for everybody.
//
// An edit leaves code that compiles: imports that it needs are added, and the import of a package that nothing else in the
// file uses is removed. Of several edits in a file each does so by itself; whoever applies them together must drop edits
// that are equal, and remove the imports that none of them could know to be the last use of.
package mend

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"go/types"
	"strconv"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/astutil"
)

// Mender makes the edits of one package.
type Mender struct {
	pass    *analysis.Pass
	runtime string // path of the package of Context
}

// New prepares the edits of a package. Runtime is the path of the package whose Context orchestrators have.
func New(pass *analysis.Pass, runtime string) *Mender { return &Mender{pass, runtime} }

// For gives the edits for what breaks rule at pos, none if a person has to think.
func (m *Mender) For(rule string, pos token.Pos) []analysis.SuggestedFix {
	for _, file := range m.pass.Files {
		if file.FileStart <= pos && pos < file.FileEnd && !ast.IsGenerated(file) {
			s := m.site(file, pos)
			if mend := menders[rule]; mend != nil && s != nil && mend(s) {
				return []analysis.SuggestedFix{{Message: s.message, TextEdits: append(s.edits, s.imports()...)}}
			}
		}
	}
	return nil
}

// menders write the edits of a site by rule, and report whether there is one.
var menders = map[string]func(*site) bool{
	"DET101": (*site).clock, "DET102": (*site).sleep, "DET105": (*site).local, "DET111": (*site).random, "DET113": (*site).identifier,
	"DET201": (*site).goroutine, "DET306": (*site).log, "DET401": (*site).loop, "DET402": (*site).loop, "DET403": (*site).loop, "DET404": (*site).iterator,
}

// site is the place of a finding, with the edit that is being written.
type site struct {
	*Mender
	file    *ast.File
	path    []ast.Node // from the finding outwards
	message string
	edits   []analysis.TextEdit
	needs   []string // packages that the edit uses
	drops   []ast.Node
}

func (m *Mender) site(file *ast.File, pos token.Pos) *site {
	path, _ := astutil.PathEnclosingInterval(file, pos, pos+1)
	if len(path) == 0 {
		return nil
	}
	return &site{Mender: m, file: file, path: path}
}

// call is the innermost call around the finding, and the function that it names: nil if it names none.
func (s *site) call() (*ast.CallExpr, *types.Func) {
	for i, n := range s.path {
		if i > 3 {
			break
		}
		if c, ok := n.(*ast.CallExpr); ok {
			return c, s.callee(c)
		}
	}
	return nil, nil
}

func (s *site) callee(c *ast.CallExpr) *types.Func {
	var id *ast.Ident
	switch fun := ast.Unparen(c.Fun).(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return nil
	}
	fn, _ := s.pass.TypesInfo.Uses[id].(*types.Func)
	return fn
}

// selector is the name of a function of another package at the finding, called or not.
func (s *site) selector() (*ast.SelectorExpr, *types.Func) {
	for i, n := range s.path {
		if i > 3 {
			break
		}
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if fn, ok := s.pass.TypesInfo.Uses[sel.Sel].(*types.Func); ok {
				return sel, fn
			}
		}
	}
	return nil, nil
}

// context is the name of the Context that code at the finding can use, "" if there is none.
func (s *site) context() string {
	for _, n := range s.path {
		var t *ast.FuncType
		switch n := n.(type) {
		case *ast.FuncLit:
			t = n.Type
		case *ast.FuncDecl:
			t = n.Type
		default:
			continue
		}
		for _, field := range t.Params.List {
			for _, name := range field.Names {
				if name.Name != "_" && s.isContext(s.pass.TypesInfo.TypeOf(field.Type)) && s.means(name) {
					return name.Name
				}
			}
		}
	}
	return ""
}

func (s *site) isContext(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Context" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == s.runtime
}

// means reports whether a name still is what it was declared as at the finding.
func (s *site) means(name *ast.Ident) bool {
	pos := s.path[0].Pos()
	scope := s.pass.Pkg.Scope().Innermost(pos)
	if scope == nil {
		return false
	}
	_, obj := scope.LookupParent(name.Name, pos)
	return obj == s.pass.TypesInfo.Defs[name]
}

// name is what the file calls a package, which is imported if need be.
func (s *site) name(path, name string) string {
	for _, spec := range s.file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err != nil || p != path {
			continue
		}
		if spec.Name == nil {
			return name
		}
		if spec.Name.Name != "_" && spec.Name.Name != "." {
			return spec.Name.Name
		}
	}
	s.needs = append(s.needs, path)
	return name
}

// runtimeName is what the file calls the runtime.
func (s *site) runtimeName() string { return s.name(s.runtime, "durable") }

func (s *site) text(n ast.Node) string {
	var b bytes.Buffer
	if err := format.Node(&b, s.pass.Fset, n); err != nil {
		return ""
	}
	return b.String()
}

// replace edits the code of a node. What is replaced no longer uses its package.
func (s *site) replace(n ast.Node, message, format string, args ...any) bool {
	s.message = message
	s.edits = append(s.edits, analysis.TextEdit{Pos: n.Pos(), End: n.End(), NewText: fmt.Appendf(nil, format, args...)})
	return true
}

// drop notes that a name of a package goes away.
func (s *site) drop(sel *ast.SelectorExpr) { s.drops = append(s.drops, sel.X) }

// imports are the edits of the import declarations.
func (s *site) imports() []analysis.TextEdit {
	var edits []analysis.TextEdit
	for _, path := range s.needs {
		edits = append(edits, s.addImport(path))
	}
	for _, n := range s.drops {
		id, ok := n.(*ast.Ident)
		if !ok {
			continue
		}
		if pkg, ok := s.pass.TypesInfo.Uses[id].(*types.PkgName); ok && s.lastUse(pkg) {
			edits = append(edits, s.removeImport(pkg)...)
		}
	}
	return edits
}

func (s *site) addImport(path string) analysis.TextEdit {
	for _, decl := range s.file.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.IMPORT && d.Lparen.IsValid() && len(d.Specs) > 0 {
			at := d.Specs[0].Pos()
			for _, spec := range d.Specs { // in the order of their paths
				if p, err := strconv.Unquote(spec.(*ast.ImportSpec).Path.Value); err == nil && p < path && !isDotted(p) {
					at = token.NoPos
					after := spec.End()
					if next := s.after(d, spec); next.IsValid() {
						at = next
						continue
					}
					return analysis.TextEdit{Pos: after, End: after, NewText: fmt.Appendf(nil, "\n\t%q", path)}
				}
			}
			return analysis.TextEdit{Pos: at, End: at, NewText: fmt.Appendf(nil, "%q\n\t", path)}
		}
	}
	return analysis.TextEdit{Pos: s.file.Name.End(), End: s.file.Name.End(), NewText: fmt.Appendf(nil, "\n\nimport %q", path)}
}

// after is where the next import of the same group begins; no position behind the last.
func (s *site) after(d *ast.GenDecl, spec ast.Spec) token.Pos {
	line := s.pass.Fset.Position(spec.End()).Line
	for _, next := range d.Specs {
		if s.pass.Fset.Position(next.Pos()).Line == line+1 {
			return next.Pos()
		}
	}
	return token.NoPos
}

func isDotted(path string) bool { return bytes.ContainsRune([]byte(path), '.') }

// lastUse reports whether a package is used in the file only by what is dropped.
func (s *site) lastUse(pkg *types.PkgName) bool {
	uses := 0
	ast.Inspect(s.file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && s.pass.TypesInfo.Uses[id] == pkg {
			uses++
		}
		return true
	})
	return uses == len(s.drops)
}

func (s *site) removeImport(pkg *types.PkgName) []analysis.TextEdit {
	for _, decl := range s.file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.IMPORT {
			continue
		}
		for _, spec := range d.Specs {
			spec := spec.(*ast.ImportSpec)
			obj := s.pass.TypesInfo.Implicits[spec]
			if spec.Name != nil {
				obj = s.pass.TypesInfo.Defs[spec.Name]
			}
			if obj != pkg {
				continue
			}
			from, to := spec.Pos(), spec.End()
			if len(d.Specs) == 1 {
				from, to = d.Pos(), d.End()
			}
			f := s.pass.Fset.File(from)
			if line := f.Line(to); line < f.LineCount() {
				from, to = f.LineStart(f.Line(from)), f.LineStart(line+1)
			}
			return []analysis.TextEdit{{Pos: from, End: to}}
		}
	}
	return nil
}
