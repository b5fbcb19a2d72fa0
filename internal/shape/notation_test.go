package shape_test

import (
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// The notation of flows in these tests is a small language, a statement a line:
//
//	x = activity shop.Charge(in.total, 12)   a slot, and its future; also child, timer, receive E, uuid, random M(n), version id, go
//	send shop.Paid(id, value)
//	await x, y                               waits for all; result(x) and error(x) are what came
//	n = any(x, y)                            waits for the first, n is its index
//	x = f(y, 1)                              a pure value; also y + 1, y == 1, y < 1, now()
//	if x == 1 { … } else { … }               with } else { on a line
//	while x < 3 { … }
//	f = go { … }                             a coroutine; return x within it
//	map(items) { … }                         coroutines that are waited for
//	return, continue(x), call f(x)
//
// Lines are positions: line n of the text is line n of the file.

type builder struct {
	flow   *shape.Flow
	vars   map[string]int
	lines  []string
	at     *int // line that is read next
	known  map[string]int
	outer  *builder
	caught *[]int // values that a body takes from outside

	last  int // node whose way is open, -1: the end was reached
	way   int
	epoch int
}

// parse makes a flow of a text.
func parse(text string) shape.Flow {
	at := 0
	b := newBuilder(strings.Split(text, "\n"), &at)
	b.block()
	if b.last >= 0 {
		b.node(shape.Node{Kind: shape.Return})
	}
	return *b.flow
}

func newBuilder(lines []string, at *int) *builder {
	b := &builder{flow: &shape.Flow{}, vars: map[string]int{}, lines: lines, at: at, known: map[string]int{}, last: -1}
	b.node(shape.Node{Kind: shape.Join})
	b.epoch = b.value(shape.Value{Op: "start"})
	return b
}

func (b *builder) pos() token.Position {
	return token.Position{Filename: "shop.go", Line: *b.at, Column: 1}
}

// value keeps equal values once a line.
func (b *builder) value(v shape.Value) int {
	key := fmt.Sprintf("%s|%s|%s|%v|%d|%d", v.Op, v.What, v.Sum, v.Args, v.Node, *b.at)
	if known, ok := b.known[key]; ok && v.Op != "phi" {
		return known
	}
	v.Pos = b.pos()
	b.flow.Values = append(b.flow.Values, v)
	b.known[key] = len(b.flow.Values) - 1
	return len(b.flow.Values) - 1
}

// node adds a node behind the open way.
func (b *builder) node(n shape.Node) int {
	n.Pos = b.pos()
	n.Type = shape.NoType
	b.flow.Nodes = append(b.flow.Nodes, n)
	added := len(b.flow.Nodes) - 1
	if b.last >= 0 {
		b.link(b.last, b.way, added)
	}
	b.last, b.way = added, 0
	switch n.Kind {
	case shape.Return, shape.Continue, shape.Panic:
		b.last = -1
	}
	return added
}

func (b *builder) link(from, way, to int) {
	n := &b.flow.Nodes[from]
	for len(n.Next) <= way {
		n.Next = append(n.Next, 0)
	}
	n.Next[way] = to
	if b.flow.Nodes[to].Kind == shape.Join {
		b.flow.Nodes[to].In = append(b.flow.Nodes[to].In, shape.Edge{From: from, Next: way})
	}
}

// block reads statements until its end, and gives the line that ended it.
func (b *builder) block() string {
	for *b.at < len(b.lines) {
		line := strings.TrimSpace(b.lines[*b.at])
		*b.at++
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		if strings.HasPrefix(line, "}") {
			return line
		}
		b.statement(line)
	}
	return ""
}

func (b *builder) statement(line string) {
	switch word, rest, _ := strings.Cut(line, " "); {
	case line == "return":
		b.node(shape.Node{Kind: shape.Return})
	case word == "return":
		b.node(shape.Node{Kind: shape.Return, Args: []int{b.expression(rest)}})
	case word == "if":
		b.branch(strings.TrimSuffix(rest, " {"))
	case word == "while":
		b.loop(strings.TrimSuffix(rest, " {"))
	case word == "await":
		args := b.expressions(rest)
		b.epoch = b.value(shape.Value{Op: "after", Node: b.node(shape.Node{Kind: shape.Await, Args: args})})
	case strings.HasPrefix(line, "map("):
		args := b.expressions(strings.TrimSuffix(strings.TrimPrefix(line, "map("), ") {"))
		b.epoch = b.value(shape.Value{Op: "after", Node: b.body("map", args)})
	case strings.HasPrefix(line, "continue("):
		b.node(shape.Node{Kind: shape.Continue, Args: b.expressions(line[len("continue(") : len(line)-1])})
	default:
		name, what, ok := strings.Cut(line, " = ")
		if !ok {
			name, what = "_", line
		}
		b.vars[name] = b.assigned(what)
	}
}

// assigned gives the value of what is done on the right of an assignment.
func (b *builder) assigned(what string) int {
	word, rest, _ := strings.Cut(what, " ")
	kinds := map[string]shape.NodeKind{
		"activity": shape.Activity, "child": shape.Child, "timer": shape.Timer, "receive": shape.Receive, "send": shape.Send,
		"uuid": shape.UUID, "random": shape.Random, "version": shape.Marker, "call": shape.Call, "loose": shape.Activity,
	}
	switch kind := kinds[word]; {
	case what == "go {":
		return b.value(shape.Value{Op: "future", Node: b.body("go", nil)})
	case kind != "":
		target, args, _ := strings.Cut(rest, "(")
		n := b.node(shape.Node{Kind: kind, Target: target, Args: b.expressions(strings.TrimSuffix(args, ")")), Loose: word == "loose"})
		switch kind {
		case shape.UUID, shape.Random, shape.Marker, shape.Call:
			return b.value(shape.Value{Op: "result", Node: n})
		}
		return b.value(shape.Value{Op: "future", Node: n})
	case strings.HasPrefix(what, "any("):
		n := b.node(shape.Node{Kind: shape.AwaitAny, Args: b.expressions(what[4 : len(what)-1])})
		b.epoch = b.value(shape.Value{Op: "after", Node: n})
		return b.value(shape.Value{Op: "result", Node: n})
	}
	return b.expression(what)
}

func (b *builder) body(target string, args []int) int {
	inner := newBuilder(b.lines, b.at)
	inner.outer, inner.caught = b, &args
	line := *b.at
	inner.block()
	if inner.last >= 0 {
		inner.node(shape.Node{Kind: shape.Return})
	}
	end := *b.at
	*b.at = line
	n := b.node(shape.Node{Kind: shape.Go, Target: target, Args: args, Bodies: []shape.Flow{*inner.flow}})
	*b.at = end
	return n
}

func (b *builder) branch(condition string) {
	c := b.expression(condition)
	fork := b.node(shape.Node{Kind: shape.Branch, Args: []int{c}})
	before, epoch := maps.Clone(b.vars), b.epoch
	type end struct {
		last, way, epoch int
		vars             map[string]int
	}
	var ends []end
	finish := func() {
		if b.last >= 0 {
			ends = append(ends, end{b.last, b.way, b.epoch, b.vars})
		}
	}
	b.last, b.way = fork, 0
	closing := b.block()
	finish()
	b.vars, b.epoch, b.last, b.way = maps.Clone(before), epoch, fork, 1
	if closing == "} else {" {
		b.block()
	}
	finish()
	if b.last = -1; len(ends) == 0 {
		return
	}
	join := b.node(shape.Node{Kind: shape.Join})
	for _, e := range ends {
		b.link(e.last, e.way, join)
	}
	b.vars = map[string]int{}
	phi := func(get func(end) int) int {
		args := make([]int, len(ends))
		for i, e := range ends {
			args[i] = get(e)
		}
		if !slices.ContainsFunc(args, func(a int) bool { return a != args[0] }) {
			return args[0]
		}
		return b.value(shape.Value{Op: "phi", Node: join, Args: args})
	}
	for _, name := range slices.Sorted(maps.Keys(ends[0].vars)) {
		if !slices.ContainsFunc(ends, func(e end) bool { _, ok := e.vars[name]; return !ok }) {
			b.vars[name] = phi(func(e end) int { return e.vars[name] })
		}
	}
	b.epoch = phi(func(e end) int { return e.epoch })
}

func (b *builder) loop(condition string) {
	join := b.node(shape.Node{Kind: shape.Join})
	phis := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(b.vars)) {
		phis[name] = b.value(shape.Value{Op: "phi", Node: join, Args: []int{b.vars[name]}})
	}
	time := b.value(shape.Value{Op: "phi", Node: join, Args: []int{b.epoch}})
	b.vars, b.epoch = maps.Clone(phis), time
	c := b.expression(condition)
	fork := b.node(shape.Node{Kind: shape.Branch, Args: []int{c}})
	b.block()
	if b.last >= 0 {
		b.link(b.last, b.way, join)
		for name, v := range phis {
			b.flow.Values[v].Args = append(b.flow.Values[v].Args, b.vars[name])
		}
		b.flow.Values[time].Args = append(b.flow.Values[time].Args, b.epoch)
	}
	b.vars, b.epoch, b.last, b.way = phis, time, fork, 1
}

