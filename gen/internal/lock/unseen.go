package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// printing are the methods by which a value says itself what it is as text or JSON.
var printing = []string{"String", "Error", "Format", "GoString", "MarshalJSON", "MarshalText", "UnmarshalJSON", "UnmarshalText"}

// unseen gives what a function of another module may find out about its arguments beside their values: methods of their
// types, which it may call, and in JSON the names of their fields. foreign: no error among them is of a type that does not travel.
func (m *machine) unseen(e *ast.CallExpr, name string, sig *types.Signature, foreign bool) []*value {
	if sig == nil || strings.HasPrefix(name, "sort.Slice") { // these only move elements
		return nil
	}
	all, methods := m.explicit(e.Fun), false
	for i, a := range e.Args {
		param := paramType(sig, i, e.Ellipsis.IsValid())
		if param == nil || m.sayer(e, i) != nil {
			continue
		}
		iface, ok := param.Underlying().(*types.Interface)
		t := m.exprType(a)
		if !ok || t == nil {
			continue
		}
		names := printing
		if iface.NumMethods() > 0 {
			names = nil
			if strings.HasPrefix(name, "errors.") || name == "fmt.Errorf" {
				names = []string{"Is", "As", "Unwrap"}
			}
			for k := range iface.NumMethods() {
				names = append(names, iface.Method(k).Name())
			}
		}
		if strings.HasPrefix(name, "errors.") {
			names = []string{"Is", "As", "Unwrap"}
		}
		if i == 1 && name == "errors.Is" { // of what it looks for it calls nothing
			names = nil
		}
		for _, fn := range m.methodsOf(t, names) {
			if foreign && i == 0 && !m.travels(fn.obj.Signature().Recv().Type()) {
				continue
			}
			all, methods = append(all, m.summary(fn)), true
		}
		if p, ok := t.Underlying().(*types.Pointer); ok && i == 1 && name == "errors.As" && !methods && m.ours(p.Elem()) && !m.travels(t) {
			if m.runs {
				return []*value{m.val(a.Pos(), "kind", typeName(p.Elem()))}
			}
			m.hide()
		}
		switch {
		case name == "errors.As":
			all = append(all, m.typeValue(a.Pos(), t))
		case strings.Contains(name, "encoding/json."):
			all = append(all, m.val(a.Pos(), "type", sketch(t, true, nil)))
		case strings.HasPrefix(name, "fmt.") && namesFields(e.Args[0]):
			all = append(all, m.val(a.Pos(), "type", sketch(t, false, nil)))
		}
	}
	return slices.CompactFunc(all, func(a, b *value) bool { return a.class == b.class })
}

// foreign reports whether an error that errors.Is or errors.As takes apart certainly has none of a type of the module in it that does
// not travel: what comes out of a history has none.
func (m *machine) foreign(v *value) bool {
	switch v.op {
	case "const", "timeout":
		return true
	case "error":
		f := v.args[0]
		return f.op == "future" && (f.at.kind == shape.Activity || f.at.kind == shape.Child || f.at.kind == shape.Timer || f.at.kind == shape.Receive)
	case "if":
		return m.foreign(v.args[1]) && m.foreign(v.args[2])
	case "call":
		if v.what == "errors.Join" || v.what == "errors.New" || v.what == "fmt.Errorf" {
			return !slices.ContainsFunc(v.args, func(a *value) bool { return !m.foreign(a) })
		}
	}
	return false
}

// typeValue is a type as a value: that of an annotated error has the name under which it travels.
func (m *machine) typeValue(pos token.Pos, t types.Type) *value {
	if m.travels(t) {
		return m.val(pos, "global", m.errorTypes[bareType(t).(*types.Named).Obj()])
	}
	return m.val(pos, "global", typeName(t))
}

// travels reports whether a type is that of an annotated error, or a pointer to it.
func (m *machine) travels(t types.Type) bool {
	named, ok := bareType(t).(*types.Named)
	return ok && m.errorTypes[named.Obj()] != ""
}

// bareType is what pointers point to.
func bareType(t types.Type) types.Type {
	for {
		t = types.Unalias(t)
		p, ok := t.(*types.Pointer)
		if !ok {
			return t
		}
		t = p.Elem()
	}
}

