package lock

import (
	"go/ast"
	"go/types"
	"slices"
)

// outlive changes what a path of a function that is kept for later finds in variables around it: what all rounds of a loop
// share and one of them sets is then what the last round has left there.
func (m *machine) outlive(q *path, c *closure) {
	if c.lit == nil {
		return
	}
	for _, obj := range c.overwritten() {
		cl := c.frame.cellOf(obj)
		if cl == nil || cl.shared || q.vars[cl] == nil || leadsElsewhere(q.vars[cl], map[*value]bool{}) {
			continue
		}
		q.vars[cl] = m.val(c.lit.Pos(), "later", "", q.vars[cl])
	}
}

// overwritten gives the variables that a function literal uses, and that a loop around it sets without having declared
// them.
func (c *closure) overwritten() (list []types.Object) {
	outer := c.frame
	for outer.outer != nil {
		outer = outer.outer
	}
	if outer.fn == nil {
		return nil
	}
	info := c.frame.info
	loops := enclosingLoops(outer.fn.decl.Body, c.lit)
	if len(loops) == 0 {
		return nil
	}
	used := map[types.Object]bool{}
	ast.Inspect(c.lit.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v, ok := info.Uses[id].(*types.Var); ok {
				used[v] = true
			}
		}
		return true
	})
	for _, l := range loops {
		changes(info, l, func(e ast.Expr) {
			id := rootIdent(e)
			if id == nil || id.Pos() >= c.lit.Pos() && id.Pos() < c.lit.End() {
				return
			}
			obj := info.Uses[id]
			if used[obj] && (obj.Pos() < l.Pos() || obj.Pos() > l.End()) && !slices.Contains(list, obj) {
				list = append(list, obj)
			}
		})
	}
	return list
}
