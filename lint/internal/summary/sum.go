package summary

import (
	"go/token"
	"maps"
	"slices"
	"strings"
)

// sum is what is known of a function while its package is looked at. All of it only grows.
type sum struct {
	hazards hazards
	types   map[string]*made
	invokes map[string]*Invoke // by key; the shortest way
	writes  map[int]bool
}

func newSum() *sum {
	return &sum{hazards: hazards{}, types: map[string]*made{}, invokes: map[string]*Invoke{}, writes: map[int]bool{}}
}

// made is a type that was made an interface: of this package, or of another with what its facts say.
type made struct {
	name    string
	methods []*method
}

type method struct {
	key  string
	name string
	node *node // of this package; nil: hazards and invokes say it
	done *sum
}

func (m *method) sum() *sum {
	if m.node != nil {
		return m.node.sum
	}
	return m.done
}

// add is for everything that the callee does and that its caller does by calling it. It reports whether s has changed.
func (s *sum) add(callee *sum, step Step, call token.Pos, outside bool) bool {
	changed := false
	for _, h := range callee.hazards {
		changed = s.hazards.add(h.through(step, call, outside)) || changed
	}
	for _, v := range callee.invokes {
		changed = s.invoke(v.through(step, call, outside)) || changed
	}
	return s.make(callee.types) || changed
}

func (s *sum) make(types map[string]*made) bool {
	before := len(s.types)
	maps.Copy(s.types, types)
	return len(s.types) > before
}

func (s *sum) invoke(v *Invoke) bool {
	if had := s.invokes[v.Key]; had != nil && len(had.Via) <= len(v.Via) {
		return false
	}
	s.invokes[v.Key] = v
	return true
}

func (v *Invoke) through(step Step, call token.Pos, outside bool) *Invoke {
	n := *v
	n.Via = append([]Step{step}, v.Via...)
	if outside {
		n.Pos, n.Out = call, len(n.Via)
	}
	return &n
}

func (s *sum) empty() bool {
	return len(s.hazards)+len(s.types)+len(s.invokes)+len(s.writes) == 0
}

// settle joins interface calls with the types that may be behind them, until nothing new is reached: what is left is what a
// program that begins here does.
func (s *sum) settle() *sum {
	all := newSum()
	all.merge(s)
	for changed := true; changed; {
		changed = false
		for _, name := range slices.Sorted(maps.Keys(all.types)) {
			for _, m := range all.types[name].methods {
				for _, key := range []string{m.key, bare(m.key)} {
					if v := all.invokes[key]; v != nil {
						changed = all.join(m, v) || changed
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
	maps.Copy(s.types, o.types)
	maps.Copy(s.invokes, o.invokes)
	maps.Copy(s.writes, o.writes)
}

// join adds what method m does when it is called by v.
func (s *sum) join(m *method, v *Invoke) bool {
	callee := m.sum()
	changed := s.make(callee.types)
	for _, h := range callee.hazards {
		n := *h
		n.Via = slices.Concat(v.Via, []Step{{Func: m.name}}, h.Via)
		if m.node == nil || v.Out > 0 {
			n.Pos, n.Out = v.Pos, len(n.Via)
		}
		changed = s.hazards.add(&n) || changed
	}
	for _, w := range callee.invokes {
		n := *w
		n.Via = slices.Concat(v.Via, []Step{{Func: m.name}}, w.Via)
		if m.node == nil || v.Out > 0 {
			n.Pos, n.Out = v.Pos, len(n.Via)
		}
		changed = s.invoke(&n) || changed
	}
	return changed
}

// fact is s as other packages see it, or nil when there is nothing to tell.
func (s *sum) fact(where func(token.Pos) string) *Function {
	if s.empty() {
		return nil
	}
	f := &Function{Hazards: factsOf(s.hazards, where), Invokes: invokesOf(s.invokes), Writes: slices.Sorted(maps.Keys(s.writes))}
	reached := maps.Clone(s.types)
	for changed := true; changed; {
		changed = false
		for _, t := range slices.Collect(maps.Values(reached)) {
			for _, m := range t.methods {
				before := len(reached)
				maps.Copy(reached, m.sum().types)
				changed = changed || len(reached) > before
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(reached)) {
		t := Type{Name: name}
		for _, m := range reached[name].methods {
			if c := m.sum(); len(c.hazards)+len(c.invokes) > 0 {
				t.Methods = append(t.Methods, Method{Key: m.key, Func: m.name, Hazards: factsOf(c.hazards, where), Invokes: invokesOf(c.invokes)})
			}
		}
		if t.Methods != nil {
			f.Types = append(f.Types, t)
		}
	}
	if len(f.Hazards)+len(f.Types)+len(f.Invokes)+len(f.Writes) == 0 {
		return nil
	}
	return f
}

func factsOf(hs hazards, where func(token.Pos) string) []Hazard {
	var out []Hazard
	for _, h := range hs.sorted() {
		n := *h
		if n.Out == 0 {
			n.At = where(n.Pos)
		}
		n.Pos = token.NoPos
		out = append(out, n)
	}
	return out
}

func invokesOf(vs map[string]*Invoke) []Invoke {
	var out []Invoke
	for _, key := range slices.Sorted(maps.Keys(vs)) {
		n := *vs[key]
		n.Pos = token.NoPos
		out = append(out, n)
	}
	return out
}

// sumOf is a fact as a sum.
func sumOf(f *Function) *sum {
	s := newSum()
	s.fill(f.Hazards, f.Invokes)
	for _, t := range f.Types {
		s.types[t.Name] = madeOf(t)
	}
	for _, i := range f.Writes {
		s.writes[i] = true
	}
	return s
}

// bare is the name in a method's key: the standard library calls methods by name alone.
func bare(key string) string {
	name, _, _ := strings.Cut(key, " ")
	return name
}

func (s *sum) fill(hs []Hazard, vs []Invoke) {
	for i := range hs {
		s.hazards.add(&hs[i])
	}
	for i := range vs {
		s.invoke(&vs[i])
	}
}

func madeOf(t Type) *made {
	m := &made{name: t.Name}
	for _, f := range t.Methods {
		done := newSum()
		done.fill(f.Hazards, f.Invokes)
		m.methods = append(m.methods, &method{key: f.Key, name: f.Func, done: done})
	}
	return m
}

// short leaves the path of a package out of a qualified name: "(*example.com/store.HTTP).Get" is "(*store.HTTP).Get".
func short(name string) string {
	i := strings.LastIndex(name, "/")
	if i < 0 {
		return name
	}
	j := strings.LastIndexAny(name[:i], "(*[ ,")
	return name[:j+1] + name[i+1:]
}
