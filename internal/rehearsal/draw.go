package rehearsal

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/shape"
)

// pool is what drawn values are made of: the constants of the programs, and what is next to them.
type pool struct {
	numbers []int64
	floats  []float64
	texts   []string
	apart   []string // at which texts are cut
	wide    bool     // it matters that letters may be of several bytes
}

// poolOf gathers the constants of flows.
func poolOf(flows ...*shape.Flow) *pool {
	p := &pool{numbers: []int64{0, 1, 2, 3, 5, -1}, texts: []string{"", "a", "b"}}
	years := false
	edited := map[string]int{} // functions that make other texts: how much oftener one of the flows calls them
	sign := 1
	var gather func(f *shape.Flow)
	gather = func(f *shape.Flow) {
		for i := range f.Values {
			v := &f.Values[i]
			p.texts = append(p.texts, telling(f, v)...)
			p.apart = append(p.apart, separator(f, v)...)
			if v.Op == "call" && edits[v.What] {
				edited[v.What] += sign
			}
			years = years || v.Op == "call" && v.What == "(time.Time).Year"
			if v.Op == "const" {
				switch c := constant(v.What).(type) {
				case int64:
					p.numbers = append(p.numbers, c-1, c, c+1)
				case float64:
					p.floats = append(p.floats, c)
					p.numbers = append(p.numbers, int64(c), int64(c)+1)
				case string:
					p.texts = append(p.texts, c)
				}
			}
		}
		for i := range f.Nodes {
			for b := range f.Nodes[i].Bodies {
				gather(&f.Nodes[i].Bodies[b])
			}
		}
		for i := range f.Functions {
			gather(&f.Functions[i].Flow)
		}
	}
	for _, f := range flows {
		gather(f)
		sign = -sign
	}
	p.addUnedited(edited)
	p.addParted()
	if years {
		p.addYears()
	}
	slices.Sort(p.numbers)
	p.numbers = slices.Compact(p.numbers)
	slices.Sort(p.texts)
	p.texts = slices.Compact(p.texts)
	p.wide = slices.Contains(p.texts, wide)
	return p
}

// addUnedited adds texts that become one of the pool by functions that only one of the flows calls, or one of them oftener.
func (p *pool) addUnedited(edited map[string]int) {
	before := slices.Clone(p.texts)
	for name, more := range edited {
		for _, t := range before {
			switch {
			case more == 0 || t == "":
			case name == "strings.ToLower":
				p.texts = append(p.texts, strings.ToUpper(t[:1])+t[1:])
			case name == "strings.ToUpper":
				p.texts = append(p.texts, strings.ToLower(t))
			case name == "strings.TrimSpace":
				p.texts = append(p.texts, " "+t, t+" ")
			}
		}
	}
}

// addParted adds texts that are cut into as many parts as numbers say.
func (p *pool) addParted() {
	const most = 12
	slices.Sort(p.apart)
	p.apart = slices.Compact(p.apart)
	for _, at := range p.apart[:min(3, len(p.apart))] {
		for n := range int64(most) {
			if n > 1 && slices.Contains(p.numbers, n) {
				p.texts = append(p.texts, "a"+strings.Repeat(at+"b", int(n-1)))
			}
		}
	}
}

// addYears adds the year in which scenarios begin, and those that are as far from it as small numbers say.
func (p *pool) addYears() {
	year := int64(began.Year())
	for _, n := range p.numbers {
		if -200 < n && n < 200 {
			p.numbers = append(p.numbers, year+n)
		}
	}
}

// constant gives the value of a constant in a flow.
func constant(what string) any {
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
	if n, err := strconv.ParseInt(what, 10, 64); err == nil {
		return n
	}
	if r, ok := new(big.Rat).SetString(what); ok {
		f, _ := r.Float64()
		return f
	}
	return unknown{hashOf("const", what)}
}

