package lock

import (
	"go/constant"
	"go/token"
	"go/types"
)

// not negates a condition.
func (m *machine) not(v *value) *value {
	if b, ok := v.truth(); ok {
		return m.boolean(v.pos, !b)
	}
	switch v.op {
	case "not":
		return v.args[0]
	case "if":
		return m.choose(v.pos, v.args[0], m.not(v.args[1]), m.not(v.args[2]))
	}
	return m.val(v.pos, "not", "", v)
}

// choose is the value of a choice that decides nothing else.
func (m *machine) choose(pos token.Pos, cond, yes, no *value) *value {
	if b, ok := cond.truth(); ok {
		if b {
			return yes
		}
		return no
	}
	if cond.op == "not" {
		cond, yes, no = cond.args[0], no, yes
	}
	if cond.op == "if" { // a && b, a || b: the same as one within the other
		return m.choose(pos, cond.args[0], m.choose(pos, cond.args[1], yes, no), m.choose(pos, cond.args[2], yes, no))
	}
	yes, no = m.assume(yes, cond, true), m.assume(no, cond, false)
	if yes.class == no.class {
		return yes
	}
	for _, known := range []func(token.Pos, *value, *value, *value) *value{m.either, m.cut, m.sorted} {
		if v := known(pos, cond, yes, no); v != nil {
			return v
		}
	}
	if yes.class == cond.class {
		yes = m.boolean(pos, true)
	}
	if no.class == cond.class {
		no = m.boolean(pos, false)
	}
	t, tok := yes.truth()
	f, fok := no.truth()
	switch {
	case tok && fok && t && !f:
		return cond
	case tok && fok && !t && f:
		return m.not(cond)
	case alike(yes, no):
		a, b := yes.indices(), no.indices()
		return m.moved(yes, func(i int) *value { return m.choose(pos, cond, a[i], b[i]) })
	case (yes.op == "struct" || yes.op == "tuple" || yes.op == "box") && no.op == yes.op && yes.what == no.what && len(yes.args) == len(no.args):
		args := make([]*value, len(yes.args))
		for i := range args {
			args[i] = m.choose(pos, cond, yes.args[i], no.args[i])
		}
		w := value{op: yes.op, what: yes.what, args: args, pos: yes.pos}
		if yes.typ == no.typ || yes.op == "box" {
			w.typ = yes.typ
		}
		return m.make(w)
	}
	return m.val(pos, "if", "", cond, yes, no)
}

// assume simplifies v where a condition is known.
func (m *machine) assume(v, cond *value, is bool) *value {
	if !v.choice && v.class != cond.class {
		return v
	}
	return m.resolve(&path{facts: map[int]bool{cond.class: is}}, v)
}

// equal compares.
func (m *machine) equal(pos token.Pos, a, b *value) *value {
	switch {
	case a.op == "any" && b.op == "future" || a.op == "any" && b.op == "phi":
		return m.chosen(pos, a, b)
	case b.op == "any" && a.op == "future" || b.op == "any" && a.op == "phi":
		return m.chosen(pos, b, a)
	case a.op == "ref" && b.isNil() && a.cell.maybe != nil:
		return m.equal(pos, a.cell.maybe, b)
	case b.op == "ref" && a.isNil() && b.cell.maybe != nil:
		return m.equal(pos, a, b.cell.maybe)
	case a.class == b.class:
		return m.boolean(pos, true)
	case a.isNil() && b.never() || b.isNil() && a.never():
		return m.boolean(pos, false)
	case a.lit != nil && b.lit != nil:
		if comparable(a.lit, b.lit) {
			return m.boolean(pos, constant.Compare(a.lit, token.EQL, b.lit))
		}
	case a.op == "if" && (b.isConst() || b.op == "any"):
		return m.choose(pos, a.args[0], m.equal(pos, a.args[1], b), m.equal(pos, a.args[2], b))
	case b.op == "if" && (a.isConst() || a.op == "any"):
		return m.choose(pos, b.args[0], m.equal(pos, a, b.args[1]), m.equal(pos, a, b.args[2]))
	}
	if a.op == "len" && a.what == "string" && b.zeroLike() && b.lit != nil {
		return m.equal(pos, a.args[0], m.constant(b.pos, constant.MakeString("")))
	}
	if t, ok := b.truth(); ok {
		if t {
			return a
		}
		return m.not(a)
	}
	if t, ok := a.truth(); ok {
		if t {
			return b
		}
		return m.not(b)
	}
	if order(a, b) {
		a, b = b, a
	}
	return m.val(pos, "==", "", a, b)
}

