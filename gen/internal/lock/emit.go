package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"go/constant"
	"go/token"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// emitter writes what a machine has read as a flow.
type emitter struct {
	*machine
	order   []*node
	index   map[*node]int
	in      map[*node][]int // of a join: its ways in that are left, as indices of in, in the order of the flow
	alias   map[*value]*value
	written map[*value]int
	imports []*value // values of the flow around this one
	base    int      // number of the first import
	flow    shape.Flow
	bodies  map[string]shape.Flow // of functions that are told by a hash, by that; nil: nobody wants them
}

// emit gives the flow of an orchestrator.
func (m *machine) emit() shape.Flow {
	bodies := map[string]shape.Flow{}
	flow, _ := m.emitFrom(0, bodies)
	if m.runs {
		return summed(flow, bodies)
	}
	for _, sum := range slices.Sorted(maps.Keys(bodies)) {
		flow.Functions = append(flow.Functions, shape.Function{Sum: sum, Flow: bodies[sum]})
	}
	return flow
}

// emitFrom gives a flow, and for one within another what it takes from there.
func (m *machine) emitFrom(base int, bodies map[string]shape.Flow) (shape.Flow, []*value) {
	e := &emitter{
		machine: m, index: map[*node]int{}, in: map[*node][]int{}, alias: map[*value]*value{}, written: map[*value]int{}, base: base, bodies: bodies,
	}
	e.reach()
	e.settle()
	e.apart()
	e.visit(m.nodes[0])
	for _, n := range e.order {
		e.sortIn(n)
	}
	for _, n := range e.order {
		e.node(n)
	}
	for _, n := range e.order {
		e.functionsOf(n)
	}
	return e.flow, e.imports
}

// reach finds the ways in that are left of every join.
func (e *emitter) reach() {
	seen := map[*node]bool{}
	var walk func(n *node)
	walk = func(n *node) {
		if n == nil || seen[n] {
			return
		}
		seen[n] = true
		for _, next := range n.next {
			walk(next)
		}
	}
	walk(e.nodes[0])
	for n := range seen {
		if n.kind != shape.Join {
			continue
		}
		for i, in := range n.in {
			if seen[in.from] && in.from.next[in.out] == n {
				e.in[n] = append(e.in[n], i)
			}
		}
	}
}

// settle finds the phis that are always the same value.
func (e *emitter) settle() {
	for again := true; again; {
		again = false
		for _, n := range e.nodes {
			for _, phi := range n.phis {
				if phi.op != "phi" || e.alias[phi] != nil {
					continue
				}
				if v := e.only(n, phi); v != nil {
					e.alias[phi] = v
					again = true
				}
			}
		}
	}
}

func (e *emitter) only(n *node, phi *value) *value {
	var one *value
	for _, i := range e.in[n] {
		if i >= len(phi.args) {
			continue
		}
		v := e.real(phi.args[i])
		if v == phi {
			continue
		}
		if one != nil && one.class != v.class {
			return nil
		}
		one = v
	}
	return one
}

func (e *emitter) real(v *value) *value {
	for e.alias[v] != nil || v.op == "copied" || v.op == "found" && e.root().steady[v] {
		switch {
		case e.alias[v] != nil:
			v = e.alias[v]
		case v.op == "found":
			v = v.args[0]
		default:
			v = uncopied(v)
		}
	}
	return v
}

// straight skips joins into which only one way leads.
func (e *emitter) straight(n *node) *node {
	for n != nil && n.kind == shape.Join && n != e.nodes[0] && len(e.in[n]) == 1 && len(n.next) == 1 && n.next[0] != nil {
		n = n.next[0]
	}
	return n
}

// apart gives every way to a return one of its own.
func (e *emitter) apart() {
	for _, n := range e.nodes[1:] {
		if n.kind != shape.Join || len(e.in[n]) < 2 || n.next[0] == nil {
			continue
		}
		end := e.straight(n.next[0])
		if end.kind != shape.Return {
			continue
		}
		for _, i := range e.in[n] {
			own := *end
			own.args = slices.Clone(end.args)
			for k, a := range own.args {
				if a = e.real(a); a.op == "phi" && a.at == n {
					own.args[k] = a.args[i]
				}
			}
			in := n.in[i]
			in.from.next[in.out] = &own
		}
	}
}

