// Package clean has code that looks like a hazard and is none.
package clean

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"container/heap"
	"container/list"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"html/template"
	"io"
	"io/fs"
	"iter"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type clock struct{ at int }

func (c clock) Now() int { return c.at }

func (c clock) Sleep(n int) int { return c.at + n }

//durable:orchestrator
func Shadow(ctx durable.Context, n int) (int, error) {
	time := clock{n}
	return time.Now() + time.Sleep(3), nil
}

//durable:orchestrator
func Rand(ctx durable.Context, n int) (int, error) {
	rand := ctx.Rand()
	xs := []int{1, 2, 3}
	rand.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
	return xs[0] + rand.IntN(n), nil
}

//durable:orchestrator
func Sentinels(ctx durable.Context, in string) (string, error) {
	err := fmt.Errorf("clean: %w", io.EOF)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrNotExist), errors.Is(err, fs.ErrExist), errors.Is(err, sql.ErrNoRows):
		return "", err
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Path, nil
	}
	return strconv.Itoa(http.StatusOK) + http.MethodGet, nil
}

//durable:orchestrator
func Encodings(ctx durable.Context, in string) (string, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(in)); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	c := csv.NewWriter(&b)
	if err := c.Write([]string{in}); err != nil {
		return "", err
	}
	c.Flush()
	t := tabwriter.NewWriter(&b, 0, 8, 1, ' ', 0)
	fmt.Fprintln(t, in)
	if err := t.Flush(); err != nil {
		return "", err
	}
	q := url.Values{"a": {in}}
	q.Set("b", "c")
	return base64.StdEncoding.EncodeToString(b.Bytes()) + q.Encode() + fmt.Sprint(crc32.ChecksumIEEE(b.Bytes())), nil
}

type queue []int

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i] < q[j] }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(v any)        { *q = append(*q, v.(int)) }
func (q *queue) Pop() any {
	old := *q
	v := old[len(old)-1]
	*q = old[:len(old)-1]
	return v
}

//durable:orchestrator
func Heap(ctx durable.Context, in []int) (int, error) {
	q := &queue{}
	for _, v := range in {
		heap.Push(q, v)
	}
	l := list.New()
	for q.Len() > 0 {
		l.PushBack(heap.Pop(q))
	}
	total := 0
	for e := l.Front(); e != nil; e = e.Next() {
		total = total*2 + e.Value.(int)
	}
	return total, nil
}

type account struct {
	mu      sync.Mutex
	balance int
}

func (a *account) deposit(n int) { a.balance += n }

func (a *account) guarded(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.balance += n
}

//durable:orchestrator
func UnusedLock(ctx durable.Context, n int) (int, error) {
	a := &account{}
	a.deposit(n)
	return a.balance, nil
}

//durable:activity
func Deposit(ctx context.Context, n int) (int, error) {
	a := &account{}
	a.guarded(n)
	return a.balance, nil
}

func quote(_ context.Context, n int) int { return n * 2 }

//durable:orchestrator
func UnusedContext(ctx durable.Context, n int) (int, error) {
	return quote(context.Background(), n) + quote(context.WithValue(context.TODO(), clock{}, 1), n), nil
}

//durable:orchestrator
func Recursion(ctx durable.Context, n int) (int, error) {
	var fib func(int) int
	memo := map[int]int{}
	fib = func(n int) int {
		if n < 2 {
			return n
		}
		if v, ok := memo[n]; ok {
			return v
		}
		memo[n] = fib(n-1) + fib(n-2)
		return memo[n]
	}
	return fib(n), nil
}

//durable:orchestrator
func Recovers(ctx durable.Context, n int) (out int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("clean: %v", r)
		}
	}()
	return 10 / n, nil
}

var million = big.NewInt(1_000_000)

//durable:orchestrator
func Big(ctx durable.Context, in string) (string, error) {
	n, ok := new(big.Int).SetString(in, 10)
	if !ok {
		return "", errors.New("clean: no number")
	}
	sum := new(big.Int).Add(n, million)
	return sum.Mul(sum, million).String(), nil
}

