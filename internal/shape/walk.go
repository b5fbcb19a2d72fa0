package shape

import (
	"maps"
	"slices"
)

// Bounds of a walk. What needs more is answered with "not proved".
const (
	mostStates  = 6_000 // of an orchestrator, bodies included
	mostAfter   = 2_000 // the same, once there is a failure
	mostTurns   = 3     // states at the head of a loop before they are made one
	mostCounted = 16    // the same, of a loop that counts to a constant
	mostWaits   = 8     // of the old program that the new one has not repeated
	mostDraws   = 8
	mostMail    = 8
	mostOpen    = 8 // futures of an any
)

// walk is the comparison of two flows: it goes through all that the old program can do, and has the new one follow.
//
// It proves this: under any inbox, what the old program has decided is a beginning of what the new one decides. That is
// all that a replay asks for. Where that cannot be proved it has a failure.
type walk struct {
	j        *judgement
	t        *terms
	old, new *graph
	outer    [2][]term // of bodies: the values that they take from outside; of old, of new
	strict   bool      // bodies: coroutines run beside, so each step has to be the same
	parent   *step     // of bodies: how the code around came there
	base     map[term]bool
	params   map[string]term
	start    term
	sites    map[string]*site
	todo     []*state
	pairs    *pairing
	aligned  *alignment
	tails    map[[2]int]*tail // by a pair of nodes
	named    naming
}

type site struct {
	seen    map[string][]facts // by key
	count   int
	general *state
}

// judgement is what the walks of one orchestrator share.
type judgement struct {
	old, new *Lock
	from, to *Orchestrator
	steps    int
	failures []failure
	types    []TypeChange // once they were asked for
	bodies   map[[2]*Flow]bool
	brief    bool              // only whether there is a failure is asked
	complex  string            // why the walk was given up
	beside   map[NodeKind]bool // what coroutines of either flow draw
	markers  map[string]bool   // of the new flow, by id: whether anything depends on the answer
	askers   map[string]int    // how many of its functions that run beside each other ask for one
}

func newJudgement(c *comparison, old, now *Orchestrator) *judgement {
	return &judgement{old: c.old, new: c.new, from: old, to: now, bodies: map[[2]*Flow]bool{}, beside: map[NodeKind]bool{}, markers: map[string]bool{}, askers: map[string]int{}}
}

func newWalk(j *judgement, t *terms, old, now *graph) *walk {
	return &walk{j: j, t: t, old: old, new: now, base: map[term]bool{}, params: map[string]term{}, sites: map[string]*site{}, tails: map[[2]int]*tail{}, named: naming{}}
}

// compareFlows tells where the new flow of an orchestrator may not repeat what the old one has decided.
func (j *judgement) compareFlows() {
	old, err := newGraph(j.old.stored(&j.from.Flow))
	if err != nil {
		j.complex = "the lock's " + err.Error()
		return
	}
	now, err := newGraph(j.unborn(j.recased(j.new.stored(&j.to.Flow))))
	if err != nil {
		j.complex = err.Error()
		return
	}
	j.look(old)
	j.look(now)
	j.asked(now)
	if len(old.Nodes) == 0 || len(now.Nodes) == 0 {
		return // of functions that nobody has looked into
	}
	t := newTerms()
	w := newWalk(j, t, old, now)
	w.received()
	w.start = w.constantSymbol("start")
	w.begin(w.first())
}

func (w *walk) constantSymbol(what string) term {
	s := w.t.symbol(what)
	w.base[s] = true
	return s
}

// first is the state before anything was done.
func (w *walk) first() *state {
	s := &state{facts: map[term]bool{}, mail: map[string][]term{}, pending: map[string]draws{}}
	for _, side := range []struct {
		c *cursor
		g *graph
	}{{&s.old, w.old}, {&s.new, w.new}} {
		side.c.env = slices.Repeat([]term{unset}, side.g.size())
		side.c.known, side.c.markers = map[term]bool{}, map[string]term{}
		side.c.now = w.start
	}
	return s
}

