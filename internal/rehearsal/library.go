package rehearsal

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// library calls a function of the standard library, or one of which only the name is known: that gives the same for the
// same.
func (r *run) library(name string, args []any) any {
	if f, ok := plain[name]; ok {
		if x, ok := f(r, args); ok {
			return x
		}
	}
	if x, ok := r.errorsOf(name, args); ok {
		return x
	}
	if x, ok := r.listed(name, args); ok {
		return x
	}
	if name == "sort.Search" && len(args) == 2 {
		return int64(sort.Search(int(r.integer(args[0])), func(i int) bool { return r.truth(r.call(args[1], []any{int64(i)})) }))
	}
	return r.s.unknown("call", name, texts(args))
}

// call is a function that is done here. ok: it takes such arguments.
type call func(r *run, args []any) (x any, ok bool)

func text1[T any](f func(string) T) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 1 {
			return nil, false
		}
		return goValue(f(r.text(args[0]))), true
	}
}

func text2[T any](f func(a, b string) T) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 2 {
			return nil, false
		}
		return goValue(f(r.text(args[0]), r.text(args[1]))), true
	}
}

func text3[T any](f func(a, b, c string) T) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 3 {
			return nil, false
		}
		return goValue(f(r.text(args[0]), r.text(args[1]), r.text(args[2]))), true
	}
}

func number1(f func(float64) float64) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 1 {
			return nil, false
		}
		return f(r.number(args[0])), true
	}
}

func rune1[T any](f func(rune) T) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 1 {
			return nil, false
		}
		return goValue(f(rune(r.integer(args[0])))), true
	}
}

func time1[T any](f func(time.Time) T) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 1 {
			return nil, false
		}
		return goValue(f(r.time(args[0]))), true
	}
}

func time2[T any](f func(a, b time.Time) T) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 2 {
			return nil, false
		}
		return goValue(f(r.time(args[0]), r.time(args[1]))), true
	}
}

func timeBy[T any](f func(time.Time, time.Duration) T) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 2 {
			return nil, false
		}
		return goValue(f(r.time(args[0]), time.Duration(r.integer(args[1])))), true
	}
}

func duration1[T any](f func(time.Duration) T) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 1 {
			return nil, false
		}
		return goValue(f(time.Duration(r.integer(args[0])))), true
	}
}

func durationBy(f func(a, b time.Duration) time.Duration) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 2 {
			return nil, false
		}
		return int64(f(time.Duration(r.integer(args[0])), time.Duration(r.integer(args[1])))), true
	}
}

// goValue is a value of Go as one of a rehearsal.
func goValue(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case rune:
		return int64(v)
	case time.Duration:
		return int64(v)
	case time.Month:
		return int64(v)
	case time.Weekday:
		return int64(v)
	case []string:
		out := make(list, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	}
	return v
}

// time is what a value is for who takes it for a time.
func (r *run) time(v any) time.Time {
	switch v := v.(type) {
	case time.Time:
		return v
	case moment:
		return v.at
	case pointer:
		return r.time(v.to)
	case nil, zero:
		return time.Time{}
	}
	return r.s.time("time " + text(v))
}

var plain map[string]call