// chosen asks whether Any has chosen a future.
func (m *machine) chosen(pos token.Pos, any, future *value) *value {
	which := m.make(value{op: "result", at: any.at, pos: any.pos})
	found, count := 0, 0
	for i, arg := range any.at.args {
		if arg.class == future.class {
			found = i
			count++
		}
		if arg.op != "future" && arg.op != "canceled" && arg.op != "phi" {
			count = 9 // a list, which may hold it
		}
	}
	switch {
	case count == 0:
		return m.boolean(pos, false)
	case count > 1:
		return m.val(pos, "==", "", which, future)
	}
	if len(any.at.args) == 2 && found == 1 {
		return m.not(m.val(pos, "==", "", which, m.integer(pos, 0)))
	}
	return m.val(pos, "==", "", which, m.integer(pos, int64(found)))
}

func comparable(a, b constant.Value) bool {
	number := func(c constant.Value) bool {
		return c.Kind() == constant.Int || c.Kind() == constant.Float || c.Kind() == constant.Complex
	}
	return a.Kind() == b.Kind() || number(a) && number(b)
}

// binary is an operator of two operands of type t.
func (m *machine) binary(pos token.Pos, op token.Token, a, b *value, t types.Type) *value {
	basic, _ := t.Underlying().(*types.Basic)
	isInt := wide(basic)
	switch op {
	case token.EQL:
		if types.IsInterface(t) && dynamic(a) != nil && dynamic(b) != nil && !types.Identical(dynamic(a), dynamic(b)) {
			return m.boolean(pos, false)
		}
		if a.class == b.class && a.lit == nil && mayDiffer(t) {
			return m.val(pos, "==", "", a, b) // there is NaN
		}
		return m.equal(pos, a, b)
	case token.NEQ:
		return m.not(m.binary(pos, token.EQL, a, b, t))
	case token.GTR:
		return m.less(pos, b, a, isInt)
	case token.LSS:
		return m.less(pos, a, b, isInt)
	case token.LEQ, token.GEQ:
		if op == token.GEQ {
			a, b = b, a
		}
		if basic != nil && basic.Info()&types.IsFloat != 0 {
			return m.val(pos, "<=", "", a, b) // there is NaN
		}
		return m.not(m.less(pos, b, a, isInt))
	}
	if a.lit != nil && b.lit != nil && basic != nil {
		if folded := fold(op, a.lit, b.lit, basic.Info()&types.IsInteger != 0); folded != nil {
			if folded = held(folded, basic); folded != nil {
				return m.constant(pos, folded)
			}
		}
	}
	switch {
	case op == token.ADD && basic != nil && basic.Info()&types.IsString != 0:
		return m.concat(pos, a, b)
	case op == token.ADD && isInt:
		return m.add(pos, a, b)
	case op == token.SUB && isInt && b.lit != nil:
		return m.add(pos, a, m.constant(b.pos, constant.UnaryOp(token.SUB, b.lit, 0)))
	case op == token.MUL && isOne(a):
		return b
	case op == token.MUL && isOne(b):
		return a
	}
	switch op {
	case token.ADD, token.MUL, token.AND, token.OR, token.XOR:
		if order(a, b) {
			a, b = b, a
		}
	}
	return m.val(pos, op.String(), kindOf(basic), a, b)
}

func isOne(v *value) bool {
	return v.lit != nil && v.lit.Kind() == constant.Int && constant.Compare(v.lit, token.EQL, constant.MakeInt64(1))
}

func fold(op token.Token, a, b constant.Value, isInt bool) constant.Value {
	if a.Kind() != b.Kind() {
		return nil
	}
	switch op {
	case token.QUO, token.REM:
		if !comparable(b, constant.MakeInt64(0)) || constant.Sign(b) == 0 {
			return nil
		}
		if op == token.QUO && isInt {
			op = token.QUO_ASSIGN // divides integers
		}
	case token.SHL, token.SHR:
		return nil
	}
	switch a.Kind() {
	case constant.String:
		if op != token.ADD {
			return nil
		}
	case constant.Int, constant.Float:
	default:
		return nil
	}
	return constant.BinaryOp(a, op, b)
}

// add sums integers; constants are collected at the end.
func (m *machine) add(pos token.Pos, a, b *value) *value {
	if a.lit != nil {
		a, b = b, a
	}
	if a.op == "+" && a.what == "" && a.args[1].lit != nil && b.lit != nil && a.args[1].lit.Kind() == constant.Int && b.lit.Kind() == constant.Int {
		sum := constant.BinaryOp(a.args[1].lit, token.ADD, b.lit)
		return m.add(pos, a.args[0], m.constant(b.pos, sum))
	}
	if b.lit != nil && b.lit.Kind() == constant.Int && constant.Sign(b.lit) == 0 {
		return a
	}
	if a.lit != nil && b.lit != nil {
		return m.constant(pos, constant.BinaryOp(a.lit, token.ADD, b.lit))
	}
	if b.lit != nil && b.lit.Kind() == constant.Int && a.op == "if" && numbers(a, 6) {
		return m.choose(pos, a.args[0], m.addEach(pos, a.args[1], b), m.addEach(pos, a.args[2], b))
	}
	if order(a, b) {
		a, b = b, a
	}
	return m.val(pos, "+", "", a, b)
}

