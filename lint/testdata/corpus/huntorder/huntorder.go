// Package huntorder has loops over maps, sorts and iterators as people write them. All of it was written before anybody knew what
// the linter says of it.
package huntorder

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type item struct {
	ID    string
	Price int
	Rank  int
}

//durable:orchestrator
func OneEntry(ctx durable.Context, in string) ([]string, error) {
	var out []string
	for k := range map[string]bool{in: true} {
		out = append(out, k)
	}
	return out, nil
}

//durable:orchestrator
func TwoEntries(ctx durable.Context, in string) ([]string, error) {
	var out []string
	for k := range map[string]bool{in: true, "b": true} { // want DET402
		out = append(out, k)
	}
	return out, nil
}

//durable:orchestrator
func OneEntryAndMore(ctx durable.Context, in []string) ([]string, error) {
	var out []string
	m := map[string]bool{"a": true}
	for _, s := range in {
		m[s] = true
	}
	for k := range m { // want DET402
		out = append(out, k)
	}
	return out, nil
}

//durable:orchestrator
func InsertsSorted(ctx durable.Context, in map[string]int) ([]string, error) {
	var out []string
	for k := range in {
		i, found := slices.BinarySearch(out, k)
		if !found {
			out = slices.Insert(out, i, k)
		}
	}
	return out, nil
}

//durable:orchestrator
func InsertsSortedWithSearch(ctx durable.Context, in map[string]int) ([]string, error) {
	var out []string
	for k := range in {
		out = slices.Insert(out, sort.SearchStrings(out, k), k)
	}
	return out, nil
}

//durable:orchestrator
func InsertsByID(ctx durable.Context, in map[string]item) ([]item, error) {
	var out []item
	for _, it := range in {
		i, _ := slices.BinarySearchFunc(out, it, func(a, b item) int { return cmp.Compare(a.ID, b.ID) })
		out = slices.Insert(out, i, it)
	}
	return out, nil
}

//durable:orchestrator
func InsertsByPrice(ctx durable.Context, in map[string]item) ([]item, error) {
	var out []item
	for _, it := range in { // want DET402
		i, _ := slices.BinarySearchFunc(out, it, func(a, b item) int { return cmp.Compare(a.Price, b.Price) })
		out = slices.Insert(out, i, it)
	}
	return out, nil
}

//durable:orchestrator
func InsertsInFront(ctx durable.Context, in map[string]int) ([]string, error) {
	var out []string
	for k := range in { // want DET402
		out = slices.Insert(out, 0, k)
	}
	return out, nil
}

func keysOf(m map[string]int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := range maps.Keys(m) { // want DET404
			if !yield(k) {
				return
			}
		}
	}
}

//durable:orchestrator
func WrappedKeys(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.Collect(keysOf(in)), nil
}

func upper(m map[string]int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := range maps.Keys(m) {
			if !yield(strings.ToUpper(k)) {
				return
			}
		}
	}
}

//durable:orchestrator
func WrappedKeysSorted(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.Sorted(upper(in)), nil
}

func filtered(m map[string]int, keep func(int) bool) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for k, v := range maps.All(m) { // want DET404
			if keep(v) && !yield(k, v) {
				return
			}
		}
	}
}

//durable:orchestrator
func WrappedAll(ctx durable.Context, in map[string]int) (string, error) {
	for k := range filtered(in, func(v int) bool { return v > 3 }) {
		return k, nil
	}
	return "", nil
}

func positive(m map[string]int) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for k, v := range maps.All(m) {
			if v > 0 && !yield(k, v) {
				return
			}
		}
	}
}

//durable:orchestrator
func WrappedAllCollected(ctx durable.Context, in map[string]int) (map[string]int, error) {
	return maps.Collect(positive(in)), nil
}

//durable:orchestrator
func WrappedAllSummed(ctx durable.Context, in map[string]int) (int, error) {
	n := 0
	for _, v := range positive(in) {
		n += v
	}
	return n, nil
}

//durable:orchestrator
func CollectedKeys(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.Collect(maps.Keys(in)), nil // want DET404
}

//durable:orchestrator
func SortedKeys(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.Sorted(maps.Keys(in)), nil
}

//durable:orchestrator
func SortedByPrice(ctx durable.Context, in map[string]item) ([]item, error) {
	return slices.SortedFunc(maps.Values(in), func(a, b item) int { return a.Price - b.Price }), nil // want DET405
}

//durable:orchestrator
func SortedByPriceThenRank(ctx durable.Context, in map[string]item) ([]item, error) {
	return slices.SortedFunc(maps.Values(in), func(a, b item) int {
		return cmp.Or(cmp.Compare(a.Price, b.Price), cmp.Compare(a.ID, b.ID))
	}), nil
}

//durable:orchestrator
func SortsGiven(ctx durable.Context, in []item) ([]item, error) {
	slices.SortStableFunc(in, func(a, b item) int { return cmp.Compare(a.Price, b.Price) })
	return in, nil
}

//durable:orchestrator
func Chunked(ctx durable.Context, in map[string]int) ([][]string, error) {
	return slices.Collect(slices.Chunk(slices.Sorted(maps.Keys(in)), 10)), nil
}

//durable:orchestrator
func ValuesSummed(ctx durable.Context, in map[string]int) (int, error) {
	n := 0
	for v := range maps.Values(in) {
		n += v
	}
	return n, nil
}

