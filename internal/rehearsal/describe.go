package rehearsal

import (
	"strconv"
	"strings"
)

// describe says what a function does and with which variables. It is the same for the same function of both sides, whatever
// the numbers of values are and however many of them are one.
func (p *program) describe(f function) string {
	val := &p.flow.Values[f.v]
	if val.Sum != "" {
		p.side.said[p.side.functions[val.Sum]] = true
		return "func " + val.Sum + texts(f.on)
	}
	d := description{p: p, f: f, within: val.Func, open: map[int]int{}, done: map[int]string{}}
	for in := f.in; in.outer != nil; in = in.outer {
		d.around |= in.bit
		d.loops += btoi(in.bit < functions)
	}
	var b strings.Builder
	b.WriteString("func ")
	for _, a := range val.Args {
		said, _ := d.say(a)
		b.WriteString(said + ";")
	}
	return b.String()
}

// description is the text of a function that is being made.
type description struct {
	p      *program
	f      function
	around uint64 // the loops and functions in which it was made: what depends on nothing else is known
	loops  int    // how many of these are loops
	within int    // in how many functions it lies
	open   map[int]int
	done   map[int]string // what was said, if it does not lead back to what it is in
}

const longestSaid = 200 // of a part of a description: of a longer one there is a hash

// say gives the text of a value, and how deep that lies to which it leads back: a value of a loop is in itself. open has the
// values that are being said, by how deep they are.
func (d *description) say(v int) (said string, back int) {
	depth := len(d.open)
	if said, ok := d.done[v]; ok {
		return said, depth
	}
	if d.p.depends[v]&^d.around == 0 {
		return text(d.f.by.of(v, d.f.in)), depth
	}
	if at, ok := d.open[v]; ok {
		return "up " + strconv.Itoa(depth-at), at
	}
	d.open[v], back = depth, depth
	val := &d.p.flow.Values[v]
	var b strings.Builder
	what := val.What
	switch val.Op {
	case "found", "finds", "out": // variables are numbered as they come
		_, what, _ = strings.Cut(what, " ")
	}
	b.WriteString(val.Op + " " + what + " " + val.Sum)
	switch val.Op {
	case "arg", "func":
		b.WriteString(" " + strconv.Itoa(val.Func-d.within))
	case "mu", "eta":
		b.WriteString(" " + strconv.Itoa(val.Loop-d.loops))
	}
	b.WriteString("(")
	for _, a := range val.Args {
		part, to := d.say(a)
		back = min(back, to)
		b.WriteString(part + ",")
	}
	b.WriteString(")")
	delete(d.open, v)
	if said = b.String(); len(said) > longestSaid {
		said = strconv.FormatUint(hashOf(said), 36)
	}
	if back >= depth {
		d.done[v] = said
	}
	return said, back
}
