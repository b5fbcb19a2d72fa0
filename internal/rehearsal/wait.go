package rehearsal

import (
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/shape"
)

// wait is one for a future in a scope, nil that of the program.
type wait struct {
	future *engine.Future
	scope  *engine.Scope
}

// findWaits finds the Contexts in which futures are waited for: what comes of them tells.
func findWaits(f *shape.Flow) map[int]int {
	waits := map[int]int{}
	plain := map[int]bool{}
	for i := range f.Values {
		v := &f.Values[i]
		if v.Op != "error" && v.Op != "result" || len(v.Args) == 0 {
			continue
		}
		if len(v.Args) == 1 {
			plain[v.Args[0]] = true
			continue
		}
		if s, seen := waits[v.Args[0]]; seen && s != v.Args[1] {
			waits[v.Args[0]] = -1
			continue
		}
		waits[v.Args[0]] = v.Args[1]
	}
	for of := range plain {
		if _, seen := waits[of]; seen {
			waits[of] = -1
		}
	}
	return waits
}

// await waits for futures. A wait in another Context than that of a future ends when that is cancelled, too.
func (r *run) await(n *shape.Node) {
	for _, a := range n.Args {
		in, known := r.p.waits[a]
		if !known || in < 0 {
			for _, f := range r.futures([]int{a}) {
				r.co.Await(f)
			}
			continue
		}
		scope, ok := r.of(in, r.base).(*engine.Scope)
		for _, f := range r.futures([]int{a}) {
			if !ok {
				r.co.Await(f)
				continue
			}
			delete(r.ended, wait{f, scope})
			if r.co.AwaitIn(scope, f) < 0 {
				if r.ended == nil {
					r.ended = map[wait]*history.Failure{}
				}
				r.ended[wait{f, scope}] = r.co.Cause(scope)
			}
		}
	}
}

// late gives why the wait for a future in a Context has ended before that was complete.
func (r *run) late(v *shape.Value, of any, in *frame) (cause *history.Failure, ok bool) {
	if len(v.Args) < 2 || len(r.ended) == 0 {
		return nil, false
	}
	f, isFuture := of.(*engine.Future)
	scope, isScope := r.of(v.Args[1], in).(*engine.Scope)
	if !isFuture || !isScope {
		return nil, false
	}
	cause, ok = r.ended[wait{f, scope}]
	return cause, ok
}
