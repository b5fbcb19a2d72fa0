// Package probeclean has clean code that was written before anybody knew what the linter says of it.
package probeclean

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"html"
	"io"
	"iter"
	"maps"
	"math"
	"math/big"
	"math/bits"
	"mime"
	"net/mail"
	"net/textproto"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/scanner"
	"time"
	"unicode"
	"unicode/utf8"
	"unique"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Words(ctx durable.Context, in string) (map[string]int, error) {
	counts := map[string]int{}
	s := bufio.NewScanner(strings.NewReader(in))
	s.Split(bufio.ScanWords)
	for s.Scan() {
		counts[strings.ToLower(s.Text())]++
	}
	return counts, s.Err()
}

//durable:orchestrator
func Signature(ctx durable.Context, in string) (string, error) {
	m := hmac.New(sha256.New, []byte("key"))
	io.WriteString(m, in)
	return hex.EncodeToString(m.Sum(nil)), nil
}

//durable:orchestrator
func Binary(ctx durable.Context, n uint32) (string, error) {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.BigEndian, n); err != nil {
		return "", err
	}
	return base32.StdEncoding.EncodeToString(b.Bytes()), nil
}

//durable:orchestrator
func Rows(ctx durable.Context, in string) (int, error) {
	rows, err := csv.NewReader(strings.NewReader(in)).ReadAll()
	return len(rows), err
}

type set[T comparable] map[T]struct{}

func (s set[T]) add(v T)      { s[v] = struct{}{} }
func (s set[T]) has(v T) bool { _, ok := s[v]; return ok }

func (s set[T]) sorted(by func(a, b T) int) []T { return slices.SortedFunc(maps.Keys(s), by) }

//durable:orchestrator
func Set(ctx durable.Context, in []string) (string, error) {
	s := set[string]{}
	for _, v := range in {
		if !s.has(v) {
			s.add(v)
		}
	}
	return strings.Join(s.sorted(strings.Compare), ","), nil
}

type node[K cmp.Ordered, V any] struct {
	key         K
	value       V
	left, right *node[K, V]
}

type tree[K cmp.Ordered, V any] struct{ root *node[K, V] }

func (t *tree[K, V]) put(k K, v V) {
	at := &t.root
	for *at != nil {
		switch c := cmp.Compare(k, (*at).key); {
		case c == 0:
			(*at).value = v
			return
		case c < 0:
			at = &(*at).left
		default:
			at = &(*at).right
		}
	}
	*at = &node[K, V]{key: k, value: v}
}

func (t *tree[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { t.root.walk(yield) }
}

func (n *node[K, V]) walk(yield func(K, V) bool) bool {
	return n == nil || n.left.walk(yield) && yield(n.key, n.value) && n.right.walk(yield)
}

//durable:orchestrator
func GenericTree(ctx durable.Context, in map[string]int) (string, error) {
	var t tree[string, int]
	for _, k := range slices.Sorted(maps.Keys(in)) {
		t.put(k, in[k])
	}
	var b strings.Builder
	for k, v := range t.all() {
		fmt.Fprintf(&b, "%s=%d;", k, v)
	}
	return b.String(), nil
}

//durable:orchestrator
func Pulls(ctx durable.Context, in []int) (int, error) {
	next, stop := iter.Pull(slices.Values(in))
	defer stop()
	v, ok := next()
	if !ok {
		return 0, errors.New("nothing")
	}
	return v, nil
}

//durable:orchestrator
func Maths(ctx durable.Context, n int) (int, error) {
	return bits.OnesCount(uint(n)) + int(math.Floor(math.Sqrt(float64(n)))) + utf8.RuneLen(rune(n)), nil
}

//durable:orchestrator
func Rationals(ctx durable.Context, in string) (string, error) {
	r, ok := new(big.Rat).SetString(in)
	if !ok {
		return "", strconv.ErrSyntax
	}
	return r.Mul(r, big.NewRat(3, 4)).FloatString(3), nil
}

//durable:orchestrator
func Names(ctx durable.Context, in string) (string, error) {
	u, err := url.Parse(in)
	if err != nil {
		return "", err
	}
	return path.Ext(u.Path) + html.EscapeString(u.RawQuery) + textproto.CanonicalMIMEHeaderKey("accept"), nil
}

//durable:orchestrator
func Mails(ctx durable.Context, in string) (string, error) {
	a, err := mail.ParseAddress(in)
	if err != nil {
		return "", err
	}
	return mime.QEncoding.Encode("utf-8", a.Name), nil
}

//durable:orchestrator
func Tokens(ctx durable.Context, in string) (int, error) {
	var s scanner.Scanner
	s.Init(strings.NewReader(in))
	n := 0
	for tok := s.Scan(); tok != scanner.EOF; tok = s.Scan() {
		n++
	}
	return n + int(token.ADD), nil
}

var reserved = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields("if else for") {
		m[w] = true
	}
	return m
}()

