package shape

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// cursor is where one of the two programs stands, and what it knows.
type cursor struct {
	at      int
	env     []term          // by root
	now     term            // the time: a symbol that only a wait changes
	known   map[term]bool   // futures that it has waited for
	markers map[string]term // answers of Context.Version so far
}

// state is where both stand. The old program leads. The new one is held before the decision that is looked for in it.
type state struct {
	old, new cursor
	facts    map[term]bool     // conditions that are decided
	waits    []waited          // what the old program has waited for and the new one has not yet
	draws    [2]draws          // of UUIDs, of random numbers
	mail     map[string][]term // events by name that the old program has taken and the new one has not yet
	pending  map[string]draws  // futures of events by name that one program has made and the other has not yet
	running  []term            // futures of coroutines that may still run
	many     bool              // there were more of them than are kept apart: from then on some may always run
	behind   bool              // the old program stands at a decision and the new one is on its way there
	path     *step
}

// waited is one wait of the old program.
type waited struct {
	any    bool
	lost   bool   // stands for several of which the order is not known any more
	order  bool   // several of the futures may have been complete before, so their order counts
	fs     []term // of an any: all it waited for, in order
	left   []term // of those that were complete then: what the new program has not waited for yet
	chosen int    // of an any
	after  term   // the time
}

// draws are those that one of the programs has made and the other has not yet.
type draws struct {
	values []term
	shapes []term // what was asked for
	ahead  bool   // it is the new one that is ahead
	lost   bool   // they have come apart
}

// step is one of those that led to a state, newest first.
type step struct {
	before *step
	old    bool
	node   int
	guess  bool // of an any that the old program does not have: any answer was taken
}

func (s *state) clone() *state {
	c := *s
	c.old, c.new = s.old.clone(), s.new.clone()
	c.facts = maps.Clone(s.facts)
	c.waits = slices.Clone(s.waits)
	for i := range c.waits {
		c.waits[i].left = slices.Clone(c.waits[i].left)
	}
	for i := range c.draws {
		c.draws[i].values, c.draws[i].shapes = slices.Clone(s.draws[i].values), slices.Clone(s.draws[i].shapes)
	}
	c.mail = make(map[string][]term, len(s.mail))
	for name, events := range s.mail {
		c.mail[name] = slices.Clone(events)
	}
	c.pending = maps.Clone(s.pending)
	for name, d := range c.pending {
		d.values = slices.Clone(d.values)
		c.pending[name] = d
	}
	c.running = slices.Clone(s.running)
	return &c
}

func (c *cursor) clone() cursor {
	d := *c
	d.env, d.known, d.markers = slices.Clone(c.env), maps.Clone(c.known), maps.Clone(c.markers)
	return d
}

// vector lists all terms of a state whose relation to each other matters, in an order that depends on its site only.
func (w *walk) vector(s *state) []*term {
	var v []*term
	for r := range w.old.live[s.old.at].each {
		v = append(v, &s.old.env[r])
	}
	for r := range w.new.live[s.new.at].each {
		v = append(v, &s.new.env[r])
	}
	v = append(v, &s.old.now, &s.new.now)
	for i := range s.waits {
		p := &s.waits[i]
		for j := range p.fs {
			v = append(v, &p.fs[j])
		}
		for j := range p.left {
			v = append(v, &p.left[j])
		}
		v = append(v, &p.after)
	}
	for i := range s.draws {
		for j := range s.draws[i].values {
			v = append(v, &s.draws[i].values[j], &s.draws[i].shapes[j])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.mail)) {
		for j := range s.mail[name] {
			v = append(v, &s.mail[name][j])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.pending)) {
		for j := range s.pending[name].values {
			v = append(v, &s.pending[name].values[j])
		}
	}
	for i := range s.running {
		v = append(v, &s.running[i])
	}
	return v
}

