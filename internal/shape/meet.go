package shape

import "slices"

// meet compares what the two programs do where both stand at something that a replay, or a coroutine beside, can see.
func (w *walk) meet(s *state) {
	o, n := &w.old.Nodes[s.old.at], &w.new.Nodes[s.new.at]
	switch {
	case o.Kind != n.Kind || !w.sameTarget(o, n):
		w.fail(s, failOther)
	case n.Kind == Return || n.Kind == Continue || n.Kind == Panic:
		if w.strict { // of a body: what it returns is what its future gives
			w.sameArgs(s, o.Args, n.Args, nil)
		}
	case n.Kind == Await || n.Kind == AwaitAny:
		w.meetWaits(s)
	case n.Kind == Receive:
		w.share(s, w.t.receive(eventName(n.Target)))
	case n.Kind == UUID || n.Kind == Random:
		w.sameArgs(s, o.Args, n.Args, nil)
		w.share(s, w.t.symbol("drawn"))
	case n.Kind == Marker:
		s.old.markers[o.Target], s.new.markers[n.Target] = w.t.truth(true), w.t.truth(true)
		w.share(s, w.t.truth(true))
	case n.Kind == Go || n.Kind == Call:
		w.meetCode(s)
	default:
		w.meetSlots(s)
	}
}

// share gives both nodes the same value and goes on behind them.
func (w *walk) share(s *state, value term) {
	s.give(true, w.point(value, s.old.now))
	s.give(false, w.point(value, s.new.now))
	w.both(s)
}

// both moves both programs behind the nodes at which they have met.
func (w *walk) both(s *state) {
	s.behind = false
	w.move(s, true, 0)
	w.move(s, false, 0)
	w.put(s)
}

func (w *walk) meetSlots(s *state) {
	o, n := &w.old.Nodes[s.old.at], &w.new.Nodes[s.new.at]
	if !w.sameScope(s) {
		w.fail(s, failScope)
		return
	}
	if n.Kind != Timer && n.Kind != Scope && !n.Loose { // when a timer is due is not compared
		w.sameArgs(s, o.Args, n.Args, w.names(o, n))
		w.sameWriting(s)
	}
	w.sameType(s)
	f := w.t.symbol("future")
	w.t.birth[f] = s.old.now
	w.share(s, f)
}

// sameScope compares the Contexts that two nodes are made in.
func (w *walk) sameScope(s *state) bool {
	a, b := w.old.scope(s.old.at), w.new.scope(s.new.at)
	if a < 0 || b < 0 {
		return a == b
	}
	return w.eval(s, true, a) == w.eval(s, false, b)
}

// scope gives the value that is the Context in which a node makes its future, -1 when it is the plain one.
func (g *graph) scope(node int) int {
	for i := range g.Values {
		if v := &g.Values[i]; v.Op == "future" && v.Node == node && len(v.Args) > 0 {
			return v.Args[0]
		}
	}
	return -1
}

// names gives, for the arguments of a node, the keys under which they are stored: nil when there is at most one, or when they
// are not known.
func (w *walk) names(o, n *Node) *[2][]string {
	a, b := w.j.old.paramsOf(o.Kind, o.Target), w.j.new.paramsOf(n.Kind, n.Target)
	if len(a) == 0 || len(b) == 0 || len(a) < 2 && len(b) < 2 {
		return nil
	}
	var names [2][]string
	for _, p := range a {
		names[0] = append(names[0], p.Name)
	}
	for _, p := range b {
		names[1] = append(names[1], p.Name)
	}
	return &names
}

// sameArgs compares arguments, by their names where they have some. What differs is told, and the walk goes on: what
// comes after may be as it was.
func (w *walk) sameArgs(s *state, a, b []int, names *[2][]string) {
	if names != nil && len(names[0]) <= len(a) && len(names[1]) <= len(b) && len(a)-len(names[0]) == len(b)-len(names[1]) {
		w.sameNamed(s, a, b, names)
		return
	}
	if len(a) != len(b) {
		w.failArg(s, failCount, -1, -1)
		return
	}
	for i := range a {
		if !w.same(s, w.eval(s, true, a[i]), w.eval(s, false, b[i])) {
			w.failArg(s, failArgument, a[i], b[i])
		}
	}
}

func (w *walk) sameNamed(s *state, a, b []int, names *[2][]string) {
	if len(names[0]) != len(names[1]) {
		w.failArg(s, failCount, -1, -1)
		return
	}
	for i, name := range names[1] {
		k := slices.Index(names[0], name)
		switch {
		case k < 0 && len(names[1]) > 1:
			w.failName(s, i)
		case k < 0:
		case !w.same(s, w.eval(s, true, a[k]), w.eval(s, false, b[i])):
			w.failArg(s, failArgument, a[k], b[i])
		}
	}
	for i := len(names[0]); i < len(a); i++ {
		if k := i - len(names[0]) + len(names[1]); !w.same(s, w.eval(s, true, a[i]), w.eval(s, false, b[k])) {
			w.failArg(s, failArgument, a[i], b[k])
		}
	}
}

