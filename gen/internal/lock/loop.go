package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// loop is one loop while it is being read.
type loop struct {
	pos    token.Pos
	label  string
	frame  *frame
	owner  *machine
	parent *loop // the innermost one around it
	pure   bool  // it only computes: values have been made of it
	cond   func() (yes, no []*path)
	body   func()
	post   func()

	entry   *path
	head    *node
	phis    map[*cell]*value // nil key: the epoch
	counter *value
	counted token.Pos // where a variable is counted on that the counter stands for
	back    []*path
	exits   []*path
	defers  bool           // a round may defer something and be followed by another
	loose   map[*cell]bool // what leads elsewhere in them changes in the loop
	moves   map[*cell]bool // pointers in them go from one element of a list to another in the loop
}

func (m *machine) forStmt(s *ast.ForStmt, label string) {
	if s.Init != nil {
		m.stmt(s.Init, "")
	}
	own := m.ownVariables(s)
	m.runLoop(&loop{
		pos: s.Pos(), label: label,
		cond: func() (yes, no []*path) {
			if s.Cond == nil {
				return m.cur, nil
			}
			return m.cond(s.Cond)
		},
		body: func() {
			own.begin(m)
			m.block(s.Body.List)
		},
		post: func() {
			own.end(m)
			if s.Post != nil {
				m.stmt(s.Post, "")
			}
		},
	})
}

// ownVariables are those that every round of a loop has a copy of, which closures and pointers may keep.
type ownVariables struct {
	objects     []types.Object
	outer, copy []*cell
}

func (m *machine) ownVariables(s *ast.ForStmt) *ownVariables {
	own := &ownVariables{}
	init, ok := s.Init.(*ast.AssignStmt)
	if !ok || init.Tok != token.DEFINE || !escapes(s.Body) {
		return own
	}
	for _, e := range init.Lhs {
		if id, ok := e.(*ast.Ident); ok && m.frame.cells[m.frame.info.Defs[id]] != nil {
			obj := m.frame.info.Defs[id]
			own.objects, own.outer = append(own.objects, obj), append(own.outer, m.frame.cells[obj])
		}
	}
	own.copy = make([]*cell, len(own.objects))
	return own
}

func (own *ownVariables) begin(m *machine) {
	for i, obj := range own.objects {
		own.copy[i] = m.declare(obj)
		m.each(func(p *path) { m.store(p, own.copy[i], m.load(p, own.outer[i])) })
	}
}

func (own *ownVariables) end(m *machine) {
	for i, obj := range own.objects {
		m.each(func(p *path) { m.store(p, own.outer[i], m.load(p, own.copy[i])) })
		m.frame.cells[obj] = own.outer[i]
	}
}

// rangeStmt reads a range loop as one that counts from 0.
func (m *machine) rangeStmt(s *ast.RangeStmt, label string) {
	coll, size, at := m.newCell(), m.newCell(), m.newCell()
	t := m.exprType(s.X)
	basic, isBasic := t.Underlying().(*types.Basic)
	_, isMap := t.Underlying().(*types.Map)
	_, isIter := t.Underlying().(*types.Signature)
	if _, isSlice := t.Underlying().(*types.Slice); isSlice || isMap {
		coll.typ = t
	}
	m.eval(s.X)
	if isIter {
		m.iterator(s)
	} else {
		coll.typ = t
	}
	isString := isBasic && basic.Info()&types.IsString != 0
	looked := isMap || isIter || isString || s.Value != nil && !isBlank(s.Value) // at what it goes over
	m.each(func(p *path) {
		c := m.read(p, p.pop())
		p.vars[at] = m.integer(s.Pos(), 0)
		switch {
		case isString:
			p.vars[size] = m.val(s.X.Pos(), "runes", "", c)
		case isBasic:
			p.vars[size] = c
		case !isMap:
			p.vars[size] = m.length(s.X.Pos(), c, false)
		}
		if looked {
			p.vars[coll] = c
		}
	})
	count := func(p *path) *value {
		if isMap { // it may grow and shrink
			return m.length(s.X.Pos(), m.load(p, coll), false)
		}
		return m.load(p, size)
	}
	m.runLoop(&loop{
		pos: s.Pos(), label: label,
		cond: func() (yes, no []*path) {
			m.each(func(p *path) { p.push(m.less(s.X.Pos(), m.load(p, at), count(p), true)) })
			return m.branch(s.X.Pos())
		},
		body: func() {
			m.each(func(p *path) {
				i := m.load(p, at)
				key, elem := i, i
				if !looked {
					p.push(key, elem)
					return
				}
				c := m.load(p, coll)
				switch {
				case isString:
					key, elem = m.val(s.Pos(), "runeat", "", c, i), m.val(s.Pos(), "rune", "", c, i)
				case isMap:
					key = m.val(s.Pos(), "key", "", c, i)
					elem = m.index(s.Pos(), c, key)
				case isIter:
					key, elem = m.val(s.Pos(), "item", "0", c, i), m.val(s.Pos(), "item", "1", c, i)
				case !isBasic:
					elem = m.index(s.X.Pos(), c, i)
				}
				p.push(key, elem)
			})
			m.rangeVars(s)
			m.block(s.Body.List)
		},
		post: func() {
			m.each(func(p *path) { p.vars[at] = m.add(s.Pos(), m.load(p, at), m.integer(s.Pos(), 1)) })
		},
	})
}

