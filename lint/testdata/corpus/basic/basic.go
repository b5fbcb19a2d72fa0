// Package basic has the plainest hazards.
package basic

import (
	"fmt"
	"math/rand"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Clock(ctx durable.Context, in string) (string, error) {
	t := time.Now() // want DET101
	return in + t.String(), nil
}

func stamp() int64 { return deep() }

func deep() int64 {
	return time.Now().Unix() // want DET101
}

//durable:orchestrator
func Via(ctx durable.Context, in string) (int64, error) {
	return stamp(), nil
}

//durable:orchestrator
func Value(ctx durable.Context, in []string) (string, error) {
	slices.SortFunc(in, func(a, b string) int {
		if rand.Intn(2) == 0 { // want DET111
			return 1
		}
		return strings.Compare(a, b)
	})
	now := clock(time.Now) // want DET101
	return now, nil
}

func clock(now func() time.Time) string { return now().String() }

type store interface {
	Get(key string) (string, error)
}

type memory map[string]string

func (m memory) Get(key string) (string, error) { return m[key], nil }

type remote struct{ client *http.Client }

func (r *remote) Get(key string) (string, error) {
	_, err := r.client.Get(key) // want DET302
	return "", err
}

func lookup(s store, key string) string {
	v, _ := s.Get(key)
	return v
}

//durable:orchestrator
func Pure(ctx durable.Context, in string) (string, error) {
	return lookup(memory{"a": "b"}, in), nil
}

//durable:orchestrator
func Impure(ctx durable.Context, in string) (string, error) {
	return lookup(&remote{}, in), nil
}

var counter int

var words = map[string]int{"a": 1}

var started = time.Now()

var clockwork = time.Now

var mu sync.Mutex

func init() { words["b"] = 2 }

//durable:orchestrator
func Globals(ctx durable.Context, in string) (string, error) {
	counter++            // want DET501
	_ = words[in]        // constant
	_ = started          // want DET503
	_ = clockwork()      // want DET101
	mu.Lock()            // want DET204
	fmt.Println("hi")    // want DET306
	go stamp()           // want DET201
	ch := make(chan int) // want DET202
	select {             // want DET203
	case <-ch:
	default:
	}
	return os.Getenv("HOME"), nil // want DET304
}

type talker struct{}

func (talker) String() string {
	return time.Now().String() // want DET101
}

//durable:orchestrator
func Format(ctx durable.Context, in string) (string, error) {
	return fmt.Sprint(talker{}), nil
}

//durable:orchestrator
func Allowed(ctx durable.Context, in string) (string, error) {
	time.Sleep(1) //durable:allow DET102 -- a test
	//durable:allow DET101 -- a test
	t := time.Now()
	return t.String(), nil
}
