package summary

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/effects"
)

// A loop over a map runs in another order each time. That is harmless as long as nothing shows the order: sums of integers,
// sets, counters, a slice that is sorted before anything else looks at it. This file tells which loops are not.

// loop is one loop over a map.
type loop struct {
	p      *pkg
	n      *node
	pos    token.Pos
	body   map[*ssa.BasicBlock]bool // with the header
	header *ssa.BasicBlock
	first  *ssa.BasicBlock // of an iteration
	key    ssa.Value       // nil: not used
	values map[ssa.Value]bool
}

// orders reports the loops over maps of a function whose order shows.
func (p *pkg) orders(n *node) {
	for _, b := range n.fn.Blocks {
		for _, in := range b.Instrs {
			next, ok := in.(*ssa.Next)
			if !ok || next.IsString {
				continue
			}
			l := &loop{p: p, n: n, pos: next.Iter.Pos(), header: b, values: map[ssa.Value]bool{next: true}}
			l.body = natural(b)
			l.first, l.key = inside(b, l.body), l.extracted(next, 1)
			if l.first == nil {
				continue
			}
			l.taint()
			l.judge()
		}
	}
}

// natural is the loop that a header begins: the blocks it dominates that lead back to it.
func natural(header *ssa.BasicBlock) map[*ssa.BasicBlock]bool {
	body := map[*ssa.BasicBlock]bool{header: true}
	var back func(*ssa.BasicBlock)
	back = func(b *ssa.BasicBlock) {
		if !body[b] {
			body[b] = true
			for _, p := range b.Preds {
				back(p)
			}
		}
	}
	for _, p := range header.Preds {
		if header.Dominates(p) {
			back(p)
		}
	}
	return body
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

// reached reports whether a block is part of an iteration, or of what an iteration does when it leaves the loop.
func (l *loop) reached(b *ssa.BasicBlock) bool { return l.body[b] || l.first.Dominates(b) }

func (l *loop) extracted(next *ssa.Next, i int) ssa.Value {
	for _, r := range *next.Referrers() {
		if e, ok := r.(*ssa.Extract); ok && e.Index == i {
			return e
		}
	}
	return nil
}

// taint finds the values that differ from iteration to iteration.
func (l *loop) taint() {
	for changed := true; changed; {
		changed = false
		for _, b := range l.n.fn.Blocks {
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
	for _, op := range in.Operands(nil) {
		if *op != nil && l.values[*op] {
			l.values[v] = true
			return true
		}
	}
	return false
}

func (l *loop) report(rule, what string, pos token.Pos) {
	if !pos.IsValid() {
		pos = l.pos
	}
	l.p.hazard(l.n, rule, what, pos)
}

func (l *loop) judge() {
	for _, b := range l.n.fn.Blocks {
		if !l.body[b] {
			continue
		}
		for _, in := range b.Instrs {
			l.instruction(in)
		}
	}
	for _, in := range l.header.Instrs {
		if phi, ok := in.(*ssa.Phi); ok {
			l.gathered(phi)
		}
	}
	l.exits()
}

// outside reports whether memory was there before the loop.
func (l *loop) outside(addr ssa.Value) bool {
	in, ok := root(addr).(ssa.Instruction)
	return !ok || !l.body[in.Block()]
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
		default:
			return addr
		}
	}
}

func (l *loop) instruction(in ssa.Instruction) {
	switch in := in.(type) {
	case *ssa.MapUpdate:
		if l.outside(in.Map) && in.Key != l.key && l.values[in.Key] && l.values[in.Value] && !l.sums(in.Value, in) {
			l.report("DET402", "map entry that the last iteration wins", in.Pos())
		}
	case *ssa.Store:
		if l.outside(in.Addr) && !l.sums(in.Val, in) && l.values[in.Val] {
			l.stored(in)
		}
	case ssa.CallInstruction:
		l.call(in)
	}
}

// stored judges a variable or an element that is not held in a register: the last iteration wins, or text grows in any order.
func (l *loop) stored(s *ssa.Store) {
	if ix, ok := s.Addr.(*ssa.IndexAddr); ok && l.key != nil && ix.Index == l.key {
		return
	}
	if isAppend(s.Val) {
		if a, ok := s.Addr.(*ssa.Alloc); ok && l.sortedVariable(a) {
			return
		}
		l.report("DET402", "append in map order", s.Val.Pos())
		return
	}
	l.report(ruleFor(s.Val.Type()), "assignment in map order", s.Pos())
}

func ruleFor(t types.Type) string {
	if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsFloat != 0 {
		return "DET403"
	}
	return "DET402"
}

// sums reports whether v is what was there before, changed in a way whose order does not matter.
func (l *loop) sums(v ssa.Value, at ssa.Instruction) bool {
	op, ok := v.(*ssa.BinOp)
	if !ok {
		return false
	}
	b, ok := op.Type().Underlying().(*types.Basic)
	if !ok || b.Info()&types.IsInteger == 0 {
		return false
	}
	switch op.Op {
	case token.ADD, token.MUL, token.OR, token.AND, token.XOR:
		return l.same(op.X, at) || l.same(op.Y, at)
	case token.SUB, token.AND_NOT:
		return l.same(op.X, at)
	}
	return false
}

// same reports whether v reads what the instruction writes.
func (l *loop) same(v ssa.Value, at ssa.Instruction) bool {
	switch at := at.(type) {
	case *ssa.Store:
		u, ok := v.(*ssa.UnOp)
		return ok && u.Op == token.MUL && equal(u.X, at.Addr)
	case *ssa.MapUpdate:
		if e, ok := v.(*ssa.Extract); ok {
			v = e.Tuple
		}
		look, ok := v.(*ssa.Lookup)
		return ok && look.Index == at.Key && equal(look.X, at.Map)
	}
	return false
}

// equal reports whether two addresses or references are written alike.
func equal(a, b ssa.Value) bool {
	if a == b {
		return true
	}
	switch a := a.(type) {
	case *ssa.FieldAddr:
		b, ok := b.(*ssa.FieldAddr)
		return ok && a.Field == b.Field && equal(a.X, b.X)
	case *ssa.IndexAddr:
		b, ok := b.(*ssa.IndexAddr)
		return ok && equal(a.Index, b.Index) && equal(a.X, b.X)
	case *ssa.UnOp:
		b, ok := b.(*ssa.UnOp)
		return ok && a.Op == b.Op && equal(a.X, b.X)
	case *ssa.Const:
		b, ok := b.(*ssa.Const)
		return ok && a.Value != nil && b.Value != nil && constant.Compare(a.Value, token.EQL, b.Value)
	}
	return false
}

// gathered judges a variable that goes from iteration to iteration.
func (l *loop) gathered(phi *ssa.Phi) {
	for i, e := range phi.Edges {
		if !l.body[l.header.Preds[i]] {
			continue
		}
		l.update(phi, e, map[ssa.Value]bool{})
	}
}

// update judges one way in which a variable is changed by an iteration.
func (l *loop) update(phi *ssa.Phi, v ssa.Value, seen map[ssa.Value]bool) {
	if v == phi || seen[v] || !l.values[v] && !dependsOn(v, phi) {
		return // unchanged, or the same in every iteration
	}
	seen[v] = true
	switch v := v.(type) {
	case *ssa.Phi:
		for _, e := range v.Edges {
			l.update(phi, e, seen)
		}
		return
	case *ssa.BinOp:
		if b, ok := v.Type().Underlying().(*types.Basic); ok && b.Info()&(types.IsInteger|types.IsBoolean) != 0 {
			had, commutes := v.X, false
			switch v.Op {
			case token.ADD, token.MUL, token.OR, token.AND, token.XOR:
				commutes = true
			case token.SUB, token.AND_NOT:
			default:
				had = nil
			}
			if commutes && (v.Y == phi || seen[v.Y]) {
				had = v.Y
			}
			if had == phi || seen[had] {
				return
			}
			if p, ok := had.(*ssa.Phi); ok { // of a loop inside
				l.update(phi, p, seen)
				return
			}
		}
	case *ssa.Call:
		if b, ok := v.Call.Value.(*ssa.Builtin); ok && (b.Name() == "min" || b.Name() == "max") {
			return
		}
		if isAppend(v) {
			if !l.sorted(phi) && l.values[v] {
				l.report("DET402", "append in map order", v.Pos())
			}
			return
		}
	}
	if !l.used(phi) || l.extreme(phi, v) {
		return
	}
	l.report(ruleFor(v.Type()), phi.Comment+" of the last iteration", l.assigned(phi.Comment))
}

// extreme recognises "if v > max { max = v }": the largest is the largest in any order.
func (l *loop) extreme(phi *ssa.Phi, v ssa.Value) bool {
	for _, r := range *phi.Referrers() {
		c, ok := r.(*ssa.BinOp)
		if !ok || !l.body[c.Block()] || c.X != v && c.Y != v {
			continue
		}
		switch c.Op {
		case token.LSS, token.GTR, token.LEQ, token.GEQ:
			return true
		}
	}
	return false
}

func dependsOn(v, on ssa.Value) bool {
	in, ok := v.(ssa.Instruction)
	return ok && slices.ContainsFunc(in.Operands(nil), func(op *ssa.Value) bool { return *op == on })
}

func isAppend(v ssa.Value) bool {
	c, ok := v.(*ssa.Call)
	if !ok {
		return false
	}
	b, ok := c.Call.Value.(*ssa.Builtin)
	return ok && b.Name() == "append"
}

// used reports whether anything behind the loop looks at a value.
func (l *loop) used(v ssa.Value) bool {
	return slices.ContainsFunc(*v.Referrers(), func(r ssa.Instruction) bool { return !l.body[r.Block()] })
}

// call judges a call in the body: what acts must not act in any order, and what writes into something that was there before
// writes in any order.
func (l *loop) call(in ssa.CallInstruction) {
	c := in.Common()
	pos := in.Pos()
	if c.IsInvoke() {
		return
	}
	fn := c.StaticCallee()
	if fn == nil {
		return
	}
	if fn.Origin() != nil {
		fn = fn.Origin()
	}
	if to := l.p.nodes[fn]; to != nil {
		if l.p.acts(to, map[*node]bool{}) {
			l.report("DET401", funcName(fn), pos)
		}
		for i := range to.sum.writes {
			if i < len(c.Args) && l.outside(c.Args[i]) {
				l.report("DET402", funcName(fn), pos)
			}
		}
		return
	}
	obj, _ := fn.Object().(*types.Func)
	if obj == nil || obj.Pkg() == nil {
		return
	}
	switch path := obj.Pkg().Path(); {
	case isRuntime(path):
		if actsAtRuntime(obj) {
			l.report("DET401", short(obj.FullName()), pos)
		}
	case effects.Std(path):
		e, _ := effects.Of(obj)
		for _, arg := range e.Writes {
			if i := argument(obj, arg); i < len(c.Args) && l.outside(c.Args[i]) {
				l.report("DET402", short(obj.FullName()), pos)
			}
		}
	}
}

// acts reports whether a function schedules something, logs, or draws from the orchestration.
func (p *pkg) acts(n *node, seen map[*node]bool) bool {
	if seen[n] {
		return false
	}
	seen[n] = true
	for _, b := range n.fn.Blocks {
		for _, in := range b.Instrs {
			c, ok := in.(ssa.CallInstruction)
			if !ok || c.Common().IsInvoke() {
				continue
			}
			if fn := c.Common().StaticCallee(); fn != nil {
				if fn.Origin() != nil {
					fn = fn.Origin()
				}
				if obj, ok := fn.Object().(*types.Func); ok && obj.Pkg() != nil && isRuntime(obj.Pkg().Path()) && actsAtRuntime(obj) {
					return true
				}
				if to := p.nodes[fn]; to != nil && p.acts(to, seen) {
					return true
				}
			}
		}
	}
	return false
}

// actsAtRuntime tells the runtime's functions that leave a trace from those that only look.
func actsAtRuntime(obj *types.Func) bool {
	if obj.Signature().Recv() == nil {
		return obj.Signature().Params().Len() > 0
	}
	return !slices.Contains([]string{"Now", "InstanceID", "Input", "Err", "Done", "IsReplaying", "Error", "Unwrap", "String"}, obj.Name())
}

// exits judges what leaves the loop early with something of its iteration.
func (l *loop) exits() {
	for b := range l.body {
		for _, s := range b.Succs {
			if !l.body[s] && b != l.header && !l.unique(b) && !l.one(b, s) {
				l.leaves(b, s)
			}
		}
	}
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
	if !ok || l.key == nil || from.Succs[0] != to {
		return false
	}
	c, ok := i.Cond.(*ssa.BinOp)
	return ok && c.Op == token.EQL && (c.X == l.key && !l.values[c.Y] || c.Y == l.key && !l.values[c.X])
}

// leaves looks at what is behind an early exit: results that are returned there, and variables that go on from there.
func (l *loop) leaves(from, to *ssa.BasicBlock) {
	for _, in := range to.Instrs {
		switch in := in.(type) {
		case *ssa.Phi:
			for i, e := range in.Edges {
				if to.Preds[i] == from && l.values[e] {
					l.report("DET402", "first match in map order", e.Pos())
				}
			}
		case *ssa.Return:
			for _, v := range in.Results {
				if l.values[v] {
					l.report("DET402", "first match in map order", in.Pos())
					break
				}
			}
		}
	}
}

// assigned finds where an iteration sets a variable: an SSA value has no place of its own for that.
func (l *loop) assigned(name string) (pos token.Pos) {
	for _, file := range l.p.pass.Files {
		if file.FileStart <= l.pos && l.pos < file.FileEnd {
			ast.Inspect(file, func(n ast.Node) bool {
				if r, ok := n.(*ast.RangeStmt); ok && r.For <= l.pos && l.pos < r.Body.Lbrace {
					pos = setIn(r.Body, name)
				}
				return true
			})
		}
	}
	return pos
}

func setIn(body *ast.BlockStmt, name string) (pos token.Pos) {
	ast.Inspect(body, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && !pos.IsValid() {
			for _, left := range a.Lhs {
				if id, ok := left.(*ast.Ident); ok && id.Name == name {
					pos = a.Pos()
				}
			}
		}
		return true
	})
	return pos
}
