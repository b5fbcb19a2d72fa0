package lock

import (
	"go/types"
	"slices"
)

// alike reports whether two pointers lead to the same place but for which element it is of the lists on the way.
func alike(a, b *value) bool {
	return a.op == "ref" && b.op == "ref" && a.cell == b.cell && slices.EqualFunc(a.way, b.way, func(s, t step) bool {
		return s.st == t.st && s.field == t.field && s.deref == t.deref && (s.index == nil) == (t.index == nil)
	})
}

// indices gives which elements a pointer leads to.
func (v *value) indices() []*value {
	var list []*value
	for _, s := range v.way {
		if s.index != nil {
			list = append(list, s.index)
		}
	}
	return list
}

// meet is the pointer that depends on the way to a join, where it is one into the same lists on all ways; nil: it is not.
func (m *machine) meet(n *node, paths []*path, of func(*path) *value) *value {
	first := of(paths[0])
	if len(paths) == 1 || slices.ContainsFunc(paths, func(q *path) bool { return of(q) == nil || !alike(first, of(q)) }) {
		return nil
	}
	return m.moved(first, func(i int) *value {
		at := func(q *path) *value { return of(q).indices()[i] }
		if same(paths, at) {
			return at(paths[0])
		}
		return m.phi(n, paths, at)
	})
}

// settledAs is settled, of what a loop takes round as something like: pointers to elements stay such.
func (m *machine) settledAs(q *path, v, like *value) *value {
	switch {
	case v == nil || !leadsElsewhere(like, map[*value]bool{}):
	case like.op == "ref" && alike(like, v):
		return v
	case like.op == "struct":
		args := make([]*value, len(like.args))
		for i, a := range like.args {
			args[i] = m.settledAs(q, m.part2(v, like, i), a)
		}
		return m.make(value{op: "struct", what: like.what, args: args, pos: v.pos, typ: like.typ})
	}
	return m.settled(q, v)
}

// rounds calls f with the indices of a pointer that a loop moves, and their numbers.
func (l *loop) rounds(ref *value, f func(i int, index *value)) {
	for i, at := range ref.indices() {
		if l.isOwn(at) {
			f(i, at)
		}
	}
}

// moved is a pointer to other elements: of gives each of its indices by its number.
func (m *machine) moved(ref *value, of func(int) *value) *value {
	w := *ref
	w.way = slices.Clone(ref.way)
	n := 0
	for i, s := range w.way {
		if s.index != nil {
			w.way[i].index = of(n)
			n++
		}
	}
	return m.make(w)
}

// aim notes that there are pointers on the stacks, which may lead to elements of lists.
func (m *machine) aim() {
	m.each(func(p *path) {
		if ref := p.stack[len(p.stack)-1]; ref.op == "ref" && ref.listAt(0) >= 0 {
			ref.cell.aimed = true
		}
	})
}

// listAt gives where on the way of a pointer, from a step on, the first step is to an element of a list; -1: there is none.
func (v *value) listAt(from int) int {
	for i := from; i < len(v.way); i++ {
		if in := v.way[i].in; v.way[i].index != nil && in != nil {
			if _, isSlice := in.Underlying().(*types.Slice); isSlice {
				return i
			}
		}
	}
	return -1
}

// detach is for a place that is about to hold something else: pointers to elements of a list in it go on to lead to those of
// that list.
func (m *machine) detach(p *path, place *value) {
	if place.op != "ref" || !place.cell.aimed {
		return
	}
	lists := map[int]*cell{} // by class
	var follow func(v *value) *value
	follow = func(v *value) *value {
		if v.op == "ref" {
			if v.cell != place.cell || v.listAt(len(place.way)) < 0 {
				return v
			}
			return m.detached(p, v, v.listAt(len(place.way)), lists)
		}
		if !leadsElsewhere(v, map[*value]bool{}) || v.op == "func" {
			return v
		}
		w := *v
		w.args, w.choice = slices.Clone(v.args), false
		for i, a := range w.args {
			w.args[i] = follow(a)
		}
		if slices.Equal(w.args, v.args) {
			return v
		}
		return m.make(w)
	}
	for _, c := range m.sortedCells(p.vars) {
		if v := p.vars[c]; v != nil {
			p.vars[c] = follow(v)
		}
	}
	for i, v := range p.stack {
		p.stack[i] = follow(v)
	}
}

