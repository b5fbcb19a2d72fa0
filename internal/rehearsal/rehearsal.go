// Package rehearsal runs two flows of an orchestrator on the engine, with inputs, results and events that are drawn, and
// looks whether the new one repeats what the old one has decided. It is for what cannot be proved.
package rehearsal

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/shape"
)

// side is one of the two programs, and what was seen of it.
type side struct {
	lock      *shape.Lock
	of        *shape.Orchestrator
	before    *side               // the old one, whose types the payloads have: of the old one itself
	aliases   map[string][]string // by wire name, in the new lock
	program   *program
	functions map[string]*program // by their sums
	ran, said map[*program]bool   // of functions: those that were run, and those of which only the sum was compared
	globals   map[string]bool
	marked    bool            // it asks Context.Version
	markers   map[string]bool // for these
	hides     bool            // and perhaps for others
	unread    map[string]bool
	shares    bool // there are variables that coroutines share, in one of the sides
	timeouts  bool // something makes a Context that a timer cancels
	receive   []string

	work    int               // values that were computed
	fresh   int               // how much of it was seen for the first time
	met     map[question]*met // comparisons of this scenario
	states  map[string]bool   // to what variables came in this scenario that are not in both programs
	forks   map[fork]int      // ways that this scenario has left aside, and that were not seen yet
	changed map[question]bool // which the other side does not have
	watched map[question]bool // of which met is kept although nothing of them is missing
	silent  bool              // nothing is noted
}

// newSide prepares a side. before: the old one, nil of that itself.
func newSide(p shape.Program, before *side) *side {
	f := p.Flow
	s := &side{lock: p.Lock, of: p.Orchestrator, aliases: map[string][]string{}, globals: map[string]bool{}, markers: map[string]bool{}, unread: map[string]bool{}, met: map[question]*met{}, states: map[string]bool{}, forks: map[fork]int{}}
	if s.before = before; before == nil {
		s.before = s
	}
	s.look(f)
	s.functions, s.ran, s.said = map[string]*program{}, map[*program]bool{}, map[*program]bool{}
	for i := range f.Functions {
		fn := &f.Functions[i]
		s.look(&fn.Flow)
		s.functions[fn.Sum] = newProgram(s, &fn.Flow)
	}
	s.program = newProgram(s, f)
	return s
}

// each visits all programs, those of functions too.
func (s *side) each(visit func(*program)) {
	s.program.each(visit)
	for _, sum := range slices.Sorted(maps.Keys(s.functions)) {
		s.functions[sum].each(visit)
	}
}

func (s *side) look(f *shape.Flow) {
	for i := range f.Values {
		switch v := &f.Values[i]; v.Op {
		case "global":
			s.globals[v.What] = true
		case "load":
			s.shares = s.shares || v.Sum != ""
		}
	}
	for i := range f.Nodes {
		n := &f.Nodes[i]
		s.hides = s.hides || hides(n)
		switch n.Kind {
		case shape.Marker:
			s.marked, s.markers[n.Target] = true, true
			if !slices.ContainsFunc(f.Values, func(v shape.Value) bool { return v.Op == "result" && len(v.Args) == 0 && v.Node == i }) {
				s.unread[n.Target] = true
			}
		case shape.Scope, shape.Call:
			s.timeouts = s.timeouts || n.Target != "rollback"
		case shape.Receive:
			s.receive = append(s.receive, strings.ToLower(n.Target))
		}
		for b := range n.Bodies {
			s.look(&n.Bodies[b])
		}
	}
}

// event gives the type of an event.
func (s *side) event(name string) shape.TypeRef {
	for _, e := range s.lock.Events {
		if strings.EqualFold(e.Name, name) && len(e.Params) > 0 {
			return e.Params[0].Type
		}
	}
	return nowhere
}

// params are those of what a node starts.
func (s *side) params(n *shape.Node) (params []shape.Param) {
	switch n.Kind {
	case shape.Activity:
		params = find(s.lock.Activities, n.Target)
	case shape.Child:
		for _, o := range s.lock.Orchestrators {
			if o.Name == n.Target || slices.Contains(o.Aliases, n.Target) {
				params = o.Params
			}
		}
		if params == nil {
			params = find(s.lock.Children, n.Target)
		}
	}
	return params
}

// result gives the type of what a node of either side gives, as this one has it.
func (s *side) result(n *shape.Node) shape.TypeRef {
	is := func(name string, aliases []string) bool {
		return name == n.Target || slices.Contains(aliases, n.Target) || slices.Contains(s.aliases[n.Target], name)
	}
	list := s.lock.Activities
	if n.Kind == shape.Child {
		for _, o := range s.lock.Orchestrators {
			if is(o.Name, o.Aliases) {
				return o.Result
			}
		}
		list = s.lock.Children
	}
	for _, e := range list {
		if is(e.Name, e.Aliases) {
			return e.Result
		}
	}
	return nowhere
}

