package rehearsal

import (
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// contents are what is in variables that a function changes when it is called, by their numbers.
type contents map[string]any

// all reports whether there are those of the numbers.
func (c contents) all(numbers []string) bool {
	return !slices.ContainsFunc(numbers, func(n string) bool { _, ok := c[n]; return !ok })
}

// finds gives the numbers of the variables in which a function finds what an earlier call has left there.
func (p *program) finds(f int) (numbers []string) {
	if list, done := p.finding[f]; done {
		return list
	}
	own := &p.flow.Values[f]
	add := func(v *shape.Value) {
		if n, _, _ := strings.Cut(v.What, " "); !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	if of := p.side.functions[own.Sum]; of != nil {
		for i := range of.flow.Values {
			if v := &of.flow.Values[i]; v.Op == "found" {
				add(v)
			}
		}
	}
	been := map[int]bool{}
	var visit func(v int)
	visit = func(v int) {
		if val := &p.flow.Values[v]; !been[v] {
			been[v] = true
			if val.Op == "finds" && val.Func == own.Func {
				add(val)
			}
			for _, a := range val.Args {
				visit(a)
			}
		}
	}
	if own.Sum == "" {
		visit(f)
	}
	p.finding[f] = numbers
	return numbers
}

// finds is what a function finds in a variable that it changes: what its caller knows to be there, or else what was there when
// it was given away.
func (r *run) finds(v *shape.Value, in *frame) any {
	name, fields, _ := strings.Cut(v.What, " ")
	found := r.found
	if v.Op == "finds" {
		for f := in; f != nil; f = f.outer {
			if f.bit == functionBit(v) {
				found = f.found
				break
			}
		}
	}
	x, ok := found[name]
	if !ok {
		return r.of(v.Args[0], in)
	}
	for _, field := range strings.Fields(fields) {
		x = r.field(field, x)
	}
	return x
}

// afterwards is what a call of a function that is a value leaves in a variable that it changes. ok: that is known.
func (r *run) afterwards(v, by *shape.Value, in *frame) (x any, ok bool) {
	number, is := strings.CutPrefix(v.What, "out ")
	if !is || len(v.Args) != 2 {
		return nil, false
	}
	args, old := r.all(by.Args, in), r.of(v.Args[1], in)
	f, is := args[0].(function)
	now := contents{number: old}
	if !is || isBroken(old) || !now.all(f.of.finds(f.v)) {
		return nil, false
	}
	c, ok := r.reckon(f, args[1:], nil, now)
	if !ok || slices.ContainsFunc(c.results, isBroken) {
		return broken{}, ok
	}
	r.p.note(v.Args[0], evaluated)
	if left, changed := c.left[v.What]; changed {
		return left, true
	}
	return old, true
}