// detached is a pointer to an element of a list, by a place that only that list is in.
func (m *machine) detached(p *path, ref *value, at int, lists map[int]*cell) *value {
	list := *ref
	list.way = ref.way[:at]
	held := m.read(p, &list)
	c := lists[held.class]
	if c == nil {
		c = m.newCell()
		c.typ, c.aimed = ref.way[at].in, true
		p.vars[c] = held
		lists[held.class] = c
	}
	return m.make(value{op: "ref", cell: c, way: slices.Clone(ref.way[at:]), pos: ref.pos})
}

// stirPointed changes what a pointer in a cell may lead to of which it is not known which one it is: what can be reached by what was
// there, and places to which pointers went where they met others.
func (m *machine) stirPointed(p *path, at *cell, t types.Type, old, now *value) {
	for _, c := range m.reach(p, old) {
		if c != at {
			m.store(p, c, m.stirred(m.load(p, c), nil, now))
		}
	}
	ptr, ok := t.Underlying().(*types.Pointer)
	if !ok {
		return
	}
	for _, c := range m.sortedCells(p.vars) {
		if c.split && c != at && (c.typ == nil || includes(c.typ, ptr.Elem(), 0)) {
			was := m.load(p, c)
			m.store(p, c, m.stirredIn(was, c.typ, ptr.Elem(), now))
			m.elsewhere(p, c, types.NewSlice(ptr.Elem()), was, m.held(p, c))
		}
	}
}

// stirredIn is a value after what a pointer leads to has changed that may be in it.
func (m *machine) stirredIn(v *value, t, inner types.Type, now *value) *value {
	if t == nil {
		return m.stirred(v, nil, now)
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok || embeds(st) || types.Identical(t, inner) || v.op == "struct" && v.what != structName(st) {
		return m.stirred(v, t, now)
	}
	args := make([]*value, st.NumFields())
	for i := range args {
		args[i] = m.field(v.pos, v, fieldName(st, i), i)
		if ft := st.Field(i).Type(); includes(ft, inner, 0) {
			args[i] = m.stirredIn(args[i], ft, inner, now)
		}
	}
	return m.make(value{op: "struct", what: structName(st), args: args, pos: v.pos, typ: v.typ})
}

// includes reports whether a variable of a type has one of another in it to which there may be a pointer.
func includes(t, inner types.Type, depth int) bool {
	if types.Identical(t, inner) || depth > 8 {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return includes(u.Elem(), inner, depth+1)
	case *types.Array:
		return includes(u.Elem(), inner, depth+1)
	case *types.Struct:
		for f := range u.Fields() {
			if includes(f.Type(), inner, depth+1) {
				return true
			}
		}
	}
	return false
}

// handedOut is what a function gives that is a value. A pointer that is an error is not the same as what it points to:
// errors.As finds the one or the other.
func (m *machine) handedOut(p *path, v *value) *value {
	switch t := dynamic(v); {
	case v.op == "if" && leadsElsewhere(v, map[*value]bool{}):
		return m.choose(v.pos, m.freeze(p, v.args[0]), m.handedOut(p, v.args[1]), m.handedOut(p, v.args[2]))
	case v.op == "ref" && t != nil && isPointer(t) && isError(t):
		return m.val(v.pos, "pointer", "", m.freeze(p, v))
	}
	return m.freeze(p, v)
}

func isError(t types.Type) bool {
	iface, _ := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	return types.Implements(t, iface)
}