const nowhere shape.TypeRef = -2 // there is no such type

// draw gives a payload of one type of the old lock, as it is read into one of this side. Without the first it is as this
// side has it.
func (s *side) draw(of *scenario, stored, ref shape.TypeRef, name string) any {
	if stored == nowhere || s.before == s {
		return of.value(s.lock, ref, name)
	}
	key := reading{drew{s.lock, ref, name}, stored}
	v, known := of.reads[key]
	if !known {
		v = s.read(ref, of.value(s.before.lock, stored, name), 0)
		of.reads[key] = v
	}
	return v
}

func find(list []shape.Endpoint, name string) []shape.Param {
	for _, e := range list {
		if e.Name == name || slices.Contains(e.Aliases, name) {
			return e.Params
		}
	}
	return nil
}

// denied reports whether a scenario is of an instance that had passed the place of a marker before that was there.
func (s *scenario) denied(id string) bool {
	return s.old[id] && s.choose(3, "denied "+id) == 0
}

// pair is an orchestrator in two versions of its code.
type pair struct {
	old, now *side
	pool     *pool
	stacks   *engine.Stacks
	resolve  map[string]string
	markers  map[string]bool
	corpus   []base            // scenarios that have shown something new
	closest  map[goal][]sample // for what was not seen yet
	rare     map[step][]base   // that have come to steps that are seldom seen
	apart    []base            // in which variables have come to other values
	limits   map[limit][]base  // that have answered questions which are not in both programs
	targets  map[aimed]*target
	lacks    []lack // what the scenarios have to show

	tired, done int  // scenarios
	plain       bool // scenarios take nothing for shielded that is not
	pretended   bool // one that did has differed
	endless     bool // the new program has not come to an end of a step where the old one has
}

// newPair prepares a pair. The flows are those that are compared: with arguments as they are stored.
func newPair(old, now shape.Program) *pair {
	before := newSide(old, nil)
	x := &pair{
		old: before, now: newSide(now, before), pool: poolOf(old.Flow, now.Flow), stacks: engine.NewStacks(8),
		resolve: map[string]string{}, markers: map[string]bool{}, closest: map[goal][]sample{}, rare: map[step][]base{}, limits: map[limit][]base{}, targets: map[aimed]*target{},
	}
	shares := x.old.shares || x.now.shares
	x.old.shares, x.now.shares = shares, shares
	var gather func(f *shape.Flow)
	gather = func(f *shape.Flow) {
		for i := range f.Nodes {
			if n := &f.Nodes[i]; n.Kind == shape.Marker && !x.now.unread[n.Target] {
				x.markers[n.Target] = true
			}
			for b := range f.Nodes[i].Bodies {
				gather(&f.Nodes[i].Bodies[b])
			}
		}
		for i := range f.Functions {
			gather(&f.Functions[i].Flow)
		}
	}
	gather(old.Flow)
	for _, list := range [][]shape.Endpoint{now.Lock.Activities, now.Lock.Children, now.Lock.Events} {
		for _, e := range list {
			for _, alias := range e.Aliases {
				x.resolve[alias] = e.Name
			}
			x.old.aliases[e.Name] = e.Aliases
		}
	}
	for _, o := range now.Lock.Orchestrators {
		for _, alias := range o.Aliases {
			x.resolve[alias] = o.Name
		}
		x.old.aliases[o.Name] = o.Aliases
	}
	x.old.rule(newSide(old, nil), x.pool)
	x.now.rule(newSide(now, before), x.pool)
	x.lacks = append(x.old.lacks(x.now), x.now.lacks(x.old)...)
	return x
}

// close ends what the pair keeps.
func (x *pair) close() { x.stacks.Close() }

var self = history.Address{Group: "g", ID: "i"}

// machine makes an execution of one of the sides.
func (x *pair) machine(of *side, s *scenario, tired *bool) *engine.Machine {
	program := func(co *engine.Coroutine, _ history.Payload) (result history.Payload, err error) {
		m := &meeting{types: map[*engine.Future]shape.TypeRef{}, stored: map[*engine.Future]shape.TypeRef{}, shielded: map[string]int{}}
		defer func() {
			switch p := recover().(type) {
			case nil:
			case crash:
				*tired = *tired || p.err == errTired
				result, err = nil, p.err
			default:
				panic(p)
			}
		}()
		r := newRun(of.program, s, m, co)
		r.params = func(name string) any { return of.input(s, name) }
		r.walk()
		return nil, nil
	}
	cfg := engine.Config{Self: self, Program: program, Stacks: x.stacks, Resolve: func(_ history.SlotKind, name string) string {
		if now, ok := x.resolve[name]; ok {
			return now
		}
		return name
	}}
	return engine.New(cfg, history.Message{Seq: 1, Time: began, Record: &history.Start{Run: 1, Orchestrator: "o"}})
}

