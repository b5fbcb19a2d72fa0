// Package far uses a library of the same module.
package far

import (
	"bytes"
	"log/slog"
	"math/rand"
	"net/http"
	"strings"
	"time"

	"github.com/durablegen/durablegen/lint/testdata/corpus/lib"
	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func OfMemory(ctx durable.Context, in string) (string, error) {
	s := &lib.Service{Store: lib.NewMemory(), Prefix: in}
	return s.Find(in), nil
}

//durable:orchestrator
func OfDisk(ctx durable.Context, in string) (string, error) {
	s := &lib.Service{Store: lib.NewDisk(in)}
	return s.Find(in), nil
}

//durable:orchestrator
func OfOwnLogger(ctx durable.Context, in string) (string, error) {
	s := &lib.Service{Log: ctx.Logger()}
	s.Tell(in)
	return in, nil
}

//durable:orchestrator
func OfDefaultLogger(ctx durable.Context, in string) (string, error) {
	s := &lib.Service{Log: slog.Default()} // want DET306
	s.Tell(in)
	return in, nil
}

//durable:orchestrator
func OfContextClock(ctx durable.Context, in string) (string, error) {
	s := lib.Service{Now: ctx.Now}
	return s.Stamp().String(), nil
}

//durable:orchestrator
func OfSystemClock(ctx durable.Context, in string) (string, error) {
	s := lib.Service{
		Now: time.Now, // want DET101
	}
	return s.Stamp().String(), nil
}

//durable:orchestrator
func GlobalMemory(ctx durable.Context, in string) (string, error) { return lib.Default.Get(in), nil }

//durable:orchestrator
func GlobalDisk(ctx durable.Context, in string) (string, error) { return lib.OnDisk.Get(in), nil }

//durable:orchestrator
func Region(ctx durable.Context, in string) (string, error) {
	return lib.Region + in, nil // want DET503
}

//durable:orchestrator
func Counts(ctx durable.Context, in string) (int, error) {
	return lib.Next(), nil // want DET504
}

//durable:orchestrator
func OwnSetting(ctx durable.Context, in string) (string, error) { return in + lib.Version, nil }

//durable:orchestrator
func Mapped(ctx durable.Context, in []string) ([]int, error) {
	return lib.Map(in, func(s string) int { return len(s) }), nil
}

//durable:orchestrator
func MappedRandom(ctx durable.Context, in []string) ([]int, error) {
	return lib.Map(in, func(s string) int {
		return rand.Intn(len(s)) // want DET111
	}), nil
}

//durable:orchestrator
func SortedThere(ctx durable.Context, in map[string]int) ([]string, error) {
	var keys []string
	for k := range in {
		keys = append(keys, k)
	}
	lib.Sort(keys)
	return keys, nil
}

//durable:orchestrator
func ValuesSummed(ctx durable.Context, in map[string]int) (int, error) {
	n := 0
	for _, v := range lib.Values(in) {
		n += v
	}
	return n, nil
}

//durable:orchestrator
func ValuesFirst(ctx durable.Context, in map[string]int) (int, error) { return lib.Values(in)[0], nil }

//durable:orchestrator
func Prints(ctx durable.Context, in []string) (string, error) {
	var b bytes.Buffer
	lib.Print(&b, in...)
	return b.String(), nil
}

//durable:orchestrator
func NotifiesAll(ctx durable.Context, in map[string]int) (int, error) {
	for id := range in { // want DET401
		lib.Notify(ctx, id)
	}
	return len(in), nil
}

//durable:orchestrator
func NotifiesInOrder(ctx durable.Context, in map[string]int) (int, error) {
	for _, id := range lib.Ordered(in) {
		lib.Notify(ctx, id)
	}
	return len(in), nil
}

type thing struct {
	lib.Base
	name string
}

//durable:orchestrator
func Created(ctx durable.Context, in string) (string, error) {
	return thing{name: in}.Created().String(), nil
}

type kinder interface{ Kind() string }

//durable:orchestrator
func Kind(ctx durable.Context, in string) (string, error) {
	var k kinder = thing{name: in}
	return k.Kind(), nil
}

//durable:orchestrator
func Fetches(ctx durable.Context, in string) (string, error) {
	return in, lib.Fetch(http.DefaultClient, in)
}

//durable:orchestrator
func Collects(ctx durable.Context, in []string) (string, error) {
	var c lib.Collector
	for _, s := range in {
		c.Add(s)
	}
	return strings.Join(c.Items(), ","), nil
}

//durable:orchestrator
func CollectsShared(ctx durable.Context, in []string) (string, error) {
	for _, s := range in {
		lib.Shared.Add(s) // want DET501
	}
	return "", nil
}

//durable:orchestrator
func CollectsInMapOrder(ctx durable.Context, in map[string]int) (string, error) {
	var c lib.Collector
	for s := range in { // want DET402
		c.Add(s)
	}
	return strings.Join(c.Items(), ","), nil
}

//durable:orchestrator
func WhenLocal(ctx durable.Context, n int64) (string, error) { return lib.When(time.Unix(n, 0)), nil }

//durable:orchestrator
func WhenUTC(ctx durable.Context, n int64) (string, error) {
	return lib.When(time.Unix(n, 0).UTC()) + lib.When(ctx.Now()), nil
}

type cached struct {
	lib.Store
	hits int
}

func (c *cached) Get(key string) string {
	c.hits++
	return c.Store.Get(key)
}

//durable:orchestrator
func WrappedMemory(ctx durable.Context, in string) (string, error) {
	var s lib.Store = &cached{Store: lib.NewMemory()}
	return s.Get(in), nil
}

//durable:orchestrator
func WrappedDisk(ctx durable.Context, in string) (string, error) {
	var s lib.Store = &cached{Store: lib.NewDisk(in)}
	return s.Get(in), nil
}