func init() {
	plain = map[string]call{
		"strings.ToUpper": text1(strings.ToUpper), "strings.ToLower": text1(strings.ToLower), "strings.TrimSpace": text1(strings.TrimSpace),
		"strings.Title": text1(strings.Title), "strings.Fields": text1(strings.Fields), "strconv.Quote": text1(strconv.Quote), "strings.Clone": text1(strings.Clone),
		"strings.HasPrefix": text2(strings.HasPrefix), "strings.HasSuffix": text2(strings.HasSuffix), "strings.Contains": text2(strings.Contains),
		"strings.ContainsAny": text2(strings.ContainsAny), "strings.EqualFold": text2(strings.EqualFold), "strings.TrimPrefix": text2(strings.TrimPrefix),
		"strings.TrimSuffix": text2(strings.TrimSuffix), "strings.Trim": text2(strings.Trim), "strings.TrimLeft": text2(strings.TrimLeft),
		"strings.TrimRight": text2(strings.TrimRight), "strings.Index": text2(strings.Index), "strings.LastIndex": text2(strings.LastIndex),
		"strings.Count": text2(strings.Count), "strings.Compare": text2(strings.Compare), "strings.Split": text2(strings.Split),
		"strings.ReplaceAll": text3(strings.ReplaceAll),
		"strings.Cut": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			before, after, found := strings.Cut(r.text(args[0]), r.text(args[1]))
			return tuple{before, after, found}, true
		},
		"strings.CutPrefix": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			after, found := strings.CutPrefix(r.text(args[0]), r.text(args[1]))
			return tuple{after, found}, true
		},
		"strings.CutSuffix": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			before, found := strings.CutSuffix(r.text(args[0]), r.text(args[1]))
			return tuple{before, found}, true
		},
		"strings.SplitN": func(r *run, args []any) (any, bool) {
			if len(args) != 3 {
				return nil, false
			}
			return goValue(strings.SplitN(r.text(args[0]), r.text(args[1]), int(r.integer(args[2])))), true
		},
		"strings.Replace": func(r *run, args []any) (any, bool) {
			if len(args) != 4 {
				return nil, false
			}
			return strings.Replace(r.text(args[0]), r.text(args[1]), r.text(args[2]), int(r.integer(args[3]))), true
		},
		"strings.Repeat": func(r *run, args []any) (any, bool) {
			const most = 1000
			n := int64(0)
			if len(args) == 2 {
				n = r.integer(args[1])
			}
			if len(args) != 2 || n > most {
				return nil, false
			}
			if n < 0 {
				return broken{}, true
			}
			return strings.Repeat(r.text(args[0]), int(n)), true
		},
		"strings.ContainsRune": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			return strings.ContainsRune(r.text(args[0]), rune(r.integer(args[1]))), true
		},
		"strings.Join": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			l, ok := r.asList(args[0])
			parts := make([]string, len(l))
			for i := range l {
				parts[i] = r.text(l[i])
			}
			return strings.Join(parts, r.text(args[1])), ok
		},
		"strings.Map": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			return strings.Map(func(c rune) rune { return rune(r.integer(r.call(args[0], []any{int64(c)}))) }, r.text(args[1])), true
		},
		"strings.FieldsFunc": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			return goValue(strings.FieldsFunc(r.text(args[0]), func(c rune) bool { return r.truth(r.call(args[1], []any{int64(c)})) })), true
		},
		"strconv.Itoa": func(r *run, args []any) (any, bool) {
			if len(args) != 1 {
				return nil, false
			}
			return strconv.FormatInt(r.integer(args[0]), 10), true
		},
		"strconv.FormatInt": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			base := r.integer(args[1])
			if base < 2 || base > 36 {
				return broken{}, true
			}
			return strconv.FormatInt(r.integer(args[0]), int(base)), true
		},
		"strconv.FormatBool": func(r *run, args []any) (any, bool) {
			if len(args) != 1 {
				return nil, false
			}
			return strconv.FormatBool(r.truth(args[0])), true
		},
		"strconv.Atoi": func(r *run, args []any) (any, bool) {
			if len(args) != 1 {
				return nil, false
			}
			n, err := strconv.Atoi(r.text(args[0]))
			if err != nil {
				return parsed(int64(n), err), true
			}
			return parsed(int64(n), nil), true
		},
		"unicode.ToUpper": rune1(unicode.ToUpper), "unicode.ToLower": rune1(unicode.ToLower), "unicode.IsUpper": rune1(unicode.IsUpper),
		"unicode.IsLower": rune1(unicode.IsLower), "unicode.IsDigit": rune1(unicode.IsDigit), "unicode.IsLetter": rune1(unicode.IsLetter),
		"unicode.IsSpace": rune1(unicode.IsSpace), "unicode.IsPunct": rune1(unicode.IsPunct),
		"math.Round": number1(math.Round), "math.Ceil": number1(math.Ceil), "math.Floor": number1(math.Floor), "math.Abs": number1(math.Abs),
		"math.Trunc": number1(math.Trunc), "math.Sqrt": number1(math.Sqrt), "math.RoundToEven": number1(math.RoundToEven),
		"math.Min": func(r *run, args []any) (any, bool) {
			return math.Min(r.number(args[0]), r.number(args[1])), len(args) == 2
		},
		"math.Max": func(r *run, args []any) (any, bool) {
			return math.Max(r.number(args[0]), r.number(args[1])), len(args) == 2
		},
		"math.Mod": func(r *run, args []any) (any, bool) {
			return math.Mod(r.number(args[0]), r.number(args[1])), len(args) == 2
		},
		"math.Pow": func(r *run, args []any) (any, bool) {
			return math.Pow(r.number(args[0]), r.number(args[1])), len(args) == 2
		},
		"cmp.Compare": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			return int64(r.compare(args[0], args[1])), true
		},
		"cmp.Less": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			return r.compare(args[0], args[1]) < 0, true
		},
		"cmp.Or": func(r *run, args []any) (any, bool) {
			for _, a := range args {
				if !isZero(a) {
					return a, true
				}
			}
			return zero{}, true
		},
		"min": func(r *run, args []any) (any, bool) {
			return slices.MinFunc(args, r.compare), true
		},
		"max": func(r *run, args []any) (any, bool) {
			return slices.MaxFunc(args, r.compare), true
		},
		"(time.Time).UTC": time1(time.Time.UTC), "(time.Time).Local": time1(time.Time.UTC), "(time.Time).Year": time1(time.Time.Year), "(time.Time).Month": time1(time.Time.Month),
		"(time.Time).Day": time1(time.Time.Day), "(time.Time).Hour": time1(time.Time.Hour), "(time.Time).Minute": time1(time.Time.Minute),
		"(time.Time).Second": time1(time.Time.Second), "(time.Time).YearDay": time1(time.Time.YearDay), "(time.Time).Weekday": time1(time.Time.Weekday),
		"(time.Time).Unix": time1(time.Time.Unix), "(time.Time).UnixMilli": time1(time.Time.UnixMilli), "(time.Time).IsZero": time1(time.Time.IsZero),
		"(time.Time).Before": time2(time.Time.Before), "(time.Time).After": time2(time.Time.After), "(time.Time).Equal": time2(time.Time.Equal),
		"(time.Time).Sub": time2(time.Time.Sub), "(time.Time).Compare": time2(time.Time.Compare),
		"(time.Time).Add": timeBy(time.Time.Add), "(time.Time).Truncate": timeBy(time.Time.Truncate), "(time.Time).Round": timeBy(time.Time.Round),
		"(time.Duration).Seconds": duration1(time.Duration.Seconds), "(time.Duration).Minutes": duration1(time.Duration.Minutes), "(time.Duration).Hours": duration1(time.Duration.Hours),
		"(time.Duration).String": duration1(time.Duration.String), "(time.Duration).Milliseconds": duration1(time.Duration.Milliseconds), "(time.Duration).Abs": duration1(time.Duration.Abs),
		"(time.Duration).Truncate": durationBy(time.Duration.Truncate), "(time.Duration).Round": durationBy(time.Duration.Round),
		"(time.Weekday).String": func(r *run, args []any) (any, bool) { return time.Weekday(r.integer(args[0])).String(), len(args) == 1 },
		"(time.Month).String":   func(r *run, args []any) (any, bool) { return time.Month(r.integer(args[0])).String(), len(args) == 1 },
		"(time.Time).Format": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			return r.time(args[0]).Format(r.text(args[1])), true
		},
		"(time.Time).AddDate": func(r *run, args []any) (any, bool) {
			if len(args) != 4 {
				return nil, false
			}
			return r.time(args[0]).AddDate(int(r.integer(args[1])), int(r.integer(args[2])), int(r.integer(args[3]))), true
		},
		"time.Unix": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			return time.Unix(r.integer(args[0]), r.integer(args[1])).UTC(), true
		},
	}
}

