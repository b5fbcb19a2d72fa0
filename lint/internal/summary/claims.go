package summary

import (
	"go/types"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// claims are the functions that are said to be pure, with what they do that no pure function does. Their callers take them at
// their word: what is found is told here and nowhere else. Memory that they keep for themselves, with its locks, goroutines that
// only compute, and orders that do not show may be all right, which is what the mark is for.
func (p *pkg) claims() (out []Root) {
	for _, n := range slices.Clone(p.order) {
		obj, ok := n.fn.Object().(*types.Func)
		if !ok || n.fn.Parent() != nil || n.fn.Synthetic != "" || p.marks.word(obj) != "pure" {
			continue
		}
		claim := &node{fn: n.fn, sum: newSum(), claim: true}
		for p.flow(claim) {
			continue
		}
		hs := claim.sum.settle(p.module).hazards.sorted()
		hs = slices.DeleteFunc(hs, func(h *Hazard) bool { return !impure(h.Rule) })
		if len(hs) > 0 {
			out = append(out, Root{Func: obj, Name: form.Short(obj.FullName()), Hazards: hs})
		}
	}
	return out
}

// impure are the rules of clocks, randomness and the world outside.
func impure(rule string) bool {
	return strings.HasPrefix(rule, "DET1") || strings.HasPrefix(rule, "DET3") && rule != "DET307"
}