// rangeVars stores the key and the element on the stack.
func (m *machine) rangeVars(s *ast.RangeStmt) {
	for _, e := range []ast.Expr{s.Value, s.Key} {
		if e == nil || isBlank(e) {
			m.each(func(p *path) { p.pop() })
			continue
		}
		if id, ok := e.(*ast.Ident); ok && s.Tok == token.DEFINE {
			c := m.declare(m.frame.info.Defs[id])
			m.each(func(p *path) { m.store(p, c, p.pop()) })
			continue
		}
		m.place(e)
		m.each(func(p *path) {
			ref := p.pop()
			m.write(p, ref, p.pop())
		})
	}
}

// mark is what has to be taken back when a loop is read again.
type mark struct {
	nodes, stored int
	returns       []int
	breaks        []int
	continues     []int
}

func (m *machine) mark() mark {
	k := mark{nodes: len(m.nodes), stored: len(m.root().stored)}
	for _, f := range m.active {
		k.returns = append(k.returns, len(f.returns))
	}
	for _, t := range m.targets {
		k.breaks, k.continues = append(k.breaks, len(t.breaks)), append(k.continues, len(t.continues))
	}
	return k
}

func (m *machine) rollBack(k mark) {
	m.nodes = m.nodes[:k.nodes]
	m.root().stored = m.root().stored[:k.stored]
	for i, f := range m.active {
		f.returns = f.returns[:k.returns[i]]
	}
	for i, t := range m.targets {
		t.breaks, t.continues = t.breaks[:k.breaks[i]], t.continues[:k.continues[i]]
	}
}

// enclosing is the innermost loop in which the machine reads. A function that is a value is in that in which it was made.
func (m *machine) enclosing() *loop {
	if l := m.loop(); l != nil {
		return l
	}
	return m.around
}

// runLoop reads a loop once to see what changes in it, and once more for good.
func (m *machine) runLoop(l *loop) {
	m.merge(l.pos)
	if len(m.cur) == 0 {
		return
	}
	l.entry, l.frame, l.owner, l.parent = m.cur[0], m.frame, m, m.enclosing()
	k := m.mark()
	if m.unroll(l, k) {
		return
	}
	m.loops = append(m.loops, l)
	defer func() { m.loops = m.loops[:len(m.loops)-1] }()
	m.probing++
	m.lap(l, func(*cell) bool { return true }, nil)
	m.probing--
	changed, counts := l.changed(m, func(*cell) bool { return false })
	l.loosen(m)
	m.findDefers(l)
	if m.probing > 0 {
		l.restore(m, k)
		m.cur = m.fold(l.exits)
		return
	}
	for try := 0; ; try++ {
		m.rollBack(k)
		m.lap(l, func(c *cell) bool { return changed[c] && counts[c] == nil }, counts)
		more, _ := l.changed(m, func(c *cell) bool { return changed[c] })
		if loosened := l.loosen(m); len(more) == 0 && !loosened || try == mostLaps {
			break
		}
		for c := range more {
			changed[c] = true
		}
	}
	if !m.compute(l, k) {
		l.close(m)
	}
	m.cur = m.fold(l.exits)
}

