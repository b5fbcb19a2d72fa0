package summary

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/effects"
	"github.com/durablegen/durablegen/lint/internal/form"
	"github.com/durablegen/durablegen/lint/internal/policy"
)

// Analyzer computes the summaries of a package, and its facts.
var Analyzer = &analysis.Analyzer{
	Name:       "durablesummary",
	Doc:        "computes what functions do that a replay could not repeat",
	Requires:   []*analysis.Analyzer{form.Analyzer, policy.Analyzer, Whole},
	Run:        run,
	ResultType: reflect.TypeFor[*Result](),
	FactTypes:  []analysis.Fact{new(Function), new(Variable), new(Role), new(Looked)},
}

// Result is what the rules ask.
type Result struct {
	Roots  []Root // the orchestrators of the package, in source order
	Claims []Root // functions that are said to be pure, and are not

	pkg *pkg // nil: a package that a table knows
}

// Root is an orchestrator, or a function that is said to be pure, with everything that it reaches.
type Root struct {
	Func    *types.Func
	Name    string    // as steps call it
	Hazards []*Hazard // in the order of their places
}

// pkg is one package while it is looked at.
type pkg struct {
	pass      *analysis.Pass
	module    string // its path
	brief     bool   // it was downloaded: nobody looks at it for its own sake, and one hazard of each rule is enough
	ssa       *ssa.Package
	nodes     map[*ssa.Function]*node
	order     []*node // in source order
	syntax    map[ast.Node]*node
	globals   map[*types.Var]*global
	marks     *marks
	made      map[string]*made
	foreign   map[*types.Func]*sum
	linked    map[types.Object]bool // functions without a body, whose name is linked to another's
	results   map[*ssa.CallCommon]*ssa.Call
	named     map[token.Pos]*types.Func // by a call, at its left parenthesis
	callees   map[*ast.Ident]bool
	selectors map[*ast.Ident]*ast.SelectorExpr
	mentions  map[mention][]token.Pos
	busy      map[*ssa.IndexAddr]bool // elements whose loops are being judged
	grew      bool                    // a function turned out to call a parameter in the order of a map
	entered   int                     // calls that were entered to judge one loop
	parts     map[types.Type][]types.Type
	madeOf    map[types.Type]*made
	told      map[string]*made                    // types that facts of the package name
	imported  map[*types.Package]map[string]*made // the same of others
	leafs     map[leafKey]leaves
	program   *Program                // nil: the package is looked at by itself
	puts      map[string]put          // what the program puts at a site
	begins    map[token.Pos]token.Pos // of calls on one line, by their left parenthesis, which is where the SSA form has them
}

// node is a function of the package.
type node struct {
	fn         *ssa.Function
	sum        *sum
	claim      bool // what is marked as pure, looked at all the same
	scanned    bool
	calls      []call
	dispatches []*dispatch
	pendings   []pending
}

// pending is a call of a function of another package whose result may have the order of a map.
type pending struct {
	callee *sum
	on     *ssa.CallCommon // nil: made a value
	pos    token.Pos
	step   Step
}

// call is an edge to another function of the package: a call of it, or a place where it is made a value.
type call struct {
	to   *node
	pos  token.Pos
	on   *ssa.CallCommon // nil: made a value
	step Step
	had  int // the version of the callee's summary that has been added
}

func run(pass *analysis.Pass) (result any, err error) {
	defer func() { // code that nobody has thought of must not take the whole run with it
		if r := recover(); r != nil {
			err = fmt.Errorf("look at package %s: %v: it was not looked at; this is a mistake of the linter", pass.Pkg.Path(), r)
		}
	}()
	p := &pkg{
		pass: pass, nodes: map[*ssa.Function]*node{}, syntax: map[ast.Node]*node{}, globals: map[*types.Var]*global{}, made: map[string]*made{},
		foreign: map[*types.Func]*sum{}, linked: map[types.Object]bool{}, results: map[*ssa.CallCommon]*ssa.Call{}, busy: map[*ssa.IndexAddr]bool{}, parts: map[types.Type][]types.Type{}, madeOf: map[types.Type]*made{}, told: map[string]*made{}, imported: map[*types.Package]map[string]*made{}, leafs: map[leafKey]leaves{},
		program: pass.ResultOf[Whole].(*Program), puts: map[string]put{},
	}
	p.named, p.callees, p.selectors, p.mentions = map[token.Pos]*types.Func{}, map[*ast.Ident]bool{}, map[*ast.Ident]*ast.SelectorExpr{}, map[mention][]token.Pos{}
	if pass.Module != nil {
		p.module, p.brief = pass.Module.Path, pass.Module.Version != ""
	}
	pass.ExportPackageFact(&Looked{Module: p.module})
	if Known(pass.Pkg.Path()) {
		return &Result{}, nil
	}
	p.begins = begins(pass)
	p.marks = readMarks(pass)
	built, fns := pass.ResultOf[form.Analyzer].(*form.Package).Build()
	p.ssa = built
	for _, fn := range fns {
		p.addNode(fn)
	}
	p.findGlobals()
	p.findLinked()
	p.words()
	p.fix()
	p.findSorts()
	p.orders()
	p.seeds()
	p.judgeGlobals()
	slices.SortStableFunc(p.order, func(a, b *node) int { return cmp.Compare(a.fn.Pos(), b.fn.Pos()) })
	p.export()
	p.describe()
	r := p.result()
	r.Claims = p.claims()
	return r, nil
}

