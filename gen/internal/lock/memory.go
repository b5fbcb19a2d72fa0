package lock

import (
	"go/types"
	"slices"
)

// elsewhere changes what other variables hold when the elements of a list or map, or what a pointer points to, have
// changed that they may share: container is the type of that. Where it is not certain, they hold something else from
// then on, by what has changed.
func (m *machine) elsewhere(p *path, container types.Type, old, now *value) {
	if old == now || old.isConst() {
		return
	}
	for _, c := range m.sortedCells(p.vars) {
		if c.typ != nil && container != nil && !holds(c.typ, container, nil) {
			continue
		}
		if v := p.vars[c]; v != now {
			if w := m.shared(v, c.typ, container, old, now); w != v {
				m.store(p, c, w)
			}
		}
	}
}

// shared is a value after something that it may hold has become something else.
func (m *machine) shared(v *value, t, container types.Type, old, now *value) *value {
	literal := old.op == "list" || old.op == "map" || old.op == "made" || old.op == "struct"
	if v == old || v.class == old.class && !literal {
		return now
	}
	if v.op == "ref" || v.op == "func" || !m.overlap(v, old) {
		return v
	}
	var st *types.Struct
	if t != nil {
		st, _ = t.Underlying().(*types.Struct)
	}
	if st == nil || v.op == "struct" && splitNames(v.what)[0] != fieldName(st, 0) || embeds(st) {
		if v.op != "struct" {
			return m.stirred(v, container, now)
		}
		return m.sharedArgs(v, container, old, now)
	}
	args, changed := make([]*value, st.NumFields()), false
	for i := range args {
		args[i] = m.field(v.pos, v, fieldName(st, i), i)
		if ft := st.Field(i).Type(); container == nil || holds(ft, container, nil) {
			w := m.shared(args[i], ft, container, old, now)
			changed = changed || w != args[i]
			args[i] = w
		}
	}
	if !changed {
		return v
	}
	return m.make(value{op: "struct", what: structName(st), args: args, pos: v.pos, typ: v.typ})
}

func (m *machine) sharedArgs(v *value, container types.Type, old, now *value) *value {
	args := slices.Clone(v.args)
	for i, a := range args {
		args[i] = m.shared(a, nil, container, old, now)
	}
	if slices.Equal(args, v.args) {
		return v
	}
	w := *v
	w.args, w.choice = args, false
	return m.make(w)
}

// stirred is what something is after a change that it may share.
func (m *machine) stirred(v *value, container types.Type, now *value) *value {
	what := ""
	if container != nil {
		if _, isSlice := container.Underlying().(*types.Slice); isSlice {
			what = "elements" // its length stays
		}
	}
	return m.val(v.pos, "stirred", what, v, now)
}

func embeds(st *types.Struct) bool {
	for i := range st.NumFields() {
		if st.Field(i).Embedded() {
			return true
		}
	}
	return false
}

// holds reports whether values of a type may share memory of another: a slice, a map or what a pointer points to.
func holds(t, memory types.Type, seen []types.Type) bool {
	if types.Identical(t.Underlying(), memory.Underlying()) {
		return true
	}
	if slices.ContainsFunc(seen, func(s types.Type) bool { return types.Identical(s, t) }) {
		return false
	}
	seen = append(seen, t)
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return holds(u.Elem(), memory, seen)
	case *types.Slice:
		return holds(u.Elem(), memory, seen)
	case *types.Array:
		return holds(u.Elem(), memory, seen)
	case *types.Map:
		return holds(u.Key(), memory, seen) || holds(u.Elem(), memory, seen)
	case *types.Struct:
		for i := range u.NumFields() {
			if holds(u.Field(i).Type(), memory, seen) {
				return true
			}
		}
	case *types.Interface, *types.TypeParam:
		return true
	}
	return false
}

// overlap reports whether two values may share memory.
func (m *machine) overlap(a, b *value) bool {
	mine, theirs := map[*value]bool{}, map[*value]bool{}
	origins(a, mine, map[*value]bool{})
	origins(b, theirs, map[*value]bool{})
	for x := range mine {
		for y := range theirs {
			if x == y || !fresh(x) && !fresh(y) && (within(x, y) || within(y, x)) {
				return true
			}
		}
	}
	return false
}

// fresh reports whether every computation of a value makes memory of its own.
func fresh(v *value) bool {
	switch v.op {
	case "list", "map", "made", "append", "concat":
		return true
	}
	return false
}

// within reports whether x is y, or a field of it.
func within(x, y *value) bool {
	for {
		if x.class == y.class {
			return true
		}
		if x.op != "field" {
			return false
		}
		x = x.args[0]
	}
}

// origins collects where the memory of a value may come from.
func origins(v *value, into, seen map[*value]bool) {
	if seen[v] {
		return
	}
	seen[v] = true
	all := func(args []*value) {
		for _, a := range args {
			origins(a, into, seen)
		}
	}
	switch v.op {
	case "const", "==", "<", "<=", "not", "len", "has", "is", "cat", "conv", "neg", "+", "-", "*", "/", "%", "ref", "func", "ready", "now", "zero":
	case "field":
		base := v
		for base.op == "field" {
			base = base.args[0]
		}
		if base.op == "param" || base.op == "result" || base.op == "global" {
			into[v] = true
			return
		}
		all(v.args[:1])
	case "index", "slice", "part", "as", "stirred", "changed", "item":
		all(v.args)
	case "eta":
		all(v.args[1:])
	case "if":
		all(v.args[1:])
	case "phi", "mu", "struct", "tuple":
		all(v.args)
	case "list", "map", "made", "append", "concat", "put", "call", "apply", "delete", "copy", "clear":
		into[v] = true
		all(v.args)
	default:
		into[v] = true
	}
}