// begin walks from a state until nothing new is found.
func (w *walk) begin(s *state) {
	w.put(s)
	for len(w.todo) > 0 && w.j.complex == "" {
		s := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if len(w.j.failures) > 0 && (w.j.brief || w.j.steps > mostAfter) {
			return
		}
		if w.j.steps++; w.j.steps > mostStates {
			w.j.complex = "the two can differ in more ways than are looked at"
			return
		}
		w.step(s)
	}
}

// put adds a state, unless it was looked at before.
func (w *walk) put(s *state) {
	if !s.behind {
		if w.alike(s) {
			return
		}
		w.keepUp(s, unset)
	}
	w.tidy(s)
	if !s.behind && w.alike(s) {
		return
	}
	name := w.site(s)
	at := w.sites[name]
	if at == nil {
		at = &site{seen: map[string][]facts{}}
		w.sites[name] = at
	}
	key, known := w.key(s)
	if at.covers(key, known) {
		return
	}
	if most := w.mostHere(s); at.count >= most {
		if at.general == nil {
			at.general = s
		} else {
			s = w.general(at.general, s)
			at.general = s
			if key, known = w.key(s); at.covers(key, known) {
				return
			}
			s = s.clone()
		}
	}
	at.seen[key] = append(at.seen[key], known)
	at.count++
	w.todo = append(w.todo, s.clone())
}

// facts are the conditions that are decided in a state, in order.
type facts []uint64

// covers reports whether a state was looked at in which no more was decided.
func (at *site) covers(key string, known facts) bool {
	return slices.ContainsFunc(at.seen[key], func(less facts) bool {
		n := 0
		for _, f := range known {
			n += btoi(n < len(less) && less[n] == f)
		}
		return n == len(less)
	})
}

// mostHere is how many states of a site are kept apart. Only at the head of a loop there can be ever more.
func (w *walk) mostHere(s *state) int {
	const elsewhere = 64
	c, g := &s.old, w.old
	if s.behind {
		c, g = &s.new, w.new
	}
	switch {
	case !g.loops[c.at]:
		return elsewhere
	case g.counts[c.at]:
		return mostCounted
	}
	return mostTurns
}

// together reports whether coroutines run beside, so that nothing may be moved.
func (w *walk) together(s *state) bool { return w.strict || len(s.running) > 0 || s.many }

// step moves the program whose turn it is.
func (w *walk) step(s *state) {
	if s.behind {
		w.follow(s)
		return
	}
	n := &w.old.Nodes[s.old.at]
	switch n.Kind {
	case Join, Branch:
		w.turn(s, true)
	case Now:
		s.give(true, w.point(s.old.now, s.old.now))
		w.advance(s, true, 0)
	case Return, Continue, Panic:
		if w.strict {
			w.lead(s)
		}
	case Await:
		if !w.lockstep(s) {
			w.oldAwait(s)
		}
	case AwaitAny:
		if !w.lockstep(s) {
			w.oldAny(s)
		}
	case Receive:
		if w.together(s) {
			w.lead(s)
			return
		}
		s.give(true, w.point(w.receive(s, true, eventName(n.Target)), s.old.now))
		w.advance(s, true, 0)
	case UUID, Random:
		if w.shared(s, n.Kind) {
			w.lead(s)
			return
		}
		w.draw(s, true)
		w.advance(s, true, 0)
	case Marker:
		w.oldMarker(s)
	default:
		w.lead(s)
	}
}

// lead has the new program come to where the old one is.
func (w *walk) lead(s *state) {
	s.behind = true
	w.put(s)
}

func (s *state) side(old bool) *cursor {
	if old {
		return &s.old
	}
	return &s.new
}

func (w *walk) graph(old bool) *graph {
	if old {
		return w.old
	}
	return w.new
}

// point is what a node gives: its value, and the time after it.
func (w *walk) point(value, now term) term { return w.t.keep("point", "", "", []term{value, now}) }

