package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// lines gives what is reached piece by piece, so that a finding can point to the one that was changed.
func (prog *program) lines(reached []types.Object) (out []shape.Written) {
	seen := map[types.Object]bool{}
	add := func(obj types.Object) {
		if seen[obj] {
			return
		}
		seen[obj] = true
		if w, ok := prog.linesOf(obj); ok {
			out = append(out, w)
		}
	}
	for _, obj := range reached {
		add(obj)
		for _, named := range prog.codeOf(obj).named {
			add(named)
		}
	}
	return out
}

// linesOf gives the pieces of one declaration.
func (prog *program) linesOf(obj types.Object) (shape.Written, bool) {
	if w, ok := prog.pieces[obj]; ok {
		return w, len(w.Places) > 0
	}
	r := &pieces{prog: prog}
	switch obj := obj.(type) {
	case *types.Func:
		if fn := prog.funcs[obj]; fn != nil && !prog.generated(obj) {
			head := *fn.decl
			head.Doc, head.Body = nil, nil
			r.piece(&head, fn.decl.Name.Pos())
			r.walk(fn.decl.Body)
		}
	case *types.Var:
		if g := prog.globals[obj]; g != nil && !prog.isHandle(obj) {
			for _, set := range g.sets {
				r.part(set.node)
			}
		}
	case *types.Const:
		if e := prog.consts[obj]; e != nil {
			r.part(e)
		}
	case *types.TypeName:
		if e := prog.types[obj]; e != nil {
			r.part(e)
		}
	}
	w := shape.Written{Name: prog.nameOf(obj), Pieces: strings.Join(r.hashes, " "), Places: r.places}
	prog.pieces[obj] = w
	return w, len(w.Places) > 0
}

func (prog *program) nameOf(obj types.Object) string {
	name := obj.Pkg().Name() + "." + obj.Name()
	if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil {
		t := fn.Signature().Recv().Type()
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		if named, ok := t.(*types.Named); ok {
			name = obj.Pkg().Name() + "." + named.Obj().Name() + "." + obj.Name()
		}
	}
	return name
}

// pieces are those of a declaration: statements, ends of blocks, members of literals and types.
type pieces struct {
	prog   *program
	hashes []string
	places []token.Position
}

func (r *pieces) add(words string, pos token.Pos) {
	sum := sha256.Sum256([]byte(words))
	r.hashes = append(r.hashes, hex.EncodeToString(sum[:2]))
	r.places = append(r.places, r.prog.fset.Position(pos))
}

// part adds n as a piece, and those within it.
func (r *pieces) part(n ast.Node) {
	if !isPiece(n) {
		r.piece(n, n.Pos())
	}
	r.walk(n)
}

// walk adds the pieces that are within n, n itself if it is one.
func (r *pieces) walk(n ast.Node) {
	var above []ast.Node
	ast.Inspect(n, func(n ast.Node) bool {
		if n == nil {
			if b, ok := above[len(above)-1].(*ast.BlockStmt); ok {
				r.add("}", b.Rbrace)
			}
			above = above[:len(above)-1]
			return true
		}
		if isPiece(n) {
			r.piece(n, n.Pos())
		}
		above = append(above, n)
		return true
	})
}

// isPiece reports whether a piece of syntax is looked at by itself, and not as a part of what it is in.
func isPiece(n ast.Node) bool {
	switch n.(type) {
	case *ast.BlockStmt, *ast.LabeledStmt, *ast.EmptyStmt:
		return false
	case ast.Stmt, *ast.KeyValueExpr, *ast.Field, *ast.CompositeLit, *ast.FuncLit:
		return true
	}
	return false
}

// piece adds the words of n without the pieces in it.
func (r *pieces) piece(n ast.Node, pos token.Pos) {
	var words strings.Builder
	ast.Inspect(n, func(m ast.Node) bool {
		switch x := m.(type) {
		case nil:
			return true
		case *ast.Ident:
			words.WriteString(x.Name)
		case *ast.BasicLit:
			words.WriteString(x.Value)
		case *ast.BlockStmt, *ast.CommentGroup:
			return false
		}
		if m != n && isPiece(m) {
			_, field := n.(*ast.Field)
			_, call := n.(*ast.FuncDecl)
			_, inField := m.(*ast.Field)
			if !inField || !field && !call {
				return false
			}
		}
		fmt.Fprintf(&words, "|%T%s", m, operator(m))
		return true
	})
	r.add(words.String(), pos)
}