func (b *builder) expressions(text string) []int {
	var all []int
	for _, part := range split(text) {
		all = append(all, b.expression(part))
	}
	return all
}

// split divides at commas outside parentheses.
func split(text string) (parts []string) {
	depth, from := 0, 0
	for i, r := range text {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts, from = append(parts, strings.TrimSpace(text[from:i])), i+1
			}
		}
	}
	if rest := strings.TrimSpace(text[from:]); rest != "" {
		parts = append(parts, rest)
	}
	return parts
}

func (b *builder) expression(text string) int {
	text = strings.TrimSpace(text)
	for _, op := range []string{" == ", " < ", " + "} {
		if x, y, ok := strings.Cut(text, op); ok && strings.Count(x, "(") == strings.Count(x, ")") {
			return b.value(shape.Value{Op: strings.TrimSpace(op), Args: []int{b.expression(x), b.expression(y)}})
		}
	}
	if _, err := strconv.Atoi(text); err == nil || text == "true" || text == "false" || text == "nil" || strings.HasPrefix(text, `"`) {
		return b.value(shape.Value{Op: "const", What: text})
	}
	if name, args, ok := strings.Cut(text, "("); ok {
		values := b.expressions(strings.TrimSuffix(args, ")"))
		switch name {
		case "now":
			return b.value(shape.Value{Op: "now", Args: []int{b.epoch}})
		case "result", "error", "not", "list", "append", "index", "len":
			return b.value(shape.Value{Op: name, Args: values})
		}
		return b.value(shape.Value{Op: "call", What: name, Args: values})
	}
	if name, field, ok := strings.Cut(text, "."); ok {
		return b.value(shape.Value{Op: "field", What: field, Args: []int{b.expression(name)}})
	}
	if v, ok := b.vars[text]; ok {
		return v
	}
	if b.outer != nil && text != "item" {
		*b.caught = append(*b.caught, b.outer.expression(text))
		v := b.value(shape.Value{Op: "outer", What: strconv.Itoa(len(*b.caught) - 1)})
		b.vars[text] = v
		return v
	}
	if text == "in" || text == "item" {
		return b.value(shape.Value{Op: "param", What: map[string]string{"in": "", "item": "0"}[text]})
	}
	panic(fmt.Sprintf("line %d: what is %q?", *b.at, text))
}

// lock makes a lock of one orchestrator.
func lock(flow shape.Flow) *shape.Lock {
	return &shape.Lock{Package: "example.com/shop", Orchestrators: []shape.Orchestrator{{
		Name: "shop.Order", Group: "shop", Params: []shape.Param{{Type: 0}}, Result: shape.NoType, Flow: flow,
		Pos: token.Position{Filename: "shop.go", Line: 1, Column: 1},
	}}, Types: []shape.Type{{Kind: "int"}}}
}

func compare(before, after string) []shape.Finding {
	return shape.Compare(lock(parse(before)), lock(parse(after)), nil)
}

func TestNotation(t *testing.T) {
	t.Parallel()
	f := parse("x = activity A(in)\nawait x\ni = 0\nwhile i < result(x) {\ni = i + 1\n}\nsend E(i)")
	if len(f.Nodes) != 7 || f.Nodes[5].Kind != shape.Send {
		t.Errorf("nodes: %+v", f.Nodes)
	}
}
