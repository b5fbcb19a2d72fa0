package lock

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"strings"
)

// step leads from a place to one within it: a field, or an element.
type step struct {
	st    *types.Struct
	field int
	index *value
	deref bool       // what a pointer that is not known points to
	in    types.Type // of the slice or map, or of the pointer: others may hold the same; nil: none do
}

func fieldName(st *types.Struct, i int) string {
	f := st.Field(i)
	tag := reflect.StructTag(st.Tag(i)).Get("json")
	name, _, _ := strings.Cut(tag, ",")
	plain := f.Embedded() && name == "" && structOf(f.Type()) != nil
	switch {
	case plain && !hidden(st, i):
		return "~" + f.Name() // its fields travel as if they were here
	case plain:
		return "!" + f.Name() // some travel, some do not
	case !f.Exported() && !f.Embedded() || tag == "-":
		return "-" + f.Name() // it does not travel
	case name != "":
		return name
	}
	return f.Name()
}

// hidden reports whether a struct that is embedded has a field of a name that the outer one has, too.
func hidden(st *types.Struct, at int) bool {
	inner := structOf(st.Field(at).Type())
	for i := range inner.NumFields() {
		for k := range st.NumFields() {
			if k != at && st.Field(k).Name() == inner.Field(i).Name() {
				return true
			}
			if other := st.Field(k); k != at && other.Embedded() && structOf(other.Type()) != nil {
				for j := range structOf(other.Type()).NumFields() {
					if structOf(other.Type()).Field(j).Name() == inner.Field(i).Name() {
						return true
					}
				}
			}
		}
	}
	return false
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
		return m.make(value{op: "struct", what: structName(u), args: args, pos: pos, typ: t})
	case *types.Slice:
		if runtimeType(u.Elem()) != "" {
			return m.val(pos, "list", "") // futures do not travel: nil and empty are the same
		}
	case *types.Array:
		if u.Len() > mostElements || depth > 6 {
			return m.val(pos, "zero", types.TypeString(u, nil))
		}
		args := make([]*value, u.Len())
		for i := range args {
			args[i] = m.zeroDeep(pos, u.Elem(), depth+1)
		}
		return m.val(pos, "list", "", args...)
	}
	return m.null(pos)
}

const mostElements = 32 // of an array whose zero value is written out

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
		switch {
		case s.deref:
			continue
		case s.index != nil:
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
		m.lose()
		return
	}
	if len(ref.way) == 0 {
		m.store(p, ref.cell, v)
		return
	}
	last := -1 // step into an element, or through a pointer: others may hold the same
	for i, s := range ref.way {
		if s.in != nil {
			last = i
		}
	}
	container := *ref
	container.way = ref.way[:max(last, 0)]
	old := m.read(p, &container)
	m.store(p, ref.cell, m.replaced(m.load(p, ref.cell), ref.way, v))
	if last >= 0 {
		now := m.read(p, &container)
		m.elsewhere(p, ref.cell, ref.way[last].in, old, now)
		if ref.way[last].deref {
			m.stirPointed(p, ref.cell, ref.way[last].in, old, now)
		}
	}
}

func (m *machine) replaced(whole *value, way []step, v *value) *value {
	if len(way) == 0 {
		return v
	}
	s := way[0]
	if s.deref {
		return m.replaced(whole, way[1:], v)
	}
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
	return m.make(value{op: "struct", what: structName(s.st), args: args, pos: whole.pos, typ: whole.typ})
}

// index gives an element.
func (m *machine) index(pos token.Pos, v, i *value) *value {
	v = uncopied(m.asList(v))
	if v.op == "list" && v.what == "" && i.lit != nil {
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
	case v.op == "list" && v.what == "" && i.lit != nil:
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
	if c := m.bound.cell(ast.Unparen(e)); c != nil {
		m.each(func(p *path) { p.push(m.load(p, c)) })
		return
	}
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
		m.placeWithin(m.frame.actual(sel.Recv()), sel.Index(), e.Sel.Pos())
		return
	case *ast.StarExpr:
		m.place(e.X)
		m.each(func(p *path) { p.push(m.pointee(p, p.pop(), m.exprType(e.X))) })
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
			p.push(m.within(p, at, step{index: i, in: m.shareable(e.X)}, e.Lbrack))
		})
		return
	}
	m.eval(e)
	m.boxAll(e.Pos())
}

// placeWithin goes from the place on the stack to a field, through embedded ones.
func (m *machine) placeWithin(t types.Type, index []int, pos token.Pos) {
	for _, i := range index {
		st := structOf(t)
		if st == nil {
			return
		}
		m.each(func(p *path) {
			at := m.pointee(p, p.pop(), t)
			p.push(m.within(p, at, step{st: st, field: i}, pos))
		})
		t = st.Field(i).Type()
	}
}

// pointee follows a pointer that is at a place; the place itself if it is none or is not known.
func (m *machine) pointee(p *path, at *value, t types.Type) *value {
	if !isPointer(t) {
		return at
	}
	if inner := m.read(p, at); inner.op == "ref" || inner.op == "if" && inner.args[1].op == "ref" {
		return inner
	}
	return m.within(p, at, step{deref: true, in: t}, at.pos)
}

// shareable gives the type of a slice or map of which several variables may hold the same; nil: an array is copied,
// unless there is a slice of it.
func (m *machine) shareable(e ast.Expr) types.Type {
	t := m.exprType(e)
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	array, ok := t.Underlying().(*types.Array)
	if !ok {
		return t
	}
	if id := rootIdent(e); id != nil {
		if c := m.frame.cellOf(m.frame.info.Uses[id]); c != nil && !c.sliced {
			return nil
		}
	}
	return types.NewSlice(array.Elem())
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
	c := m.newCellAt(v.pos)
	c.taken = m.runs // where ways meet something may lead there, on the others nobody looks
	m.store(p, c, v)
	return m.make(value{op: "ref", cell: c, pos: v.pos})
}

// boxAll puts the values on the stacks into a new place, which is the same one on all ways: where they meet, it is still
// known what points there.
func (m *machine) boxAll(pos token.Pos) *cell {
	c := m.newCellAt(pos)
	m.each(func(p *path) {
		m.store(p, c, p.pop())
		p.push(m.make(value{op: "ref", cell: c, pos: pos}))
	})
	return c
}

func structOf(t types.Type) *types.Struct {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	st, _ := t.Underlying().(*types.Struct)
	return st
}

func isContext(t types.Type) bool { return runtimeType(t) == "Context" }