// errorsOf does what package errors, and the like, do with errors.
func (r *run) errorsOf(name string, args []any) (any, bool) {
	switch {
	case name == "errors.Is" && len(args) == 2:
		return r.isError(args[0], args[1]), true
	case name == "errors.As" && len(args) >= 1:
		if isZero(args[0]) {
			return false, true
		}
		return r.s.truth("as " + text(args[0]) + texts(args[1:])), true
	case name == "errors.New" && len(args) == 1:
		return fault{id: r.text(args[0])}, true
	case name == "errors.Unwrap" && len(args) == 1:
		if f, ok := args[0].(fault); ok && len(f.cause) == 1 && f.id != "joined" {
			return f.cause[0], true
		} else if ok {
			return nil, true
		}
	}
	return nil, false
}

// isError is errors.Is.
func (r *run) isError(err, target any) bool {
	f, ok := err.(fault)
	switch {
	case isZero(err):
		return isZero(target)
	case text(err) == text(target):
		return true
	case !ok:
		return r.s.truth("is " + text(err) + text(target))
	case len(f.cause) > 0:
		return slices.ContainsFunc(f.cause, func(c any) bool { return r.isError(c, target) })
	case f.id == "errorf":
		return false
	}
	if g, ok := target.(unknown); ok {
		switch f.id {
		case "timeout", "canceled":
			return g == r.p.sentinel(r.s, f.id)
		}
		if g == r.p.sentinel(r.s, "timeout") || g == r.p.sentinel(r.s, "canceled") {
			return false
		}
	}
	return r.s.truth("is " + text(err) + text(target))
}

