// Package order has more loops over maps: what is gathered, how it is sorted, and what helpers do with it.
package order

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"sort"
	"strings"

	durable "github.com/durablegen/durablegen/runtime"
)

type scores map[string]int

type entry struct {
	key   string
	value int
}

//durable:orchestrator
func ByIndex(ctx durable.Context, m scores) ([]string, error) {
	keys := make([]string, len(m))
	i := 0
	for k := range m {
		keys[i] = k
		i++
	}
	sort.Strings(keys)
	return keys, nil
}

//durable:orchestrator
func ByIndexUnsorted(ctx durable.Context, m scores) ([]string, error) {
	keys := make([]string, len(m))
	i := 0
	for k := range m { // want DET402
		keys[i] = k
		i++
	}
	return keys, nil
}

//durable:orchestrator
func Pairs(ctx durable.Context, m scores) ([]entry, error) { // want DUR202
	var out []entry
	for k, v := range m {
		out = append(out, entry{k, v})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].key < out[j].key })
	return out, nil
}

//durable:orchestrator
func PairsByValue(ctx durable.Context, m scores) ([]entry, error) { // want DUR202
	var out []entry
	for k, v := range m {
		out = append(out, entry{k, v})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].value > out[j].value }) // want DET405
	return out, nil
}

//durable:orchestrator
func PairsByBoth(ctx durable.Context, m scores) ([]entry, error) { // want DUR202
	var out []entry
	for k, v := range m {
		out = append(out, entry{k, v})
	}
	slices.SortFunc(out, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.key, b.key))
	})
	return out, nil
}

//durable:orchestrator
func KeysByValue(ctx durable.Context, m scores) ([]string, error) {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return m[keys[i]] < m[keys[j]] }) // want DET405
	return keys, nil
}

//durable:orchestrator
func KeysByValueAndKey(ctx durable.Context, m scores) ([]string, error) {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		if m[keys[i]] != m[keys[j]] {
			return m[keys[i]] < m[keys[j]]
		}
		return keys[i] < keys[j]
	})
	return keys, nil
}

//durable:orchestrator
func KeysByLength(ctx durable.Context, m scores) ([]string, error) {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortStableFunc(keys, func(a, b string) int { return len(a) - len(b) }) // want DET405
	return keys, nil
}

type byKey []entry

func (b byKey) Len() int           { return len(b) }
func (b byKey) Less(i, j int) bool { return b[i].key < b[j].key }
func (b byKey) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

//durable:orchestrator
func SortInterface(ctx durable.Context, m scores) ([]entry, error) { // want DUR202
	var out []entry
	for k, v := range m {
		out = append(out, entry{k, v})
	}
	sort.Sort(sort.Reverse(byKey(out)))
	return out, nil
}

func arrange(keys []string) {
	slices.Sort(keys)
}

//durable:orchestrator
func SortedByHelper(ctx durable.Context, m scores) ([]string, error) {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	arrange(keys)
	return keys, nil
}

func names(m scores) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

//durable:orchestrator
func SortedByCaller(ctx durable.Context, m scores) ([]string, error) {
	keys := names(m)
	sort.Strings(keys)
	return keys, nil
}

func all(m scores) []string {
	var keys []string
	for k := range m { // want DET402
		keys = append(keys, k)
	}
	return keys
}

//durable:orchestrator
func NotSortedByCaller(ctx durable.Context, m scores) (string, error) {
	return strings.Join(all(m), ","), nil
}

type summary struct {
	names []string
	n     int
}

//durable:orchestrator
func FieldSorted(ctx durable.Context, m scores) (summary, error) { // want DUR202
	var s summary
	for k, v := range m {
		s.names = append(s.names, k)
		s.n += v
	}
	sort.Strings(s.names)
	return s, nil
}

//durable:orchestrator
func UsedBeforeSort(ctx durable.Context, m scores) (string, error) {
	var keys []string
	for k := range m { // want DET402
		keys = append(keys, k)
	}
	first := keys[0]
	sort.Strings(keys)
	return first, nil
}

//durable:orchestrator
func OnlyCounted(ctx durable.Context, m scores) (int, error) {
	var big []string
	for k, v := range m {
		if v > 10 {
			big = append(big, k)
		}
	}
	return len(big), nil
}

