package rehearsal

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/shape"
)

// program is a flow, ready to be run.
type program struct {
	side      *side
	flow      *shape.Flow
	constants []any
	depends   []uint64
	phis      [][]int          // of a join
	ways      map[way][]int    // the place of a way among those into the join that it leads to
	scopes    []int            // of a node: the value that is the Context of what it makes, -1 for the plain one
	awaited   []bool           // of a node: somebody has its future
	inner     []*program       // of all nodes with bodies, one after the other
	first     []int            // of a node: its first in inner
	waits     map[int]int      // of a future: the value that is the Context in which it is waited for, if it is another than its own; -1: several are
	finding   map[int][]string // of a func: see finds
	keeps     map[int][]int    // of a func: what it is computed from that nodes give, which may give something else later
	still     bool             // nothing in it takes time or a slot
	blind     bool             // it looks at what is not known
	live      []bool           // by node: scenarios may come to it
	closed    map[fork]bool    // ways that none takes
	ruledOut  map[way]bool     // some of them: see states
	used      []bool           // by value
	paths     map[int]*place
	grounds   map[int]*ground
	fields    map[int][]int // of a value
	need      []arrivals
	numbers   map[int][]int64 // by variable: which it can be, if those are few
	gaps      map[int]*gaps   // by value that compares numbers
	idle      []bool          // by value: nothing computes it
	byForm    map[string]int
	walked    int   // values that were looked at where they are computed
	same      []int // by value: the first that is made in the same way
	targets   []*target

	seen
	flowing
}

type way struct{ from, next int }

func newProgram(s *side, f *shape.Flow) *program {
	p := &program{side: s, flow: f, grounds: map[int]*ground{}, depends: findDepends(f), ways: map[way][]int{}, keeps: map[int][]int{}, finding: map[int][]string{}, waits: findWaits(f), fields: map[int][]int{}, still: true}
	p.constants, p.seen = make([]any, len(f.Values)), newSeen(f)
	p.phis, p.scopes, p.awaited, p.first = make([][]int, len(f.Nodes)), make([]int, len(f.Nodes)), make([]bool, len(f.Nodes)), make([]int, len(f.Nodes))
	for i := range p.scopes {
		p.scopes[i] = -1
	}
	for i := range f.Values {
		switch v := &f.Values[i]; v.Op {
		case "unknown":
			p.blind = true
		case "func":
			p.keeps[i] = p.kept(i)
		case "const":
			p.constants[i] = constant(v.What)
		case "phi":
			p.phis[v.Node] = append(p.phis[v.Node], i)
		case "field":
			p.fields[v.Args[0]] = append(p.fields[v.Args[0]], i)
		case "future":
			p.awaited[v.Node] = true
			if len(v.Args) > 0 {
				p.scopes[v.Node] = v.Args[0]
			}
		}
	}
	for i := range f.Nodes {
		n := &f.Nodes[i]
		p.still = p.still && (stillKinds[n.Kind] || n.Kind == shape.Call && n.Target == "argument")
		for k, e := range f.Nodes[i].In {
			w := way{e.From, e.Next}
			p.ways[w] = append(p.ways[w], k)
		}
		p.first[i] = len(p.inner)
		for b := range f.Nodes[i].Bodies {
			p.inner = append(p.inner, newProgram(s, &f.Nodes[i].Bodies[b]))
		}
	}
	p.findDead()
	for v := range f.Values {
		_, known := p.answer(v, noFacts(), 0)
		p.sure[v] = known || p.editsConstant(v)
	}
	return p
}

// run is one run of a program: of the orchestrator, or of one of its coroutines.
type run struct {
	p      *program
	s      *scenario
	m      *meeting
	co     *engine.Coroutine
	scope  *engine.Scope
	params func(name string) any
	outer  []any
	self   any // the function that is run
	found  contents
	ended  map[wait]*history.Failure

	at      int
	values  []any // by node
	moments []any
	phis    []any            // by value
	came    map[int]arrivals // by variable
	base    *frame
	start   moment
	rounds  int
	tired   bool
}

