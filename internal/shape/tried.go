package shape

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// How often two computations are tried for each thing that is not known, and how large they may be.
const (
	tries      = 300
	mostTries  = 1_200
	mostTried  = 300    // terms
	mostRounds = 40_000 // for one orchestrator
)

// agree reports whether two terms are equal: because they are the same, or because they come to the same whatever is put in
// for what is not known of them. The second is tried: with all constants that they name and what is next to those, alone and
// together, and with numbers, texts and truths that are drawn. Functions of which only the name is known give the same for the
// same.
func (t *terms) agree(a, b term) bool {
	if a == b {
		return true
	}
	if a == unset || b == unset {
		return false
	}
	pair := [2]term{min(a, b), max(a, b)}
	if same, ok := t.tried[pair]; ok {
		return same
	}
	x, small := t.symbolsOf(a)
	if y, ok := t.symbolsOf(b); !small || !ok || x != y {
		return false
	}
	if t.rounds > mostRounds {
		return false
	}
	t.tried[pair] = false // until the contrary is found
	try := &trial{t: t, kinds: map[string]kind{}, size: map[term]bool{}, wanted: map[wish]bool{}}
	same := t.partsAgree(a, b) || try.ready(pair[0], pair[1]) && try.same(pair[0], pair[1])
	t.tried[pair] = same
	return same
}

// partsAgree reports whether two terms are the same op over parts that agree, such as two loops.
func (t *terms) partsAgree(a, b term) bool {
	x, y := &t.all[a], &t.all[b]
	if x.op != y.op || x.what != y.what || x.sum != y.sum || len(x.args) != len(y.args) || len(x.args) == 0 {
		return false
	}
	p, q := slices.Clone(x.args), slices.Clone(y.args) // more terms may be made meanwhile
	return !slices.ContainsFunc(seq(len(p)), func(i int) bool { return !t.agree(p[i], q[i]) })
}

// symbolsOf is one number for the symbols that a term is made of. ok: it is small enough to be tried.
func (t *terms) symbolsOf(a term) (sum uint64, ok bool) {
	if known, done := t.made[a]; done {
		return known, known != 0
	}
	seen, symbols := map[term]bool{}, []int{}
	var visit func(term)
	visit = func(x term) {
		if seen[x] || len(seen) > mostTried {
			return
		}
		seen[x] = true
		if t.all[x].op == opSymbol {
			symbols = append(symbols, int(x))
		}
		for _, arg := range t.all[x].args {
			visit(arg)
		}
	}
	visit(a)
	if len(seen) <= mostTried {
		slices.Sort(symbols)
		h := fnv.New64a()
		fmt.Fprint(h, symbols)
		sum = h.Sum64() | 1
	}
	t.made[a] = sum
	return sum, sum != 0
}

// kind is what sort of value is put in for something.
type kind int

const (
	anything kind = iota // of which nothing is asked but whether it is equal to another
	truth
	number  // it is compared only: it may have a fraction
	integer // it is computed with
	count   // of a list or text
	text
	maybe // nil, or something
	mixed // several of them: it cannot be tried
)

// trial puts values in for what is not known of two terms.
type trial struct {
	t       *terms
	kinds   map[string]kind // by the name of what is not known
	size    map[term]bool
	wanted  map[wish]bool
	near    []float64 // constants and their neighbours
	numbers []float64 // with what comes of two of them
	texts   []string

	round int
	done  map[term]any
}

// wish is what sort of value a term has to be.
type wish struct {
	a term
	k kind
}

// Values that a term comes to are bools, float64s, strings, nil, and these.
type (
	unknown string // of which nothing more is known
	several struct {
		sort  string // list, map, struct with the names of its fields
		parts []any
	}
)

// ready finds out what can be put in. It reports whether the two can be tried at all, and whether there is a reason to.
func (x *trial) ready(a, b term) bool {
	x.want(a, anything)
	x.want(b, anything)
	if len(x.size) > mostTried || !x.computed(a) && !x.computed(b) {
		return false
	}
	for _, k := range x.kinds {
		if k == mixed {
			return false
		}
	}
	x.numbers, x.texts = append(x.numbers, 0, 1, -1), append(x.texts, "")
	for _, n := range x.numbers {
		x.near = append(x.near, n-1, n, n+1)
	}
	slices.Sort(x.near)
	x.near = slices.Compact(x.near)
	x.numbers = slices.Clone(x.near)
	most := min(len(x.numbers), 10)
	for i := range most {
		for k := range most {
			n, m := x.numbers[i], x.numbers[k]
			x.numbers = append(x.numbers, n+m, n*m)
			if m != 0 {
				x.numbers = append(x.numbers, float64(int64(n)/max(int64(m), 1)))
			}
		}
	}
	slices.Sort(x.numbers)
	x.numbers = slices.Compact(x.numbers)
	slices.Sort(x.texts)
	x.texts = slices.Compact(x.texts)
	return true
}

