package summary

import "go/types"

// Of gives what a function does that a replay could not repeat, here or in another package, interfaces left unresolved.
func (r *Result) Of(fn *types.Func) []*Hazard {
	if r.pkg == nil || fn == nil || fn.Pkg() == nil {
		return nil
	}
	if fn.Pkg() == r.pkg.pass.Pkg {
		if n := r.pkg.nodes[r.pkg.ssa.Prog.FuncValue(fn)]; n != nil {
			return n.sum.hazards.sorted()
		}
		return nil
	}
	if s := r.pkg.summaryOf(fn); s != nil {
		return s.hazards.sorted()
	}
	return nil
}
