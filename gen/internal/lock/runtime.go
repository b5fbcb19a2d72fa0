package lock

import (
	"go/ast"
	"go/constant"
	"go/token"
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// runtimeCall is a call of a function of the runtime, "Go" or "Future.Get". The receiver is the first of n arguments.
func (m *machine) runtimeCall(e *ast.CallExpr, name string, n int) {
	if m.pureCall(e, name, n) {
		return
	}
	switch name {
	case "Saga.Compensate", "Saga.Rollback", "Saga.RollbackOnError":
		m.saga(e, name, n)
		return
	case "Select":
		m.selectCall(e, n)
		return
	case "Future.Within":
		m.getWithin(e, n)
		return
	}
	p, args := m.effect(e.Pos(), n)
	if p == nil {
		return
	}
	m.effectCall(e, name, p, args)
}

func (m *machine) effectCall(e *ast.CallExpr, name string, p *path, args []*value) {
	pos := e.Pos()
	switch name {
	case "Future.Get", "Future.Err", "Timer.Wait":
		f, ctx := args[0], args[1]
		m.await(pos, f)
		if name == "Future.Get" {
			p.push(m.pair(pos, m.resultOf(pos, f, ctx), m.errorOf(pos, f, ctx)))
			return
		}
		p.push(m.errorOf(pos, f, ctx))
	case "NewTimer":
		p.push(m.timer(e, args[0]))
	case "Sleep":
		f := m.timer(e, args[0])
		m.await(pos, f)
		p.push(m.errorOf(pos, f, args[0]))
	case "Any":
		node, p := m.node(shape.AwaitAny, "", pos, m.futures(args[1])...)
		m.blocks(node, p)
		p.push(m.ofNode("any", "", node, scopes(args[0])...))
	case "All":
		fs := m.futures(args[1])
		m.await(pos, fs...)
		var errs []*value
		for _, f := range fs {
			errs = append(errs, m.errorOf(pos, f, args[0]))
		}
		if len(errs) == 1 && errs[0].args[0].op == "future" {
			p.push(errs[0])
			return
		}
		p.push(m.val(pos, "call", "errors.Join", errs...))
	case "Collect":
		m.collect(pos, p, args)
	case "Go", "Map", "ForEach":
		m.coroutine(e, name, p, args)
	case "WithCancel", "WithTimeout":
		if name == "WithCancel" && m.idle(e) {
			ctx := m.make(value{op: "ctx", what: "own", args: scopes(args[0]), pos: pos})
			p.push(m.pair(pos, ctx, m.val(pos, "cancel", "")))
			return
		}
		var on []*value
		if name == "WithTimeout" {
			on = append(on, m.timer(e, args[0]))
		}
		node, p := m.node(shape.Scope, name, pos, append(on, scopes(args[0])...)...)
		node.shielded = isShielded(args[0])
		scope := m.ofNode("result", "", node)
		ctx := m.make(value{op: "ctx", args: []*value{scope}, pos: pos})
		p.push(m.pair(pos, ctx, m.val(pos, "cancel", "", scope)))
	case "CallHTTP":
		node, p := m.node(shape.Activity, "durable.HTTP", pos, args[1])
		f := m.future(node, args[0])
		m.await(pos, f)
		p.push(m.pair(pos, m.resultOf(pos, f, args[0]), m.errorOf(pos, f, args[0])))
	case "Context.NewUUID":
		node, p := m.node(shape.UUID, "", pos)
		p.push(m.ofNode("result", "", node))
	case "Context.Version": // with the id of a change
		node, p := m.node(shape.Marker, constText(args[1]), pos)
		p.push(m.ofNode("result", "", node))
	default:
		m.unknownRuntime(e, name, p, args)
	}
}

// unknownRuntime is what only generated code calls by itself, and what a newer runtime has.
func (m *machine) unknownRuntime(e *ast.CallExpr, name string, p *path, args []*value) {
	pos := e.Pos()
	wire := func(i int) string { return constText(m.field(pos, m.read(p, args[i]), "Name", 0)) }
	switch {
	case name == "StartActivity" && len(args) == 4:
		node, p := m.node(shape.Activity, wire(1), pos, args[2])
		p.push(m.future(node, args[0]))
	case name == "StartChild" && len(args) == 4:
		node, p := m.node(shape.Child, wire(1), pos, args[2])
		p.push(m.future(node, args[0]))
	case name == "ReceiveEvent":
		node, p := m.node(shape.Receive, constText(args[1]), pos)
		p.push(m.future(node, args[0]))
	case name == "SendEvent", name == "DeliverEvent":
		node, p := m.node(shape.Send, constText(args[2]), pos, args[1], args[3])
		f := m.future(node, args[0])
		if name == "SendEvent" {
			p.push(m.nothing(pos))
			return
		}
		m.await(pos, f)
		p.push(m.errorOf(pos, f, args[0]))
	case name == "ContinueWith":
		node, p := m.node(shape.Continue, "", pos, args[1:]...)
		p.push(m.ofNode("result", "", node))
	case name == "ContinueAs" && len(args) == 3:
		node, p := m.node(shape.Continue, wire(1), pos, args[2])
		p.push(m.ofNode("result", "", node))
	default:
		node, p := m.node(shape.Call, "durable."+name, pos, withoutContexts(flatten(args))...)
		m.blocks(node, p)
		p.push(m.ofNode("result", "", node))
	}
}

func constText(v *value) string {
	if v.lit != nil {
		return unquoted(v)
	}
	return "?"
}

// pureCall handles what takes no part in the history.
func (m *machine) pureCall(e *ast.CallExpr, name string, n int) bool {
	pos := e.Pos()
	var f func(p *path, args []*value) *value
	switch name {
	case "Context.Now":
		f = func(p *path, _ []*value) *value { return m.val(pos, "now", "", p.epoch) }
	case "Context.InstanceID", "Context.Name", "Context.Tags", "Context.ParentID", "Context.RootID", "Context.Replaying", "Context.OrchestratorVersion", "ScheduledTime":
		f = func(*path, []*value) *value { return m.val(pos, "info", name) }
	case "Context.Version":
		if n > 1 {
			return false
		}
		f = func(*path, []*value) *value { return m.val(pos, "info", name) }
	case "Context.Rand":
		f = func(*path, []*value) *value { return m.val(pos, "rand", "") }
	case "Context.Logger":
		f = func(*path, []*value) *value { return m.val(pos, "logger", "") }
	case "Context.SetStatus", "SetQueryHandler", "Timer.Stop":
		f = func(*path, []*value) *value { return m.nothing(pos) }
	case "Context.Err":
		f = func(p *path, args []*value) *value {
			return m.val(pos, "ctxerr", "", append([]*value{p.epoch}, scopes(args[0])...)...)
		}
	case "Context.Canceled":
		f = func(_ *path, args []*value) *value {
			own := ""
			if args[0].op == "ctx" {
				own = args[0].what // of a scope that is never cancelled by itself: another future than that around it
			}
			return m.val(pos, "canceled", own, scopes(args[0])...)
		}
	case "WithoutCancel":
		f = func(*path, []*value) *value { return m.make(value{op: "ctx", what: shielded, pos: pos}) }
	case "Future.Ready", "Timer.Fired":
		f = func(p *path, args []*value) *value { return m.ready(pos, p, args[0]) }
	case "On", "OnTimer":
		f = func(_ *path, args []*value) *value { return m.val(pos, "case", name, args...) }
	default:
		return false
	}
	m.each(func(p *path) { p.push(f(p, p.popN(n))) })
	return true
}

// ready is whether a future is complete. The first look at it needs no time: it is where it is in the flow.
func (m *machine) ready(pos token.Pos, p *path, f *value) *value {
	first := m.val(pos, "ready", "", f)
	if _, looked := p.knows(first); f.op == "future" && f.at.loop == m.loop() && !looked {
		return first
	}
	return m.val(pos, "ready", "", f, p.epoch)
}

// futures gives what a list of futures holds, or the list.
func (m *machine) futures(list *value) []*value {
	if list.op == "list" && list.what == "" {
		return list.args
	}
	return []*value{list}
}

func (m *machine) collect(pos token.Pos, p *path, args []*value) {
	fs := m.futures(args[1])
	m.await(pos, fs...)
	if args[1].op != "list" {
		p.push(m.pair(pos, m.resultOf(pos, args[1], args[0]), m.errorOf(pos, args[1], args[0])))
		return
	}
	var results, errs []*value
	for _, f := range fs {
		results = append(results, m.resultOf(pos, f, args[0]))
		errs = append(errs, m.errorOf(pos, f, args[0]))
	}
	p.push(m.pair(pos, m.val(pos, "list", "", results...), m.val(pos, "call", "errors.Join", errs...)))
}

// getWithin waits with a timer, unless what it waits for is there.
func (m *machine) getWithin(e *ast.CallExpr, n int) {
	p, args := m.effect(e.Pos(), n)
	if p == nil {
		return
	}
	pos, f, ctx := e.Pos(), args[0], args[1]
	there, not := m.part(p, pos, m.ready(pos, p, f))
	got := m.pair(pos, m.resultOf(pos, f, ctx), m.errorOf(pos, f, ctx))
	for _, q := range there {
		q.push(got)
	}
	var late []*path
	if len(not) > 0 {
		not, late = m.part(not[0], pos, m.positive(pos, args[2]))
	}
	m.cur = not
	if len(not) > 0 {
		timer := m.timer(e, ctx)
		node, q := m.node(shape.AwaitAny, "", pos, f, timer)
		m.blocks(node, q)
		in, vain := m.part(q, pos, m.equal(pos, m.ofNode("any", "", node), f))
		for _, q := range in {
			q.push(got)
		}
		there, late = append(there, in...), append(late, vain...)
	}
	for _, q := range late {
		zero := m.null(pos)
		if t := m.frame.info.TypeOf(e); t != nil {
			if tuple, ok := t.(interface{ Len() int }); ok && tuple.Len() == 2 {
				zero = m.zeroOfCall(e)
			}
		}
		q.push(m.pair(pos, zero, m.val(pos, "timeout", "")))
	}
	m.cur = m.fold(append(there, late...))
}

// positive reports whether there is a timer for a wait of at most d: for one that is not positive there is none. What is
// not a constant, or a choice of some, is taken as positive.
func (m *machine) positive(pos token.Pos, d *value) *value {
	switch {
	case d.lit != nil:
		return m.boolean(pos, constant.Sign(d.lit) > 0)
	case d.op == "if":
		return m.choose(pos, d.args[0], m.positive(pos, d.args[1]), m.positive(pos, d.args[2]))
	case d.op == "*" && d.args[1].lit != nil && constant.Sign(d.args[1].lit) > 0:
		return m.positive(pos, d.args[0])
	}
	return m.boolean(pos, true)
}

// selectCall waits for the first of its cases and runs its function.
func (m *machine) selectCall(e *ast.CallExpr, n int) {
	p, args := m.effect(e.Pos(), n)
	if p == nil {
		return
	}
	pos := e.Pos()
	cases := m.futures(args[1])
	var fs []*value
	for _, c := range cases {
		if c.op != "case" {
			node, p := m.node(shape.Call, "durable.Select", pos, args[1])
			m.blocks(node, p)
			p.push(m.ofNode("result", "", node))
			return
		}
		fs = append(fs, c.args[0])
	}
	node, p := m.node(shape.AwaitAny, "", pos, fs...)
	m.blocks(node, p)
	any := m.ofNode("any", "", node)
	rest, out := []*path{p}, []*path(nil)
	for i, c := range cases {
		if len(rest) == 0 {
			break
		}
		var yes []*path
		yes, rest = m.part(rest[0], pos, m.equal(pos, any, c.args[0]))
		m.cur = yes
		m.each(func(q *path) {
			q.push(m.integer(pos, int64(i)))
			if c.args[1].op != "func" {
				q.push(c.args[1])
			}
			q.push(args[0])
			if c.what == "On" {
				q.push(m.resultOf(pos, c.args[0], args[0]), m.errorOf(pos, c.args[0], args[0]))
			}
		})
		k := 1
		if c.what == "On" {
			k = 3
		}
		if c.args[1].op == "func" {
			m.invoke(c.args[1].fn, k, pos)
			m.each(func(q *path) { q.pop() })
		} else {
			m.opaqueCall(pos, calledValue, k+1, nil)
			m.each(func(q *path) { q.pop() })
		}
		out = append(out, m.cur...)
	}
	for _, q := range rest {
		q.push(m.integer(pos, -1))
	}
	m.cur = m.fold(append(out, rest...))
}

// cancel ends a scope. At the end of an orchestrator, when nothing else is deferred, that does nothing.
func (m *machine) cancel(e *ast.CallExpr, c *value) {
	last := !slices.ContainsFunc(m.cur, func(p *path) bool { return len(p.defers) > 0 })
	if m.parent == nil && m.deferring != nil && m.deferring == m.entry && last {
		m.pushAll(m.nothing(e.Pos()))
		return
	}
	p, _ := m.effect(e.Pos(), 0)
	if p == nil {
		return
	}
	node, p := m.node(shape.Scope, "cancel", e.Pos(), c.args...)
	m.blocks(node, p)
	p.push(m.nothing(e.Pos()))
}