// computed reports whether there is more to a term than a name: otherwise nothing can agree with it but itself.
func (x *trial) computed(a term) bool {
	switch m := &x.t.all[a]; m.op {
	case opIf, opNot, "!", opEqual, opLess, "<=", "+", "-", "*", "/", "%", "neg", "cat", "call", opIndex, "has", opLen, opList, opAppend, "concat", "struct", "min", "max":
		return true
	}
	return false
}

// name is that of what is not known: one for all uses of a function.
func (x *trial) name(a term) string {
	m := &x.t.all[a]
	if closed(m.op) {
		return "term " + strconv.Itoa(int(a))
	}
	return m.op + "\x00" + m.what + "\x00" + m.sum
}

// closed reports whether nothing is put in for the parts of a term: one of a loop or function is equal to itself alone.
func closed(op string) bool {
	switch op {
	case opSymbol, opMu, opEta, "again", "lambda", opFunc, opArg, "changed", "source":
		return true
	}
	return false
}

// want notes what sort of value a term and its parts have to be.
func (x *trial) want(a term, k kind) {
	m := &x.t.all[a]
	x.size[a] = true
	if len(x.size) > mostTried || x.wanted[wish{a, k}] {
		return
	}
	x.wanted[wish{a, k}] = true
	all := func(k kind) {
		for _, arg := range m.args {
			x.want(arg, k)
		}
	}
	switch m.op {
	case opConst:
		x.constant(m.what)
		return
	case opIf:
		if len(m.args) == 3 {
			x.want(m.args[0], truth)
			x.want(m.args[1], k)
			x.want(m.args[2], k)
			return
		}
	case opNot, "!":
		all(truth)
		return
	case opEqual:
		x.wantEqual(m.args)
		return
	case opLess, "<=":
		all(number)
		return
	case "+", "-", "*", "/", "%", "neg":
		if m.what == "" {
			all(integer)
			return
		}
	case "cat":
		all(text)
		return
	case "call":
		if m.what == "cmp.Or" {
			x.wantEqual(m.args)
			all(k)
			return
		}
		if f, ok := understood[m.what]; ok {
			all(f.takes)
			return
		}
	case opLen:
		k = count
	}
	if !closed(m.op) {
		all(anything)
	}
	if k == anything || x.evaluates(m.op) {
		return
	}
	name := x.name(a)
	old := x.kinds[name]
	switch {
	case old == anything || old == k:
		x.kinds[name] = k
	case old == number && (k == integer || k == count), old == integer && k == count:
		x.kinds[name] = k
	case k == number && (old == integer || old == count), k == integer && old == count:
	default:
		x.kinds[name] = mixed
	}
}

// evaluates reports whether what an op gives is put together from its parts.
func (x *trial) evaluates(op string) bool {
	return op == opList || op == "map" || op == "struct" || op == "has"
}

func (x *trial) wantEqual(args []term) {
	k := anything
	for _, a := range args {
		m := &x.t.all[a]
		switch m.op {
		case "struct":
			k = mixed // hardly any that is drawn is equal to it
		case opConst:
			switch literalOf(m.what).(type) {
			case float64:
				k = number
			case string:
				k = text
			case bool:
				k = truth
			case nil:
				k = maybe
			}
		}
	}
	for _, a := range args {
		x.want(a, k)
	}
}

func (x *trial) constant(what string) {
	switch v := literalOf(what).(type) {
	case float64:
		x.numbers = append(x.numbers, v)
	case string:
		x.texts = append(x.texts, v)
	}
}

// literalOf gives the value of a constant.
func literalOf(what string) any {
	switch {
	case what == "nil":
		return nil
	case what == "true" || what == "false":
		return what == "true"
	case strings.HasPrefix(what, `"`):
		if s, err := strconv.Unquote(what); err == nil {
			return s
		}
	}
	if n, err := strconv.ParseInt(what, 10, 53); err == nil {
		return float64(n)
	}
	return unknown("const " + what)
}

// same tries.
func (x *trial) same(a, b term) bool {
	for x.round = range min(mostTries, tries*(1+len(x.kinds))) {
		x.done = map[term]any{}
		x.t.rounds++
		if write(x.of(a)) != write(x.of(b)) {
			return false
		}
	}
	return true
}

// of gives what a term comes to in this round.
func (x *trial) of(a term) any {
	if v, ok := x.done[a]; ok {
		return v
	}
	v := x.compute(&x.t.all[a], a)
	x.done[a] = v
	return v
}

