package shape

import (
	"go/token"
	"slices"
	"strings"
)

// code compares two orchestrators as they are written, where their nodes and values do not tell everything.
func (c *comparison) code(old, now *Orchestrator) (failure, bool) {
	a, b := old.Flow.Code, now.Flow.Code
	if b == nil || a == nil && b.Why == "" || a != nil && a.Sum == b.Sum {
		return failure{}, false
	}
	why := b.Why
	if why == "" {
		why = "there was something in it of which that cannot be told"
	}
	f := failure{kind: "code", pos: now.Pos, change: "the code changed, and it cannot be told what that does: " + why}
	if a != nil {
		if pos := b.changed(a); pos.IsValid() {
			f.pos = pos
		}
	}
	return f, true
}

// changed gives the first place of code that is not in the old one.
func (c *Code) changed(old *Code) token.Position {
	gone := slices.Clone(old.Functions)
	var come []Written
	for _, f := range c.Functions {
		if i := slices.IndexFunc(gone, func(g Written) bool { return g.Statements == f.Statements }); i >= 0 {
			gone = slices.Delete(gone, i, i+1)
		} else {
			come = append(come, f)
		}
	}
	var best token.Position
	most := -1
	for _, f := range come {
		for _, g := range gone {
			if n, pos := f.differs(g); n > most {
				most, best = n, pos
			}
		}
	}
	if !best.IsValid() && len(come) > 0 && len(come[0].Places) > 0 {
		best = come[0].Places[0]
	}
	return best
}

// differs gives the place of the first statement that another function does not have, and how many they have in common.
func (f Written) differs(g Written) (common int, pos token.Position) {
	a, b := strings.Fields(g.Statements), strings.Fields(f.Statements)
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	if start < len(f.Places) {
		pos = f.Places[start]
	}
	return start + end, pos
}
