package rehearsal

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"math/rand/v2"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/durablegen/durablegen/internal/shape"
)

// runner is a run that can compute, of a flow with some values.
func runner(values ...shape.Value) *run {
	f := &shape.Flow{Nodes: []shape.Node{{Kind: shape.Join}}, Values: values}
	l := &shape.Lock{}
	p := shape.Program{Lock: l, Orchestrator: &shape.Orchestrator{Name: "o"}, Flow: f}
	x := newPair(p, p)
	r := &run{p: x.old.program, s: newScenario(1, x.pool, nil), base: &frame{known: map[int]any{}}}
	r.values, r.moments, r.phis = make([]any, len(f.Nodes)), make([]any, len(f.Nodes)), make([]any, len(f.Values))
	return r
}

// drawnArgs are arguments as the library takes them, and as a rehearsal has them.
type drawnArgs struct{ *rand.Rand }

func (d drawnArgs) text() string {
	words := []string{"", "a", "ab", "b", " a b ", "A-b_c", "12", "-3", "1.5", "true", "ä€x", "a,b,,c", "90m", "\xff", "aab", "x=y=z"}
	s := words[d.IntN(len(words))]
	if d.IntN(3) == 0 {
		s += words[d.IntN(len(words))]
	}
	return s
}

func (d drawnArgs) number() int { return []int{0, 1, 2, 3, 7, 10, -1, -5, 60, 1000}[d.IntN(10)] }

func (d drawnArgs) float() float64 {
	return []float64{0, 1, 0.5, -2.5, 1e6, 3.25, -7, 0.1}[d.IntN(8)]
}

func (d drawnArgs) numbers() []int {
	out := make([]int, d.IntN(6))
	for i := range out {
		out[i] = d.number()
	}
	return out
}

func (d drawnArgs) time() time.Time {
	return time.Date(2020+d.IntN(9), time.Month(1+d.IntN(12)), 1+d.IntN(28), d.IntN(24), d.IntN(60), d.IntN(60), 0, time.UTC)
}

// ours is a value of Go as one of a rehearsal.
func ours(v any) any {
	switch v := v.(type) {
	case []int:
		if v == nil {
			return nil
		}
		out := make(list, len(v))
		for i, n := range v {
			out[i] = int64(n)
		}
		return out
	case [][]int:
		out := list{}
		for _, part := range v {
			out = append(out, ours(part))
		}
		return out
	case map[string]int:
		out := table{}
		for k, n := range v {
			out = out.put(k, int64(n))
		}
		return out
	case []any:
		out := make(tuple, len(v))
		for i, x := range v {
			out[i] = ours(x)
		}
		return out
	case error:
		return fault{id: v.Error()}
	}
	return goValue(v)
}

// alike compares what the library gave with what a rehearsal has: errors by being there.
func alike(theirs, mine any) bool {
	if t, ok := theirs.(tuple); ok {
		m, ok := mine.(tuple)
		return ok && slices.EqualFunc(t, m, alike)
	}
	if _, ok := theirs.(fault); ok {
		_, ok = mine.(fault)
		return ok
	}
	return text(theirs) == text(mine)
}