// site names what two states must have in common to be one state with other terms.
func (w *walk) site(s *state) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %d %t", s.old.at, s.new.at, s.behind)
	for _, p := range s.waits {
		fmt.Fprintf(&b, " w%t%t%t%d/%d/%d", p.any, p.lost, p.order, len(p.fs), len(p.left), p.chosen)
	}
	for _, d := range s.draws {
		fmt.Fprintf(&b, " d%d%t%t", len(d.values), d.ahead, d.lost)
	}
	for _, name := range slices.Sorted(maps.Keys(s.mail)) {
		if n := len(s.mail[name]); n > 0 {
			fmt.Fprintf(&b, " m%q%d", name, n)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.pending)) {
		if d := s.pending[name]; len(d.values) > 0 {
			fmt.Fprintf(&b, " p%q%d%t", name, len(d.values), d.ahead)
		}
	}
	fmt.Fprintf(&b, " r%d%t", len(s.running), s.many)
	for _, c := range []*cursor{&s.old, &s.new} {
		for _, id := range slices.Sorted(maps.Keys(c.markers)) {
			fmt.Fprintf(&b, " v%q%s", id, w.t.all[c.markers[id]].what)
		}
		b.WriteByte(';')
	}
	return b.String()
}

// tidy forgets what nothing can ask for any more, so that states are found equal.
func (w *walk) tidy(s *state) {
	s.trim(w.old, &s.old)
	s.trim(w.new, &s.new)
	if !w.new.late[s.new.at] && !w.together(s) {
		s.waits = nil // the time is not asked for
		s.new.now = s.old.now
	}
	for i, kind := range []NodeKind{UUID, Random} {
		if d := &s.draws[i]; d.lost || !d.ahead && !w.new.meets(s.new.at, kind) || d.ahead && !w.old.meets(s.old.at, kind) {
			d.values, d.shapes, d.ahead = nil, nil, false
			d.lost = d.lost || len(d.values) > 0
		}
	}
	for name, d := range s.pending {
		if len(d.values) > 0 && !w.graph(d.ahead).meets(s.side(d.ahead).at, Receive) { // the other one makes none
			s.pending[name] = draws{}
		}
	}
	symbols := map[term]bool{}
	done := map[term]bool{}
	for _, x := range w.vector(s) {
		w.t.symbols(*x, symbols, done)
	}
	open := map[term]bool{} // conditions on which it depends what terms are
	for x := range done {
		if m := &w.t.all[x]; m.op == opIf && len(m.args) == 3 {
			open[m.args[0]] = true
		}
	}
	w.settle(s, open)
	for x := range w.base {
		symbols[x] = true
	}
	within, current := map[term]bool{}, map[term]bool{}
	for _, x := range w.vector(s) {
		current[*x] = true
	}
	maps.DeleteFunc(s.facts, func(x term, _ bool) bool { return !w.t.within(x, symbols, within) || w.t.pastConstants(x, current) })
	needed := map[term]bool{}
	for x := range s.facts {
		if open[x] || w.asked(w.old, s.old.at, x) || w.asked(w.new, s.new.at, x) {
			w.t.symbols(x, map[term]bool{}, needed)
		}
	}
	maps.DeleteFunc(s.facts, func(x term, _ bool) bool { return !needed[x] && !needed[w.t.noError(x)] })
	recent(s.facts)
	maps.DeleteFunc(s.old.known, func(x term, _ bool) bool { return !w.t.within(x, symbols, within) })
	maps.DeleteFunc(s.new.known, func(x term, _ bool) bool { return !w.t.within(x, symbols, within) })
}

// trim drops what is not read any more.
func (s *state) trim(g *graph, c *cursor) {
	live := g.live[c.at]
	for r := range c.env {
		if !live.has(r) {
			c.env[r] = unset
		}
	}
}

// asked reports whether a condition ahead of a node may be decided by a fact.
func (w *walk) asked(g *graph, at int, fact term) bool {
	for v := range g.asks[at].each {
		if w.mayBe(g, v, fact, 0) {
			return true
		}
	}
	return false
}

