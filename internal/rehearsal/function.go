package rehearsal

import (
	"slices"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/shape"
)

// stillKinds are the nodes of a function that only computes.
var stillKinds = map[shape.NodeKind]bool{
	shape.Join: true, shape.Branch: true, shape.Return: true, shape.Panic: true, shape.Variable: true, shape.Store: true,
}

// kept gives what a function is computed from that nodes have given: a later round of a loop has another.
func (p *program) kept(f int) (kept []int) {
	if p.flow.Values[f].Sum != "" {
		return nil // it has all that at once
	}
	seen := map[int]bool{}
	var visit func(v int)
	visit = func(v int) {
		if seen[v] {
			return
		}
		seen[v] = true
		val := &p.flow.Values[v]
		if val.Op == "phi" || len(val.Args) == 0 && (val.Op == "result" || val.Op == "after" || val.Op == "future") {
			kept = append(kept, v)
			return
		}
		for _, a := range val.Args {
			visit(a)
		}
	}
	visit(f)
	return kept
}

// function makes a function, with what it takes from around it as that is now.
func (r *run) function(v int, in *frame) function {
	in.keep()
	f := function{of: r.p, v: v, in: in, by: r}
	if val := &r.p.flow.Values[v]; val.Sum != "" {
		f.on = r.all(val.Args, in)
	}
	for _, k := range r.p.keeps[v] {
		r.of(k, in)
	}
	return f
}

// call calls what may be a function.
func (r *run) call(f any, args []any) any { return r.apply(f, args, nil) }

// apply is call, of a function that calls itself by self.
func (r *run) apply(f any, args []any, self any) any {
	switch f := f.(type) {
	case function:
		if len(f.of.finds(f.v)) > 0 {
			break // it may have been called before
		}
		c, ok := r.reckon(f, args, self, nil)
		switch {
		case !ok:
		case len(c.results) == 1:
			return c.results[0]
		default:
			return tuple(c.results)
		}
	case named:
		return r.library(f.name, append(slices.Clone(f.on), args...))
	}
	return r.s.unknown("apply", text(f), texts(args))
}

// reckon runs a function that gives a value: one that panics gives a broken one.
func (r *run) reckon(f function, args []any, self any, found contents) (c called, ok bool) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case crash:
			if p.err != errPanic {
				panic(p)
			}
			c, ok = called{results: []any{broken{}}}, true
		default:
			panic(p)
		}
	}()
	return r.enter(f, args, self, found, true)
}

// enter runs a function. ok: it is known what it does. still: it is wanted where nothing may take time.
func (r *run) enter(f function, args []any, self any, found contents, still bool) (c called, ok bool) {
	v := &f.of.flow.Values[f.v]
	if r.rounds++; r.rounds > mostRounds {
		r.tired = true
		return called{results: []any{broken{}}}, true
	}
	if v.Sum != "" {
		p := r.p.side.functions[v.Sum]
		if p == nil || p.blind || still && !p.still {
			return c, false
		}
		return r.steps(p, f, args, self, found), true
	}
	if len(v.Args) == 0 {
		return c, false
	}
	by := *f.by // which may have gone on meanwhile, or wait
	by.co, by.rounds = r.co, r.rounds
	results := by.all(v.Args, &frame{bit: functionBit(v), outer: f.in, args: withoutScopes(args), self: self, now: !still, found: found, known: map[int]any{}})
	r.rounds, r.tired = by.rounds, r.tired || by.tired
	return f.of.returned(v.Args, results), true
}

// steps runs a function that has steps or loops.
func (r *run) steps(p *program, f function, args []any, self any, found contents) called {
	sub := newRun(p, r.s, r.m, r.co)
	sub.found = found
	sub.outer, sub.scope, sub.self, sub.rounds = f.on, r.scope, f, r.rounds
	if self != nil {
		sub.self = self
	}
	for _, a := range args {
		if scope, ok := a.(*engine.Scope); ok {
			sub.scope = scope
		}
	}
	args = withoutScopes(args)
	sub.params = func(name string) any {
		if i, err := strconv.Atoi(name); err == nil && i < len(args) {
			return args[i]
		}
		return broken{}
	}
	r.p.side.ran[p] = true
	results := sub.walk()
	r.tired = r.tired || sub.tired
	if p.still {
		r.rounds = sub.rounds
	}
	return p.returned(p.flow.Nodes[sub.at].Args, results)
}

// withoutScopes leaves out Contexts, which are no parameters of a flow.
func withoutScopes(args []any) []any {
	return slices.DeleteFunc(slices.Clone(args), func(a any) bool { _, is := a.(*engine.Scope); return is })
}

// returned parts what a function has returned from what it leaves in what it was given.
func (p *program) returned(args []int, results []any) called {
	c := called{results: results, left: map[string]any{}}
	for i, a := range args {
		switch v := &p.flow.Values[a]; v.Op {
		case "left":
			c.left["arg "+v.What] = results[i]
		case "out":
			c.left["out "+v.What] = results[i]
		}
	}
	return c
}