// TestLibrary calls functions with drawn arguments, and compares them with the real ones.
func TestLibrary(t *testing.T) {
	t.Parallel()
	r := runner()
	utc := r.s.unknown("global", "time.UTC", "")
	for seed := range uint64(400) {
		d := drawnArgs{rand.New(rand.NewPCG(seed, 1))}
		s, u, w := d.text(), d.text(), d.text()
		n, m, f, g := d.number(), d.number(), d.float(), d.float()
		l, k, at, by := d.numbers(), d.numbers(), d.time(), time.Duration(d.number())*time.Minute
		table := map[string]int{s: n, u: m, w: 3}
		c := rune(d.text0())
		for _, call := range []struct {
			name  string
			args  []any
			gives any
		}{
			{"strings.ToUpper", []any{s}, strings.ToUpper(s)}, {"strings.ToLower", []any{s}, strings.ToLower(s)}, {"strings.TrimSpace", []any{s}, strings.TrimSpace(s)},
			{"strings.ToTitle", []any{s}, strings.ToTitle(s)}, {"strings.HasPrefix", []any{s, u}, strings.HasPrefix(s, u)}, {"strings.HasSuffix", []any{s, u}, strings.HasSuffix(s, u)},
			{"strings.Contains", []any{s, u}, strings.Contains(s, u)}, {"strings.ContainsAny", []any{s, u}, strings.ContainsAny(s, u)}, {"strings.EqualFold", []any{s, u}, strings.EqualFold(s, u)},
			{"strings.TrimPrefix", []any{s, u}, strings.TrimPrefix(s, u)}, {"strings.TrimSuffix", []any{s, u}, strings.TrimSuffix(s, u)}, {"strings.Trim", []any{s, u}, strings.Trim(s, u)},
			{"strings.TrimLeft", []any{s, u}, strings.TrimLeft(s, u)}, {"strings.TrimRight", []any{s, u}, strings.TrimRight(s, u)}, {"strings.Index", []any{s, u}, strings.Index(s, u)},
			{"strings.LastIndex", []any{s, u}, strings.LastIndex(s, u)}, {"strings.Count", []any{s, u}, strings.Count(s, u)}, {"strings.Compare", []any{s, u}, strings.Compare(s, u)},
			{"strings.IndexByte", []any{s, int64('a')}, strings.IndexByte(s, 'a')}, {"strings.LastIndexByte", []any{s, int64('b')}, strings.LastIndexByte(s, 'b')},
			{"strings.IndexRune", []any{s, int64(c)}, strings.IndexRune(s, c)}, {"strings.IndexAny", []any{s, u}, strings.IndexAny(s, u)}, {"strings.LastIndexAny", []any{s, u}, strings.LastIndexAny(s, u)},
			{"strings.Split", []any{s, u}, strings.Split(s, u)}, {"strings.SplitAfter", []any{s, u}, strings.SplitAfter(s, u)}, {"strings.SplitN", []any{s, u, int64(m)}, strings.SplitN(s, u, m)},
			{"strings.Fields", []any{s}, strings.Fields(s)}, {"strings.ReplaceAll", []any{s, u, w}, strings.ReplaceAll(s, u, w)}, {"strings.Replace", []any{s, u, w, int64(m)}, strings.Replace(s, u, w, m)},
			{"strings.ContainsRune", []any{s, int64(c)}, strings.ContainsRune(s, c)}, {"unicode/utf8.RuneCountInString", []any{s}, utf8.RuneCountInString(s)}, {"unicode/utf8.ValidString", []any{s}, utf8.ValidString(s)},
			{"strconv.Itoa", []any{int64(n)}, strconv.Itoa(n)}, {"strconv.Quote", []any{s}, strconv.Quote(s)}, {"strconv.FormatInt", []any{int64(n), int64(16)}, strconv.FormatInt(int64(n), 16)},
			{"unicode.ToUpper", []any{int64(c)}, unicode.ToUpper(c)}, {"unicode.IsLetter", []any{int64(c)}, unicode.IsLetter(c)}, {"unicode.IsDigit", []any{int64(c)}, unicode.IsDigit(c)},
			{"unicode.IsNumber", []any{int64(c)}, unicode.IsNumber(c)}, {"unicode.IsSpace", []any{int64(c)}, unicode.IsSpace(c)},
			{"math.Round", []any{f}, math.Round(f)}, {"math.Ceil", []any{f}, math.Ceil(f)}, {"math.Floor", []any{f}, math.Floor(f)}, {"math.Trunc", []any{f}, math.Trunc(f)},
			{"math.RoundToEven", []any{f}, math.RoundToEven(f)}, {"math.Abs", []any{f}, math.Abs(f)}, {"math.Max", []any{f, g}, math.Max(f, g)}, {"math.Min", []any{f, g}, math.Min(f, g)},
			{"math.Hypot", []any{f, g}, math.Hypot(f, g)}, {"cmp.Compare", []any{int64(n), int64(m)}, cmp.Compare(n, m)}, {"cmp.Compare", []any{f, g}, cmp.Compare(f, g)},
			{"cmp.Less", []any{s, u}, cmp.Less(s, u)}, {"cmp.Or", []any{int64(n), int64(m)}, cmp.Or(n, m)}, {"min", []any{int64(n), int64(m)}, min(n, m)}, {"max", []any{f, g}, max(f, g)},
			{"slices.Contains", []any{ours(l), int64(n)}, slices.Contains(l, n)}, {"slices.Index", []any{ours(l), int64(n)}, slices.Index(l, n)}, {"slices.Equal", []any{ours(l), ours(k)}, slices.Equal(l, k)},
			{"slices.Compact", []any{ours(l)}, slices.Compact(slices.Clone(l))}, {"slices.IsSorted", []any{ours(l)}, slices.IsSorted(l)}, {"slices.Concat", []any{ours(l), ours(k)}, slices.Concat(l, k)},
			{"(time.Time).Add", []any{at, int64(by)}, at.Add(by)}, {"(time.Time).AddDate", []any{at, int64(0), int64(n), int64(m)}, at.AddDate(0, n, m)}, {"(time.Time).Truncate", []any{at, int64(time.Hour)}, at.Truncate(time.Hour)},
			{"(time.Time).Weekday", []any{at}, at.Weekday()}, {"(time.Time).YearDay", []any{at}, at.YearDay()}, {"(time.Time).Unix", []any{at}, at.Unix()}, {"(time.Time).Format", []any{at, time.DateOnly}, at.Format(time.DateOnly)},
			{"(time.Duration).Hours", []any{int64(by)}, by.Hours()}, {"(time.Duration).String", []any{int64(by)}, by.String()}, {"(time.Duration).Round", []any{int64(by), int64(time.Hour)}, by.Round(time.Hour)},
			{"strings.Cut", []any{s, u}, several(strings.Cut(s, u))}, {"strconv.Atoi", []any{s}, several(strconv.Atoi(s))}, {"strconv.ParseInt", []any{s, int64(10), int64(16)}, several(strconv.ParseInt(s, 10, 16))},
			{"strconv.ParseBool", []any{s}, several(strconv.ParseBool(s))}, {"strconv.ParseFloat", []any{s, int64(64)}, several(strconv.ParseFloat(s, 64))}, {"time.ParseDuration", []any{s}, several(time.ParseDuration(s))},
			{"(time.Time).ISOWeek", []any{at}, several(at.ISOWeek())}, {"(time.Time).Date", []any{at}, several(at.Date())}, {"(time.Time).Clock", []any{at}, several(at.Clock())},
			{"maps.Clone", []any{ours(table)}, maps.Clone(table)}, {"maps.Equal", []any{ours(table), ours(map[string]int{s: n, w: 3})}, maps.Equal(table, map[string]int{s: n, w: 3})},
			{"slices.Compare", []any{ours(l), ours(k)}, slices.Compare(l, k)}, {"slices.Concat...", []any{ours([][]int{l, k})}, slices.Concat(l, k)},
			{"slices.Insert...", []any{ours(l), int64(0), ours(k)}, slices.Insert(slices.Clone(l), 0, k...)},
			{"slices.Replace", []any{ours(l), int64(0), int64(len(l) / 2), int64(n), int64(m)}, slices.Replace(slices.Clone(l), 0, len(l)/2, n, m)},
			{"slices.AppendSeq", []any{ours(l), r.library("slices.Values", []any{ours(k)})}, append(l[:len(l):len(l)], k...)},
			{"sort.SearchInts", []any{ours(slices.Sorted(slices.Values(l))), int64(n)}, sort.SearchInts(slices.Sorted(slices.Values(l)), n)},
			{"sort.IntsAreSorted", []any{ours(l)}, sort.IntsAreSorted(l)}, {"path.Base", []any{s}, path.Base(s)}, {"path.Ext", []any{s}, path.Ext(s)},
			{"strconv.FormatFloat", []any{f, int64('f'), int64(2), int64(64)}, strconv.FormatFloat(f, 'f', 2, 64)}, {"unicode.IsPrint", []any{int64(c)}, unicode.IsPrint(c)},
			{"math.Dim", []any{f, g}, math.Dim(f, g)}, {"math/bits.OnesCount", []any{int64(n)}, bits.OnesCount(uint(n))}, {"time.UnixMilli", []any{int64(n)}, time.UnixMilli(int64(n)).UTC()},
			{"time.Date", []any{int64(2027), int64(n), int64(m), int64(3), int64(4), int64(5), int64(0), utc}, time.Date(2027, time.Month(n), m, 3, 4, 5, 0, time.UTC)},
		} {
			if call.name == "math.Hypot" && math.IsNaN(math.Hypot(f, g)) {
				continue
			}
			if mine := r.library(call.name, call.args); !alike(ours(call.gives), mine) {
				t.Errorf("%s of %s is %s, want %s", call.name, texts(call.args), text(mine), text(ours(call.gives)))
			}
		}
	}
}

