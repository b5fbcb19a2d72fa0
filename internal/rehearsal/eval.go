package rehearsal

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/shape"
)

// frame is where a value is computed: in a round of a loop that only computes, in a call of a function that is a value, or
// outside of both. Values are kept in the outermost frame on which they depend.
type frame struct {
	bit    uint64 // of what it is: see program.depends
	outer  *frame
	before *frame // the round before
	args   []any
	self   any // the function that is called, if it calls itself
	known  map[int]any
}

// Bits of what a value may depend on, beside what the nodes of a program have given: the variables of a loop by its depth,
// and the arguments of a function.
const (
	mostDepth = 32
	functions = 1 << mostDepth
	recursion = 1 << 63 // on the function that calls itself
)

// findDepends finds on which loops and functions each value depends.
func findDepends(f *shape.Flow) []uint64 {
	depends := make([]uint64, len(f.Values))
	for more := true; more; {
		more = false
		for i := range f.Values {
			v := &f.Values[i]
			var d uint64
			if v.Op != "phi" && v.Op != "const" {
				for _, a := range v.Args {
					d |= depends[a]
				}
			}
			switch v.Op {
			case "mu":
				d |= loopBit(v)
			case "eta":
				d &^= loopBit(v)
			case "arg":
				d |= functionBit(v)
			case "func":
				d &^= functionBit(v)
			case "recursion":
				d |= recursion
			}
			if d != depends[i] {
				depends[i], more = d, true
			}
		}
	}
	return depends
}

func loopBit(v *shape.Value) uint64 { return 1 << min(v.Loop, mostDepth-1) }

func functionBit(v *shape.Value) uint64 { return functions << min(v.Func, 30) }

// Debug.
var Debug = false

const mostRounds = 3000 // of a loop that only computes, and of all in a step

// of gives what a value comes to.
func (r *run) of(v int, in *frame) any {
	for in.outer != nil && r.p.depends[v]&in.bit == 0 {
		in = in.outer
	}
	if x, ok := in.known[v]; ok {
		return x
	}
	r.p.side.work++
	x := r.compute(v, in)
	in.known[v] = x
	if !isBroken(x) {
		r.p.note(v, evaluated)
	}
	if Debug && isBroken(x) {
		val := &r.p.flow.Values[v]
		if !slices.ContainsFunc(val.Args, func(a int) bool { y, ok := in.known[a]; return ok && isBroken(y) || ok && false }) {
			why := val.Op + " " + val.What
			for _, a := range val.Args {
				why += " " + r.p.flow.Values[a].Op + " " + r.p.flow.Values[a].What
				for f := in; f != nil; f = f.outer {
					if y, ok := f.known[a]; ok {
						why += fmt.Sprintf("=%.60s", text(y))
						break
					}
				}
			}
			r.p.side.broke[why]++
		}
	}
	return x
}

func (r *run) all(vs []int, in *frame) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = r.of(v, in)
	}
	return out
}

func (r *run) compute(n int, in *frame) any {
	v := &r.p.flow.Values[n]
	switch v.Op {
	case "const":
		return r.p.constants[n]
	case "param":
		return r.param(v.What)
	case "outer":
		if i, err := strconv.Atoi(v.What); err == nil && i < len(r.outer) {
			return r.outer[i]
		}
		return broken{}
	case "phi":
		return r.phis[n]
	case "future", "result", "after", "now", "error", "ready", "ctxerr", "canceled", "start", "info":
		return r.given(v, in)
	case "mu":
		switch {
		case in.outer == nil:
			return r.s.unknown("mu", strconv.Itoa(n)) // it was taken out of its loop
		case in.before == nil:
			return r.of(v.Args[0], in.outer)
		}
		return r.of(v.Args[len(v.Args)-1], in.before)
	case "eta":
		return r.loop(v, in)
	case "if":
		yes := r.of(v.Args[0], in)
		if _, ok := yes.(broken); ok {
			return yes
		}
		return r.of(v.Args[2-btoi(r.asked(n, r.truth(yes)))], in)
	case "func":
		return r.function(n, in)
	case "arg":
		if i, err := strconv.Atoi(v.What); err == nil && i < len(in.args) {
			return in.args[i]
		}
		return broken{}
	case "changed":
		return r.changed(v, in)
	case "recursion":
		for ; v.What == "" && in != nil; in = in.outer {
			if in.self != nil {
				return in.self
			}
		}
		if v.What == "" && r.self != nil {
			return r.self
		}
		return r.s.unknown("recursion", v.What)
	}
	args := r.all(v.Args, in)
	if slices.ContainsFunc(args, isBroken) {
		return broken{}
	}
	return r.operate(n, v, args)
}

