package code

import (
	"go/ast"
	"go/token"
	"go/types"
	"iter"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/annotations"
	"github.com/durablegen/durablegen/lint/internal/form"
)

// Analyzer gives a *Package.
var Analyzer = &analysis.Analyzer{
	Name:       "durablecode",
	Doc:        "finds the code that runs inside orchestrations",
	Requires:   []*analysis.Analyzer{form.Analyzer},
	Run:        run,
	ResultType: reflect.TypeFor[*Package](),
	FactTypes:  []analysis.Fact{new(Role), new(Names), new(Fact)},
}

// Package is the code of a package as orchestrations see it.
type Package struct {
	Pass  *analysis.Pass
	SSA   *ssa.Package
	Funcs []*Func // in source order; none when the package does not import the runtime

	roles *roles
	of    map[*ssa.Function]*Func
	calls map[token.Pos]*ast.CallExpr
	up    map[ast.Node]ast.Node
	loops []ast.Node
	facts map[*types.Func]*Fact
}

// Func is a function, or a closure, which has its own.
type Func struct {
	*ssa.Function
	Fact
	Root      string   // the orchestrator that reaches it; "" is none of this package
	Via       []string // functions between, the last one itself; empty for the orchestrator and its closures
	Inside    bool     // it runs in orchestrations, and is written by hand
	Generated bool

	edges []edge
}

// edge leads to a function of the package: a call of it, or the place where it is made a value.
type edge struct {
	to     *Func
	in     ssa.Instruction
	call   *ssa.CallCommon // nil: made a value
	spawns bool            // made a value that runs as a coroutine of its own
	later  bool            // made a value that something else runs, or a query
}

func run(pass *analysis.Pass) (any, error) {
	p := &Package{Pass: pass, of: map[*ssa.Function]*Func{}, facts: map[*types.Func]*Fact{}}
	if strings.HasPrefix(pass.Pkg.Path(), Runtime) && !strings.HasSuffix(pass.Pkg.Name(), "_test") {
		return p, nil
	}
	p.roles = readRoles(pass)
	if !slices.ContainsFunc(pass.Pkg.Imports(), func(dep *types.Package) bool { return dep.Path() == Runtime }) {
		return p, nil
	}
	p.index()
	built, fns := pass.ResultOf[form.Analyzer].(*form.Package).Build()
	p.SSA = built
	for _, fn := range fns {
		p.add(fn)
	}
	for i := 0; i < len(p.Funcs); i++ { // scanning may add wrappers
		p.scan(p.Funcs[i])
	}
	p.fix()
	p.reach()
	for _, f := range p.Funcs {
		if obj := Declared(f.Function); obj != nil && f.Synthetic == "" && !f.empty() {
			pass.ExportObjectFact(obj, &f.Fact)
		}
	}
	return p, nil
}

func (p *Package) add(fn *ssa.Function) *Func {
	if fn.Origin() != nil {
		fn = fn.Origin()
	}
	if f := p.of[fn]; f != nil {
		return f
	}
	f := &Func{Function: fn, Generated: p.generated(fn.Pos())}
	p.of[fn] = f
	p.Funcs = append(p.Funcs, f)
	return f
}

// Of finds a function of the package; nil when it is none.
func (p *Package) Of(fn *ssa.Function) *Func {
	if fn != nil && fn.Origin() != nil {
		fn = fn.Origin()
	}
	return p.of[fn]
}

// Role is "orchestrator", "activity" or "".
func (p *Package) Role(obj *types.Func) string { return p.roles.of(obj) }

// Directive is what marks a function of this package.
func (p *Package) Directive(obj *types.Func) *annotations.Directive { return p.roles.own[obj] }

