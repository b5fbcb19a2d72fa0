// Package lib is a library of the same module.
package lib

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sort"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// Store is implemented twice.
type Store interface {
	Get(key string) string
}

type Memory struct{ data map[string]string }

func NewMemory() Memory { return Memory{map[string]string{}} }

func (m Memory) Get(key string) string { return m.data[key] }

type Disk struct{ dir string }

func NewDisk(dir string) *Disk { return &Disk{dir} }

func (d *Disk) Get(key string) string {
	b, _ := os.ReadFile(d.dir + key) // want DET301
	return string(b)
}

// Service has a store inside.
type Service struct {
	Store  Store
	Prefix string
	Log    *slog.Logger
	Now    func() time.Time
}

func (s *Service) Find(key string) string { return s.Prefix + s.Store.Get(key) }

func (s *Service) Tell(key string) { s.Log.Info("find", "key", key) }

func (s *Service) Stamp() time.Time { return s.Now() }

// Default is made of memory.
var Default Store = NewMemory()

// OnDisk is made of files.
var OnDisk Store = NewDisk("/tmp")

// Region comes from outside.
var Region = os.Getenv("REGION")

// Next counts.
var Next = counter()

func counter() func() int {
	n := 0
	return func() int { n++; return n }
}

// Version is a setting of the same module.
var Version = "1"

// Map calls f for each.
func Map[T, R any](in []T, f func(T) R) []R {
	out := make([]R, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}

// Sort sorts.
func Sort(keys []string) { sort.Strings(keys) }

// Values gives them in any order.
func Values[K comparable, V any](m map[K]V) []V {
	var out []V
	for _, v := range m { // want DET402
		out = append(out, v)
	}
	return out
}

// Print writes lines.
func Print(w io.Writer, lines ...string) {
	for _, l := range lines {
		fmt.Fprintln(w, l)
	}
}

// Notify schedules.
func Notify(ctx durable.Context, id string) { durable.SendEvent(ctx, id, "note", 1) }

// Base is there to be embedded.
type Base struct{}

func (Base) Created() time.Time {
	return time.Now() // want DET101
}

func (Base) Kind() string { return "base" }

// Fetch is called by a client.
func Fetch(c *http.Client, url string) error {
	_, err := c.Get(url) // want DET302
	return err
}

// Ordered is sorted here.
func Ordered[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Collector gathers.
type Collector struct{ items []string }

func (c *Collector) Add(s string) { c.items = append(c.items, s) }

func (c *Collector) Items() []string { return c.items }

// Shared is one for all.
var Shared Collector

// When formats.
func When(t time.Time) string {
	return t.Format(time.Kitchen) // want DET105
}
