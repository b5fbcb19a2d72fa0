package growth

import (
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
)

// round is a call by which functions of the package come back to themselves.
type round struct {
	from, to *code.Func
	call     *ssa.Call
}

// recursions finds functions that call themselves, or one another, until a failure ends it. What leads from the beginning of
// each to its call is a loop, and whatever turns away from there an exit.
func (c *checker) recursions() {
	c.findRounds()
	told := map[*code.Func]bool{}
	for _, f := range c.Funcs {
		if !f.Inside || told[f] {
			continue
		}
		way := c.wayBack(f, f, map[*code.Func]bool{})
		if way == nil {
			continue
		}
		var names []string
		for _, r := range way {
			told[r.from] = true
			names = append(names, c.Name(r.call))
		}
		c.report(code.Finding{Rule: "DUR301", Pos: c.At(way[0].call), What: "recursion without an end by " + strings.Join(names, " → "), In: f})
	}
}

// findRounds gathers the calls between functions that take places in the history and never go on as a new execution.
func (c *checker) findRounds() {
	for _, f := range c.Funcs {
		if !grows(f) {
			continue
		}
		for _, b := range f.Blocks {
			for _, in := range b.Instrs {
				call, ok := in.(*ssa.Call)
				if !ok {
					continue
				}
				fns, _ := c.Targets(call.Common())
				for _, fn := range fns {
					if to := c.Of(fn); to != nil && grows(to) {
						c.calls[f] = append(c.calls[f], round{f, to, call})
					}
				}
			}
		}
	}
}

func grows(f *code.Func) bool {
	return f.Does&(code.Schedules|code.Receives) != 0 && f.Does&(code.Continues|code.Unknown) == 0
}

// wayBack is a chain of calls from one function to another that nothing ends; nil if there is none.
func (c *checker) wayBack(from, to *code.Func, seen map[*code.Func]bool) []round {
	seen[from] = true
	for _, r := range c.calls[from] {
		if r.to != to && seen[r.to] || c.comesToAnEnd(r.call) {
			continue
		}
		if r.to == to {
			return []round{r}
		}
		if way := c.wayBack(r.to, to, seen); way != nil {
			return append([]round{r}, way...)
		}
	}
	return nil
}

func (c *checker) comesToAnEnd(call *ssa.Call) bool {
	l := code.LoopTo(call.Block())
	return slices.ContainsFunc(l.Exits(), func(e code.Exit) bool {
		j := &judge{c: c, l: l, again: true, seen: map[ssa.Value]bool{}}
		return e.If != nil && e.If.Block() != call.Block() && j.real(e.If.Cond)
	})
}

// changes reports whether a parameter has another value in some round: a call gives it something else than what the caller was
// given itself.
func (j *judge) changes(p *ssa.Parameter) bool {
	return j.again && j.c.changes(p, map[*ssa.Parameter]bool{})
}

func (c *checker) changes(p *ssa.Parameter, seen map[*ssa.Parameter]bool) bool {
	if seen[p] {
		return false
	}
	seen[p] = true
	i := slices.Index(p.Parent().Params, p)
	for _, calls := range c.calls {
		for _, r := range calls {
			if r.to.Function != p.Parent() || i < 0 || i >= len(r.call.Call.Args) || !c.leadsTo(r.to, r.from) {
				continue
			}
			arg, given := r.call.Call.Args[i].(*ssa.Parameter)
			if !given || c.changes(arg, seen) {
				return true
			}
		}
	}
	return false
}

// leadsTo reports whether one function comes to call another: a call from there is one of a round.
func (c *checker) leadsTo(from, to *code.Func) bool {
	seen := map[*code.Func]bool{from: true}
	queue := []*code.Func{from}
	for len(queue) > 0 && !seen[to] {
		for _, r := range c.calls[queue[0]] {
			if !seen[r.to] {
				seen[r.to] = true
				queue = append(queue, r.to)
			}
		}
		queue = queue[1:]
	}
	return seen[to]
}