// findDefers finds out whether a loop that was read to see defers something in a round that is followed by another. What
// it defers then is told by one entry, which is there before it.
func (m *machine) findDefers(l *loop) {
	more := func(q *path) bool { return !slices.EqualFunc(q.defers, l.entry.defers, deferred.same) }
	if !slices.ContainsFunc(l.back, more) {
		return
	}
	for _, outer := range m.loops {
		outer.defers = outer.defers || outer.frame == l.frame
	}
	if m.probing == 0 {
		l.entry.defers = append(slices.Clip(l.entry.defers), deferred{frame: l.frame, loop: l})
	}
}

const mostRounds = 24 // of a loop that is read round by round

// unroll reads a loop that only computes, over what is written in the source, round by round.
func (m *machine) unroll(l *loop, k mark) bool {
	if *m.fuel < 1000 {
		return false
	}
	cur := l.entry.fork(l.entry.edge)
	for range mostRounds {
		t := &target{label: l.label, loop: true}
		m.targets = append(m.targets, t)
		m.cur = []*path{cur}
		yes, no := l.cond()
		done := len(yes) == 0 && len(no) == 1 && no[0].edge == l.entry.edge
		goes := len(no) == 0 && len(yes) == 1 && yes[0].edge == l.entry.edge
		if goes {
			m.cur = yes
			l.body()
			m.cur = m.fold(append(m.cur, t.continues...))
			l.post()
			m.cur = m.fold(m.cur)
			goes = len(m.cur) == 1 && m.cur[0].edge == l.entry.edge && len(t.breaks) == 0 && m.unchangedSince(k)
		}
		m.targets = m.targets[:len(m.targets)-1]
		switch {
		case done:
			m.cur = no
			return true
		case !goes:
			m.rollBack(k)
			m.cur = []*path{l.entry}
			return false
		}
		cur = m.cur[0]
	}
	m.rollBack(k)
	m.cur = []*path{l.entry}
	return false
}

// unchangedSince reports whether nothing but branches that are gone again has been read since a mark.
func (m *machine) unchangedSince(k mark) bool {
	for _, n := range m.nodes[k.nodes:] {
		if n.kind != shape.Branch {
			return false
		}
	}
	now := m.mark()
	return now.stored == k.stored && slices.Equal(now.returns, k.returns) &&
		slices.Equal(now.breaks[:len(k.breaks)], k.breaks) && slices.Equal(now.continues[:len(k.continues)], k.continues)
}

// lap reads a loop's body once. What is in the cells that phi accepts depends on the round.
func (m *machine) lap(l *loop, phi func(*cell) bool, counts map[*cell]*value) {
	start := l.entry.fork(l.entry.edge)
	l.phis, l.counter, l.counted = map[*cell]*value{}, nil, l.pos
	head := m.join(l.pos, []*path{start}, func(c *cell, _ *value) bool { return c == nil && phi(nil) })
	l.head = head.from
	for _, c := range m.sortedCells(head.vars) {
		if phi(c) {
			head.vars[c] = l.begin(m, start, head.vars[c], c)
			l.phis[c] = head.vars[c]
		}
	}
	if phi(nil) {
		l.phis[nil] = head.epoch
	}
	if len(counts) > 0 {
		zero := &path{stack: []*value{m.integer(l.pos, 0)}}
		l.counter = m.phi(l.head, []*path{zero}, func(p *path) *value { return p.stack[0] })
		for c, by := range counts {
			l.counted = max(l.counted, by.pos)
			if v := l.entry.vars[c]; v != nil {
				head.vars[c] = m.counted(v, by, l.counter)
			}
		}
	}
	t := &target{label: l.label, loop: true}
	m.targets = append(m.targets, t)
	m.cur = []*path{head}
	yes, no := l.cond()
	m.cur = m.fold(yes)
	l.body()
	m.cur = m.fold(append(m.cur, t.continues...))
	m.targets = m.targets[:len(m.targets)-1]
	l.post()
	l.back = m.fold(m.cur)
	l.exits = m.fold(append(no, t.breaks...))
	m.cur = nil
}

