// Package whole tells what a program really calls where a package by itself does not show it: it loads all of the program,
// the standard library included, and follows types and functions through all of its variables (variable type analysis).
package whole

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/callgraph"
	"golang.org/x/tools/go/callgraph/vta"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// Config says which program it is.
type Config struct {
	Dir      string   // defaults to the current folder
	Env      []string // of the go command; defaults to the process's own
	Patterns []string
	// Skip names packages whose calls nobody asks for. They are read all the same: values pass through them.
	Skip func(path string) bool
}

// Graph has the calls of a program whose target depends on a value. It may be read concurrently.
type Graph struct {
	sites map[string][]call
}

// call is one of those that begin at a place.
type call struct {
	method string // "": of a func
	to     []Callee
}

// Callee is a function that is called.
type Callee struct {
	Func    *types.Func // of another type check than the caller's; nil: a function literal
	Package string      // where it is written
	Name    string      // "example.com/shop.live", "(*example.com/store.HTTP).Get"; a literal has the name of what it is in
	At      string      // where its name is, or a literal begins: "shop.go:12:6", with the whole path
}

const mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
	packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedModule

// Load reads the program that the packages make up. Code that does not compile is an error: whatever it calls would be missing.
func Load(ctx context.Context, cfg Config) (*Graph, error) {
	loaded, err := packages.Load(&packages.Config{Context: ctx, Mode: mode, Dir: cfg.Dir, Env: cfg.Env}, cfg.Patterns...)
	if err != nil {
		return nil, fmt.Errorf("load the program: %w", err)
	}
	var broken []error
	packages.Visit(loaded, nil, func(p *packages.Package) {
		for _, err := range p.Errors {
			broken = append(broken, err)
		}
	})
	if len(broken) > 0 {
		return nil, fmt.Errorf("load the program: %w", errors.Join(broken...))
	}
	prog, _ := ssautil.AllPackages(loaded, ssa.InstantiateGenerics)
	prog.Build()
	all := ssautil.AllFunctions(prog)
	calls := vta.CallGraph(all, vta.CallGraph(all, nil)) // the second time knows better who is given what
	g := &Graph{sites: map[string][]call{}}
	begins := begins(prog.Fset, loaded)
	for fn, node := range calls.Nodes {
		if pkg := home(fn); pkg != nil && !cfg.Skip(pkg.Path()) {
			g.add(prog.Fset, begins, node)
		}
	}
	g.sort()
	return g, nil
}

// home is the package that a function was written in.
func home(fn *ssa.Function) *types.Package {
	if o := fn.Origin(); o != nil {
		fn = o
	}
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	if fn.Pkg == nil {
		return nil
	}
	return fn.Pkg.Pkg
}

// begins gives where calls begin, by their left parenthesis, which is where the SSA form has them.
func begins(fset *token.FileSet, loaded []*packages.Package) map[token.Pos]token.Pos {
	out := map[token.Pos]token.Pos{}
	packages.Visit(loaded, nil, func(p *packages.Package) {
		if p.Module == nil { // of the standard library nobody asks
			return
		}
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				if c, ok := n.(*ast.CallExpr); ok && fset.Position(c.Pos()).Line == fset.Position(c.Lparen).Line {
					out[c.Lparen] = c.Pos()
				}
				return true
			})
		}
	})
	return out
}

// add notes the calls of a function that do not name their target.
func (g *Graph) add(fset *token.FileSet, begins map[token.Pos]token.Pos, from *callgraph.Node) {
	for _, e := range from.Out {
		c := e.Site.Common()
		if c.StaticCallee() != nil || !e.Site.Pos().IsValid() {
			continue
		}
		pos := e.Site.Pos()
		if begin, ok := begins[pos]; ok {
			pos = begin
		}
		method := ""
		if c.IsInvoke() {
			method = c.Method.Name()
		}
		place := fset.Position(pos).String()
		for _, to := range written(e.Callee, map[*callgraph.Node]bool{}, nil) {
			g.note(place, method, callee(fset, to))
		}
	}
}

func (g *Graph) note(place, method string, to Callee) {
	list := g.sites[place]
	i := slices.IndexFunc(list, func(c call) bool { return c.method == method })
	if i < 0 {
		i, list = len(list), append(list, call{method: method})
	}
	if !slices.Contains(list[i].to, to) {
		list[i].to = append(list[i].to, to)
	}
	g.sites[place] = list
}

func (g *Graph) sort() {
	for _, list := range g.sites {
		for _, c := range list {
			slices.SortFunc(c.to, func(a, b Callee) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.At, b.At)) })
		}
	}
}

// written adds the functions that somebody has written behind one that the compiler makes: of a method of an embedded field, of a
// method with its receiver.
func written(n *callgraph.Node, seen map[*callgraph.Node]bool, out []*ssa.Function) []*ssa.Function {
	if seen[n] {
		return out
	}
	seen[n] = true
	if n.Func.Synthetic == "" || n.Func.Origin() != nil {
		return append(out, n.Func)
	}
	for _, e := range n.Out {
		out = written(e.Callee, seen, out)
	}
	return out
}

func callee(fset *token.FileSet, fn *ssa.Function) Callee {
	if o := fn.Origin(); o != nil {
		fn = o
	}
	c := Callee{At: fset.Position(fn.Pos()).String()}
	if pkg := home(fn); pkg != nil {
		c.Package = pkg.Path()
	}
	c.Func, _ = fn.Object().(*types.Func)
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	c.Name = fn.String()
	if obj, ok := fn.Object().(*types.Func); ok {
		c.Name = obj.FullName()
	}
	return c
}

// At gives what is called by a call that begins at a place: of a method, or of a func when method is "". None means that it
// is not known: the program never gets there, or reflection puts something there.
func (g *Graph) At(place, method string) []Callee {
	for _, c := range g.sites[place] {
		if c.method == method {
			return c.to
		}
	}
	return nil
}
