// Package huntflow has closures, methods, interfaces and generic code as people write them. All of it was written before anybody
// knew what the linter says of it.
package huntflow

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type clock interface{ Now() time.Time }

type wall struct{}

func (wall) Now() time.Time { return time.Now() } // want DET101

type fixed struct{ at time.Time }

func (f fixed) Now() time.Time { return f.at }

//durable:orchestrator
func WallBehindInterface(ctx durable.Context, in string) (int, error) {
	var c clock = wall{}
	return c.Now().Year(), nil
}

//durable:orchestrator
func FixedBehindInterface(ctx durable.Context, in time.Time) (int, error) {
	var c clock = fixed{in}
	return c.Now().Year(), nil
}

//durable:orchestrator
func ContextBehindInterface(ctx durable.Context, in string) (int, error) {
	var c clock = ctx
	return c.Now().Year(), nil
}

type service struct {
	clock
	name string
}

//durable:orchestrator
func EmbeddedFixed(ctx durable.Context, in time.Time) (int, error) {
	s := service{clock: fixed{in}, name: "s"}
	return s.Now().Year(), nil
}

type stamper struct{ now func() time.Time }

func (s stamper) stamp() string { return s.now().String() }

//durable:orchestrator
func FieldFunc(ctx durable.Context, in string) (string, error) {
	s := stamper{now: ctx.Now}
	return s.stamp(), nil
}

//durable:orchestrator
func FieldFuncWall(ctx durable.Context, in string) (string, error) {
	s := stamper{now: time.Now} // want DET101
	return s.stamp(), nil
}

//durable:orchestrator
func MethodValue(ctx durable.Context, in time.Time) (int, error) {
	now := fixed{in}.Now
	return now().Year(), nil
}

type roller struct{}

func (roller) roll() int { return rand.IntN(6) } // want DET111

//durable:orchestrator
func MethodValueRandom(ctx durable.Context, in string) (int, error) {
	roll := roller{}.roll
	return roll(), nil
}

//durable:orchestrator
func MethodExpression(ctx durable.Context, in string) (string, error) {
	up := (*strings.Reader).Len
	return fmt.Sprint(up(strings.NewReader(in))), nil
}

//durable:orchestrator
func DeferredClosure(ctx durable.Context, in string) (out string, err error) {
	defer func() {
		if err != nil {
			out = time.Now().String() // want DET101
		}
	}()
	return in, errors.New("no")
}

//durable:orchestrator
func DeferredHarmless(ctx durable.Context, in string) (out string, err error) {
	defer func() { out = strings.TrimSpace(out) }()
	return in, nil
}

//durable:orchestrator
func DeferredRemove(ctx durable.Context, in string) (string, error) {
	defer os.Remove(in) // want DET301
	return in, nil
}

type number interface{ ~int | ~int64 }

func sum[T number](list []T) (n T) {
	for _, v := range list {
		n += v
	}
	return n
}

//durable:orchestrator
func GenericSum(ctx durable.Context, in []int) (int, error) { return sum(in), nil }

func mapAll[T, U any](list []T, f func(T) U) []U {
	var out []U
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}

//durable:orchestrator
func GenericMap(ctx durable.Context, in []string) ([]int, error) {
	return mapAll(in, func(s string) int { return len(s) }), nil
}

//durable:orchestrator
func GenericMapEnv(ctx durable.Context, in []string) ([]string, error) {
	return mapAll(in, os.Getenv), nil // want DET304
}

type stringer interface{ String() string }

type loud struct{ s string }

func (l loud) String() string {
	fmt.Println(l.s) // want DET306
	return l.s
}

type quiet struct{ s string }

func (q quiet) String() string { return q.s }

func texts[T stringer](list ...T) (out []string) {
	for _, v := range list {
		out = append(out, v.String())
	}
	return out
}

//durable:orchestrator
func GenericQuiet(ctx durable.Context, in string) ([]string, error) { return texts(quiet{in}), nil }

//durable:orchestrator
func GenericLoud(ctx durable.Context, in string) ([]string, error) { return texts(loud{in}), nil }

type stack[T any] struct{ list []T }

