// Package last has what other packages of the corpus do not think of.
package last

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"weak"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Weak(ctx durable.Context, in string) (bool, error) {
	p := weak.Make(&in) // want DET206
	return p.Value() != nil, nil
}

//durable:orchestrator
func Finalizer(ctx durable.Context, in string) (string, error) {
	p := &in
	runtime.SetFinalizer(p, nil) // want DET206
	return *p, nil
}

type scoped struct {
	durable.Context
	log *slog.Logger
}

func (s scoped) say(text string) { s.log.Info(text) }

//durable:orchestrator
func OwnContext(ctx durable.Context, in string) (string, error) {
	s := scoped{ctx, ctx.Logger()} // want DUR103
	s.say(in)
	return s.Now().UTC().String(), nil
}

var config struct{ Region string }

//durable:orchestrator
func UnmarshalsIntoGlobal(ctx durable.Context, in string) (string, error) {
	err := json.Unmarshal([]byte(in), &config) // want DET501
	return in, err
}

var out strings.Builder

//durable:orchestrator
func WritesIntoGlobal(ctx durable.Context, in string) (string, error) {
	fmt.Fprint(&out, in) // want DET501
	return in, nil
}

type worker struct{ steps []func() }

func (w *worker) step(f func()) { w.steps = append(w.steps, f) }

func (w *worker) run() {
	for _, f := range w.steps {
		f()
	}
}

//durable:orchestrator
func Steps(ctx durable.Context, in string) (string, error) {
	var w worker
	w.step(func() { in += "!" })
	w.step(func() {
		in += os.Getenv("SUFFIX") // want DET304
	})
	w.run()
	return in, nil
}

type source interface{ Uint64() uint64 }

type constant uint64

func (c constant) Uint64() uint64 { return uint64(c) }

type entropy struct{}

func (entropy) Uint64() uint64 {
	return rand.Uint64() // want DET111
}

//durable:orchestrator
func OwnSource(ctx durable.Context, n int) (int, error) {
	var s source = constant(n)
	return rand.New(s).IntN(6), nil
}

//durable:orchestrator
func OwnEntropy(ctx durable.Context, n int) (int, error) { return rand.New(entropy{}).IntN(6), nil }

type alias = time.Time

//durable:orchestrator
func Alias(ctx durable.Context, in string) (alias, error) {
	var t alias = time.Now() // want DET101
	return t, nil
}

//durable:orchestrator
func Labelled(ctx durable.Context, in [][]int) (int, error) {
	total := 0
outer:
	for i, row := range in {
		for j, v := range row {
			if v < 0 {
				continue outer
			}
			if i+j > 100 {
				break outer
			}
			total += v
		}
	}
	return total, nil
}

//durable:orchestrator
func Helpless(ctx durable.Context, in map[string]int) ([]string, error) {
	keys := slices.AppendSeq(make([]string, 0, len(in)), maps.Keys(in)) // want DET404
	return keys, nil
}

//durable:orchestrator
func Sorted(ctx durable.Context, in map[string]int) ([]string, error) {
	keys := slices.AppendSeq(make([]string, 0, len(in)), maps.Keys(in))
	slices.SortFunc(keys, strings.Compare)
	return keys, nil
}

type cache struct {
	mu sync.RWMutex
	m  map[string]string
}

func (c *cache) get(k string) (string, bool) {
	c.mu.RLock() // want DET204
	defer c.mu.RUnlock()
	v, ok := c.m[k]
	return v, ok
}

var shared = &cache{m: map[string]string{"a": "b"}}

//durable:orchestrator
func Cached(ctx durable.Context, in string) (string, error) {
	v, _ := shared.get(in)
	return v, nil
}

type nothing struct{}

func (nothing) Write(p []byte) (int, error) { return len(p), nil }

//durable:orchestrator
func MultiWriter(ctx durable.Context, in string) (string, error) {
	var b strings.Builder
	w := io.MultiWriter(&b, nothing{}, io.Discard)
	fmt.Fprintf(w, "%s", in)
	return b.String(), nil
}

//durable:orchestrator
func MultiWriterToStdout(ctx durable.Context, in string) (string, error) {
	var b strings.Builder
	w := io.MultiWriter(&b, os.Stdout) // want DET306
	fmt.Fprintf(w, "%s", in)
	return b.String(), nil
}

type visitor interface{ visit(n int) }

type adder struct{ sum int }

func (a *adder) visit(n int) { a.sum += n }

type printer struct{}

func (printer) visit(n int) {
	fmt.Println(n) // want DET306
}

func each(ns []int, v visitor) {
	for _, n := range ns {
		v.visit(n)
	}
}

//durable:orchestrator
func Visits(ctx durable.Context, in []int) (int, error) {
	a := &adder{}
	each(in, a)
	return a.sum, nil
}

//durable:orchestrator
func VisitsPrinting(ctx durable.Context, in []int) (int, error) {
	each(in, printer{})
	return 0, nil
}

//durable:orchestrator
func VisitsMap(ctx durable.Context, in map[string]int) (int, error) {
	a := &adder{}
	for _, n := range in {
		a.visit(n)
	}
	return a.sum, nil
}