func paramType(sig *types.Signature, i int, spread bool) types.Type {
	n := sig.Params().Len()
	switch {
	case n == 0:
		return nil
	case sig.Variadic() && i >= n-1:
		s, ok := sig.Params().At(n - 1).Type().Underlying().(*types.Slice)
		if spread || !ok {
			return sig.Params().At(n - 1).Type()
		}
		return s.Elem()
	case i < n:
		return sig.Params().At(i).Type()
	}
	return nil
}

// namesFields reports whether a format may write names of fields or types.
func namesFields(format ast.Expr) bool {
	lit, ok := ast.Unparen(format).(*ast.BasicLit)
	return ok && lit.Kind == token.STRING && (strings.Contains(lit.Value, "%+v") || strings.Contains(lit.Value, "#v") || strings.Contains(lit.Value, "%T"))
}

// sketch gives the names of the fields of a type, of the ones in it too.
func sketch(t types.Type, tags bool, seen []types.Type) string {
	if slices.ContainsFunc(seen, func(s types.Type) bool { return types.Identical(s, t) }) {
		return "again"
	}
	seen = append(seen, t)
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return sketch(u.Elem(), tags, seen)
	case *types.Slice:
		return "[]" + sketch(u.Elem(), tags, seen)
	case *types.Array:
		return "[]" + sketch(u.Elem(), tags, seen)
	case *types.Map:
		return "map " + sketch(u.Elem(), tags, seen)
	case *types.Struct:
		var b strings.Builder
		for i := range u.NumFields() {
			if f := u.Field(i); tags {
				b.WriteString(fieldName(u, i) + " " + u.Tag(i))
			} else {
				b.WriteString(f.Name())
			}
			b.WriteString(" " + sketch(u.Field(i).Type(), tags, seen) + ";")
		}
		return "{" + b.String() + "}"
	}
	return ""
}

// methodsOf gives the methods with some names of a type and of what is in it, and if it is an interface those of all types
// of the module that have it.
func (m *machine) methodsOf(t types.Type, names []string) []*function {
	var found []*function
	add := func(fn *function) {
		if fn != nil && !slices.Contains(found, fn) {
			found = append(found, fn)
		}
	}
	var seen []types.Type
	var walk func(types.Type)
	walk = func(t types.Type) {
		if slices.ContainsFunc(seen, func(s types.Type) bool { return types.Identical(s, t) }) {
			return
		}
		seen = append(seen, t)
		if iface, ok := t.Underlying().(*types.Interface); ok {
			if iface.NumMethods() > 0 {
				m.implementing(iface, names, add)
			}
			return
		}
		if named, ok := types.Unalias(t).(*types.Named); ok {
			for _, name := range names {
				if obj, _, _ := types.LookupFieldOrMethod(named, true, named.Obj().Pkg(), name); obj != nil {
					if fn, ok := obj.(*types.Func); ok {
						add(m.funcs[fn.Origin()])
					}
				}
			}
		}
		switch u := t.Underlying().(type) {
		case *types.Pointer:
			walk(u.Elem())
		case *types.Slice:
			walk(u.Elem())
		case *types.Array:
			walk(u.Elem())
		case *types.Map:
			walk(u.Key())
			walk(u.Elem())
		case *types.Struct:
			for i := range u.NumFields() {
				walk(u.Field(i).Type())
			}
		}
	}
	walk(t)
	return found
}

// implementing calls f with the methods of the module that may stand behind those of an interface.
func (m *machine) implementing(iface *types.Interface, names []string, f func(*function)) {
	for _, name := range names {
		for _, fn := range m.methods[name] {
			t := fn.obj.Signature().Recv().Type()
			if !m.linked(fn.obj.Pkg()) {
				continue
			}
			if types.Implements(t, iface) || !isPointer(t) && types.Implements(types.NewPointer(t), iface) {
				f(fn)
			}
		}
	}
}