//durable:orchestrator
func Reserved(ctx durable.Context, in string) (bool, error) {
	return reserved[in] || unicode.IsUpper([]rune(in)[0]), nil
}

type visitor interface {
	visit(shape) float64
}

type shape interface{ accept(visitor) float64 }

type square struct{ side float64 }

func (s square) accept(v visitor) float64 { return v.visit(s) }

type area struct{}

func (area) visit(s shape) float64 {
	if q, ok := s.(square); ok {
		return q.side * q.side
	}
	return 0
}

//durable:orchestrator
func Visitor(ctx durable.Context, n float64) (float64, error) {
	shapes := []shape{square{n}, square{2}}
	var most float64
	for _, s := range shapes {
		most = max(most, s.accept(area{}))
	}
	return most, nil
}

type logger interface{ Printf(string, ...any) }

type quiet struct{}

func (quiet) Printf(string, ...any) {}

type job struct {
	logger
	steps []func(int) (int, error)
}

func (j job) run(n int) (out int, err error) {
	out = n
	for i, s := range j.steps {
		j.Printf("step %d", i)
		if out, err = s(out); err != nil {
			return 0, fmt.Errorf("step %d: %w", i, err)
		}
	}
	return out, nil
}

//durable:orchestrator
func EmbeddedInterface(ctx durable.Context, n int) (int, error) {
	j := job{logger: quiet{}, steps: []func(int) (int, error){
		func(n int) (int, error) { return n + 1, nil },
		func(n int) (int, error) {
			if n < 0 {
				return 0, errors.ErrUnsupported
			}
			return n * 2, nil
		},
	}}
	return j.run(n)
}

//durable:orchestrator
func Compose(ctx durable.Context, in string) (string, error) {
	pipe := func(fs ...func(string) string) func(string) string {
		return func(s string) string {
			for _, f := range fs {
				s = f(s)
			}
			return s
		}
	}
	return pipe(strings.TrimSpace, strings.ToUpper, func(s string) string { return s + "!" })(in), nil
}

type temperature float64

func (t temperature) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(t), 'f', 1, 64), nil
}

func (t *temperature) UnmarshalText(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	*t = temperature(f)
	return err
}

//durable:orchestrator
func RoundTrip(ctx durable.Context, in map[string]temperature) (map[string]temperature, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	var out map[string]temperature
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	return out, dec.Decode(&out)
}

type validation struct {
	Field string
	Err   error
}

func (v *validation) Error() string { return v.Field + ": " + v.Err.Error() }
func (v *validation) Unwrap() error { return v.Err }

//durable:orchestrator
func CustomError(ctx durable.Context, in string) (string, error) {
	var err error = &validation{"name", strconv.ErrRange}
	var v *validation
	if errors.As(err, &v) && errors.Is(err, strconv.ErrRange) {
		return v.Field, nil
	}
	return in, err
}

//durable:orchestrator
func Regexps(ctx durable.Context, in string) (string, error) {
	re := regexp.MustCompile(`(\w+)@(\w+)`)
	return re.ReplaceAllStringFunc(in, strings.ToUpper), nil
}

//durable:orchestrator
func Backoff(ctx durable.Context, n int) (int, error) {
	wait := 100 * time.Millisecond
	for i := range n { // want DUR302
		if err := durable.Sleep(ctx, min(wait<<i, time.Minute)); err != nil {
			return i, err
		}
	}
	return n, nil
}

//durable:orchestrator
func Nested(ctx durable.Context, in [][]int) (int, error) {
	sum := 0
rows:
	for _, row := range in {
		for _, v := range row {
			switch {
			case v < 0:
				continue rows
			case v > 1000:
				break rows
			}
			sum += v
		}
	}
	return sum, nil
}

//durable:orchestrator
func Goto(ctx durable.Context, n int) (int, error) {
	i := 0
again:
	if i < n {
		i++
		goto again
	}
	return i, nil
}

//durable:orchestrator
func Interned(ctx durable.Context, in string) (bool, error) {
	return unique.Make(in) == unique.Make("a"), nil
}

type stack[T any] []T

