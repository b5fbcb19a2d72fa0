// Package iterators ranges over what has the order of a map, without a range over a map.
package iterators

import (
	"cmp"
	"iter"
	"maps"
	"reflect"
	"slices"
	"sort"
	"strings"
	"sync"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Collected(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.Collect(maps.Keys(in)), nil // want DET404
}

//durable:orchestrator
func CollectedAndJoined(ctx durable.Context, in map[string]int) (string, error) {
	keys := slices.Collect(maps.Keys(in)) // want DET404
	return strings.Join(keys, ","), nil
}

//durable:orchestrator
func CollectedAndSorted(ctx durable.Context, in map[string]int) ([]string, error) {
	keys := slices.Collect(maps.Keys(in))
	slices.Sort(keys)
	return keys, nil
}

//durable:orchestrator
func Sorted(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.Sorted(maps.Keys(in)), nil
}

//durable:orchestrator
func SortedValues(ctx durable.Context, in map[string]int) ([]int, error) {
	return slices.Sorted(maps.Values(in)), nil
}

//durable:orchestrator
func Ranged(ctx durable.Context, in map[string]int) (string, error) {
	s := ""
	for k := range maps.Keys(in) { // want DET404
		s += k
	}
	return s, nil
}

//durable:orchestrator
func RangedAppend(ctx durable.Context, in map[string]int) ([]string, error) {
	var out []string
	for k, v := range maps.All(in) { // want DET404
		if v > 1 {
			out = append(out, k)
		}
	}
	return out, nil
}

//durable:orchestrator
func RangedAppendSorted(ctx durable.Context, in map[string]int) ([]string, error) {
	var out []string
	for k, v := range maps.All(in) {
		if v > 1 {
			out = append(out, k)
		}
	}
	sort.Strings(out)
	return out, nil
}

//durable:orchestrator
func RangedSum(ctx durable.Context, in map[string]int) (int, error) {
	n := 0
	for v := range maps.Values(in) {
		n += v
	}
	return n, nil
}

//durable:orchestrator
func RangedSchedules(ctx durable.Context, in map[string]int) (int, error) {
	for k := range maps.Keys(in) { // want DET404
		durable.SendEvent(ctx, k, "ping", 1)
	}
	return 0, nil
}

//durable:orchestrator
func RangedFirst(ctx durable.Context, in map[string]int) (string, error) {
	for k := range maps.Keys(in) { // want DET404
		return k, nil
	}
	return "", nil
}

//durable:orchestrator
func RangedOverSorted(ctx durable.Context, in map[string]int) (string, error) {
	s := ""
	for _, k := range slices.Sorted(maps.Keys(in)) {
		s += k
	}
	return s, nil
}

func keys(m map[string]int) iter.Seq[string] {
	return maps.Keys(m) // want DET404
}

//durable:orchestrator
func ByHelper(ctx durable.Context, in map[string]int) (string, error) {
	s := ""
	for k := range keys(in) {
		s += k
	}
	return s, nil
}

//durable:orchestrator
func ByHelperSorted(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.Sorted(keys(in)), nil
}

//durable:orchestrator
func Copied(ctx durable.Context, in map[string]int) (map[string]int, error) {
	out := maps.Collect(maps.All(in))
	maps.Insert(out, maps.All(in))
	maps.DeleteFunc(out, func(k string, v int) bool { return v == 0 })
	if maps.Equal(in, out) {
		return maps.Clone(in), nil
	}
	return out, nil
}

//durable:orchestrator
func SyncMap(ctx durable.Context, in map[string]int) ([]string, error) {
	var m sync.Map
	for k, v := range in {
		m.Store(k, v)
	}
	var out []string
	m.Range(func(k, v any) bool { // want DET404
		out = append(out, k.(string))
		return true
	})
	return out, nil
}

//durable:orchestrator
func SyncMapCounted(ctx durable.Context, in map[string]int) (int, error) {
	var m sync.Map
	m.Store("a", 1)
	n := 0
	m.Range(func(k, v any) bool {
		n++
		return true
	})
	return n, nil
}

//durable:orchestrator
func Reflected(ctx durable.Context, in map[string]int) (string, error) {
	s := ""
	for _, k := range reflect.ValueOf(in).MapKeys() { // want DET404
		s += k.String()
	}
	return s, nil
}

//durable:orchestrator
func ReflectedSorted(ctx durable.Context, in map[string]int) (string, error) {
	ks := reflect.ValueOf(in).MapKeys()
	sort.Slice(ks, func(i, j int) bool { return ks[i].String() < ks[j].String() })
	s := ""
	for _, k := range ks {
		s += k.String()
	}
	return s, nil
}

//durable:orchestrator
func ReflectedIterator(ctx durable.Context, in map[string]int) (string, error) {
	it := reflect.ValueOf(in).MapRange() // want DET404
	s := ""
	for it.Next() {
		s += it.Key().String()
	}
	return s, nil
}

type item struct {
	id    string
	score int
}

//durable:orchestrator
func SortedFuncWithTies(ctx durable.Context, in map[string]item) ([]item, error) { // want DUR202
	return slices.SortedFunc(maps.Values(in), func(a, b item) int { return cmp.Compare(a.score, b.score) }), nil // want DET405
}

//durable:orchestrator
func SortedFuncByID(ctx durable.Context, in map[string]item) ([]item, error) { // want DUR202
	return slices.SortedFunc(maps.Values(in), func(a, b item) int { return strings.Compare(a.id, b.id) }), nil
}

//durable:orchestrator
func SortedFuncWithTieBreak(ctx durable.Context, in map[string]item) ([]item, error) { // want DUR202
	return slices.SortedFunc(maps.Values(in), func(a, b item) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.id, b.id))
	}), nil
}

//durable:orchestrator
func Slices(ctx durable.Context, in []string) (string, error) {
	s := ""
	for i, v := range slices.Backward(in) {
		s += v + string(rune('a'+i))
	}
	for v := range strings.SplitSeq(s, ",") {
		s += v
	}
	for c := range slices.Chunk(in, 2) {
		s += c[0]
	}
	return s, nil
}

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

//durable:orchestrator
func OwnIterator(ctx durable.Context, n int) ([]int, error) {
	var out []int
	for v := range count(n) {
		out = append(out, v)
	}
	return out, nil
}

func names(m map[string]int) iter.Seq[string] { return maps.Keys(m) }

//durable:orchestrator
func SortedByCaller(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.Sorted(names(in)), nil
}