// counted is what is left of v after n rounds that have each added a constant.
func (m *machine) counted(v, by, n *value) *value {
	if by.what == "-1" && v.lit == nil {
		return m.val(v.pos, "-", "", v, n)
	}
	return m.add(v.pos, v, m.times(by, n))
}

func (m *machine) times(by, n *value) *value {
	switch by.what {
	case "1":
		return n
	case "-1":
		return m.val(n.pos, "neg", "", n)
	}
	return m.val(n.pos, "*", "", n, by)
}

// changed gives the cells that a round leaves with something else, beside known ones; and of those that a constant is
// added to, which.
func (l *loop) changed(m *machine, known func(*cell) bool) (map[*cell]bool, map[*cell]*value) {
	cells, counts := map[*cell]bool{}, map[*cell]*value{}
	head := func(c *cell) *value {
		if v := l.phis[c]; v != nil {
			return v
		}
		if c == nil {
			return l.entry.epoch
		}
		return l.entry.vars[c]
	}
	for _, q := range l.back {
		for c, v := range q.vars {
			h := head(c)
			if h == nil || c.shared || h.class == v.class || known(c) {
				continue
			}
			var by *value
			if v.op == "+" && v.what == "" && v.args[0].class == h.class && v.args[1].lit != nil {
				by = v.args[1]
			}
			if old, seen := counts[c]; cells[c] && (!seen || by == nil || old.class != by.class) {
				delete(counts, c)
			} else if by != nil {
				counts[c] = by
			}
			cells[c] = true
		}
		if h := head(nil); h.class != q.epoch.class && !known(nil) {
			cells[nil] = true
		}
	}
	for c := range counts { // on every way the same?
		for _, q := range l.back {
			v := q.vars[c]
			if v == nil || v.op != "+" || v.args[1].class != counts[c].class || v.args[0].class != head(c).class {
				delete(counts, c)
				break
			}
		}
	}
	return cells, counts
}

// restore takes the phis that nothing came of back out of what leaves a loop that was only read to see.
func (l *loop) restore(m *machine, k mark) {
	ways := slices.Clone(l.exits)
	for i, f := range m.active {
		ways = append(ways, f.returns[k.returns[i]:]...)
	}
	for i, t := range m.targets {
		ways = append(append(ways, t.breaks[k.breaks[i]:]...), t.continues[k.continues[i]:]...)
	}
	for _, q := range ways {
		for c, v := range q.vars {
			if h := l.phis[c]; h != nil && h.class == v.class && l.untouched(c) {
				q.vars[c] = l.entry.vars[c]
			}
		}
		if h := l.phis[nil]; h != nil && q.epoch.class == h.class {
			q.epoch = l.entry.epoch
		}
	}
}

func (l *loop) untouched(c *cell) bool {
	for _, q := range l.back {
		if v := q.vars[c]; v != nil && v.class != l.phis[c].class {
			return false
		}
	}
	return true
}

// close leads the ways back to the loop's head.
func (l *loop) close(m *machine) {
	for _, q := range l.back {
		m.attach(q, l.head)
		for c, h := range l.phis {
			v := q.epoch
			if c != nil {
				v = q.vars[c]
			}
			l.feed(m, h, m.settledAs(q, v, h))
		}
		if l.counter != nil {
			l.feed(m, l.counter, m.add(l.counted, l.counter, m.integer(l.counted, 1)))
		}
	}
}

// feed gives a phi its argument for one more way.
func (l *loop) feed(m *machine, phi, v *value) {
	switch phi.op {
	case "struct":
		for i, p := range phi.args {
			l.feed(m, p, m.part2(v, phi, i))
		}
		return
	case "ref":
		l.rounds(phi, func(i int, index *value) {
			next := index
			if v != nil && alike(phi, v) {
				next = v.indices()[i]
			}
			l.feed(m, index, next)
		})
		return
	}
	if v == nil {
		v = phi
	}
	if phi.op == "phi" {
		phi.args = append(phi.args, v)
	}
}

func (m *machine) part2(v, like *value, i int) *value {
	if v == nil {
		return nil
	}
	if v.op == "struct" && v.what == like.what {
		return v.args[i]
	}
	names := splitNames(like.what)
	return m.field(v.pos, v, names[i], i)
}
