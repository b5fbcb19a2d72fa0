package summary

import (
	"cmp"
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// sum is what is known of a function while its package is looked at. All of it only grows.
type sum struct {
	hazards hazards
	pending hazards
	types   map[string]*made
	invokes map[string]*Invoke // by key and site; the shortest way
	needs   map[string]*Need   // by parameter, path, key and site; the shortest way
	each    map[int]*Hazard    // parameters that are called in the order of a map
	writes  map[int]bool
	sorts   map[int]bool
	acts    bool
	version int // grows with it
}

func newSum() *sum {
	return &sum{
		hazards: hazards{}, pending: hazards{}, types: map[string]*made{}, invokes: map[string]*Invoke{}, needs: map[string]*Need{}, each: map[int]*Hazard{},
		writes: map[int]bool{}, sorts: map[int]bool{}, version: 1,
	}
}

// made is a type that was made an interface: of this package, or of another with what its facts say.
type made struct {
	name    string
	methods []*method
}

type method struct {
	key  string
	name string
	node *node // of this package; nil: done says it
	done *sum
}

func (m *method) sum() *sum {
	if m.node != nil {
		return m.node.sum
	}
	return m.done
}

// is reports whether a call by key may be one of the method: one of the two may be a name alone.
func (m *method) is(key string) bool {
	return m.key == key || bare(m.key) == bare(key) && (bare(key) == key || bare(m.key) == m.key)
}

// add is for everything that the callee does and that its caller in module does by calling it. It reports whether s has
// changed.
func (s *sum) add(callee *sum, module string, call Spot, steps ...Step) bool {
	changed := callee.acts && !s.acts
	s.acts = s.acts || callee.acts
	for _, h := range callee.hazards {
		changed = s.hazards.addThrough(h, module, call, steps) || changed
	}
	for _, v := range callee.invokes {
		if had := s.invokes[v.Key+v.Site]; had != nil && len(had.Via) < len(steps)+len(v.Via) {
			continue
		}
		n := *v
		n.Via, n.Spot = slices.Concat(steps, v.Via), v.seen(module, call)
		changed = s.invoke(&n) || changed
	}
	return s.make(callee.types) || changed
}

func (s *sum) make(types map[string]*made) bool {
	before := len(s.types)
	maps.Copy(s.types, types)
	return len(s.types) > before
}

func (s *sum) invoke(v *Invoke) bool {
	if had := s.invokes[v.Key+v.Site]; had != nil && !shorterWay(v.Via, v.Spot, had.Via, had.Spot) {
		return false
	}
	s.invokes[v.Key+v.Site] = v
	return true
}

func (s *sum) need(v *Need) bool {
	key := fmt.Sprint(v.Param, v.Path, v.Key, v.Deep, v.Site)
	if had := s.needs[key]; had != nil && !shorterWay(v.Via, v.Spot, had.Via, had.Spot) {
		return false
	}
	s.needs[key] = v
	return true
}

// shorterWay orders the ways to a call; the earlier one of two that are alike.
func shorterWay(via []Step, at Spot, than []Step, there Spot) bool {
	return cmp.Or(compareWays(via, than), at.At.compare(there.At), cmp.Compare(at.Pos, there.Pos)) < 0
}

func (s *sum) empty() bool {
	return len(s.hazards)+len(s.pending)+len(s.types)+len(s.invokes)+len(s.needs)+len(s.each)+len(s.writes)+len(s.sorts) == 0 && !s.acts
}

// settle joins interface calls with the types that may be behind them, until nothing new is reached: what is left is what a
// program that begins here does.
func (s *sum) settle(module string) *sum {
	all := newSum()
	all.merge(s)
	for changed := true; changed; {
		changed = false
		for _, name := range slices.Sorted(maps.Keys(all.types)) {
			for _, m := range all.types[name].methods {
				for _, key := range slices.Sorted(maps.Keys(all.invokes)) {
					if v := all.invokes[key]; m.is(v.Key) {
						changed = all.add(m.sum(), module, v.Spot, append(slices.Clone(v.Via), Step{Func: m.name})...) || changed
					}
				}
			}
		}
	}
	return all
}

// merge adds what another summary of the same function has.
func (s *sum) merge(o *sum) {
	maps.Copy(s.hazards, o.hazards)
	maps.Copy(s.pending, o.pending)
	maps.Copy(s.types, o.types)
	maps.Copy(s.invokes, o.invokes)
	maps.Copy(s.needs, o.needs)
	maps.Copy(s.each, o.each)
	maps.Copy(s.writes, o.writes)
	s.acts = s.acts || o.acts
}

// fact is s as other packages see it, or nil when there is nothing to tell.
func (s *sum) fact(where func(token.Pos) Place) *Function {
	if s.empty() {
		return nil
	}
	f := &Function{
		Hazards: factsOf(s.hazards, where), Pending: factsOf(s.pending, where), Invokes: invokesOf(s.invokes, where), Needs: needsOf(s.needs, where),
		Writes: slices.Sorted(maps.Keys(s.writes)), Sorts: slices.Sorted(maps.Keys(s.sorts)), Acts: s.acts,
	}
	for _, i := range slices.Sorted(maps.Keys(s.each)) {
		h := *s.each[i]
		h.Spot = h.Spot.fact(where)
		f.Each = append(f.Each, Each{i, h})
	}
	f.Types = slices.Sorted(maps.Keys(s.reached()))
	if len(f.Hazards)+len(f.Pending)+len(f.Types)+len(f.Invokes)+len(f.Needs)+len(f.Each)+len(f.Writes)+len(f.Sorts) == 0 && !f.Acts {
		return nil
	}
	return f
}

// reached are the types that s makes interfaces, and those that their methods make.
func (s *sum) reached() map[string]*made {
	reached := maps.Clone(s.types)
	queue := slices.Collect(maps.Values(s.types))
	for len(queue) > 0 {
		t := queue[0]
		queue = queue[1:]
		for _, m := range t.methods {
			for name, more := range m.sum().types {
				if reached[name] == nil {
					reached[name] = more
					queue = append(queue, more)
				}
			}
		}
	}
	return reached
}

// fact is a type as other packages see it.
func (m *made) fact(where func(token.Pos) Place) Type {
	t := Type{Name: m.name}
	for _, m := range m.methods {
		if c := m.sum(); !c.empty() {
			t.Methods = append(t.Methods, Method{
				Key: m.key, Func: m.name, Hazards: factsOf(c.hazards, where), Invokes: invokesOf(c.invokes, where), Needs: needsOf(c.needs, where),
				Acts: c.acts, Writes: c.writes[0],
			})
		}
	}
	return t
}

// fact is the spot without what only this package understands.
func (s Spot) fact(where func(token.Pos) Place) Spot {
	if s.Pos.IsValid() {
		s.At, s.Pos = where(s.Pos), token.NoPos
	}
	return s
}

// many hazards are more than anybody reads: of a function with more of them, other packages see one of each rule.
const many = 200

func factsOf(hs hazards, where func(token.Pos) Place) []Hazard {
	if len(hs) > many {
		hs = hs.brief()
	}
	var out []Hazard
	for _, h := range hs.sorted() {
		n := *h
		n.Spot = h.Spot.fact(where)
		out = append(out, n)
	}
	return out
}

func invokesOf(vs map[string]*Invoke, where func(token.Pos) Place) []Invoke {
	var out []Invoke
	for _, key := range slices.Sorted(maps.Keys(vs)) {
		n := *vs[key]
		n.Spot = n.Spot.fact(where)
		out = append(out, n)
	}
	return out
}

func needsOf(vs map[string]*Need, where func(token.Pos) Place) []Need {
	var out []Need
	for _, key := range slices.Sorted(maps.Keys(vs)) {
		n := *vs[key]
		n.Spot = n.Spot.fact(where)
		out = append(out, n)
	}
	return out
}

// sumOf is a fact as a sum.
func sumOf(f *Function, types map[string]*made) *sum {
	s := newSum()
	s.fill(f.Hazards, f.Invokes, f.Needs)
	for i := range f.Pending {
		s.pending.add(&f.Pending[i])
	}
	for _, name := range f.Types {
		if m := types[name]; m != nil {
			s.types[name] = m
		}
	}
	for i := range f.Each {
		s.each[f.Each[i].Param] = &f.Each[i].Order
	}
	for _, i := range f.Writes {
		s.writes[i] = true
	}
	for _, i := range f.Sorts {
		s.sorts[i] = true
	}
	s.acts = f.Acts
	return s
}

// bare is the name in a method's key: the standard library calls methods by name alone.
func bare(key string) string {
	name, _, _ := strings.Cut(key, " ")
	return name
}

func (s *sum) fill(hs []Hazard, vs []Invoke, needs []Need) {
	for i := range hs {
		s.hazards.add(&hs[i])
	}
	for i := range vs {
		s.invoke(&vs[i])
	}
	for i := range needs {
		s.need(&needs[i])
	}
}

func madeOf(t Type) *made {
	m := &made{name: t.Name}
	for _, f := range t.Methods {
		done := newSum()
		done.fill(f.Hazards, f.Invokes, f.Needs)
		done.acts = f.Acts
		if f.Writes {
			done.writes[0] = true
		}
		m.methods = append(m.methods, &method{key: f.Key, name: f.Func, done: done})
	}
	return m
}