// meeting is what the coroutines of one execution share.
type meeting struct {
	types    map[*engine.Future]shape.TypeRef
	stored   map[*engine.Future]shape.TypeRef // as which the old code has written them, in its lock
	waits    int                              // how often others may have run
	writes   int                              // into places in memory
	futures  []*engine.Future
	steps    int
	shielded map[string]int // after a cancellation, by what is made
}

const mostSteps = 4000 // of an execution

func newRun(p *program, s *scenario, m *meeting, co *engine.Coroutine) *run {
	r := &run{p: p, s: s, m: m, co: co}
	r.values, r.moments, r.phis = make([]any, len(p.flow.Nodes)), make([]any, len(p.flow.Nodes)), make([]any, len(p.flow.Values))
	r.base, r.came = &frame{known: map[int]any{}}, map[int]arrivals{}
	r.start = r.moment()
	return r
}

// there reports whether a wait for a future would end at once.
func (r *run) there(f *engine.Future) bool {
	over := r.co.Promise()
	r.co.Give(over, nil)
	return r.co.Await(f, over) == 0
}

func (r *run) moment() moment {
	m := moment{r.co.Now(), r.m.waits, r.m.writes, map[*engine.Future]bool{}}
	for _, f := range r.m.futures {
		if f.Done() {
			m.done[f] = true
		}
	}
	return m
}

// Ways in which a run ends that is no return.
var (
	errPanic = errors.New("panic")
	errTired = errors.New("too many steps")
)

// crash ends a run.
type crash struct{ err error }

// walk runs the program to its end, and gives what it returns.
func (r *run) walk() (results []any) {
	for {
		if r.p.still {
			r.rounds++
		} else {
			r.rounds = 0
			r.m.steps++
		}
		if r.m.steps > mostSteps || r.rounds > mostRounds || r.tired {
			panic(crash{errTired})
		}
		n := &r.p.flow.Nodes[r.at]
		r.p.pass(r.at)
		if !slotKinds[n.Kind] {
			r.p.get(r.at, r.came)
		}
		r.nearTargets()
		if r.step(n) {
			return r.whole(n.Args)
		}
	}
}

// whole gives the values of arguments, which a program that has panicked does not have.
func (r *run) whole(args []int) []any {
	out := r.all(args, r.base)
	if slices.ContainsFunc(out, isBroken) {
		panic(crash{errPanic})
	}
	return out
}

// step does what a node does, and goes on behind it. done: the program has returned there.
func (r *run) step(n *shape.Node) (done bool) {
	next := 0
	if n.Kind == shape.Await || n.Kind == shape.AwaitAny || n.Kind == shape.Call || n.Kind == shape.Go && n.Target != "go" {
		r.m.waits++
	}
	switch n.Kind {
	case shape.Return:
		return true
	case shape.Continue:
		if r.self == nil {
			return true
		}
		r.give(fault{id: "continue"})
	case shape.Panic:
		panic(crash{errPanic})
	case shape.Join:
	case shape.Branch:
		next = 1 - btoi(r.asked(n.Args[0], r.truth(r.whole(n.Args)[0])))
		r.p.fork(r.at, next, len(r.s.knobs.all))
	case shape.Now:
		r.give(r.moment())
	case shape.Await:
		r.await(n)
		r.give(nil)
	case shape.AwaitAny:
		fs := r.futures(n.Args)
		if len(fs) == 0 {
			panic(crash{errPanic})
		}
		i := r.co.Await(fs...)
		r.give(which{i, fs[i]})
	case shape.Receive:
		f := r.co.ReceiveIn(r.in(), n.Target)
		r.keep(f, r.p.side.event(n.Target))
		r.m.stored[f] = r.p.side.before.event(n.Target)
		r.give(f)
	case shape.Variable:
		r.give(r.newMemory(r.whole(n.Args)[0]))
	case shape.Store:
		r.store(r.whole(n.Args))
	case shape.UUID:
		r.give(fmt.Sprintf("%x", r.co.UUID()))
	case shape.Random:
		args := r.whole(n.Args)
		drawn := r.co.Rand().Uint64()
		if n.Target == "IntN" && len(args) == 1 {
			if most := r.integer(args[0]); most > 0 {
				r.give(int64(drawn % uint64(most)))
				break
			}
		}
		r.give(r.s.unknown("random", strconv.FormatUint(drawn, 36), n.Target, texts(args)))
	case shape.Scope:
		r.give(r.newScope(n))
	case shape.Go:
		r.give(r.coroutines(n))
	case shape.Call:
		r.give(r.called(n))
	default:
		r.give(r.decide(n))
	}
	r.move(next)
	return false
}