func (e *emitter) visit(n *node) {
	for stack := []*node{n}; len(stack) > 0; {
		n := e.straight(stack[len(stack)-1])
		stack = stack[:len(stack)-1]
		if n == nil {
			continue
		}
		if _, seen := e.index[n]; seen {
			continue
		}
		e.index[n] = len(e.order)
		e.order = append(e.order, n)
		for i := len(n.next) - 1; i >= 0; i-- {
			stack = append(stack, n.next[i])
		}
	}
}

// source is where a way into a join really comes from.
func (e *emitter) source(in edge) edge {
	for in.from.kind == shape.Join && in.from != e.nodes[0] && len(e.in[in.from]) == 1 {
		in = in.from.in[e.in[in.from][0]]
	}
	return in
}

func (e *emitter) sortIn(n *node) {
	if n.kind != shape.Join {
		return
	}
	sort.SliceStable(e.in[n], func(i, j int) bool {
		a, b := e.source(n.in[e.in[n][i]]), e.source(n.in[e.in[n][j]])
		if a.from != b.from {
			return e.index[a.from] < e.index[b.from]
		}
		return a.out < b.out
	})
}

func (e *emitter) node(n *node) {
	out := shape.Node{Kind: n.kind, Target: n.target, Loose: n.loose, Bytes: n.bytes, Shielded: n.shielded, Type: shape.NoType, Late: n.late, Pos: e.fset.Position(n.pos)}
	if n.result != nil {
		out.Type = e.typeOf(n.result)
	}
	for _, pos := range n.calls {
		out.Calls = append(out.Calls, e.fset.Position(pos))
	}
	for i, next := range n.next {
		if next = e.straight(next); next != nil {
			out.Next = append(out.Next, e.index[next])
			to, other := place(next), &node{}
			if len(n.next) == 2 && n.next[1-i] != nil {
				other = place(e.straight(n.next[1-i]))
			}
			after, within := e.after(n.pos, to.pos, other.pos)
			if to.late || other.late {
				within = token.NoPos // the way there is from within the body
			}
			if n == e.nodes[0] && e.entry != nil {
				after = e.entry.begin()
			}
			out.After = append(out.After, e.fset.Position(after))
			if !out.Within.IsValid() {
				out.Within = e.fset.Position(within)
			}
		}
	}
	if n.kind == shape.Join {
		for _, i := range e.in[n] {
			src := e.source(n.in[i])
			out.In = append(out.In, shape.Edge{From: e.index[src.from], Next: src.out})
		}
	}
	if n.kind == shape.Return && e.errorOnly && len(n.args) > 1 {
		out.Args = e.values(n.args[len(n.args)-1:])
	} else {
		out.Args = e.values(n.args)
	}
	e.flow.Nodes = append(e.flow.Nodes, out)
}

// place is where a step stands, or if it only joins ways what follows it.
func place(n *node) *node {
	for range 8 {
		if n.kind != shape.Join || len(n.next) == 0 || n.next[0] == nil {
			break
		}
		n = n.next[0]
	}
	return n
}

// functionsOf writes the functions that a node runs. What they return beside an error counts if somebody looks at it.
func (e *emitter) functionsOf(n *node) {
	if len(n.bodies) == 0 {
		return
	}
	out := &e.flow.Nodes[e.index[n]]
	used := false
	for v := range e.written {
		used = used || v.op == "result" && len(v.args) > 0 && v.args[0].at == n
		used = used || v.op == "future" && v.at == n && e.listed(v)
	}
	used = used || e.elsewhere(n)
	if n.target == "map" && !used {
		out.Target = "foreach"
	}
	for _, body := range n.bodies {
		body.errorOnly = !used
		flow, imports := body.emitFrom(len(n.args), e.bodies)
		out.Bodies = append(out.Bodies, flow)
		for _, v := range imports {
			out.Args = append(out.Args, e.value(v))
		}
	}
}

