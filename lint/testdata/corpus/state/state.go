// Package state has package variables.
package state

import (
	"errors"
	"log"
	"math/rand"
	"os"
	"strings"
	"sync"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

var (
	total   int
	cache   = map[string]int{}
	history []string
	config  struct{ Rate int }
	numbers [4]int
)

//durable:orchestrator
func Adds(ctx durable.Context, n int) (int, error) {
	total += n // want DET501
	return n, nil
}

//durable:orchestrator
func Caches(ctx durable.Context, in string) (int, error) {
	cache[in] = len(in) // want DET501
	return len(in), nil
}

//durable:orchestrator
func Appends(ctx durable.Context, in string) (string, error) {
	remember(in)
	return in, nil
}

func remember(s string) {
	history = append(history, s) // want DET501
}

//durable:orchestrator
func Field(ctx durable.Context, n int) (int, error) {
	config.Rate = n // want DET501
	return n, nil
}

//durable:orchestrator
func ByPointer(ctx durable.Context, n int) (int, error) {
	p := &numbers[n%4]
	*p = n // want DET501
	return n, nil
}

//durable:orchestrator
func ByArgument(ctx durable.Context, n int) (int, error) {
	set(&config.Rate, n) // want DET501
	return n, nil
}

func set(p *int, n int) { *p = n }

type registry struct{ names []string }

func (r *registry) add(s string) { r.names = append(r.names, s) }

func (r *registry) has(s string) bool {
	for _, n := range r.names {
		if n == s {
			return true
		}
	}
	return false
}

var known = &registry{}

//durable:orchestrator
func Method(ctx durable.Context, in string) (string, error) {
	known.add(in) // want DET501
	return in, nil
}

//durable:orchestrator
func Deletes(ctx durable.Context, in string) (string, error) {
	delete(cache, in) // want DET501
	return in, nil
}

//durable:orchestrator
func InClosure(ctx durable.Context, in string) (string, error) {
	note := func() {
		total++ // want DET501
	}
	defer note()
	return in, nil
}

var debug bool

// SetDebug is called by main.
func SetDebug(on bool) { debug = on }

//durable:orchestrator
func ReadsSwitch(ctx durable.Context, in string) (string, error) {
	if debug { // want DET502
		return "", errors.New("debugging")
	}
	return in, nil
}

//durable:orchestrator
func ReadsCache(ctx durable.Context, in string) (int, error) { return cached(in), nil }

func cached(s string) int {
	return cache[s] // want DET502
}

//durable:orchestrator
func ReadsRegistry(ctx durable.Context, in string) (bool, error) {
	return known.has(in), nil // want DET502
}

var (
	started  = time.Now()
	region   = os.Getenv("REGION")
	home     = strings.TrimSuffix(region, "/") + "/home"
	hostname string
	lucky    = draw()
)

func init() { hostname, _ = os.Hostname() }

func draw() int { return rand.Intn(10) }

//durable:orchestrator
func ReadsClock(ctx durable.Context, in string) (string, error) {
	return started.String(), nil // want DET503
}

//durable:orchestrator
func ReadsEnvironment(ctx durable.Context, in string) (string, error) {
	return region + in, nil // want DET503
}

//durable:orchestrator
func ReadsDerived(ctx durable.Context, in string) (string, error) {
	return home + in, nil // want DET503
}

//durable:orchestrator
func ReadsInit(ctx durable.Context, in string) (string, error) {
	return hostname, nil // want DET503
}

//durable:orchestrator
func ReadsDrawn(ctx durable.Context, in string) (int, error) {
	return lucky, nil // want DET503
}

var next = counter()

func counter() func() int {
	n := 0
	return func() int {
		n++
		return n
	}
}

//durable:orchestrator
func Counts(ctx durable.Context, in string) (int, error) {
	return next(), nil // want DET504
}

type ticket struct{ n int }

func (t *ticket) take() int {
	t.n++
	return t.n
}

var take = new(ticket).take

//durable:orchestrator
func Takes(ctx durable.Context, in string) (int, error) {
	return take(), nil // want DET504
}

var generator = rand.New(rand.NewSource(1))

//durable:orchestrator
func Draws(ctx durable.Context, n int) (int, error) {
	return generator.Intn(n), nil // want DET501
}

//durable:orchestrator
func OwnCounter(ctx durable.Context, in string) (int, error) {
	next := counter()
	t := &ticket{}
	var r registry
	r.add(in)
	return next() + t.take() + len(r.names), nil
}

// ---- tables

var rates = map[string]int{"a": 1}

var steps = []string{"one", "two"}

var byName map[string]int

var handlers = map[string]func(string) string{"upper": strings.ToUpper, "trim": strings.TrimSpace}

var limits = load()

var errGone = errors.New("gone")

var std = struct{ Name string }{"x"}

func load() map[string]int {
	m := map[string]int{}
	for i, s := range steps {
		m[s] = i
	}
	return m
}

func init() {
	byName = map[string]int{}
	fill(byName)
	rates["b"] = 2
}

func fill(m map[string]int) {
	for i, s := range steps {
		m[s] = i
	}
}

//durable:orchestrator
func Tables(ctx durable.Context, in string) (int, error) {
	if in == std.Name {
		return 0, errGone
	}
	return rates[in] + byName[in] + limits[in] + len(steps) + len(handlers[in](in)), nil
}

// frozen is set by main before any worker starts.
//
//durable:readonly
var frozen int

// Freeze sets frozen.
func Freeze(n int) { frozen = n }

//durable:orchestrator
func ReadsFrozen(ctx durable.Context, n int) (int, error) { return n + frozen, nil }

// metrics belongs to activities.
var metrics = map[string]int{}

var mu sync.Mutex

func observe(name string) {
	mu.Lock()
	defer mu.Unlock()
	metrics[name]++
	log.Println(name)
}

var _ = observe

//durable:orchestrator
func Shadows(ctx durable.Context, n int) (int, error) {
	total, cache := n, map[string]int{}
	total++
	cache["a"] = total
	return total + cache["a"], nil
}

//durable:orchestrator
func CopiesTable(ctx durable.Context, in string) (int, error) {
	own := map[string]int{}
	for k, v := range rates {
		own[k] = v
	}
	own[in] = 3
	names := append([]string(nil), steps...)
	names[0] = in
	return len(own) + len(names), nil
}

func double(m map[string]int) map[string]int {
	out := map[string]int{}
	for k, v := range m {
		out[k] = 2 * v
	}
	return out
}

//durable:orchestrator
func PassesTable(ctx durable.Context, in string) (int, error) { return double(rates)[in], nil }