// ops are those of values.
func (p *program) ops(vs []int) []string {
	ops := make([]string, len(vs))
	for i, v := range vs {
		ops[i] = p.flow.Values[v].Op
	}
	return ops
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func isBroken(v any) bool { _, is := v.(broken); return is }

// loop goes round until it ends.
func (r *run) loop(v *shape.Value, in *frame) any {
	var before *frame
	for {
		if r.rounds++; r.rounds > mostRounds {
			r.tired = true
			return broken{}
		}
		round := &frame{bit: loopBit(v), outer: in, before: before, known: map[int]any{}}
		ends := r.of(v.Args[0], round)
		if isBroken(ends) {
			return ends
		}
		if r.truth(ends) {
			return r.of(v.Args[1], round)
		}
		before = round
	}
}

// describe says what a function does and with which variables.
func (p *program) describe(f function) string {
	r := f.by
	var b strings.Builder
	seen := map[int]bool{}
	var say func(v int)
	say = func(v int) {
		if p.depends[v]&^(functions-1) == 0 {
			b.WriteString(text(r.of(v, f.in)))
			return
		}
		val := &p.flow.Values[v]
		b.WriteString(val.Op + " " + val.What + " " + val.Sum)
		if seen[v] {
			return
		}
		seen[v] = true
		b.WriteString("(")
		for _, a := range val.Args {
			say(a)
			b.WriteString(",")
		}
		b.WriteString(")")
	}
	val := &p.flow.Values[f.v]
	b.WriteString("func " + val.Sum)
	if val.Sum != "" {
		p.side.said[p.side.functions[val.Sum]] = true
		b.WriteString(texts(f.on))
		return b.String()
	}
	for _, a := range val.Args {
		say(a)
		b.WriteString(";")
	}
	return b.String()
}

// operate does what an op does.
func (r *run) operate(n int, v *shape.Value, args []any) any {
	switch v.Op {
	case "==":
		same := r.equal(args[0], args[1])
		r.near(n, 1-btoi(same), args[0], args[1])
		return r.asked(n, same)
	case "<", "<=":
		order := r.compare(args[0], args[1])
		r.near(n, order, args[0], args[1])
		return r.asked(n, order < 0 || v.Op == "<=" && order == 0)
	case "not", "!":
		return !r.truth(args[0])
	case "+", "-", "*", "/", "%", "&", "|", "^", "&^", "<<", ">>", "neg":
		return r.arithmetic(v.Op, v.What, args)
	case "cat":
		var b strings.Builder
		for _, a := range args {
			b.WriteString(r.text(a))
		}
		return b.String()
	case "conv":
		return r.convert(v.What, args[0])
	case "list":
		return listOf(v.What, args)
	case "made":
		return make2(r.integer(args[0]))
	case "map":
		m := table{}
		for i := 0; i+1 < len(args); i += 2 {
			m = m.put(args[i], args[i+1])
		}
		return m
	case "struct":
		return structOf(v.What, args)
	case "field":
		return r.field(v.What, args[0])
	case "id", "most", "left", "out":
		return args[0]
	case "call":
		if f, ok := args[max(len(args)-1, 0):], strings.HasPrefix(v.What, "recursion "); ok && len(f) == 1 {
			return r.apply(f[0], args[:len(args)-1], f[0])
		}
		args = r.yielded(v.What, args)
		if x, ok := r.printing(v.What, r.p.ops(v.Args), args); ok {
			return r.answered(n, v.What, args, x)
		}
		return r.answered(n, v.What, args, r.library(v.What, args))
	case "text":
		if v.What == "WriteByte" || v.What == "WriteRune" {
			return character(v.What, r.integer(args[0]))
		}
	case "apply":
		return r.call(args[0], args[1:])
	case "cancel":
		scope, _ := append(args, nil)[0].(*engine.Scope)
		return canceler{scope}
	case "stirred":
		if text(args[0]) == text(args[1]) {
			return args[0]
		}
	case "external":
		return named{name: v.What}
	case "bound":
		return named{v.What, args}
	case "part":
		return r.part(v.What, args[0])
	case "zero":
		return zero{}
	case "timeout":
		return fault{id: "timeout"}
	case "as":
		return args[0]
	case "is":
		return r.asked(n, r.is(v.What, args[0]))
	case "global":
		return r.s.unknown("global", v.What, texts(args))
	}
	if x, ok := r.collection(n, v, args); ok {
		return x
	}
	return r.s.unknown(v.Op, v.What, v.Sum, texts(args))
}

func listOf(what string, args []any) any {
	if what != "keyed" {
		return list(args)
	}
	size, ok := args[len(args)-1].(int64)
	if !ok || size > 10_000 {
		return broken{}
	}
	out := make2(size)
	for i := 0; i+1 < len(args)-1; i += 2 {
		if at, ok := args[i].(int64); ok && at < size {
			out.(list)[at] = args[i+1]
		}
	}
	return out
}

// make2 is a list of zero values.
func make2(n int64) any {
	if n < 0 || n > 10_000 {
		return broken{}
	}
	out := make(list, n)
	for i := range out {
		out[i] = zero{}
	}
	return out
}

func structOf(names string, args []any) record {
	out := record{}
	for i, name := range strings.Split(names, " ") {
		if i < len(args) {
			out[name] = args[i]
		}
	}
	return out
}

func (r *run) field(name string, of any) any {
	switch x := of.(type) {
	case record:
		if field, ok := x[name]; ok {
			return field
		}
		return promoted(name, x)
	case pointer:
		return r.field(name, x.to)
	case zero:
		return zero{}
	case nil:
		return broken{}
	}
	return r.s.unknown("field", name, text(of))
}

// promoted gives a field of a struct within a struct: of one that is embedded, whose name is that of a type.
func promoted(name string, of record) any {
	for _, inner := range slices.Sorted(maps.Keys(of)) {
		v := of[inner]
		if p, ok := v.(pointer); ok {
			v = p.to
		}
		if in, ok := v.(record); ok && unicode.IsUpper(rune(inner[0])) {
			if field, ok := in[name]; ok {
				return field
			}
		}
	}
	return zero{}
}

func (r *run) part(what string, of any) any {
	i, err := strconv.Atoi(what)
	if all, ok := of.(tuple); ok && err == nil && i < len(all) {
		return all[i]
	}
	return r.s.unknown("part", what, text(of))
}

// is reports whether a value is of a type, as far as that can be told.
func (r *run) is(what string, v any) bool {
	switch v.(type) {
	case nil:
		return false
	case string:
		return what == "string"
	case bool:
		return what == "bool"
	case float64:
		return what == "float64"
	case int64:
		return strings.HasPrefix(what, "int")
	}
	return r.s.truth("is " + what + text(v))
}

// collection does what an op does with a list, a map or what is ranged over. ok: it does.
func (r *run) collection(n int, v *shape.Value, args []any) (x any, ok bool) {
	if len(args) == 0 {
		return nil, false
	}
	of := args[0]
	if p, is := of.(pointer); is {
		of = p.to
	}
	if v.Op == "len" || v.Op == "item" {
		if s, ok := r.ranged(of); ok {
			of = s
		}
	}
	switch v.Op {
	case "len":
		return r.length(of), true
	case "index":
		return r.index(of, args[1]), true
	case "has":
		switch m := of.(type) {
		case table:
			_, found := m.lookUp(args[1])
			return r.asked(n, found), true
		case nil, zero:
			return r.asked(n, false), true
		}
		return r.asked(n, r.s.truth("has "+text(of)+text(args[1]))), true
	case "append":
		if l, is := r.asList(of); is {
			return append(slices.Clone(l), args[1:]...), true
		}
	case "concat":
		l, is := r.asList(of)
		more, too := r.asList(args[1])
		if is && too {
			if isZero(of) && len(more) == 0 {
				return of, true
			}
			return slices.Concat(l, more), true
		}
	case "put":
		return r.put(of, args[1], args[2])
	case "delete":
		if m, is := of.(table); is {
			return m.remove(args[1]), true
		}
		return of, isZero(of)
	case "clear":
		if _, is := of.(table); is {
			return table{}, true
		}
	case "slice":
		return r.slice(of, args, r.p.flow.Values[v.Args[2]].Op == "most")
	case "key":
		if m, is := of.(table); is {
			if i := r.integer(args[1]); i >= 0 && i < int64(len(m)) {
				return m[i].key, true
			}
			return broken{}, true
		}
	case "item":
		if s, is := of.(sequence); is {
			i := r.integer(args[1])
			if i < 0 || i >= int64(len(s)) {
				return broken{}, true
			}
			if v.What == "0" {
				return s[i].key, true
			}
			return s[i].value, true
		}
	case "runes":
		return int64(len([]rune(r.text(of)))), true
	case "rune", "runeat":
		return runeAt(v.Op, r.text(of), r.integer(args[1])), true
	}
	return nil, false
}

func runeAt(op, s string, n int64) any {
	for at, c := range s {
		if n == 0 && op == "rune" {
			return int64(c)
		} else if n == 0 {
			return int64(at)
		}
		n--
	}
	return broken{}
}

// asList gives a list; nil is one. One of which nothing is known has some elements.
func (r *run) asList(v any) (list, bool) {
	switch v := v.(type) {
	case list:
		return v, true
	case pointer:
		return r.asList(v.to)
	case nil, zero:
		return nil, true
	case unknown:
		out := make(list, r.length(v))
		for i := range out {
			out[i] = r.index(v, int64(i))
		}
		return out, true
	}
	return nil, false
}

func (r *run) length(of any) int64 {
	switch x := of.(type) {
	case list:
		return int64(len(x))
	case table:
		return int64(len(x))
	case sequence:
		return int64(len(x))
	case string:
		return int64(len(x))
	case nil, zero:
		return 0
	}
	return int64(r.s.choose(6, "length of "+text(of)))
}

func (r *run) index(of, at any) any {
	switch x := of.(type) {
	case list:
		if i := r.integer(at); i >= 0 && i < int64(len(x)) {
			return x[i]
		}
		return broken{}
	case string:
		if i := r.integer(at); i >= 0 && i < int64(len(x)) {
			return int64(x[i])
		}
		return broken{}
	case table:
		value, _ := x.lookUp(at)
		return value
	case zero:
		return zero{}
	case nil:
		if _, isNumber := at.(int64); isNumber {
			return broken{} // of a list; of a map it would be zero
		}
		return zero{}
	}
	return r.s.unknown("index", text(of), text(at))
}

func (r *run) put(of, at, value any) (any, bool) {
	switch x := of.(type) {
	case list:
		i := r.integer(at)
		if i < 0 || i >= int64(len(x)) {
			return broken{}, true
		}
		x = slices.Clone(x)
		x[i] = value
		return x, true
	case table:
		return x.put(at, value), true
	case nil:
		return broken{}, true
	}
	return nil, false
}

func (r *run) slice(of any, args []any, most bool) (any, bool) {
	text, isText := of.(string)
	l, isList := r.asList(of)
	n := int64(max(len(l), len(text)))
	low, high := int64(0), n
	if args[1] != nil {
		low = r.integer(args[1])
	}
	if args[2] != nil {
		if high = r.integer(args[2]); most {
			high = min(low+high, n)
		}
	}
	switch {
	case !isText && !isList:
		return nil, false
	case low < 0 || high < low || high > n:
		return broken{}, true
	case isText:
		return text[low:high], true
	case of == nil:
		return nil, true
	}
	return l[low:high:high], true
}

// changed is what a call leaves of one of its arguments.
func (r *run) changed(v *shape.Value, in *frame) any {
	if c, ok := r.values[v.Node].(called); ok && v.What != "" {
		if left, changed := c.left[v.What]; changed {
			return left
		}
		return r.of(v.Args[0], in)
	}
	by := &r.p.flow.Values[v.Args[0]]
	var of string // a call gives the same for the same, and leaves the same
	if by.Op == "call" && len(v.Args) == 1 {
		args := r.all(by.Args, in)
		if v.What == "0" && by.What == "fmt.Fprintf" && len(args) > 1 {
			if s, ok := args[0].(string); ok { // of a strings.Builder
				args, code := r.code(r.p.ops(by.Args)[1:], args[1:])
				if len(args) > 0 && !slices.ContainsFunc(args, isBroken) {
					return s + r.sprintf(r.text(args[0]), args[1:], code)
				}
			}
		}
		if v.What == "0" {
			if x, ok := r.mutated(by.What, args); ok {
				if !isBroken(x) {
					r.p.note(v.Args[0], evaluated)
				}
				return x
			}
		}
		of = "call " + by.What + texts(args)
	}
	args := r.all(v.Args, in)
	if slices.ContainsFunc(args, isBroken) {
		return broken{}
	}
	if v.Node != 0 {
		of += text(r.values[v.Node])
	}
	return r.s.unknown("changed", v.What, texts(args), of)
}

// equal compares two values as == does.
func (r *run) equal(a, b any) bool {
	if a == nil || b == nil {
		x := a
		if x == nil {
			x = b
		}
		return r.isNil(x)
	}
	if w, ok := a.(which); ok {
		return w.is(b)
	}
	if w, ok := b.(which); ok {
		return w.is(a)
	}
	if p, ok := a.(pointer); ok {
		a = p.to
	}
	if p, ok := b.(pointer); ok {
		b = p.to
	}
	_, oddA := a.(unknown)
	_, oddB := b.(unknown)
	if oddA != oddB {
		if oddA {
			a, b = b, a
		}
		switch a := a.(type) { // b is what is not known
		case int64, float64:
			return r.number(a) == r.number(b)
		case string:
			return a == r.text(b)
		case bool:
			return a == r.truth(b)
		}
	}
	if f, ok := a.(*engine.Future); ok {
		g, ok := b.(*engine.Future)
		return ok && f == g
	}
	if isNumber(a) && isNumber(b) {
		return r.number(a) == r.number(b)
	}
	return text(a) == text(b)
}

func isNumber(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

func (r *run) isNil(v any) bool {
	switch x := v.(type) {
	case nil, zero:
		return true
	case unknown:
		return r.s.truth("nil " + text(x))
	case which:
		return false
	}
	return false
}

func (w which) is(v any) bool {
	switch v := v.(type) {
	case int64:
		return int64(w.index) == v
	case *engine.Future:
		return v == w.future
	case which:
		return w.index == v.index
	}
	return false
}

// compare orders two values, of which at least one should be a number or a text.
func (r *run) compare(a, b any) int {
	if p, ok := a.(pointer); ok {
		a = p.to
	}
	if p, ok := b.(pointer); ok {
		b = p.to
	}
	_, textA := a.(string)
	_, textB := b.(string)
	if textA || textB {
		return strings.Compare(r.text(a), r.text(b))
	}
	_, floatA := a.(float64)
	_, floatB := b.(float64)
	if floatA || floatB {
		x, y := r.number(a), r.number(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	x, y := r.integer(a), r.integer(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// truth, integer, number and text are what a value is for who takes it for that.
func (r *run) truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case pointer:
		return r.truth(v.to)
	case nil, zero:
		return false
	}
	return r.s.truth("truth " + text(v))
}

func (r *run) integer(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		return int64(v)
	case pointer:
		return r.integer(v.to)
	case nil, zero:
		return 0
	}
	return r.s.number("number " + text(v))
}

func (r *run) number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case pointer:
		return r.number(v.to)
	}
	return float64(r.integer(v))
}

func (r *run) text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case pointer:
		return r.text(v.to)
	case nil, zero:
		return ""
	case unknown:
		return r.s.text("text " + text(v))
	}
	return "<" + text(v) + ">"
}

