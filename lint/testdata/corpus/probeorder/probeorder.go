// Package probeorder has cases that were written before anybody knew what the linter says of them: the order of maps.
package probeorder

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"reflect"
	"slices"
	"sort"
	"strings"
	"sync"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func AppendsKeys(ctx durable.Context, in map[string]int) ([]string, error) {
	var out []string
	for k := range in { // want DET402
		out = append(out, k)
	}
	return out, nil
}

//durable:orchestrator
func AppendsAndSorts(ctx durable.Context, in map[string]int) ([]string, error) {
	out := make([]string, 0, len(in))
	for k := range in {
		out = append(out, k)
	}
	slices.Sort(out)
	return out, nil
}

//durable:orchestrator
func SortsOnOnePath(ctx durable.Context, in map[string]int) ([]string, error) {
	var out []string
	for k := range in { // want DET402
		out = append(out, k)
	}
	if len(out) > 3 {
		sort.Strings(out)
	}
	return out, nil
}

//durable:orchestrator
func Concatenates(ctx durable.Context, in map[string]string) (string, error) {
	s := ""
	for k, v := range in { // want DET402
		s += k + "=" + v + ";"
	}
	return s, nil
}

//durable:orchestrator
func BuildsString(ctx durable.Context, in map[string]string) (string, error) {
	var b strings.Builder
	for k := range in { // want DET402
		b.WriteString(k)
	}
	return b.String(), nil
}

