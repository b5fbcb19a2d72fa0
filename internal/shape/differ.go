package shape

import (
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// difference is the innermost place at which two values are not written alike.
type difference struct {
	text    string
	pos     token.Position
	was, is map[string]bool // fields and parameters of which the old value is made, and the new one
	felt    bool            // it shows what came of a change, and not what was changed
	event   bool            // it depends on which events are received
}

// pairing tells which values of two flows are written alike, whatever the places of their nodes.
type pairing struct {
	old, new   *graph
	a, b       []int // classes
	conditions map[int]bool
	answered   map[int]bool
}

func (w *walk) pairing() *pairing {
	if w.pairs != nil {
		return w.pairs
	}
	both := &graph{Flow: &Flow{}}
	shift := len(w.old.Values)
	both.Values = append(both.Values, w.old.Values...)
	for _, v := range w.new.Values {
		args := make([]int, len(v.Args))
		for i, a := range v.Args {
			args[i] = a + shift
		}
		v.Args = args
		both.Values = append(both.Values, v)
	}
	labels := make([]string, len(both.Values))
	for i := range both.Values {
		n := both.Values[i].Node
		if i < shift {
			labels[i] = w.old.label(n)
		} else {
			labels[i] = w.new.label(n)
		}
	}
	classes := both.classes(labels)
	p := &pairing{old: w.old, new: w.new, a: classes[:shift], b: classes[shift:], conditions: map[int]bool{}, answered: map[int]bool{}}
	for i := range w.old.Nodes {
		if n := &w.old.Nodes[i]; n.Kind == Branch {
			p.conditions[p.a[n.Args[0]]] = true
		}
	}
	for i := range w.new.Nodes {
		if n := &w.new.Nodes[i]; n.Kind == Branch {
			p.answered[p.b[n.Args[0]]] = true
		}
	}
	w.pairs = p
	return p
}

func (g *graph) label(n int) string { return string(g.Nodes[n].Kind) + " " + g.Nodes[n].Target }

// difference descends into an old and a new value as long as only one of their parts differs; nil when nothing does.
// outside is where that is used.
func (w *walk) difference(a, b int, outside token.Position) *difference {
	p := w.pairing()
	return p.find(a, b, outside, map[[2]int]bool{})
}

func (p *pairing) find(a, b int, outside token.Position, seen map[[2]int]bool) *difference {
	if p.a[a] == p.b[b] || seen[[2]int{a, b}] {
		return nil
	}
	seen[[2]int{a, b}] = true
	x, y := &p.old.Values[a], &p.new.Values[b]
	pos := y.Pos
	if !pos.IsValid() || p.new.elsewhere(b, 0) {
		pos = outside
	}
	if x.Op == "if" && slices.ContainsFunc(x.Args[1:], func(v int) bool { return p.a[v] == p.b[b] }) {
		if pos = outside; y.After.IsValid() {
			pos = y.After
		}
		return p.became(a, b, pos)
	}
	if x.Op == y.Op && len(x.Args) == len(y.Args) && (x.What == y.What && x.Sum == y.Sum || x.Op == opConst) && p.sameNode(x, y) {
		old, now := p.rest(x, y)
		if x.Op == "cat" && p.separators(old, now) {
			return p.became(a, b, pos)
		}
		for i := range old {
			if d := p.find(old[i], now[i], pos, seen); d != nil {
				return d
			}
		}
	}
	if y.After.IsValid() && p.within(a, b, 3) {
		return p.became(a, b, y.After)
	}
	if x.Op == "struct" && y.Op == "struct" {
		if d := p.members(x, y, pos, seen); d != nil {
			return d
		}
	}
	if x.Op == opConst && y.Op == opConst {
		pos = y.part(x.What, pos)
	}
	return p.became(a, b, pos)
}

// became says that a value is another one now.
func (p *pairing) became(a, b int, pos token.Position) *difference {
	before, after := p.old.say(a), p.new.say(b)
	d := &difference{text: before + " became " + after, pos: pos, felt: p.old.blurred(a) || p.new.blurred(b), was: p.old.names(a), is: p.new.names(b)}
	if x, y := &p.old.Values[a], &p.new.Values[b]; x.ofNode() && y.ofNode() {
		d.event = p.old.Nodes[x.Node].Kind == Receive && p.new.Nodes[y.Node].Kind == Receive
	}
	if before == after {
		d.text, d.felt = after+" does or means something else now", true
	}
	return d
}

// blurred reports whether say does not tell what a value is made of: a variable that changes, a text of several pieces.
func (g *graph) blurred(v int) bool {
	switch g.Values[v].Op {
	case opPhi, opMu, opEta:
		return true
	}
	return strings.Contains(g.say(v), "cat(")
}

// within reports whether an old value was made of what a new one is: something is not done to it any more.
func (p *pairing) within(a, b, depth int) bool {
	return depth > 0 && slices.ContainsFunc(p.old.Values[a].Args, func(v int) bool { return p.a[v] == p.b[b] || p.within(v, b, depth-1) })
}

// part gives the place of the first piece of a text that another does not have there.
func (v *Value) part(old string, whole token.Position) token.Position {
	old, err := strconv.Unquote(old)
	if err != nil {
		return whole
	}
	for _, part := range v.Parts {
		rest, ok := strings.CutPrefix(old, part.Text)
		if !ok {
			return part.Pos
		}
		old = rest
	}
	return whole
}

// rest leaves out what two values have in common if the order of their parts does not count.
func (p *pairing) rest(x, y *Value) (old, now []int) {
	if x.Op != "+" && x.Op != "*" && x.Op != opEqual && x.Op != "&" && x.Op != "|" {
		return x.Args, y.Args
	}
	now = slices.Clone(y.Args)
	for _, v := range x.Args {
		if i := slices.IndexFunc(now, func(u int) bool { return p.a[v] == p.b[u] }); i >= 0 {
			now = slices.Delete(now, i, i+1)
		} else {
			old = append(old, v)
		}
	}
	return old, now
}

// separators reports whether several constants of a text differ, which are one in the source: what its parts are joined by.
func (p *pairing) separators(old, now []int) bool {
	n := 0
	for i := range old {
		if p.a[old[i]] != p.b[now[i]] && p.old.Values[old[i]].Op == opConst && p.new.Values[now[i]].Op == opConst {
			n++
		}
	}
	return n > 1
}

// elsewhere reports whether a value is written where it is made, and not where it is used: a parameter, what a node gives.
func (g *graph) elsewhere(v, depth int) bool {
	val := &g.Values[v]
	switch {
	case val.Op == opParam:
		return true
	case val.ofNode():
		return g.Nodes[val.Node].Pos.Line == val.Pos.Line
	case (val.Op == opResult || val.Op == "error") && len(val.Args) == 1 && depth < 3:
		return g.elsewhere(val.Args[0], depth+1)
	}
	return false
}

// sameNode reports whether two values that are given by nodes are given by nodes of one kind.
func (p *pairing) sameNode(x, y *Value) bool {
	return !x.ofNode() || p.old.label(x.Node) == p.new.label(y.Node)
}

// members compares two structs that set different fields.
func (p *pairing) members(x, y *Value, pos token.Position, seen map[[2]int]bool) *difference {
	old, new := strings.Fields(x.What), strings.Fields(y.What)
	if len(old) != len(x.Args) || len(new) != len(y.Args) {
		return nil
	}
	for i, name := range new {
		k := slices.Index(old, name)
		if k < 0 {
			at := p.new.Values[y.Args[i]].Pos
			if !at.IsValid() {
				at = pos
			}
			return &difference{text: fmt.Sprintf("field %s is set", name), pos: at, was: setOf(old), is: setOf(new)}
		}
		if d := p.find(x.Args[k], y.Args[i], pos, seen); d != nil {
			return d
		}
	}
	for _, name := range old {
		if !slices.Contains(new, name) {
			for _, field := range y.Unset {
				if field.Text == name && field.Pos.IsValid() {
					pos = field.Pos
				}
			}
			return &difference{text: fmt.Sprintf("field %s is not set any more", name), pos: pos, was: setOf(old), is: setOf(new)}
		}
	}
	return nil
}

func setOf(names []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// blamed finds, on the way to a failure, the last condition that the old program has not: nil when there is none.
func (w *walk) blamed(s *state) *difference {
	p := w.pairing()
	for step := s.path; step != nil; step = step.before {
		if step.old {
			continue
		}
		n := &w.new.Nodes[step.node]
		if n.slot() {
			return nil
		}
		if step.guess {
			return &difference{text: "which comes first is found out otherwise", pos: n.Pos, felt: true, event: true}
		}
		if n.Kind == Branch && !p.conditions[p.b[n.Args[0]]] {
			return w.condition(n)
		}
	}
	return nil
}

// condition tells what became of a condition that only the new program has.
func (w *walk) condition(n *Node) *difference {
	p := w.pairing()
	b := n.Args[0]
	pos := w.new.Values[b].Pos
	if !pos.IsValid() {
		pos = n.Pos
	}
	var found *difference
	closest := -1
	for i := range w.old.Nodes {
		o := &w.old.Nodes[i]
		if o.Kind != Branch || p.answered[p.a[o.Args[0]]] {
			continue
		}
		if near := p.alike(o.Args[0], b, 0); near > closest {
			closest = near
			found = p.find(o.Args[0], b, pos, map[[2]int]bool{})
		}
	}
	if found == nil {
		return &difference{text: fmt.Sprintf("the condition %s is new, and what is decided next depends on it", w.new.say(b)), pos: pos, felt: w.new.blurred(b)}
	}
	found.text = "a condition changed: " + found.text
	return found
}

// alike counts what two values have in common.
func (p *pairing) alike(a, b, depth int) (n int) {
	const deep = 6
	x, y := &p.old.Values[a], &p.new.Values[b]
	if p.a[a] == p.b[b] {
		return 4
	}
	if x.Op != y.Op || depth > deep {
		return 0
	}
	n = 1 + btoi(x.What == y.What)
	for i := range min(len(x.Args), len(y.Args)) {
		n += p.alike(x.Args[i], y.Args[i], depth+1)
	}
	return n
}

// say writes a value in short.
func (g *graph) say(v int) string { return g.sayDeep(v, 0) }

func (g *graph) sayDeep(v, depth int) string {
	const deep = 3
	val := &g.Values[v]
	arg := func(i int) string { return g.sayDeep(val.Args[i], depth+1) }
	switch {
	case val.Op == opConst:
		return val.What
	case val.Op == opParam && val.What == "":
		return "the input"
	case val.Op == opParam, val.Op == "global":
		return val.What
	case val.ofNode() && val.Op != "now":
		if g.Nodes[val.Node].Kind == Marker || val.Op == "future" {
			return g.Nodes[val.Node].String()
		}
		return "what is given by " + g.Nodes[val.Node].String()
	case depth >= deep:
		return "…"
	}
	switch {
	case val.Op == "field" && len(val.Args) == 1:
		return arg(0) + "." + val.What
	case val.Op == opResult && len(val.Args) == 1:
		return "the result of " + arg(0)
	case val.Op == "error" && len(val.Args) == 1:
		return "the error of " + arg(0)
	case val.Op == "now":
		return "the time"
	case val.Op == opPhi || val.Op == opMu || val.Op == opEta:
		return "a variable"
	case val.Op == opFunc:
		return "a function"
	case len(val.Args) == 2 && val.Op != "call" && !strings.ContainsAny(val.Op, "abcdefghijklmnopqrstuvwxyz"):
		return arg(0) + " " + val.Op + " " + arg(1)
	}
	parts := make([]string, 0, len(val.Args))
	for i := range val.Args {
		parts = append(parts, arg(i))
	}
	name := val.What
	switch val.Op {
	case "call":
		name = name[strings.LastIndexByte(name, '/')+1:]
	case "struct":
		return "{" + strings.Join(parts, ", ") + "}"
	case "list":
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		name = strings.TrimSpace(val.Op + " " + name)
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}
