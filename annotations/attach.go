package annotations

import (
	"go/ast"
	"go/token"
	"slices"
	"sort"
)

// File reads all directives of a file, in source order, each with the declaration it marks. The file must have been
// parsed with comments. Directives with errors are left out; every error of the file is reported.
func File(fset *token.FileSet, file *ast.File) ([]*Directive, []*SyntaxError) {
	p := parser{fset: fset}
	places := placesOf(file)
	var list []*Directive
	for _, group := range file.Comments {
		var own []*Directive
		for _, c := range group.List {
			before := len(p.errs)
			d := p.comment(c)
			if d != nil && p.attach(d, places[group]) && len(p.errs) == before {
				own = append(own, d)
			} else if d != nil && places[group].what == "" && len(p.errs) == before+1 {
				p.errs[before].Fix = closeUp(file, group, d)
			}
		}
		list = append(list, p.withoutConflicts(own)...)
	}
	sort.SliceStable(p.errs, func(i, j int) bool { return p.errs[i].Pos.Offset < p.errs[j].Pos.Offset })
	return list, p.errs
}

// place is what a doc comment stands above.
type place struct {
	node  ast.Node
	on    target
	what  string // as a diagnostic says it
	group bool   // a parenthesised group
	names int    // variables declared at once
}

// placesOf maps every doc comment of a declaration to the place it marks. Comments that are nobody's doc are absent.
func placesOf(file *ast.File) map[*ast.CommentGroup]place {
	places := map[*ast.CommentGroup]place{}
	add := func(doc *ast.CommentGroup, p place) {
		if doc != nil {
			places[doc] = p
		}
	}
	add(file.Doc, place{what: "the package clause"})
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			add(decl.Doc, placeOfFunc(decl))
		case *ast.GenDecl:
			addGenDecl(decl, add)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok {
			add(field.Doc, place{node: field, on: onField, what: "a field or interface method"})
		}
		return true
	})
	return places
}

func placeOfFunc(decl *ast.FuncDecl) place {
	if decl.Recv != nil {
		return place{node: decl, on: onMethod, what: "a method"}
	}
	return place{node: decl, on: onFunc, what: "a function"}
}

func addGenDecl(decl *ast.GenDecl, add func(*ast.CommentGroup, place)) {
	if decl.Lparen.IsValid() || len(decl.Specs) != 1 {
		add(decl.Doc, place{what: "a parenthesised group", group: true})
	} else {
		add(decl.Doc, placeOfSpec(decl.Tok, decl.Specs[0]))
	}
	for _, spec := range decl.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			add(s.Doc, placeOfSpec(decl.Tok, s))
		case *ast.ValueSpec:
			add(s.Doc, placeOfSpec(decl.Tok, s))
		case *ast.ImportSpec:
			add(s.Doc, place{what: "an import"})
		}
	}
}

func placeOfSpec(tok token.Token, spec ast.Spec) place {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		return place{node: s, on: onType, what: "a type"}
	case *ast.ValueSpec:
		if tok == token.VAR {
			return place{node: s, on: onVar, what: "a variable", names: len(s.Names)}
		}
		return place{what: "a constant"}
	}
	return place{what: "an import"}
}

// attach gives d the node it marks and reports one that marks nothing fitting.
func (p *parser) attach(d *Directive, at place) bool {
	rule, _ := ruleOf(d.Word)
	switch {
	case rule.on&onAnything != 0:
		d.Node = at.node
	case at.what == "":
		p.errorf(d.Pos, "//durable:%s marks nothing: put it directly above %s, as the last line of its doc comment, with no blank line between",
			d.Word, rule.form)
	case at.group:
		p.errorf(d.Pos, "//durable:%s stands above a parenthesised group: put it inside, above each declaration that it marks", d.Word)
	case rule.on&at.on == 0:
		p.errorf(d.Pos, "//durable:%s stands above %s: it marks %s", d.Word, at.what, rule.form)
	case at.names > 1:
		p.errorf(d.Pos, "//durable:%s stands above %d variables at once: declare each on its own with its own directive", d.Word, at.names)
	default:
		d.Node = at.node
	}
	return d.Node != nil || rule.on&onAnything != 0
}

// closeUp is the fix of a directive that blank lines part from a declaration that it may mark; nil when it is not that.
func closeUp(file *ast.File, group *ast.CommentGroup, d *Directive) *Fix {
	i := slices.IndexFunc(file.Decls, func(decl ast.Decl) bool { return decl.Pos() > group.End() })
	if i < 0 {
		return nil
	}
	var at place
	var doc *ast.CommentGroup
	switch decl := file.Decls[i].(type) {
	case *ast.FuncDecl:
		at, doc = placeOfFunc(decl), decl.Doc
	case *ast.GenDecl:
		if !decl.Lparen.IsValid() && len(decl.Specs) == 1 {
			at, doc = placeOfSpec(decl.Tok, decl.Specs[0]), decl.Doc
		}
	}
	next := file.Decls[i].Pos()
	if doc != nil {
		next = doc.Pos()
	}
	rule, _ := ruleOf(d.Word)
	between := func(g *ast.CommentGroup) bool { return g.Pos() > group.End() && g.End() < next }
	if rule.on&at.on == 0 || slices.ContainsFunc(file.Comments, between) {
		return nil
	}
	return &Fix{Message: "Put the directive directly above " + at.what, Pos: group.End(), End: next, New: "\n"}
}

// withoutConflicts refuses a second role for one declaration.
func (p *parser) withoutConflicts(own []*Directive) []*Directive {
	var kept []*Directive
	seen := map[Word]bool{}
	role := Word("")
	for _, d := range own {
		switch {
		case d.Word != Allow && seen[d.Word]:
			p.errorf(d.Pos, "//durable:%s is there twice for one declaration; keep one of them", d.Word)
			continue
		case d.Word.role() && role != "":
			p.errorf(d.Pos, "//durable:%s and //durable:%s mark the same declaration; keep one of them", role, d.Word)
			continue
		case d.Word.role():
			role = d.Word
		}
		seen[d.Word] = true
		kept = append(kept, d)
	}
	return kept
}

// role reports whether w decides what durablegen makes of a declaration.
func (w Word) role() bool {
	return w == Orchestrator || w == Activity || w == Event || w == Error
}