//durable:orchestrator
func Hashes(ctx durable.Context, in map[string]string) (string, error) {
	h := sha256.New()
	for k := range in { // want DET402
		h.Write([]byte(k))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

//durable:orchestrator
func FirstMatch(ctx durable.Context, in map[string]int) (string, error) {
	for k, v := range in { // want DET402
		if v > 10 {
			return k, nil
		}
	}
	return "", nil
}

//durable:orchestrator
func HasMatch(ctx durable.Context, in map[string]int) (bool, error) {
	for _, v := range in {
		if v > 10 {
			return true, nil
		}
	}
	return false, nil
}

//durable:orchestrator
func FindsByKey(ctx durable.Context, in map[string]int) (int, error) {
	for k, v := range in {
		if k == "wanted" {
			return v, nil
		}
	}
	return 0, nil
}

//durable:orchestrator
func ArgMax(ctx durable.Context, in map[string]int) (string, error) {
	best, most := "", math.MinInt
	for k, v := range in { // want DET402
		if v > most {
			best, most = k, v
		}
	}
	return best, nil
}

//durable:orchestrator
func ArgMaxWithTieBreak(ctx durable.Context, in map[string]int) (string, error) {
	best, most := "", math.MinInt
	for k, v := range in {
		if v > most || v == most && k < best {
			best, most = k, v
		}
	}
	return best, nil
}

//durable:orchestrator
func MaxOnly(ctx durable.Context, in map[string]int) (int, error) {
	most, least := math.MinInt, math.MaxInt
	for _, v := range in {
		most = max(most, v)
		least = min(least, v)
	}
	return most - least, nil
}

//durable:orchestrator
func SumsInts(ctx durable.Context, in map[string]int) (int, error) {
	sum, n, bits := 0, 0, 0
	for _, v := range in {
		sum += v
		n++
		bits |= v
	}
	return sum/n + bits, nil
}

//durable:orchestrator
func SumsFloats(ctx durable.Context, in map[string]float64) (float64, error) {
	sum := 0.0
	for _, v := range in { // want DET403
		sum += v
	}
	return sum, nil
}

//durable:orchestrator
func WholeFloats(ctx durable.Context, in map[string]int) (float64, error) {
	n := 0
	for _, v := range in {
		n += v
	}
	return float64(n) / 2, nil
}

//durable:orchestrator
func Inverts(ctx durable.Context, in map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for k, v := range in { // want DET402
		out[v] = k
	}
	return out, nil
}

//durable:orchestrator
func CopiesMap(ctx durable.Context, in map[string]int) (map[string]int, error) {
	out := make(map[string]int, len(in))
	for k, v := range in {
		if v > 0 {
			out[k] = v * 2
		}
	}
	return out, nil
}

//durable:orchestrator
func Groups(ctx durable.Context, in map[string]int) (map[int][]string, error) {
	out := map[int][]string{}
	for k, v := range in { // want DET402
		out[v] = append(out[v], k)
	}
	return out, nil
}

//durable:orchestrator
func GroupsAndSorts(ctx durable.Context, in map[string]int) (map[int][]string, error) {
	out := map[int][]string{}
	for k, v := range in {
		out[v] = append(out[v], k)
	}
	for _, names := range out {
		slices.Sort(names)
	}
	return out, nil
}

//durable:orchestrator
func Deletes(ctx durable.Context, in map[string]int) (int, error) {
	for k, v := range in {
		if v == 0 {
			delete(in, k)
		}
	}
	return len(in), nil
}

//durable:orchestrator
func Clears(ctx durable.Context, in map[string]int) (int, error) {
	n := len(in)
	clear(in)
	return n, nil
}

//durable:orchestrator
func SleepsInMapOrder(ctx durable.Context, in map[string]int) (int, error) {
	for range in { // all turns are the same
		if err := durable.Sleep(ctx, 1); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

//durable:orchestrator
func TimersInMapOrder(ctx durable.Context, in map[string]int) (int, error) {
	n := 0
	for k := range in { // want DET401
		f := durable.Go(ctx, func(ctx durable.Context) (string, error) { return k, nil })
		if _, err := f.Get(ctx); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

//durable:orchestrator
func LogsInMapOrder(ctx durable.Context, in map[string]int) (int, error) {
	for k := range in { // want DET401
		ctx.Logger().Info(k)
	}
	return 0, nil
}

//durable:orchestrator
func CollectsKeys(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.Collect(maps.Keys(in)), nil // want DET404
}

//durable:orchestrator
func SortedKeys(ctx durable.Context, in map[string]int) (string, error) {
	s := ""
	for _, k := range slices.Sorted(maps.Keys(in)) {
		s += k
	}
	return s, nil
}

//durable:orchestrator
func SortedFunc(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.SortedFunc(maps.Keys(in), func(a, b string) int { return cmp.Compare(b, a) }), nil
}

//durable:orchestrator
func SortedByLength(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.SortedFunc(maps.Keys(in), func(a, b string) int { return cmp.Compare(len(a), len(b)) }), nil // want DET405
}

//durable:orchestrator
func ThenBy(ctx durable.Context, in map[string]int) ([]string, error) {
	keys := slices.Collect(maps.Keys(in))
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(in[a], in[b]), strings.Compare(a, b))
	})
	return keys, nil
}

//durable:orchestrator
func SortSliceByValue(ctx durable.Context, in map[string]int) ([]string, error) {
	keys := slices.Collect(maps.Keys(in))
	sort.Slice(keys, func(i, j int) bool { return in[keys[i]] < in[keys[j]] }) // want DET405
	return keys, nil
}

//durable:orchestrator
func SumsValues(ctx durable.Context, in map[string]int) (int, error) {
	sum := 0
	for v := range maps.Values(in) {
		sum += v
	}
	return sum, nil
}

//durable:orchestrator
func JoinsValues(ctx durable.Context, in map[string]string) (string, error) {
	return strings.Join(slices.Collect(maps.Values(in)), ","), nil // want DET404
}

//durable:orchestrator
func LengthOnly(ctx durable.Context, in map[string]string) (int, error) {
	return len(slices.Collect(maps.Values(in))), nil
}

//durable:orchestrator
func ClonesAndEquals(ctx durable.Context, in map[string]string) (bool, error) {
	c := maps.Clone(in)
	maps.DeleteFunc(c, func(k, v string) bool { return k == v })
	return maps.Equal(c, in), nil
}

func keysOf[M ~map[K]V, K comparable, V any](m M) []K {
	out := make([]K, 0, len(m))
	for k := range m { // want DET402
		out = append(out, k)
	}
	return out
}

//durable:orchestrator
func GenericKeys(ctx durable.Context, in map[string]int) (string, error) {
	return strings.Join(keysOf(in), ","), nil
}

func names[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

//durable:orchestrator
func CallerSorts(ctx durable.Context, in map[string]int) (string, error) {
	all := names(in)
	sort.Strings(all)
	return strings.Join(all, ","), nil
}

func entries(m map[string]int) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

//durable:orchestrator
func SortedIterator(ctx durable.Context, in map[string]int) (string, error) {
	s := ""
	for k, v := range entries(in) {
		s += fmt.Sprint(k, v)
	}
	return s, nil
}

func unsorted(m map[string]int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := range m { // want DET402
			if !yield(k) {
				return
			}
		}
	}
}

//durable:orchestrator
func UnsortedIterator(ctx durable.Context, in map[string]int) (string, error) {
	s := ""
	for k := range unsorted(in) {
		s += k
	}
	return s, nil
}

//durable:orchestrator
func RangesSyncMap(ctx durable.Context, in string) (string, error) {
	var m sync.Map
	s := ""
	m.Range(func(k, v any) bool { // want DET404
		s += fmt.Sprint(k)
		return true
	})
	return s, nil
}

//durable:orchestrator
func ReflectKeys(ctx durable.Context, in map[string]int) (string, error) {
	s := ""
	for _, k := range reflect.ValueOf(in).MapKeys() { // want DET404
		s += k.String()
	}
	return s, nil
}

//durable:orchestrator
func WhichError(ctx durable.Context, in map[string]int) (int, error) {
	for k, v := range in { // want DET402
		if v < 0 {
			return 0, fmt.Errorf("%s is negative", k)
		}
	}
	return 0, nil
}

var errNegative = errors.New("negative")

//durable:orchestrator
func SameError(ctx durable.Context, in map[string]int) (int, error) {
	for _, v := range in {
		if v < 0 {
			return 0, errNegative
		}
	}
	return 0, nil
}

//durable:orchestrator
func JoinsErrors(ctx durable.Context, in map[string]int) (int, error) {
	var err error
	for k, v := range in { // want DET402
		if v < 0 {
			err = errors.Join(err, errors.New(k))
		}
	}
	return 0, err
}

//durable:orchestrator
func LastWins(ctx durable.Context, in map[string]int) (string, error) {
	var last string
	for k := range in { // want DET402
		last = k
	}
	return last, nil
}

//durable:orchestrator
func AllTrue(ctx durable.Context, in map[string]bool) (bool, error) {
	all := true
	for _, ok := range in {
		all = all && ok
	}
	return all, nil
}

//durable:orchestrator
func MarshalsMap(ctx durable.Context, in map[string]any) (string, error) { // want DUR203
	b, err := json.Marshal(in)
	return string(b), err
}

//durable:orchestrator
func BreaksWithCount(ctx durable.Context, in map[string]int) (int, error) {
	n := 0
	for _, v := range in { // want DET402
		n += v
		if n > 100 {
			break
		}
	}
	return n, nil
}

//durable:orchestrator
func NestedMaps(ctx durable.Context, in map[string]map[string]int) (int, error) {
	sum := 0
	for _, inner := range in {
		for _, v := range inner {
			sum += v
		}
	}
	return sum, nil
}

//durable:orchestrator
func Numbers(ctx durable.Context, in map[string]int) (map[string]int, error) {
	index, out := 0, map[string]int{}
	for k := range in { // want DET402
		out[k] = index
		index++
	}
	return out, nil
}

//durable:orchestrator
func SetDifference(ctx durable.Context, a, b map[string]struct{}) ([]string, error) {
	var out []string
	for k := range a {
		if _, ok := b[k]; !ok {
			out = append(out, k)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out, nil
}

type row struct {
	name  string
	score int
}

//durable:orchestrator
func SortsRowsByName(ctx durable.Context, in map[string]int) (int, error) {
	var rows []row
	for k, v := range in {
		rows = append(rows, row{k, v})
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.name, b.name) })
	return rows[0].score, nil
}

//durable:orchestrator
func SortsRowsByScore(ctx durable.Context, in map[string]int) (string, error) {
	var rows []row
	for k, v := range in {
		rows = append(rows, row{k, v})
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].score > rows[j].score }) // want DET405
	return rows[0].name, nil
}

//durable:orchestrator
func PicksAny(ctx durable.Context, in map[string]int) (string, error) {
	for k := range in { // want DET402
		return k, nil
	}
	return "", nil
}
