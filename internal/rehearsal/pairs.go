package rehearsal

import (
	"math"
	"math/bits"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/durablegen/durablegen/internal/shape"
)

// lists2 is a function of two lists.
func lists2(f func(r *run, a, b list) any) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) < 2 {
			return nil, false
		}
		a, okA := r.asList(pointee(args[0]))
		b, okB := r.asList(pointee(args[1]))
		if !okA || !okB {
			return nil, false
		}
		return f(r, a, b), true
	}
}

// lists2By is a function of two lists, and a function that compares their elements.
func lists2By(f func(a, b list, by func(x, y any) any, r *run) any) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 3 {
			return nil, false
		}
		by := func(x, y any) any { return r.call(args[2], []any{x, y}) }
		return lists2(func(r *run, a, b list) any { return f(a, b, by, r) })(r, args)
	}
}

// searching is a search of a value in a sorted list.
func searching(r *run, args []any) (any, bool) {
	if len(args) != 2 {
		return nil, false
	}
	l, ok := r.asList(pointee(args[0]))
	i, _ := slices.BinarySearchFunc(l, args[1], r.compare)
	return int64(i), ok
}

func inOrder(r *run, args []any) (any, bool) {
	l, ok := r.asList(pointee(args[0]))
	return slices.IsSortedFunc(l, r.compare), ok && len(args) == 1
}

// tableOf gives a map, if it is one.
func tableOf(v any) (table, bool) {
	switch m := pointee(v).(type) {
	case table:
		return m, true
	case nil, zero:
		return nil, true
	}
	return nil, false
}

// sameMaps is a function that compares two maps.
func sameMaps(r *run, args []any) (any, bool) {
	if len(args) < 2 {
		return nil, false
	}
	a, okA := tableOf(args[0])
	b, okB := tableOf(args[1])
	same := len(a) == len(b)
	for _, e := range a {
		other, found := b.lookUp(e.key)
		switch {
		case !found:
			same = false
		case len(args) == 3:
			same = same && r.truth(r.call(args[2], []any{e.value, other}))
		default:
			same = same && r.equal(e.value, other)
		}
	}
	return same, okA && okB
}

// replaced is slices.Replace.
func replaced(r *run, args []any) (any, bool) {
	if len(args) < 3 {
		return nil, false
	}
	l, ok := r.asList(pointee(args[0]))
	i, j := r.integer(args[1]), r.integer(args[2])
	if ok && (i < 0 || j < i || j > int64(len(l))) {
		return broken{}, true
	}
	return slices.Concat(l[:i:i], args[3:], l[j:]), ok
}

// extended is slices.AppendSeq.
func extended(r *run, args []any) (any, bool) {
	if len(args) != 2 {
		return nil, false
	}
	l, ok := r.asList(pointee(args[0]))
	s, is := args[1].(sequence)
	if !ok || !is {
		return nil, false
	}
	if args[0] == nil && len(s) == 0 {
		return nil, true
	}
	out := append(list{}, l...)
	for _, e := range s {
		out = append(out, e.key)
	}
	return out, true
}

// dated is time.Date, in the one place of which it is known when it is what time there.
func dated(r *run, args []any) (any, bool) {
	if len(args) != 8 || !r.isUTC(args[7]) {
		return nil, false
	}
	var n [7]int
	for i := range n {
		n[i] = int(r.integer(args[i]))
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], n[6], time.UTC), true
}

func (r *run) isUTC(v any) bool { return v == r.s.unknown("global", "time.UTC", "") }

func number2(f func(a, b float64) float64) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 2 {
			return nil, false
		}
		return f(r.number(args[0]), r.number(args[1])), true
	}
}

func bits1(f func(uint64) int) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 1 {
			return nil, false
		}
		return int64(f(uint64(r.integer(args[0])))), true
	}
}