// meetWaits has both wait for the same while coroutines run beside.
func (w *walk) meetWaits(s *state) {
	a := w.t.elements(w.evals(s, true, w.old.Nodes[s.old.at].Args))
	b := w.t.elements(w.evals(s, false, w.new.Nodes[s.new.at].Args))
	any := w.new.Nodes[s.new.at].Kind == AwaitAny
	if !any { // waiting for all is waiting for one after the other
		a, b = s.old.rest(w.t, a), s.new.rest(w.t, b)
		a, b = a[:min(1, len(a))], b[:min(1, len(b))]
	}
	if len(a) != len(b) || slices.ContainsFunc(seq(len(a)), func(i int) bool {
		return a[i] != b[i] && (w.t.event[a[i]] == "" || w.t.event[a[i]] != w.t.event[b[i]])
	}) {
		w.fail(s, failWaits)
		return
	}
	if any && (len(a) > mostOpen || !w.plain(a)) {
		w.afterWaits(s, w.t.symbol("which"))
		return
	}
	if any {
		for i := range a {
			fork := s.clone()
			w.afterWaits(fork, w.which(i, w.completed(fork, a[i], b[i])))
		}
		return
	}
	for i := range a {
		w.completed(s, a[i], b[i])
	}
	s.old.now = w.t.symbol("time")
	s.new.now = s.old.now
	s.behind = false
	w.put(s) // both pass when they have waited for the last
}

// rest are the futures that a program has not waited for.
func (c *cursor) rest(t *terms, fs []term) []term {
	return slices.DeleteFunc(slices.Clone(fs), func(f term) bool { return c.has(t, f) })
}

func seq(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// completed completes a future of both programs.
func (w *walk) completed(s *state, a, b term) term {
	if w.t.event[a] != "" {
		e := w.t.symbol("event")
		w.bind(s, true, a, e)
		w.bind(s, false, b, e)
		a = e
	}
	s.old.known[a], s.new.known[a] = true, true
	s.running = slices.DeleteFunc(s.running, func(f term) bool { return f == a || s.old.has(w.t, f) })
	return a
}

func (w *walk) afterWaits(s *state, value term) {
	s.old.now = w.t.symbol("time")
	s.new.now = s.old.now
	w.share(s, value)
}

// meetCode compares code that runs beside, or that cannot be looked into: everything has to be as it was when it began.
func (w *walk) meetCode(s *state) {
	o, n := &w.old.Nodes[s.old.at], &w.new.Nodes[s.new.at]
	if len(s.waits) > 0 || w.apart(s, n) {
		w.fail(s, failApart)
		return
	}
	if len(o.Bodies) != len(n.Bodies) {
		w.fail(s, failOther)
		return
	}
	a, b := w.evals(s, true, o.Args), w.evals(s, false, n.Args)
	if len(o.Bodies) == 0 || len(a) == len(b) {
		w.sameArgs(s, o.Args, n.Args, nil)
	}
	for i := range o.Bodies {
		w.body(s, &o.Bodies[i], &n.Bodies[i], a, b)
	}
	s.new.now = s.old.now
	for f := range s.old.known {
		s.new.known[f] = true
	}
	f := w.t.symbol("future")
	w.t.birth[f] = s.old.now
	if n.Kind == Go && n.Target == "go" {
		s.running = append(s.running, f)
		if len(s.running) > mostOpen {
			s.running, s.many = s.running[1:], true
		}
		w.share(s, f)
		return
	}
	w.afterWaits(s, f)
}

// apart reports whether one of the programs has taken more events or numbers than the other, of those that coroutines
// that begin at a node may take.
func (w *walk) apart(s *state, n *Node) bool {
	for i, kind := range []NodeKind{UUID, Random} {
		if d := &s.draws[i]; (len(d.values) > 0 || d.lost) && (w.strict || n.Kind == Call || w.j.beside[kind]) {
			return true
		}
	}
	for _, events := range s.mail {
		if len(events) > 0 {
			return true
		}
	}
	return false
}

// body compares functions that run with a Context of their own, step by step.
func (w *walk) body(s *state, from, to *Flow, a, b []term) {
	if len(from.Nodes) == 0 || len(to.Nodes) == 0 {
		return
	}
	inner := newWalk(w.j, w.t, w.old.inner[from], w.new.inner[to])
	inner.strict, inner.parent = true, s.path
	inner.outer = [2][]term{b, a}
	inner.start = inner.constantSymbol("start of a coroutine")
	done := map[term]bool{}
	for _, x := range slices.Concat(a, b) {
		w.t.symbols(x, inner.base, done)
	}
	first := inner.first()
	for f := range s.old.known {
		first.old.known[f], first.new.known[f] = true, true
	}
	for f, yes := range s.facts {
		first.facts[f] = yes
	}
	inner.begin(first)
}
