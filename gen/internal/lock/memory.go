package lock

import (
	"go/types"
	"slices"
	"strings"
)

// elsewhere changes what other variables hold when the elements of a list or map, or what a pointer points to, have
// changed that they may share: container is the type of that. Where it is not certain, they hold something else from
// then on, by what has changed. own is the place where the change was made.
func (m *machine) elsewhere(p *path, own *cell, container types.Type, old, now *value) {
	if old == now || old.isConst() {
		return
	}
	var from []*value
	old.spine(&from, map[*value]bool{})
	ch := change{container: container, old: old, now: now, from: from}
	for _, c := range m.sortedCells(p.vars) {
		if c.typ != nil && container != nil && !c.sliced && !m.holds(c.typ, container) {
			continue
		}
		if c == own && m.remote(c) {
			continue // it has been put there
		}
		if v := m.held(p, c); v != now {
			if w := m.shared(v, c.typ, &ch); w != v {
				m.store(p, c, w)
			}
		}
	}
}

// change is one of the elements of a list or map, or of what a pointer points to.
type change struct {
	container types.Type
	old, now  *value
	from      []*value // origins of old
	met       bool     // in what a pointer in a place in memory leads to, which stands there itself
}

// shared is a value after something that it may hold has become something else.
func (m *machine) shared(v *value, t types.Type, ch *change) *value {
	old := ch.old
	literal := old.op == "list" || old.op == "map" || old.op == "made" || old.op == "copied" || old.op == "struct"
	if v == old || v.class == old.class && !literal {
		return ch.now
	}
	if v.class == ch.now.class { // it is that already
		return v
	}
	if v.op == "ref" || v.op == "func" || v.isConst() {
		return v
	}
	if v.op == "box" {
		return m.sharedArgs(v, ch)
	}
	if mine, _ := v.origins(map[*value]bool{}); !overlapping(mine, ch.from) {
		return v
	}
	if m.runs && literal && v.op == "struct" && t != nil && ch.container != nil && isPointer(t) && isPointer(ch.container) && types.Identical(t, ch.container) {
		if v.class != old.class || ch.met {
			m.blur() // which of several it is
		}
		ch.met = true
		return ch.now
	}
	var st *types.Struct
	if t != nil {
		if ptr, is := t.Underlying().(*types.Pointer); is && m.runs {
			t = ptr.Elem()
		}
		st, _ = t.Underlying().(*types.Struct)
	}
	if st == nil || v.op == "struct" && splitNames(v.what)[0] != fieldName(st, 0) || embeds(st) {
		if v.op != "struct" {
			return m.stirred(v, ch.container, ch.now)
		}
		return m.sharedArgs(v, ch)
	}
	args, changed := make([]*value, st.NumFields()), false
	for i := range args {
		args[i] = m.field(v.pos, v, fieldName(st, i), i)
		if ft := st.Field(i).Type(); ch.container == nil || m.holds(ft, ch.container) {
			w := m.shared(args[i], ft, ch)
			changed = changed || w != args[i]
			args[i] = w
		}
	}
	if !changed {
		return v
	}
	return m.make(value{op: "struct", what: structName(st), args: args, pos: v.pos, typ: v.typ})
}