func (r *run) arithmetic(op, kind string, args []any) any {
	_, isFloat := args[0].(float64)
	if len(args) > 1 {
		_, too := args[1].(float64)
		isFloat = isFloat || too
	}
	if isFloat || strings.HasPrefix(kind, "float") {
		return floats(op, r.number(args[0]), func() float64 { return r.number(args[1]) })
	}
	a := r.integer(args[0])
	if len(args) == 1 {
		if op == "neg" {
			return -a
		}
		return wrapped(^a, kind)
	}
	b := r.integer(args[1])
	switch op {
	case "+":
		a += b
	case "-":
		a -= b
	case "*":
		a *= b
	case "/", "%":
		if b == 0 {
			return broken{}
		}
		if op == "%" {
			a %= b
		} else {
			a /= b
		}
	case "&":
		a &= b
	case "|":
		a |= b
	case "^":
		a ^= b
	case "&^":
		a &^= b
	case "<<", ">>":
		if b < 0 {
			return broken{}
		}
		if op == "<<" {
			a <<= min(uint64(b), 64)
		} else {
			a >>= min(uint64(b), 64)
		}
	}
	return wrapped(a, kind)
}

func floats(op string, a float64, second func() float64) any {
	switch op {
	case "neg":
		return -a
	case "+":
		return a + second()
	case "-":
		return a - second()
	case "*":
		return a * second()
	case "/":
		return a / second()
	}
	return broken{}
}

