package summary

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// zoned is what is known of the zone of a time.
type zoned struct {
	local  bool // it is that of the machine
	params []*ssa.Parameter
}

// zone follows a time back to where its zone comes from.
func (p *pkg) zone(v ssa.Value) zoned {
	z := &zoneFlow{p: p, seen: map[ssa.Value]bool{}}
	z.follow(v)
	return z.out
}

type zoneFlow struct {
	p     *pkg
	out   zoned
	seen  map[ssa.Value]bool
	depth int
}

func (z *zoneFlow) follow(v ssa.Value) {
	if z.seen[v] {
		return
	}
	z.seen[v] = true
	switch v := v.(type) {
	case *ssa.Parameter:
		z.out.params = append(z.out.params, v)
	case *ssa.Phi:
		for _, e := range v.Edges {
			z.follow(e)
		}
	case *ssa.ChangeType:
		z.follow(v.X)
	case *ssa.UnOp:
		if a, ok := v.X.(*ssa.Alloc); ok {
			for _, r := range *a.Referrers() {
				if s, ok := r.(*ssa.Store); ok && s.Addr == a {
					z.follow(s.Val)
				}
			}
		}
	case *ssa.FreeVar:
		for _, b := range form.Bindings(v) {
			z.follow(b)
		}
	case *ssa.Call:
		z.call(v)
	}
}

func (z *zoneFlow) call(c *ssa.Call) {
	fn := c.Call.StaticCallee()
	if fn == nil {
		return
	}
	fn = form.Origin(fn)
	obj, ok := fn.Object().(*types.Func)
	if !ok || obj.Pkg() == nil {
		return
	}
	if obj.Pkg().Path() == "time" {
		e, _, _ := listed(obj)
		z.out.local = z.out.local || e.Local
		if slices.Contains([]string{"Add", "AddDate", "Truncate", "Round"}, obj.Name()) && obj.Signature().Recv() != nil {
			z.follow(c.Call.Args[0])
		}
		return
	}
	if z.p.nodes[fn] == nil || z.depth > 4 {
		return
	}
	sub := &zoneFlow{p: z.p, seen: map[ssa.Value]bool{}, depth: z.depth + 1}
	for _, b := range fn.Blocks {
		if ret, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return); ok && len(ret.Results) > 0 {
			sub.follow(ret.Results[0])
		}
	}
	z.out.local = z.out.local || sub.out.local
	for _, param := range sub.out.params {
		if i := slices.Index(fn.Params, param); i >= 0 && i < len(c.Call.Args) {
			z.follow(c.Call.Args[i])
		}
	}
}

// deterministic reports whether a call of an encoder is told to sort: by an option among its arguments, or a field of the
// options that it is a method of.
func deterministic(c *ssa.CallCommon) bool { return slices.ContainsFunc(c.Args, sorting) }

func sorting(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Call:
		fn := v.Call.StaticCallee()
		return fn != nil && fn.Name() == "Deterministic" && len(v.Call.Args) == 1 && isTrue(v.Call.Args[0])
	case *ssa.MakeInterface:
		return sorting(v.X)
	case *ssa.UnOp:
		return sorting(v.X)
	case *ssa.Slice:
		return sorting(v.X)
	case *ssa.Alloc:
		for _, r := range *v.Referrers() {
			switch r := r.(type) {
			case *ssa.Store:
				if r.Addr == v && sorting(r.Val) {
					return true
				}
			case *ssa.IndexAddr:
				if put := storedAt(r); slices.ContainsFunc(put, sorting) {
					return true
				}
			case *ssa.FieldAddr:
				if fieldName(r) == "Deterministic" && slices.ContainsFunc(storedAt(r), isTrue) {
					return true
				}
			}
		}
	}
	return false
}

func storedAt(addr ssa.Value) []ssa.Value {
	var out []ssa.Value
	for _, r := range *addr.Referrers() {
		if s, ok := r.(*ssa.Store); ok && s.Addr == addr {
			out = append(out, s.Val)
		}
	}
	return out
}

func isTrue(v ssa.Value) bool {
	c, ok := v.(*ssa.Const)
	return ok && c.Value != nil && c.Value.Kind() == constant.Bool && constant.BoolVal(c.Value)
}

func fieldName(a *ssa.FieldAddr) string {
	ptr, ok := a.X.Type().Underlying().(*types.Pointer)
	if !ok {
		return ""
	}
	st, ok := ptr.Elem().Underlying().(*types.Struct)
	if !ok {
		return ""
	}
	return st.Field(a.Field).Name()
}

// seeders are the functions that make or seed a generator.
var seeders = map[string]bool{
	"math/rand.NewSource": true, "math/rand/v2.NewPCG": true, "math/rand/v2.NewChaCha8": true,
	"(*math/rand.Rand).Seed": true, "(*math/rand/v2.PCG).Seed": true, "(*math/rand/v2.ChaCha8).Seed": true,
	"golang.org/x/exp/rand.NewSource": true,
}

// seeds is DET114: generators whose seed comes from what differs at a replay.
func (p *pkg) seeds() {
	for _, n := range p.order {
		for _, b := range live(n.fn) {
			for _, in := range b.Instrs {
				c, ok := in.(*ssa.Call)
				if !ok || c.Call.StaticCallee() == nil {
					continue
				}
				obj, ok := c.Call.StaticCallee().Object().(*types.Func)
				if !ok || !seeders[obj.FullName()] {
					continue
				}
				for _, arg := range c.Call.Args {
					if what := p.outside(arg); what != "" {
						p.noted(n, "DET114", form.Short(obj.FullName()), "seeded from "+what, c.Pos())
						break
					}
				}
			}
		}
	}
}

// outside names what a value was computed from that differs from run to run, "" if nothing.
func (p *pkg) outside(v ssa.Value) string {
	sources := map[ssa.Value]bool{}
	trace(v, sources)
	var names []string
	for s := range sources {
		c, ok := s.(*ssa.Call)
		if !ok {
			if load, ok := s.(*ssa.UnOp); ok && load.Op == token.MUL {
				if g, ok := load.X.(*ssa.Global); ok && g.Object() != nil {
					if own := p.globals[g.Object().(*types.Var)]; own != nil && own.fact.Origin != nil {
						names = append(names, g.Name())
					}
				}
			}
			continue
		}
		if what := p.effectOf(c); what != "" {
			names = append(names, what)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}

// varies are the rules of what gives another value each time.
func varies(rule string) bool {
	return rule >= "DET101" && rule <= "DET113" && rule != "DET102" || rule >= "DET301" && rule <= "DET305"
}

// effectOf names what differs from run to run in the result of a call.
func (p *pkg) effectOf(c *ssa.Call) string {
	fn := c.Call.StaticCallee()
	if fn == nil {
		return ""
	}
	fn = form.Origin(fn)
	obj, ok := fn.Object().(*types.Func)
	if !ok || obj.Pkg() == nil || isRuntime(obj.Pkg().Path()) {
		return ""
	}
	s := newSum()
	if own := p.nodes[fn]; own != nil {
		s = own.sum
	} else if e, _, listed := listed(obj); listed {
		if varies(e.Rule) {
			return form.Short(obj.FullName())
		}
		return ""
	} else if f := p.summaryOf(obj); f != nil {
		s = f
	}
	for _, h := range s.hazards.sorted() {
		if varies(h.Rule) {
			return h.What
		}
	}
	return ""
}