// scenario is what a program meets: everything in it depends on its seed, on the knobs that somebody has set, and on where
// it is asked for alone, so that two programs meet the same.
type scenario struct {
	seed            uint64
	pool            *pool
	numbers         []int64 // of the pool: few, so that equal ones are met
	texts           []string
	few             bool            // unknown things are often equal
	old             map[string]bool // markers that an older history may lack
	patience, eager int             // how seldom timers fire, how often events come
	shields         bool            // what is begun after a cancellation is taken for shielded
	plain           bool            // unless nothing is
	pretends        bool            // something was
	cancels         bool            // somebody cancels the instance
	failing         int             // of a hundred completions
	knobs           knobs
	guesses         int // how often anything was asked for that is drawn or not known
	drew            map[drew]any
	reads           map[reading]any
	huge            bool // there are numbers up to which nobody counts
}

// drew is what a value is drawn for.
type drew struct {
	lock *shape.Lock
	ref  shape.TypeRef
	name string
}

// reading is what is drawn as it is stored, and read as another type.
type reading struct {
	drew
	stored shape.TypeRef
}

func newScenario(seed uint64, p *pool, set settings) *scenario {
	s := &scenario{seed: seed, pool: p, knobs: knobs{set: set, at: map[string]int{}}, drew: map[drew]any{}, reads: map[reading]any{}}
	s.numbers = some(s, "numbers", p.numbers, 2+s.pick(8, "how many numbers"))
	s.texts = some(s, "texts", p.texts, 2+s.pick(5, "how many texts"))
	s.few = s.pick(3, "few") == 0
	s.failing = []int{0, 0, 10, 25, 50}[s.choose(5, "failing")]
	s.patience = []int{0, 2, 8}[s.choose(3, "patience")]
	s.eager = []int{1, 3, 6, 9}[s.choose(4, "eager")]
	s.cancels = s.choose(10, "cancels") == 0
	s.shields = s.choose(2, "shields") == 0
	return s
}

// some takes n of what there is.
func some[T any](s *scenario, name string, all []T, n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = all[s.pick(len(all), name, strconv.Itoa(i))]
	}
	return out
}

