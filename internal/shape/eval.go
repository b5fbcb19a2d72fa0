package shape

import (
	"fmt"
	"slices"
	"strconv"
)

// eval gives the term of a value as a program has it now.
func (w *walk) eval(s *state, old bool, v int) term {
	return w.evaluation(s, old).of(v)
}

func (w *walk) evals(s *state, old bool, values []int) []term {
	e := w.evaluation(s, old)
	all := make([]term, len(values))
	for i, v := range values {
		all[i] = e.of(v)
	}
	return all
}

func (w *walk) evaluation(s *state, old bool) *evaluation {
	return &evaluation{w: w, s: s, old: old, c: s.side(old), g: w.graph(old), done: map[int]term{}, here: map[int]placed{}}
}

type evaluation struct {
	w    *walk
	s    *state
	old  bool
	c    *cursor
	g    *graph
	done map[int]term   // of values that mean the same wherever they stand
	here map[int]placed // of the others, within the last of open
	open []int          // what pure loops leave, what changes in them, and functions, that are being computed
	free int            // the first of open to which what is being computed refers
}

// placed is a term that depends on where it stands.
type placed struct {
	term
	free int
}

// of gives the term of a value. Loops and functions are told by how far out they are and not by how many there are around:
// one that is taken out of another is the same.
func (e *evaluation) of(v int) term {
	v = e.g.rep[v]
	if x, ok := e.done[v]; ok {
		return x
	}
	if x, ok := e.here[v]; ok {
		e.free = min(e.free, x.free)
		return x.term
	}
	if i := slices.Index(e.open, v); i >= 0 {
		e.free = min(e.free, i)
		return e.w.t.keep("again", strconv.Itoa(len(e.open)-i), "", nil)
	}
	before := e.free
	e.free = len(e.open)
	var x term
	if op := e.g.Values[v].Op; op == opMu || op == opEta || op == opFunc {
		here := e.here
		e.here, e.open, e.free = map[int]placed{}, append(e.open, v), e.free+1
		x = e.compute(v)
		e.here, e.open = here, e.open[:len(e.open)-1]
	} else {
		x = e.compute(v)
	}
	if e.free >= len(e.open) {
		e.done[v] = x
	} else {
		e.here[v] = placed{x, e.free}
	}
	e.free = min(before, e.free)
	return x
}

// which tells the loop of a mu, or the function of an arg: by how many others what is computed is in that are within it.
func (e *evaluation) which(v *Value, of string) string {
	within := 0
	for i := len(e.open) - 1; i >= 0; i-- {
		around := &e.g.Values[e.open[i]]
		switch {
		case around.Op != of:
		case around.Loop+around.Func == v.Loop+v.Func: // one of them is 0
			e.free = min(e.free, i)
			return strconv.Itoa(within)
		default:
			within++
		}
	}
	e.free = -1 // it is asked for by itself
	return fmt.Sprint(of, v.Loop, v.Func)
}

func (e *evaluation) compute(n int) term {
	v, t := &e.g.Values[n], e.w.t
	if r := e.g.root(n); r >= 0 {
		return e.root(v, e.c.env[r])
	}
	switch v.Op {
	case opConst:
		return t.constant(v.What)
	case opParam:
		return e.w.param(e.old, v.What)
	case opOuter:
		outer := e.w.outer[btoi(e.old)]
		if n, err := strconv.Atoi(v.What); err == nil && n >= 0 && n < len(outer) {
			return outer[n]
		}
		return t.symbol("outer")
	case "start":
		return e.w.start
	}
	if v.Op == opIf && len(v.Args) == 3 && len(e.s.facts) > 0 {
		if yes, ok := e.w.told(e.s, e.of(v.Args[0])); ok {
			return e.of(v.Args[2-btoi(yes)])
		}
	}
	args := make([]term, len(v.Args))
	for i, a := range v.Args {
		args[i] = e.of(a)
	}
	switch v.Op {
	case opMu:
		return t.keep(opMu, e.which(v, opEta), "", args)
	case opArg:
		return t.keep(opArg, v.What+" of "+e.which(v, opFunc), "", nil)
	}
	return t.of(v.Op, v.What, v.Sum, args...)
}