func (s *stack[T]) push(v T) { s.list = append(s.list, v) }
func (s *stack[T]) pop() (v T, ok bool) {
	if len(s.list) == 0 {
		return v, false
	}
	v, s.list = s.list[len(s.list)-1], s.list[:len(s.list)-1]
	return v, true
}

//durable:orchestrator
func GenericStack(ctx durable.Context, in []string) (string, error) {
	var s stack[string]
	for _, v := range in {
		s.push(v)
	}
	v, _ := s.pop()
	return v, nil
}

type option func(*settings)

type settings struct {
	limit int
	now   func() time.Time
}

func withLimit(n int) option { return func(s *settings) { s.limit = n } }

func withWall() option { return func(s *settings) { s.now = time.Now } } // want DET101

func apply(opts ...option) settings {
	var s settings
	for _, o := range opts {
		o(&s)
	}
	return s
}

//durable:orchestrator
func Options(ctx durable.Context, n int) (int, error) { return apply(withLimit(n)).limit, nil }

//durable:orchestrator
func OptionsWall(ctx durable.Context, n int) (int, error) {
	s := apply(withLimit(n), withWall())
	return s.now().Year(), nil
}

type state func(string) (state, string)

func start(s string) (state, string) { return middle, s + "s" }
func middle(s string) (state, string) {
	return end, s + "m"
}
func end(s string) (state, string) { return nil, s + "e" }

//durable:orchestrator
func StateMachine(ctx durable.Context, in string) (string, error) {
	for f := state(start); f != nil; {
		f, in = f(in)
	}
	return in, nil
}

var handlers = map[string]func(string) string{
	"up":   strings.ToUpper,
	"home": func(string) string { return os.Getenv("HOME") }, // want DET304
}

//durable:orchestrator
func HandlerTable(ctx durable.Context, in string) (string, error) { return handlers[in](in), nil }

var rules = []struct {
	name string
	ok   func(int) bool
}{
	{"even", func(n int) bool { return n%2 == 0 }},
	{"small", func(n int) bool { return n < 10 }},
}

//durable:orchestrator
func RuleTable(ctx durable.Context, n int) (string, error) {
	for _, r := range rules {
		if r.ok(n) {
			return r.name, nil
		}
	}
	return "", nil
}

func counter() func() int {
	n := 0
	return func() int { n++; return n }
}

//durable:orchestrator
func LocalCounter(ctx durable.Context, in string) (int, error) {
	next := counter()
	return next() + next(), nil
}

var tickets = counter()

//durable:orchestrator
func GlobalCounter(ctx durable.Context, in string) (int, error) {
	return tickets(), nil // want DET504
}

var cache = map[string]int{}

func cached(s string) int {
	if n, ok := cache[s]; ok { // want DET502
		return n
	}
	cache[s] = len(s) // want DET501
	return len(s)
}

//durable:orchestrator
func Memoised(ctx durable.Context, in string) (int, error) { return cached(in), nil }

//durable:orchestrator
func LocalMemo(ctx durable.Context, in []string) (int, error) {
	memo := map[string]int{}
	n := 0
	for _, s := range in {
		if _, ok := memo[s]; !ok {
			memo[s] = len(s)
		}
		n += memo[s]
	}
	return n, nil
}

type writer struct{ w io.Writer }

func (w writer) line(s string) { fmt.Fprintln(w.w, s) }

//durable:orchestrator
func WriterOverBuilder(ctx durable.Context, in string) (string, error) {
	var b strings.Builder
	writer{&b}.line(in)
	return b.String(), nil
}

//durable:orchestrator
func WriterOverStderr(ctx durable.Context, in string) (string, error) {
	writer{os.Stderr}.line(in) // want DET306
	return in, nil
}

type visitor interface{ visit(n int) visitor }

type depth struct{ max *int }

func (d depth) visit(n int) visitor {
	*d.max = max(*d.max, n)
	if n == 0 {
		return nil
	}
	return d
}

func walk(v visitor, n int) {
	if v = v.visit(n); v != nil {
		walk(v, n-1)
	}
}

//durable:orchestrator
func Visitor(ctx durable.Context, n int) (int, error) {
	var m int
	walk(depth{&m}, n)
	return m, nil
}

type failure struct{ at time.Time }

func (f failure) Error() string { return "failed at " + f.at.Format(time.RFC3339) }

