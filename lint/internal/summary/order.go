package summary

import (
	"cmp"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// A loop over a map runs in another order each time. That is harmless as long as nothing shows the order: sums of integers,
// sets, counters, a slice that is sorted before anything else looks at it. The files order*.go and sorted.go tell which loops
// are not.

// loop is one loop over a map, or a function that is called for each of its entries in any order.
type loop struct {
	p      *pkg
	fn     *ssa.Function
	pos    token.Pos
	body   map[*ssa.BasicBlock]bool // with the header
	header *ssa.BasicBlock          // nil: the whole function is called again and again
	first  *ssa.BasicBlock          // of an iteration
	key    ssa.Value                // nil: not used
	over   ssa.Value                // the map; nil: not known
	values map[ssa.Value]bool       // what differs from iteration to iteration
	inner  map[ssa.Value]bool       // parameters and captured variables that belong to the iteration
	depth  int                      // of calls that were entered
	kinds  map[token.Token]bool     // of operations that gather the variable which is being judged
	leaks  []leak
	yields []leak // parameters of the function that it calls
}

// leak is a place where the order of a loop shows.
type leak struct {
	rule, what string
	pos        token.Pos
	returned   bool // by the function, in a slice that its caller may sort
	param      int  // of a call of a parameter
}

// orders reports the loops over maps, and other things in the order of maps, whose order shows.
func (p *pkg) orders() {
	exact := p.exact()
	for _, n := range p.order {
		for _, b := range live(n.fn) {
			for _, in := range b.Instrs {
				p.entered = 0
				switch in := in.(type) {
				case *ssa.BinOp:
					p.fused(n, in, exact)
				case *ssa.Next:
					if l := p.loopOf(n, in); l != nil {
						l.run()
						p.leaked(n, "", l.pos, l.leaks)
						p.yielded(n, l.pos, l.yields)
					}
				case *ssa.Call:
					p.unordered(n, in)
				}
			}
		}
	}
	for changed := true; changed; {
		changed, p.grew = false, false
		for _, n := range p.order {
			p.entered = 0
			for _, c := range n.calls {
				c := pending{c.to.sum, c.on, c.pos, c.step}
				changed = p.passPending(n, c) || changed
				changed = p.passEach(n, c) || changed
			}
			for _, c := range n.pendings {
				changed = p.passPending(n, c) || changed
				changed = p.passEach(n, c) || changed
			}
			changed = p.iterators(n) || changed
		}
		changed = changed || p.grew
	}
}

// leaked reports what shows of an order that has its place at pos: the worst of it. rule, if there is one, is told instead.
func (p *pkg) leaked(n *node, rule string, pos token.Pos, leaks []leak) {
	leaks = slices.DeleteFunc(leaks, func(l leak) bool { return p.marks.allowed(l.rule, l.pos) || p.marks.allowed(cmp.Or(rule, l.rule), pos) })
	if len(leaks) == 0 {
		return
	}
	slices.SortStableFunc(leaks, func(a, b leak) int { return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.pos, b.pos)) })
	h := &Hazard{Rule: cmp.Or(rule, leaks[0].rule), What: leaks[0].what, Spot: p.spot(pos)}
	if rule == "" && h.Rule != "DET405" && !strings.Contains(h.What, "order") {
		h.What += " in map order"
	}
	switch {
	case leaks[0].rule == "DET405":
		h.Rule, h.Spot = leaks[0].rule, p.spot(leaks[0].pos)
	case h.Pos.IsValid() && leaks[0].pos.IsValid() && leaks[0].pos != pos:
		h.Deep = p.at(leaks[0].pos)
	}
	if slices.ContainsFunc(leaks, func(l leak) bool { return !l.returned }) {
		n.sum.hazards.add(h)
		return
	}
	n.sum.pending.add(h)
}

