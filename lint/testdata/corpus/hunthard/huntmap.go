package hunthard

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type set[T comparable] map[T]struct{}

func (s set[T]) add(v T) { s[v] = struct{}{} }
func (s set[T]) list() []T {
	out := make([]T, 0, len(s))
	for v := range s { // want DET402
		out = append(out, v)
	}
	return out
}
func (s set[T]) all() iter.Seq[T] { return maps.Keys(s) }

//durable:orchestrator
func SetList(ctx durable.Context, in []string) ([]string, error) {
	s := set[string]{}
	for _, v := range in {
		s.add(v)
	}
	return s.list(), nil
}

//durable:orchestrator
func SetListSorted(ctx durable.Context, in []string) ([]string, error) {
	s := set[string]{}
	for _, v := range in {
		s.add(v)
	}
	out := s.list()
	slices.Sort(out)
	return out, nil
}

//durable:orchestrator
func SetAllSorted(ctx durable.Context, in []string) ([]string, error) {
	s := set[string]{}
	for _, v := range in {
		s.add(v)
	}
	return slices.Sorted(s.all()), nil
}

//durable:orchestrator
func SetUnion(ctx durable.Context, in, more map[string]bool) (map[string]bool, error) {
	out := map[string]bool{}
	for _, m := range []map[string]bool{in, more} {
		for k := range m {
			out[k] = true
		}
	}
	return out, nil
}

//durable:orchestrator
func SetIntersection(ctx durable.Context, in, more map[string]bool) (int, error) {
	n := 0
	for k := range in {
		if more[k] {
			n++
		}
	}
	return n, nil
}

//durable:orchestrator
func MapsEqual(ctx durable.Context, in, more map[string]int) (bool, error) {
	if len(in) != len(more) {
		return false, nil
	}
	for k, v := range in {
		if w, ok := more[k]; !ok || v != w {
			return false, nil
		}
	}
	return true, nil
}

//durable:orchestrator
func Histogram(ctx durable.Context, in map[string]string) ([]int, error) {
	out := make([]int, 10)
	for _, v := range in {
		out[len(v)%10]++
	}
	return out, nil
}

//durable:orchestrator
func NestedMaps(ctx durable.Context, in map[string]map[string]int) (map[string]int, error) {
	out := map[string]int{}
	for k, m := range in {
		for _, v := range m {
			out[k] += v
		}
	}
	return out, nil
}

//durable:orchestrator
func NestedWithLast(ctx durable.Context, in map[string]map[string]int) (map[string]int, error) {
	out := map[string]int{}
	for _, m := range in { // want DET402
		for k, v := range m {
			out[k] = v
		}
	}
	return out, nil
}

//durable:orchestrator
func TopologicalOrder(ctx durable.Context, in map[string][]string) ([]string, error) {
	degree := map[string]int{}
	for k, deps := range in {
		degree[k] += 0
		for _, d := range deps {
			degree[d]++
		}
	}
	var ready []string
	for k, n := range degree {
		if n == 0 {
			ready = append(ready, k)
		}
	}
	sort.Strings(ready)
	return ready, nil
}

//durable:orchestrator
func QueueFromMap(ctx durable.Context, in map[string][]string) ([]string, error) {
	var queue []string
	for k := range in { // want DET402
		queue = append(queue, k)
	}
	var out []string
	for len(queue) > 0 {
		out = append(out, queue[0])
		queue = queue[1:]
	}
	return out, nil
}

//durable:orchestrator
func DeletesWhileRanging(ctx durable.Context, in map[string]int) (int, error) {
	for k, v := range in {
		if v == 0 {
			delete(in, k)
		}
	}
	return len(in), nil
}

//durable:orchestrator
func AddsWhileRanging(ctx durable.Context, in map[string]int) (int, error) {
	for k := range in { // want DET402
		in[k+"'"] = 1
	}
	return len(in), nil
}

//durable:orchestrator
func ReplacesInText(ctx durable.Context, text string, in map[string]string) (string, error) {
	for k, v := range in { // want DET402
		text = strings.ReplaceAll(text, k, v)
	}
	return text, nil
}

//durable:orchestrator
func ReplacerFromMap(ctx durable.Context, text string, in map[string]string) (string, error) {
	var pairs []string
	for k, v := range in { // want DET402
		pairs = append(pairs, k, v)
	}
	return strings.NewReplacer(pairs...).Replace(text), nil
}

//durable:orchestrator
func MaxByValueThenKey(ctx durable.Context, in map[string]int) (string, error) {
	keys := slices.SortedFunc(maps.Keys(in), func(a, b string) int {
		return cmp.Or(cmp.Compare(in[b], in[a]), strings.Compare(a, b))
	})
	return keys[0], nil
}

//durable:orchestrator
func MaxByValue(ctx durable.Context, in map[string]int) (string, error) {
	keys := slices.SortedFunc(maps.Keys(in), func(a, b string) int { return cmp.Compare(in[b], in[a]) }) // want DET405
	return keys[0], nil
}

//durable:orchestrator
func MinKey(ctx durable.Context, in map[string]int) (string, error) {
	return slices.Min(slices.Collect(maps.Keys(in))), nil
}

//durable:orchestrator
func XorChecksum(ctx durable.Context, in map[string]uint32) (uint32, error) {
	var sum uint32
	for _, v := range in {
		sum ^= v
	}
	return sum, nil
}

//durable:orchestrator
func RollingChecksum(ctx durable.Context, in map[string]uint32) (uint32, error) {
	var sum uint32
	for _, v := range in { // want DET402
		sum = sum*31 + v
	}
	return sum, nil
}

//durable:orchestrator
func AddsOrDoubles(ctx durable.Context, in map[string]int) (int, error) {
	n := 1
	for _, v := range in { // want DET402
		if v == 0 {
			n *= 2
		} else {
			n += v
		}
	}
	return n, nil
}

//durable:orchestrator
func AddsOrResets(ctx durable.Context, in map[string]int) (int, error) {
	n := 0
	for _, v := range in { // want DET402
		if v < 0 {
			n = 0
		} else {
			n += v
		}
	}
	return n, nil
}

//durable:orchestrator
func AddsAndTakes(ctx durable.Context, in map[string]int) (int, error) {
	n := 0
	for _, v := range in {
		if v%2 == 0 {
			n += v
			continue
		}
		n -= v + 1
	}
	return n, nil
}

//durable:orchestrator
func AddsAllOfEach(ctx durable.Context, in map[string][]int) (int, error) {
	n := 0
	for _, list := range in {
		for _, v := range list {
			n += v
		}
		n++
	}
	return n, nil
}

//durable:orchestrator
func StartsCoroutines(ctx durable.Context, in map[string]time.Duration) error {
	var waits []durable.Future[durable.None]
	for _, d := range in { // want DET401
		waits = append(waits, durable.Go(ctx, func(ctx durable.Context) (durable.None, error) {
			return durable.None{}, durable.Sleep(ctx, d)
		}))
	}
	for _, w := range waits {
		if _, err := w.Get(ctx); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func LogsEach(ctx durable.Context, in map[string]int) error {
	for k := range in { // want DET401
		ctx.Logger().Info("seen", "key", k)
	}
	return nil
}