// same reports whether two terms are equal, as far as conditions are decided.
func (w *walk) same(s *state, a, b term) bool {
	if len(s.facts) > 0 && a != b {
		done := map[term]term{}
		a, b = w.settled(s, a, done), w.settled(s, b, done)
	}
	return w.t.agree(a, b)
}

// follows tells which way a condition goes that is one of those that are decided, once their outcome is put into it.
func (w *walk) follows(s *state, condition term) (yes, ok bool) {
	done := map[term]term{}
	x := w.settled(s, condition, done)
	if x != condition {
		if yes, ok := w.t.isTruth(x); ok {
			return yes, true
		}
		if yes, ok := s.facts[x]; ok {
			return yes, true
		}
	}
	m := &w.t.all[x]
	for fact, yes := range s.facts {
		if f := &w.t.all[fact]; f.op == m.op && f.what == m.what && fact != condition && w.settled(s, fact, done) == x {
			return yes, true
		}
	}
	return false, false
}

// settle puts the outcome of decided conditions into all terms of a state, if any depends on one.
func (w *walk) settle(s *state, open map[term]bool) {
	for x := range open {
		if _, ok := w.told(s, x); !ok {
			continue
		}
		done := map[term]term{}
		for _, x := range w.vector(s) {
			*x = w.settled(s, *x, done)
		}
		return
	}
}

// noError gives the error of which a term says that it is nil; 0 when it is none such.
func (t *terms) noError(x term) term {
	m := &t.all[x]
	if m.op != opEqual || len(m.args) != 2 {
		return 0
	}
	for i, a := range m.args {
		if n := &t.all[m.args[1-i]]; t.all[a].op == "error" && n.op == opConst && n.what == "nil" {
			return a
		}
	}
	return 0
}

// settled gives a term with the outcome of decided conditions in their place.
func (w *walk) settled(s *state, x term, done map[term]term) term {
	if x == unset || len(w.t.all[x].args) == 0 {
		return x
	}
	if w.t.all[x].op == "error" && s.facts[w.t.of(opEqual, "", "", x, w.t.constant("nil"))] {
		return w.t.constant("nil")
	}
	if y, ok := done[x]; ok {
		return y
	}
	m := w.t.all[x]
	args, changed := make([]term, len(m.args)), false
	for i, a := range m.args {
		args[i] = w.settled(s, a, done)
		changed = changed || args[i] != a
	}
	y := x
	if changed {
		y = w.t.of(m.op, m.what, m.sum, args...)
	}
	if n := w.t.all[y]; n.op == opIf && len(n.args) == 3 {
		if yes, ok := w.told(s, n.args[0]); ok {
			y = n.args[2-btoi(yes)]
		}
	}
	done[x] = y
	return y
}

// root gives the term of what a node gives, or of what is read after it.
func (e *evaluation) root(v *Value, at term) term {
	t := e.w.t
	if at == unset {
		return t.symbol("") // of a node that gives nothing: nothing can be said of it
	}
	if v.Op == opPhi {
		return at
	}
	value, now := t.all[at].args[0], t.all[at].args[1]
	switch v.Op {
	case "future":
		return value
	case opResult:
		if v.What != "" && v.What != "0" {
			return t.of("pick", v.What, "", value)
		}
		return value
	case "after":
		return now
	}
	args := []term{now}
	for _, a := range v.Args {
		args = append(args, e.of(a))
	}
	return t.of(v.Op, v.What, v.Sum, args...)
}

// param gives the symbol of a parameter. Several are matched by name: that is how they are stored.
func (w *walk) param(old bool, name string) term {
	key := name
	if !w.strict && name != "" && !(w.j.from.takes(name) && w.j.to.takes(name)) {
		key = strconv.FormatBool(old) + name
	}
	p, ok := w.params[key]
	if !ok {
		p = w.constantSymbol("param " + name)
		w.params[key] = p
	}
	return p
}

// takes reports whether an orchestrator has a parameter. That of one which has a single one has no name.
func (o *Orchestrator) takes(name string) bool {
	if len(o.Params) < 2 {
		return len(o.Params) == 1 && name == ""
	}
	return slices.ContainsFunc(o.Params, func(p Param) bool { return p.Name == name })
}
