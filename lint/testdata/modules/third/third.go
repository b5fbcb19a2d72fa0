// Package third stands for a module of somebody else.
package third

import (
	"net/http"
	"os"
	"sort"
	"sync"
	"time"

	"example.com/third/deep"
)

// MaxRetries may be set by whoever runs the process.
var MaxRetries = 3

// Verbose is written by SetVerbose.
var Verbose bool

func SetVerbose(on bool) { Verbose = on }

// Codes is a table.
var Codes = map[string]int{"a": 1, "b": 2}

// Started is when the process began.
var Started = time.Now()

// Hook is set by main.
var Hook func(string)

func Stamp() int64 { return time.Now().Unix() }

func Deep() int64 { return deep.Stamp() }

func Double(n int) int { return 2 * n }

func Read(name string) ([]byte, error) { return os.ReadFile(name) }

// Apply calls f.
func Apply(items []string, f func(string) string) []string {
	var out []string
	for _, s := range items {
		out = append(out, f(s))
	}
	return out
}

// Keys gives the keys in any order.
func Keys[K comparable, V any](m map[K]V) []K {
	var keys []K
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// SortedKeys gives them in order.
func SortedKeys(m map[string]int) []string {
	keys := Keys(m)
	sort.Strings(keys)
	return keys
}

type Store interface{ Get(key string) string }

type HTTPStore struct{ Base string }

func (s *HTTPStore) Get(key string) string {
	resp, err := http.Get(s.Base + key)
	if err != nil {
		return ""
	}
	return resp.Status
}

type MapStore map[string]string

func (s MapStore) Get(key string) string { return s[key] }

func Lookup(s Store, key string) string { return s.Get(key) }

type Counter struct {
	mu sync.Mutex
	n  int
}

func (c *Counter) Next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}

type Stack struct{ items []string }

func (s *Stack) Push(v string) { s.items = append(s.items, v) }

func (s *Stack) Len() int { return len(s.items) }

// Clock has a way to ask for the time.
type Clock struct{ Now func() time.Time }

func System() Clock { return Clock{Now: time.Now} }
