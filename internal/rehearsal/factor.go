package rehearsal

import (
	"slices"
	"strings"
)

// factors finds numbers of which whole numbers are always multiples; 0 is that of what is always 0. A sum of prices in whole tens
// never is just at a limit of 20001: then it has to come to what is next to that, below and above.
type factors struct {
	p       *program
	assumed map[int]int64 // of what changes in loops
	left    int           // values that are still looked at
}

const (
	mostFactor  = 1_000_000
	mostFactors = 2000
)

// stepOf gives by how much what is compared with a constant grows at least, if it never is the constant, and 1 otherwise.
func (p *program) stepOf(v int) int64 {
	val := &p.flow.Values[v]
	if val.Op != "<" && val.Op != "<=" {
		return 1
	}
	for i, limit := range val.Args {
		c, whole := p.constants[limit].(int64)
		if !whole || p.flow.Values[limit].Op != "const" {
			continue
		}
		f := factors{p, map[int]int64{}, mostFactors}
		if by := f.of(val.Args[1-i]); by > 1 && c%by != 0 {
			return by
		}
	}
	return 1
}

func (f *factors) of(v int) int64 {
	if by, ok := f.assumed[v]; ok {
		return by
	}
	if f.left--; f.left < 0 {
		return 1
	}
	switch val := &f.p.flow.Values[v]; {
	case val.Op == "const":
		if n, whole := f.p.constants[v].(int64); whole && n > -mostFactor && n < mostFactor {
			return max(n, -n)
		}
	case val.Op == "*" && val.What == "" && len(val.Args) == 2:
		if by := f.of(val.Args[0]) * f.of(val.Args[1]); by < mostFactor {
			return by
		}
	case (val.Op == "+" || val.Op == "-") && val.What == "" && len(val.Args) == 2:
		return divisor(f.of(val.Args[0]), f.of(val.Args[1]))
	case val.Op == "if":
		return divisor(f.of(val.Args[1]), f.of(val.Args[2]))
	case val.Op == "field":
		return f.ofField(val.Args[0], val.What, map[int]bool{})
	case val.Op == "eta":
		return f.of(val.Args[1])
	case val.Op == "mu" && len(val.Args) == 2:
		return f.ofLoop(v, val.Args[0], val.Args[1])
	}
	return 1
}

// ofField is of, of a field of a struct, or of all in a list from which it was taken. been: what changes in loops and is looked
// at already, which adds nothing.
func (f *factors) ofField(v int, name string, been map[int]bool) (by int64) {
	if been[v] {
		return 0
	}
	if f.left--; f.left < 0 {
		return 1
	}
	every := func(vs []int) (by int64) {
		for _, v := range vs {
			by = divisor(by, f.ofField(v, name, been))
		}
		return by
	}
	switch val := &f.p.flow.Values[v]; val.Op {
	case "struct":
		if i := slices.Index(strings.Fields(val.What), name); i >= 0 && i < len(val.Args) {
			return f.of(val.Args[i])
		}
		return 0
	case "list":
		if val.What == "" {
			return every(val.Args)
		}
	case "append":
		return every(val.Args)
	case "index":
		return every(val.Args[:1])
	case "if":
		return every(val.Args[1:])
	case "eta":
		return every(val.Args[1:2])
	case "const": // nil has no elements, and no fields
		return 0
	case "mu":
		been[v] = true
		return every(val.Args)
	}
	return 1
}

// ofLoop is of, of what begins as a multiple of something and is one after each round.
func (f *factors) ofLoop(v, begins, then int) int64 {
	by := f.of(begins)
	for {
		f.assumed[v] = by
		next := divisor(by, f.of(then))
		if next == by || by == 1 {
			break
		}
		by = next
	}
	delete(f.assumed, v)
	return by
}

// divisor is the greatest that two numbers have in common.
func divisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