// loopOf is the loop that a step to the next entry of a map belongs to, nil if nothing of the entry is used.
func (p *pkg) loopOf(n *node, next *ssa.Next) *loop {
	if next.IsString {
		return nil
	}
	l := &loop{p: p, fn: n.fn, pos: next.Iter.Pos(), header: next.Block(), over: next.Iter.(*ssa.Range).X, values: map[ssa.Value]bool{next: true}}
	l.body = form.Loop(l.header)
	l.first = l.header.Succs[0]
	l.key = extracted(next, 1)
	if len(l.header.Succs) != 2 || l.key == nil && extracted(next, 2) == nil || atMostOne(next.Iter.(*ssa.Range).X) {
		return nil
	}
	return l
}

// calledLoop is the loop that fn is the body of.
func (p *pkg) calledLoop(fn *ssa.Function, pos token.Pos) *loop {
	l := &loop{p: p, fn: fn, pos: pos, body: map[*ssa.BasicBlock]bool{}, values: map[ssa.Value]bool{}}
	for _, b := range fn.Blocks {
		l.body[b] = true
	}
	for _, param := range fn.Params {
		l.values[param] = true
	}
	if len(fn.Blocks) > 0 {
		l.first = fn.Blocks[0]
	}
	if len(fn.Params) > 0 {
		l.key = fn.Params[0]
	}
	return l
}

func (l *loop) run() {
	if l.first != nil {
		l.taint()
		l.judge()
	}
}

// inside is the block with which an iteration begins.
func inside(header *ssa.BasicBlock, body map[*ssa.BasicBlock]bool) *ssa.BasicBlock {
	for _, s := range header.Succs {
		if s != header && body[s] {
			return s
		}
	}
	return nil
}

func extracted(next *ssa.Next, i int) ssa.Value {
	for _, r := range *next.Referrers() {
		if e, ok := r.(*ssa.Extract); ok && e.Index == i {
			return e
		}
	}
	return nil
}

// reached reports whether a block is part of an iteration, or of what an iteration does when it leaves the loop.
func (l *loop) reached(b *ssa.BasicBlock) bool { return l.body[b] || l.first.Dominates(b) }

// taint finds the values that differ from iteration to iteration.
func (l *loop) taint() {
	for changed := true; changed; {
		changed = false
		for _, b := range l.fn.Blocks {
			if l.reached(b) {
				for _, in := range b.Instrs {
					changed = l.taintOf(in) || changed
				}
			}
		}
	}
}

// taintOf reports whether an instruction made one more value known.
func (l *loop) taintOf(in ssa.Instruction) bool {
	v, ok := in.(ssa.Value)
	if s, store := in.(*ssa.Store); store && l.values[s.Val] { // a variable of the iteration
		var a *ssa.Alloc
		a, ok = root(s.Addr).(*ssa.Alloc)
		v, ok = a, ok && l.reached(a.Block())
	}
	if _, phi := v.(*ssa.Phi); !ok || l.values[v] || phi && in.Block() == l.header { // what is gathered is judged by itself
		return false
	}
	if phi, ok := v.(*ssa.Phi); ok && l.chosen(phi) {
		l.values[v] = true
		return true
	}
	for _, op := range in.Operands(nil) {
		if *op != nil && l.values[*op] {
			l.values[v] = true
			return true
		}
	}
	return false
}

// chosen reports whether a phi inside the body gives one of several constants by what the entry is: "name := "a"; if v > 3 {
// name = "b" }".
func (l *loop) chosen(phi *ssa.Phi) bool {
	if !l.body[phi.Block()] || phi.Block() == l.header {
		return false
	}
	for _, e := range phi.Edges {
		if _, ok := e.(*ssa.Const); !ok {
			return false
		}
	}
	d := phi.Block().Idom()
	if d == nil || !l.body[d] {
		return false
	}
	i, ok := d.Instrs[len(d.Instrs)-1].(*ssa.If)
	return ok && l.values[i.Cond]
}

