// Package probeeach gives functions to others that call them in the order of a map, and has more cases that were written before
// anybody knew what the linter says of them.
package probeeach

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"maps"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sort"
	"strings"
	"text/template"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

func each(m map[string]int, fn func(string, int)) {
	for k, v := range m { // want DET402
		fn(k, v)
	}
}

//durable:orchestrator
func EachAppends(ctx durable.Context, in map[string]int) ([]string, error) {
	var out []string
	each(in, func(k string, _ int) { out = append(out, k) })
	return out, nil
}

func visit(m map[string]int, fn func(string, int)) {
	for k, v := range m {
		fn(k, v)
	}
}

//durable:orchestrator
func VisitSums(ctx durable.Context, in map[string]int) (int, error) {
	n := 0
	visit(in, func(_ string, v int) { n += v })
	return n, nil
}

//durable:orchestrator
func VisitAppendsAndSorts(ctx durable.Context, in map[string]int) ([]string, error) {
	var out []string
	visit(in, func(k string, _ int) { out = append(out, k) })
	slices.Sort(out)
	return out, nil
}

//durable:orchestrator
func VisitFillsMap(ctx durable.Context, in map[string]int) (map[string]int, error) {
	out := map[string]int{}
	visit(in, func(k string, v int) { out[k] = 2 * v })
	return out, nil
}

func later(m map[string]int, fn func(string, int)) func() {
	return func() { visit(m, fn) }
}

//durable:orchestrator
func SumsLater(ctx durable.Context, in map[string]int) (int, error) {
	n := 0
	later(in, func(_ string, v int) { n += v })()
	return n, nil
}

type bag struct{ items map[string]int }

func (b *bag) all() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for k, v := range b.items { // want DET402
			if !yield(k, v) {
				return
			}
		}
	}
}

func (b *bag) count() iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, v := range b.items {
			if !yield(v) {
				return
			}
		}
	}
}

//durable:orchestrator
func BagJoined(ctx durable.Context, in map[string]int) (string, error) {
	b := &bag{in}
	s := ""
	for k := range b.all() {
		s += k
	}
	return s, nil
}

//durable:orchestrator
func BagSummed(ctx durable.Context, in map[string]int) (int, error) {
	b := &bag{in}
	n := 0
	for v := range b.count() {
		n += v
	}
	return n, nil
}

//durable:orchestrator
func BagSorted(ctx durable.Context, in map[string]int) ([]int, error) {
	b := &bag{in}
	return slices.Sorted(b.count()), nil
}

func (b *bag) push(yield func(string) bool) {
	for k := range b.items { // want DET402
		if !yield(k) {
			return
		}
	}
}

//durable:orchestrator
func BagMethodValue(ctx durable.Context, in map[string]int) ([]string, error) {
	return slices.Collect((&bag{in}).push), nil
}

func mapValues[K comparable, V, R any](m map[K]V, fn func(V) R) map[K]R {
	out := make(map[K]R, len(m))
	for k, v := range m {
		out[k] = fn(v)
	}
	return out
}

//durable:orchestrator
func MapsValues(ctx durable.Context, in map[string]int) (map[string]string, error) {
	return mapValues(in, func(n int) string { return strings.Repeat("x", n) }), nil
}

func filter[K comparable, V any](m map[K]V, keep func(K, V) bool) map[K]V {
	out := map[K]V{}
	for k, v := range m {
		if keep(k, v) {
			out[k] = v
		}
	}
	return out
}

//durable:orchestrator
func Filters(ctx durable.Context, in map[string]int) (int, error) {
	return len(filter(in, func(k string, v int) bool { return v > len(k) })), nil
}

func reduce[V, A any](m map[string]V, a A, fn func(A, V) A) A {
	for _, v := range m { // want DET402
		a = fn(a, v)
	}
	return a
}

