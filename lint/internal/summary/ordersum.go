package summary

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// sums reports whether v is what was there before, changed in a way whose order does not matter.
func (l *loop) sums(v ssa.Value, at ssa.Instruction) bool {
	if c, ok := v.(*ssa.Call); ok {
		return extremes(c) && slices.ContainsFunc(c.Call.Args, func(a ssa.Value) bool { return l.same(a, at) })
	}
	op, ok := v.(*ssa.BinOp)
	if !ok {
		return false
	}
	if !isInteger(op.Type()) {
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

// extremes reports whether a call gives the least or the most of its arguments.
func extremes(c *ssa.Call) bool {
	if b, ok := c.Call.Value.(*ssa.Builtin); ok {
		return b.Name() == "min" || b.Name() == "max"
	}
	fn := c.Call.StaticCallee()
	return fn != nil && fn.Pkg != nil && fn.Pkg.Pkg.Path() == "math" && (fn.Name() == "Max" || fn.Name() == "Min")
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
		return ok && equal(look.Index, at.Key) && equal(look.X, at.Map)
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
	case *ssa.Field:
		b, ok := b.(*ssa.Field)
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
	var set []*ssa.Const
	for i, e := range phi.Edges {
		if l.body[l.header.Preds[i]] {
			set = constants(e, map[ssa.Value]bool{phi: true}, set)
		}
	}
	if len(set) > 1 && l.used(phi) {
		l.report("DET402", phi.Comment+" of the last iteration", l.pos)
		return
	}
	before := len(l.leaks)
	l.kinds = map[token.Token]bool{}
	for i, e := range phi.Edges {
		if l.body[l.header.Preds[i]] && !l.unique(l.header.Preds[i]) {
			l.update(phi, e, map[ssa.Value]bool{})
		}
	}
	if len(l.leaks) == before && (len(l.kinds) > 1 || len(l.kinds) > 0 && len(set) > 0) && l.used(phi) {
		l.report("DET402", phi.Comment+" of the last iteration", l.pos)
	}
}

// kindOf is what operations have in common that may come in any order.
func kindOf(op token.Token) token.Token {
	switch op {
	case token.SUB:
		return token.ADD
	case token.AND_NOT:
		return token.AND
	}
	return op
}

// update judges one way in which a variable is changed by an iteration.
func (l *loop) update(phi *ssa.Phi, v ssa.Value, seen map[ssa.Value]bool) {
	if v == phi || seen[v] || !l.values[v] && !dependsOn(v, phi) {
		return // unchanged, or the same in every iteration
	}
	seen[v] = true
	switch v := v.(type) {
	case *ssa.Phi:
		if l.choosesBool(v, phi) || l.setsOnce(v, phi) {
			return
		}
		for i, e := range v.Edges {
			if pred := v.Block().Preds[i]; !l.unique(pred) && !l.one(pred, v.Block()) {
				l.update(phi, e, seen)
			}
		}
		return
	case *ssa.BinOp:
		if isInteger(v.Type()) || basic(v.Type()) == types.Bool {
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
			if had != nil {
				l.kinds[kindOf(v.Op)] = true
			}
			if had == phi || seen[had] {
				return
			}
			if p, ok := had.(*ssa.Phi); ok { // of a loop inside
				l.update(phi, p, seen)
				return
			}
			if inner, ok := had.(*ssa.BinOp); ok && dependsOn(inner, phi) { // n + a + b
				l.update(phi, inner, seen)
				return
			}
		}
	case *ssa.Call:
		if extremes(v) || l.p.insertsSorted(v, func(s ssa.Value) bool { return s == phi || seen[s] }) {
			return
		}
		if isAppend(v) {
			if l.values[v] {
				l.fate(l.p.slice(phi, l), "DET402", "append in map order", v.Pos())
			}
			return
		}
	}
	if !l.used(phi) || l.extreme(phi, v) || l.countsUp(phi, v) {
		return
	}
	l.report(ruleFor(v.Type()), phi.Comment+" of the last iteration", v.Pos())
}

// setsOnce reports a variable that only ever becomes constants of one value: a flag.
func (l *loop) setsOnce(v, phi *ssa.Phi) bool {
	var one *ssa.Const
	for _, e := range v.Edges {
		switch e := e.(type) {
		case *ssa.Const:
			if one != nil && !equal(one, e) {
				return false
			}
			one = e
		default:
			if e != phi {
				return false
			}
		}
	}
	return true
}

// constants gives the different ones that a variable may become.
func constants(v ssa.Value, seen map[ssa.Value]bool, had []*ssa.Const) []*ssa.Const {
	if seen[v] {
		return had
	}
	seen[v] = true
	switch v := v.(type) {
	case *ssa.Const:
		if !slices.ContainsFunc(had, func(c *ssa.Const) bool { return equal(c, v) }) {
			had = append(had, v)
		}
	case *ssa.Phi:
		for _, e := range v.Edges {
			had = constants(e, seen, had)
		}
	}
	return had
}

// countsUp is a number that a step inside depends on only through itself.
func (l *loop) countsUp(phi *ssa.Phi, v ssa.Value) bool {
	op, ok := v.(*ssa.BinOp)
	return ok && op.Op == token.ADD && op.X == phi && !l.values[op.Y] && isInteger(op.Type())
}

// isInteger reports whether sums of a type do not depend on their order. Of a type parameter that may be a number it says yes:
// who adds floats this way is not told.
func isInteger(t types.Type) bool {
	if tp, ok := types.Unalias(t).(*types.TypeParam); ok {
		return numeric(tp.Constraint(), 0)
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0
}

// numeric reports whether all types of a constraint are numbers.
func numeric(t types.Type, depth int) bool {
	if depth > 8 {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsNumeric != 0
	case *types.Interface:
		for e := range u.EmbeddedTypes() {
			if !numericPart(e, depth) {
				return false
			}
		}
		return u.NumEmbeddeds() > 0
	}
	return false
}

func numericPart(t types.Type, depth int) bool {
	union, ok := t.(*types.Union)
	if !ok {
		return numeric(t, depth+1)
	}
	for term := range union.Terms() {
		if !numeric(term.Type(), depth+1) {
			return false
		}
	}
	return true
}

// choosesBool recognises "all = all && cond" and "any = any || cond", and the same through memory when phi is nil.
func (l *loop) choosesBool(v ssa.Value, had *ssa.Phi) bool {
	phi, ok := v.(*ssa.Phi)
	if !ok || basic(phi.Type()) != types.Bool {
		return false
	}
	for i, e := range phi.Edges {
		c, ok := e.(*ssa.Const)
		if !ok || c.Value == nil {
			continue
		}
		pred := phi.Block().Preds[i]
		branch, ok := pred.Instrs[len(pred.Instrs)-1].(*ssa.If)
		if !ok {
			continue
		}
		if had != nil && branch.Cond == had {
			return true
		}
		if load, ok := branch.Cond.(*ssa.UnOp); ok && had == nil && load.Op == token.MUL && l.outside(load.X) {
			return true
		}
	}
	return false
}

// extreme recognises "if v > max { max = v }": the largest is the largest in any order.
func (l *loop) extreme(phi *ssa.Phi, v ssa.Value) bool {
	for _, r := range *phi.Referrers() {
		c, ok := r.(*ssa.BinOp)
		if ok && l.body[c.Block()] && compares(c, func(x ssa.Value) bool { return equal(x, v) }) {
			return true
		}
		if call, ok := r.(*ssa.Call); ok && l.body[call.Block()] && comparison(call) && slices.ContainsFunc(call.Call.Args, func(a ssa.Value) bool { return equal(a, v) }) {
			return true
		}
	}
	return l.extremeBy(phi, v)
}

// extremeBy is extreme by parts of v that tell any two apart.
func (l *loop) extremeBy(phi *ssa.Phi, v ssa.Value) bool {
	t := &ties{p: l.p, fn: l.fn, keys: map[string]bool{}}
	for b := range l.body {
		for _, in := range b.Instrs {
			var sides []ssa.Value
			switch in := in.(type) {
			case *ssa.BinOp:
				if compares(in, func(ssa.Value) bool { return true }) {
					sides = []ssa.Value{in.X, in.Y}
				}
			case *ssa.Call:
				if comparison(in) && len(in.Call.Args) == 2 {
					sides = in.Call.Args
				}
			}
			if len(sides) == 2 && (partOf(sides[0], phi) && partOf(sides[1], v) || partOf(sides[1], phi) && partOf(sides[0], v)) {
				t.compared(sides[0])
			}
		}
	}
	return len(t.keys) > 1 || t.unique
}

// partOf reports whether v is read from inside of a value, or of the variable that it is kept in.
func partOf(v, whole ssa.Value) bool {
	if load, ok := whole.(*ssa.UnOp); ok {
		whole = load.X
	}
	switch v := v.(type) {
	case *ssa.Field:
		return v.X == whole || partOf(v.X, whole) || sameLoad(v.X, whole)
	case *ssa.UnOp:
		f, ok := v.X.(*ssa.FieldAddr)
		return ok && (f.X == whole || sameLoad(f.X, whole))
	}
	return false
}

func sameLoad(v, whole ssa.Value) bool {
	load, ok := v.(*ssa.UnOp)
	return ok && load.X == whole
}

// extremeStore is extreme of a variable in memory.
func (l *loop) extremeStore(s *ssa.Store) bool {
	for b := range l.body {
		for _, in := range b.Instrs {
			c, ok := in.(*ssa.BinOp)
			if ok && compares(c, func(x ssa.Value) bool { return equal(x, s.Val) }) && compares(c, func(x ssa.Value) bool { return l.same(x, s) }) {
				return true
			}
		}
	}
	return l.extremeStoreBy(s)
}

// extremeStoreBy is extremeBy of a variable in memory.
func (l *loop) extremeStoreBy(s *ssa.Store) bool {
	t := &ties{p: l.p, fn: l.fn, keys: map[string]bool{}}
	for b := range l.body {
		for _, in := range b.Instrs {
			c, ok := in.(*ssa.BinOp)
			if ok && compares(c, func(x ssa.Value) bool { return partOf(x, s.Addr) }) && compares(c, func(x ssa.Value) bool { return partOf(x, s.Val) }) {
				t.compared(c.X)
			}
		}
	}
	return len(t.keys) > 1 || t.unique
}

func compares(c *ssa.BinOp, is func(ssa.Value) bool) bool {
	switch c.Op {
	case token.LSS, token.GTR, token.LEQ, token.GEQ:
		return is(c.X) || is(c.Y)
	}
	return false
}

// comparison reports whether a call says which of two values comes first.
func comparison(c *ssa.Call) bool {
	fn := c.Call.StaticCallee()
	if fn == nil {
		return false
	}
	switch form.Origin(fn).Name() {
	case "Compare", "Less", "Before", "After", "Cmp":
		return true
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

// entry reports whether v is what the map has for the key of the iteration.
func (l *loop) entry(v ssa.Value) bool {
	e, ok := v.(*ssa.Extract)
	if !ok {
		return false
	}
	_, next := e.Tuple.(*ssa.Next)
	return next && l.values[e]
}

// counted reports whether v tells how many iterations there have been: "rank[k] = n; n++", "ids[k] = len(ids)".
func (l *loop) counted(v ssa.Value, seen map[ssa.Value]bool) bool {
	if seen[v] {
		return false
	}
	seen[v] = true
	switch v := v.(type) {
	case *ssa.Phi:
		return v.Block() == l.header || l.body[v.Block()] && slices.ContainsFunc(v.Edges, func(e ssa.Value) bool { return l.counted(e, seen) })
	case *ssa.BinOp:
		return l.counted(v.X, seen) || l.counted(v.Y, seen)
	case *ssa.Convert:
		return l.counted(v.X, seen)
	case *ssa.ChangeType:
		return l.counted(v.X, seen)
	case *ssa.MakeInterface:
		return l.counted(v.X, seen)
	case *ssa.Call:
		b, ok := v.Call.Value.(*ssa.Builtin)
		return ok && b.Name() == "len" && (l.counted(v.Call.Args[0], seen) || l.grows(v.Call.Args[0]))
	case *ssa.UnOp:
		return v.Op == token.MUL && l.advances(v.X)
	}
	return false
}

// grows reports whether a map gets entries in the loop.
func (l *loop) grows(m ssa.Value) bool {
	return l.writes(func(in ssa.Instruction) bool {
		u, ok := in.(*ssa.MapUpdate)
		return ok && equal(u.Map, m)
	})
}

// advances reports whether a variable that was there before the loop is one more after an iteration.
func (l *loop) advances(addr ssa.Value) bool {
	return l.outside(addr) && l.writes(func(in ssa.Instruction) bool {
		s, ok := in.(*ssa.Store)
		if !ok || !equal(s.Addr, addr) {
			return false
		}
		op, ok := s.Val.(*ssa.BinOp)
		return ok && op.Op == token.ADD && l.same(op.X, s)
	})
}

func (l *loop) writes(is func(ssa.Instruction) bool) bool {
	for b := range l.body {
		if slices.ContainsFunc(b.Instrs, is) {
			return true
		}
	}
	return false
}