func (l *loop) report(rule, what string, pos token.Pos) {
	if !pos.IsValid() {
		pos = l.pos
	}
	l.leaks = append(l.leaks, leak{rule: rule, what: what, pos: pos})
}

func (l *loop) judge() {
	for _, b := range l.fn.Blocks {
		if !l.body[b] {
			continue
		}
		for _, in := range b.Instrs {
			l.instruction(in)
		}
	}
	if l.header == nil {
		return
	}
	for _, in := range l.header.Instrs {
		if phi, ok := in.(*ssa.Phi); ok {
			l.gathered(phi)
		}
	}
	l.exits()
}

// outside reports whether memory was there before the loop.
func (l *loop) outside(addr ssa.Value) bool { return l.outsideOf(addr, map[ssa.Value]bool{}) }

func (l *loop) outsideOf(addr ssa.Value, seen map[ssa.Value]bool) bool {
	from := root(addr)
	if l.inner[from] || seen[from] {
		return false
	}
	seen[from] = true
	in, ok := from.(ssa.Instruction)
	if !ok || in.Parent() != l.fn || !l.body[in.Block()] {
		return true
	}
	switch from := from.(type) {
	case *ssa.Lookup: // what a map that was there before holds, unless it is of this iteration's key
		return reference(from.Type()) && !l.isKey(from.Index) && l.outsideOf(from.X, seen)
	case *ssa.Extract:
		look, ok := from.Tuple.(*ssa.Lookup)
		return ok && from.Index == 0 && reference(from.Type()) && !l.isKey(look.Index) && l.outsideOf(look.X, seen)
	case *ssa.Phi:
		return from.Block() != l.header && slices.ContainsFunc(from.Edges, func(e ssa.Value) bool {
			_, isConst := e.(*ssa.Const)
			return !isConst && l.outsideOf(e, seen)
		})
	}
	return false
}

// reference reports whether values of a type share memory with others.
func reference(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Map, *types.Slice:
		return true
	}
	return false
}

// root is the variable, or the reference, that an address is in.
func root(addr ssa.Value) ssa.Value {
	for {
		switch a := addr.(type) {
		case *ssa.FieldAddr:
			addr = a.X
		case *ssa.IndexAddr:
			addr = a.X
		case *ssa.UnOp:
			addr = a.X
		case *ssa.Slice:
			addr = a.X
		case *ssa.MakeInterface:
			addr = a.X
		case *ssa.ChangeInterface:
			addr = a.X
		case *ssa.ChangeType:
			addr = a.X
		default:
			return addr
		}
	}
}

func (l *loop) instruction(in ssa.Instruction) {
	switch in := in.(type) {
	case *ssa.MapUpdate:
		l.mapUpdate(in)
	case *ssa.Store:
		if l.entry(root(in.Addr)) && l.counted(in.Val, map[ssa.Value]bool{}) {
			l.report("DET402", "number of the iteration", in.Pos())
		}
		if l.outside(in.Addr) && l.values[in.Val] && !l.sums(in.Val, in) && !l.unique(in.Block()) {
			l.stored(in)
		}
	case *ssa.Send:
		if l.values[in.X] {
			l.report("DET401", "send on a channel", in.Pos())
		}
	case ssa.CallInstruction:
		l.call(in)
	}
}

// mapUpdate judges an entry of a map that was there before: under the loop's key there is one for each iteration.
func (l *loop) mapUpdate(in *ssa.MapUpdate) {
	if l.outside(in.Map) && l.isKey(in.Key) && l.key != nil && l.counted(in.Value, map[ssa.Value]bool{}) {
		l.report("DET402", "number of the iteration", in.Pos())
		return
	}
	if l.over != nil && equal(in.Map, l.over) && in.Key != l.key && l.values[in.Key] { // the loop comes to it, or does not
		l.report("DET402", "entry that is added to the map itself", in.Pos())
		return
	}
	if !l.outside(in.Map) || in.Key == l.key && l.key != nil || !l.values[in.Value] || l.sums(in.Value, in) || l.unique(in.Block()) {
		return
	}
	if isAppend(in.Value) && l.p.groupsSorted(in.Map) {
		return
	}
	if l.perKey(in.Key) {
		return
	}
	l.report("DET402", "map entry that the last iteration wins", in.Pos())
}