// listed does what packages slices, maps and sort do without changing their arguments.
func (r *run) listed(name string, args []any) (any, bool) {
	if len(args) == 0 {
		return nil, false
	}
	if p, ok := args[0].(pointer); ok {
		args = slices.Clone(args)
		args[0] = p.to
	}
	switch m := args[0].(type) {
	case table:
		if x, ok := ofMap(name, m, args); ok {
			return x, true
		}
	case sequence:
		if x, ok := r.ofSequence(name, m, args); ok {
			return x, true
		}
	}
	l, ok := r.asList(args[0])
	if name == "slices.Concat" {
		return r.concatenated(args)
	}
	if !ok {
		return nil, false
	}
	if args[0] == nil {
		if x, ok := ofMap(name, table{}, args); ok {
			return x, true
		}
	}
	return r.ofList(name, l, args)
}

func (r *run) concatenated(args []any) (any, bool) {
	var out list
	for _, a := range args {
		l, ok := r.asList(a)
		if !ok {
			return nil, false
		}
		out = append(out, l...)
	}
	if out == nil {
		return nil, true
	}
	return out, true
}

func ofMap(name string, m table, args []any) (any, bool) {
	switch {
	case len(args) != 1:
	case name == "maps.Keys" || name == "maps.All":
		return sequence(m), true
	case name == "maps.Values":
		out := make(sequence, len(m))
		for i, e := range m {
			out[i] = entry{e.value, nil}
		}
		return out, true
	case name == "maps.Clone":
		if m == nil {
			return nil, true
		}
		return m, true
	}
	return nil, false
}

func (r *run) ofSequence(name string, s sequence, args []any) (any, bool) {
	keys := make(list, len(s))
	for i, e := range s {
		keys[i] = e.key
	}
	var out any = keys
	if len(keys) == 0 {
		out = nil
	}
	switch {
	case name == "slices.Collect" && len(args) == 1:
		return out, true
	case name == "maps.Collect" && len(args) == 1:
		all := table{}
		for _, e := range s {
			all = all.put(e.key, e.value)
		}
		return all, true
	case name == "slices.Sorted" && len(args) == 1:
		slices.SortStableFunc(keys, r.compare)
		return out, true
	case (name == "slices.SortedFunc" || name == "slices.SortedStableFunc") && len(args) == 2:
		slices.SortStableFunc(keys, func(a, b any) int { return int(r.integer(r.call(args[1], []any{a, b}))) })
		return out, true
	}
	return nil, false
}

func (r *run) ofList(name string, l list, args []any) (any, bool) {
	if is, ok := strings.CutPrefix(name, "slices."); ok && len(args) == 2 {
		return r.searched(is, l, args)
	}
	switch {
	case name == "slices.Insert" && len(args) >= 2:
		at := r.integer(args[1])
		if at < 0 || at > int64(len(l)) {
			return broken{}, true
		}
		return slices.Insert(slices.Clone(l), int(at), args[2:]...), true
	case name == "slices.Delete" && len(args) == 3:
		i, j := r.integer(args[1]), r.integer(args[2])
		if i < 0 || j < i || j > int64(len(l)) {
			return broken{}, true
		}
		return slices.Delete(slices.Clone(l), int(i), int(j)), true
	case len(args) != 1:
	case name == "slices.Values" || name == "slices.All" || name == "slices.Backward":
		out := make(sequence, len(l))
		for i, v := range l {
			switch name {
			case "slices.Values":
				out[i] = entry{v, nil}
			case "slices.All":
				out[i] = entry{int64(i), v}
			default:
				out[len(l)-1-i] = entry{int64(i), v}
			}
		}
		return out, true
	case name == "slices.Max" || name == "slices.Min":
		switch {
		case len(l) == 0:
			return broken{}, true
		case name == "slices.Max":
			return slices.MaxFunc(l, r.compare), true
		}
		return slices.MinFunc(l, r.compare), true
	case name == "slices.Compact":
		return slices.CompactFunc(slices.Clone(l), r.equal), true
	case name == "slices.IsSorted":
		return slices.IsSortedFunc(l, r.compare), true
	case name == "slices.Clone" || name == "slices.Clip":
		return args[0], true
	}
	return nil, false
}

