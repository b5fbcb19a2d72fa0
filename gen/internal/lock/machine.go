package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// machine reads one flow: of an orchestrator, or of a function that runs as a coroutine of its own.
type machine struct {
	*program
	classes *classes
	parent  *machine
	home    *types.Package // of the outermost machine: that of the orchestrator
	sum     string         // of its flow, if that takes nothing from around it and was asked for
	nodes   []*node
	cur     []*path // the ways on which the program comes to where it is being read; none: it does not
	frame   *frame
	entry   *frame      // the function that the flow is of
	active  []*frame    // functions that are being read, the outermost first
	calls   []token.Pos // of those that have a name
	targets []*target
	loops   []*loop
	stored  []stored
	cells   int
	probing int // loops that are read only to see what changes in them
	fuel    *int

	outside  []*cell                 // of the outermost machine: variables that functions change which are values
	putting  *contents               // of the outermost machine: shared variables that are being described
	closures map[*ast.FuncLit]*value // of the outermost machine: those that are being summarised
	steady   map[*value]bool         // of the outermost machine: what functions find in variables that they do not change
	links    map[*types.Package]bool // of the outermost machine: packages that its own needs
	holding  map[[2]types.Type]bool
	shares   map[token.Pos]bool // of the outermost machine: places that coroutines share, by where they are made

	deferring *frame   // whose deferred calls run
	bound     *bound   // operands of the one that runs
	types     typeArgs // of the function that is read next
	undoing   bool     // compensations run
	keeping   bool     // a round leaves something to those that follow
	errorOnly bool     // nobody looks at what else it returns
	outs      []*cell  // variables that it leaves changed
	found     []found  // what it finds in those when it is called
	given     []handed // places that were given to a function that is read by itself
	making    *closure // the function that lambda is of
	since     *value   // when lambda was made
	around    *loop    // in which lambda was made
	level     int      // in how many functions that are values it is, itself included
	forks     bool     // something runs beside it
	leaves    bool     // and still does when it has ended
	lost      bool     // something was changed of which it is not known where it is
	stores    bool     // it puts something into shared variables
	hidden    bool     // it, or a function that is read for it, has what only a hash tells of: see program.runs
	vague     bool     // not all that changes places in memory is known
	name      string   // by which its flow is told while flows to run are written; "" is by what it does
	lambda    bool     // a function that runs without a Context of its own: its values are written where it is used
}

// cell is a variable, or what a pointer made here points to.
type cell struct {
	id     int
	made   token.Pos       // where it is made; none: it is of no use to tell
	named  bool            // it is a variable
	shared bool            // with a coroutine: what is in it depends on when one looks
	writer *machine        // the only one that changes it, and knows what is in it; nil: several
	fields map[string]bool // that are changed; "" is all of it
	typ    types.Type      // what it holds; nil: it is not known
	st     *types.Struct   // what it holds, if that is a struct
	beside []*cell         // of a list whose elements coroutines set: other variables that hold it
	split  bool            // a pointer to it met another: who has that does not see that it is this one
	taken  bool            // a function literal uses it
	sliced bool            // an array of which there is a slice
	maybe  *value          // a pointer that came from outside: it may be nil
	aimed  bool            // there may be pointers to elements of lists in it
}

// stored is something that was put into a shared variable.
type stored struct {
	cell  *cell
	value *value
}

// frame is one call of a function, or of a closure within outer.
type frame struct {
	info    *types.Info
	fn      *function    // nil: a closure
	lit     *ast.FuncLit // of a closure
	outer   *frame       // where a closure was made
	types   typeArgs
	cells   map[types.Object]*cell
	results []*cell // named ones
	returns []*path
	base    int // values on the stacks below those of the call
	raised  int // calls below it whose deferred ones run
}

// begin is where the body of a function begins.
func (f *frame) begin() token.Pos {
	if f.fn == nil && f.lit == nil {
		return token.NoPos
	}
	return first(f.body())
}

func (f *frame) body() *ast.BlockStmt {
	if f.fn != nil {
		return f.fn.decl.Body
	}
	return f.lit.Body
}

// target is what break and continue go to.
type target struct {
	label     string
	loop      bool
	breaks    []*path
	continues []*path
}

const fuel = 400_000 // statements of one orchestrator, calls in place

func newMachine(prog *program, parent *machine) *machine {
	m := &machine{program: prog, parent: parent}
	if parent != nil {
		m.classes, m.fuel, m.cells = parent.classes, parent.fuel, parent.cells
		m.active, m.calls = slices.Clone(parent.active), slices.Clone(parent.calls)
		m.probing, m.holding, m.level = parent.probing, parent.holding, parent.level
		return m
	}
	m.holding = map[[2]types.Type]bool{}
	m.closures = map[*ast.FuncLit]*value{}
	m.steady = map[*value]bool{}
	m.classes = &classes{byKey: map[string]int{}, lists: map[*value]*value{}}
	left := fuel
	m.fuel = &left
	return m
}

