package summary

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// sorted reports whether a slice is sorted behind the loop before anything else looks at it.
func (l *loop) sorted(v ssa.Value) bool {
	var sorts, others []ssa.Instruction
	for _, r := range *v.Referrers() {
		switch {
		case l.body[r.Block()]:
		case isSort(r):
			sorts = append(sorts, r)
		case isWrap(r): // sort.Slice(any(keys), …)
			for _, rr := range *r.(ssa.Value).Referrers() {
				if isSort(rr) {
					sorts = append(sorts, rr)
				} else {
					others = append(others, rr)
				}
			}
		default:
			others = append(others, r)
		}
	}
	for _, o := range others {
		if !slices.ContainsFunc(sorts, func(s ssa.Instruction) bool { return before(s, o) }) && !isLength(o) {
			return false
		}
	}
	return true
}

// sortedVariable is sorted of a variable in memory, which closures may share.
func (l *loop) sortedVariable(a *ssa.Alloc) bool {
	var sorts, others []ssa.Instruction
	for _, r := range *a.Referrers() {
		load, ok := r.(*ssa.UnOp)
		if !ok || l.body[load.Block()] {
			continue
		}
		for _, use := range *load.Referrers() {
			if isWrap(use) {
				for _, u := range *use.(ssa.Value).Referrers() {
					if isSort(u) {
						sorts = append(sorts, u)
					} else {
						others = append(others, u)
					}
				}
			} else if isSort(use) {
				sorts = append(sorts, use)
			} else {
				others = append(others, use)
			}
		}
	}
	for _, o := range others {
		if !slices.ContainsFunc(sorts, func(s ssa.Instruction) bool { return before(s, o) }) && !isLength(o) {
			return false
		}
	}
	return true
}

func before(a, b ssa.Instruction) bool {
	if a.Block() != b.Block() {
		return a.Block().Dominates(b.Block())
	}
	return slices.Index(a.Block().Instrs, a) < slices.Index(b.Block().Instrs, b)
}

func isWrap(in ssa.Instruction) bool {
	switch in.(type) {
	case *ssa.MakeInterface, *ssa.ChangeType:
		return true
	}
	return false
}

func isLength(in ssa.Instruction) bool {
	c, ok := in.(*ssa.Call)
	if !ok {
		return false
	}
	b, ok := c.Call.Value.(*ssa.Builtin)
	return ok && (b.Name() == "len" || b.Name() == "cap")
}

// isSort recognises the sorts of the standard library.
func isSort(in ssa.Instruction) bool {
	c, ok := in.(*ssa.Call)
	if !ok {
		return false
	}
	fn := c.Call.StaticCallee()
	if fn == nil {
		return false
	}
	if fn.Origin() != nil {
		fn = fn.Origin()
	}
	obj, ok := fn.Object().(*types.Func)
	if !ok || obj.Pkg() == nil {
		return false
	}
	switch obj.Pkg().Path() {
	case "sort":
		return slices.Contains([]string{"Sort", "Stable", "Slice", "SliceStable", "Strings", "Ints", "Float64s"}, obj.Name())
	case "slices":
		return slices.Contains([]string{"Sort", "SortFunc", "SortStableFunc"}, obj.Name())
	}
	return false
}