// perKey reports whether a key is made of the loop's key so that no two are alike: it is a part of a literal, or converted.
func (l *loop) perKey(v ssa.Value) bool {
	if l.key == nil {
		return false
	}
	switch v := v.(type) {
	case *ssa.ChangeType:
		return v.X == l.key || l.perKey(v.X)
	case *ssa.Convert:
		return v.X == l.key || l.perKey(v.X)
	case *ssa.BinOp: // a prefix or a suffix
		return v.Op == token.ADD && basic(v.Type()) == types.String && (l.isKey(v.X) || l.isKey(v.Y)) ||
			v.Op == token.ADD && isInteger(v.Type()) && (v.X == l.key && !l.values[v.Y] || v.Y == l.key && !l.values[v.X])
	case *ssa.Call:
		path, name := calleeName(v)
		return path == "fmt" && (name == "Sprintf" || name == "Sprint") && l.printsKey(v)
	case *ssa.UnOp:
		a, ok := v.X.(*ssa.Alloc)
		if !ok || !l.body[a.Block()] {
			return false
		}
		for _, r := range *a.Referrers() {
			if f, ok := r.(*ssa.FieldAddr); ok && slices.Contains(storedAt(f), l.key) {
				return true
			}
		}
	}
	return false
}

func (l *loop) isKey(v ssa.Value) bool { return v == l.key || l.perKey(v) }

// printsKey reports whether the loop's key is among the arguments of a variadic call.
func (l *loop) printsKey(c *ssa.Call) bool {
	args, ok := c.Call.Args[len(c.Call.Args)-1].(*ssa.Slice)
	if !ok || args.X.Referrers() == nil {
		return false
	}
	for _, r := range *args.X.Referrers() {
		if ix, ok := r.(*ssa.IndexAddr); ok {
			for _, v := range storedAt(ix) {
				if m, ok := v.(*ssa.MakeInterface); ok && l.isKey(m.X) {
					return true
				}
			}
		}
	}
	return false
}

// stored judges a variable or an element that is not held in a register: the last iteration wins, or text grows in any order.
func (l *loop) stored(s *ssa.Store) {
	if ix, ok := s.Addr.(*ssa.IndexAddr); ok {
		if l.key != nil && ix.Index == l.key {
			return
		}
		l.fate(l.p.elements(ix.X, l), "DET402", "element in map order", s.Pos())
		return
	}
	if isAppend(s.Val) {
		l.fate(l.p.variable(s.Addr, l), "DET402", "append in map order", s.Val.Pos())
		return
	}
	if l.extremeStore(s) || l.choosesBool(s.Val, nil) || l.p.insertsSorted(s.Val, func(v ssa.Value) bool { return l.same(v, s) }) {
		return
	}
	l.report(ruleFor(s.Val.Type()), "assignment in map order", s.Pos())
}

// fate reports a slice that was gathered in any order, unless it is sorted in time.
func (l *loop) fate(f fate, rule, what string, pos token.Pos) {
	switch {
	case f.leaks:
		l.report(rule, what, pos)
	case f.returned:
		l.leaks = append(l.leaks, leak{rule: rule, what: what, pos: pos, returned: true})
	}
	for _, s := range f.ties {
		l.leaks = append(l.leaks, leak{rule: "DET405", what: "sort by a key that may be equal", pos: s})
	}
}

func ruleFor(t types.Type) string {
	if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsFloat != 0 {
		return "DET403"
	}
	return "DET402"
}