// begin makes the first node and gives the path from there.
func (m *machine) begin() *path {
	entry := m.newNode(shape.Join, token.NoPos, 1)
	p := &path{edge: edge{entry, 0}, vars: map[*cell]*value{}, facts: map[int]bool{}, forked: m.parent != nil}
	p.epoch = m.leaf("start", "", token.NoPos)
	return p
}

func (m *machine) newCell() *cell {
	m.cells++
	return &cell{id: m.cells}
}

// newCellAt is one that is told by where it is made.
func (m *machine) newCellAt(pos token.Pos) *cell {
	c := m.newCell()
	c.made = pos
	return c
}

func (m *machine) sortedCells(vars map[*cell]*value) []*cell {
	return slices.SortedFunc(maps.Keys(vars), func(a, b *cell) int { return a.id - b.id })
}

// cellOf finds the cell of a variable: of this call, or of the one in which a closure was made.
func (f *frame) cellOf(obj types.Object) *cell {
	for ; f != nil; f = f.outer {
		if c := f.cells[obj]; c != nil {
			return c
		}
	}
	return nil
}

// declare makes a variable, in every round of a loop another.
func (m *machine) declare(obj types.Object) *cell {
	c := m.newCellAt(obj.Pos())
	c.named = true
	c.typ = m.frame.actual(obj.Type())
	c.st, _ = c.typ.Underlying().(*types.Struct)
	m.frame.cells[obj] = c
	return c
}

// captured is the frame as a closure that is made now has it.
func (f *frame) captured() *frame {
	own := *f
	own.cells = maps.Clone(f.cells)
	return &own
}

// load gives what is in a cell.
func (m *machine) load(p *path, c *cell) *value {
	if m.remote(c) {
		return m.loadRemote(p, c)
	}
	v := p.vars[c]
	if c.shared && c.writer != m && p.forked {
		return m.loadShared(p, c, v)
	}
	if v != nil {
		return m.resolve(p, v)
	}
	return m.val(token.NoPos, "unknown", "")
}

// loadShared gives what others may have changed meanwhile; the fields that nobody changes are known.
func (m *machine) loadShared(p *path, c *cell, v *value) *value {
	m.hide()
	load := m.make(value{op: "load", cell: c, args: []*value{p.epoch}, owner: m})
	if c.st == nil || v == nil || c.fields[""] {
		return load
	}
	args := make([]*value, c.st.NumFields())
	for i := range args {
		from := v
		if c.fields[c.st.Field(i).Name()] {
			from = load
		}
		args[i] = m.field(v.pos, from, fieldName(c.st, i), i)
	}
	return m.make(value{op: "struct", what: structName(c.st), args: args, pos: v.pos})
}

func (m *machine) store(p *path, c *cell, v *value) {
	if m.remote(c) {
		m.storeRemote(p, c, v)
		return
	}
	if c.shared {
		frozen := m.freeze(p, v)
		for _, at := range append(c.beside[:len(c.beside):len(c.beside)], c) {
			m.root().stored = append(m.root().stored, stored{at, frozen})
		}
	}
	p.vars[c] = v
}

func (m *machine) root() *machine {
	for m.parent != nil {
		m = m.parent
	}
	return m
}

// shelter gives a value that came from outside a place, if it is a pointer or a map: functions may change it there.
func (m *machine) shelter(p *path, t types.Type, v *value) *value {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Map:
		c := m.newCellAt(v.pos)
		c.maybe = v
		m.store(p, c, v)
		return m.make(value{op: "ref", cell: c, pos: v.pos})
	}
	return v
}

// node adds a step to the one path that there is then.
func (m *machine) node(kind shape.NodeKind, target string, pos token.Pos, args ...*value) (*node, *path) {
	p := m.cur[0]
	n := m.newNode(kind, pos, 1)
	n.target, n.loop = target, m.loop()
	for _, a := range args {
		n.args = append(n.args, m.freeze(p, a))
	}
	if kind == shape.Call && slices.ContainsFunc(n.args, func(v *value) bool {
		return containsLambda(v, map[*value]bool{}, func(body *machine) bool { return body.leaves })
	}) {
		m.fork(p, true)
	}
	m.attach(p, n)
	p.edge = edge{n, 0}
	return n, p
}

// loop is the innermost loop that is being read.
func (m *machine) loop() *loop {
	if len(m.loops) == 0 {
		return nil
	}
	return m.loops[len(m.loops)-1]
}

// blocks notes that others have run.
func (m *machine) blocks(n *node, p *path) {
	p.epoch, p.known = m.ofNode("after", "", n), nil
}

