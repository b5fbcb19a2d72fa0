package rehearsal

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/durablegen/durablegen/internal/shape"
)

func init() {
	for name, f := range map[string]call{
		"strings.IndexByte": func(r *run, args []any) (any, bool) {
			return int64(strings.IndexByte(r.text(args[0]), byte(r.integer(args[1])))), len(args) == 2
		},
		"strings.LastIndexByte": func(r *run, args []any) (any, bool) {
			return int64(strings.LastIndexByte(r.text(args[0]), byte(r.integer(args[1])))), len(args) == 2
		},
		"strings.IndexRune": func(r *run, args []any) (any, bool) {
			return int64(strings.IndexRune(r.text(args[0]), rune(r.integer(args[1])))), len(args) == 2
		},
		"strings.IndexAny": text2(strings.IndexAny), "strings.LastIndexAny": text2(strings.LastIndexAny),
		"strings.SplitAfter": text2(strings.SplitAfter), "strings.ToTitle": text1(strings.ToTitle),
		"strings.IndexFunc":     textBy(strings.IndexFunc),
		"strings.LastIndexFunc": textBy(strings.LastIndexFunc),
		"strings.ContainsFunc":  textBy(strings.ContainsFunc),
		"strings.TrimFunc":      textBy(strings.TrimFunc),
		"strings.TrimLeftFunc":  textBy(strings.TrimLeftFunc),
		"strings.TrimRightFunc": textBy(strings.TrimRightFunc),
		"strings.SplitSeq": func(r *run, args []any) (any, bool) {
			return sequenceOf(strings.Split(r.text(args[0]), r.text(args[1]))), len(args) == 2
		},
		"strings.FieldsSeq": func(r *run, args []any) (any, bool) {
			return sequenceOf(strings.Fields(r.text(args[0]))), len(args) == 1
		},
		"unicode/utf8.RuneCountInString": text1(utf8.RuneCountInString), "unicode/utf8.ValidString": text1(utf8.ValidString),
		"unicode.IsNumber": rune1(unicode.IsNumber), "unicode.IsControl": rune1(unicode.IsControl), "unicode.IsSymbol": rune1(unicode.IsSymbol),
		"unicode.IsTitle": rune1(unicode.IsTitle), "unicode.ToTitle": rune1(unicode.ToTitle),
		"strconv.ParseBool": func(r *run, args []any) (any, bool) {
			yes, err := strconv.ParseBool(r.text(args[0]))
			return parsed(yes, err), len(args) == 1
		},
		"strconv.ParseInt": func(r *run, args []any) (any, bool) {
			if len(args) != 3 {
				return nil, false
			}
			n, err := strconv.ParseInt(r.text(args[0]), int(r.integer(args[1])), int(r.integer(args[2])))
			return parsed(n, err), true
		},
		"strconv.ParseFloat": func(r *run, args []any) (any, bool) {
			if len(args) != 2 {
				return nil, false
			}
			f, err := strconv.ParseFloat(r.text(args[0]), int(r.integer(args[1])))
			return parsed(f, err), !math.IsNaN(f)
		},
		"time.ParseDuration": func(r *run, args []any) (any, bool) {
			d, err := time.ParseDuration(r.text(args[0]))
			return parsed(int64(d), err), len(args) == 1
		},
		"(time.Time).ISOWeek": func(r *run, args []any) (any, bool) {
			year, week := r.time(args[0]).ISOWeek()
			return tuple{int64(year), int64(week)}, len(args) == 1
		},
		"(time.Time).Date": func(r *run, args []any) (any, bool) {
			year, month, day := r.time(args[0]).Date()
			return tuple{int64(year), int64(month), int64(day)}, len(args) == 1
		},
		"(time.Time).Clock": func(r *run, args []any) (any, bool) {
			hour, minute, second := r.time(args[0]).Clock()
			return tuple{int64(hour), int64(minute), int64(second)}, len(args) == 1
		},
		"(time.Time).UnixNano": time1(time.Time.UnixNano), "(time.Time).Nanosecond": time1(time.Time.Nanosecond),
		"(time.Duration).Nanoseconds": duration1(time.Duration.Nanoseconds), "(time.Duration).Microseconds": duration1(time.Duration.Microseconds),
		"math.Exp": number1(math.Exp), "math.Log": number1(math.Log), "math.Log2": number1(math.Log2), "math.Log10": number1(math.Log10),
		"math.Cbrt": number1(math.Cbrt),
		"math.Hypot": func(r *run, args []any) (any, bool) {
			return math.Hypot(r.number(args[0]), r.number(args[1])), len(args) == 2
		},
	} {
		plain[name] = f
	}
}

