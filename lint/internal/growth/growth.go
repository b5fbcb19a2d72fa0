// Package growth finds what makes the history of an instance grow without bound, and loops that no replay gets out of.
package growth

import (
	"go/token"
	"reflect"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
	"github.com/durablegen/durablegen/lint/internal/form"
)

// Analyzer gives the []code.Finding of the rules DUR301 to DUR304.
var Analyzer = &analysis.Analyzer{
	Name:       "durablegrowth",
	Doc:        "finds what makes histories grow without bound",
	Requires:   []*analysis.Analyzer{code.Analyzer},
	Run:        run,
	ResultType: reflect.TypeFor[[]code.Finding](),
}

type checker struct {
	*code.Package
	found  []code.Finding
	rounds map[*ssa.Function][]int // parameters that a function calls in a loop without an end
	calls  map[*code.Func][]round
}

func run(pass *analysis.Pass) (any, error) {
	c := &checker{Package: pass.ResultOf[code.Analyzer].(*code.Package), rounds: map[*ssa.Function][]int{}, calls: map[*code.Func][]round{}}
	for _, f := range c.Funcs {
		for _, l := range code.Loops(f.Function) {
			c.callsForEver(f, l)
		}
	}
	for _, f := range c.Funcs {
		if f.Inside {
			c.givesToRounds(f)
			for _, l := range code.Loops(f.Function) {
				c.loop(f, l)
			}
			c.large(f)
		}
		c.wholeFiles(f)
	}
	c.recursions()
	return c.found, nil
}

func (c *checker) report(f code.Finding) { c.found = append(c.found, f) }

// loop judges one loop: whether it can ever let others run, whether it ends, how often it runs.
func (c *checker) loop(f *code.Func, l *code.Loop) {
	var does code.Does
	var first ssa.Instruction // that takes a place in the history
	for in := range l.Instrs {
		if call, ok := in.(ssa.CallInstruction); ok {
			d := c.Effect(call)
			does |= d
			if first == nil && d&(code.Schedules|code.Receives) != 0 {
				first = in
			}
		}
	}
	exits := l.Exits()
	switch {
	case does&(code.Awaits|code.Unknown) == 0 && c.stuck(l, exits):
		c.report(code.Finding{Rule: "DUR303", Pos: c.begin(l), What: "loop that never lets others run", In: f})
	case first == nil:
	case does&(code.Continues|code.Unknown) == 0 && !c.bounded(l, exits):
		c.report(code.Finding{Rule: "DUR301", Pos: c.begin(l), What: "loop without an end around " + c.Name(first), In: f})
	default:
		c.counted(f, l, first)
	}
}

// callsForEver notes the parameters that a loop without an end calls: who gives them decides what the loop does.
func (c *checker) callsForEver(f *code.Func, l *code.Loop) {
	if c.bounded(l, l.Exits()) {
		return
	}
	for in := range l.Instrs {
		call, ok := in.(ssa.CallInstruction)
		if !ok || call.Common().IsInvoke() {
			continue
		}
		code.Origins(call.Common().Value, func(o ssa.Value) {
			if p, ok := o.(*ssa.Parameter); ok && slices.Contains(f.Params, p) {
				c.rounds[f.Function] = append(c.rounds[f.Function], slices.Index(f.Params, p))
			}
		})
	}
}

// givesToRounds finds functions that take places in the history, given to a helper that calls them for ever.
func (c *checker) givesToRounds(f *code.Func) {
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			call, ok := in.(ssa.CallInstruction)
			if !ok {
				continue
			}
			fns, _ := c.Targets(call.Common())
			for _, fn := range fns {
				for _, i := range c.rounds[fn] {
					if i < len(call.Common().Args) && c.growing(call.Common().Args[i]) {
						c.report(code.Finding{Rule: "DUR301", Pos: c.At(call), What: "loop without an end in " + form.FuncName(fn), In: f})
						return
					}
				}
			}
		}
	}
}

// growing reports whether a function takes places in the history and never goes on as a new execution.
func (c *checker) growing(v ssa.Value) bool {
	fns, _ := code.Functions(v)
	return slices.ContainsFunc(fns, func(fn *ssa.Function) bool {
		g := c.Of(fn)
		return g != nil && grows(g)
	})
}

// begin is where the statement of a loop is.
func (c *checker) begin(l *code.Loop) token.Pos {
	if loop := c.LoopAt(l); loop.IsValid() {
		return loop
	}
	return l.Header.Parent().Pos() // made by goto
}

// bounded reports whether a loop has an end that its own state, the time, or the work decides. Failures do not count, nor
// do events, which somebody may never send, or may send for ever.
func (c *checker) bounded(l *code.Loop, exits []code.Exit) bool {
	for _, e := range exits {
		if e.If == nil {
			return true
		}
		j := &judge{c: c, l: l, seen: map[ssa.Value]bool{}}
		if j.real(e.If.Cond) {
			return true
		}
	}
	return c.rangesOver(l)
}

// rangesOver reports whether a loop goes over something that has an end.
func (c *checker) rangesOver(l *code.Loop) bool {
	for in := range l.Instrs {
		if _, ok := in.(*ssa.Next); ok && in.Block() == l.Header {
			return true
		}
	}
	return false
}