// text0 is the first rune of a text, and a letter of an empty one.
func (d drawnArgs) text0() rune {
	for _, c := range d.text() {
		return c
	}
	return 'q'
}

func several(vs ...any) []any { return vs }

// byValue is a function of values: of an arg and constants.
func functionOf(r *run, n int) function { return function{of: r.p, v: n, in: r.base, by: r} }

// TestLibraryCalls calls functions that call others back.
func TestLibraryCalls(t *testing.T) {
	t.Parallel()
	r := runner(
		shape.Value{Op: "arg", What: "0"}, shape.Value{Op: "arg", What: "1"}, shape.Value{Op: "const", What: "3"},
		shape.Value{Op: "<", Args: []int{2, 0}}, shape.Value{Op: "func", Args: []int{3}}, // 3 < x
		shape.Value{Op: "-", Args: []int{1, 0}}, shape.Value{Op: "func", Args: []int{5}}, // y - x
	)
	above, falling := functionOf(r, 4), functionOf(r, 6)
	is, order := func(n int) bool { return n > 3 }, func(a, b int) int { return b - a }
	for seed := range uint64(200) {
		d := drawnArgs{rand.New(rand.NewPCG(seed, 2))}
		r.rounds = 0
		l, n := d.numbers(), 1+d.IntN(3)
		sorted := slices.SortedFunc(slices.Values(l), order)
		upwards := slices.Sorted(slices.Values(l))
		for _, call := range []struct {
			name  string
			args  []any
			gives any
		}{
			{"slices.ContainsFunc", []any{ours(l), above}, slices.ContainsFunc(l, is)}, {"slices.IndexFunc", []any{ours(l), above}, slices.IndexFunc(l, is)},
			{"slices.DeleteFunc", []any{ours(l), above}, slices.DeleteFunc(slices.Clone(l), is)}, {"slices.IsSortedFunc", []any{ours(l), falling}, slices.IsSortedFunc(l, order)},
			{"sort.Search", []any{int64(9), above}, sort.Search(9, is)},
			{"slices.CompareFunc", []any{ours(l), ours(upwards), falling}, slices.CompareFunc(l, upwards, order)},
			{"slices.BinarySearchFunc", []any{ours(sorted), int64(n), falling}, several(slices.BinarySearchFunc(sorted, n, order))},
		} {
			if mine := r.library(call.name, call.args); !alike(ours(call.gives), mine) {
				t.Errorf("%s of %s is %s, want %s", call.name, texts(call.args), text(mine), text(ours(call.gives)))
			}
		}
		parts := r.library("slices.Collect", []any{r.library("slices.Chunk", []any{ours(l), int64(n)})})
		if want := ours(slices.Collect(slices.Chunk(l, n))); len(l) > 0 && text(parts) != text(want) {
			t.Errorf("slices.Chunk of %v by %d is %s, want %s", l, n, text(parts), text(want))
		}
		for _, call := range []struct {
			name   string
			args   []any
			leaves any
		}{
			{"slices.Sort", []any{ours(l)}, upwards}, {"sort.Ints", []any{ours(l)}, upwards}, {"slices.SortFunc", []any{ours(l), falling}, sorted},
			{"slices.DeleteFunc", []any{ours(l), above}, leftOf(l, is)}, {"sort.Sort", []any{ours(l)}, upwards},
			{"sort.Sort", []any{named{"sort.Reverse", []any{ours(l)}}}, slices.SortedFunc(slices.Values(l), order)},
		} {
			if mine, ok := r.mutated(call.name, call.args); !ok || text(mine) != text(ours(call.leaves)) && len(l) > 0 {
				t.Errorf("%s of %s leaves %s, want %s", call.name, texts(call.args), text(mine), text(ours(call.leaves)))
			}
		}
	}
}

