// Package probestate has cases that were written before anybody knew what the linter says of them: package variables.
package probestate

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

var total int

//durable:orchestrator
func Counts(ctx durable.Context, n int) (int, error) {
	total += n // want DET501
	return n, nil
}

var seen = map[string]bool{}

//durable:orchestrator
func Remembers(ctx durable.Context, in string) (string, error) {
	seen[in] = true // want DET501
	return in, nil
}

var cache = map[string]int{}

//durable:orchestrator
func Asks(ctx durable.Context, in string) (int, error) {
	return cache[in], nil // want DET502
}

// Fill is called by whoever starts the worker.
func Fill(in map[string]int) {
	for k, v := range in {
		cache[k] = v
	}
}

var limits = map[string]int{"small": 1, "large": 100}

//durable:orchestrator
func Table(ctx durable.Context, in string) (int, error) {
	return limits[in], nil
}

var squares [10]int

func init() {
	for i := range squares {
		squares[i] = i * i
	}
}

//durable:orchestrator
func FilledAtInit(ctx durable.Context, n int) (int, error) {
	return squares[n%10], nil
}

var home string

func init() {
	home = os.Getenv("HOME")
}

//durable:orchestrator
func FromEnvironment(ctx durable.Context, in string) (string, error) {
	return home + in, nil // want DET503
}

var started = time.Now()

//durable:orchestrator
func Uptime(ctx durable.Context, in string) (bool, error) {
	return ctx.Now().After(started), nil // want DET503
}

var pattern = regexp.MustCompile(`^[a-z]+$`)

//durable:orchestrator
func Pattern(ctx durable.Context, in string) (bool, error) {
	return pattern.MatchString(in), nil
}

var ErrBad = errors.New("bad")

//durable:orchestrator
func Sentinel(ctx durable.Context, in string) (bool, error) {
	return errors.Is(errors.Join(ErrBad), ErrBad), nil
}

var replacer = strings.NewReplacer("<", "&lt;", ">", "&gt;")

//durable:orchestrator
func Replaces(ctx durable.Context, in string) (string, error) {
	return replacer.Replace(in), nil
}

type sequence struct{ n int }

func (s *sequence) next() int { s.n++; return s.n }

var ids sequence

//durable:orchestrator
func Next(ctx durable.Context, in string) (int, error) {
	return ids.next(), nil // want DET501
}

//durable:orchestrator
func NextOfLocal(ctx durable.Context, in string) (int, error) {
	var s sequence
	s.next()
	return s.next(), nil
}

var next = func() func() int {
	n := 0
	return func() int { n++; return n }
}()

//durable:orchestrator
func GlobalClosure(ctx durable.Context, in string) (int, error) {
	return next(), nil // want DET504
}

var hook func(string) string

// SetHook is for tests.
func SetHook(f func(string) string) { hook = f }

//durable:orchestrator
func Hook(ctx durable.Context, in string) (string, error) {
	if hook == nil { // want DET502
		return in, nil
	}
	return hook(in), nil // want DET502
}

var upper = strings.ToUpper

//durable:orchestrator
func FuncVariable(ctx durable.Context, in string) (string, error) { return upper(in), nil }

type config struct {
	Region  string
	Retries int
}

var current = &config{Region: "eu", Retries: 3}

// Configure is called when the file changes.
func Configure(c config) { *current = c }

//durable:orchestrator
func Configured(ctx durable.Context, in string) (int, error) {
	return current.Retries, nil // want DET502
}

var fixed = config{Region: "us", Retries: 5}

//durable:orchestrator
func Fixed(ctx durable.Context, in string) (int, error) { return fixed.Retries, nil }

var defaults = []string{"a", "b"}

//durable:orchestrator
func CopiesGlobal(ctx durable.Context, in string) (int, error) {
	mine := append([]string{}, defaults...)
	mine[0] = in
	return len(mine), nil
}

//durable:orchestrator
func WritesElement(ctx durable.Context, in string) (int, error) {
	mine := defaults2 // want DET502
	mine[0] = in      // want DET501
	return len(mine), nil
}

var defaults2 = []string{"a", "b"}

func bump(p *int) { *p++ }

var level int

//durable:orchestrator
func ByPointer(ctx durable.Context, in string) (string, error) {
	bump(&level) // want DET501
	return in, nil
}

//durable:orchestrator
func LocalByPointer(ctx durable.Context, n int) (int, error) {
	bump(&n)
	return n, nil
}

var mu sync.Mutex

var quota = 10

//durable:orchestrator
func Guarded(ctx durable.Context, n int) (int, error) {
	mu.Lock() // want DET204
	defer mu.Unlock()
	quota-- // want DET501
	return n, nil
}

type Handler struct {
	retries int
}

//durable:orchestrator
func (h *Handler) Handle(ctx durable.Context, n int) (int, error) { // want DET506 DUR108
	return n + h.retries, nil
}

type Stateless struct{}

//durable:orchestrator
func (Stateless) Run(ctx durable.Context, n int) (int, error) { return n + 1, nil } // want DUR108

const timeout = 3 * time.Second

//durable:orchestrator
func Constants(ctx durable.Context, n int) (bool, error) {
	return time.Duration(n) > timeout, nil
}

type state int

const (
	idle state = iota
	busy
)

var names = [...]string{idle: "idle", busy: "busy"}

func (s state) String() string { return names[s] }

//durable:orchestrator
func Enum(ctx durable.Context, n int) (string, error) { return state(n % 2).String(), nil }

var registry = map[string]func(int) int{}

func register(name string, f func(int) int) { registry[name] = f }

func init() {
	register("double", func(n int) int { return 2 * n })
	register("half", func(n int) int { return n / 2 })
}

//durable:orchestrator
func Registered(ctx durable.Context, n int) (int, error) {
	return registry["double"](n), nil
}

var handlers = map[string]func() string{
	"zone": func() string {
		return os.Getenv("TZ") // want DET304
	},
	"none": func() string { return "" },
}

//durable:orchestrator
func Handlers(ctx durable.Context, in string) (string, error) { return handlers[in](), nil }

//durable:readonly
var region string

// Setup is called before the worker starts.
func Setup(r string) { region = r }

//durable:orchestrator
func ReadOnly(ctx durable.Context, in string) (string, error) { return region + in, nil }

var errs error

//durable:orchestrator
func NilError(ctx durable.Context, in string) (bool, error) { return errs == nil, nil }