// result is one of the results; "" is the only one.
func (c called) result(what string) any {
	i := 0
	if what != "" {
		i, _ = strconv.Atoi(what)
	}
	if i < len(c.results) {
		return c.results[i]
	}
	return broken{}
}

// called makes the step of a call that a flow does not look into. Functions of which it is known what they do are run.
func (r *run) called(n *shape.Node) any {
	args := r.whole(n.Args)
	var f any
	var self any
	switch {
	case n.Target == "rollback" && len(args) == 1:
		if x, ok := r.rollback(args[0]); ok {
			return x
		}
	case n.Target == dispatched:
		if len(args) == 0 || isZero(args[0]) {
			panic(crash{errPanic})
		}
		f, args = behind(args)
		if f == nil {
			args = r.whole(n.Args)
		}
	case (n.Target == "value" || n.Target == "argument") && len(args) > 0:
		f, args = args[0], args[1:]
	case strings.HasPrefix(n.Target, "recursion ") && len(args) > 0:
		f, args = args[len(args)-1], args[:len(args)-1]
		self = f
		if f, ok := f.(function); ok && r.p.side.reaches(f) {
			return r.decide(n)
		}
	}
	switch f := f.(type) {
	case function:
		if n.Target == "argument" && len(f.of.finds(f.v)) > 0 {
			break // it is not known how often it was called
		}
		r.p.gives[r.at] |= toFunction
		if c, ok := r.enter(f, args, self, nil, r.p.still); ok {
			return c
		}
	case collector:
		r.p.gives[r.at] |= toCollector
		*f.items = append(*f.items, entryOf(args))
		return true
	case nil, zero:
		if n.Target == "value" || n.Target == "argument" {
			panic(crash{errPanic})
		}
	case canceler:
		r.co.CancelScope(f.scope, &history.Failure{Kind: history.FailCanceled, Message: "canceled"})
		return nil
	}
	if r.p.still {
		return r.s.unknown("call", text(f), texts(args))
	}
	return r.decide(n)
}

// entryOf is what a function yields at once.
func entryOf(args []any) entry {
	args = append(slices.Clone(args), zero{}, zero{})
	return entry{args[0], args[1]}
}

// collecting are functions that go over what one of their arguments yields.
var collecting = map[string]int{
	"slices.Collect": 0, "slices.Sorted": 0, "slices.SortedFunc": 0, "slices.SortedStableFunc": 0, "maps.Collect": 0,
	"slices.AppendSeq": 1, "maps.Insert": 1,
}

// yielded puts what a function yields in its place, where that is all that counts.
func (r *run) yielded(name string, args []any) []any {
	if at, ok := collecting[name]; ok && at < len(args) {
		if s, ok := r.ranged(args[at]); ok {
			args = slices.Clone(args)
			args[at] = s
		}
	}
	return args
}

// ranged gives what a loop over a function ranges over. ok: it is known.
func (r *run) ranged(of any) (s sequence, ok bool) {
	f, ok := of.(function)
	if !ok {
		return nil, false
	}
	s = sequence{}
	c, ok := r.reckon(f, []any{collector{&s}}, nil, nil)
	return s, ok && !slices.ContainsFunc(c.results, isBroken)
}

// rollback runs the compensations of a saga, the newest first. ok: it is known what they do.
func (r *run) rollback(saga any) (x any, ok bool) {
	all, ok := saga.(list)
	if !ok && !isZero(saga) {
		return nil, false
	}
	for _, c := range all {
		f, ok := c.(function)
		if !ok || !r.p.side.known(f) || r.p.side.reaches(f) {
			return nil, false
		}
	}
	var failed list
	shielded := *r // nothing cancels what is undone
	shielded.scope = r.co.Detached()
	for _, c := range slices.Backward(all) {
		got, _ := shielded.enter(c.(function), nil, nil, nil, false)
		failed = append(failed, got.result(""))
	}
	r.rounds, r.tired = shielded.rounds, shielded.tired
	x, _ = r.printing("errors.Join", nil, failed)
	return x, true
}

// reaches reports whether a function changes variables around it. A flow does not have what a rollback and a recursion
// change, so these functions are told by their sums there.
func (s *side) reaches(f function) bool {
	out := func(flow *shape.Flow, args []int) bool {
		return slices.ContainsFunc(args, func(a int) bool { return flow.Values[a].Op == "out" })
	}
	v := &f.of.flow.Values[f.v]
	if v.Sum == "" {
		return out(f.of.flow, v.Args)
	}
	p := s.functions[v.Sum]
	return p != nil && slices.ContainsFunc(p.flow.Nodes, func(n shape.Node) bool { return n.Kind == shape.Return && out(p.flow, n.Args) })
}

// known reports whether it is known what a function does.
func (s *side) known(f function) bool {
	v := &f.of.flow.Values[f.v]
	if v.Sum == "" {
		return len(v.Args) > 0
	}
	p := s.functions[v.Sum]
	return p != nil && !p.blind
}