var letter = template.Must(template.New("l").Funcs(template.FuncMap{"up": strings.ToUpper}).Parse("{{up .}}"))

//durable:orchestrator
func HTML(ctx durable.Context, in string) (string, error) {
	var b strings.Builder
	err := letter.Execute(&b, in)
	return b.String(), err
}

type event struct {
	Kind string
	N    int
	Tags map[string]string
}

//durable:orchestrator
func CountsByKind(ctx durable.Context, in map[string]event) (map[string]int, error) {
	counts, names := map[string]int{}, map[string]map[string]bool{}
	for k, e := range in {
		counts[e.Kind] += e.N
		if names[e.Kind] == nil {
			names[e.Kind] = map[string]bool{}
		}
		names[e.Kind][k] = true
	}
	for kind, set := range names {
		counts[kind+"/names"] = len(set)
	}
	return counts, nil
}

//durable:orchestrator
func SkipsAndSwitches(ctx durable.Context, in map[string]event) (int, error) {
	high, low := 0, 0
	for _, e := range in {
		if e.N == 0 {
			continue
		}
		switch e.Kind {
		case "high":
			high++
		default:
			low += e.N
		}
	}
	return high - low, nil
}

//durable:orchestrator
func Updates(ctx durable.Context, in map[string]event) (map[string]event, error) {
	for k, e := range in {
		e.N *= 2
		in[k] = e
	}
	return in, nil
}

//durable:orchestrator
func SortsCollected(ctx durable.Context, in map[string]event) ([]string, error) {
	keys := slices.Collect(maps.Keys(in))
	sort.Strings(keys)
	total := 0.0
	for _, k := range keys {
		total += float64(in[k].N) / 3
	}
	return append(keys, fmt.Sprint(total)), nil
}

//durable:orchestrator
func SetOfCollected(ctx durable.Context, in map[string]event) (bool, error) {
	var kinds []string
	for _, e := range in {
		kinds = append(kinds, e.Kind)
	}
	set := map[string]bool{}
	for _, k := range kinds {
		set[k] = true
	}
	return set["a"] && len(kinds) > 0, nil
}

//durable:orchestrator
func Longest(ctx durable.Context, in map[string]time.Duration) (time.Duration, error) {
	var longest, all time.Duration
	for _, d := range in {
		if d > longest {
			longest = d
		}
		all += d
	}
	return longest + all, nil
}

//durable:orchestrator
func Latest(ctx durable.Context, in map[string]time.Time) (time.Time, error) {
	var latest time.Time
	for _, t := range in {
		if t.After(latest) {
			latest = t
		}
	}
	return latest, nil
}

//durable:orchestrator
func Validates(ctx durable.Context, in map[string]event) (bool, error) {
	valid := true
	for _, e := range in {
		if e.Kind == "" {
			valid = false
		}
	}
	if !valid {
		return false, errors.New("clean: an event has no kind")
	}
	return true, nil
}

//durable:orchestrator
func Deduplicates(ctx durable.Context, in []string) ([]string, error) {
	seen := map[string]struct{}{}
	var out []string
	for _, s := range in {
		if _, ok := seen[s]; !ok {
			seen[s] = struct{}{}
			out = append(out, s)
		}
	}
	return out, nil
}

//durable:orchestrator
func SortedErrors(ctx durable.Context, in map[string]event) (int, error) {
	var errs []error
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if in[k].N < 0 {
			errs = append(errs, fmt.Errorf("%s is negative", k))
		}
	}
	return 0, errors.Join(errs...)
}

//durable:orchestrator
func InnerMaps(ctx durable.Context, in []event) ([]string, error) {
	var out []string
	for _, e := range in {
		tags := make([]string, 0, len(e.Tags))
		for k, v := range e.Tags {
			tags = append(tags, k+"="+v)
		}
		sort.Strings(tags)
		out = append(out, strings.Join(tags, ","))
	}
	return out, nil
}

