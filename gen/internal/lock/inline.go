package lock

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// invoke calls a closure or a function as a value.
func (m *machine) invoke(c *closure, n int, pos token.Pos) {
	if c.fn != nil {
		if c.recv != nil {
			m.each(func(p *path) {
				args := p.popN(n)
				p.push(c.recv)
				p.push(args...)
			})
			n++
		}
		m.types = c.types
		m.inline(c.fn, nil, n, pos)
		return
	}
	m.inline(nil, c, n, pos)
}

// inline reads the body of a function in place of its call. Its arguments are on the stacks.
func (m *machine) inline(fn *function, c *closure, n int, pos token.Pos) {
	if len(m.cur) == 0 {
		m.types = nil
		return
	}
	f := &frame{fn: fn, cells: map[types.Object]*cell{}, types: m.types}
	m.types = nil
	var body *ast.BlockStmt
	var names []*ast.Ident
	var results *ast.FieldList
	if fn != nil {
		f.info, body, results = fn.info, fn.decl.Body, fn.decl.Type.Results
		names = append(paramNames(fn.decl.Recv), paramNames(fn.decl.Type.Params)...)
	} else {
		f.info, f.lit, f.outer, body, results = c.frame.info, c.lit, c.frame, c.lit.Body, c.lit.Type.Results
		names = paramNames(c.lit.Type.Params)
	}
	if m.recursive(f, n, pos) {
		return
	}
	m.bind(f, names, n)
	f.base, f.raised = len(m.cur[0].stack), len(m.cur[0].raised)
	if m.entry == nil {
		m.entry = f
	}
	saved, targets, kept := m.frame, m.targets, m.bound
	m.frame, m.targets, m.bound = f, nil, nil
	m.active = append(m.active, f)
	calls := m.calls
	if fn != nil && f != m.entry {
		m.calls = append(calls[:len(calls):len(calls)], pos)
	}
	for _, id := range paramNames(results) {
		if id == nil {
			continue
		}
		var r *cell
		if obj := f.info.Defs[id]; obj != nil {
			r = m.declare(obj)
			v := m.zero(id.Pos(), f.actual(obj.Type()))
			m.each(func(p *path) { m.store(p, r, v) })
		} else {
			r = m.newCell()
		}
		f.results = append(f.results, r)
	}
	m.block(body.List)
	if len(m.cur) > 0 {
		end := m.make(value{op: "tuple", pos: body.Rbrace})
		for range results.NumFields() {
			end.args = append(end.args, m.null(body.Rbrace)) // the end of a function that returns something is not reached
		}
		m.pushAll(end)
		f.returns = append(f.returns, m.cur...)
	}
	m.leave(f)
	m.active = m.active[:len(m.active)-1]
	m.frame, m.targets, m.bound, m.calls = saved, targets, kept, calls
}

// bind gives the parameters their values.
func (m *machine) bind(f *frame, names []*ast.Ident, n int) {
	cells := make([]*cell, n)
	for i := range cells {
		cells[i] = m.newCell()
		if i < len(names) && names[i] != nil {
			if obj := f.info.Defs[names[i]]; obj != nil {
				cells[i].made, cells[i].named = obj.Pos(), true
				cells[i].typ = f.actual(obj.Type())
				cells[i].st, _ = cells[i].typ.Underlying().(*types.Struct)
				f.cells[obj] = cells[i]
			}
		}
	}
	m.each(func(p *path) {
		for i, v := range p.popN(n) {
			m.store(p, cells[i], v)
		}
	})
}

// paramNames gives an identifier for every parameter, nil for one without a name.
func paramNames(list *ast.FieldList) []*ast.Ident {
	if list == nil {
		return nil
	}
	var names []*ast.Ident
	for _, field := range list.List {
		if len(field.Names) == 0 {
			names = append(names, nil)
		}
		names = append(names, field.Names...)
	}
	return names
}

// leave ends a call: what was deferred runs, and the result is pushed.
func (m *machine) leave(f *frame) {
	var out []*path
	for left := m.fold(f.returns); len(left) > 0; {
		p := left[0]
		p.raised, p.panics = append(p.raised, p.panics), token.NoPos
		m.cur, f.returns = []*path{p}, nil
		m.runDeferred(f)
		m.each(func(q *path) {
			q.panics, q.raised = q.raised[len(q.raised)-1], q.raised[:len(q.raised)-1]
		})
		out = append(out, m.cur...)
		left = append(left[1:], f.returns...) // which have panicked in what was deferred
	}
	m.cur = m.fold(m.panicked(f, m.fold(out)))
	for _, p := range m.cur {
		v := p.pop()
		if len(f.results) > 0 && v.op == "tuple" {
			args := make([]*value, len(f.results))
			for i, c := range f.results {
				args[i] = m.load(p, c)
			}
			v = m.make(value{op: "tuple", args: args, pos: v.pos})
		}
		if f.fn != nil && !f.fn.escapes {
			for _, c := range f.cells {
				delete(p.vars, c)
			}
		}
		if v.op == "tuple" && len(v.args) == 1 && f != m.entry {
			v = v.args[0]
		}
		p.push(v)
	}
}

// recursive handles a function that is being read already: the call stands for itself, by how far up it is.
func (m *machine) recursive(f *frame, n int, pos token.Pos) bool {
	name := ""
	for i := len(m.active) - 1; i >= 0; i-- {
		if a := m.active[i]; f.fn != nil && a.fn == f.fn || f.lit != nil && a.lit == f.lit {
			name = fmt.Sprintf("recursion %d", len(m.active)-i)
			break
		}
	}
	if name == "" && (len(m.active) > 60 || *m.fuel < 0) {
		name = "deep"
		if f.fn != nil {
			name = f.fn.obj.FullName()
		}
	}
	if name == "" {
		return false
	}
	var about *value
	if strings.HasPrefix(name, "recursion") {
		about = m.summaryOf(f)
	} else {
		about = m.val(pos, "source", m.source(f.body(), f.info))
	}
	m.pushAll(about)
	n++
	var sig *types.Signature
	if f.fn != nil {
		sig = f.fn.obj.Signature()
	} else {
		sig, _ = f.info.TypeOf(f.lit).(*types.Signature)
	}
	if m.takesContext(n) || f.lit != nil {
		m.opaqueCall(pos, name, n, sig)
		return true
	}
	m.each(func(p *path) {
		args := p.popN(n)
		frozen := make([]*value, n)
		for i := range args {
			frozen[i] = m.freeze(p, args[i])
		}
		v := m.val(pos, "call", name, frozen...)
		m.disturb(p, args, func(_ *cell, old *value) *value { return m.val(pos, "changed", "", v, old) })
		p.push(v)
	})
	return true
}
