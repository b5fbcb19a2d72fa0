package shape

import (
	"go/token"
	"slices"
	"strings"
)

// sameTarget compares what two nodes are of. A name of before is what the new code takes it for.
func (w *walk) sameTarget(o, n *Node) bool {
	if o.Kind == Scope && o.Target != n.Target {
		return false
	}
	a, b := o.Target, n.Target
	switch o.Kind {
	case Send, Receive:
		return eventName(a) == eventName(b)
	case Activity:
		return a == b || w.j.new.canonical(Activity, a) == w.j.new.canonical(Activity, b)
	case Child:
		return a == b || w.j.new.canonical(Child, a) == w.j.new.canonical(Child, b)
	case Go:
		each := func(target string) bool { return target == "map" || target == "foreach" }
		return a == b || each(a) && each(b)
	case Timer, Await, AwaitAny, Return, Continue, Panic:
		return true
	}
	return a == b
}

// canonical gives the present wire name of a name or alias.
func (l *Lock) canonical(kind NodeKind, name string) string {
	if kind == Activity {
		if e := find(l.Activities, name); e != nil {
			return e.Name
		}
		return name
	}
	if o := l.orchestrator(name); o != nil {
		return o.Name
	}
	if e := find(l.Children, name); e != nil {
		return e.Name
	}
	return name
}

func (l *Lock) orchestrator(name string) *Orchestrator {
	for i := range l.Orchestrators {
		if l.Orchestrators[i].Name == name {
			return &l.Orchestrators[i]
		}
	}
	for i := range l.Orchestrators {
		if slices.Contains(l.Orchestrators[i].Aliases, name) {
			return &l.Orchestrators[i]
		}
	}
	return nil
}

// paramsOf gives the parameters of what a node calls, nil when this lock does not know it.
func (l *Lock) paramsOf(kind NodeKind, target string) []Param {
	switch kind {
	case Activity:
		if e := find(l.Activities, target); e != nil {
			return e.Params
		}
	case Child:
		if o := l.orchestrator(target); o != nil {
			return o.Params
		}
		if e := find(l.Children, target); e != nil {
			return e.Params
		}
	}
	return nil
}

// freshEvent reports whether an event was declared with this change: no instance of the old code can have got one.
func (j *judgement) freshEvent(name string) bool {
	is := func(e Endpoint) bool { return eventName(e.Name) == name }
	return slices.ContainsFunc(j.new.Events, is) && !slices.ContainsFunc(j.old.Events, is) && !slices.ContainsFunc(j.new.Events, func(e Endpoint) bool { return is(e) && len(e.Aliases) > 0 }) &&
		!slices.ContainsFunc(j.old.Orchestrators, func(o Orchestrator) bool { return o.Flow.names(name) })
}

// names reports whether a flow sends or receives an event.
func (f *Flow) names(event string) bool {
	return slices.ContainsFunc(f.Nodes, func(n Node) bool {
		return (n.Kind == Receive || n.Kind == Send) && eventName(n.Target) == event ||
			slices.ContainsFunc(n.Bodies, func(b Flow) bool { return b.names(event) })
	})
}

// under reports whether path is outer or within it.
func under(path, outer string) bool {
	return outer == "" || path == outer || strings.HasPrefix(path, outer+".") || strings.HasPrefix(path, outer+"[")
}

// firstChange finds the first node of the new flow that is not as in the old one, and tells whether anything differs.
func firstChange(old, now *Flow) (token.Position, bool) {
	a, err := newGraph(old)
	if err != nil {
		return token.Position{}, true
	}
	b, err := newGraph(now)
	if err != nil {
		return token.Position{}, true
	}
	w := &walk{old: a, new: b}
	return w.firstChange()
}

func (w *walk) firstChange() (token.Position, bool) {
	p := w.pairing()
	for i := range w.new.Nodes {
		n := &w.new.Nodes[i]
		if i >= len(w.old.Nodes) {
			return n.Pos, true
		}
		o := &w.old.Nodes[i]
		if o.Kind != n.Kind || o.Target != n.Target || len(o.Bodies) != len(n.Bodies) || !slices.Equal(o.Next, n.Next) {
			return n.Pos, true
		}
		if !slices.EqualFunc(o.Args, n.Args, func(x, y int) bool { return p.a[x] == p.b[y] }) {
			return n.Pos, true
		}
		for k := range n.Bodies {
			inner := &walk{old: w.old.inner[&o.Bodies[k]], new: w.new.inner[&n.Bodies[k]]}
			if pos, differs := inner.firstChange(); differs {
				return pos, true
			}
		}
	}
	if len(w.old.Nodes) > len(w.new.Nodes) && len(w.new.Nodes) > 0 {
		return w.new.Nodes[len(w.new.Nodes)-1].Pos, true
	}
	return token.Position{}, len(w.old.Nodes) != len(w.new.Nodes)
}

func findEvent(list []Endpoint, name string) *Endpoint {
	for i := range list {
		if eventName(list[i].Name) == eventName(name) {
			return &list[i]
		}
	}
	return nil
}
