package rehearsal

import (
	"slices"
	"strconv"

	"github.com/durablegen/durablegen/internal/shape"
)

// frame is where a value is computed: in a round of a loop that only computes, in a call of a function that is a value, or
// outside of both. Values are kept in the outermost frame on which they depend.
type frame struct {
	bit    uint64 // of what it is: see program.depends
	outer  *frame
	before *frame // the round before
	args   []any
	self   any  // the function that is called, if it calls itself
	now    bool // a step has called it
	found  contents
	known  map[int]any
	kept   bool // by a function
}

// keep has a frame stay as it is, with all around it.
func (f *frame) keep() {
	for ; f != nil && !f.kept; f = f.outer {
		f.kept = true
	}
}

// Bits of what a value may depend on, beside what the nodes of a program have given: the variables of a loop by its depth,
// and the arguments of a function.
const (
	mostDepth = 32
	functions = 1 << mostDepth
	recursion = 1 << 63 // on the function that calls itself
)

// findDepends finds on which loops and functions each value depends.
func findDepends(f *shape.Flow) []uint64 {
	depends := make([]uint64, len(f.Values))
	for more := true; more; {
		more = false
		for i := range f.Values {
			v := &f.Values[i]
			var d uint64
			if v.Op != "phi" && v.Op != "const" {
				for _, a := range v.Args {
					d |= depends[a]
				}
			}
			switch v.Op {
			case "mu":
				d |= loopBit(v)
			case "eta":
				d &^= loopBit(v)
			case "arg", "begun":
				d |= functionBit(v)
			case "finds":
				d |= functionBit(v)
			case "func":
				d &^= functionBit(v)
			case "recursion":
				d |= recursion
			}
			if d != depends[i] {
				depends[i], more = d, true
			}
		}
	}
	return depends
}

func loopBit(v *shape.Value) uint64 { return 1 << min(v.Loop, mostDepth-1) }

func functionBit(v *shape.Value) uint64 { return functions << min(v.Func, 30) }

const mostRounds = 3000 // of a loop that only computes, and of all in a step

// of gives what a value comes to.
func (r *run) of(v int, in *frame) any {
	for in.outer != nil && r.p.depends[v]&in.bit == 0 {
		in = in.outer
	}
	if x, ok := in.known[v]; ok {
		return x
	}
	r.p.side.work++
	x := r.compute(v, in)
	in.known[v] = x
	if !isBroken(x) {
		r.p.note(v, evaluated)
	}
	return x
}

func (r *run) all(vs []int, in *frame) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = r.of(v, in)
	}
	return out
}

func (r *run) compute(n int, in *frame) any {
	v := &r.p.flow.Values[n]
	switch v.Op {
	case "const":
		return r.p.constants[n]
	case "param":
		return r.params(v.What)
	case "outer":
		if i, err := strconv.Atoi(v.What); err == nil && i < len(r.outer) {
			return r.outer[i]
		}
		return broken{}
	case "phi":
		return r.phis[n]
	case "future", "result", "after", "now", "error", "ready", "ctxerr", "canceled", "start", "info":
		return r.given(v, in)
	case "begun":
		return r.begun(v, in)
	case "load":
		if v.Sum == "" {
			return load(r.of(v.Args[0], in), r.of(v.Args[1], in))
		}
	case "mu":
		switch {
		case in.outer == nil:
			return r.s.unknown("mu", strconv.Itoa(n)) // it was taken out of its loop
		case in.before == nil:
			return r.of(v.Args[0], in.outer)
		}
		return r.of(v.Args[len(v.Args)-1], in.before)
	case "eta":
		return r.loop(v, in)
	case "if":
		yes := r.of(v.Args[0], in)
		if _, ok := yes.(broken); ok {
			return yes
		}
		return r.of(v.Args[2-btoi(r.asked(n, r.truth(yes)))], in)
	case "func":
		return r.function(n, in)
	case "arg":
		if i, err := strconv.Atoi(v.What); err == nil && i < len(in.args) {
			return in.args[i]
		}
		return broken{}
	case "found", "finds":
		return r.finds(v, in)
	case "changed":
		return r.changed(v, in)
	case "recursion":
		for ; v.What == "" && in != nil; in = in.outer {
			if in.self != nil {
				return in.self
			}
		}
		if v.What == "" && r.self != nil {
			return r.self
		}
		return r.s.unknown("recursion", v.What)
	}
	args := r.all(v.Args, in)
	if slices.ContainsFunc(args, isBroken) {
		return broken{}
	}
	return r.operate(n, v, args)
}

// ops are those of values.
func (p *program) ops(vs []int) []string {
	ops := make([]string, len(vs))
	for i, v := range vs {
		ops[i] = p.flow.Values[v].Op
	}
	return ops
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func isBroken(v any) bool { _, is := v.(broken); return is }

// loop goes round until it ends.
func (r *run) loop(v *shape.Value, in *frame) any {
	var before *frame
	for {
		if r.rounds++; r.rounds > mostRounds {
			r.tired = true
			return broken{}
		}
		round := &frame{bit: loopBit(v), outer: in, before: before, known: map[int]any{}}
		ends := r.of(v.Args[0], round)
		if isBroken(ends) {
			return ends
		}
		if r.truth(ends) {
			return r.of(v.Args[1], round)
		}
		before = round
	}
}
