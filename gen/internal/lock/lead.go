package lock

import "slices"

// mostLaps is how often a loop is read to see what changes in it.
const mostLaps = 8

// begin is what a variable that changes in a loop is at its head. Pointers and functions stay what they are, as long as no
// round has been seen to change them (loose): what is written through them has to come to where they lead.
func (l *loop) begin(m *machine, q *path, v *value, loose bool) *value {
	switch {
	case v.op == "struct":
		args := make([]*value, len(v.args))
		for i, a := range v.args {
			args[i] = l.begin(m, q, a, loose)
		}
		return m.make(value{op: "struct", what: v.what, args: args, pos: v.pos, typ: v.typ})
	case !loose && leadsElsewhere(v, map[*value]bool{}):
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
		l.loose = map[*cell]bool{}
	}
	before := len(l.loose)
	for c, h := range l.phis {
		for _, q := range l.back {
			if c != nil && !l.loose[c] && !l.kept(m, h, q.vars[c]) {
				l.loose[c] = true
			}
		}
	}
	return len(l.loose) > before
}

// kept reports whether what leads elsewhere at the head of a loop is the same after a round.
func (l *loop) kept(m *machine, head, v *value) bool {
	switch {
	case v == nil || head.class == v.class || head.op == "phi":
		return true
	case head.op != "struct":
		return false
	}
	for i, a := range head.args {
		if !l.kept(m, a, m.part2(v, head, i)) {
			return false
		}
	}
	return true
}
