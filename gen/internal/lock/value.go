package lock

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// value is a computation with symbols. Values do not change, but for the arguments of phi and mu while their loop is
// being read.
type value struct {
	op, what string
	args     []*value
	at       *node // of future, result, after and phi
	pos      token.Pos
	class    int  // values of one class are equal
	choice   bool // has an "if" in it
	whole    bool // of "<": between integers

	owner *machine // of leaves, and of what a loop leaves: whose they are
	lit   constant.Value
	parts []*value // of a text that was joined from several
	fn    *closure // of "func"
	cell  *cell    // of "ref" and "load"
	body  *machine // of "lambda": a function that somebody else calls
	way   []step   // of "ref": from the cell on
	loop  *loop    // of "mu" and "eta"

	roots  []*value // origins, if rooted
	rooted bool

	typ  types.Type // that it has in an interface; nil: it is not known
	from *value     // of a list that others were appended to: that list
	room *value     // of a list that was made: its capacity
}

// closure is a function as a value.
type closure struct {
	lit   *ast.FuncLit // with frame
	frame *frame
	fn    *function // or a declared one, with recv for a method value
	recv  *value
	types typeArgs
}

// classes numbers values so that equal ones have the same number.
type classes struct {
	byKey map[string]int
	next  int
	lists map[*value]*value // what asList makes of a "mu"
}

func (c *classes) fresh() int {
	c.next++
	return c.next
}

func (c *classes) of(v *value) int {
	var key strings.Builder
	fmt.Fprintf(&key, "%s|%s|%p|%p|%p", v.op, v.what, v.at, v.cell, v.owner)
	for _, s := range v.way {
		switch {
		case s.deref:
			key.WriteString("|*")
			continue
		case s.index != nil:
			fmt.Fprintf(&key, "|[%d]", s.index.class)
			continue
		}
		fmt.Fprintf(&key, "|.%d", s.field)
	}
	if v.body != nil {
		fmt.Fprintf(&key, "|%p", v.body)
	}
	if v.op == "struct" && v.typ != nil {
		key.WriteString("|" + typeName(v.typ)) // in an interface it is another
	}
	if v.fn != nil {
		fmt.Fprintf(&key, "|%p %p %p", v.fn.lit, v.fn.frame, v.fn.fn)
		fmt.Fprintf(&key, " %s", v.fn.types)
		if v.fn.recv != nil {
			fmt.Fprintf(&key, " %d", v.fn.recv.class)
		}
	}
	for _, a := range v.args {
		fmt.Fprintf(&key, "|%d", a.class)
	}
	if n, ok := c.byKey[key.String()]; ok {
		return n
	}
	n := c.fresh()
	c.byKey[key.String()] = n
	return n
}

// make gives a value as it is; see the functions that simplify.
func (m *machine) make(v value) *value {
	v.roots, v.rooted = nil, false
	for _, a := range v.args {
		v.choice = v.choice || a.choice
	}
	v.choice = v.choice || v.op == "if"
	v.class = m.classes.of(&v)
	return &v
}

func (m *machine) val(pos token.Pos, op, what string, args ...*value) *value {
	return m.make(value{op: op, what: what, args: args, pos: pos})
}

// leaf is a value of this machine that is not computed.
func (m *machine) leaf(op, what string, pos token.Pos) *value {
	return m.make(value{op: op, what: what, pos: pos, owner: m})
}

func (m *machine) ofNode(op, what string, n *node, args ...*value) *value {
	return m.make(value{op: op, what: what, at: n, args: args, pos: n.pos})
}

func (m *machine) constant(pos token.Pos, c constant.Value) *value {
	text := c.ExactString()
	if c.Kind() == constant.Float {
		if i := constant.ToInt(c); i.Kind() == constant.Int {
			text = i.ExactString() // JSON has one kind of number
		}
	}
	return m.make(value{op: "const", what: text, lit: c, pos: pos})
}

func (m *machine) null(pos token.Pos) *value { return m.val(pos, "const", "nil") }

func (m *machine) boolean(pos token.Pos, b bool) *value {
	return m.constant(pos, constant.MakeBool(b))
}

func (m *machine) integer(pos token.Pos, n int64) *value {
	return m.constant(pos, constant.MakeInt64(n))
}

func (v *value) isConst() bool { return v.op == "const" }
func (v *value) isNil() bool   { return v.op == "const" && v.what == "nil" }

// truth gives what a boolean constant is.
func (v *value) truth() (is, known bool) {
	if v.op == "const" && v.lit != nil && v.lit.Kind() == constant.Bool {
		return constant.BoolVal(v.lit), true
	}
	return false, false
}

// never reports whether v cannot be nil.
func (v *value) never() bool {
	switch v.op {
	case "struct", "list", "map", "func", "timeout", "future", "ctx", "box", "pointer":
		return true
	case "ref":
		return v.cell.maybe == nil
	case "global":
		return true
	case "call":
		return v.what == "fmt.Errorf" || v.what == "errors.New"
	case "result":
		return v.at != nil && v.at.kind == "continue"
	case "const":
		return v.lit != nil
	case "if":
		return v.args[1].never() && v.args[2].never()
	}
	return false
}

// zeroLike reports whether v is the zero value of a field.
func (v *value) zeroLike() bool {
	switch v.op {
	case "const":
		if v.lit == nil {
			return true
		}
		switch v.lit.Kind() {
		case constant.Bool:
			return !constant.BoolVal(v.lit)
		case constant.String:
			return constant.StringVal(v.lit) == ""
		case constant.Int, constant.Float:
			return constant.Sign(v.lit) == 0
		}
	case "struct":
		return len(v.args) == 0 || allZero(v.args)
	}
	return false
}

func allZero(vs []*value) bool {
	for _, v := range vs {
		if !v.zeroLike() {
			return false
		}
	}
	return true
}

// order puts operands that may change places into one order, which does not depend on the source's.
func order(a, b *value) bool { return compare(a, b, 6) > 0 }

func compare(a, b *value, depth int) int {
	if a.class == b.class {
		return 0
	}
	if a.isConst() != b.isConst() {
		if a.isConst() {
			return 1
		}
		return -1
	}
	if c := strings.Compare(a.op, b.op); c != 0 {
		return c
	}
	if c := strings.Compare(a.what, b.what); c != 0 {
		return c
	}
	if a.at != nil && b.at != nil && a.at != b.at {
		return a.at.id - b.at.id
	}
	if len(a.args) != len(b.args) {
		return len(a.args) - len(b.args)
	}
	if depth == 0 || a.op == "phi" || a.op == "mu" {
		return 0
	}
	for i := range a.args {
		if c := compare(a.args[i], b.args[i], depth-1); c != 0 {
			return c
		}
	}
	return 0
}