// edits are functions that make another text of the first of their arguments.
var edits = map[string]bool{
	"strings.TrimSpace": true, "strings.ToLower": true, "strings.ToUpper": true, "strings.Title": true, "strings.ToTitle": true,
	"strings.Trim": true, "strings.TrimLeft": true, "strings.TrimRight": true, "strings.TrimPrefix": true, "strings.TrimSuffix": true,
	"strings.TrimFunc": true, "strings.TrimLeftFunc": true, "strings.TrimRightFunc": true, "strings.ReplaceAll": true, "strings.Map": true,
}

// editsConstant reports whether a value is what becomes of a constant text, which always is the same.
func (p *program) editsConstant(v int) bool {
	val := &p.flow.Values[v]
	return val.Op == "call" && val.Sum == "" && edits[val.What] &&
		!slices.ContainsFunc(val.Args, func(a int) bool { return p.flow.Values[a].Op != "const" })
}

// wide is a text with letters of several bytes.
const wide = "aéßx日本"

// ofLetters reports whether a conversion takes a text apart.
func ofLetters(to string) bool { return to == "[]rune" || to == "[]int32" }

// telling are texts of which a value may make something else: what is drawn does so too seldom.
func telling(f *shape.Flow, v *shape.Value) (texts []string) {
	switch {
	case v.Op == "conv" && ofLetters(v.What), v.Op == "call" && strings.HasPrefix(v.What, "unicode"):
		return []string{"é", wide}
	case v.Op == "call" && edits[v.What]:
		texts = []string{" a", "b ", "Ab"}
		for _, a := range v.Args[1:] {
			if c, ok := constant(f.Values[a].What).(string); ok && f.Values[a].Op == "const" {
				texts = append(texts, c+"a", "a"+c)
			}
		}
	}
	return texts
}

// separator is at what a value cuts texts, if that is known.
func separator(f *shape.Flow, v *shape.Value) []string {
	if v.Op != "call" {
		return nil
	}
	switch name := strings.TrimSuffix(v.What, "Seq"); name {
	case "strings.Fields":
		return []string{" "}
	case "strings.Split", "strings.SplitN", "strings.SplitAfter", "strings.Cut":
		if at, ok := constant(f.Values[v.Args[1]].What).(string); ok && at != "" && f.Values[v.Args[1]].Op == "const" {
			return []string{at}
		}
	}
	return nil
}

// textBy is a function that asks of every rune of a text.
func textBy[T any](f func(string, func(rune) bool) T) call {
	return func(r *run, args []any) (any, bool) {
		if len(args) != 2 {
			return nil, false
		}
		return goValue(f(r.text(args[0]), func(c rune) bool { return r.truth(r.call(args[1], []any{int64(c)})) })), true
	}
}

// parsed is what a function gives that reads a text.
func parsed(v any, err error) any {
	if err == nil {
		return tuple{v, nil}
	}
	f := fault{id: "parse", says: err.Error()}
	if inner := errors.Unwrap(err); inner != nil {
		f.cause = []any{fault{id: inner.Error()}}
	}
	return tuple{v, f}
}

func sequenceOf(texts []string) sequence {
	out := make(sequence, len(texts))
	for i, s := range texts {
		out[i] = entry{s, nil}
	}
	return out
}

// character is a rune or a byte as a text, as a strings.Builder takes it.
func character(method string, n int64) string {
	if method == "WriteByte" {
		return string([]byte{byte(n)})
	}
	return string(rune(n))
}
