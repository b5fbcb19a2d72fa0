package summary

import (
	"cmp"
	"go/token"
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/lint/internal/effects"
	"github.com/durablegen/durablegen/lint/internal/form"
	"github.com/durablegen/durablegen/lint/internal/policy"
	"github.com/durablegen/durablegen/lint/internal/whole"
)

// Whole gives the *Program that a package is a part of. There is none, unless a driver says that there is.
var Whole = &analysis.Analyzer{
	Name:       "durablewhole",
	Doc:        "gives the program that a package is a part of, when all of it is looked at",
	Run:        func(*analysis.Pass) (any, error) { return (*Program)(nil), nil },
	ResultType: reflect.TypeFor[*Program](),
}

// Program tells what a call does whose target no package shows by itself: that of a variable which another package sets, of an
// interface that comes from far away. All packages are looked at twice. The first time they describe what their functions do,
// the second time each may ask what the program puts where it makes its calls, packages that import it included.
type Program struct {
	graph     *whole.Graph
	mu        sync.Mutex
	bodies    map[string]*body // by place
	described bool
}

// body is what one function does, literals too.
type body struct {
	does  *Function // nil: it computes
	types map[string]*made
}

// NewProgram begins one.
func NewProgram(graph *whole.Graph) *Program {
	return &Program{graph: graph, bodies: map[string]*body{}}
}

// Described says that all packages have been looked at once.
func (w *Program) Described() { w.described = true }

// site names a call as the program knows it.
func (p *pkg) site(pos token.Pos) string {
	if p.program == nil {
		return ""
	}
	at := p.at(pos)
	return token.Position{Filename: at.File, Line: at.Line, Column: at.Column}.String()
}

// describe tells the program what the functions of the package do.
func (p *pkg) describe() {
	w := p.program
	if w == nil || w.described {
		return
	}
	for _, n := range p.order {
		if !n.fn.Pos().IsValid() { // the compiler made it
			continue
		}
		b := &body{types: map[string]*made{}}
		if obj, ok := n.fn.Object().(*types.Func); !ok || n.fn.Parent() != nil || p.marks.word(obj) == "" { // the others are boundaries
			b.does = n.sum.fact(p.at)
			for name, m := range n.sum.reached() {
				b.types[name] = madeOf(m.fact(p.at))
			}
		}
		w.mu.Lock()
		w.bodies[p.pass.Fset.Position(n.fn.Pos()).String()] = b
		w.mu.Unlock()
	}
}

// putThere adds to s what the program's callees of a call do, and reports whether these are all, and whether s has changed. In
// the first round the call stays open, with its site.
func (p *pkg) putThere(s *sum, need *Need) (changed, all bool) {
	w := p.program
	switch {
	case w == nil || need.Site == "":
		return false, false
	case !w.described:
		return s.invoke(need.invoke()), true
	}
	put, had := p.puts[need.Key+need.Site]
	if !had {
		put = p.reachedFrom(&Invoke{Key: need.Key, Site: need.Site, Spot: Spot{At: p.place(need.Spot)}})
		p.puts[need.Key+need.Site] = put
	}
	return s.add(put.sum, p.module, need.Spot, need.Via...), put.all
}

// put is what a program puts at a call.
type put struct {
	*sum      // steps and places are those behind the call
	all  bool // nothing but what is in there
}

// reachedFrom follows a call to its callees, and what they call in turn without naming it.
func (p *pkg) reachedFrom(call *Invoke) put {
	out := put{newSum(), true}
	seen := map[string]bool{}
	queue := []*Invoke{call}
	for i := 0; i < len(queue); i++ {
		at := queue[i]
		callees := p.program.graph.At(at.Site, methodOf(at.Key))
		all := len(callees) > 0
		for _, c := range callees {
			if seen[c.At] {
				continue
			}
			seen[c.At] = true
			open, known := p.arrive(out.sum, c, at)
			all = all && known
			queue = append(queue, open...)
		}
		switch {
		case all:
		case i == 0:
			out.all = false
		default: // as without a program
			out.invoke(at)
		}
	}
	return out
}

// arrive adds to s what a function does that the program puts at a call, and gives the calls that it leaves open. What the
// standard library calls of what it holds is not known.
func (p *pkg) arrive(s *sum, c whole.Callee, at *Invoke) (open []*Invoke, known bool) {
	via := append(slices.Clone(at.Via), Step{Func: form.Short(c.Name), At: at.At})
	switch {
	case isRuntime(c.Package) || strings.HasPrefix(c.Package, house):
		return nil, true
	case effects.Std(c.Package) && (c.Func == nil || !reachable(c.Func)):
		return nil, false
	}
	if c.Func != nil && c.Func.Pkg() != nil {
		if e, decided := p.decided(c.Func); decided {
			if e.Rule != "" {
				s.hazards.add(&Hazard{Rule: e.Rule, What: form.Short(c.Name), Via: at.Via})
			}
			return nil, len(e.Calls) == 0
		}
	}
	b := p.program.bodies[c.At]
	switch {
	case b == nil:
		return nil, false
	case b.does == nil:
		return nil, true
	}
	does := sumOf(b.does, b.types)
	for _, v := range append(slices.Collect(maps.Values(does.invokes)), needed(does.needs)...) {
		if v.Site != "" {
			open = append(open, &Invoke{Key: v.Key, Site: v.Site, Spot: v.Spot, Via: slices.Concat(via, v.Via)})
			delete(does.invokes, v.Key+v.Site)
		}
	}
	slices.SortFunc(open, func(a, b *Invoke) int {
		return cmp.Or(compareWays(a.Via, b.Via), strings.Compare(a.Site+a.Key, b.Site+b.Key))
	})
	s.add(does, p.module, Spot{}, via...)
	return open, true
}

// reachable reports whether users can name a function, or the type that it is a method of.
func reachable(obj *types.Func) bool {
	r := obj.Signature().Recv()
	if r == nil {
		return obj.Exported()
	}
	t := r.Type()
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Exported()
}

// needed are the needs of a function that the program may answer.
func needed(needs map[string]*Need) (out []*Invoke) {
	for _, n := range needs {
		if ofMethod(n.Key) || n.Key == needFunc {
			out = append(out, n.invoke())
		}
	}
	return out
}

// decided is what a policy or a table says of a function.
func (p *pkg) decided(obj *types.Func) (e effects.Effect, decided bool) {
	switch class := p.marks.policy.Class(obj); class {
	case policy.Inspect:
	case policy.Pure:
		return e, true
	default:
		return effects.Effect{Rule: string(class)}, true
	}
	e, known, listed := listed(obj)
	if listed && !known {
		e.Rule = "DET901"
	}
	return e, listed
}

// methodOf is the method that a key names; "" for a func.
func methodOf(key string) string {
	if key == needFunc {
		return ""
	}
	return bare(key)
}