// elsewhere reports whether other coroutines, or variables that they share, have to do with the future of a node.
func (e *emitter) elsewhere(n *node) bool {
	seen := map[*value]bool{}
	var within func(m *machine) bool
	has := func(vs []*value) bool {
		return slices.ContainsFunc(vs, func(v *value) bool { return mentions(v, n, seen) })
	}
	within = func(m *machine) bool {
		for _, other := range m.nodes {
			if m != e.machine && has(other.args) {
				return true
			}
			if slices.ContainsFunc(other.bodies, within) {
				return true
			}
		}
		return false
	}
	for _, s := range e.root().stored {
		if mentions(s.value, n, seen) {
			return true
		}
	}
	return within(e.machine)
}

// mentions reports whether a value is computed from the future of a node.
func mentions(v *value, n *node, seen map[*value]bool) bool {
	if v.op == "future" && v.at == n {
		return true
	}
	if seen[v] {
		return false
	}
	seen[v] = true
	return slices.ContainsFunc(v.args, func(a *value) bool { return mentions(a, n, seen) })
}

// listed reports whether a future is part of something from which its result may come.
func (e *emitter) listed(future *value) bool {
	for v := range e.written {
		if v.op == "error" || v.op == "ready" {
			continue
		}
		for _, a := range v.args {
			if a == future {
				return true
			}
		}
	}
	return false
}

// foreign reports whether a value is of the flow around this one. Those of functions that are values are written here, but
// for what their nodes give, and those of functions that are around this one.
func (e *emitter) foreign(v *value) bool {
	owner := v.owner
	if v.at != nil {
		owner = v.at.owner
	}
	return owner != nil && owner != e.machine && (!owner.lambda || v.at != nil || e.lies(owner))
}

// lies reports whether a flow lies in that of another machine.
func (m *machine) lies(in *machine) bool {
	for m = m.parent; m != nil; m = m.parent {
		if m == in {
			return true
		}
	}
	return false
}

func (e *emitter) value(v *value) int {
	v = e.real(v)
	if n, ok := e.written[v]; ok {
		return n
	}
	n := len(e.flow.Values)
	e.written[v] = n
	e.flow.Values = append(e.flow.Values, shape.Value{})
	out := shape.Value{Op: v.op, What: v.what, Pos: e.fset.Position(v.pos)}
	for _, part := range v.parts {
		out.Parts = append(out.Parts, shape.Part{Text: constant.StringVal(part.lit), Pos: e.fset.Position(part.pos)})
	}
	switch v.op {
	case "list", "map", "call", "slice", "append", "put":
		after, _ := e.after(v.pos, v.pos, token.NoPos)
		out.After = e.fset.Position(after)
	}
	switch {
	case v.op != "lambda" && e.foreign(v):
		out.Op, out.What = "outer", strconv.Itoa(e.base+e.imported(v))
	case v.op == "struct":
		e.structure(v, &out)
	case v.op == "phi":
		out.Node = e.index[v.at]
		for _, i := range e.in[v.at] {
			if i < len(v.args) {
				out.Args = append(out.Args, e.value(v.args[i]))
			}
		}
	case v.op == "lambda":
		e.lambdaValue(v, &out)
	case v.op == "func" && v.fn != nil:
		out.Sum = e.program.source(v.fn.body(), v.fn.info())
	case v.op == "load" && v.cell != nil:
		out.Sum = e.sum(v.cell)
		out.Args = e.values(v.args)
	case v.op == "param" && v.owner != e.machine:
		out.Op, out.Func = "arg", e.within(v.owner) // of a function that is a value
	case e.runs && v.op == "start" && v.owner != e.machine:
		out.Op, out.Func = "begun", e.within(v.owner) // when a call of the function began, or when it was made
		if v.owner.since != nil {
			out.Args = e.values([]*value{v.owner.since})
		}
	case v.op == "any":
		out.Op, out.Node = "result", e.index[v.at]
	case v.op == "found":
		if out.Args = e.values(v.args); v.owner != e.machine {
			out.Op, out.Func = "finds", e.within(v.owner)
		}
	case v.op == "ctx":
		out.Args = e.values(v.args)
	case v.loop != nil:
		out.Loop = e.depth(v.loop)
		out.Args = e.values(v.args)
	case v.op == "saga":
		out.Op, out.Args = "list", e.values(v.args)
	default:
		if v.at != nil {
			out.Node = e.index[v.at]
		}
		out.Args = e.values(v.args)
	}
	e.flow.Values[n] = out
	return n
}