// input draws a parameter.
func (s *side) input(of *scenario, name string) any {
	mine, known := paramOf(s.of, name)
	if !known {
		return of.unknown("input", name)
	}
	stored := nowhere
	if before := s.before.of; len(before.Params) > 1 == (len(s.of.Params) > 1) {
		if stored, known = paramOf(before, name); !known {
			return zero{} // nobody has given it
		}
	}
	return s.draw(of, stored, mine, "input "+name)
}

// paramOf gives the type of a parameter: a single one has no name.
func paramOf(o *shape.Orchestrator, name string) (shape.TypeRef, bool) {
	for _, p := range o.Params {
		if p.Name == name || len(o.Params) == 1 {
			return p.Type, true
		}
	}
	return nowhere, false
}

// follow has the new program repeat what the old one has done, as if the code was exchanged after each message. It gives
// what is wrong, "" for nothing.
func (x *pair) follow(s *scenario, h events) (string, bool) {
	if !x.now.marked {
		return x.replay(s, h, len(h.inbox), true)
	}
	for cut := range len(h.inbox) + 1 {
		if len(h.slots[cut]) == 0 && cut < len(h.inbox) {
			continue
		}
		if wrong, ok := x.replay(s, h, cut, false); wrong != "" || !ok {
			return wrong, ok
		}
	}
	return "", true
}

// replay repeats the first messages. each: everything has to be decided as early as it was.
func (x *pair) replay(s *scenario, h events, cut int, each bool) (wrong string, ok bool) {
	tired := false
	m := x.machine(x.now, s, &tired)
	defer m.Close()
	var expected []engine.Recorded
	due, seq := 0, uint64(1)
	for i := range cut + 1 {
		if i > 0 {
			seq = h.inbox[i-1].Seq
		}
		for k, slot := range h.slots[i] {
			expected = append(expected, engine.Recorded{Slot: slot, Seq: seq + 1 + uint64(k)})
		}
	}
	m.Expect(expected)
	turn, err := m.Begin()
	decided := 0
	for i := 0; ; i++ {
		decided += len(turn.Slots)
		due += len(h.slots[i])
		switch {
		case tired:
			return "", false
		case err != nil:
			return err.Error(), true
		case each && decided < due:
			return fmt.Sprintf("after %d messages %d of %d slots", i, decided, due), true
		}
		if i == cut {
			break
		}
		turn, err = m.Apply(h.inbox[i])
	}
	if err := m.Replayed(); err != nil {
		return err.Error(), true
	}
	return "", true
}

// Rehearse is [shape.Rehearse].
func Rehearse(old, now shape.Program) shape.Rehearsal {
	x := newPair(old, now)
	wrong := x.rehearse()
	if x.pretended { // what differs where something was taken for shielded may differ nowhere else
		x.close()
		x = newPair(old, now)
		x.plain = true
		wrong = x.rehearse()
	}
	defer x.close()
	return shape.Rehearsal{Runs: x.done, Differs: wrong != "", Unseen: x.unseen()}
}

// How many scenarios are run: so many are drawn, so many more are searched for as long as anything is missing, and if nothing
// is, so many that have come to what was changed are varied.
const (
	mostDrawn    = 800
	mostSearched = 5_000
	mostVaried   = 2000
	leastVaried  = 500        // even if much was computed
	mostWork     = 15_000_000 // values that are computed
)

// rehearse runs scenarios until one shows what the new program does not repeat, which it gives, or nothing is missing, or it is
// enough. All depends on the programs alone.
func (x *pair) rehearse() string {
	for seed := range uint64(mostDrawn) {
		if wrong := x.once(seed); wrong != "" {
			return wrong
		}
	}
	if wrong := x.search(mostSearched); wrong != "" || !x.complete() {
		return wrong
	}
	return x.vary(mostVaried)
}

// once runs one scenario. It gives what the new program does not repeat.
func (x *pair) once(seed uint64) string {
	wrong, _ := x.try(base{seed: seed})
	return wrong
}

// base is a scenario that can be run again.
type base struct {
	seed uint64
	set  settings
}

func (x *pair) try(b base) (wrong string, s *scenario) {
	s = newScenario(b.seed, x.pool, b.set)
	s.old, s.plain = x.markers, x.plain
	before := x.old.begin() + x.now.begin()
	h, ok := x.live(s)
	if ok {
		wrong, ok = x.follow(s, h)
		x.endless = x.endless || !ok && !s.huge
	}
	if !ok {
		x.tired++
		return "", s
	}
	x.done++
	if x.old.end()+x.now.end() != before {
		x.corpus = append(x.corpus, b)
	}
	x.remember(b)
	x.pretended = x.pretended || wrong != "" && s.pretends
	return wrong, s
}
