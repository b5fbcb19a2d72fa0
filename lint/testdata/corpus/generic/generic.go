// Package generic has code with type parameters.
package generic

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

func mapped[T, R any](in []T, f func(T) R) []R {
	out := make([]R, 0, len(in))
	for _, v := range in {
		out = append(out, f(v))
	}
	return out
}

//durable:orchestrator
func Maps(ctx durable.Context, in []int) ([]int, error) {
	return mapped(in, func(n int) int { return n * n }), nil
}

//durable:orchestrator
func MapsImpure(ctx durable.Context, in []int) ([]int64, error) {
	return mapped(in, func(n int) int64 {
		return time.Now().Unix() // want DET101
	}), nil
}

type getter interface{ Get() int64 }

type fixed int64

func (f fixed) Get() int64 { return int64(f) }

type wall struct{}

func (wall) Get() int64 {
	return time.Now().Unix() // want DET101
}

func sum[T getter](in ...T) int64 {
	var n int64
	for _, g := range in {
		n += g.Get()
	}
	return n
}

//durable:orchestrator
func SumFixed(ctx durable.Context, n int64) (int64, error) { return sum(fixed(n), fixed(2)), nil }

//durable:orchestrator
func SumWall(ctx durable.Context, n int64) (int64, error) { return sum(wall{}), nil }

func stamped[T any](v T) (T, int64) {
	return v, time.Now().Unix() // want DET101
}

//durable:orchestrator
func Stamps(ctx durable.Context, in string) (int64, error) {
	_, at := stamped(in)
	return at, nil
}

type box[T any] struct{ items []T }

func (b *box[T]) put(v T) { b.items = append(b.items, v) }

func (b *box[T]) each(f func(T)) {
	for _, v := range b.items {
		f(v)
	}
}

//durable:orchestrator
func Boxes(ctx durable.Context, in []string) (int, error) {
	var b box[string]
	for _, s := range in {
		b.put(s)
	}
	n := 0
	b.each(func(s string) { n += len(s) })
	return n, nil
}

type stampBox[T any] struct{ v T }

func (s stampBox[T]) at() int64 {
	return time.Now().Unix() // want DET101
}

//durable:orchestrator
func StampBoxes(ctx durable.Context, in string) (int64, error) { return stampBox[string]{in}.at(), nil }

func keys[K cmp.Ordered, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

//durable:orchestrator
func SortedKeys(ctx durable.Context, in map[string]int) ([]string, error) { return keys(in), nil }

func unsorted[K comparable, V any](m map[K]V) []K {
	var out []K
	for k := range m { // want DET402
		out = append(out, k)
	}
	return out
}

//durable:orchestrator
func UnsortedKeys(ctx durable.Context, in map[string]int) (string, error) {
	return unsorted(in)[0], nil
}

//durable:orchestrator
func SortedLater(ctx durable.Context, in map[string]int) (string, error) {
	ks := unsorted(in)
	sort.Strings(ks)
	return ks[0], nil
}

type set[T comparable] map[T]struct{}

func (s set[T]) add(v T) { s[v] = struct{}{} }

func (s set[T]) has(v T) bool { _, ok := s[v]; return ok }

func union[T comparable](a, b set[T]) set[T] {
	out := set[T]{}
	for v := range a {
		out.add(v)
	}
	for v := range b {
		out[v] = struct{}{}
	}
	return out
}

//durable:orchestrator
func Sets(ctx durable.Context, in []string) (bool, error) {
	s := set[string]{}
	for _, v := range in {
		s.add(v)
	}
	return union(s, set[string]{"a": {}}).has("b"), nil
}

type number interface{ ~int | ~int64 }

func total[K comparable, N number](m map[K]N) N {
	var n N
	for _, v := range m {
		n += v
	}
	return n
}

//durable:orchestrator
func Totals(ctx durable.Context, in map[string]int) (int, error) { return total(in), nil }

func merge[K comparable, V any](ms ...map[K]V) map[K]V {
	out := map[K]V{}
	for _, m := range ms {
		maps.Copy(out, m)
	}
	return out
}

//durable:orchestrator
func Merges(ctx durable.Context, in map[string]int) (map[string]int, error) {
	return merge(in, map[string]int{"a": 1}), nil
}

func schedule[K comparable](ctx durable.Context, m map[K]time.Duration) error {
	for _, d := range m { // want DET401
		if err := durable.Sleep(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func Schedules(ctx durable.Context, in map[string]time.Duration) (int, error) {
	return 0, schedule(ctx, in)
}
