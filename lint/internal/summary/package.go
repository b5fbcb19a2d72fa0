package summary

import (
	"fmt"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/effects"
	"github.com/durablegen/durablegen/lint/internal/form"
)

// Analyzer computes the summaries of a package, and its facts.
var Analyzer = &analysis.Analyzer{
	Name:       "durablesummary",
	Doc:        "computes what functions do that a replay could not repeat",
	Requires:   []*analysis.Analyzer{form.Analyzer},
	Run:        run,
	ResultType: reflect.TypeFor[*Result](),
	FactTypes:  []analysis.Fact{new(Function), new(Variable), new(Role), new(Looked)},
}

// Result is what the rules ask.
type Result struct {
	Roots []Root // the orchestrators of the package, in source order

	pkg *pkg // nil: a package that a table knows
}

// Root is an orchestrator with everything that it reaches.
type Root struct {
	Func    *types.Func
	Hazards []*Hazard // in the order of their places
}

// pkg is one package while it is looked at.
type pkg struct {
	pass    *analysis.Pass
	ssa     *ssa.Package
	nodes   map[*ssa.Function]*node
	order   []*node // in source order
	globals map[*types.Var]*global
	marks   *marks
	made    map[string]*made
	foreign map[*types.Func]*sum
}

// node is a function of the package.
type node struct {
	fn    *ssa.Function
	sum   *sum
	calls []call
}

// call is an edge to another function of the package: a call of it, or a place where it is made a value.
type call struct {
	to  *node
	pos token.Pos
	on  *ssa.CallCommon // nil: made a value
}

func run(pass *analysis.Pass) (any, error) {
	pass.ExportPackageFact(&Looked{})
	if Known(pass.Pkg.Path()) {
		return &Result{}, nil
	}
	built, fns := pass.ResultOf[form.Analyzer].(*form.Package).Build()
	p := &pkg{
		pass: pass, ssa: built, nodes: map[*ssa.Function]*node{}, globals: map[*types.Var]*global{}, made: map[string]*made{},
		foreign: map[*types.Func]*sum{},
	}
	p.marks = readMarks(pass)
	for _, fn := range fns {
		p.addNode(fn)
	}
	p.findGlobals()
	for i := 0; i < len(p.order); i++ { // scanning may add wrappers
		p.scan(p.order[i])
	}
	p.fix()
	for _, n := range p.order {
		p.orders(n)
	}
	p.judgeGlobals()
	p.export()
	return p.result(), nil
}

// Known reports whether a table says what a package does, so that it is not looked at.
func Known(path string) bool { return effects.Std(path) || isRuntime(path) }

func (p *pkg) addNode(fn *ssa.Function) *node {
	if n := p.nodes[fn]; n != nil {
		return n
	}
	n := &node{fn: fn, sum: newSum()}
	p.nodes[fn] = n
	p.order = append(p.order, n)
	return n
}

// fix lets summaries flow along the calls until none grows.
func (p *pkg) fix() {
	for changed := true; changed; {
		changed = false
		for _, n := range p.order {
			for _, c := range n.calls {
				changed = n.sum.add(c.to.sum, Step{Func: funcName(c.to.fn), At: p.at(c.pos)}, c.pos, false) || changed
				changed = n.passWrites(c) || changed
			}
		}
	}
}

// at tells a position as facts and messages do, without the folders of this machine.
func (p *pkg) at(pos token.Pos) string {
	at := p.pass.Fset.Position(pos)
	return fmt.Sprintf("%s/%s:%d:%d", p.pass.Pkg.Path(), filepath.Base(at.Filename), at.Line, at.Column)
}

func (p *pkg) export() {
	for _, n := range p.order {
		obj, ok := n.fn.Object().(*types.Func)
		if !ok || n.fn.Parent() != nil || n.fn.Synthetic != "" {
			continue
		}
		if f := n.sum.fact(p.at); f != nil {
			p.pass.ExportObjectFact(obj, f)
		}
	}
}

func (p *pkg) result() *Result {
	r := &Result{pkg: p}
	for _, n := range p.order {
		obj, ok := n.fn.Object().(*types.Func)
		if ok && p.marks.word(obj) == "orchestrator" {
			r.Roots = append(r.Roots, Root{Func: obj, Hazards: n.sum.settle().hazards.sorted()})
		}
	}
	return r
}

// funcName is how people call a function: "club.stamp", "(*store.HTTP).Get"; a closure has the name of what it is in.
func funcName(fn *ssa.Function) string {
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	if obj, ok := fn.Object().(*types.Func); ok {
		return short(obj.FullName())
	}
	return short(fn.String())
}
