package lock

import "slices"

// mostLaps is how often a loop is read to see what changes in it.
const mostLaps = 8

// begin is what a variable that changes in a loop is at its head. Pointers and functions stay what they are, as long as no
// round has been seen to change them (loose): what is written through them has to come to where they lead.
func (l *loop) begin(m *machine, q *path, v *value, c *cell) *value {
	switch {
	case v.op == "struct":
		args := make([]*value, len(v.args))
		for i, a := range v.args {
			args[i] = l.begin(m, q, a, c)
		}
		return m.make(value{op: "struct", what: v.what, args: args, pos: v.pos, typ: v.typ})
	case v.op == "ref" && l.moves[c] && !l.loose[c]:
		at := v.indices()
		return m.moved(v, func(i int) *value { return l.begin(m, q, at[i], c) })
	case !l.loose[c] && leadsElsewhere(v, map[*value]bool{}):
		return v
	}
	return m.phi(l.head, []*path{q}, func(*path) *value { return v })
}

// leadsElsewhere reports whether there is a pointer to a variable, or a function, in a value.
func leadsElsewhere(v *value, seen map[*value]bool) bool {
	switch {
	case v.op == "ref", v.op == "func":
		return true
	case v.op == "phi", v.op == "mu", seen[v]:
		return false
	}
	seen[v] = true
	return slices.ContainsFunc(v.args, func(a *value) bool { return leadsElsewhere(a, seen) })
}

// loosen finds the variables in which a round has changed what leads elsewhere, and reports whether there are more than
// before.
func (l *loop) loosen(m *machine) bool {
	if l.loose == nil {
		l.loose, l.moves = map[*cell]bool{}, map[*cell]bool{}
	}
	before := len(l.loose) + len(l.moves)
	for c, h := range l.phis {
		for _, q := range l.back {
			switch v := q.vars[c]; {
			case c == nil || l.loose[c] || l.kept(m, h, v, false):
			case l.kept(m, h, v, true):
				l.moves[c] = true
			default:
				l.loose[c] = true
			}
		}
	}
	return len(l.loose)+len(l.moves) > before
}

// kept reports whether what leads elsewhere at the head of a loop is the same after a round. moving: or to another element.
func (l *loop) kept(m *machine, head, v *value, moving bool) bool {
	switch {
	case v == nil || head.class == v.class || head.op == "phi":
		return true
	case head.op == "ref":
		return moving && alike(head, v)
	case head.op != "struct":
		return false
	}
	for i, a := range head.args {
		if !l.kept(m, a, m.part2(v, head, i), moving) {
			return false
		}
	}
	return true
}