// searched is a function of package slices with a value or a function as its second argument.
func (r *run) searched(name string, l list, args []any) (any, bool) {
	by := func(v any) bool { return r.truth(r.call(args[1], []any{v})) }
	is := func(v any) bool { return r.equal(v, args[1]) }
	order := func(a, b any) int { return int(r.integer(r.call(args[1], []any{a, b}))) }
	switch name {
	case "Contains":
		return slices.ContainsFunc(l, is), true
	case "ContainsFunc":
		return slices.ContainsFunc(l, by), true
	case "Index":
		return int64(slices.IndexFunc(l, is)), true
	case "IndexFunc":
		return int64(slices.IndexFunc(l, by)), true
	case "DeleteFunc":
		return slices.DeleteFunc(slices.Clone(l), by), true
	case "MaxFunc", "MinFunc":
		switch {
		case len(l) == 0:
			return broken{}, true
		case name == "MaxFunc":
			return slices.MaxFunc(l, order), true
		}
		return slices.MinFunc(l, order), true
	case "IsSortedFunc":
		return slices.IsSortedFunc(l, order), true
	case "Grow":
		return args[0], r.integer(args[1]) >= 0
	case "Chunk":
		n := r.integer(args[1])
		if n < 1 {
			return broken{}, true
		}
		var out sequence
		for part := range slices.Chunk(l, int(n)) {
			out = append(out, entry{list(part), nil})
		}
		return out, true
	case "Equal":
		m, ok := r.asList(args[1])
		return slices.EqualFunc(l, m, r.equal), ok
	case "Repeat":
		n := r.integer(args[1])
		if n < 0 || n > 100 {
			return broken{}, true
		}
		return slices.Repeat(l, int(n)), true
	case "BinarySearch":
		i, found := slices.BinarySearchFunc(l, args[1], r.compare)
		return tuple{int64(i), found}, true
	case "CompactFunc":
		return slices.CompactFunc(slices.Clone(l), func(a, b any) bool { return r.truth(r.call(args[1], []any{a, b})) }), true
	}
	return nil, false
}

// mutated is what a function leaves of its first argument.
func (r *run) mutated(name string, args []any) (any, bool) {
	if len(args) == 0 || slices.ContainsFunc(args, isBroken) {
		return broken{}, len(args) > 0
	}
	if m, is := args[0].(table); is {
		return r.mutatedMap(name, m, args)
	}
	l, ok := r.asList(args[0])
	if !ok {
		return nil, false
	}
	out := slices.Clone(l)
	switch {
	case (name == "slices.Sort" || name == "sort.Strings" || name == "sort.Ints" || name == "sort.Float64s") && len(args) == 1:
		slices.SortStableFunc(out, r.compare)
	case name == "slices.DeleteFunc" && len(args) == 2:
		kept := slices.DeleteFunc(out, func(v any) bool { return r.truth(r.call(args[1], []any{v})) })
		for i := len(kept); i < len(out); i++ {
			out[i] = zero{}
		}
	case name == "slices.Reverse" && len(args) == 1:
		slices.Reverse(out)
	case (name == "slices.SortFunc" || name == "slices.SortStableFunc") && len(args) == 2:
		slices.SortStableFunc(out, func(a, b any) int { return int(r.integer(r.call(args[1], []any{a, b}))) })
	case (name == "sort.Slice" || name == "sort.SliceStable") && len(args) == 2:
		// The function compares by places in the list as it was.
		places := make([]int64, len(l))
		for i := range places {
			places[i] = int64(i)
		}
		slices.SortStableFunc(places, func(a, b int64) int {
			if r.truth(r.call(args[1], []any{a, b})) {
				return -1
			}
			return cmp.Compare(btoi(r.truth(r.call(args[1], []any{b, a}))), 0)
		})
		for i, p := range places {
			out[i] = l[p]
		}
	default:
		return nil, false
	}
	if args[0] == nil {
		return nil, true
	}
	return out, true
}

// mutatedMap is what a function leaves of a map.
func (r *run) mutatedMap(name string, m table, args []any) (any, bool) {
	if len(args) != 2 {
		return nil, false
	}
	switch name {
	case "maps.Copy":
		switch from := args[1].(type) {
		case table:
			for _, e := range from {
				m = m.put(e.key, e.value)
			}
			return m, true
		case nil, zero:
			return m, true
		}
	case "maps.DeleteFunc":
		return slices.DeleteFunc(slices.Clone(m), func(e entry) bool { return r.truth(r.call(args[1], []any{e.key, e.value})) }), true
	}
	return nil, false
}
