package rehearsal

import (
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
	if plain, spread := strings.CutSuffix(name, "..."); spread && len(args) > 0 {
		if last, ok := r.asList(args[len(args)-1]); ok {
			name, args = plain, append(slices.Clone(args[:len(args)-1]), last...)
		}
	}
	if f, ok := plain[name]; ok {
		if x, ok := f(r, allUnboxed(args)); ok {
			return x
		}
	}
	if x, ok := r.errorsOf(name, args); ok {
		return x
	}
	args = allUnboxed(args)
	if x, ok := r.listed(name, args); ok {
		if l, isList := x.(list); isList && l == nil { // of nil
			return nil
		}
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
	case boxed:
		return r.time(v.value)
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
		"strings.Title": text1(titled), "strings.Fields": text1(strings.Fields), "strconv.Quote": text1(strconv.Quote), "strings.Clone": text1(strings.Clone),
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
		if found, known := r.errorAs(args); known {
			return found != nil, true
		}
		return r.s.truth("as " + text(args[0]) + texts(args[1:])), true
	case name == "errors.New" && len(args) == 1:
		return fault{id: r.text(args[0])}, true
	case name == "errors.Unwrap" && len(args) == 1:
		if f, ok := args[0].(fault); ok && len(f.cause) == 1 && f.id != "joined" && f.id != "items" {
			return f.cause[0], true
		} else if ok {
			return nil, true
		}
	}
	return nil, false
}

// onlyError reports whether a value can only be an error: types of its own are behind interfaces.
func onlyError(v any) bool {
	switch v.(type) {
	case fault, boxed:
		return true
	}
	return false
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
		if _, is := err.(boxed); is {
			return false // it has no method Is, nor wraps anything
		}
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

// titled is what strings.Title makes of a text.
func titled(s string) string {
	before := ' '
	return strings.Map(func(c rune) rune {
		begins := separates(before)
		if before = c; begins {
			return unicode.ToTitle(c)
		}
		return c
	}, s)
}

// separates reports whether a word may begin behind a character, as strings.Title sees it.
func separates(c rune) bool {
	switch {
	case c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c):
		return false
	case c <= unicode.MaxASCII:
		return true
	}
	return unicode.IsSpace(c)
}
