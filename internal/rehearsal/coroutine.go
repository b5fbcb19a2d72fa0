package rehearsal

import (
	"cmp"
	"strconv"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/shape"
)

// coroutines runs the body of a node beside, or once for every element of a list.
func (r *run) coroutines(n *shape.Node) any {
	args := r.whole(n.Args)
	if len(n.Bodies) == 0 {
		return r.s.unknown("go", n.Target, texts(args))
	}
	p, in := r.p.inner[r.p.first[r.at]], cmp.Or(r.known(), r.scope)
	body := func(co *engine.Coroutine, params func(string) any) returned {
		sub := newRun(p, r.s, r.m, co)
		sub.params, sub.outer, sub.scope = params, args, in
		results := sub.walk()
		r.p.side.tell(co, n.Target, results)
		switch len(results) {
		case 0:
			return returned{}
		case 1: // the error alone, where nobody asks for the value
			if onlyError(results[0]) || isZero(results[0]) {
				return returned{nil, results[0]}
			}
			return returned{results[0], nil}
		}
		return returned{results[0], results[len(results)-1]}
	}
	if n.Target == "map" || n.Target == "foreach" {
		return r.each(args, in, body)
	}
	f := r.co.Promise()
	r.keep(f, shape.NoType)
	r.co.Go(func(co *engine.Coroutine) {
		co.Give(f, body(co, func(string) any { return broken{} }))
	})
	return f
}

// tell has what a coroutine returns compared, where coroutines share variables: they may hold it, and a flow does not say so.
func (s *side) tell(co *engine.Coroutine, target string, results []any) {
	if s.shares {
		co.ScheduleIn(co.Detached(), history.Slot{
			Kind: history.SlotSend, Name: "returned", Target: history.Address{ID: target}, Args: history.Payload(strconv.Quote(texts(results))), Site: "-",
		})
	}
}

// each runs a body for every element of a list, as Map does: after a cancellation it begins no more.
func (r *run) each(args []any, in *engine.Scope, body func(*engine.Coroutine, func(string) any) returned) any {
	items, ok := r.asList(args[0])
	if !ok || len(args) < 2 {
		panic(crash{errPanic})
	}
	parallel := r.integer(args[1])
	if parallel < 1 {
		panic(crash{errPanic})
	}
	v := r.p.flow.Nodes[r.at].Args[1]
	r.near(v, cmp.Compare(int64(len(items)), parallel), int64(len(items)), parallel)
	r.p.crowd(crowd{r.at, parallel}, int64(len(items)) > parallel)
	r.p.crowd(crowd{r.at, atOnce}, len(items) > 1)
	out, next := mapped{results: make(list, len(items))}, 0
	var bad []failed
	var lines []*engine.Future
	for range min(parallel, int64(len(items))) {
		f := r.co.Promise()
		lines = append(lines, f)
		r.co.Go(func(co *engine.Coroutine) {
			for next < len(items) && co.Cause(in) == nil {
				n := next
				next++
				got := body(co, func(string) any { return items[n] })
				out.results[n] = got.value
				if !isZero(got.err) {
					out.results[n] = zero{}
					bad = append(bad, failed{n, got.err})
				}
			}
			co.Give(f, returned{})
		})
	}
	for _, f := range lines {
		r.co.Await(f)
	}
	out.err = failure(bad)
	if next < len(items) {
		out.err = fault{id: "not begun", cause: []any{out.err, errorOf(r.co.Cause(in))}}
	}
	return out
}
