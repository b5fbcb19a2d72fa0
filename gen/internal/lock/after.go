package lock

import (
	"go/ast"
	"go/token"
	"sort"

	"golang.org/x/tools/go/ast/astutil"
)

// enclosing gives the syntax around a place, the innermost first.
func (prog *program) enclosing(pos token.Pos) []ast.Node {
	i := sort.Search(len(prog.files), func(i int) bool { return prog.files[i].FileEnd > pos })
	if !pos.IsValid() || i == len(prog.files) || prog.files[i].FileStart > pos {
		return nil
	}
	around, _ := astutil.PathEnclosingInterval(prog.files[i], pos, pos+1)
	return around
}

// after tells what stands next to a step in the source on the way to another: where something would be that stood between
// them. other is the step on the other way out of a choice. within is the body of an if there into which no way leads.
func (prog *program) after(pos, to, other token.Pos) (next, within token.Pos) {
	around := prog.enclosing(pos)
	for i := 0; i+1 < len(around); i++ {
		node, outer := around[i], around[i+1]
		switch outer := outer.(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			return token.NoPos, within
		case *ast.CallExpr:
			if next := prog.argument(outer, node, to); next.IsValid() {
				return next, within
			}
			continue
		}
		s, ok := node.(ast.Stmt)
		if !ok {
			continue
		}
		if _, ok := s.(*ast.ReturnStmt); ok {
			return s.Pos(), within // what stood behind it was in place of it
		}
		list, end := statements(outer)
		k := indexOf(list, s)
		if k < 0 {
			continue
		}
		head := i == 0 || !isBody(s, around[i-1])
		if begin := bodyWith(s, pos, to); head && begin.IsValid() {
			if is, ok := s.(*ast.IfStmt); ok && !other.IsValid() {
				within = is.Cond.Pos()
			}
			return begin, within
		}
		if is, ok := s.(*ast.IfStmt); ok && head && !within.IsValid() && (other < s.Pos() || other > s.End()) {
			within = first(is.Body)
		}
		if c, ok := s.(*ast.CaseClause); ok && head && len(c.Body) > 0 && k+1 < len(list) &&
			(other < c.Colon || other > c.End()) && (to < list[0].Pos() || to > list[len(list)-1].End()) {
			return c.Body[0].Pos(), within
		}
		if !within.IsValid() {
			within = bare(list[k+1:], to)
		}
		if k+1 < len(list) {
			if clause, ok := list[k+1].(*ast.CaseClause); ok && clause.List == nil && len(clause.Body) > 0 {
				return clause.Body[0].Pos(), within
			}
			return list[k+1].Pos(), within
		}
		if clause, ok := outer.(*ast.CaseClause); ok {
			return prog.afterClause(clause, around[i+1:]), within
		}
		return end, within
	}
	return token.NoPos, within
}

// bare gives the body of the first if among statements before a place: no step is in it.
func bare(list []ast.Stmt, to token.Pos) token.Pos {
	for _, s := range list {
		if s.Pos() <= to && to < s.End() {
			break
		}
		if is, ok := s.(*ast.IfStmt); ok && is.Else == nil {
			return first(is.Body)
		}
	}
	return token.NoPos
}

// argument gives the argument behind one of a call that is written on several lines.
func (prog *program) argument(call *ast.CallExpr, arg ast.Node, to token.Pos) token.Pos {
	if to < call.Pos() || to > call.End() {
		return token.NoPos
	}
	for i, a := range call.Args {
		if a == arg && i+1 < len(call.Args) && prog.line(call.Args[i+1].Pos()) > prog.line(a.Pos()) {
			return call.Args[i+1].Pos()
		}
	}
	return token.NoPos
}

func (prog *program) line(pos token.Pos) int { return prog.fset.Position(pos).Line }

// statements gives those of a block, and where it ends.
func statements(n ast.Node) (list []ast.Stmt, end token.Pos) {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List, n.Rbrace
	case *ast.CaseClause:
		return n.Body, n.End()
	}
	return nil, token.NoPos
}

// afterClause is what stands behind a case: the next, or the end of the switch.
func (prog *program) afterClause(clause *ast.CaseClause, around []ast.Node) token.Pos {
	if len(around) < 2 {
		return token.NoPos
	}
	list, end := statements(around[1])
	if k := indexOf(list, ast.Stmt(clause)); k >= 0 && k+1 < len(list) {
		return list[k+1].Pos()
	}
	return end
}

func indexOf(list []ast.Stmt, s ast.Stmt) int {
	for i := range list {
		if list[i] == s {
			return i
		}
	}
	return -1
}

// bodies gives the blocks of a statement that has some.
func bodies(s ast.Stmt) []*ast.BlockStmt {
	switch s := s.(type) {
	case *ast.IfStmt:
		blocks := []*ast.BlockStmt{s.Body}
		switch other := s.Else.(type) {
		case *ast.BlockStmt:
			blocks = append(blocks, other)
		case *ast.IfStmt:
			blocks = append(blocks, bodies(other)...)
		}
		return blocks
	case *ast.ForStmt:
		return []*ast.BlockStmt{s.Body}
	case *ast.RangeStmt:
		return []*ast.BlockStmt{s.Body}
	}
	return nil
}

func isBody(s ast.Stmt, n ast.Node) bool {
	for _, b := range bodies(s) {
		if ast.Node(b) == n {
			return true
		}
	}
	is, ok := s.(*ast.IfStmt)
	return ok && is.Else != nil && ast.Node(is.Else) == n
}

// bodyWith gives the beginning of the body of a statement into which the way leads.
func bodyWith(s ast.Stmt, pos, to token.Pos) token.Pos {
	if c, ok := s.(*ast.CaseClause); ok && len(c.Body) > 0 && pos < c.Colon && c.Colon < to && to < c.End() {
		return c.Body[0].Pos()
	}
	for _, b := range bodies(s) {
		if b.Pos() <= to && to < b.End() && pos < b.Pos() {
			return first(b)
		}
	}
	return token.NoPos
}

func first(b *ast.BlockStmt) token.Pos {
	if len(b.List) > 0 {
		return b.List[0].Pos()
	}
	return b.Rbrace
}