// wrapped is a number in a type of integers.
func wrapped(n int64, kind string) any {
	switch kind {
	case "int8":
		return int64(int8(n))
	case "int16":
		return int64(int16(n))
	case "int32", "rune":
		return int64(int32(n))
	case "uint8", "byte":
		return int64(uint8(n))
	case "uint16":
		return int64(uint16(n))
	case "uint32":
		return int64(uint32(n))
	}
	return n
}

func (r *run) convert(kind string, v any) any {
	if p, ok := v.(pointer); ok {
		v = p.to
	}
	switch kind {
	case "float64":
		return r.number(v)
	case "float32":
		return float64(float32(r.number(v)))
	case "string":
		switch v := v.(type) {
		case string:
			return v
		case int64:
			return string(rune(v))
		case list:
			runes := make([]rune, len(v))
			for i := range v {
				runes[i] = rune(r.integer(v[i]))
			}
			return string(runes)
		}
		return r.text(v)
	case "[]byte":
		return r.text(v)
	case "[]rune", "[]int32":
		var out list
		for _, c := range r.text(v) {
			out = append(out, int64(c))
		}
		return out
	case "int", "int64", "int8", "int16", "int32", "uint8", "uint16", "uint32", "uint", "uint64", "rune", "byte":
		if f, ok := v.(float64); ok {
			if math.IsNaN(f) || math.Abs(f) > 1e18 {
				return broken{}
			}
			return wrapped(int64(f), kind)
		}
		return wrapped(r.integer(v), kind)
	}
	return v
}