// addEach adds a constant to what a choice chooses from.
func (m *machine) addEach(pos token.Pos, v, c *value) *value {
	sum := m.add(v.pos, v, c)
	if v.lit == nil || sum == v || len(sum.args) > 0 {
		return sum
	}
	written := *sum
	written.args = []*value{v, c}
	return &written
}

// numbers reports whether a choice is between integers that are written in the source, of at most so many conditions one
// within the other.
func numbers(v *value, depth int) bool {
	if v.op == "if" && depth > 0 {
		return numbers(v.args[1], depth-1) && numbers(v.args[2], depth-1)
	}
	return v.lit != nil && v.lit.Kind() == constant.Int
}

// minus gives x and k of a difference x - k of two that are not known.
func minus(v *value) (x, k *value) {
	if v.op != "-" || v.what != "" || v.args[0].lit != nil || v.args[1].lit != nil {
		return nil, nil
	}
	return v.args[0], v.args[1]
}

// less compares; integers with a constant have one form: x < c, or not.
func (m *machine) less(pos token.Pos, a, b *value, isInt bool) *value {
	if a.lit != nil && b.lit != nil && comparable(a.lit, b.lit) {
		return m.boolean(pos, constant.Compare(a.lit, token.LSS, b.lit))
	}
	if isInt && a.lit != nil && a.lit.Kind() == constant.Int { // c < x
		if b.op == "+" && b.what == "" && b.args[1].lit != nil {
			return m.less(pos, m.shift(a, b.args[1]), b.args[0], true)
		}
		if b.op == "neg" {
			return m.less(pos, b.args[0], m.negated(a), true) // c < -x
		}
		one := m.integer(pos, 1)
		next := m.constant(pos, constant.BinaryOp(a.lit, token.ADD, one.lit))
		next.args = []*value{a, one}
		return m.not(m.less(pos, b, next, true))
	}
	if isInt && b.lit != nil && b.lit.Kind() == constant.Int {
		if x, k := minus(a); k != nil { // x - k < c
			one := m.integer(pos, 1)
			return m.not(m.less(pos, k, m.add(pos, x, m.constant(b.pos, constant.BinaryOp(one.lit, token.SUB, b.lit))), true))
		}
		if a.op == "+" && a.what == "" && a.args[1].lit != nil {
			return m.less(pos, a.args[0], m.shift(b, a.args[1]), true)
		}
		if a.op == "neg" {
			return m.less(pos, m.negated(b), a.args[0], true)
		}
		if a.op == "len" && isOne(b) {
			return m.equal(pos, a, m.integer(b.pos, 0))
		}
		if len(b.args) == 0 { // of x <= c it is c and 1
			c := *b
			c.pos, c.args = pos, []*value{b}
			b = &c
		}
	}
	return m.make(value{op: "<", args: []*value{a, b}, pos: pos, whole: isInt})
}

func (m *machine) negated(c *value) *value {
	return m.constant(c.pos, constant.UnaryOp(token.SUB, c.lit, 0))
}

func (m *machine) shift(c, by *value) *value {
	return m.constant(c.pos, constant.BinaryOp(c.lit, token.SUB, by.lit))
}

// concat joins strings: a list of parts, neighbouring constants as one.
func (m *machine) concat(pos token.Pos, a, b *value) *value {
	parts := func(v *value) []*value {
		if v.op == "cat" {
			return v.args
		}
		return []*value{v}
	}
	var out []*value
	for _, part := range append(append([]*value{}, parts(a)...), parts(b)...) {
		if n := len(out); n > 0 && out[n-1].lit != nil && part.lit != nil {
			out[n-1] = m.joined(out[n-1], part)
			continue
		}
		if part.lit != nil && constant.StringVal(part.lit) == "" {
			continue
		}
		out = append(out, part)
	}
	switch len(out) {
	case 0:
		return a
	case 1:
		return out[0]
	}
	return m.val(pos, "cat", "", out...)
}

// joined is two constant texts as one.
func (m *machine) joined(a, b *value) *value {
	v := m.constant(a.pos, constant.BinaryOp(a.lit, token.ADD, b.lit))
	for _, part := range []*value{a, b} {
		if len(part.parts) > 0 {
			v.parts = append(v.parts, part.parts...)
		} else {
			v.parts = append(v.parts, part)
		}
	}
	return v
}

// unary is an operator of one operand.
func (m *machine) unary(pos token.Pos, op token.Token, a *value, t types.Type) *value {
	switch op {
	case token.NOT:
		return m.not(a)
	case token.ADD:
		return a
	case token.SUB:
		if a.lit != nil && a.lit.Kind() != constant.String {
			if b, ok := t.Underlying().(*types.Basic); ok {
				if c := held(constant.UnaryOp(token.SUB, a.lit, 0), b); c != nil {
					return m.constant(pos, c)
				}
			}
		}
		if a.op == "neg" {
			return a.args[0]
		}
		return m.val(pos, "neg", "", a)
	}
	return m.val(pos, op.String(), "", a)
}
