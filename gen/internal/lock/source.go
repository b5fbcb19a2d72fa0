package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"go/ast"
	"go/printer"
	"go/types"
	"io"
)

// source gives a hash of the text of code, and of all functions, constants and package variables of the module that it
// needs. It stands for what cannot be read as a flow: any change is seen, also one that does the same.
func (prog *program) source(root ast.Node, info *types.Info) string {
	h := sha256.New()
	seen := map[types.Object]bool{}
	var add func(ast.Node, *types.Info)
	use := func(obj types.Object) {
		switch o := obj.(type) {
		case *types.Func:
			if fn := prog.funcs[o.Origin()]; fn != nil && !seen[fn.obj] {
				seen[fn.obj] = true
				add(fn.decl.Body, fn.info)
			}
		case *types.Const:
			if prog.consts[o] != nil && !seen[o] {
				seen[o] = true
				io.WriteString(h, o.Val().ExactString())
			}
		case *types.Var:
			if g := prog.globals[o]; g != nil && !seen[o] {
				seen[o] = true
				if g.expr != nil {
					add(g.expr, g.info)
				}
			}
		}
	}
	add = func(n ast.Node, info *types.Info) {
		if err := printer.Fprint(h, prog.fset, n); err != nil {
			return // of a hash there is none
		}
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && info.Uses[id] != nil {
				use(info.Uses[id])
			}
			return true
		})
	}
	add(root, info)
	return hex.EncodeToString(h.Sum(nil)[:8])
}