func (e *emitter) values(vs []*value) []int {
	var out []int
	for _, v := range e.reachable(vs) {
		out = append(out, e.value(v))
	}
	return out
}

func (e *emitter) imported(v *value) int {
	for i, old := range e.imports {
		if old.class == v.class {
			return i
		}
	}
	e.imports = append(e.imports, v)
	return len(e.imports) - 1
}

// structure writes the fields that are not zero, by name.
func (e *emitter) structure(v *value, out *shape.Value) {
	fields := map[string]*value{}
	e.fields(v, fields, map[string]bool{})
	for i, name := range splitNames(v.what) {
		if i < len(v.args) && v.args[i].zeroLike() {
			out.Unset = append(out.Unset, shape.Part{Text: name, Pos: e.fset.Position(v.args[i].pos)})
		}
	}
	var kept []string
	for name := range fields {
		kept = append(kept, name)
	}
	slices.Sort(kept)
	for _, name := range kept {
		out.Args = append(out.Args, e.value(fields[name]))
	}
	out.What = strings.Join(kept, " ")
}

// fields gathers those of a struct and of what it embeds. One that another hides, which is nearer, has a name that does not travel.
func (e *emitter) fields(v *value, fields map[string]*value, nearer map[string]bool) {
	names := splitNames(v.what)
	here := maps.Clone(nearer)
	for _, name := range names {
		here[name] = true
	}
	for i, name := range names {
		if i >= len(v.args) {
			return
		}
		a := e.real(v.args[i])
		embedded, is := strings.CutPrefix(name, "~")
		switch {
		case a.zeroLike():
		case is && a.op == "struct":
			e.fields(a, fields, here)
		case nearer[name]:
			fields["~"+name] = a
		default:
			fields[embedded] = a
		}
	}
}

// describer says values as text, without what depends on where they are.
type describer struct {
	*emitter
	sums map[*value]string
	open []*value // that are being described
}

func (d *describer) of(v *value) string {
	v = uncopied(v)
	if sum, ok := d.sums[v]; ok {
		return sum
	}
	if i := slices.Index(d.open, v); i >= 0 {
		return "again " + strconv.Itoa(len(d.open)-i)
	}
	if len(d.open) > 200 {
		return "deep"
	}
	d.open = append(d.open, v)
	var b strings.Builder
	b.WriteString(v.op + " " + v.what)
	if v.cell != nil {
		b.WriteString(" variable")
	}
	if v.loop != nil {
		b.WriteString(" of loop " + strconv.Itoa(d.depth(v.loop)))
	}
	if v.op == "param" && v.owner != nil {
		b.WriteString(" of " + strconv.Itoa(v.owner.level))
	}
	if v.body != nil {
		flow, _ := v.body.emitFrom(0, nil)
		b.WriteString(" " + sumOf(shape.Canonical(flow)))
	}
	if v.at != nil && v.at.kind != shape.Join {
		b.WriteString(" of " + string(v.at.kind) + " " + v.at.target)
		for _, a := range v.at.args {
			b.WriteString("<" + d.of(a) + ">")
		}
	}
	for _, a := range v.args {
		b.WriteString("(" + d.of(a) + ")")
	}
	d.open = d.open[:len(d.open)-1]
	text := b.String()
	if len(text) > 200 {
		sum := sha256.Sum256([]byte(text))
		text = hex.EncodeToString(sum[:])
	}
	d.sums[v] = text
	return text
}
