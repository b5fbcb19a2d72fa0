package lock

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

func unquoted(v *value) string {
	if v.lit.Kind() == constant.String {
		return constant.StringVal(v.lit)
	}
	return v.what
}

// zeroOfCall is the zero value of a call's first result.
func (m *machine) zeroOfCall(e *ast.CallExpr) *value {
	if t, ok := m.frame.info.TypeOf(e).(*types.Tuple); ok {
		return m.zero(e.Pos(), t.At(0).Type())
	}
	return m.null(e.Pos())
}

// coroutine is Go, Map or ForEach: the function that runs is a flow of its own.
func (m *machine) coroutine(e *ast.CallExpr, name string, p *path, args []*value) {
	ctx, fn := args[0], args[len(args)-1]
	params := len(args) - 2
	if name != "Go" {
		params = 1
	}
	body := m.body(fn, p, params, e.Pos(), name == "Go")
	node, p := m.node(shape.Go, strings.ToLower(name), e.Pos(), args[1:len(args)-1]...)
	node.bodies = []*machine{body}
	f := m.future(node, ctx)
	switch name {
	case "Go":
		p.push(f)
	case "ForEach":
		m.blocks(node, p)
		p.push(m.errorOf(e.Pos(), f, ctx))
	default:
		m.blocks(node, p)
		p.push(m.pair(e.Pos(), m.resultOf(e.Pos(), f, ctx), m.errorOf(e.Pos(), f, ctx)))
	}
}

// body reads a function that is run with a Context of its own. leaves: nobody waits for it where it begins.
func (m *machine) body(fn *value, p *path, params int, pos token.Pos, leaves bool) *machine {
	m.fork(p, leaves)
	if fn.op == "func" {
		m.share(p, fn.fn)
	}
	return m.bodyOf(fn, p, pos, func(sub *machine, q *path) int {
		q.push(sub.leaf("ctx", "", pos))
		for i := range params {
			q.push(sub.leaf("param", strconv.Itoa(i), fn.pos))
		}
		return params + 1
	})
}

// bodyOf reads a function with the arguments that push pushes.
func (m *machine) bodyOf(fn *value, p *path, pos token.Pos, push func(sub *machine, q *path) int) *machine {
	sub := newMachine(m.program, m)
	q := sub.begin()
	q.vars, q.facts, q.same = maps.Clone(p.vars), maps.Clone(p.facts), maps.Clone(p.same)
	n, kept := push(sub, q), len(m.root().stored)
	if sub.lambda && m.keeping && fn.op == "func" {
		sub.outlive(q, fn.fn)
	}
	if sub.lambda && fn.op == "func" {
		m.alters(p, fn.fn, func(c *cell, _ ast.Expr) { sub.finds(q, c) })
	}
	sub.cur, sub.frame = []*path{q}, m.frame
	end := &ast.BlockStmt{Rbrace: pos}
	switch {
	case fn.op == "func" && fn.fn.lit != nil:
		end = fn.fn.lit.Body
		sub.invoke(fn.fn, n, pos)
	case fn.op == "func":
		sub.invoke(fn.fn, n, pos)
	default:
		args := q.popN(n)
		q.push(fn)
		q.push(args...)
		sub.opaqueCall(pos, calledValue, n+1, nil)
	}
	if sub.lambda && fn.op == "func" {
		m.alters(p, fn.fn, func(c *cell, _ ast.Expr) {
			if !m.remote(c) && !slices.Contains(sub.outs, c) {
				sub.outs = append(sub.outs, c)
			}
		})
	}
	sub.finish(end, true)
	sub.stores = len(m.root().stored) > kept
	m.cells = sub.cells
	return sub
}

// abstract makes a function that is given away a value: what it does with arguments that are not known.
func (m *machine) abstract(p *path, v *value) *value {
	if len(m.active) > 50 || *m.fuel < 0 || m.inside(v.fn) {
		return m.val(v.pos, "source", m.source(v.fn.body(), v.fn.info()))
	}
	*m.fuel -= 50
	sig := v.fn.signature()
	if sig == nil {
		return m.val(v.pos, "source", m.source(v.fn.body(), v.fn.info()))
	}
	list := params(sig)
	if v.fn.recv != nil {
		list = list[1:]
	}
	sub := m.bodyOf(v, p, v.pos, func(sub *machine, q *path) int {
		sub.lambda, sub.making, sub.around, sub.since = true, v.fn, m.enclosing(), p.epoch
		sub.level++
		return sub.unknowns(q, list, v.pos)
	})
	return m.make(value{op: "lambda", body: sub, fn: v.fn, pos: v.pos})
}

