package lock

import (
	"go/ast"
	"go/constant"
	"go/token"
	"slices"
	"strconv"

	"github.com/durablegen/durablegen/annotations"
	"github.com/durablegen/durablegen/gen/internal/names"
	"github.com/durablegen/durablegen/internal/shape"
)

// effect makes one path and gives it with the n arguments on its stack; nil when there is none.
func (m *machine) effect(pos token.Pos, n int) (*path, []*value) {
	m.merge(pos)
	if len(m.cur) == 0 {
		return nil, nil
	}
	p := m.cur[0]
	return p, p.popN(n)
}

func (m *machine) nothing(pos token.Pos) *value {
	return m.make(value{op: "tuple", pos: pos})
}

func (m *machine) pair(pos token.Pos, a, b *value) *value {
	return m.make(value{op: "tuple", args: []*value{a, b}, pos: pos})
}

// scopes gives the scope of a context, if it has one.
func scopes(ctx *value) []*value {
	if ctx.op == "ctx" {
		return ctx.args
	}
	return nil
}

func (m *machine) future(n *node, ctx *value) *value {
	n.shielded = isShielded(ctx)
	return m.ofNode("future", "", n, scopes(ctx)...)
}

// shielded is what a Context is that nothing cancels.
const shielded = "shielded"

func isShielded(ctx *value) bool { return ctx.op == "ctx" && ctx.what == shielded }

func (m *machine) resultOf(pos token.Pos, f, ctx *value) *value { return m.of(pos, "result", f, ctx) }
func (m *machine) errorOf(pos token.Pos, f, ctx *value) *value  { return m.of(pos, "error", f, ctx) }

// of is what comes of a future. A wait in another scope than the future's may end for other reasons.
func (m *machine) of(pos token.Pos, op string, f, ctx *value) *value {
	args := []*value{f}
	if s := scopes(ctx); len(s) > 0 && (len(f.args) == 0 || f.args[0].class != s[0].class) {
		args = append(args, s...)
	}
	return m.val(pos, op, "", args...)
}

// await waits for futures.
func (m *machine) await(pos token.Pos, futures ...*value) {
	n, p := m.node(shape.Await, "", pos, futures...)
	m.blocks(n, p)
}

// handleCall is a call of a generated handle.
func (m *machine) handleCall(e *ast.CallExpr, d *names.Decl, verb string, n int) {
	switch {
	case d.Event != nil && verb == "Receive":
		m.receive(e, d, n)
	case d.Event != nil && (verb == "Send" || verb == "Deliver"):
		m.send(e, d.Wire, n, verb == "Deliver")
	case d.Func != nil && d.Word == annotations.Activity && (verb == "Call" || verb == "Start"):
		m.schedule(e, shape.Activity, d, n, verb == "Call")
	case d.Func != nil && d.Word == annotations.Orchestrator && verb == "StartChild",
		d.Func != nil && d.Word == annotations.Orchestrator && verb == "Call":
		m.schedule(e, shape.Child, d, n, verb == "Call")
	case d.Func != nil && verb == "ContinueAsNew":
		p, args := m.effect(e.Pos(), n)
		if p == nil {
			return
		}
		args = slices.Clone(args[1:min(1+len(d.Func.Params), len(args))])
		for i, v := range args {
			args[i] = m.freeze(p, v)
		}
		node, p := m.node(shape.Continue, d.Wire, e.Pos(), args...)
		p.push(m.ofNode("result", "", node))
	default:
		m.opaqueCall(e.Pos(), d.Wire+"."+verb, n, nil)
	}
}

// schedule starts an activity or a child, and waits for it if it is a Call.
func (m *machine) schedule(e *ast.CallExpr, kind shape.NodeKind, d *names.Decl, n int, wait bool) {
	p, args := m.effect(e.Pos(), n)
	if p == nil {
		return
	}
	ctx := args[0]
	stored := slices.Clone(args[1:min(1+len(d.Func.Params), len(args))])
	for i, v := range stored {
		stored[i] = m.freeze(p, v)
	}
	extra, loose := m.options(e, kind, args[min(1+len(d.Func.Params), len(args)):])
	node, p := m.node(kind, d.Wire, e.Pos(), append(stored[:len(stored):len(stored)], extra...)...)
	node.loose = loose
	node.bytes = kind == shape.Activity && m.local(e, d, args[min(1+len(d.Func.Params), len(args)):])
	node.result = d.Func.Result
	f := m.future(node, ctx)
	if !wait {
		p.push(f)
		return
	}
	m.await(e.Pos(), f)
	if d.Func.Result == nil {
		p.push(m.errorOf(e.Pos(), f, ctx))
		return
	}
	p.push(m.pair(e.Pos(), m.resultOf(e.Pos(), f, ctx), m.errorOf(e.Pos(), f, ctx)))
}