// index remembers the calls by the position that SSA gives them, and every node's parent.
func (p *Package) index() {
	p.calls, p.up = map[token.Pos]*ast.CallExpr{}, map[ast.Node]ast.Node{}
	for _, file := range p.Pass.Files {
		var stack []ast.Node
		ast.Inspect(file, func(n ast.Node) bool {
			if n == nil {
				stack = stack[:len(stack)-1]
				return false
			}
			if len(stack) > 0 {
				p.up[n] = stack[len(stack)-1]
			}
			switch n.(type) {
			case *ast.ForStmt, *ast.RangeStmt:
				p.loops = append(p.loops, n)
			}
			if c, ok := n.(*ast.CallExpr); ok {
				p.calls[c.Lparen] = c
				switch s := stack[len(stack)-1].(type) {
				case *ast.DeferStmt:
					p.calls[s.Defer] = c
				case *ast.GoStmt:
					p.calls[s.Go] = c
				}
			}
			stack = append(stack, n)
			return true
		})
	}
}

// Call is the expression behind a call; nil when the compiler made it.
func (p *Package) Call(in ssa.Instruction) *ast.CallExpr {
	switch in := in.(type) {
	case *ssa.Call:
		return p.calls[in.Pos()]
	case *ssa.Defer, *ssa.Go: // SSA gives the keyword
		return p.calls[in.Pos()]
	}
	return nil
}

// Parent is the node around n, parentheses left out.
func (p *Package) Parent(n ast.Node) ast.Node {
	up := p.up[n]
	if paren, ok := up.(*ast.ParenExpr); ok {
		return p.Parent(paren)
	}
	return up
}

// At is where a call begins, or where any other instruction is.
func (p *Package) At(in ssa.Instruction) token.Pos {
	if c := p.Call(in); c != nil {
		return c.Pos()
	}
	return in.Pos()
}

// Name is a call as it is written, without its arguments: "ChargeActivity.Start".
func (p *Package) Name(in ssa.Instruction) string {
	if c := p.Call(in); c != nil {
		if name := types.ExprString(ast.Unparen(c.Fun)); len(name) < 80 && !strings.Contains(name, "\n") && !strings.HasPrefix(name, "(func") {
			return name
		}
	}
	if c, ok := in.(ssa.CallInstruction); ok {
		if obj := Callee(c.Common()); obj != nil {
			return form.Short(obj.FullName())
		}
	}
	return "call"
}

// File is the file that holds a position.
func (p *Package) File(pos token.Pos) *ast.File {
	for _, f := range p.Pass.Files {
		if f.FileStart <= pos && pos < f.FileEnd {
			return f
		}
	}
	return nil
}

func (p *Package) generated(pos token.Pos) bool {
	f := p.File(pos)
	return f != nil && ast.IsGenerated(f)
}

// Where says whose code a function is: "orchestrator Join via club.ask", or "club.ask" when no orchestrator of the package
// reaches it.
func (f *Func) Where() string {
	if f.Root == "" {
		return form.FuncName(f.Function)
	}
	if len(f.Via) == 0 {
		return "orchestrator " + f.Root
	}
	return "orchestrator " + f.Root + " via " + strings.Join(f.Via, " → ")
}

// Nodes gives every node of the package but its comments, in no order.
func (p *Package) Nodes() iter.Seq[ast.Node] {
	return func(yield func(ast.Node) bool) {
		for n := range p.up {
			switch n.(type) {
			case *ast.Comment, *ast.CommentGroup:
				continue
			}
			if !yield(n) {
				return
			}
		}
	}
}

// LoopAt is where the statement of a loop begins: the innermost one around everything in the loop.
func (p *Package) LoopAt(l *Loop) (at token.Pos) {
	from, to := l.span()
	for _, n := range p.loops {
		if from.IsValid() && n.Pos() <= from && to < n.End() && n.Pos() > at {
			at = n.Pos()
		}
		if loop, ok := n.(*ast.ForStmt); ok && !from.IsValid() && loop.Cond == nil && len(loop.Body.List) == 0 && around(l.Header.Parent().Syntax(), n) {
			return n.Pos() // for {}
		}
	}
	return at
}

func around(outer, inner ast.Node) bool {
	return outer != nil && outer.Pos() <= inner.Pos() && inner.End() <= outer.End()
}

// NamesOf gives the stored names of another package.
func (p *Package) NamesOf(pkg *types.Package) []StoredName {
	var n Names
	p.Pass.ImportPackageFact(pkg, &n)
	return n.Stored
}