func (s *stack[T]) push(v T) { *s = append(*s, v) }
func (s *stack[T]) pop() (v T, ok bool) {
	if len(*s) == 0 {
		return v, false
	}
	v = (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return v, true
}

//durable:orchestrator
func Brackets(ctx durable.Context, in string) (bool, error) {
	var s stack[rune]
	for _, r := range in {
		switch r {
		case '(', '[':
			s.push(r)
		case ')', ']':
			if open, ok := s.pop(); !ok || (r == ')') != (open == '(') {
				return false, nil
			}
		}
	}
	return len(s) == 0, nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var start = must(time.Parse(time.DateOnly, "2020-01-01"))

//durable:orchestrator
func Must(ctx durable.Context, in string) (int, error) {
	return int(ctx.Now().Sub(start).Hours()), nil
}

//durable:orchestrator
func Builder(ctx durable.Context, in []string) (string, error) {
	b := query{}
	for _, f := range in {
		b = b.where(f)
	}
	return b.limit(10).String(), nil
}

type query struct {
	filters []string
	max     int
}

func (q query) where(f string) query { q.filters = append(slices.Clip(q.filters), f); return q }
func (q query) limit(n int) query    { q.max = n; return q }
func (q query) String() string       { return strings.Join(q.filters, " and ") + strconv.Itoa(q.max) }

//durable:orchestrator
func IgnoresContext(ctx durable.Context, in string) (string, error) {
	return render(context.Background(), in), nil
}

func render(_ context.Context, s string) string { return strconv.Quote(s) }

//durable:orchestrator
func Memo(ctx durable.Context, n int) (int, error) {
	m := memo{known: map[int]int{}}
	return m.fib(n), nil
}

type memo struct{ known map[int]int }

func (m memo) fib(n int) int {
	if n < 2 {
		return n
	}
	if v, ok := m.known[n]; ok {
		return v
	}
	v := m.fib(n-1) + m.fib(n-2)
	m.known[n] = v
	return v
}

//durable:orchestrator
func TypeSwitch(ctx durable.Context, in string) (string, error) {
	var v any
	if err := json.Unmarshal([]byte(in), &v); err != nil {
		return "", err
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	case map[string]any:
		return fmt.Sprint(len(v)), nil
	case fmt.Stringer:
		return v.String(), nil
	}
	return "", nil
}

//durable:orchestrator
func SortedLoop(ctx durable.Context, in map[string]time.Duration) (int, error) {
	keys := make([]string, 0, len(in))
	for k := range in {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return strings.Compare(b, a) })
	for i, k := range keys {
		if err := durable.Sleep(ctx, in[k]); err != nil {
			return i, err
		}
	}
	return len(keys), nil
}

//durable:orchestrator
func SortedByIndex(ctx durable.Context, in map[int]string) (string, error) {
	keys := make([]int, len(in))
	i := 0
	for k := range in {
		keys[i] = k
		i++
	}
	slices.Sort(keys)
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(in[k])
	}
	return b.String(), nil
}

//durable:orchestrator
func DenseKeys(ctx durable.Context, in map[int]string) (string, error) {
	s := ""
	for i := range len(in) {
		s += in[i]
	}
	return s, nil
}

//durable:orchestrator
func MergeMaps(ctx durable.Context, a, b map[string]int) (map[string]int, error) {
	out := maps.Clone(a)
	maps.Copy(out, b)
	for k, v := range out {
		if v == 0 {
			delete(out, k)
			continue
		}
		out[k] = -v
	}
	return out, nil
}

//durable:orchestrator
func CountDistinct(ctx durable.Context, in map[string]string) (int, error) {
	seen := make(map[string]struct{})
	for _, v := range in {
		seen[v] = struct{}{}
	}
	return len(seen), nil
}

//durable:orchestrator
func MissingKeys(ctx durable.Context, in map[string]string) (bool, error) {
	missing := false
	for k, v := range in {
		if strings.TrimSpace(v) == "" || len(k) > 10 {
			missing = true
			break
		}
	}
	return !missing, nil
}

//durable:orchestrator
func EarliestDeadline(ctx durable.Context, in map[string]time.Time) (time.Time, error) {
	var first time.Time
	for _, at := range in {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first, nil
}

//durable:orchestrator
func CheapestTotal(ctx durable.Context, in map[string][]int) (int, error) {
	best := math.MaxInt
	for _, prices := range in {
		total := 0
		for _, p := range prices {
			total += p
		}
		best = min(best, total)
	}
	return best, nil
}

//durable:orchestrator
func MutatesValues(ctx durable.Context, in map[string]*struct{ N int }) (int, error) {
	for _, v := range in {
		v.N++
	}
	return len(in), nil
}

//durable:orchestrator
func ErrorText(ctx durable.Context, in string) (string, error) {
	err := fmt.Errorf("probeclean: %s: %w", in, io.ErrUnexpectedEOF)
	return err.Error() + fmt.Sprintf(" %v %d%%", errors.Unwrap(err), 3), nil
}
