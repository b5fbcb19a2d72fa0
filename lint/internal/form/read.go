package form

import (
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// Runtime is the package that orchestrators are written with.
const Runtime = "github.com/durablegen/durablegen/runtime"

// Short leaves the path of a package out of a qualified name: "(*example.com/store.HTTP).Get" is "(*store.HTTP).Get".
func Short(name string) string {
	name = strings.ReplaceAll(name, Runtime+".", "durable.")
	i := strings.LastIndex(name, "/")
	if i < 0 {
		return name
	}
	j := strings.LastIndexAny(name[:i], "(*[ ,")
	return name[:j+1] + name[i+1:]
}

// FuncName is how people call a function: "club.stamp", "(*store.HTTP).Get"; a closure has the name of what it is in.
func FuncName(fn *ssa.Function) string {
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	if obj, ok := fn.Object().(*types.Func); ok {
		return Short(obj.FullName())
	}
	return Short(fn.String())
}

// Origin is the generic function behind an instance, or the function itself.
func Origin(fn *ssa.Function) *ssa.Function {
	if o := fn.Origin(); o != nil {
		return o
	}
	return fn
}

// Bindings are what a closure's variable stands for where the closure is made.
func Bindings(v *ssa.FreeVar) (out []ssa.Value) {
	fn := v.Parent()
	if fn.Referrers() == nil {
		return nil
	}
	i := slices.Index(fn.FreeVars, v)
	for _, r := range *fn.Referrers() {
		if m, ok := r.(*ssa.MakeClosure); ok {
			out = append(out, m.Bindings[i])
		}
	}
	return out
}

// Loop is the natural loop that a header begins: it, and the blocks it dominates that lead back to it. It is the header alone when
// that begins none.
func Loop(header *ssa.BasicBlock) map[*ssa.BasicBlock]bool {
	body := map[*ssa.BasicBlock]bool{header: true}
	for _, p := range header.Preds {
		if header.Dominates(p) {
			Before(p, body)
		}
	}
	return body
}

// Before adds to a set a block and all that lead to it, up to those that the set has.
func Before(b *ssa.BasicBlock, set map[*ssa.BasicBlock]bool) {
	if !set[b] {
		set[b] = true
		for _, p := range b.Preds {
			Before(p, set)
		}
	}
}
