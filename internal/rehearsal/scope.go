package rehearsal

import (
	"cmp"
	"strconv"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/shape"
)

// in is the scope of what takes a slot at the node at which the run stands. After a cancellation a scenario may pretend that this is
// shielded: then more is seen of what the program computes. What differs only then is no difference, see [Rehearse].
func (r *run) in() *engine.Scope {
	if s := r.known(); s != nil {
		return s
	}
	if !r.s.plain && r.co.Cause(nil) != nil {
		n := &r.p.flow.Nodes[r.at]
		name := string(n.Kind) + " " + n.Target
		r.m.shielded[name]++
		if r.s.yes("shielded "+name+" "+strconv.Itoa(r.m.shielded[name]), r.s.shields) {
			r.s.pretends = true
			return r.co.Detached()
		}
	}
	return r.scope
}

// known is the scope that a flow tells of the node at which the run stands, nil if it is that around it.
func (r *run) known() *engine.Scope {
	if r.p.flow.Nodes[r.at].Shielded {
		return r.co.Detached()
	}
	if v := r.p.scopes[r.at]; v >= 0 {
		s, _ := r.of(v, r.base).(*engine.Scope)
		return s
	}
	return nil
}

// newScope makes a Context that something cancels, or cancels one.
func (r *run) newScope(n *shape.Node) any {
	args := r.whole(n.Args)
	var parent *engine.Scope
	if len(args) > 0 {
		parent, _ = args[len(args)-1].(*engine.Scope)
	}
	if parent == nil && n.Target != "cancel" {
		parent = cmp.Or(r.known(), r.scope)
	}
	switch n.Target {
	case "cancel":
		if parent != nil {
			r.co.CancelScope(parent, &history.Failure{Kind: history.FailCanceled, Message: "canceled"})
		}
		return nil
	case "WithTimeout":
		scope := r.co.Scope(parent)
		if timer, ok := args[0].(*engine.Future); ok {
			r.co.Go(func(co *engine.Coroutine) {
				co.Await(timer)
				if _, failure := timer.Result(); !timer.Stopped() && failure == nil {
					co.CancelScope(scope, &history.Failure{Kind: history.FailTimeout, Message: "timeout"})
				}
			})
		}
		return scope
	}
	return r.co.Scope(parent)
}
