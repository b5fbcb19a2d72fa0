package rehearsal

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// computes are the values that are what they are made of alone, and plainly are functions that only compute. The order in which a
// map is gone over is not known, nor is that of what is sorted and counts as equal.
var (
	computes = []string{
		"const", "phi", "mu", "eta", "if", "==", "<", "<=", "not", "+", "-", "*", "cat", "list", "made", "map", "struct", "field",
		"index", "has", "append", "concat", "put", "delete", "len", "slice", "func", "arg",
	}
	plainly = []string{
		"max", "min", "cmp.Compare", "cmp.Or", "slices.Contains", "slices.ContainsFunc", "slices.Index", "slices.IndexFunc",
		"slices.Clone", "slices.Concat", "slices.DeleteFunc", "strings.ToLower", "strings.ToUpper", "strings.TrimSpace",
		"strings.HasPrefix", "strings.HasSuffix", "strings.Join", "strconv.Itoa",
	}
)

// findKnown finds the values that are made of constants, variables, and inputs that only choose.
func (x *states) findKnown() {
	x.known = make([]bool, len(x.p.flow.Values))
	for v := range x.known {
		val := &x.p.flow.Values[v]
		_, hidden := x.p.constants[v].(unknown)
		x.known[v] = val.Sum == "" && !hidden && (slices.Contains(computes, val.Op) || val.Op == "call" && slices.Contains(plainly, val.What))
	}
	for more := true; more; {
		more = false
		for v, is := range x.known {
			if is && x.p.flow.Values[v].Op != "phi" && !x.allKnown(v) {
				x.known[v], more = false, true
			}
		}
	}
}

func (x *states) allKnown(v int) bool {
	for i, a := range x.p.flow.Values[v].Args {
		if x.isInput(a) {
			if len(x.chooses(v, i)) == 0 {
				return false
			}
		} else if !x.known[a] {
			return false
		}
	}
	return true
}

// isInput reports whether a value is read from an input.
func (x *states) isInput(v int) bool {
	val := &x.p.flow.Values[v]
	return val.Op == "param" || val.Op == "field" && x.isInput(val.Args[0])
}

// chooses gives what an input may be, as far as a value depends on it of which it is an argument and where it only chooses: it is
// compared with a constant, or a key of a map that has constants as keys, or a condition. It is none where it does anything else.
func (x *states) chooses(v, i int) (from []any) {
	val := &x.p.flow.Values[v]
	var with []int
	switch {
	case val.Op == "if" && i == 0 || val.Op == "not":
		return []any{false, true}
	case val.Op == "==":
		with = val.Args[1-i : 2-i]
	case (val.Op == "index" || val.Op == "has") && i == 1 && x.p.flow.Values[val.Args[0]].Op == "map":
		for k, key := range x.p.flow.Values[val.Args[0]].Args {
			if k%2 == 0 {
				with = append(with, key)
			}
		}
	}
	for _, c := range with {
		text, is := x.p.constants[c].(string)
		if !is || x.p.flow.Values[c].Op != "const" {
			return nil
		}
		from = append(from, text)
	}
	return from
}

// findMatters finds the conditions that depend on variables, what comes into these, and the inputs in all that.
func (x *states) findMatters() {
	var open []int
	for n := range x.p.flow.Nodes {
		if node := &x.p.flow.Nodes[n]; node.Kind == shape.Branch && x.known[node.Args[0]] && len(x.p.ground(node.Args[0]).phis) > 0 {
			open = append(open, node.Args[0])
		}
	}
	for len(open) > 0 {
		v := open[len(open)-1]
		open = open[:len(open)-1]
		if x.matters[v] {
			continue
		}
		x.matters[v] = true
		x.gather(v, map[int]bool{})
		for _, phi := range x.p.ground(v).phis {
			x.follows[phi] = true
			for _, a := range x.p.flow.Values[phi].Args {
				if x.known[a] && !x.isInput(a) {
					open = append(open, a)
				}
			}
		}
	}
}

// gather adds the inputs of which a value is made.
func (x *states) gather(v int, been map[int]bool) {
	if been[v] || x.p.flow.Values[v].Op == "phi" {
		return
	}
	been[v] = true
	for i, a := range x.p.flow.Values[v].Args {
		if !x.isInput(a) {
			x.gather(a, been)
			continue
		}
		for _, c := range x.chooses(v, i) {
			if !slices.Contains(x.from[a], c) {
				x.from[a] = append(x.from[a], c)
			}
		}
	}
}

// choices are the inputs that matter, and how many choices there are of what they may be. A text may be another one than all with
// which it is compared.
func (x *states) choices() (inputs []int, choices int) {
	choices = 1
	for v := range x.p.flow.Values {
		all := x.from[v]
		if len(all) == 0 || choices > mostChoices {
			continue
		}
		if slices.ContainsFunc(all, func(c any) bool { _, is := c.(string); return is }) {
			x.from[v] = append(all, "\x00 another")
		}
		inputs = append(inputs, v)
		choices *= len(x.from[v])
	}
	return inputs, choices
}

// choose gives what inputs are in one of the choices.
func (x *states) choose(inputs []int, n int) map[int]any {
	chosen := map[int]any{}
	for _, v := range inputs {
		all := x.from[v]
		chosen[v] = all[n%len(all)]
		n /= len(all)
	}
	return chosen
}
