package lock

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// lambdaValue writes a function: what it returns if it does no more than to decide that, else a hash of it.
func (e *emitter) lambdaValue(v *value, out *shape.Value) {
	out.Op, out.Func = "func", e.within(v.body)
	if v.body.name != "" {
		e.namedValue(v, out)
		return
	}
	if returned, gates := v.body.decided(); returned != nil {
		for phi, gate := range gates {
			e.alias[phi] = gate
		}
		out.Args = e.values(returned)
		return
	}
	if _, written := e.bodies[v.body.sum]; v.body.sum != "" && (written || e.bodies == nil) {
		out.Sum = v.body.sum
		return
	}
	numbered := v.body.numbered()
	flow, imports := v.body.emitFrom(0, e.bodies)
	flow = shape.Canonical(flow)
	out.Sum = sumOf(flow)
	e.tell(out.Sum, v.body, flow)
	out.Args = e.values(imports)
	if len(imports) == 0 && v.body.numbered() == numbered {
		v.body.sum = out.Sum
	}
}

// lose notes a change that a flow does not have: a function in which there is one is told by a hash only.
func (m *machine) lose() {
	for ; m != nil; m = m.parent {
		m.lost = true
	}
}

// complete reports whether a flow was read to its ends: where there was too much of it, ways lead nowhere.
func complete(flow shape.Flow) bool {
	return !slices.ContainsFunc(flow.Nodes, func(n shape.Node) bool {
		ways := 1
		switch n.Kind {
		case shape.Branch:
			ways = 2
		case shape.Return, shape.Panic:
			ways = 0
		}
		return len(n.Next) != ways || slices.ContainsFunc(n.Bodies, func(b shape.Flow) bool { return !complete(b) })
	})
}

// within is in how many functions one lies that is a value, itself not included. In one that is told by a hash they are
// counted from there; one that takes nothing from around it may be counted from elsewhere, and then has a number that no
// other has.
func (e *emitter) within(m *machine) int {
	const many = 16
	n := m.level - 1 - e.level
	if n < 0 {
		n += many
	}
	return max(n, 0)
}

const mostDecided = 60 // nodes of a function that is written as values, and phis in it

// decision makes values of a function that only chooses what it returns.
type decision struct {
	m       *machine
	seen    map[*node]bool // false: it is on the way
	returns []*node
	phis    []*value
}

// decided gives what a function returns, and what stands for the phis in that: choices by the conditions under which the
// ways are gone that meet there. nil: it does more, or there is too much of it.
func (m *machine) decided() (returned []*value, gates map[*value]*value) {
	d := &decision{m: m, seen: map[*node]bool{}}
	entry := edge{m.nodes[0], 0}
	if !d.only(entry.from.next[0]) || !d.alike() {
		return nil, nil
	}
	gates = map[*value]*value{}
	for _, phi := range d.phis {
		if v := d.value(entry, func(at edge) *value { return fed(phi, at) }, map[*node]*value{}); v != nil {
			gates[phi] = v
		}
	}
	returned = make([]*value, len(d.returns[0].args))
	for i := range returned {
		returned[i] = d.value(entry, func(at edge) *value {
			if n := at.from.next[at.out]; n.kind == shape.Return {
				return n.args[i]
			}
			return nil
		}, map[*node]*value{})
	}
	return returned, gates
}

// only reports whether nothing but decisions comes from a node on, without a way back.
func (d *decision) only(n *node) bool {
	if n == nil || len(d.seen) > mostDecided || len(d.phis) > mostDecided {
		return false
	}
	if done, seen := d.seen[n]; seen {
		return done
	}
	d.seen[n] = false
	switch n.kind {
	case shape.Return:
		d.returns = append(d.returns, n)
	case shape.Join:
		d.phis = append(d.phis, n.phis...)
	case shape.Branch:
	default:
		return false
	}
	if slices.ContainsFunc(n.next, func(next *node) bool { return !d.only(next) }) {
		return false
	}
	d.seen[n] = true
	return true
}

// alike reports whether all ways give back as much, and if there are several leave nothing changed beside it.
func (d *decision) alike() bool {
	first := d.returns[0]
	if len(d.returns) == 1 && len(d.seen) == 1 {
		return true
	}
	return !d.m.stores && len(d.m.outs) == 0 && !slices.ContainsFunc(d.returns, func(n *node) bool {
		return len(n.args) != len(first.args) || slices.ContainsFunc(n.args, func(v *value) bool { return v.op == "left" })
	})
}

// value is what of gives at the ends of the ways, by the conditions on them. nil is an end that does not matter.
func (d *decision) value(at edge, of func(edge) *value, done map[*node]*value) *value {
	if v := of(at); v != nil {
		return v
	}
	n := at.from.next[at.out]
	if v, ok := done[n]; ok {
		return v
	}
	var v *value
	switch n.kind {
	case shape.Join:
		v = d.value(edge{n, 0}, of, done)
	case shape.Branch:
		yes, no := d.value(edge{n, 0}, of, done), d.value(edge{n, 1}, of, done)
		switch {
		case yes == nil:
			v = no
		case no == nil:
			v = yes
		default:
			v = d.m.choose(n.pos, n.args[0], yes, no)
		}
	}
	done[n] = v
	return v
}

// fed is what a phi becomes on a way into its join; nil: it is none.
func fed(phi *value, at edge) *value {
	if i := slices.Index(phi.at.in, at); i >= 0 && i < len(phi.args) {
		return phi.args[i]
	}
	return nil
}