// mayBe reports whether a value can have a term, or be decided by that of an equation.
func (w *walk) mayBe(g *graph, v int, x term, depth int) bool {
	const deep = 6
	val, m := &g.Values[g.rep[v]], w.t.all[x]
	switch {
	case g.root(v) >= 0 || depth > deep || val.Op == opParam || val.Op == opOuter || val.Op == opMu || val.Op == opIf || val.Op == opEta:
		return true
	case val.Op == opNot || val.Op == "!" || val.Op == "!=":
		return depth > 0 || len(val.Args) == 0 || val.Op == "!=" || w.mayBe(g, val.Args[0], x, depth+1)
	case val.Op == opConst:
		return m.op == opConst || val.What == "nil" && m.op == "error"
	case val.Op == "+" || val.Op == opIndex || val.Op == "start":
		return true // they may have been computed
	case val.Op != m.op || val.What != m.what || val.Sum != m.sum || len(val.Args) != len(m.args):
		return false
	case val.Op == opEqual && len(m.args) == 2:
		return w.mayBe(g, val.Args[0], m.args[0], depth+1) && w.mayBe(g, val.Args[1], m.args[1], depth+1) ||
			w.mayBe(g, val.Args[0], m.args[1], depth+1) && w.mayBe(g, val.Args[1], m.args[0], depth+1)
	}
	for i, a := range val.Args {
		if !w.mayBe(g, a, m.args[i], depth+1) {
			return false
		}
	}
	return true
}

// mostFacts bounds what is remembered of conditions. Who remembers less proves less, and nothing wrong.
const mostFacts = 16

// recent keeps the newest facts.
func recent(facts map[term]bool) {
	if len(facts) <= mostFacts {
		return
	}
	all := slices.Sorted(maps.Keys(facts))
	for _, x := range all[:len(all)-mostFacts] {
		delete(facts, x)
	}
}

// pastConstants reports whether a fact is of constants only, none of which a variable has now.
func (t *terms) pastConstants(fact term, current map[term]bool) bool {
	args := t.all[fact].args
	return len(args) == 2 && t.isNumber(args[0]) && t.isNumber(args[1]) && !current[args[0]] && !current[args[1]]
}

// symbols collects the symbols that a term is made of.
func (t *terms) symbols(x term, into, done map[term]bool) {
	if x == unset || done[x] {
		return
	}
	done[x] = true
	if t.all[x].op == opSymbol {
		into[x] = true
	}
	for _, a := range t.all[x].args {
		t.symbols(a, into, done)
	}
}

// within reports whether a term is made of none but the given symbols.
func (t *terms) within(x term, symbols, done map[term]bool) bool {
	if in, ok := done[x]; ok {
		return in
	}
	in := t.all[x].op != opSymbol || symbols[x]
	for _, a := range t.all[x].args {
		in = in && t.within(a, symbols, done)
	}
	done[x] = in
	return in
}

// numbering names terms such that the names do not depend on the numbers of their symbols, only on which came first: and not
// on how far one has counted, only on how far apart they are.
type numbering struct {
	w      *walk
	number map[term]int
	shift  map[term]int64 // of a symbol to which numbers are added: that with which it came first
	done   map[term]uint64
}

// of gives the name of a term: that of its op, and of those of its arguments.
func (n *numbering) of(x term) uint64 {
	if x == unset {
		return 0
	}
	if d, ok := n.done[x]; ok {
		return d
	}
	text := make([]byte, 1, 32)
	base, added := n.w.t.offset(x)
	switch m := &n.w.t.all[x]; {
	case base != unset && n.w.t.all[base].op == opSymbol && !n.w.base[base]:
		k, ok := n.number[base]
		if !ok {
			k = len(n.number)
			n.number[base], n.shift[base] = k, added
		}
		text = binary.AppendUvarint(append(text[:0], 's'), uint64(k))
		text = append(binary.AppendVarint(text, added-n.shift[base]), n.w.t.event[base]...)
	case m.op == opSymbol:
		text = binary.AppendUvarint(append(text[:0], 'b'), uint64(x))
	default:
		text = binary.AppendUvarint(text, n.w.named.of(m.op+"\x00"+m.what+"\x00"+m.sum))
		for _, a := range m.args {
			text = binary.AppendUvarint(text, n.of(a))
		}
	}
	d := n.w.named.of(string(text))
	n.done[x] = d
	return d
}

// naming numbers texts, from 1.
type naming map[string]uint64

func (n naming) of(text string) uint64 {
	d, ok := n[text]
	if !ok {
		d = uint64(len(n)) + 1
		n[text] = d
	}
	return d
}

