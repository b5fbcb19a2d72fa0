package growth

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
)

// recursion finds calls of a function by itself that nothing ends but a failure. What leads from its beginning to the call is
// a loop, and whatever turns away from there an exit.
func (c *checker) recursion(f *code.Func) {
	if f.Does&(code.Schedules|code.Receives) == 0 || f.Does&(code.Continues|code.Unknown) != 0 {
		return
	}
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			call, ok := in.(*ssa.Call)
			if !ok {
				continue
			}
			if fns, _ := c.Targets(call.Common()); slices.Contains(fns, f.Function) && !c.comesToAnEnd(call) {
				c.report(code.Finding{Rule: "DUR301", Pos: c.At(call), What: "recursion without an end by " + c.Name(call), In: f})
			}
		}
	}
}

func (c *checker) comesToAnEnd(call *ssa.Call) bool {
	l := code.LoopTo(call.Block())
	return slices.ContainsFunc(l.Exits(), func(e code.Exit) bool {
		j := &judge{c: c, l: l, again: call, seen: map[ssa.Value]bool{}}
		return e.If != nil && e.If.Block() != call.Block() && j.real(e.If.Cond)
	})
}

// changes reports whether a function that calls itself gives a parameter another value.
func (j *judge) changes(p *ssa.Parameter) bool {
	if j.again == nil {
		return false
	}
	i := slices.Index(p.Parent().Params, p)
	return i >= 0 && i < len(j.again.Call.Args) && j.again.Call.Args[i] != p
}