//durable:orchestrator
func Reduces(ctx durable.Context, in map[string]string) (string, error) {
	return reduce(in, "", func(a, v string) string { return a + v }), nil
}

func anyOf(m map[string]int, is func(int) bool) bool {
	for _, v := range m {
		if is(v) {
			return true
		}
	}
	return false
}

//durable:orchestrator
func AnyOf(ctx durable.Context, in map[string]int) (bool, error) {
	return anyOf(in, func(n int) bool { return n > 3 }), nil
}

func check(m map[string]int, is func(string, int) error) error {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if err := is(k, m[k]); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func Checks(ctx durable.Context, in map[string]int) (int, error) {
	return len(in), check(in, func(k string, n int) error {
		if n < 0 {
			return errors.New(k)
		}
		return nil
	})
}

//durable:orchestrator
func Ranks(ctx durable.Context, in map[string]int) (map[string]int, error) {
	ids := map[string]int{}
	for k := range in { // want DET402
		ids[k] = len(ids)
	}
	return ids, nil
}

type member struct{ Rank int }

//durable:orchestrator
func RanksInPlace(ctx durable.Context, in map[string]*member) (map[string]*member, error) {
	n := 0
	for _, m := range in { // want DET402
		m.Rank = n
		n++
	}
	return in, nil
}

//durable:orchestrator
func EveryMember(ctx durable.Context, in map[string]*member) (map[string]*member, error) {
	for _, m := range in {
		m.Rank = len(in)
	}
	return in, nil
}

//durable:orchestrator
func TemplateWithClock(ctx durable.Context, in string) (string, error) {
	t := template.New("x").Funcs(template.FuncMap{
		"now": time.Now, // want DET101
	})
	t, err := t.Parse("{{now}}")
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = t.Execute(&b, in)
	return b.String(), err
}

//durable:orchestrator
func EncodesToFile(ctx durable.Context, in map[string]int) (int, error) {
	return len(in), json.NewEncoder(os.Stdout).Encode(in) // want DET306
}

type retrying struct{ next http.RoundTripper }

func (r retrying) RoundTrip(q *http.Request) (*http.Response, error) {
	return r.next.RoundTrip(q) // want DET302
}

//durable:orchestrator
func RoundTrips(ctx durable.Context, in string) (int, error) {
	q, err := http.NewRequest(http.MethodGet, in, nil)
	if err != nil {
		return 0, err
	}
	resp, err := retrying{http.DefaultTransport}.RoundTrip(q)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

type clock func() time.Time

func (c clock) today() int { return c().YearDay() }

//durable:orchestrator
func FuncType(ctx durable.Context, in string) (int, error) {
	return clock(time.Now).today(), nil // want DET101
}

//durable:orchestrator
func FuncTypeOfContext(ctx durable.Context, in string) (int, error) {
	return clock(ctx.Now).today(), nil
}

//durable:orchestrator
func Architecture(ctx durable.Context, n int) (int, error) {
	switch runtime.GOARCH { // want DET305
	case "arm64":
		return n * 2, nil
	}
	return n, nil
}

type auditor interface{ Audit(string) }

type silent struct{}

func (silent) Audit(string) {}

type loud struct{}

func (loud) Audit(s string) {
	log.Println(s) // want DET306
}

type worker struct {
	auditor
	name string
}

//durable:orchestrator
func SilentWorker(ctx durable.Context, in string) (string, error) {
	w := worker{silent{}, in}
	w.Audit("begins")
	return w.name, nil
}

//durable:orchestrator
func LoudWorker(ctx durable.Context, in string) (string, error) {
	w := worker{name: in}
	w.auditor = loud{}
	w.Audit("begins")
	return w.name, nil
}

//durable:orchestrator
func ParallelSum(ctx durable.Context, in []int) (int, error) {
	squares, err := durable.Map(ctx, in, 3, func(ctx durable.Context, n int) (int, error) { return n * n, nil })
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, s := range squares {
		sum += s
	}
	return sum, nil
}

//durable:orchestrator
func ParallelWithClock(ctx durable.Context, in []int) (int, error) {
	out, err := durable.Map(ctx, in, 3, func(ctx durable.Context, n int) (int, error) {
		return n * time.Now().Second(), nil // want DET101
	})
	return len(out), err
}

//durable:orchestrator
func ForEachOfSorted(ctx durable.Context, in map[string]int) (int, error) {
	keys := slices.Sorted(maps.Keys(in))
	return len(keys), durable.ForEach(ctx, keys, 2, func(ctx durable.Context, k string) error {
		return durable.Sleep(ctx, time.Duration(in[k])*time.Second)
	})
}

//durable:orchestrator
func ForEachOfUnsorted(ctx durable.Context, in map[string]int) (int, error) {
	var keys []string
	for k := range in { // want DET402
		keys = append(keys, k)
	}
	return len(keys), durable.ForEach(ctx, keys, 2, func(ctx durable.Context, k string) error {
		return durable.Sleep(ctx, time.Second)
	})
}

//durable:orchestrator
func TopThree(ctx durable.Context, in map[string]int) ([]string, error) {
	type pair struct {
		k string
		n int
	}
	pairs := make([]pair, 0, len(in))
	for k, n := range in {
		pairs = append(pairs, pair{k, n})
	}
	sort.Slice(pairs, func(i, j int) bool {
		if pairs[i].n != pairs[j].n {
			return pairs[i].n > pairs[j].n
		}
		return pairs[i].k < pairs[j].k
	})
	out := []string{}
	for _, p := range pairs[:min(3, len(pairs))] {
		out = append(out, p.k)
	}
	return out, nil
}

//durable:orchestrator
func SortedErrors(ctx durable.Context, in map[string]int) (int, error) {
	var bad []string
	for k, n := range in {
		if n < 0 {
			bad = append(bad, k)
		}
	}
	slices.Sort(bad)
	if len(bad) > 0 {
		return 0, fmt.Errorf("negative: %s", strings.Join(bad, ", "))
	}
	return len(in), nil
}

//durable:orchestrator
func UnsortedSample(ctx durable.Context, in map[string]int) ([]string, error) {
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
func MinByKey(ctx durable.Context, in map[string]int) (int, error) {
	return in[slices.MinFunc(slices.Sorted(maps.Keys(in)), func(a, b string) int { return cmp.Compare(in[a], in[b]) })], nil
}

//durable:orchestrator
func MaxOfUnsorted(ctx durable.Context, in map[string]int) (int, error) {
	return slices.Max(slices.Collect(maps.Values(in))), nil
}

//durable:orchestrator
func Drain(ctx durable.Context, in map[string]int) (int, error) {
	sum := 0
	for len(in) > 0 {
		for k, v := range in {
			sum += v
			delete(in, k)
		}
	}
	return sum, nil
}

//durable:orchestrator
func Reads(ctx durable.Context, in string) (string, error) {
	b, err := io.ReadAll(io.LimitReader(strings.NewReader(in), 10))
	return string(b), err
}

type key struct{}

func tenant(ctx context.Context) string {
	s, _ := ctx.Value(key{}).(string) // want DUR104
	return s
}

//durable:orchestrator
func Tenant(ctx durable.Context, in string) (string, error) {
	return tenant(context.Background()), nil
}

//durable:orchestrator
func PointerKeys(ctx durable.Context, in []*member) (int, error) {
	seen := map[*member]bool{}
	for _, m := range in {
		seen[m] = true
	}
	return len(seen), nil
}

//durable:orchestrator
func PointerKeysRanged(ctx durable.Context, in []*member) ([]int, error) {
	seen := map[*member]bool{}
	for _, m := range in {
		seen[m] = true
	}
	var out []int
	for m := range seen { // want DET402
		out = append(out, m.Rank)
	}
	return out, nil
}
