// Package maporder has loops over maps: some show their order, some do not.
package maporder

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type in map[string]int

//durable:orchestrator
func Sum(ctx durable.Context, m in) (int, error) {
	total, n := 0, 0
	for _, v := range m {
		total += v
		n++
	}
	return total + n, nil
}

//durable:orchestrator
func Largest(ctx durable.Context, m in) (int, error) {
	most := 0
	for _, v := range m {
		if v > most {
			most = v
		}
	}
	least := 1 << 30
	for _, v := range m {
		least = min(least, v)
	}
	return most - least, nil
}

//durable:orchestrator
func ArgMax(ctx durable.Context, m in) (string, error) {
	best, most := "", 0
	for k, v := range m { // want DET402
		if v > most {
			most, best = v, k
		}
	}
	return best, nil
}

//durable:orchestrator
func Collected(ctx durable.Context, m in) ([]string, error) {
	var keys []string
	for k := range m { // want DET402
		keys = append(keys, k)
	}
	return keys, nil
}

//durable:orchestrator
func Sorted(ctx durable.Context, m in) ([]string, error) {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var others []string
	for k := range m {
		others = append(others, k)
	}
	sort.Slice(others, func(i, j int) bool { return others[i] < others[j] })
	return append(keys, others...), nil
}

//durable:orchestrator
func SortedOnOnePath(ctx durable.Context, m in) ([]string, error) {
	var keys []string
	for k := range m { // want DET402
		keys = append(keys, k)
	}
	if len(m) > 2 {
		slices.Sort(keys)
	}
	return keys, nil
}

//durable:orchestrator
func Text(ctx durable.Context, m in) (string, error) {
	s := ""
	for k := range m { // want DET402
		s += k
	}
	var b strings.Builder
	for k := range m { // want DET402
		b.WriteString(k)
	}
	return s + b.String(), nil
}

//durable:orchestrator
func Set(ctx durable.Context, m in) (map[string]bool, error) {
	set := map[string]bool{}
	counts := map[int]int{}
	byKey := map[string]int{}
	for k, v := range m {
		set[strings.ToLower(k)] = true
		counts[v]++
		byKey[k] = v * 2
	}
	for k := range set {
		if k == "x" {
			delete(set, k)
		}
	}
	return set, nil
}

//durable:orchestrator
func LastWins(ctx durable.Context, m in) (map[int]string, error) {
	inverse := map[int]string{}
	for k, v := range m { // want DET402
		inverse[v] = k
	}
	return inverse, nil
}

//durable:orchestrator
func Scheduled(ctx durable.Context, m in) (string, error) {
	for _, v := range m { // want DET401
		if err := durable.Sleep(ctx, time.Duration(v)); err != nil {
			return "", err
		}
	}
	return "", nil
}

func nap(ctx durable.Context, v int) { _ = durable.Sleep(ctx, time.Duration(v)) }

//durable:orchestrator
func ScheduledDeeper(ctx durable.Context, m in) (string, error) {
	for _, v := range m { // want DET401
		nap(ctx, v)
	}
	return "", nil
}

//durable:orchestrator
func Identifiers(ctx durable.Context, m in) (map[string]string, error) {
	ids := map[string]string{}
	for k := range m { // want DET401
		ids[k] = ctx.NewUUID()
	}
	return ids, nil
}

//durable:orchestrator
func FirstMatch(ctx durable.Context, m in) (string, error) {
	for k, v := range m { // want DET402
		if v > 3 {
			return k, nil
		}
	}
	return "", nil
}

//durable:orchestrator
func WhichError(ctx durable.Context, m in) (string, error) {
	for k, v := range m { // want DET402
		if v < 0 {
			return "", fmt.Errorf("%s is negative", k)
		}
	}
	return "", nil
}

//durable:orchestrator
func AnyMatch(ctx durable.Context, m in) (bool, error) {
	for _, v := range m {
		if v < 0 {
			return true, nil
		}
	}
	found := false
	for _, v := range m {
		if v > 10 {
			found = true
			break
		}
	}
	for _, v := range m {
		if v == 11 {
			return false, errors.New("eleven")
		}
	}
	return found, nil
}

//durable:orchestrator
func OneKey(ctx durable.Context, m in) (int, error) {
	for k, v := range m {
		if k == "wanted" {
			return v, nil
		}
	}
	return 0, nil
}

//durable:orchestrator
func Mean(ctx durable.Context, m map[string]float64) (float64, error) {
	total := 0.0
	for _, v := range m { // want DET403
		total += v
	}
	return total / float64(len(m)), nil
}

type tally struct {
	Count int
	Names []string
}

//durable:orchestrator
func Fields(ctx durable.Context, m in) (tally, error) {
	var t tally
	for k, v := range m { // want DET402
		t.Count += v
		t.Names = append(t.Names, k)
	}
	return t, nil
}

//durable:orchestrator
func Nested(ctx durable.Context, m map[string][]int) (int, error) {
	total := 0
	for _, vs := range m {
		for _, v := range vs {
			total += v
		}
		local := append([]int(nil), vs...)
		local[0] = 7
		total += local[0]
	}
	return total, nil
}