func init() {
	for name, f := range map[string]call{
		"slices.AppendSeq": extended, "slices.Replace": replaced,
		"slices.Compare": lists2(func(r *run, a, b list) any { return int64(slices.CompareFunc(a, b, r.compare)) }),
		"slices.EqualFunc": lists2By(func(a, b list, by func(x, y any) any, r *run) any {
			return slices.EqualFunc(a, b, func(x, y any) bool { return r.truth(by(x, y)) })
		}),
		"slices.CompareFunc": lists2By(func(a, b list, by func(x, y any) any, r *run) any {
			return int64(slices.CompareFunc(a, b, func(x, y any) int { return int(r.integer(by(x, y))) }))
		}),
		"slices.BinarySearchFunc": func(r *run, args []any) (any, bool) {
			if len(args) != 3 {
				return nil, false
			}
			l, ok := r.asList(pointee(args[0]))
			i, found := slices.BinarySearchFunc(l, args[1], func(x, y any) int { return int(r.integer(r.call(args[2], []any{x, y}))) })
			return tuple{int64(i), found}, ok
		},
		"sort.SearchInts": searching, "sort.SearchStrings": searching, "sort.SearchFloat64s": searching,
		"sort.IntsAreSorted": inOrder, "sort.StringsAreSorted": inOrder, "sort.Float64sAreSorted": inOrder,
		"maps.Equal": sameMaps, "maps.EqualFunc": sameMaps,
		"strings.SplitAfterSeq": func(r *run, args []any) (any, bool) {
			return sequenceOf(strings.SplitAfter(r.text(args[0]), r.text(args[1]))), len(args) == 2
		},
		"strings.Lines": func(r *run, args []any) (any, bool) {
			return sequenceOf(slices.Collect(strings.Lines(r.text(args[0])))), len(args) == 1
		},
		"strconv.FormatFloat": func(r *run, args []any) (any, bool) {
			if len(args) != 4 {
				return nil, false
			}
			size := int(r.integer(args[3]))
			return strconv.FormatFloat(r.number(args[0]), byte(r.integer(args[1])), int(r.integer(args[2])), size), size == 32 || size == 64
		},
		"strconv.Unquote": func(r *run, args []any) (any, bool) {
			s, err := strconv.Unquote(r.text(args[0]))
			return parsed(s, err), len(args) == 1
		},
		"unicode.IsPrint": rune1(unicode.IsPrint), "unicode.IsGraphic": rune1(unicode.IsGraphic), "unicode.IsMark": rune1(unicode.IsMark),
		"unicode/utf8.RuneLen": rune1(utf8.RuneLen),
		"math.Exp2":            number1(math.Exp2), "math.Log1p": number1(math.Log1p), "math.Sin": number1(math.Sin), "math.Cos": number1(math.Cos),
		"math.Copysign": number2(math.Copysign), "math.Dim": number2(math.Dim), "math.Atan2": number2(math.Atan2),
		"math/bits.OnesCount": bits1(bits.OnesCount64), "math/bits.OnesCount64": bits1(bits.OnesCount64),
		"math/bits.Len": bits1(bits.Len64), "math/bits.Len64": bits1(bits.Len64),
		"math/bits.TrailingZeros": bits1(bits.TrailingZeros64), "math/bits.TrailingZeros64": bits1(bits.TrailingZeros64),
		"path.Base": text1(path.Base), "path.Dir": text1(path.Dir), "path.Ext": text1(path.Ext), "path.Clean": text1(path.Clean),
		"time.Date": dated,
		"time.UnixMilli": func(r *run, args []any) (any, bool) {
			return time.UnixMilli(r.integer(args[0])).UTC(), len(args) == 1
		},
		"(time.Time).In": func(r *run, args []any) (any, bool) {
			return r.time(args[0]).UTC(), len(args) == 2 && r.isUTC(args[1])
		},
		"(time.Time).UnixMicro": time1(time.Time.UnixMicro),
		"sort.Reverse": func(_ *run, args []any) (any, bool) {
			return named{"sort.Reverse", args}, true
		},
	} {
		plain[name] = f
	}
}

// sorted is what sort.Sort leaves of a list with methods: those of a type of the module stand behind it, by their names.
func (r *run) sorted(args []any) (any, bool) {
	turned := false
	for {
		of, is := args[0].(named)
		if !is || of.name != "sort.Reverse" || len(of.on) == 0 {
			break
		}
		args, turned = of.on, !turned
	}
	l, ok := r.asList(args[0])
	less := func(a, b any) bool { return r.compare(a, b) < 0 }
	switch {
	case !ok || len(args) != 1 && len(args) != 4:
		return nil, false
	case len(args) == 4:
		length, swap := args[1], args[3]
		if len(l) > 1 && (r.integer(r.call(length, []any{l})) != int64(len(l)) || !r.swaps(swap)) {
			return nil, false
		}
		less = func(a, b any) bool { return r.truth(r.call(args[2], []any{list{a, b}, int64(0), int64(1)})) }
	}
	if args[0] == nil {
		return nil, true
	}
	out := slices.Clone(l)
	sort.SliceStable(out, func(i, j int) bool {
		if turned {
			i, j = j, i
		}
		return less(out[i], out[j])
	})
	return out, true
}

// swaps reports whether a method Swap does what one of a list should.
func (r *run) swaps(swap any) bool {
	f, ok := swap.(function)
	if !ok {
		return false
	}
	c, ok := r.reckon(f, []any{list{int64(1), int64(2)}, int64(0), int64(1)}, nil, nil)
	return ok && text(c.left["arg 0"]) == text(list{int64(2), int64(1)})
}

// copied is what the builtin copy leaves of the list that a value is, or of which its first argument is a part.
func (r *run) copied(by *shape.Value, of int, in *frame) (any, bool) {
	dst, at := by.Args[0], int64(0)
	if part := &r.p.flow.Values[dst]; dst != of && part.Op == "slice" && part.Args[0] == of {
		at = r.integer(r.of(part.Args[1], in))
	} else if dst != of {
		return nil, false
	}
	args := r.all(by.Args, in)
	if slices.ContainsFunc(args, isBroken) {
		return broken{}, true
	}
	whole, ok := r.asList(r.of(of, in))
	part, too := r.asList(args[0])
	from, also := r.asList(args[1])
	if !ok || !too || !also || whole == nil {
		return r.of(of, in), ok && too && also
	}
	whole = slices.Clone(whole)
	copy(whole[at:at+int64(len(part))], from)
	return whole, true
}