// give is what the node gives at which the run stands.
func (r *run) give(v any) {
	r.values[r.at], r.moments[r.at] = v, r.moment()
}

func (r *run) keep(f *engine.Future, ref shape.TypeRef) {
	r.m.types[f] = ref
	r.m.futures = append(r.m.futures, f)
}

// move goes on to what is behind the node.
func (r *run) move(next int) {
	from := r.at
	r.at = r.p.flow.Nodes[from].Next[next]
	var phis []any
	var came []arrivals
	if edges := r.p.ways[way{from, next}]; len(r.p.phis[r.at]) > 0 {
		for _, v := range r.p.phis[r.at] {
			val := &r.p.flow.Values[v]
			for _, e := range edges {
				if in := r.p.flow.Nodes[r.at].In[e]; in.From == from && in.Next == next && e < len(val.Args) {
					phis = append(phis, r.of(val.Args[e], r.base))
					came = append(came, r.p.arrive(arrival{v, e}, r.came))
					break
				}
			}
		}
		for i, v := range r.p.phis[r.at] {
			if i < len(phis) {
				r.phis[v], r.came[v] = phis[i], came[i]
				if r.p.changing[v] {
					r.p.side.states[text(phis[i])] = true
				}
			}
		}
	}
	if r.base.kept {
		r.base = &frame{known: map[int]any{}}
	} else {
		clear(r.base.known)
	}
}

// futures are those that a node waits for, those of lists one by one.
func (r *run) futures(args []int) []*engine.Future {
	var out []*engine.Future
	var add func(v any)
	add = func(v any) {
		switch v := v.(type) {
		case *engine.Future:
			out = append(out, v)
		case list:
			for _, e := range v {
				add(e)
			}
		case nil, zero:
		default:
			panic(crash{errPanic})
		}
	}
	for _, v := range r.whole(args) {
		add(v)
	}
	return out
}

// given is what a node gives, or what is asked of that.
func (r *run) given(v *shape.Value, in *frame) any {
	switch v.Op {
	case "start":
		return r.start
	case "after":
		return r.moments[v.Node]
	case "future":
		return r.values[v.Node]
	case "now":
		if m, ok := r.of(v.Args[0], in).(moment); ok {
			return m.at
		}
		return r.co.Now()
	case "info":
		return r.info(v.What)
	case "canceled":
		if len(v.Args) > 0 {
			s, _ := r.of(v.Args[0], in).(*engine.Scope)
			return r.co.Cancelled(s)
		}
		return r.co.Cancelled(r.scope)
	case "ctxerr":
		if len(v.Args) > 1 {
			if s, ok := r.of(v.Args[1], in).(*engine.Scope); ok {
				return errorOf(r.co.Cause(s))
			}
		}
		return errorOf(r.co.Cause(r.scope))
	case "ready":
		f, ok := r.of(v.Args[0], in).(*engine.Future)
		if !ok {
			return broken{}
		}
		if len(v.Args) > 1 {
			if m, ok := r.of(v.Args[1], in).(moment); ok && m.waits != r.m.waits {
				return m.done[f]
			}
		}
		return r.there(f)
	}
	if len(v.Args) == 0 {
		return r.resultOf(v)
	}
	of := r.of(v.Args[0], in)
	if late, ok := r.late(v, of, in); ok {
		if v.Op == "error" {
			return errorOf(late)
		}
		return zero{}
	}
	return r.outcome(v.Op, of)
}

// resultOf is what a node gives, or one of several results.
func (r *run) resultOf(v *shape.Value) any {
	if c, ok := r.values[v.Node].(called); ok {
		return c.result(v.What)
	}
	if v.What == "" {
		return r.values[v.Node]
	}
	return r.part(v.What, r.values[v.Node])
}