//durable:orchestrator
func OnlyContains(ctx durable.Context, m scores) (bool, error) {
	var big []int
	for _, v := range m {
		big = append(big, v)
	}
	return slices.Contains(big, 3) && slices.Max(big) < 7, nil
}

//durable:orchestrator
func SummedLater(ctx durable.Context, m scores) (int, error) {
	var vs []int
	for _, v := range m {
		vs = append(vs, v)
	}
	total := 0
	for _, v := range vs {
		total += v
	}
	return total, nil
}

//durable:orchestrator
func AllPositive(ctx durable.Context, m scores) (bool, error) {
	ok := true
	for _, v := range m {
		ok = ok && v > 0
	}
	some := false
	for _, v := range m {
		some = some || v > 9
	}
	return ok && some, nil
}

//durable:orchestrator
func TieBroken(ctx durable.Context, m scores) (string, error) {
	best, most := "", -1
	for k, v := range m {
		if v > most || v == most && k < best {
			best, most = k, v
		}
	}
	return best, nil
}

//durable:orchestrator
func Smallest(ctx durable.Context, m scores) (string, error) {
	first := ""
	for k := range m {
		if first == "" || k < first {
			first = k
		}
	}
	return first, nil
}

//durable:orchestrator
func Hashed(ctx durable.Context, m scores) (string, error) {
	h := sha256.New()
	for k := range m { // want DET402
		h.Write([]byte(k))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

//durable:orchestrator
func Printed(ctx durable.Context, m scores) (string, error) {
	var b strings.Builder
	for k, v := range m { // want DET402
		fmt.Fprintf(&b, "%s=%d", k, v)
	}
	return b.String(), nil
}

func line(w io.Writer, k string) { io.WriteString(w, k) }

//durable:orchestrator
func PrintedByHelper(ctx durable.Context, m scores) (string, error) {
	var b strings.Builder
	for k := range m { // want DET402
		line(&b, k)
	}
	return b.String(), nil
}

//durable:orchestrator
func OwnBuffer(ctx durable.Context, m scores) (map[string]string, error) {
	out := map[string]string{}
	for k, v := range m {
		var b strings.Builder
		fmt.Fprintf(&b, "%s=%d", k, v)
		line(&b, k)
		out[k] = b.String()
	}
	return out, nil
}

//durable:orchestrator
func JoinedErrors(ctx durable.Context, m scores) (int, error) {
	var errs error
	for k, v := range m { // want DET402
		if v < 0 {
			errs = errors.Join(errs, fmt.Errorf("%s is negative", k))
		}
	}
	return 0, errs
}

var errNegative = errors.New("negative")

//durable:orchestrator
func SameError(ctx durable.Context, m scores) (int, error) {
	for _, v := range m {
		if v < 0 {
			return 0, errNegative
		}
	}
	return 0, nil
}

func check(k string, v int) error {
	if v < 0 {
		return fmt.Errorf("%s is negative", k)
	}
	return nil
}

//durable:orchestrator
func FirstError(ctx durable.Context, m scores) (int, error) {
	for k, v := range m { // want DET402
		if err := check(k, v); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

//durable:orchestrator
func Group(ctx durable.Context, m scores) (map[int][]string, error) {
	groups := map[int][]string{}
	for k, v := range m { // want DET402
		groups[v] = append(groups[v], k)
	}
	return groups, nil
}

//durable:orchestrator
func GroupSorted(ctx durable.Context, m scores) (map[int][]string, error) {
	groups := map[int][]string{}
	for k, v := range m {
		groups[v] = append(groups[v], k)
	}
	for _, g := range groups {
		sort.Strings(g)
	}
	return groups, nil
}

//durable:orchestrator
func Nested(ctx durable.Context, m map[string]scores) (map[string]int, error) {
	out := map[string]int{}
	for k, inner := range m {
		for _, v := range inner {
			out[k] += v
		}
	}
	return out, nil
}

//durable:orchestrator
func BigSum(ctx durable.Context, m scores) (string, error) {
	total := new(big.Int)
	for _, v := range m {
		total.Add(total, big.NewInt(int64(v)))
	}
	return total.String(), nil
}

//durable:orchestrator
func FloatMax(ctx durable.Context, m map[string]float64) (float64, error) {
	most := math.Inf(-1)
	for _, v := range m {
		most = math.Max(most, v)
	}
	return most, nil
}

//durable:orchestrator
func FloatProduct(ctx durable.Context, m map[string]float64) (float64, error) {
	p := 1.0
	for _, v := range m { // want DET403
		p *= v
	}
	return p, nil
}

//durable:orchestrator
func FloatPerKey(ctx durable.Context, m map[string]float64) (map[string]float64, error) {
	out := map[string]float64{}
	for k, v := range m {
		out[k] += v * 1.1
	}
	return out, nil
}

type counter struct {
	n    int
	seen map[string]bool
	last string
}

func (c *counter) add(k string, v int) {
	c.n += v
	c.seen[k] = true
}

func (c *counter) note(k string) { c.last = k }

//durable:orchestrator
func CountsByMethod(ctx durable.Context, m scores) (int, error) {
	c := counter{seen: map[string]bool{}}
	for k, v := range m {
		c.add(k, v)
	}
	return c.n, nil
}

//durable:orchestrator
func NotesByMethod(ctx durable.Context, m scores) (string, error) {
	var c counter
	for k := range m { // want DET402
		c.note(k)
	}
	return c.last, nil
}

//durable:orchestrator
func InClosure(ctx durable.Context, m scores) (int, error) {
	n := 0
	add := func(v int) { n += v }
	for _, v := range m {
		add(v)
	}
	return n, nil
}

//durable:orchestrator
func AppendsInClosure(ctx durable.Context, m scores) ([]string, error) {
	var out []string
	add := func(k string) { out = append(out, k) }
	for k := range m { // want DET402
		add(k)
	}
	return out, nil
}

//durable:orchestrator
func Logged(ctx durable.Context, m scores) (int, error) {
	for k := range m { // want DET401
		ctx.Logger().Info("key", "k", k)
	}
	return 0, nil
}

//durable:orchestrator
func Spawned(ctx durable.Context, m scores) (int, error) {
	var fs []durable.Awaitable
	for k := range m { // want DET401
		fs = append(fs, durable.Go(ctx, func(ctx durable.Context) (string, error) { return k, nil }))
	}
	return 0, durable.All(ctx, fs...)
}

//durable:orchestrator
func SpawnedSorted(ctx durable.Context, m scores) (int, error) {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := durable.Sleep(ctx, 1); err != nil {
			return len(k), err
		}
	}
	return 0, nil
}

//durable:orchestrator
func OncePerEntry(ctx durable.Context, m scores) (int, error) {
	for range m {
		if err := durable.Sleep(ctx, 1); err != nil {
			return 0, err
		}
	}
	return len(m), nil
}

//durable:orchestrator
func Formats(ctx durable.Context, m scores) (string, error) { return fmt.Sprint(m, len(m)), nil }

//durable:orchestrator
func Inverse(ctx durable.Context, m map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(m))
	for k, v := range m { // want DET402
		out[v] = k
	}
	return out, nil
}

//durable:orchestrator
func Prefixed(ctx durable.Context, m scores) (map[string]int, error) {
	out := map[string]int{}
	for k, v := range m {
		out["p/"+k] = v
	}
	return out, nil
}

//durable:orchestrator
func Clears(ctx durable.Context, m scores) (int, error) {
	for k, v := range m {
		if v == 0 {
			delete(m, k)
		}
	}
	return len(m), nil
}

//durable:orchestrator
func AnyKey(ctx durable.Context, m scores) (string, error) {
	for k := range m { // want DET402
		return k, nil
	}
	return "", nil
}

//durable:orchestrator
func Breaks(ctx durable.Context, m scores) (string, error) {
	found := ""
	for k, v := range m { // want DET402
		if v > 3 {
			found = k
			break
		}
	}
	return found, nil
}

//durable:orchestrator
func State(ctx durable.Context, m scores) (string, error) {
	state := "none"
	for _, v := range m { // want DET402
		if v > 3 {
			state = "high"
		} else if v < -3 {
			state = "low"
		}
	}
	return state, nil
}
