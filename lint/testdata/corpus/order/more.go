package order

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type member struct {
	ID    string
	Score int
	Joins time.Time
	Tags  []string
}

//durable:orchestrator
func BestMember(ctx durable.Context, m map[string]member) (string, error) {
	var best *member
	for _, v := range m { // want DET402
		if best == nil || v.Score > best.Score {
			best = &v
		}
	}
	return best.ID, nil
}

//durable:orchestrator
func BestMemberByID(ctx durable.Context, m map[string]member) (string, error) {
	var best member
	for _, v := range m {
		if v.Score > best.Score || v.Score == best.Score && v.ID < best.ID {
			best = v
		}
	}
	return best.ID, nil
}

//durable:orchestrator
func ByOneKey(ctx durable.Context, m map[string]string) (string, error) {
	name, place := "", ""
	for k, v := range m {
		if k == "name" {
			name = v
		}
		switch k {
		case "city":
			place = v
		case "other":
			continue
		}
	}
	return name + place, nil
}

//durable:orchestrator
func ByPrefix(ctx durable.Context, m map[string]string) (string, error) {
	name := ""
	for k, v := range m { // want DET402
		if strings.HasPrefix(k, "name") {
			name = v
		}
	}
	return name, nil
}

//durable:orchestrator
func Flattens(ctx durable.Context, m map[string]map[string]int) (map[string]int, error) {
	out := map[string]int{}
	for k, inner := range m {
		for k2, v := range inner {
			out[k+"/"+k2] = v
			out[fmt.Sprintf("%s.%s", k, k2)] = v
		}
	}
	return out, nil
}

type group struct {
	n     int
	names []string
}

//durable:orchestrator
func Groups(ctx durable.Context, m map[string]member) (map[int]*group, error) { // want DUR202
	groups := map[int]*group{}
	for k, v := range m { // want DET402
		g := groups[v.Score]
		if g == nil {
			g = &group{}
			groups[v.Score] = g
		}
		g.n++
		g.names = append(g.names, k)
	}
	return groups, nil
}

//durable:orchestrator
func GroupsSorted(ctx durable.Context, m map[string]member) (map[int]*group, error) { // want DUR202
	groups := map[int]*group{}
	for k, v := range m {
		g, ok := groups[v.Score]
		if !ok {
			g = &group{}
			groups[v.Score] = g
		}
		g.n += len(v.Tags)
		g.names = append(g.names, k)
	}
	for _, g := range groups {
		sort.Strings(g.names)
	}
	return groups, nil
}

//durable:orchestrator
func FirstFew(ctx durable.Context, m map[string]int) (int, error) {
	n, total := 0, 0
	for _, v := range m { // want DET402
		if n == 3 {
			break
		}
		n++
		total += v
	}
	return total, nil
}

//durable:orchestrator
func CountsToTen(ctx durable.Context, m map[string]int) (int, error) {
	n := 0
	for range m {
		n++
		if n == 10 {
			break
		}
	}
	return n, nil
}

//durable:orchestrator
func SumUntilNegative(ctx durable.Context, m map[string]int) (int, error) {
	total := 0
	for _, v := range m { // want DET402
		if v < 0 {
			break
		}
		total += v
	}
	return total, nil
}

//durable:orchestrator
func SumOrFail(ctx durable.Context, m map[string]int) (int, error) {
	total := 0
	for _, v := range m {
		if v < 0 {
			return 0, errNegative
		}
		total += v
	}
	return total, nil
}

//durable:orchestrator
func Position(ctx durable.Context, m map[string]int) (int, error) {
	i := 0
	for _, v := range m { // want DET402
		if v == 7 {
			return i, nil
		}
		i++
	}
	return -1, nil
}

//durable:orchestrator
func Masks(ctx durable.Context, m map[string]uint) (uint, error) {
	var mask, parity uint
	for k, v := range m {
		mask |= 1 << v
		parity ^= uint(len(k))
	}
	return mask | parity<<8, nil
}

type stats struct {
	sum, n, most int
	by           map[string]int
}

//durable:orchestrator
func Stats(ctx durable.Context, m map[string]member) (*stats, error) { // want DUR202
	s := &stats{by: map[string]int{}}
	for _, v := range m {
		s.sum += v.Score
		s.n++
		s.by[v.ID] += v.Score
		if v.Score > s.most {
			s.most = v.Score
		}
	}
	return s, nil
}

//durable:orchestrator
func Points(ctx durable.Context, m map[string]*member) (map[string]*member, error) {
	for k, v := range m {
		v.Score *= 2
		v.Tags = append(v.Tags, k)
	}
	return m, nil
}

//durable:orchestrator
func EncodesEach(ctx durable.Context, m map[string]member) (map[string]string, error) {
	out := map[string]string{}
	for k, v := range m {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, errNegative
		}
		out[k] = string(b)
	}
	return out, nil
}

//durable:orchestrator
func Missing(ctx durable.Context, m map[string]int) (int, error) {
	need := map[string]bool{"a": true}
	n := 0
	for k := range need {
		if _, ok := m[k]; !ok {
			n++
		}
	}
	for k := range m {
		if !need[k] {
			return 0, fmt.Errorf("order: %d keys, one is not known", len(m))
		}
	}
	return n, nil
}

//durable:orchestrator
func SortsResult(ctx durable.Context, m map[string]member) (*summary, error) { // want DUR202
	r := &summary{}
	for k := range m {
		r.names = append(r.names, k)
	}
	sort.Slice(r.names, func(i, j int) bool { return r.names[i] < r.names[j] })
	return r, nil
}

//durable:orchestrator
func SortsByTime(ctx durable.Context, m map[string]member) ([]member, error) {
	var out []member
	for _, v := range m {
		out = append(out, v)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Joins.Before(out[j].Joins) }) // want DET405
	return out, nil
}

//durable:orchestrator
func SortsByTimeAndID(ctx durable.Context, m map[string]member) ([]member, error) {
	var out []member
	for _, v := range m {
		out = append(out, v)
	}
	sort.Slice(out, func(i, j int) bool {
		if !out[i].Joins.Equal(out[j].Joins) {
			return out[i].Joins.Before(out[j].Joins)
		}
		return out[i].ID < out[j].ID
	})
	return out, nil
}

//durable:orchestrator
func WaitsInMapOrder(ctx durable.Context, in []string) (map[string]int, error) {
	started := map[string]durable.Future[int]{}
	for _, s := range in {
		started[s] = durable.Go(ctx, func(ctx durable.Context) (int, error) { return len(s), nil })
	}
	out := map[string]int{}
	for s, f := range started {
		n, err := f.Get(ctx)
		if err != nil {
			out[s] = -1
			continue
		}
		out[s] = n
	}
	return out, nil
}

//durable:orchestrator
func LeastWithTies(ctx durable.Context, m scores) (string, error) {
	var out []entry
	for k, v := range m {
		out = append(out, entry{k, v})
	}
	return slices.MinFunc(out, func(a, b entry) int { return a.value - b.value }).key, nil // want DET405
}
