// Package helper is a package of the same module, without orchestrators.
package helper

import (
	"fmt"
	"iter"
	"maps"
	"os"
	"sort"
	"strings"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

func Stamp() int64 {
	return time.Now().Unix() // want DET101
}

func Region() string { return region() }

func region() string {
	return os.Getenv("REGION") // want DET304
}

// Unused has a hazard that no orchestrator reaches.
func Unused() time.Time { return time.Now() }

func Title(s string) string { return strings.ToUpper(s) + fmt.Sprint(len(s)) }

// Keys gives the keys in any order; who sorts them does no harm.
func Keys[M ~map[K]V, K comparable, V any](m M) []K {
	keys := make([]K, 0, len(m))
	for k := range m { // want DET402
		keys = append(keys, k)
	}
	return keys
}

func Names(m map[string]int) []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	sort.Strings(names)
	return names
}

// Each gives the keys in any order.
func Each(m map[string]int) iter.Seq[string] {
	return maps.Keys(m) // want DET404
}

// Nap schedules.
func Nap(ctx durable.Context, n int) { _ = durable.Sleep(ctx, time.Duration(n)) }

type Clock interface{ Now() time.Time }

type System struct{}

func (System) Now() time.Time {
	return time.Now() // want DET101
}

type Fixed struct{ At time.Time }

func (f Fixed) Now() time.Time { return f.At }

func Age(c Clock, since time.Time) time.Duration { return c.Now().Sub(since) }

// Debug is set by the command line.
var Debug bool

func SetDebug(on bool) { Debug = on }

// Limits is a table.
var Limits = map[string]int{"a": 1}

// Sentinel is an error.
var Sentinel = fmt.Errorf("helper: %d", 1)