// outcome is the result of a future, or its error; of several, all.
func (r *run) outcome(op string, of any) any {
	switch f := of.(type) {
	case *engine.Future:
		if op == "error" {
			return r.failure(f)
		}
		return r.result(f)
	case list:
		all := make(list, len(f))
		for i, x := range f {
			all[i] = r.outcome(op, x)
		}
		if op == "error" {
			x, _ := r.printing("errors.Join", nil, all)
			return x
		}
		return all
	case nil, zero:
		if op == "error" {
			return nil
		}
		return list{}
	case mapped:
		if op == "error" {
			return f.err
		}
		return f.results
	case broken:
		return f
	}
	return r.s.unknown(op, text(of))
}

// returned is what a coroutine has returned.
type returned struct{ value, err any }

// mapped is what Map and ForEach give.
type mapped struct {
	results list
	err     any
}

func (r *run) failure(f *engine.Future) any {
	if own, ok := f.Value().(returned); ok {
		return own.err
	}
	payload, failure := f.Result()
	if failure == nil && strings.HasPrefix(string(payload), `"`+unreadable) {
		return fault{id: string(payload)}
	}
	return errorOf(failure)
}

func errorOf(f *history.Failure) any {
	switch {
	case f == nil:
		return nil
	case f.Kind == history.FailCanceled:
		return fault{id: "canceled"}
	case f.Kind == history.FailTimeout:
		return fault{id: "timeout"}
	}
	return fault{id: f.Message}
}

func (r *run) result(f *engine.Future) any {
	if own, ok := f.Value().(returned); ok {
		return own.value
	}
	payload, failure := f.Result()
	ref, known := r.m.types[f]
	if failure != nil || !f.Done() {
		return zero{}
	}
	if !known || ref == shape.NoType {
		return r.s.unknown("result", string(payload))
	}
	return r.p.side.draw(r.s, r.m.stored[f], ref, string(payload))
}

// decide makes a slot.
func (r *run) decide(n *shape.Node) any {
	slot := history.Slot{Name: n.Target, Site: "-"}
	args := r.whole(n.Args)
	policy := engine.Strict
	if n.Loose {
		policy = engine.Ignore
	}
	slot.Args = r.p.side.payload(n, args)
	switch n.Kind {
	case shape.Activity:
		slot.Kind = history.SlotActivity
	case shape.Timer:
		slot.Kind, slot.Name, slot.Args, slot.Due = history.SlotTimer, "", nil, r.co.Now()
	case shape.Child:
		slot.Kind, slot.Child, slot.Target.Group = history.SlotChild, &history.ChildOptions{}, "g"
	case shape.Send:
		slot.Kind, slot.Target.ID, slot.Confirm = history.SlotSend, "other", r.p.awaited[r.at]
	case shape.Marker:
		if r.s.denied(n.Target) {
			return false
		}
		slot.Kind, slot.Args = history.SlotVersion, history.Payload("true")
		result, _ := r.co.ScheduleIn(nil, slot).Result()
		return len(result) > 0
	default: // what cannot be looked into
		slot.Kind, slot.Name = history.SlotActivity, "call "+n.Target
		f := r.co.ScheduleIn(nil, slot)
		r.co.Await(f)
		return r.s.unknown("result of "+n.Target, texts(args), fmt.Sprint(f.Slot()))
	}
	f := r.co.ScheduleArgs(r.in(), slot, policy)
	if f.Slot() != engine.NoSlot { // its scope has not been cancelled
		r.p.take(r.at)
		r.p.get(r.at, r.came)
	}
	r.keep(f, n.Type)
	r.m.stored[f] = r.p.side.before.result(n)
	return f
}

// sentinel is the error that stands for a timeout or a cancellation.
func (p *program) sentinel(s *scenario, id string) unknown {
	name := map[string]string{"timeout": "ErrTimeout", "canceled": "ErrCanceled"}[id]
	return s.unknown("global", p.side.global(name), "")
}

// global is the name by which a flow knows a variable of the runtime.
func (s *side) global(name string) string {
	for known := range s.globals {
		if strings.HasSuffix(known, "runtime."+name) {
			return known
		}
	}
	return name
}
