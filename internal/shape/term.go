package shape

import (
	"encoding/binary"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// term is what a value means, whichever of two programs computes it: two values of equal terms are equal in every run.
// Terms are kept once each, so that equal ones are the same number.
type term int

// unset is the term of what has not been computed.
const unset term = -1

// meaning is how a term is made of others.
type meaning struct {
	op, what, sum string
	args          []term
}

// opSymbol is the op of a term of which nothing is known but that it is equal to itself: a parameter, a future, a time.
const opSymbol = "symbol"

type terms struct {
	all    []meaning
	index  map[string]term
	event  map[term]string  // symbols of futures of an event that has not been given to them, and its name
	birth  map[term]term    // symbols of futures: the time at which the old program made them
	rounds int              // how often agree has tried
	made   map[term]uint64  // what symbolsOf has found
	tried  map[[2]term]bool // what agree has found
}

func newTerms() *terms {
	t := &terms{index: map[string]term{}, event: map[term]string{}, birth: map[term]term{}, tried: map[[2]term]bool{}, made: map[term]uint64{}}
	t.symbol("") // 0 is no future and no time
	return t
}

// symbol makes a new symbol.
func (t *terms) symbol(what string) term {
	t.all = append(t.all, meaning{op: opSymbol, what: what})
	return term(len(t.all) - 1)
}

// receive makes the symbol of a future that waits for an event.
func (t *terms) receive(event string) term {
	s := t.symbol("event " + event)
	t.event[s] = event
	return s
}

// of gives the term of an operation, in its simplest form.
func (t *terms) of(op, what, sum string, args ...term) term {
	if folded, ok := t.fold(op, what, args); ok {
		return folded
	}
	return t.keep(op, what, sum, args)
}

func (t *terms) keep(op, what, sum string, args []term) term {
	key := make([]byte, 0, len(op)+len(what)+len(sum)+3+4*len(args))
	key = append(key, op...)
	key = append(append(key, 0), what...)
	key = append(append(key, 0), sum...)
	key = append(key, 0)
	for _, a := range args {
		key = binary.AppendUvarint(key, uint64(a+1))
	}
	if known, ok := t.index[string(key)]; ok {
		return known
	}
	t.all = append(t.all, meaning{op, what, sum, slices.Clone(args)})
	made := term(len(t.all) - 1)
	t.index[string(key)] = made
	return made
}

func (t *terms) constant(what string) term { return t.keep(opConst, what, "", nil) }

func (t *terms) truth(b bool) term {
	if b {
		return t.constant("true")
	}
	return t.constant("false")
}

// Ops that are understood here. All others are functions of which only their name is known.
const (
	opConst  = "const"
	opWhich  = "which" // result of an any: What is the index, Args[0] the future
	opNot    = "not"
	opEqual  = "=="
	opLess   = "<"
	opIf     = "if"
	opList   = "list"
	opAppend = "append"
	opIndex  = "index"
	opLen    = "len"
)

// fold computes what can be: comparisons and sums of constants, the outcome of an any.
func (t *terms) fold(op, what string, args []term) (term, bool) {
	switch {
	case op == opIf && len(args) == 3:
		if b, ok := t.isTruth(args[0]); ok {
			return args[2-btoi(b)], true
		}
		if args[1] == args[2] {
			return args[1], true
		}
	case (op == opNot || op == "!") && len(args) == 1:
		if b, ok := t.isTruth(args[0]); ok {
			return t.truth(!b), true
		}
		if m := &t.all[args[0]]; m.op == opNot {
			return m.args[0], true
		}
		return t.keep(opNot, "", "", args), true
	case op == opEqual && len(args) == 2:
		args = t.joined(args)
		if same, ok := t.equal(args[0], args[1]); ok {
			return t.truth(same), true
		}
		if args[0] > args[1] {
			args = []term{args[1], args[0]}
		}
		return t.keep(opEqual, "", "", args), true
	case op == "!=" && len(args) == 2:
		return t.of(opNot, "", "", t.of(opEqual, "", "", args...)), true
	case op == opIndex && len(args) == 2:
		list := &t.all[args[0]]
		if n, ok := t.number(args[1]); ok && list.op == opList && n.IsInt64() && n.Int64() >= 0 && n.Int64() < int64(len(list.args)) {
			return list.args[n.Int64()], true
		}
	case what != "": // a sum of numbers that wrap or are rounded
	case op == "+" && len(args) == 2:
		return t.sum(args)
	case len(args) == 2:
		return t.arithmetic(op, args)
	}
	return 0, false
}

// joined puts errors that are joined and compared with nil into one order: the answer does not depend on it.
func (t *terms) joined(args []term) []term {
	for i := range args {
		m := &t.all[args[i]]
		if n := &t.all[args[1-i]]; m.op != "call" || m.what != "errors.Join" || n.op != opConst || n.what != "nil" {
			continue
		}
		args = slices.Clone(args)
		args[i] = t.keep(m.op, m.what, m.sum, slices.Sorted(slices.Values(m.args)))
		break
	}
	return args
}

// sum adds, constants last and to one.
func (t *terms) sum(args []term) (term, bool) {
	x, n := t.offset(args[0])
	y, m := t.offset(args[1])
	if n == 0 && m == 0 && !t.isNumber(args[0]) && !t.isNumber(args[1]) || x != unset && y != unset {
		return 0, false
	}
	if x == unset {
		x = y
	}
	return t.plus(x, n+m), true
}

// plus gives x + n; of unset it is n.
func (t *terms) plus(x term, n int64) term {
	if x == unset {
		return t.constant(strconv.FormatInt(n, 10))
	}
	if n == 0 {
		return x
	}
	return t.keep("+", "", "", []term{x, t.constant(strconv.FormatInt(n, 10))})
}

// offset divides a term into what is not known of it and a number that is added; unset is nothing.
func (t *terms) offset(x term) (base term, n int64) {
	if v, ok := t.number(x); ok {
		return unset, v.Int64()
	}
	if m := &t.all[x]; m.op == "+" && m.what == "" && len(m.args) == 2 {
		if v, ok := t.number(m.args[1]); ok {
			return m.args[0], v.Int64()
		}
	}
	return x, 0
}

func (t *terms) isNumber(x term) bool {
	_, ok := t.number(x)
	return ok
}

func (t *terms) arithmetic(op string, args []term) (term, bool) {
	a, ok := t.number(args[0])
	if !ok {
		return 0, false
	}
	b, ok := t.number(args[1])
	if !ok {
		return 0, false
	}
	switch op {
	case opLess:
		return t.truth(a.Cmp(b) < 0), true
	case "<=":
		return t.truth(a.Cmp(b) <= 0), true
	case "-":
		return t.constant(new(big.Int).Sub(a, b).String()), true
	}
	return 0, false
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// isTruth gives the value of a constant bool.
func (t *terms) isTruth(x term) (value, ok bool) {
	m := &t.all[x]
	return m.what == "true", m.op == opConst && (m.what == "true" || m.what == "false")
}

// number gives the value of a small constant integer. Large ones are left alone: they may overflow their type.
func (t *terms) number(x term) (*big.Int, bool) {
	const digits = 9
	m := &t.all[x]
	if m.op != opConst || m.what == "" || len(m.what) > digits {
		return nil, false
	}
	return new(big.Int).SetString(m.what, 10)
}

// equal tells whether two terms are equal in all runs or in none.
func (t *terms) equal(a, b term) (same, ok bool) {
	x, y := &t.all[a], &t.all[b]
	switch {
	case a == b && (x.op != opConst || !strings.EqualFold(x.what, "NaN")):
		return true, !t.inexact(a)
	case x.op == opConst && y.op == opConst:
		return false, literal(x.what) && literal(y.what)
	case x.op == opWhich && y.op == opConst:
		return x.what == y.what, true
	case y.op == opWhich && x.op == opConst:
		return y.what == x.what, true
	case x.op == opWhich:
		return x.args[0] == b, true
	case y.op == opWhich:
		return y.args[0] == a, true
	}
	return false, false
}

// inexact reports whether a value may be unequal to itself: it may be a NaN. Only what is certainly none is excepted.
func (t *terms) inexact(a term) bool {
	op := t.all[a].op
	return op != opConst && op != opWhich && op != "future" && op != opSymbol
}

// literal reports whether the text of a constant tells it from all other such texts: integers, bools, quoted strings.
func literal(s string) bool {
	if s == "true" || s == "false" || strings.HasPrefix(s, `"`) {
		return true
	}
	_, ok := new(big.Int).SetString(s, 10)
	return ok
}

// replace gives x with one symbol replaced by another term.
func (t *terms) replace(x, from, to term, done map[term]term) term {
	if x == from {
		return to
	}
	if x < from || len(t.all[x].args) == 0 { // terms are made after what they are made of
		return x
	}
	if y, ok := done[x]; ok {
		return y
	}
	m := t.all[x]
	args, changed := make([]term, len(m.args)), false
	for i, a := range m.args {
		args[i] = t.replace(a, from, to, done)
		changed = changed || args[i] != a
	}
	y := x
	if changed {
		y = t.of(m.op, m.what, m.sum, args...)
	}
	done[x] = y
	return y
}

// elements gives the futures that a wait is for: those of a list one by one.
func (t *terms) elements(args []term) []term {
	var all []term
	for _, a := range args {
		m := t.all[a]
		switch {
		case m.op == opList:
			all = append(all, t.elements(m.args)...)
		case m.op == opAppend && len(m.args) > 1:
			all = append(all, t.elements(m.args)...)
		case m.op == opConst && m.what == "nil":
		default:
			all = append(all, a)
		}
	}
	return all
}