// exits judges what leaves the loop early with something of its iteration: results that are returned, and variables that go
// on from there.
func (l *loop) exits() {
	for _, b := range l.fn.Blocks {
		if b == l.header || !l.first.Dominates(b) || l.unique(b) {
			continue
		}
		if ret, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return); ok && slices.ContainsFunc(ret.Results, func(v ssa.Value) bool { return l.values[v] || l.partial(v, b) }) {
			l.report("DET402", "first match in map order", ret.Pos())
		}
		for _, s := range b.Succs {
			if s != l.header && !l.first.Dominates(s) && !l.one(b, s) {
				l.leaves(b, s)
			}
		}
	}
}

// partial reports whether v is what was gathered until an early exit: it depends on the entries that came before. A number
// that counts iterations does not, unless what an entry is decides about the exit.
func (l *loop) partial(v ssa.Value, exit *ssa.BasicBlock) bool {
	phi, ok := v.(*ssa.Phi)
	if !ok || phi.Block() != l.header {
		op, ok := v.(*ssa.BinOp)
		return ok && l.body[op.Block()] && (l.partial(op.X, exit) || l.partial(op.Y, exit))
	}
	for i, e := range phi.Edges {
		if !l.body[l.header.Preds[i]] || e == phi {
			continue
		}
		if _, isConst := e.(*ssa.Const); isConst {
			continue
		}
		if l.values[e] || l.decided(exit) && !l.setsFlag(e, phi) {
			return true
		}
	}
	return false
}

// setsFlag reports whether an edge only ever brings constants, or what was there.
func (l *loop) setsFlag(e ssa.Value, phi *ssa.Phi) bool {
	inner, ok := e.(*ssa.Phi)
	return ok && l.setsOnce(inner, phi)
}

// decided reports whether what an entry is decides about an exit.
func (l *loop) decided(exit *ssa.BasicBlock) bool {
	for b := exit; b != nil && b != l.header; b = b.Idom() {
		if i, ok := b.Instrs[len(b.Instrs)-1].(*ssa.If); ok && l.values[i.Cond] {
			return true
		}
	}
	return false
}

// unique reports whether a block is only reached for one key: "if k == x".
func (l *loop) unique(b *ssa.BasicBlock) bool {
	for b != nil && b != l.header {
		d := b.Idom()
		if d == nil || len(d.Instrs) == 0 {
			return false
		}
		if l.one(d, b) {
			return true
		}
		b = d
	}
	return false
}

// one reports whether an edge is taken for one key at most.
func (l *loop) one(from, to *ssa.BasicBlock) bool {
	i, ok := from.Instrs[len(from.Instrs)-1].(*ssa.If)
	if !ok || l.key == nil {
		return false
	}
	c, ok := i.Cond.(*ssa.BinOp)
	if !ok || !(c.X == l.key && !l.values[c.Y] || c.Y == l.key && !l.values[c.X]) {
		return false
	}
	return c.Op == token.EQL && from.Succs[0] == to || c.Op == token.NEQ && from.Succs[1] == to
}

// leaves looks at the variables that go on behind the loop from an early exit.
func (l *loop) leaves(from, to *ssa.BasicBlock) {
	for _, in := range l.header.Instrs {
		phi, ok := in.(*ssa.Phi)
		if ok && l.partial(phi, from) && slices.ContainsFunc(*phi.Referrers(), func(r ssa.Instruction) bool { return r.Block() != l.header && !l.first.Dominates(r.Block()) }) {
			l.report("DET402", phi.Comment+" of the entries so far in map order", l.pos)
		}
	}
	for _, in := range to.Instrs {
		phi, ok := in.(*ssa.Phi)
		if !ok {
			return
		}
		for i, e := range phi.Edges {
			if to.Preds[i] == from && (l.values[e] || l.partial(e, from)) {
				l.report("DET402", "first match in map order", e.Pos())
			}
		}
	}
}
