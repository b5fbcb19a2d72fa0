package lock

import (
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// node is a step of a flow while it is being read.
type node struct {
	id       int
	kind     shape.NodeKind
	target   string
	args     []*value
	loose    bool
	bytes    bool // arguments are compared by their bytes
	shielded bool // nothing cancels its Context
	bodies   []*machine
	result   types.Type
	owner    *machine
	next     []*node
	in       []edge   // of a join
	phis     []*value // of a join
	prev     edge     // of everything else
	loop     *loop    // in which it is
	pos      token.Pos
	calls    []token.Pos // of named functions, through which it was come to, the outermost first
	gone     bool        // the head of a loop that values were made of
	late     bool        // it was deferred, or is a compensation
}

type edge struct {
	from *node
	out  int
}

// path is one way on which the program may have come to where it is being read.
type path struct {
	edge
	vars   map[*cell]*value
	stack  []*value
	facts  map[int]bool   // by class of a condition
	same   map[int]*value // by class of a value: the constant that it is
	epoch  *value         // what the clock and futures depend on
	panics token.Pos      // where it has panicked
	raised []token.Pos    // of the calls whose deferred ones run: where they have panicked, if that is not recovered
	defers []deferred
	forked bool             // others may run by now that share variables
	known  map[*cell]*value // what places in memory hold, as long as nobody else can have run
}

func (p *path) push(vs ...*value) { p.stack = append(p.stack, vs...) }

func (p *path) pop() *value {
	v := p.stack[len(p.stack)-1]
	p.stack = p.stack[:len(p.stack)-1]
	return v
}

func (p *path) popN(n int) []*value {
	vs := append([]*value(nil), p.stack[len(p.stack)-n:]...)
	p.stack = p.stack[:len(p.stack)-n]
	return vs
}

func (p *path) fork(at edge) *path {
	q := &path{edge: at, epoch: p.epoch, panics: p.panics, forked: p.forked, vars: make(map[*cell]*value, len(p.vars)), facts: make(map[int]bool, len(p.facts)+1)}
	for c, v := range p.vars {
		q.vars[c] = v
	}
	for c, b := range p.facts {
		q.facts[c] = b
	}
	if p.same != nil {
		q.same = make(map[int]*value, len(p.same))
		for c, v := range p.same {
			q.same[c] = v
		}
	}
	q.known = maps.Clone(p.known)
	q.stack = append(q.stack, p.stack...)
	q.raised = append(q.raised, p.raised...)
	q.defers = append(q.defers, p.defers...)
	return q
}

// learn notes that a condition is true or false.
func (p *path) learn(cond *value, is bool) {
	p.facts[cond.class] = is
	if is && cond.op == "==" && cond.args[1].isConst() {
		if p.same == nil {
			p.same = map[int]*value{}
		}
		p.same[cond.args[0].class] = cond.args[1]
	}
}

// knows gives a condition's truth.
func (p *path) knows(cond *value) (is, known bool) {
	if is, known = cond.truth(); known {
		return is, true
	}
	if cond.op == "not" {
		is, known = p.knows(cond.args[0])
		return !is, known
	}
	if is, known = p.facts[cond.class]; known {
		return is, true
	}
	if cond.op == "==" && cond.args[1].lit != nil {
		if c := p.same[cond.args[0].class]; c != nil && c.class != cond.args[1].class {
			return false, true
		}
	}
	return false, false
}

// attach puts n where p stands.
func (m *machine) attach(p *path, n *node) {
	p.from.next[p.out] = n
	if n.kind == shape.Join {
		n.in = append(n.in, p.edge)
	} else {
		n.prev = p.edge
	}
}

func (m *machine) newNode(kind shape.NodeKind, pos token.Pos, ways int) *node {
	n := &node{id: len(m.nodes), owner: m, kind: kind, pos: pos, next: make([]*node, ways), calls: slices.Clip(m.calls), late: m.deferring != nil || m.undoing}
	m.nodes = append(m.nodes, n)
	return n
}

// branch parts the current paths by the condition on their stacks.
func (m *machine) branch(pos token.Pos) (yes, no []*path) {
	var open [][]*path // that are to be parted by the same condition
	var conds []*value
	for _, p := range m.cur {
		cond := m.resolve(p, p.pop())
		if _, known := p.knows(cond); known {
			y, n := m.part(p, pos, cond)
			yes, no = append(yes, y...), append(no, n...)
			continue
		}
		i := slices.IndexFunc(conds, func(c *value) bool { return c.class == cond.class })
		if i < 0 {
			open, conds = append(open, nil), append(conds, cond)
			i = len(conds) - 1
		}
		open[i] = append(open[i], p)
	}
	for i, paths := range open {
		p := paths[0]
		if len(paths) > 1 {
			p = m.join(pos, paths, nil)
		}
		y, n := m.part(p, pos, conds[i])
		yes, no = append(yes, y...), append(no, n...)
	}
	return yes, no
}

func (m *machine) part(p *path, pos token.Pos, cond *value) (yes, no []*path) {
	if is, known := p.knows(cond); known {
		if is {
			return []*path{p}, nil
		}
		return nil, []*path{p}
	}
	switch cond.op {
	case "not":
		no, yes = m.part(p, pos, cond.args[0])
		return yes, no
	case "if": // a && b, a || b: one after the other
		a, b := m.part(p, pos, cond.args[0])
		for _, q := range a {
			y, n := m.part(q, pos, m.resolve(q, cond.args[1]))
			yes, no = append(yes, y...), append(no, n...)
		}
		for _, q := range b {
			y, n := m.part(q, pos, m.resolve(q, cond.args[2]))
			yes, no = append(yes, y...), append(no, n...)
		}
		return yes, no
	}
	n := m.newNode(shape.Branch, pos, 2)
	n.args = []*value{m.firm(p, cond)}
	m.attach(p, n)
	y, f := p.fork(edge{n, 0}), p.fork(edge{n, 1})
	y.learn(cond, true)
	f.learn(cond, false)
	return []*path{y}, []*path{f}
}

// fold takes back the branches whose two ways have come together with nothing on them: their values are choices.
func (m *machine) fold(paths []*path) []*path {
	for again := true; again; {
		again = false
		for i, a := range paths {
			if a.from.kind != shape.Branch || a.out != 0 {
				continue
			}
			for j, b := range paths {
				if b.from == a.from && b.out == 1 && m.foldable(a, b) {
					paths[i] = m.foldPair(a, b)
					paths = append(paths[:j:j], paths[j+1:]...)
					again = true
					break
				}
			}
			if again {
				break
			}
		}
	}
	return paths
}

func (m *machine) foldable(a, b *path) bool {
	return len(a.stack) == len(b.stack) && a.panics == b.panics && slices.Equal(a.raised, b.raised) && slices.EqualFunc(a.defers, b.defers, deferred.same)
}

func (m *machine) foldPair(a, b *path) *path {
	n := a.from
	cond := n.args[0]
	m.keepCaptured([]*path{a, b})
	m.keepReached([]*path{a, b})
	p := a.fork(n.prev)
	p.forked = a.forked || b.forked
	n.prev.from.next[n.prev.out] = nil
	m.keepCommon(p, a, b)
	for c, v := range p.vars {
		if w := b.vars[c]; w.class != v.class {
			p.vars[c] = m.choose(n.pos, cond, v, w)
		}
	}
	for i := range p.stack {
		if p.stack[i].class != b.stack[i].class {
			p.stack[i] = m.choose(n.pos, cond, p.stack[i], b.stack[i])
		}
	}
	if a.epoch.class != b.epoch.class {
		p.epoch = m.choose(n.pos, cond, a.epoch, b.epoch)
	}
	return p
}

// keepCommon leaves in p what all paths have: variables and facts.
func (m *machine) keepCommon(p *path, all ...*path) {
	for _, q := range all {
		for c := range p.vars {
			if q.vars[c] == nil {
				delete(p.vars, c)
			}
		}
		for c, v := range p.known {
			if w := q.known[c]; w == nil || w.class != v.class {
				delete(p.known, c)
			}
		}
		for c, is := range p.facts {
			if other, ok := q.facts[c]; !ok || other != is {
				delete(p.facts, c)
			}
		}
		for c, v := range p.same {
			if other := q.same[c]; other == nil || other.class != v.class {
				delete(p.same, c)
			}
		}
	}
}

// merge makes one path of the current ones, as every node needs it.
func (m *machine) merge(pos token.Pos) {
	m.cur = m.fold(m.cur)
	if len(m.cur) > 1 {
		m.cur = []*path{m.join(pos, m.cur, nil)}
	}
}

// join lets ways meet. What of the cells in loop, which change in a loop that begins here, is a phi in any case.
func (m *machine) join(pos token.Pos, paths []*path, loop func(*cell, *value) bool) *path {
	n := m.newNode(shape.Join, pos, 1)
	m.keepOperands(paths)
	if loop == nil {
		m.keepCaptured(paths)
		m.keepReached(paths)
	}
	p := paths[0].fork(edge{n, 0})
	m.keepCommon(p, paths...)
	if loop != nil {
		p.known = nil // a round may change it
	}
	p.forked = loop != nil && m.forks // an earlier round may have done it
	for _, q := range paths {
		p.forked = p.forked || q.forked
		m.attach(q, n)
	}
	p.defers = m.deferrals(n, paths)
	for _, c := range m.sortedCells(p.vars) {
		if loop == nil && p.vars[c].choice { // what a way has decided
			for _, q := range paths {
				q.vars[c] = m.resolve(q, q.vars[c])
			}
			p.vars[c] = paths[0].vars[c]
		}
		if same(paths, func(q *path) *value { return q.vars[c] }) && (loop == nil || !loop(c, p.vars[c])) {
			continue
		}
		p.vars[c] = m.phi(n, paths, func(q *path) *value { return q.vars[c] })
	}
	for i := range p.stack {
		if !same(paths, func(q *path) *value { return q.stack[i] }) {
			p.stack[i] = m.phi(n, paths, func(q *path) *value { return q.stack[i] })
		}
	}
	if loop != nil && loop(nil, p.epoch) || !same(paths, func(q *path) *value { return q.epoch }) {
		p.epoch = m.phi(n, paths, func(q *path) *value { return q.epoch })
	}
	return p
}

func same(paths []*path, of func(*path) *value) bool {
	for _, q := range paths[1:] {
		if of(q).class != of(paths[0]).class {
			return false
		}
	}
	return true
}

// phi is the value that depends on the way to a join. Of structs it is one for each field.
func (m *machine) phi(n *node, paths []*path, of func(*path) *value) *value {
	first := of(paths[0])
	if ref := m.meet(n, paths, of); ref != nil {
		return ref
	}
	structs, typ := first.op == "struct", first.typ
	for _, q := range paths {
		if of(q).typ != typ {
			typ = nil
		}
		structs = structs && of(q).op == "struct" && of(q).what == first.what
	}
	if structs {
		args := make([]*value, len(first.args))
		for i := range args {
			field := func(q *path) *value { return of(q).args[i] }
			if len(paths) > 1 && same(paths, field) {
				args[i] = field(paths[0])
				continue
			}
			args[i] = m.phi(n, paths, field)
		}
		return m.make(value{op: "struct", what: first.what, args: args, pos: first.pos, typ: typ})
	}
	v := &value{op: "phi", at: n, class: m.classes.fresh(), owner: m, pos: first.pos}
	for _, q := range paths {
		v.args = append(v.args, m.settled(q, of(q)))
	}
	n.phis = append(n.phis, v)
	return v
}

// settled is a value that outlives its path: what may be one place or another is what is in it.
func (m *machine) settled(q *path, v *value) *value {
	if v == nil {
		return nil
	}
	for _, c := range m.reach(q, v) {
		c.split = true
	}
	keeping := m.keeping
	m.keeping = true
	defer func() { m.keeping = keeping }()
	return m.freeze(q, v)
}
