package lock

import (
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

func splitNames(what string) []string { return strings.Split(what, " ") }

// group are the ways out of a loop to one place.
type group struct {
	paths []*path
	put   func([]*path)
}

// outcome is what a round of a loop comes to.
type outcome struct {
	path  *path
	group int // -1: another round
}

// compute makes values of a loop that does nothing else: what changes in it is a "mu" of what it was and what a round
// makes of it, and what it leaves is an "eta" of that and of when it ends.
func (m *machine) compute(l *loop, k mark) bool {
	for _, n := range m.nodes[k.nodes:] {
		if n.kind != shape.Branch && n.kind != shape.Join || n.kind == shape.Join && n != l.head && !n.gone {
			return false
		}
	}
	if len(m.root().stored) != k.stored || len(l.head.in) != 1 {
		return false
	}
	again := func(q *path) bool { return !slices.EqualFunc(q.defers, l.entry.defers, deferred.same) }
	if slices.ContainsFunc(l.back, again) {
		return false
	}
	groups := l.groups(m, k)
	leaves := map[edge]outcome{}
	for _, q := range l.back {
		leaves[q.edge] = outcome{q, -1}
	}
	for i, g := range groups {
		for _, q := range g.paths {
			if len(q.stack) != len(g.paths[0].stack) || !slices.EqualFunc(q.defers, g.paths[0].defers, deferred.same) {
				return false
			}
			leaves[q.edge] = outcome{q, i}
		}
	}
	if len(groups) == 0 {
		return false
	}
	t := &tree{m: m, leaves: leaves, depth: 200}
	ends := t.value(edge{l.head, 0}, func(o outcome) *value { return m.boolean(l.pos, o.group >= 0) })
	if t.failed || ends == nil {
		return false
	}
	l.pure, l.head.gone = true, true
	l.cycles(m, t)
	l.leave(m, t, ends, groups)
	return true
}

func (l *loop) groups(m *machine, k mark) []group {
	var groups []group
	add := func(paths []*path, put func([]*path)) {
		if len(paths) > 0 {
			groups = append(groups, group{paths, put})
		}
	}
	add(l.exits, func(ps []*path) { l.exits = ps })
	for i, f := range m.active {
		n := k.returns[i]
		add(m.fold(f.returns[n:]), func(ps []*path) { f.returns = append(f.returns[:n:n], ps...) })
	}
	for i, t := range m.targets {
		b, c := k.breaks[i], k.continues[i]
		add(m.fold(t.breaks[b:]), func(ps []*path) { t.breaks = append(t.breaks[:b:b], ps...) })
		add(m.fold(t.continues[c:]), func(ps []*path) { t.continues = append(t.continues[:c:c], ps...) })
	}
	return groups
}

// tree makes a value of the decisions in a round.
type tree struct {
	m      *machine
	leaves map[edge]outcome
	depth  int
	failed bool
}

// value is what of gives for the round's outcome, by its conditions. nil is an outcome that does not matter.
func (t *tree) value(at edge, of func(outcome) *value) *value {
	n := at.from.next[at.out]
	o, leaf := t.leaves[at]
	if leaf {
		return of(o)
	}
	if n == nil || n.kind != shape.Branch || t.depth == 0 {
		t.failed = true
		return nil
	}
	t.depth--
	yes, no := t.value(edge{n, 0}, of), t.value(edge{n, 1}, of)
	t.depth++
	switch {
	case yes == nil:
		return no
	case no == nil:
		return yes
	}
	return t.m.choose(n.pos, n.args[0], yes, no)
}

// cycles makes a mu of every phi of the loop.
func (l *loop) cycles(m *machine, t *tree) {
	for c, h := range l.phis {
		l.cycle(m, t, h, func(q *path) *value {
			if c == nil {
				return q.epoch
			}
			return m.settledAs(q, q.vars[c], h)
		})
	}
	if l.counter != nil {
		next := m.add(l.pos, l.counter, m.integer(l.pos, 1))
		l.counter.op, l.counter.at, l.counter.loop = "mu", nil, l
		l.counter.args = append(l.counter.args, next)
	}
}

func (l *loop) cycle(m *machine, t *tree, h *value, of func(*path) *value) {
	if h.op == "struct" {
		for i, p := range h.args {
			l.cycle(m, t, p, func(q *path) *value { return m.part2(of(q), h, i) })
		}
		return
	}
	if h.op == "ref" {
		l.rounds(h, func(i int, index *value) {
			l.cycle(m, t, index, func(q *path) *value {
				if v := of(q); v != nil && alike(h, v) {
					return v.indices()[i]
				}
				return index
			})
		})
		return
	}
	if h.op != "phi" {
		return
	}
	next := t.value(edge{l.head, 0}, func(o outcome) *value {
		if o.group >= 0 {
			return nil
		}
		return of(o.path)
	})
	if next == nil {
		next = h
	}
	h.op, h.at, h.loop = "mu", nil, l
	h.args = append(h.args, next)
}

// leave gives every group one path, from where the loop began.
func (l *loop) leave(m *machine, t *tree, ends *value, groups []group) {
	at := l.entry
	at.from.next[at.out] = nil
	rest := []*path{l.entry}
	for i, g := range groups {
		here := rest
		if i < len(groups)-1 {
			which := l.eta(m, ends, t.value(edge{l.head, 0}, func(o outcome) *value {
				if o.group < i {
					return nil
				}
				return m.boolean(l.pos, o.group == i)
			}))
			here, rest = m.part(rest[0], l.pos, which)
		}
		if len(here) == 0 {
			g.put(nil)
			continue
		}
		p := here[0]
		m.keepReached(g.paths)
		like := g.paths[0].fork(p.edge)
		m.keepCommon(like, g.paths...)
		like.facts, like.same, like.epoch = p.facts, p.same, p.epoch
		pick := func(of func(*path) *value) *value {
			return l.eta(m, ends, t.value(edge{l.head, 0}, func(o outcome) *value {
				if o.group != i {
					return nil
				}
				return of(o.path)
			}))
		}
		for c := range like.vars {
			like.vars[c] = pick(func(q *path) *value { return q.vars[c] })
		}
		for n := range like.stack {
			like.stack[n] = pick(func(q *path) *value { return q.stack[n] })
		}
		g.put([]*path{like})
		if len(rest) == 0 {
			for _, other := range groups[i+1:] {
				other.put(nil)
			}
			return
		}
	}
}

// eta is what a loop leaves of v; what does not change in it stays what it is.
func (l *loop) eta(m *machine, ends, v *value) *value {
	switch v.op {
	case "struct", "tuple", "list":
		args, changed := make([]*value, len(v.args)), false
		for i, a := range v.args {
			args[i] = l.eta(m, ends, a)
			changed = changed || args[i] != a
		}
		if !changed {
			return v
		}
		w := *v
		w.args, w.choice = args, false
		return m.make(w)
	case "ref":
		at := v.indices()
		if !l.depends(v, map[*value]bool{}) {
			return v
		}
		return m.moved(v, func(i int) *value { return l.eta(m, ends, at[i]) })
	case "func":
		return v
	case "if":
		if leadsElsewhere(v, map[*value]bool{}) {
			return m.choose(v.pos, l.eta(m, ends, v.args[0]), l.eta(m, ends, v.args[1]), l.eta(m, ends, v.args[2]))
		}
	}
	if !l.depends(v, map[*value]bool{}) {
		return v
	}
	return m.make(value{op: "eta", args: []*value{ends, v}, pos: v.pos, owner: m, loop: l})
}

// depth is in how many loops that only compute a loop is, itself included. In a function that is told by a hash only those
// of functions count: where it was made is no part of it.
func (e *emitter) depth(l *loop) int {
	n := 0
	for ; l != nil; l = l.parent {
		if l.pure && (!e.lambda || l.owner.lambda) {
			n++
		}
	}
	return n
}

func (l *loop) depends(v *value, seen map[*value]bool) bool {
	if seen[v] {
		return false
	}
	seen[v] = true
	if l.isOwn(v) {
		return true
	}
	return slices.ContainsFunc(append(v.indices(), v.args...), func(a *value) bool { return l.depends(a, seen) })
}

func (l *loop) isOwn(v *value) bool {
	if v == l.counter {
		return true
	}
	if v.op != "mu" && v.op != "phi" {
		return false
	}
	for _, h := range l.head.phis {
		if h == v {
			return true
		}
	}
	return false
}