// inside reports whether a function is being made a value already: what it captures may hold it.
func (m *machine) inside(c *closure) bool {
	for ; m != nil; m = m.parent {
		if m.making != nil && m.making.body() == c.body() {
			return true
		}
	}
	return false
}

func (c *closure) signature() *types.Signature {
	if c.fn != nil {
		return c.fn.obj.Signature()
	}
	sig, _ := c.frame.info.TypeOf(c.lit).(*types.Signature)
	return sig
}

// saga reads the methods of a Saga: compensations run where it is rolled back, the newest first.
func (m *machine) saga(e *ast.CallExpr, name string, n int) {
	paths := m.cur
	var out []*path
	for _, p := range paths {
		m.cur = []*path{p}
		args := p.popN(n)
		switch name {
		case "Saga.Compensate":
			m.setSaga(e, p, args[0], func(s *value) *value {
				if s.op == "saga" {
					return m.val(s.pos, "saga", "", append(s.args[:len(s.args):len(s.args)], args[1])...)
				}
				return m.val(e.Pos(), "append", "", s, args[1])
			})
			p.push(m.nothing(e.Pos()))
		case "Saga.Rollback":
			m.rollback(e, p, args[0])
		default:
			m.rollbackOnError(e, p, args[0], args[2])
		}
		out = append(out, m.cur...)
	}
	m.cur = m.fold(out)
}

// setSaga changes a Saga: where the pointer to it points to, or if that is not known where it was found.
func (m *machine) setSaga(e *ast.CallExpr, p *path, saga *value, becomes func(*value) *value) {
	x, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr)
	if saga.op == "ref" || saga.op == "if" || !ok || m.deferring != nil {
		m.write(p, saga, becomes(m.read(p, saga)))
		return
	}
	if _, named := memory(m.frame.info, x.X); !named {
		m.lose()
		return
	}
	m.mutate(x.X, func(_ *path, old *value) *value { return becomes(old) })
}

func (m *machine) rollback(e *ast.CallExpr, p *path, saga *value) {
	s := m.read(p, saga)
	m.setSaga(e, p, saga, func(*value) *value { return m.val(e.Pos(), "saga", "") })
	if s.op != "saga" {
		node, p := m.node(shape.Call, "rollback", e.Pos(), s)
		m.blocks(node, p)
		p.push(m.ofNode("result", "", node))
		return
	}
	if len(s.args) == 0 {
		p.push(m.null(e.Pos()))
		return
	}
	ctx := m.make(value{op: "ctx", what: shielded, pos: e.Pos()})
	undoing := m.undoing
	m.undoing = true
	defer func() { m.undoing = undoing }()
	for i := len(s.args) - 1; i >= 0; i-- {
		if c := s.args[i]; c.op == "func" {
			m.pushAll(ctx)
			m.invoke(c.fn, 1, c.pos)
		} else {
			m.pushAll(c)
			m.pushAll(ctx)
			m.opaqueCall(c.pos, calledValue, 2, nil)
		}
	}
	m.each(func(p *path) { p.push(m.val(e.Pos(), "call", "errors.Join", p.popN(len(s.args))...)) })
}

func (m *machine) rollbackOnError(e *ast.CallExpr, p *path, saga, errp *value) {
	err := m.read(p, errp)
	if err.op == "result" && err.at != nil && err.at.kind == shape.Continue {
		p.push(m.nothing(e.Pos()))
		return
	}
	if s := m.read(p, saga); s.op == "saga" && len(s.args) == 0 {
		p.push(m.nothing(e.Pos()))
		return
	}
	fine, failed := m.part(p, e.Pos(), m.equal(e.Pos(), err, m.null(e.Pos())))
	out := fine
	for _, q := range fine {
		q.push(m.nothing(e.Pos()))
	}
	for _, q := range failed {
		m.cur = []*path{q}
		m.rollback(e, q, saga)
		m.each(func(q *path) {
			r := q.pop()
			m.write(q, errp, m.val(e.Pos(), "call", "errors.Join", m.read(q, errp), r))
			q.push(m.nothing(e.Pos()))
		})
		out = append(out, m.cur...)
	}
	m.cur = m.fold(out)
}