func (m *machine) sharedArgs(v *value, ch *change) *value {
	args := slices.Clone(v.args)
	for i, a := range args {
		args[i] = m.shared(a, nil, ch)
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

// holds is holds, which is asked often.
func (m *machine) holds(t, memory types.Type) bool {
	key := [2]types.Type{t, memory}
	is, ok := m.holding[key]
	if !ok {
		is = holds(t, memory, nil)
		m.holding[key] = is
	}
	return is
}

// holds reports whether values of a type may share memory of another: a slice, a map or what a pointer points to.
func holds(t, memory types.Type, seen []types.Type) bool {
	if types.Identical(t.Underlying(), memory.Underlying()) {
		return true
	}
	if slices.ContainsFunc(seen, func(s types.Type) bool { return types.Identical(s, t) }) {
		return false
	}
	if runtimeType(t) != "" || opaque(t) {
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
	mine, _ := a.origins(map[*value]bool{})
	theirs, _ := b.origins(map[*value]bool{})
	return overlapping(mine, theirs)
}

func overlapping(mine, theirs []*value) bool {
	if len(mine) > mostOrigins || len(theirs) > mostOrigins {
		return true
	}
	for _, x := range mine {
		for _, y := range theirs {
			if x == y || !fresh(x) && !fresh(y) && (within(x, y) || within(y, x)) {
				return true
			}
		}
	}
	return false
}

// spine collects the origins of the memory of a list or map itself, without that of its elements.
func (v *value) spine(into *[]*value, seen map[*value]bool) {
	if seen[v] {
		return
	}
	seen[v] = true
	args := v.args
	switch v.op {
	case "list", "map", "made", "copied":
		args = nil
	case "call":
		args = lent(v)
	case "slice", "append", "concat", "put", "stirred":
		args = args[:1]
	case "eta", "if":
		args = args[1:]
	case "phi", "mu", "changed", "part":
	default:
		list, _ := v.origins(map[*value]bool{})
		*into = append(*into, list...)
		return
	}
	if v.op != "phi" && v.op != "mu" && v.op != "if" && v.op != "eta" {
		*into = append(*into, v)
	}
	for _, a := range args {
		a.spine(into, seen)
	}
}

// lending are functions of another module that give memory of their own, or that of their first argument only.
var lending = map[string]bool{
	"slices.Insert": true, "slices.Delete": true, "slices.DeleteFunc": true, "slices.Compact": true, "slices.CompactFunc": true,
	"slices.Replace": true, "slices.AppendSeq": true, "slices.Grow": true, "slices.Clip": true,
	"slices.Sorted": false, "slices.SortedFunc": false, "slices.SortedStableFunc": false, "slices.Collect": false, "slices.Concat": false,
	"slices.Repeat": false, "maps.Collect": false, "strings.Split": false, "strings.SplitN": false, "strings.Fields": false,
}

// lent are the arguments of a call of whose memory the result may be, beside that of its elements.
func lent(call *value) []*value {
	switch first, known := lending[strings.TrimSuffix(call.what, "...")]; {
	case !known || len(call.args) == 0:
		return call.args
	case first:
		return call.args[:1]
	}
	return nil
}

// fresh reports whether every computation of a value makes memory of its own.
func fresh(v *value) bool {
	switch v.op {
	case "list", "map", "made", "append", "concat", "copied":
		return true
	}
	return false
}

// within reports whether x is y, or a field of it.
func within(x, y *value) bool {
	for {
		if x.class == y.class || sameMemory(x, y) {
			return true
		}
		if x.op != "field" {
			return false
		}
		x = x.args[0]
	}
}

// sameMemory reports whether two values are the same part of a place in memory, though not of the same moment.
func sameMemory(x, y *value) bool {
	for x.op == "field" && y.op == "field" && x.what == y.what {
		x, y = x.args[0], y.args[0]
	}
	return x.op == "load" && y.op == "load" && x.cell == nil && y.cell == nil && x.args[0].class == y.args[0].class
}

const mostOrigins = 40 // of a value that are kept apart

// origins gives the values from which the memory of a value may come; more than mostOrigins are any. They are final
// unless a loop is being read that they depend on.
func (v *value) origins(seen map[*value]bool) (list []*value, final bool) {
	if v.rooted {
		return v.roots, true
	}
	if seen[v] {
		return nil, false
	}
	if seen[v] = true; len(seen) > 2000 {
		return make([]*value, mostOrigins+1), false
	}
	args := v.args
	final = true
	switch v.op {
	case "const", "==", "<", "<=", "not", "len", "has", "is", "cat", "conv", "neg", "+", "-", "*", "/", "%", "ref", "func", "ready", "now", "zero", "lambda":
		args = nil
	case "field":
		base := v
		for base.op == "field" {
			base = base.args[0]
		}
		if base.op == "param" || base.op == "result" || base.op == "global" || base.op == "load" && base.cell == nil {
			list, args = []*value{v}, nil
		}
	case "load":
		if list = []*value{v}; v.cell == nil {
			args = nil
		}
	case "eta", "if":
		args = args[1:]
	case "phi", "mu":
		final = false
	case "struct", "tuple", "index", "slice", "part", "as", "stirred", "changed", "item", "box", "assert":
	case "copied":
		list = []*value{v}
		if v.what == "" {
			args = nil
		}
	default:
		list = []*value{v}
	}
	for _, a := range args {
		more, ok := a.origins(seen)
		final = final && ok
		for _, x := range more {
			if len(list) <= mostOrigins && (x == nil || !slices.Contains(list, x)) {
				list = append(list, x)
			}
		}
	}
	if final {
		v.roots, v.rooted = list, true
	}
	return list, final
}