// unknown calls a method of an interface of which it is not known what is behind it: what it does is told by what all do that
// may be there.
func (m *machine) unknown(e *ast.CallExpr, obj *types.Func, n int, sig *types.Signature) {
	all := m.candidates(obj)
	if len(all) == 0 {
		m.external(e, obj.FullName(), n, sig)
		return
	}
	m.hide()
	act := slices.ContainsFunc(all, func(v *value) bool { return containsLambda(v, map[*value]bool{}, (*machine).acting) })
	if act || m.takesContext(n) {
		for _, v := range all {
			m.pushAll(v)
		}
		m.opaqueCall(e.Pos(), obj.FullName(), n+len(all), sig)
		return
	}
	given := map[*path][]*value{}
	m.each(func(p *path) { given[p] = slices.Clone(p.stack[len(p.stack)-n:]) })
	m.external(e, obj.FullName(), n, sig)
	m.map1(func(p *path, v *value) *value { return m.with(v, all) })
	if m.leavesAll(obj) {
		return
	}
	m.each(func(p *path) {
		v := p.stack[len(p.stack)-1]
		changed := func(old *value) *value { return m.val(e.Pos(), "changed", "", v, old) }
		m.disturb(p, given[p], func(_ *cell, old *value) *value { return changed(old) })
		m.stir(p, given[p][:1], func(_ string, old *value) *value { return changed(old) })
	})
}

// leavesAll reports whether all methods that may stand behind one of an interface leave everything as it is.
func (m *machine) leavesAll(obj *types.Func) bool {
	still := true
	if iface, ok := obj.Signature().Recv().Type().Underlying().(*types.Interface); ok {
		m.implementing(iface, []string{obj.Name()}, func(fn *function) { still = still && m.still(fn.obj) })
	}
	return still
}

// candidates gives what the methods do that may stand behind one of an interface; none if it is of another type.
func (m *machine) candidates(obj *types.Func) (all []*value) {
	if iface, ok := obj.Signature().Recv().Type().Underlying().(*types.Interface); ok {
		m.implementing(iface, []string{obj.Name()}, func(fn *function) { all = append(all, m.summary(fn)) })
	}
	return all
}

// dynamic is the type that a value has in an interface; nil: it is not known.
func dynamic(v *value) types.Type {
	if v.op == "box" {
		return v.typ
	}
	if v.op == "ref" && len(v.way) == 0 && v.cell.typ != nil && v.cell.maybe == nil && !types.IsInterface(v.cell.typ) {
		if _, isMap := v.cell.typ.Underlying().(*types.Map); !isMap {
			return types.NewPointer(v.cell.typ)
		}
	}
	return v.typ
}

// hasType reports whether a value in an interface is of a type, as a value if it is not known.
func (m *machine) hasType(pos token.Pos, v *value, t types.Type) *value {
	if v.isNil() {
		return m.boolean(pos, false)
	}
	if own := dynamic(v); own != nil {
		if iface, ok := t.Underlying().(*types.Interface); ok {
			return m.boolean(pos, types.Implements(own, iface))
		}
		return m.boolean(pos, types.Identical(own, t))
	}
	if m.runs {
		return m.hasTypeRun(pos, v, t)
	}
	if types.IsInterface(t) || m.ours(t) {
		m.hide()
	}
	return m.val(pos, "is", typeName(t), v)
}

// asType is a value in an interface as one of a type.
func (m *machine) asType(pos token.Pos, v *value, t types.Type) *value {
	own := dynamic(v)
	switch {
	case own != nil && types.Identical(own, t):
		return unboxed(v)
	case m.runs:
		return m.asTypeRun(pos, v, t)
	case types.IsInterface(t) || m.ours(t):
		m.hide()
	}
	return m.val(pos, "as", typeName(t), v)
}

// linked reports whether the package of the orchestrator is one or needs it.
func (m *machine) linked(pkg *types.Package) bool {
	root := m.root()
	if root.links == nil {
		root.links = map[*types.Package]bool{}
		var add func(*types.Package)
		add = func(p *types.Package) {
			if !root.links[p] {
				root.links[p] = true
				for _, q := range p.Imports() {
					add(q)
				}
			}
		}
		add(root.home)
	}
	return root.links[pkg]
}

// texts gives what is written where package variables that hold errors are declared, of those in a value: what such an
// error says is looked at where it may be printed only.
func (m *machine) texts(name string, args []*value) []*value {
	var found []*value
	if !strings.HasPrefix(name, "fmt.") && name != "(error).Error" && !strings.HasPrefix(name, "log/") && name != "errors.Join" {
		return nil
	}
	seen := map[*value]bool{}
	var walk func(v *value)
	walk = func(v *value) {
		if seen[v] {
			return
		}
		seen[v] = true
		if v.op == "global" {
			if g := m.sentinels[v.what]; g != nil && g.expr != nil {
				w := m.val(g.expr.Pos(), "source", m.source(g.expr, g.info))
				if !slices.ContainsFunc(found, func(f *value) bool { return f.class == w.class }) {
					found = append(found, w)
				}
			}
		}
		for _, a := range v.args {
			walk(a)
		}
	}
	for _, a := range args {
		walk(a)
	}
	return found
}