// key is equal for two states of a site when they differ in the names of their symbols only, and in the conditions that are decided.
func (w *walk) key(s *state) (key string, known facts) {
	n := &numbering{w: w, number: map[term]int{}, shift: map[term]int64{}, done: map[term]uint64{}}
	var b []byte
	for _, x := range w.vector(s) {
		b = binary.AppendUvarint(b, n.of(*x))
	}
	var born []uint64 // by number, and after which wait
	for x, k := range n.number {
		birth := w.t.birth[x]
		if birth == 0 {
			continue
		}
		for i, p := range s.waits {
			if birth == p.after {
				born = append(born, uint64(k)<<8|uint64(i))
			}
		}
		if birth == s.old.now {
			born = append(born, uint64(k)<<8|mostWaits)
		}
	}
	b = appendSorted(b, born)
	b = appendSorted(b, n.all(s.old.known))
	b = appendSorted(b, n.all(s.new.known))
	known = n.all(s.facts)
	slices.Sort(known)
	return string(b), known
}

func (n *numbering) all(terms map[term]bool) []uint64 {
	names := make([]uint64, 0, len(terms))
	for x, yes := range terms {
		names = append(names, n.of(x)<<1|uint64(btoi(yes)))
	}
	return names
}

func appendSorted(b []byte, all []uint64) []byte {
	slices.Sort(all)
	b = binary.AppendUvarint(b, uint64(len(all)))
	for _, x := range all {
		b = binary.AppendUvarint(b, x)
	}
	return b
}

// general makes of two states of a site one that stands for both: where their terms differ it has symbols, equal ones
// for equal pairs.
func (w *walk) general(a, b *state) *state {
	u := &union{t: w.t, pairs: map[[2]term]term{}, sums: map[sums]sum{}}
	g := a.clone()
	va, vb, vg := w.vector(a), w.vector(b), w.vector(g)
	for i := range vg {
		*vg[i] = u.of(*va[i], *vb[i])
	}
	u.closed = true
	g.facts = u.common(a.facts, b.facts)
	g.old.known = u.common(a.old.known, b.old.known)
	g.new.known = u.common(a.new.known, b.new.known)
	g.path = b.path
	return g
}

// union finds what terms have in common.
type union struct {
	t      *terms
	pairs  map[[2]term]term
	sums   map[sums]sum
	closed bool // no new symbols
	failed bool
}

func (u *union) of(a, b term) term {
	if a == b {
		return a
	}
	if a == unset || b == unset {
		return unset // it is read by nobody on one of the ways
	}
	pair := [2]term{a, b}
	if g, ok := u.pairs[pair]; ok {
		return g
	}
	x, y := u.t.all[a], u.t.all[b]
	var g term
	ba, na := u.t.offset(a)
	bb, nb := u.t.offset(b)
	switch plain := ba == a && bb == b; {
	case plain && x.op == y.op && x.op != opSymbol && x.what == y.what && x.sum == y.sum && len(x.args) == len(y.args) && len(x.args) > 0:
		args := make([]term, len(x.args))
		for i := range args {
			args[i] = u.of(x.args[i], y.args[i])
		}
		g = u.t.of(x.op, x.what, x.sum, args...)
	default:
		key := sums{ba, bb, nb - na}
		if _, ok := u.sums[key]; !ok {
			if u.closed {
				u.failed = true
				return a
			}
			s := u.t.symbol("")
			if event := u.t.event[a]; event != "" && event == u.t.event[b] {
				u.t.event[s] = event
			}
			u.sums[key] = sum{s, na}
		}
		s := u.sums[key]
		g = u.t.plus(s.base, na-s.n)
	}
	u.pairs[pair] = g
	return g
}

// sums are pairs of terms of which both members differ from each other by the same numbers.
type sums struct {
	a, b term
	gap  int64
}

// sum is a symbol that stands for one of the pairs, and by how much its first member is above a.
type sum struct {
	base term
	n    int64
}

// common gives what holds on both ways.
func (u *union) common(a, b map[term]bool) map[term]bool {
	both := map[term]bool{}
	for x, v := range a {
		for y, v2 := range b {
			if u.failed = false; v != v2 {
				continue
			}
			if g := u.of(x, y); !u.failed {
				both[g] = v
			}
		}
	}
	return both
}