// pick gives a number below n, by what it is for.
func (s *scenario) pick(n int, name ...string) int {
	return int((hashOf(name...) ^ s.seed*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd >> 20 % uint64(n))
}

// unknown gives a thing by where it comes from.
func (s *scenario) unknown(from ...string) unknown {
	s.guesses++
	id := hashOf(from...)
	if s.few {
		id %= 6
	}
	return unknown{id}
}

func (s *scenario) number(name string) int64 {
	n := s.knob(name, s.drawn(name))
	s.huge = s.huge || n > mostRounds || n < -mostRounds
	return n
}

func (s *scenario) drawn(name string) int64 {
	n := s.numbers[s.pick(len(s.numbers), name)]
	switch s.pick(12, name, "how") {
	case 0, 1:
		return int64(s.pick(8, name, "small"))
	case 2:
		return n + int64(s.pick(100, name, "more"))
	case 3:
		return n * int64(1+s.pick(4, name, "times"))
	case 4:
		return s.pool.numbers[s.pick(len(s.pool.numbers), name, "any")]
	}
	return n
}

// float draws a number with a fraction, in hundredths.
func (s *scenario) float(name string) float64 {
	n := s.drawn(name) * 100
	switch s.pick(4, name, "float") {
	case 0:
		n += int64(s.pick(4, name, "part")) * 25
	case 1:
		if len(s.pool.floats) > 0 {
			n = int64(math.Round(s.pool.floats[s.pick(len(s.pool.floats), name, "const")]*100)) + int64(s.pick(3, name, "beside")) - 1
		}
	}
	return float64(s.knob(name, n)) / 100
}

func (s *scenario) text(name string) string {
	t := s.written(name, s.drawnText(name))
	n := int(min(max(s.knob("length of "+name, int64(len(t))), 0), 200))
	if n > len(t) {
		more := "0"
		if s.pool.wide && s.pick(2, name, "wide") == 0 {
			more = "é"
		}
		t += strings.Repeat(more, n-len(t))
	}
	return strings.ToValidUTF8(t[:n], "")
}

func (s *scenario) drawnText(name string) string {
	t := s.texts[s.pick(len(s.texts), name)]
	switch s.pick(16, name, "how") {
	case 7, 8:
		return s.word(name)
	case 0:
		return t + s.texts[s.pick(len(s.texts), name, "second")]
	case 1:
		return strings.ToUpper(t)
	case 2:
		return t + "x"
	case 3:
		return "w" + strconv.Itoa(s.pick(9, name, "word"))
	case 4:
		return " " + t
	case 5:
		return s.pool.texts[s.pick(len(s.pool.texts), name, "any")]
	case 6:
		return strings.ToLower(t)
	}
	return t
}

// word is a text of digits, letters or both.
func (s *scenario) word(name string) string {
	const letters = "abcxyzABCXYZ -_.0123456789"
	n := s.pick(16, name, "length")
	from, to := 0, len(letters)
	switch s.pick(3, name, "letters") {
	case 0:
		from = len(letters) - 10
	case 1:
		to = 12
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = letters[from+s.pick(to-from, name, "letter", strconv.Itoa(i))]
	}
	return string(out)
}

func (s *scenario) truth(name string) bool { return s.choose(2, name) == 0 }

// began is when the instances of all scenarios begin.
var began = time.Date(2027, 3, 1, 9, 30, 0, 0, time.UTC)

func (s *scenario) time(name string) time.Time {
	seconds := s.drawn(name) * int64(1+s.pick(3, name, "unit")*23) * 3600
	return began.Add(time.Duration(s.knob(name, seconds)) * time.Second)
}

// value draws a value of a type, once.
func (s *scenario) value(l *shape.Lock, ref shape.TypeRef, name string) any {
	of := drew{l, ref, name}
	v, ok := s.drew[of]
	if !ok {
		v = s.draw(l, ref, name, 0)
		s.drew[of] = v
	}
	return v
}

const deepest = 5 // of drawn values within others

// draw gives a value of a type, as it is read from a payload.
func (s *scenario) draw(l *shape.Lock, ref shape.TypeRef, name string, depth int) any {
	if ref < 0 || int(ref) >= len(l.Types) {
		return s.unknown("value", name)
	}
	t := &l.Types[ref]
	if depth > deepest {
		return zero{}
	}
	switch t.Kind {
	case "string", "text":
		return s.text(name)
	case "bool":
		return s.truth(name)
	case "int":
		return wrapped(s.number(name), "int"+strconv.Itoa(t.Bits))
	case "uint":
		n := s.number(name)
		return wrapped(max(n, -n), "uint"+strconv.Itoa(t.Bits))
	case "float":
		return s.float(name)
	case "time":
		return s.time(name)
	case "any":
		return s.any(name, depth)
	case "list", "array":
		n := t.Bits
		if t.Kind == "list" {
			if n = s.size(name); n < 0 {
				return nil
			}
		}
		out := make(list, n)
		for i := range out {
			out[i] = s.draw(l, t.Elem, name+"["+strconv.Itoa(i)+"]", depth+1)
		}
		return out
	case "map":
		n := s.size(name)
		if n < 0 {
			return nil
		}
		out := table{}
		for i := range n {
			key := s.draw(l, t.Key, name+"#"+strconv.Itoa(i), depth+1)
			out = out.put(key, s.draw(l, t.Elem, name+"["+text(key)+"]", depth+1))
		}
		return out
	case "pointer":
		if s.choose(3, "nil "+name) == 0 {
			return nil
		}
		return pointer{s.draw(l, t.Elem, name, depth+1)}
	case "object":
		out := record{}
		for _, f := range t.Fields {
			out[f.Name] = s.draw(l, f.Type, name+"."+f.Name, depth+1)
		}
		return out
	}
	return s.unknown(t.Kind, name)
}

// size is that of a list or map; below 0 it is nil.
func (s *scenario) size(name string) int {
	n := []int64{-1, 0, 1, 1, 2, 2, 3, 3, 4, 6}[s.pick(10, name, "size")]
	return int(min(s.knob("size of "+name, n), 40))
}

// any draws what json makes of a value whose type is not known.
func (s *scenario) any(name string, depth int) any {
	switch s.choose(5, "kind of "+name) {
	case 0:
		return s.text(name)
	case 1:
		return float64(s.number(name))
	case 2:
		return s.truth(name)
	case 3:
		return nil
	}
	return s.unknown("any", name)
}