// summaryOf is a function as an orchestrator of a package needs it.
type summaryOf struct {
	fn  *function
	pkg *types.Package
}

// summary is a function as a value: what it does with arguments that are not known, wherever it is called.
func (m *machine) summary(fn *function) *value {
	pos, key := fn.decl.Name.Pos(), summaryOf{fn, m.root().home}
	if m.runs {
		return m.told(fn.obj.FullName(), func(begun func(*machine)) *value {
			m.reading = append(m.reading, fn.decl.Body)
			defer func() { m.reading = m.reading[:len(m.reading)-1] }()
			return m.summarised(&closure{fn: fn}, pos, begun)
		})
	}
	if body, ok := m.summaries[key]; ok {
		if body == nil { // in itself
			return m.itself(fn.decl.Body, pos)
		}
		if body.hidden {
			m.hide()
		}
		if body.vague {
			m.blur()
		}
		return m.make(value{op: "lambda", body: body, pos: pos})
	}
	m.summaries[key] = nil
	m.reading = append(m.reading, fn.decl.Body)
	defer func() { m.reading = m.reading[:len(m.reading)-1] }()
	v := m.summarised(&closure{fn: fn}, pos, nil)
	if delete(m.summaries, key); v.body != nil {
		m.summaries[key] = v.body
	}
	return v
}

// summaryOf is that of a function that is being read, or of a closure.
func (m *machine) summaryOf(f *frame) *value {
	if f.fn != nil {
		return m.summary(f.fn)
	}
	root := m.root()
	if _, ok := root.closures[f.lit]; ok {
		return m.itself(f.lit.Body, f.lit.Pos())
	}
	root.closures[f.lit] = m.val(f.lit.Pos(), "recursion", "")
	m.reading = append(m.reading, f.lit.Body)
	defer func() { m.reading = m.reading[:len(m.reading)-1] }()
	v := m.summarised(&closure{lit: f.lit, frame: f.outer}, f.lit.Pos(), nil)
	delete(root.closures, f.lit) // what it is depends on what is around
	return v
}

// itself is a function within itself: What is in how many others it is that call themselves, "" in none.
func (m *machine) itself(body *ast.BlockStmt, pos token.Pos) *value {
	up := ""
	if i := slices.Index(m.reading, body); i >= 0 && i < len(m.reading)-1 {
		up = strconv.Itoa(len(m.reading) - 1 - i)
	}
	return m.val(pos, "recursion", up)
}

// sparing leaves little for the reading of a function, until what it gives is called.
func (m *machine) sparing() (end func()) {
	const most = 3000
	left := *m.fuel - 50
	*m.fuel = min(left, most)
	begin := *m.fuel
	return func() { *m.fuel = left - (begin - *m.fuel) }
}

// summarised reads a function by itself. begun, if it is not nil, gets to know where.
func (m *machine) summarised(c *closure, pos token.Pos, begun func(*machine)) *value {
	if *m.fuel < 0 {
		return m.val(pos, "source", m.source(c.body(), c.info()))
	}
	defer m.sparing()()
	v := m.make(value{op: "func", fn: c, pos: pos})
	sig := c.signature()
	if sig == nil {
		return m.val(pos, "source", m.source(c.body(), c.info()))
	}
	around := m.active
	m.active = nil
	sub := m.bodyOf(v, &path{vars: map[*cell]*value{}}, pos, func(sub *machine, q *path) int {
		sub.lambda, sub.level = true, 1 // it takes nothing from around it
		sub.probing = 0                 // and is read for good, though what calls it may be read only to see what changes
		if begun != nil {
			begun(sub)
		}
		return sub.unknowns(q, params(sig), pos)
	})
	m.active = around
	return m.make(value{op: "lambda", body: sub, pos: pos})
}

func (c *closure) body() *ast.BlockStmt {
	if c.fn != nil {
		return c.fn.decl.Body
	}
	return c.lit.Body
}

func (c *closure) info() *types.Info {
	if c.fn != nil {
		return c.fn.info
	}
	return c.frame.info
}