func (x *trial) compute(m *meaning, a term) any {
	switch m.op {
	case opConst:
		return literalOf(m.what)
	case opIf:
		if len(m.args) == 3 {
			if x.isTrue(m.args[0]) {
				return x.of(m.args[1])
			}
			return x.of(m.args[2])
		}
	case opNot, "!":
		return !x.isTrue(m.args[0])
	}
	if closed(m.op) {
		return x.draw(a, nil)
	}
	args := make([]any, len(m.args))
	for i, arg := range m.args {
		if m.op == opLess || m.op == "<=" || m.op == opEqual {
			args[i] = x.operand(arg)
		} else {
			args[i] = x.of(arg)
		}
	}
	if v, ok := operate(m, args); ok {
		return v
	}
	return x.draw(a, args)
}

func (x *trial) isTrue(a term) bool {
	v := x.of(a)
	if b, ok := v.(bool); ok {
		return b
	}
	return x.chance("truth", write(v)).Uint64()%2 == 0
}

// chance gives numbers that depend on the round and on what they are for.
func (x *trial) chance(name, of string) *rand.Rand {
	h := fnv.New64a()
	io.WriteString(h, name)
	io.WriteString(h, of)
	return rand.New(rand.NewPCG(h.Sum64(), uint64(x.round)))
}

// operand is one side of a comparison. What is computed from numbers hardly ever comes just to a limit by itself: in every
// other round it is taken for something that is not known.
func (x *trial) operand(a term) any {
	m := &x.t.all[a]
	switch {
	case x.round%2 == 0:
	case m.op == opIf && len(m.args) == 3:
		return x.operand(m.args[2-btoi(x.isTrue(m.args[0]))])
	case (m.op == "+" || m.op == "-") && m.what == "" && len(m.args) == 2 && x.t.isNumber(m.args[1]):
		if n, ok := calculate(m.op, []any{x.operand(m.args[0]), x.of(m.args[1])}); ok {
			return n
		}
	case m.op == "+" || m.op == "-" || m.op == "*" || m.op == "/" || m.op == "%":
		return x.number(x.chance("operand", strconv.Itoa(int(a))), integer)
	}
	return x.of(a)
}

// draw puts something in for a term of which nothing more is known: the same for the same arguments.
func (x *trial) draw(a term, args []any) any {
	name := x.name(a)
	var of strings.Builder
	for _, arg := range args {
		of.WriteString(write(arg) + ",")
	}
	r := x.chance(name, of.String())
	switch k := x.kinds[name]; k {
	case truth:
		return r.IntN(2) == 0
	case number, integer, count:
		return x.number(r, k)
	case text:
		return x.text(r)
	case maybe:
		if r.IntN(2) == 0 {
			return nil
		}
	}
	const different = 5 // so few that two of them are equal now and then, and their difference is seen
	return unknown(strconv.Itoa(r.IntN(different)))
}

// text is mostly one that stands in the terms, or something that functions of texts may tell from it.
func (x *trial) text(r *rand.Rand) string {
	s, other := x.texts[r.IntN(len(x.texts))], x.texts[r.IntN(len(x.texts))]
	switch r.IntN(14) {
	case 0:
		return s + "x"
	case 1:
		return strings.ToUpper(s)
	case 2:
		return strings.ToLower(s)
	case 3:
		return "Word " + strconv.Itoa(r.IntN(9))
	case 4:
		return " " + s
	case 5:
		return s + "\t"
	case 6:
		return "x" + s
	case 7:
		return s + other
	case 8:
		return s + "é"
	}
	return s
}

func (x *trial) number(r *rand.Rand, k kind) float64 {
	n := x.near[r.IntN(len(x.near))] // mostly: at a limit it is seen which side it is on
	switch r.IntN(10) {
	case 0:
		n = float64(r.IntN(40) - 5)
	case 1:
		n += float64(r.IntN(1000))
	case 2, 3:
		n = x.numbers[r.IntN(len(x.numbers))]
	case 4:
		if k == number {
			n += 0.5
		}
	}
	if k == count && n < 0 {
		n = -n
	}
	return n
}

// write says what a value is: two are equal when that is.
func write(v any) string {
	switch v := v.(type) {
	case several:
		parts := make([]string, len(v.parts))
		for i, p := range v.parts {
			parts[i] = write(p)
		}
		if v.sort == "map" {
			return v.sort + fmt.Sprint(sortedPairs(parts))
		}
		return v.sort + "[" + strings.Join(parts, ",") + "]"
	case string:
		return strconv.Quote(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case unknown:
		return "?" + string(v)
	}
	return fmt.Sprint(v)
}

func sortedPairs(parts []string) []string {
	pairs := map[string]string{}
	for i := 0; i+1 < len(parts); i += 2 {
		pairs[parts[i]] = parts[i+1]
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		out = append(out, key+":"+pairs[key])
	}
	return out
}

// compareValues orders two numbers or two texts.
func compareValues(a, b any) (int, bool) {
	switch a := a.(type) {
	case float64:
		if b, ok := b.(float64); ok {
			return cmp.Compare(a, b), true
		}
	case string:
		if b, ok := b.(string); ok {
			return cmp.Compare(a, b), true
		}
	}
	return 0, false
}