// options gives what options of a call add to what a replay compares: the id of a child, and policies with which every
// attempt is a step of its own.
func (m *machine) options(e *ast.CallExpr, kind shape.NodeKind, opts []*value) (extra []*value, loose bool) {
	if len(opts) == 0 || opts[0].op != "list" {
		return nil, false
	}
	list := opts[0].args
	first := len(e.Args) - len(list)
	for i, v := range list {
		if first+i < 0 || first+i >= len(e.Args) {
			continue
		}
		switch runtimeType(m.frame.info.TypeOf(e.Args[first+i])) {
		case "InstanceID":
			if !v.zeroLike() {
				extra = append(extra, m.val(v.pos, "id", "", v))
			}
		case "RetryPolicy":
			attempts, handle := m.field(v.pos, v, "Attempts", 0), m.field(v.pos, v, "Handle", 0)
			if kind == shape.Activity && !handle.isNil() && handle.op != "field" {
				extra = append(extra, m.val(v.pos, "retry", "", attempts, handle))
			}
			if kind == shape.Child && attempts.lit != nil && constant.Compare(attempts.lit, token.GTR, constant.MakeInt64(1)) {
				extra = append(extra, m.val(v.pos, "retry", "", attempts))
			}
		case "Arguments":
			loose = !v.zeroLike()
		}
	}
	return extra, loose
}

// local reports whether a call may be run by its owner: then its arguments are compared by their bytes.
func (m *machine) local(e *ast.CallExpr, d *names.Decl, opts []*value) bool {
	local := d.Directive != nil && d.Directive.Local
	if len(opts) == 0 || opts[0].op != "list" {
		return local || len(opts) > 0 && !opts[0].isNil()
	}
	first := len(e.Args) - len(opts[0].args)
	for i, v := range opts[0].args {
		if first+i >= 0 && first+i < len(e.Args) && runtimeType(m.frame.info.TypeOf(e.Args[first+i])) == "Local" {
			local = v.lit == nil || !v.zeroLike()
		}
	}
	return local
}

func (m *machine) receive(e *ast.CallExpr, d *names.Decl, n int) {
	p, args := m.effect(e.Pos(), n)
	if p == nil {
		return
	}
	node, p := m.node(shape.Receive, d.Wire, e.Pos())
	p.push(m.future(node, args[0]))
}

func (m *machine) send(e *ast.CallExpr, name string, n int, wait bool) {
	p, args := m.effect(e.Pos(), n)
	if p == nil {
		return
	}
	node, p := m.node(shape.Send, name, e.Pos(), args[1:]...)
	if !wait {
		p.push(m.nothing(e.Pos()))
		return
	}
	f := m.future(node, args[0])
	m.await(e.Pos(), f)
	p.push(m.errorOf(e.Pos(), f, args[0]))
}

func (m *machine) timer(e *ast.CallExpr, ctx *value) *value {
	node, _ := m.node(shape.Timer, "", e.Pos())
	return m.future(node, ctx)
}

// draws is a method of the generator that Context.Rand gives.
func (m *machine) draws(e *ast.CallExpr, name string, n int) bool {
	if len(m.cur) == 0 {
		return true
	}
	if p := m.cur[0]; p.stack[len(p.stack)-n-1].op != "rand" {
		return false
	}
	p, args := m.effect(e.Pos(), n+1)
	node, _ := m.node(shape.Random, name, e.Pos(), args[1:]...)
	p.push(m.ofNode("result", "", node))
	if name == "Shuffle" && len(args) == 3 && args[2].op == "func" {
		m.disordered(p, args[2].fn, node)
	}
	return true
}

// disordered is what a swap function does to the variables that it knows.
func (m *machine) disordered(p *path, c *closure, n *node) {
	m.touches(p, c, func(cl *cell, _ ast.Expr) {
		if m.remote(cl) {
			m.blur()
		}
		m.store(p, cl, m.ofNode("changed", strconv.Itoa(0), n, m.load(p, cl)))
	})
}