//durable:orchestrator
func MapOfSlices(ctx durable.Context, in map[string][]int) (map[string]int, error) {
	out := map[string]int{}
	for k, vs := range in {
		slices.Sort(vs)
		for i, v := range vs {
			out[k] = out[k]*10 + v + i
		}
	}
	return out, nil
}

//durable:orchestrator
func SmallestPair(ctx durable.Context, in map[string]int) (string, error) {
	type pair struct {
		k string
		n int
	}
	var pairs []pair
	for k, n := range in {
		pairs = append(pairs, pair{k: k, n: n})
	}
	least := slices.MinFunc(pairs, func(a, b pair) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.k, b.k)) })
	return least.k, nil
}

func walk(n int) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := range n {
			if !yield(i, strconv.Itoa(i)) {
				return
			}
		}
	}
}

//durable:orchestrator
func Iterates(ctx durable.Context, n int) (string, error) {
	s := ""
	for i, t := range walk(n) {
		if i == 3 {
			break
		}
		s += t
	}
	next, stop := iter.Pull2(walk(n))
	defer stop()
	_, t, _ := next()
	return s + t, nil
}

type shape interface{ area() int }

type square struct{ side int }

func (s square) area() int { return s.side * s.side }

type box struct{ w, h int }

func (b *box) area() int { return b.w * b.h }

func parse(in []int) []shape {
	var out []shape
	for _, n := range in {
		if n%2 == 0 {
			out = append(out, square{n})
		} else {
			out = append(out, &box{n, 1})
		}
	}
	return out
}

//durable:orchestrator
func Shapes(ctx durable.Context, in []int) (int, error) {
	total := 0
	for _, s := range parse(in) {
		total += s.area()
	}
	return total, nil
}

type builder struct{ parts []string }

func (b *builder) add(s string) *builder { b.parts = append(b.parts, s); return b }

func (b builder) String() string { return strings.Join(b.parts, " ") }

//durable:orchestrator
func Fluent(ctx durable.Context, in string) (string, error) {
	b := (&builder{}).add(in).add("b")
	return fmt.Sprint(b), nil
}

//durable:orchestrator
func Generic(ctx durable.Context, in json.RawMessage) (string, error) {
	var v map[string]any
	if err := json.Unmarshal(in, &v); err != nil {
		return "", err
	}
	dec := json.NewDecoder(bytes.NewReader(in))
	dec.UseNumber()
	var n json.Number
	if err := dec.Decode(&n); err != nil {
		return "", err
	}
	return fmt.Sprint(v, n), nil
}

type chargeActivity struct{}

// ChargeActivity stands for a generated handle.
var ChargeActivity chargeActivity

var charge = &durable.Activity{Name: "clean.Charge"}

func (chargeActivity) Call(ctx durable.Context, n int, opts ...durable.CallOption) (int, error) {
	return durable.StartActivity[int](ctx, charge, n, opts...).Get(ctx)
}

func (chargeActivity) Start(ctx durable.Context, n int, opts ...durable.CallOption) durable.Future[int] {
	return durable.StartActivity[int](ctx, charge, n, opts...)
}

//durable:orchestrator
func Stubs(ctx durable.Context, in map[string]int) (int, error) {
	total := 0
	for _, k := range slices.Sorted(maps.Keys(in)) {
		n, err := ChargeActivity.Call(ctx, in[k])
		if err != nil {
			return 0, err
		}
		total += n
	}
	f := ChargeActivity.Start(ctx, total)
	return f.Get(ctx)
}

func compensate(ctx durable.Context, log func(string, ...any)) { log("undone", "at", ctx.Now()) }

//durable:orchestrator
func LoggerAsValue(ctx durable.Context, n int) (int, error) {
	compensate(ctx, ctx.Logger().Info)
	return n, nil
}