//durable:orchestrator
func TypedError(ctx durable.Context, in string) error { return failure{ctx.Now()} }

//durable:orchestrator
func TypedErrorWall(ctx durable.Context, in string) error {
	return failure{time.Now()} // want DET101
}

//durable:orchestrator
func SelectDefault(ctx durable.Context, in string) (string, error) {
	done := make(chan string, 1) // want DET202
	select {                     // want DET203
	case s := <-done:
		return s, nil
	default:
		return in, nil
	}
}

func ping(ctx durable.Context, n int) error {
	if err := durable.Sleep(ctx, time.Hour); err != nil {
		return err
	}
	return pong(ctx, n) // want DUR301
}

func pong(ctx durable.Context, n int) error {
	if err := durable.Sleep(ctx, time.Hour); err != nil {
		return err
	}
	return ping(ctx, n)
}

//durable:orchestrator
func PingPong(ctx durable.Context, n int) error { return ping(ctx, n) }

func down(ctx durable.Context, n int) error {
	if n <= 0 {
		return nil
	}
	if err := durable.Sleep(ctx, time.Hour); err != nil {
		return err
	}
	return further(ctx, n)
}

func further(ctx durable.Context, n int) error {
	if err := durable.Sleep(ctx, time.Minute); err != nil {
		return err
	}
	return down(ctx, n-1)
}

//durable:orchestrator
func DownAndFurther(ctx durable.Context, n int) error { return down(ctx, n) }

func left(ctx durable.Context, n int) error {
	if n == 0 { // it never changes
		return nil
	}
	return right(ctx, n) // want DUR301
}

func right(ctx durable.Context, n int) error {
	if err := durable.Sleep(ctx, time.Minute); err != nil {
		return err
	}
	return left(ctx, n)
}

//durable:orchestrator
func LeftAndRight(ctx durable.Context, n int) error { return left(ctx, n) }

type poller struct{ every time.Duration }

func (p poller) poll(ctx durable.Context) error {
	if err := durable.Sleep(ctx, p.every); err != nil {
		return err
	}
	return p.again(ctx) // want DUR301
}

func (p poller) again(ctx durable.Context) error { return p.poll(ctx) }

//durable:orchestrator
func Poller(ctx durable.Context, every time.Duration) error { return poller{every}.poll(ctx) }

func untilNoon(ctx durable.Context) error {
	if err := durable.Sleep(ctx, time.Minute); err != nil {
		return err
	}
	return checkNoon(ctx)
}

func checkNoon(ctx durable.Context) error {
	if ctx.Now().Hour() >= 12 {
		return nil
	}
	return untilNoon(ctx)
}

//durable:orchestrator
func Noon(ctx durable.Context, in string) error { return untilNoon(ctx) }

func isEven(n int) bool {
	if n == 0 {
		return true
	}
	return isOdd(n - 1)
}

func isOdd(n int) bool {
	if n == 0 {
		return false
	}
	return isEven(n - 1)
}

//durable:orchestrator
func Parity(ctx durable.Context, n int) (bool, error) { return isEven(n), nil }

type tree struct {
	Left, Right *tree
	Weight      int
}

func (t *tree) total() int {
	if t == nil {
		return 0
	}
	return t.Weight + t.Left.total() + t.Right.total()
}

//durable:orchestrator
func Tree(ctx durable.Context, in tree) (int, error) { return in.total(), nil }

//durable:orchestrator
func Closures(ctx durable.Context, in []string) (string, error) {
	var fs []func() string
	for _, s := range in {
		fs = append(fs, func() string { return strings.ToUpper(s) })
	}
	var b strings.Builder
	for _, f := range fs {
		b.WriteString(f())
	}
	return b.String(), nil
}

//durable:orchestrator
func SortsByRandom(ctx durable.Context, in []string) ([]string, error) {
	slices.SortFunc(in, func(a, b string) int { return rand.IntN(3) - 1 }) // want DET111
	return in, nil
}

//durable:orchestrator
func SortsByLength(ctx durable.Context, in []string) ([]string, error) {
	slices.SortStableFunc(in, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	return in, nil
}

//durable:orchestrator
func RecoversPanic(ctx durable.Context, in string) (out string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return strings.Repeat(in, 2), nil
}
