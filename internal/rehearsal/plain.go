package rehearsal

import (
	"fmt"
	"maps"
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// What is known of a value is known of others, too: of those that are made in the same way, and of what it is if it is known which
// of two it chooses.

// form says how a value is made.
func form(v *shape.Value, args []int) string {
	if v.Op == "const" {
		args = nil
	}
	return fmt.Sprint(v.Op, " ", v.What, " ", v.Sum, " ", v.Node, " ", v.Loop, " ", v.Func, " ", args)
}

// findForms finds the first of the values that are made in the same way. Variables are not.
func (p *program) findForms() {
	p.byForm, p.same = map[string]int{}, make([]int, len(p.flow.Values))
	done := make([]bool, len(p.flow.Values))
	var find func(v int) int
	find = func(v int) int {
		if done[v] {
			return p.same[v]
		}
		done[v], p.same[v] = true, v
		val := &p.flow.Values[v]
		switch val.Op {
		case "phi", "mu", "func", "arg", "recursion":
			return v
		}
		args := make([]int, len(val.Args))
		for i, a := range val.Args {
			args[i] = find(a)
		}
		of := form(val, args)
		if first, ok := p.byForm[of]; ok {
			p.same[v] = first
		} else {
			p.byForm[of] = v
		}
		return p.same[v]
	}
	for v := range p.flow.Values {
		find(v)
	}
}

// valueLike finds the first value that is made in a way, -1 if there is none.
func (p *program) valueLike(val shape.Value) int {
	if v, ok := p.byForm[form(&val, val.Args)]; ok {
		return v
	}
	return -1
}

// plain gives the first value that is the same as one where it is known between which of two that chooses, -1 if the program has
// no such value.
func (p *program) plain(v int, known facts, depth int) int {
	val := &p.flow.Values[v]
	switch {
	case depth > deepestFact:
		return p.same[v]
	case val.Op == "if":
		c := p.plain(val.Args[0], known, depth+1)
		if c < 0 {
			c = val.Args[0]
		}
		if yes, sure := p.answer(c, known, 0); sure {
			return p.plain(val.Args[2-btoi(yes)], known, depth+1)
		}
		return p.same[v]
	case !composed[val.Op]:
		return p.same[v]
	}
	made, other := *val, false
	made.Args = slices.Clone(val.Args)
	for i, a := range val.Args {
		if made.Args[i] = p.plain(a, known, depth+1); made.Args[i] < 0 {
			return -1
		}
		other = other || made.Args[i] != p.same[a]
	}
	if !other {
		return p.same[v]
	}
	return p.valueLike(made)
}

// composed are values that are made of others, and of nothing else.
var composed = map[string]bool{"<": true, "<=": true, "==": true, "not": true, "len": true, "+": true, "-": true, "*": true, "has": true, "index": true, "field": true}

// answerPlain is answer, of a value or of what it is the same as.
func (p *program) answerPlain(v int, known facts) (yes, sure bool) {
	if yes, sure = p.answer(v, known, 0); sure {
		return yes, sure
	}
	if plain := p.plain(v, known, 0); plain >= 0 && plain != v {
		return p.answer(plain, known, 0)
	}
	return false, false
}

// simplify adds what is known of values that are the same as those of which something is.
func (p *program) simplify(known facts) {
	for before := -1; before < len(known.is); {
		before = len(known.is)
		for _, v := range slices.Sorted(maps.Keys(known.is)) {
			if plain := p.plain(v, known, 0); plain >= 0 && plain != v {
				p.learn(plain, known.is[v], known)
			}
		}
	}
}