// hide notes that something is told by a hash that could be written out.
func (m *machine) hide() {
	for ; m != nil && !m.hidden; m = m.parent {
		m.hidden = true
	}
}

// resolve simplifies a value by what is known on a path.
func (m *machine) resolve(p *path, v *value) *value { return m.resolved(p, v, nil) }

// resolved is for values that share parts: done are those that it has come to.
func (m *machine) resolved(p *path, v *value, done map[*value]*value) *value {
	if w := done[v]; w != nil {
		return w
	}
	if v.choice && done == nil {
		done = map[*value]*value{}
	}
	w := m.resolvedPart(p, v, done)
	if v.choice {
		done[v] = w
	}
	return w
}

func (m *machine) resolvedPart(p *path, v *value, done map[*value]*value) *value {
	if !v.choice {
		if is, known := p.facts[v.class]; known {
			return m.boolean(v.pos, is)
		}
		return v
	}
	if v.op == "if" {
		cond := m.resolved(p, v.args[0], done)
		if is, known := p.knows(cond); known {
			if is {
				return m.resolved(p, v.args[1], done)
			}
			return m.resolved(p, v.args[2], done)
		}
		yes, no := m.resolved(p, v.args[1], done), m.resolved(p, v.args[2], done)
		if cond == v.args[0] && yes == v.args[1] && no == v.args[2] {
			return v
		}
		return m.choose(v.pos, cond, yes, no)
	}
	args, changed := make([]*value, len(v.args)), false
	for i, a := range v.args {
		args[i] = m.resolved(p, a, done)
		changed = changed || args[i] != a
	}
	if !changed {
		return v
	}
	return m.again(v, args)
}

// again is v with other arguments.
func (m *machine) again(v *value, args []*value) *value {
	switch v.op {
	case "not":
		return m.not(args[0])
	case "==":
		return m.equal(v.pos, args[0], args[1])
	case "field":
		return m.field(v.pos, args[0], v.what, -1)
	case "cat":
		out := args[0]
		for _, a := range args[1:] {
			out = m.concat(v.pos, out, a)
		}
		return out
	}
	w := *v
	w.args, w.choice = args, false
	return m.make(w)
}

// firm is a condition without pointers and functions in it.
func (m *machine) firm(p *path, v *value) *value {
	loose := false
	seen := map[*value]bool{}
	var walk func(*value)
	walk = func(v *value) {
		if seen[v] || loose {
			return
		}
		seen[v] = true
		loose = v.op == "ref" || v.op == "func"
		for _, a := range v.args {
			walk(a)
		}
	}
	if walk(v); !loose {
		return v
	}
	return m.frozen(p, v, 0, map[*value]*value{})
}

// freeze gives a value as it is now, with what its pointers point to in their place.
func (m *machine) freeze(p *path, v *value) *value {
	return m.frozen(p, m.resolve(p, v), 0, map[*value]*value{})
}

// frozen is for values that share parts: done are those that it has come to.
func (m *machine) frozen(p *path, v *value, depth int, done map[*value]*value) *value {
	if w := done[v]; w != nil {
		return w
	}
	w := m.frozenPart(p, v, depth, done)
	if v.op != "ref" {
		done[v] = w
	}
	return w
}

func (m *machine) frozenPart(p *path, v *value, depth int, done map[*value]*value) *value {
	if v.op == "ref" {
		if depth > 8 {
			return m.val(v.pos, "cycle", "")
		}
		return m.frozen(p, m.read(p, v), depth+1, done)
	}
	if v.op == "func" {
		return m.abstract(p, v)
	}
	if v.op == "phi" || v.op == "mu" || len(v.args) == 0 {
		return v
	}
	var args []*value
	for i, a := range v.args {
		if b := m.frozen(p, a, depth, done); b != a {
			if args == nil {
				args = slices.Clone(v.args)
			}
			args[i] = b
		}
	}
	if args == nil {
		return v
	}
	return m.again(v, args)
}

// finish ends the flow where its paths are.
func (m *machine) finish(body *ast.BlockStmt, results bool) {
	m.cur = m.fold(m.cur)
	m.settleFound()
	for _, p := range m.cur {
		n := m.newNode(shape.Return, body.Rbrace, 0)
		v := p.pop()
		if v.pos.IsValid() {
			n.pos = v.pos
		}
		if results {
			for _, a := range v.args {
				n.args = append(n.args, m.handedOut(p, a))
			}
			for _, c := range m.outs {
				v := m.freeze(p, m.load(p, c))
				n.args = append(n.args, m.val(v.pos, "out", m.root().variable(c), v))
			}
			n.args = append(n.args, m.left(p)...)
		}
		m.attach(p, n)
	}
	m.cur = nil
}
