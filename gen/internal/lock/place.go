package lock

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"
)

// step leads from a place to one within it: a field, or an element.
type step struct {
	st    *types.Struct
	field int
	index *value
}

func fieldName(st *types.Struct, i int) string {
	f := st.Field(i)
	tag := reflect.StructTag(st.Tag(i)).Get("json")
	name, _, _ := strings.Cut(tag, ",")
	switch {
	case f.Embedded() && name == "" && structOf(f.Type()) != nil:
		return "~" + f.Name() // its fields travel as if they were here
	case !f.Exported() && !f.Embedded() || tag == "-":
		return "-" + f.Name() // it does not travel
	case name != "":
		return name
	}
	return f.Name()
}

func structName(st *types.Struct) string {
	names := make([]string, st.NumFields())
	for i := range names {
		names[i] = fieldName(st, i)
	}
	return strings.Join(names, " ")
}

// zero is the zero value of a type.
func (m *machine) zero(pos token.Pos, t types.Type) *value { return m.zeroDeep(pos, t, 0) }

func (m *machine) zeroDeep(pos token.Pos, t types.Type, depth int) *value {
	if typeName(t) == "strings.Builder" {
		return m.constant(pos, constant.MakeString(""))
	}
	switch name := runtimeType(t); {
	case name == "Saga" && !isPointer(t):
		return m.val(pos, "saga", "")
	case name != "" && !isPointer(t):
		if _, ok := t.Underlying().(*types.Struct); ok {
			return m.val(pos, "zero", name)
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsBoolean != 0:
			return m.boolean(pos, false)
		case u.Info()&types.IsString != 0:
			return m.constant(pos, constant.MakeString(""))
		case u.Info()&types.IsNumeric != 0:
			return m.integer(pos, 0)
		}
	case *types.Struct:
		if opaque(t) || depth > 6 {
			return m.val(pos, "zero", types.TypeString(t, nil))
		}
		args := make([]*value, u.NumFields())
		for i := range args {
			args[i] = m.zeroDeep(pos, u.Field(i).Type(), depth+1)
		}
		return m.make(value{op: "struct", what: structName(u), args: args, pos: pos})
	case *types.Slice:
		if runtimeType(u.Elem()) != "" {
			return m.val(pos, "list", "") // futures do not travel: nil and empty are the same
		}
	case *types.Array:
		return m.val(pos, "zero", types.TypeString(u, nil))
	}
	return m.null(pos)
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// opaque reports whether a struct has fields that nobody here can see: then it is looked at by its methods.
func opaque(t types.Type) bool {
	_, ok := t.Underlying().(*types.Struct)
	named, _ := types.Unalias(t).(*types.Named)
	if !ok || named == nil || named.Obj().Pkg() == nil {
		return false
	}
	return strings.HasPrefix(types.TypeString(t, nil), "time.") || named.Obj().Pkg().Path() == "sync" || named.Obj().Pkg().Path() == "strings"
}

// field gives a field of a struct, also through a pointer.
func (m *machine) field(pos token.Pos, v *value, name string, index int) *value {
	switch v.op {
	case "struct":
		for i, n := range strings.Split(v.what, " ") {
			if n == name && i < len(v.args) {
				return v.args[i]
			}
		}
	case "if":
		return m.choose(pos, v.args[0], m.field(pos, v.args[1], name, index), m.field(pos, v.args[2], name, index))
	}
	if strings.HasPrefix(name, "~") {
		return v
	}
	return m.val(pos, "field", name, v)
}

// read gives what is at a place.
func (m *machine) read(p *path, ref *value) *value {
	if ref.op == "if" {
		return m.choose(ref.pos, ref.args[0], m.read(p, ref.args[1]), m.read(p, ref.args[2]))
	}
	if ref.op != "ref" {
		return ref // a pointer from outside and what it points to are the same to a flow
	}
	v := m.load(p, ref.cell)
	for _, s := range ref.way {
		if s.index != nil {
			v = m.index(ref.pos, v, s.index)
			continue
		}
		v = m.field(ref.pos, v, fieldName(s.st, s.field), s.field)
	}
	return v
}

// write changes what is at a place.
func (m *machine) write(p *path, ref, v *value) {
	if ref.op == "if" {
		m.write(p, ref.args[1], m.choose(v.pos, ref.args[0], v, m.read(p, ref.args[1])))
		m.write(p, ref.args[2], m.choose(v.pos, ref.args[0], m.read(p, ref.args[2]), v))
		return
	}
	if ref.op != "ref" {
		return
	}
	if len(ref.way) == 0 {
		m.store(p, ref.cell, v)
		return
	}
	last := -1 // step into an element: others may hold the same list or map
	for i, s := range ref.way {
		if s.index != nil {
			last = i
		}
	}
	container := *ref
	container.way = ref.way[:max(last, 0)]
	old := m.read(p, &container)
	m.store(p, ref.cell, m.replaced(m.load(p, ref.cell), ref.way, v))
	if last >= 0 {
		m.elsewhere(p, old, m.read(p, &container))
	}
}

// elsewhere changes what other variables hold when the elements of a list or map have changed that they share.
func (m *machine) elsewhere(p *path, old, now *value) {
	literal := old.op == "list" || old.op == "map" || old.op == "made" || old.isConst()
	if old == now || old.isConst() {
		return
	}
	for _, c := range m.sortedCells(p.vars) {
		v := p.vars[c]
		switch {
		case v == old, v.class == old.class && !literal:
			m.store(p, c, now)
		case v.op == "struct":
			args, changed := slices.Clone(v.args), false
			for i, a := range args {
				if a == old || a.class == old.class && !literal {
					args[i], changed = now, true
				}
			}
			if changed {
				m.store(p, c, m.make(value{op: "struct", what: v.what, args: args, pos: v.pos}))
			}
		case old.op == "field" && c.st != nil && v.class == old.args[0].class:
			for i := range c.st.NumFields() {
				if fieldName(c.st, i) == old.what {
					m.store(p, c, m.replaced(v, []step{{st: c.st, field: i}}, now))
				}
			}
		}
	}
}

func (m *machine) replaced(whole *value, way []step, v *value) *value {
	if len(way) == 0 {
		return v
	}
	s := way[0]
	if s.index != nil {
		return m.put(v.pos, whole, s.index, m.replaced(m.index(v.pos, whole, s.index), way[1:], v))
	}
	args := make([]*value, s.st.NumFields())
	restored := true
	for i := range args {
		args[i] = m.field(whole.pos, whole, fieldName(s.st, i), i)
		if i == s.field {
			args[i] = m.replaced(args[i], way[1:], v)
		}
		if s.st != nil && strings.HasPrefix(fieldName(s.st, i), "~") && args[i].class == whole.class {
			continue
		}
		restored = restored && args[i].op == "field" && args[i].what == fieldName(s.st, i) && args[i].args[0].class == whole.class
	}
	if restored {
		return whole
	}
	return m.make(value{op: "struct", what: structName(s.st), args: args, pos: whole.pos})
}

// index gives an element.
func (m *machine) index(pos token.Pos, v, i *value) *value {
	v = m.asList(v)
	if v.op == "list" && i.lit != nil {
		if n, ok := constant.Int64Val(constant.ToInt(i.lit)); ok && n >= 0 && n < int64(len(v.args)) {
			return v.args[n]
		}
	}
	if v.op == "put" {
		if v.args[1].class == i.class {
			return v.args[2]
		}
		if v.args[1].isConst() && i.isConst() {
			return m.index(pos, v.args[0], i)
		}
	}
	if v.op == "map" && i.isConst() {
		all := true
		for n := len(v.args) - 2; n >= 0; n -= 2 {
			if v.args[n].class == i.class {
				return v.args[n+1]
			}
			all = all && v.args[n].isConst()
		}
	}
	return m.val(pos, "index", "", v, i)
}

// put is a list or map with another element.
func (m *machine) put(pos token.Pos, v, i, x *value) *value {
	switch {
	case v.op == "list" && i.lit != nil:
		if n, ok := constant.Int64Val(constant.ToInt(i.lit)); ok && n >= 0 && n < int64(len(v.args)) {
			args := append([]*value(nil), v.args...)
			args[n] = x
			return m.val(v.pos, "list", "", args...)
		}
	case v.op == "map" && i.isConst():
		args := append([]*value(nil), v.args...)
		for n := 0; n < len(args); n += 2 {
			if args[n].class == i.class {
				args[n+1] = x
				return m.val(v.pos, "map", "", args...)
			}
		}
		return m.mapOf(v.pos, append(args, i, x))
	case v.op == "put" && v.args[1].class == i.class:
		v = v.args[0]
	}
	return m.val(pos, "put", "", v, i, x)
}

// mapOf is a map by its keys and values, constant keys in order.
func (m *machine) mapOf(pos token.Pos, args []*value) *value {
	for i := 2; i < len(args); i += 2 {
		for j := i; j >= 2 && args[j].isConst() && args[j-2].isConst() && args[j].what < args[j-2].what; j -= 2 {
			args[j], args[j-2], args[j+1], args[j-1] = args[j-2], args[j], args[j-1], args[j+1]
		}
	}
	return m.val(pos, "map", "", args...)
}

// place pushes a reference to what an expression names.
func (m *machine) place(e ast.Expr) {
	info := m.frame.info
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		obj := info.ObjectOf(e)
		if c := m.frame.cellOf(obj); c != nil {
			m.each(func(p *path) { p.push(m.make(value{op: "ref", cell: c, pos: e.Pos()})) })
			return
		}
	case *ast.SelectorExpr:
		sel := info.Selections[e]
		if sel == nil || sel.Kind() != types.FieldVal {
			break
		}
		m.place(e.X)
		t := sel.Recv()
		for _, i := range sel.Index() {
			st := structOf(t)
			if st == nil {
				break
			}
			m.each(func(p *path) {
				at := m.pointee(p, p.pop(), isPointer(t))
				p.push(m.within(p, at, step{st: st, field: i}, e.Sel.Pos()))
			})
			t = st.Field(i).Type()
		}
		return
	case *ast.StarExpr:
		m.place(e.X)
		m.each(func(p *path) { p.push(m.pointee(p, p.pop(), true)) })
		return
	case *ast.IndexExpr:
		m.place(e.X)
		m.eval(e.Index)
		m.each(func(p *path) {
			i := p.pop()
			at := p.pop()
			if inner := m.read(p, at); inner.op == "ref" {
				at = inner
			}
			p.push(m.within(p, at, step{index: i}, e.Lbrack))
		})
		return
	}
	m.eval(e)
	m.each(func(p *path) { p.push(m.box(p, p.pop())) })
}

// pointee follows a pointer that is at a place; the place itself if it is none or is not known.
func (m *machine) pointee(p *path, at *value, pointer bool) *value {
	if !pointer {
		return at
	}
	if inner := m.read(p, at); inner.op == "ref" || inner.op == "if" && inner.args[1].op == "ref" {
		return inner
	}
	return at
}

func (m *machine) within(p *path, at *value, s step, pos token.Pos) *value {
	switch at.op {
	case "ref":
		return m.make(value{op: "ref", cell: at.cell, way: append(append([]step(nil), at.way...), s), pos: pos})
	case "if":
		return m.choose(pos, at.args[0], m.within(p, at.args[1], s, pos), m.within(p, at.args[2], s, pos))
	}
	return m.within(p, m.box(p, at), s, pos)
}

// box puts a value into a new place.
func (m *machine) box(p *path, v *value) *value {
	c := m.newCell()
	p.vars[c] = v
	return m.make(value{op: "ref", cell: c, pos: v.pos})
}

func structOf(t types.Type) *types.Struct {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	st, _ := t.Underlying().(*types.Struct)
	return st
}

func isContext(t types.Type) bool { return runtimeType(t) == "Context" }