// Known reports whether a table says what a package does, so that it is not looked at.
func Known(path string) bool {
	return effects.Std(path) || isRuntime(path) || strings.HasPrefix(path, house)
}

// house is what stands behind the runtime, which only the runtime calls.
var house = strings.TrimSuffix(Runtime, "runtime") + "internal/"

func (p *pkg) addNode(fn *ssa.Function) *node {
	if n := p.nodes[fn]; n != nil {
		return n
	}
	n := &node{fn: fn, sum: newSum()}
	p.nodes[fn] = n
	p.order = append(p.order, n)
	if fn.Syntax() != nil && p.syntax[fn.Syntax()] == nil {
		p.syntax[fn.Syntax()] = n
	}
	return n
}

// fix lets summaries flow along the calls until none grows.
func (p *pkg) fix() {
	for _, n := range p.order {
		for i := range n.calls {
			n.calls[i].had = 0
		}
		n.sum.version++
	}
	for changed := true; changed; {
		changed = false
		p.calleesFirst()
		for i := 0; i < len(p.order); i++ { // scanning and settling may add wrappers
			if n := p.order[i]; p.flow(n) {
				n.sum.version++
				changed = true
			}
		}
	}
}

// flow adds to a function's summary what its callees have learnt, and reports whether that is news.
func (p *pkg) flow(n *node) bool {
	changed := false
	if !n.scanned {
		n.scanned, changed = true, true
		p.scan(n)
	}
	for i := range n.calls {
		c := &n.calls[i]
		if c.had == c.to.sum.version {
			continue
		}
		c.had = c.to.sum.version
		changed = n.sum.add(c.to.sum, p.module, p.spot(c.pos), c.step) || changed
		changed = n.passWrites(*c) || changed
		changed = p.passNeeds(n, *c) || changed
	}
	for _, d := range n.dispatches {
		changed = p.settle(n, d) || changed
	}
	return changed
}

// calleesFirst orders the functions so that most of what flows along calls flows in one go.
func (p *pkg) calleesFirst() {
	seen := map[*node]bool{}
	order := make([]*node, 0, len(p.order))
	var visit func(*node)
	visit = func(n *node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, c := range n.calls {
			visit(c.to)
		}
		order = append(order, n)
	}
	for _, n := range p.order {
		visit(n)
	}
	p.order = order
}

// at is a position as facts and messages have it.
func (p *pkg) at(pos token.Pos) Place {
	if begin := p.begins[pos]; begin.IsValid() {
		pos = begin
	}
	at := p.pass.Fset.Position(pos)
	return Place{Module: p.module, Package: p.pass.Pkg.Path(), File: at.Filename, Line: at.Line, Column: at.Column}
}

func begins(pass *analysis.Pass) map[token.Pos]token.Pos {
	out := map[token.Pos]token.Pos{}
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok && pass.Fset.Position(c.Pos()).Line == pass.Fset.Position(c.Lparen).Line {
				out[c.Lparen] = c.Pos()
			}
			return true
		})
	}
	return out
}

// spot is where something is in the package.
func (p *pkg) spot(pos token.Pos) Spot {
	if !p.brief {
		return Spot{Pos: pos}
	}
	return Spot{At: Place{Module: p.module, Package: p.pass.Pkg.Path(), File: "-"}, Deep: p.at(pos)}
}

func (p *pkg) export() {
	for _, n := range p.order {
		obj, ok := n.fn.Object().(*types.Func)
		if !ok || n.fn.Parent() != nil || n.fn.Synthetic != "" {
			continue
		}
		if f := n.sum.fact(p.at); f != nil {
			p.pass.ExportObjectFact(obj, f)
			p.tellTypes(n.sum)
		}
	}
	looked := &Looked{Module: p.module}
	for _, name := range slices.Sorted(maps.Keys(p.told)) {
		looked.Types = append(looked.Types, p.told[name].fact(p.at))
	}
	p.pass.ExportPackageFact(looked)
}

// tellTypes notes that a fact names the types of s.
func (p *pkg) tellTypes(s *sum) { maps.Copy(p.told, s.reached()) }

func (p *pkg) result() *Result {
	r := &Result{pkg: p}
	for _, n := range p.order {
		obj, ok := n.fn.Object().(*types.Func)
		if ok && n.fn.Parent() == nil && p.marks.word(obj) == "orchestrator" {
			r.Roots = append(r.Roots, Root{Func: obj, Name: form.Short(obj.FullName()), Hazards: p.root(n).sorted()})
		}
	}
	return r
}

// root is everything that an orchestrator does.
func (p *pkg) root(n *node) hazards {
	s := n.sum.settle(p.module)
	for _, h := range s.pending { // what it returns, others see
		s.hazards.add(h)
	}
	p.unanswered(n.fn, s)
	if h := p.receiver(n.fn); h != nil {
		s.hazards.add(h)
	}
	return s.hazards
}

// receiver is DET506: what an orchestrator reads of its receiver was put there by this process.
func (p *pkg) receiver(fn *ssa.Function) *Hazard {
	r := fn.Signature.Recv()
	if r == nil || len(*fn.Params[0].Referrers()) == 0 || p.marks.allowed("DET506", fn.Pos()) {
		return nil
	}
	t := r.Type()
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	if st, ok := t.Underlying().(*types.Struct); ok && st.NumFields() == 0 {
		return nil
	}
	return &Hazard{Rule: "DET506", What: "receiver " + r.Name(), Spot: Spot{Pos: fn.Pos()}}
}
