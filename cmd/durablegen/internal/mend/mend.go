// Package mend applies the fixes of findings to source files.
package mend

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"

	"golang.org/x/tools/go/ast/astutil"

	"github.com/durablegen/durablegen/lint"
)

// File is a source file with its fixes in.
type File struct {
	Path     string
	Old, New []byte
}

// Apply makes the files anew in which the first fix of each finding has been made. A fix that touches what another one has
// changed is left for the next run. It writes nothing. Done are the findings that are mended.
func Apply(findings []lint.Finding) (files []File, done []lint.Finding, err error) {
	taken := map[string][]lint.Edit{}
	for _, f := range findings {
		if f.Allowed != "" || len(f.Fixes) == 0 || !fits(taken, f.Fixes[0].Edits) {
			continue
		}
		done = append(done, f)
		for _, e := range f.Fixes[0].Edits {
			if !slices.Contains(taken[e.File], e) {
				taken[e.File] = append(taken[e.File], e)
			}
		}
	}
	for path, edits := range taken {
		file, err := apply(path, edits)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, file)
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return files, done, nil
}

// fits reports whether edits go beside those that are taken. Two fixes may share an edit, such as an import.
func fits(taken map[string][]lint.Edit, edits []lint.Edit) bool {
	for _, e := range edits {
		for _, t := range taken[e.File] {
			if t != e && e.Start < max(t.End, t.Start+1) && t.Start < max(e.End, e.Start+1) {
				return false
			}
		}
	}
	return true
}

func apply(path string, edits []lint.Edit) (File, error) {
	old, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("fix: %w", err)
	}
	slices.SortFunc(edits, func(a, b lint.Edit) int { return cmp.Compare(a.Start, b.Start) })
	var src bytes.Buffer
	at := 0
	for _, e := range edits {
		if e.Start < at || e.End > len(old) {
			return File{}, fmt.Errorf("fix %s: an edit is outside of the file; it has changed meanwhile, run again", path)
		}
		src.Write(old[at:e.Start])
		src.WriteString(e.New)
		at = e.End
	}
	src.Write(old[at:])
	text, err := tidy(path, old, src.Bytes())
	return File{path, old, text}, err
}

// tidy takes out the imports that the edits have left without a use, and formats.
func tidy(path string, old, text []byte) ([]byte, error) {
	before, err := parser.ParseFile(token.NewFileSet(), path, old, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("fix: %w", err)
	}
	fset := token.NewFileSet()
	after, err := parser.ParseFile(fset, path, text, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("fix %s: the fixed code does not parse, please report it: %w", path, err)
	}
	for _, spec := range slices.Clone(after.Imports) {
		name, imported := named(spec)
		if astutil.UsesImport(before, imported) && !astutil.UsesImport(after, imported) {
			astutil.DeleteNamedImport(fset, after, name, imported)
		}
	}
	var out bytes.Buffer
	if err := format.Node(&out, fset, after); err != nil {
		return nil, fmt.Errorf("fix %s: %w", path, err)
	}
	return out.Bytes(), nil
}

func named(spec *ast.ImportSpec) (name, path string) {
	path, _ = strconv.Unquote(spec.Path.Value) // it was parsed
	if spec.Name != nil {
		name = spec.Name.Name
	}
	return name, path
}