// leftOf is what DeleteFunc leaves of a list.
func leftOf(l []int, is func(int) bool) []int {
	l = slices.Clone(l)
	_ = slices.DeleteFunc(l, is)
	return l
}

// TestPrinted compares formats with what fmt makes of them.
func TestPrinted(t *testing.T) {
	t.Parallel()
	r := runner()
	for seed := range uint64(300) {
		d := drawnArgs{rand.New(rand.NewPCG(seed, 3))}
		s, n, f := d.text(), d.number(), d.float()
		for format, args := range map[string][2][]any{
			"%s/%03d":         {{s, n}, {s, int64(n)}},
			"%d%% of %q":      {{n, s}, {int64(n), s}},
			"%-5s|%5d|%x":     {{s, n, s}, {s, int64(n), s}},
			"%.2f %6.1f":      {{f, f}, {f, f}},
			"%*d":             {{5, n}, {int64(5), int64(n)}},
			"%v %v %v":        {{s, n, true}, {s, int64(n), true}},
			"%s and %d, %.1f": {{"", 0, 0.0}, {zero{}, zero{}, zero{}}},
			"%t":              {{false}, {zero{}}},
		} {
			want := fmt.Sprintf(format, args[0]...)
			if got := r.sprintf(format, args[1], ""); got != want {
				t.Errorf("%q of %s is %q, want %q", format, texts(args[1]), got, want)
			}
		}
	}
}