// keepUp has the new program go on as far as it can for certain without deciding anything, and without asking a condition
// that the old one has not just asked. Nothing would come out otherwise if it waited, but what the two have in common is
// seen better when they are at the same place.
func (w *walk) keepUp(s *state, asked term) {
	joined := map[int]bool{}
	for {
		n := &w.new.Nodes[s.new.at]
		switch n.Kind {
		case Join:
			if joined[s.new.at] {
				return
			}
			joined[s.new.at] = true
			w.move(s, false, 0)
		case Branch:
			yes, ok := w.decided(s, w.eval(s, false, n.Args[0]))
			if question, _ := w.question(s, false, n.Args[0]); !ok || question != asked {
				return
			}
			asked = unset
			w.move(s, false, 1-btoi(yes))
		case Await:
			if !w.mayPass(s, n) {
				return
			}
		case Now:
			s.give(false, w.point(s.new.now, s.new.now))
			w.move(s, false, 0)
		case Receive:
			if w.together(s) {
				return
			}
			s.give(false, w.point(w.receive(s, false, eventName(n.Target)), s.new.now))
			w.move(s, false, 0)
		case UUID, Random:
			if w.together(s) {
				return
			}
			w.draw(s, false)
			w.move(s, false, 0)
		default:
			return
		}
	}
}

// mayPass has the new program wait, if that is for what is there already.
func (w *walk) mayPass(s *state, n *Node) bool {
	fs := w.t.elements(w.evals(s, false, n.Args))
	if w.together(s) && !s.new.hasAll(w.t, fs) {
		return false
	}
	asked := map[string]int{}
	for _, f := range fs {
		name := w.t.event[f]
		if asked[name]++; name != "" && !s.taken(name, asked[name]) || name == "" && !s.new.has(w.t, f) && !s.old.has(w.t, f) {
			return false
		}
	}
	w.pastWait(s, fs)
	s.give(false, w.point(s.new.now, s.new.now))
	w.move(s, false, 0)
	return true
}

// taken reports whether the old program has taken n more events of a name than the new one.
func (s *state) taken(name string, n int) bool {
	events := s.mail[name]
	return len(events) >= n && events[0] != uncounted
}

// give sets what the node gives at which a program stands.
func (s *state) give(old bool, point term) {
	c := s.side(old)
	c.env[c.at] = point
}

// advance takes a way out of the node and puts the state.
func (w *walk) advance(s *state, old bool, way int) {
	w.move(s, old, way)
	w.put(s)
}

// move takes a way out of a node; phis of the join there take the values that they have on this way.
func (w *walk) move(s *state, old bool, way int) {
	c, g := s.side(old), w.graph(old)
	from := c.at
	s.path = &step{before: s.path, old: old, node: from}
	c.at = g.Nodes[from].Next[way]
	edges := g.edges(c.at, from, way)
	if len(edges) == 0 {
		return
	}
	type set struct {
		root int
		x    term
	}
	var phis []set
	for v := range g.Values {
		if val := &g.Values[v]; val.Op == opPhi && val.Node == c.at && g.rep[v] == v && g.live[c.at].has(len(g.Nodes)+v) {
			phis = append(phis, set{len(g.Nodes) + v, w.eval(s, old, val.Args[edges[0]])})
		}
	}
	for _, p := range phis {
		c.env[p.root] = p.x
	}
}

// turn goes through a join or a branch. A condition that is not decided goes both ways.
func (w *walk) turn(s *state, old bool) {
	c, g := s.side(old), w.graph(old)
	n := &g.Nodes[c.at]
	if n.Kind == Join {
		w.advance(s, old, 0)
		return
	}
	condition := w.eval(s, old, n.Args[0])
	if yes, ok := w.decided(s, condition); ok {
		question, straight := w.question(s, old, n.Args[0])
		s.facts[question] = yes == straight
		w.answered(s, old, question, yes)
		return
	}
	question, _ := w.question(s, old, n.Args[0])
	for _, yes := range []bool{true, false} {
		fork := s.clone()
		w.decide(fork, condition, yes)
		w.answered(fork, old, question, yes)
	}
}