//durable:orchestrator
func FloatsSummed(ctx durable.Context, in map[string]float64) (float64, error) {
	n := 0.0
	for _, v := range in { // want DET403
		n += v
	}
	return n, nil
}

//durable:orchestrator
func Inverted(ctx durable.Context, in map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for k, v := range in { // want DET402
		out[v] = k
	}
	return out, nil
}

//durable:orchestrator
func InvertedToSets(ctx durable.Context, in map[string]string) (map[string]map[string]bool, error) {
	out := map[string]map[string]bool{}
	for k, v := range in {
		if out[v] == nil {
			out[v] = map[string]bool{}
		}
		out[v][k] = true
	}
	return out, nil
}

//durable:orchestrator
func Cloned(ctx durable.Context, in map[string]int) (map[string]int, error) {
	out := maps.Clone(in)
	maps.DeleteFunc(out, func(_ string, v int) bool { return v == 0 })
	return out, nil
}

//durable:orchestrator
func JoinedErrors(ctx durable.Context, in map[string]int) error {
	var errs []error
	for k, v := range in { // want DET402
		if v < 0 {
			errs = append(errs, fmt.Errorf("%s is negative", k))
		}
	}
	return errors.Join(errs...)
}

//durable:orchestrator
func AnyNegative(ctx durable.Context, in map[string]int) error {
	for _, v := range in {
		if v < 0 {
			return errors.New("negative")
		}
	}
	return nil
}

//durable:orchestrator
func NamedNegative(ctx durable.Context, in map[string]int) error {
	for k, v := range in { // want DET402
		if v < 0 {
			return fmt.Errorf("%s is negative", k)
		}
	}
	return nil
}

//durable:orchestrator
func Cheapest(ctx durable.Context, in map[string]int) (string, error) {
	best, price := "", 1<<30
	for k, v := range in { // want DET402
		if v < price {
			best, price = k, v
		}
	}
	return best, nil
}

//durable:orchestrator
func CheapestByName(ctx durable.Context, in map[string]int) (string, error) {
	best, price := "", 1<<30
	for k, v := range in {
		if v < price || v == price && k < best {
			best, price = k, v
		}
	}
	return best, nil
}

//durable:orchestrator
func CheapestPrice(ctx durable.Context, in map[string]int) (int, error) {
	price := 1 << 30
	for _, v := range in {
		price = min(price, v)
	}
	return price, nil
}

//durable:orchestrator
func SleepsForEach(ctx durable.Context, in map[string]int) error {
	for _, v := range in { // want DET401
		if err := durable.Sleep(ctx, time.Duration(v)*time.Second); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func SleepsForEachSorted(ctx durable.Context, in map[string]int) error {
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if err := durable.Sleep(ctx, time.Duration(in[k])*time.Second); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func LongestSleep(ctx durable.Context, in map[string]time.Duration) error {
	var d time.Duration
	for _, v := range in {
		if v > d {
			d = v
		}
	}
	return durable.Sleep(ctx, d)
}

//durable:orchestrator
func BuildsText(ctx durable.Context, in map[string]int) (string, error) {
	var b strings.Builder
	for k, v := range in { // want DET402
		fmt.Fprintf(&b, "%s=%d;", k, v)
	}
	return b.String(), nil
}

//durable:orchestrator
func PrintsMap(ctx durable.Context, in map[string]int) (string, error) {
	return fmt.Sprint(in), nil
}

//durable:orchestrator
func GroupsSorted(ctx durable.Context, in map[string]item) (map[int][]string, error) {
	out := map[int][]string{}
	for k, it := range in {
		out[it.Price] = append(out[it.Price], k)
	}
	for _, ids := range out {
		slices.Sort(ids)
	}
	return out, nil
}

//durable:orchestrator
func GroupsUnsorted(ctx durable.Context, in map[string]item) (map[int][]string, error) {
	out := map[int][]string{}
	for k, it := range in { // want DET402
		out[it.Price] = append(out[it.Price], k)
	}
	return out, nil
}

//durable:orchestrator
func Takes(ctx durable.Context, in map[string]int) ([]string, error) {
	var out []string
	for k := range in { // want DET402
		if len(out) == 3 {
			break
		}
		out = append(out, k)
	}
	slices.Sort(out)
	return out, nil
}

//durable:orchestrator
func Pulls(ctx durable.Context, in map[string]int) (string, error) {
	next, stop := iter.Pull(maps.Keys(in)) // want DET404
	defer stop()
	k, _ := next()
	return k, nil
}

func pairs(m map[string]int) [][2]string {
	var out [][2]string
	for k, v := range m {
		out = append(out, [2]string{k, fmt.Sprint(v)})
	}
	sort.Slice(out, func(i, j int) bool { return out[i][0] < out[j][0] })
	return out
}

//durable:orchestrator
func SortsPairs(ctx durable.Context, in map[string]int) (int, error) {
	return len(pairs(in)), nil
}

//durable:orchestrator
func SortsThenUses(ctx durable.Context, in map[string]int) (string, error) {
	keys := make([]string, 0, len(in))
	for k := range in {
		keys = append(keys, k)
	}
	sort.Sort(sort.Reverse(sort.StringSlice(keys)))
	return strings.Join(keys, ","), nil
}

//durable:orchestrator
func UsesThenSorts(ctx durable.Context, in map[string]int) (string, error) {
	keys := make([]string, 0, len(in))
	for k := range in { // want DET402
		keys = append(keys, k)
	}
	first := keys[0]
	sort.Strings(keys)
	return first + keys[0], nil
}
