package rehearsal

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
)

// The values of a rehearsal are nil, bools, int64s, float64s, strings, times, futures, scopes, and these. Types were left
// behind in the flow: what is zero there is zero here, whatever its type.
type (
	list     []any          // an empty one is not nil
	record   map[string]any // of a struct, by field: those that are not zero
	table    []entry        // of a map, in an order of its keys that says nothing about them; see rank
	entry    struct{ key, value any }
	tuple    []any // what a function returns, if that is several values
	sequence []entry
	pointer  struct{ to any }    // of what was read; one that a program makes is what it points to
	zero     struct{}            // of a type that is not known
	broken   struct{}            // what a program that panics would have got
	unknown  struct{ id uint64 } // of which nothing is known but that it is the same wherever it comes from the same
	fault    struct {            // an error
		id    string
		says  string // its text, if that is not its id
		cause []any  // what it wraps
	}
	which struct { // what Any gives
		index  int
		future *engine.Future
	}
	moment struct { // a place in the course of events
		at    time.Time
		waits int // how many there had been
		wrote int // into memory
		done  map[*engine.Future]bool
	}
	canceler struct{ scope *engine.Scope } // ends a scope
	function struct {                      // with the place where its variables are
		of *program
		v  int
		in *frame
		by *run  // that has made it
		on []any // what it takes from around it, if it is told by a sum
	}
	collector struct{ items *sequence } // is called with what a loop ranges over
	called    struct {                  // what a function has returned, and behind that what it leaves changed
		results []any
		left    map[string]any // in what it was given and in variables around it: by What of changed
	}
	named struct { // a function of another module, and what it is called on
		name string
		on   []any
	}
)

// text says what a value is: two are equal when that is.
func text(v any) string {
	if isZero(v) {
		return "0"
	}
	switch v := v.(type) {
	case bool, int64:
		return fmt.Sprint(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatInt(int64(v), 10) // types were left behind
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		return strconv.Quote(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case list:
		return "[" + texts(v) + "]"
	case tuple:
		return "(" + texts(v) + ")"
	case record:
		var parts []string
		for name, field := range v {
			if !isZero(field) {
				parts = append(parts, name+":"+text(field))
			}
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	case table:
		return "map" + entries(v)
	case sequence:
		return "seq" + entries(v)
	case pointer:
		if isZero(v.to) {
			return "&0"
		}
		return text(v.to)
	case broken:
		return "!"
	case unknown:
		return "?" + strconv.FormatUint(v.id, 36)
	case fault:
		return "error(" + v.id + ";" + v.says + ";" + texts(v.cause) + ")"
	case *memory:
		return "place"
	case which:
		return "any " + strconv.Itoa(v.index)
	case moment:
		return text(v.at)
	case function:
		return v.of.describe(v)
	case collector:
		return "yield"
	case boxed:
		return v.typ + "(" + text(v.value) + ")"
	case method:
		return "method " + v.typ + " " + text(v.f)
	case kind:
		return "type " + string(v)
	case called:
		return "called(" + texts(v.results) + ")"
	case named:
		return "func " + v.name + "(" + texts(v.on) + ")"
	case *engine.Future:
		return "future " + v.String()
	case *engine.Scope:
		return "scope"
	}
	return fmt.Sprintf("%T", v)
}

func texts(vs []any) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = text(v)
	}
	return strings.Join(parts, ",")
}

func entries(es []entry) string {
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = text(e.key) + ":" + text(e.value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// isZero reports whether a value is the zero value of a type.
func isZero(v any) bool {
	switch v := v.(type) {
	case nil, zero:
		return true
	case bool:
		return !v
	case int64:
		return v == 0
	case float64:
		return v == 0
	case string:
		return v == ""
	case time.Time:
		return v.IsZero()
	case record:
		for _, field := range v {
			if !isZero(field) {
				return false
			}
		}
		return true
	}
	return false
}

// hashOf is the same for the same texts.
func hashOf(parts ...string) uint64 {
	x := uint64(14695981039346656037) // FNV-1a
	for _, p := range parts {
		for i := range len(p) {
			x = (x ^ uint64(p[i])) * 1099511628211
		}
		x *= 1099511628211
	}
	// Its last bytes have hardly been mixed.
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// lookUp finds a key.
func (t table) lookUp(key any) (any, bool) {
	k := text(key)
	for _, e := range t {
		if text(e.key) == k {
			return e.value, true
		}
	}
	return zero{}, false
}

// rank is where a key stands in a map, which has no order of its own: a program that sorts keys has something to do.
func rank(key string) string { return strconv.FormatUint(hashOf(key), 36) + " " + key }

// put gives a map with a key set.
func (t table) put(key, value any) table {
	i, found := slices.BinarySearchFunc(t, rank(text(key)), func(e entry, k string) int { return strings.Compare(rank(text(e.key)), k) })
	t = slices.Clone(t)
	if found {
		t[i].value = value
		return t
	}
	return slices.Insert(t, i, entry{key, value})
}

func (t table) remove(key any) table {
	k := text(key)
	return slices.DeleteFunc(slices.Clone(t), func(e entry) bool { return text(e.key) == k })
}