// answered takes a way out of a branch, and has the new program do the same if it asks the same.
func (w *walk) answered(s *state, old bool, question term, yes bool) {
	w.move(s, old, 1-btoi(yes))
	if old {
		w.keepUp(s, question)
	}
	w.put(s)
}

// question is a condition as it is asked: also one that constants decide. When the constants turn out to be some turns of
// a loop, and are made one symbol, the answer has to be known of that. straight: not of its contrary.
func (w *walk) question(s *state, old bool, condition int) (question term, straight bool) {
	g := w.graph(old)
	v := &g.Values[condition]
	if (v.Op == opNot || v.Op == "!") && len(v.Args) == 1 {
		question, straight := w.question(s, old, v.Args[0])
		return question, !straight
	}
	if v.Op != opLess && v.Op != opEqual || len(v.Args) != 2 {
		return w.eval(s, old, condition), true
	}
	args := w.evals(s, old, v.Args)
	if v.Op == opEqual {
		args = w.t.joined(args)
	}
	if v.Op == opEqual && args[0] > args[1] {
		args[0], args[1] = args[1], args[0]
	}
	return w.t.keep(v.Op, "", "", args), true
}

func (w *walk) decide(s *state, condition term, yes bool) {
	if m := w.t.all[condition]; m.op == opNot {
		w.decide(s, m.args[0], !yes)
		return
	}
	s.facts[condition] = yes
}

// decided tells which way a condition goes, as far as that follows from others.
func (w *walk) decided(s *state, condition term) (yes, ok bool) {
	if yes, ok := w.told(s, condition); ok {
		return yes, true
	}
	if m := w.t.all[condition]; m.op == opNot {
		yes, ok := w.decided(s, m.args[0])
		return !yes, ok
	}
	if w.absent(s, condition) {
		return false, true
	}
	if yes, ok := w.follows(s, condition); ok {
		return yes, true
	}
	return w.answers(s, condition)
}

// told is the same, of what is decided by itself.
func (w *walk) told(s *state, condition term) (yes, ok bool) {
	if yes, ok := w.t.isTruth(condition); ok {
		return yes, true
	}
	m := w.t.all[condition]
	if m.op == opNot {
		yes, ok := w.told(s, m.args[0])
		return !yes, ok
	}
	if yes, ok := s.facts[condition]; ok {
		return yes, true
	}
	if m.op != opEqual {
		return false, false
	}
	for fact, yes := range s.facts { // x == 1 decides x == 2
		f := w.t.all[fact]
		if !yes || f.op != opEqual {
			continue
		}
		for i := range 2 {
			for k := range 2 {
				if f.args[i] == m.args[k] && w.different(f.args[1-i], m.args[1-k]) {
					return false, true
				}
			}
		}
	}
	return false, false
}

// absent tells that a condition is false because of a pointer. What is nil for the code that has a pointer there is false
// for the code that has a bool, and nobody asks what a nil pointer points to; so what is true is not nil, too.
func (w *walk) absent(s *state, condition term) bool {
	nothing := w.t.constant("nil")
	if m := w.t.all[condition]; m.op == opEqual {
		for i := range 2 {
			if m.args[i] == nothing && s.facts[m.args[1-i]] {
				return true
			}
		}
		return false
	}
	return s.facts[w.t.of(opEqual, "", "", condition, nothing)]
}

// answers finds a fact that is the same question in other words.
func (w *walk) answers(s *state, condition term) (yes, ok bool) {
	for _, fact := range slices.Sorted(maps.Keys(s.facts)) {
		yes := s.facts[fact]
		if w.t.agree(fact, condition) {
			return yes, true
		}
		if w.t.agree(fact, w.t.of(opNot, "", "", condition)) {
			return !yes, true
		}
	}
	return false, false
}

func (w *walk) different(a, b term) bool {
	same, ok := w.t.equal(a, b)
	return ok && !same
}
