// Package hunthard has code that is less common, hazards and harmless things. All of it was written before anybody knew what the
// linter says of it.
package hunthard

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type money int64

// MarshalJSON reads the clock.
func (m money) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Now().Unix() + int64(m)) // want DET101
}

//durable:orchestrator
func MarshalsWithClock(ctx durable.Context, in int64) (string, error) {
	b, err := json.Marshal(struct{ M money }{money(in)})
	return string(b), err
}

type euro int64

func (e euro) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%d EUR", int64(e)), nil }

//durable:orchestrator
func MarshalsText(ctx durable.Context, in int64) (string, error) {
	b, err := json.Marshal(map[euro]string{euro(in): "a"})
	return string(b), err
}

type level int

func (l level) String() string {
	if os.Getenv("SHORT") != "" { // want DET304
		return "l"
	}
	return "level"
}

//durable:orchestrator
func PrintsStringer(ctx durable.Context, in int) (string, error) {
	return fmt.Sprintf("%v", level(in)), nil
}

//durable:orchestrator
func PrintsNumber(ctx durable.Context, in int) (string, error) {
	return fmt.Sprintf("%d", int(level(in))), nil
}

type store interface {
	Get(key string) (string, error)
}

type memory map[string]string

func (m memory) Get(key string) (string, error) { return m[key], nil }

type disk struct{ dir string }

func (d disk) Get(key string) (string, error) {
	b, err := os.ReadFile(d.dir + key) // want DET301
	return string(b), err
}

func open(kind string) store {
	if kind == "disk" {
		return disk{"/"}
	}
	return memory{}
}

//durable:orchestrator
func FactoryWithDisk(ctx durable.Context, in string) (string, error) { return open(in).Get("a") }

//durable:orchestrator
func MemoryOnly(ctx durable.Context, in map[string]string) (string, error) {
	var s store = memory(in)
	return s.Get("a")
}

type layered struct{ stores []store }

func (l layered) Get(key string) (string, error) {
	for _, s := range l.stores {
		if v, err := s.Get(key); err == nil {
			return v, nil
		}
	}
	return "", errors.New("nowhere")
}

//durable:orchestrator
func LayersOfMemory(ctx durable.Context, in string) (string, error) {
	return layered{[]store{memory{"a": in}, memory{}}}.Get("a")
}

type logged struct {
	store
	to io.Writer
}

func (l logged) Get(key string) (string, error) {
	fmt.Fprintln(l.to, key)
	return l.store.Get(key)
}

//durable:orchestrator
func LoggedToBuffer(ctx durable.Context, in string) (string, error) {
	var b bytes.Buffer
	_, err := logged{memory{}, &b}.Get(in)
	return b.String(), err
}

//durable:orchestrator
func LoggedToStdout(ctx durable.Context, in string) (string, error) {
	return logged{memory{}, os.Stdout}.Get(in) // want DET306
}

//durable:orchestrator
func ReadsFS(ctx durable.Context, in string) (int, error) {
	fsys := fstest.MapFS{"a": &fstest.MapFile{Data: []byte(in)}}
	b, err := fs.ReadFile(fsys, "a")
	return len(b), err
}

//durable:orchestrator
func ReadsDirFS(ctx durable.Context, in string) (int, error) {
	b, err := fs.ReadFile(os.DirFS(in), "a") // want DET301
	return len(b), err
}

//durable:orchestrator
func Recorder(ctx durable.Context, in string) (int, error) {
	w := httptest.NewRecorder()
	http.NotFound(w, nil)
	return w.Code, nil
}

//durable:orchestrator
func Queries(ctx durable.Context, in string) (int, error) {
	db, err := sql.Open("sqlite", in) // want DET302
	if err != nil {
		return 0, err
	}
	var n int
	err = db.QueryRow("select 1").Scan(&n) // want DET302
	return n, err
}

func retry(times int, f func() error) (err error) {
	for range times {
		if err = f(); err == nil {
			return nil
		}
		time.Sleep(time.Second) // want DET102
	}
	return err
}

//durable:orchestrator
func Retries(ctx durable.Context, in string) (int, error) {
	n := 0
	err := retry(3, func() error { n++; return nil })
	return n, err
}

func retryWith(times int, sleep func(time.Duration), f func() error) (err error) {
	for range times {
		if err = f(); err == nil {
			return nil
		}
		sleep(time.Second)
	}
	return err
}

//durable:orchestrator
func RetriesDurably(ctx durable.Context, in string) (int, error) {
	n := 0
	err := retryWith(3, func(d time.Duration) { _ = durable.Sleep(ctx, d) }, func() error { n++; return nil })
	return n, err
}

//durable:orchestrator
func RetriesWithSleep(ctx durable.Context, in string) error {
	return retryWith(3, time.Sleep, func() error { return nil }) // want DET102
}

type breaker struct {
	mu     sync.Mutex
	failed int
}

func (b *breaker) fail() int {
	b.mu.Lock() // want DET204
	defer b.mu.Unlock()
	b.failed++
	return b.failed
}

//durable:orchestrator
func Breaker(ctx durable.Context, in string) (int, error) {
	var b breaker
	return b.fail(), nil
}

var limiter = make(chan struct{}, 3)

//durable:orchestrator
func Limited(ctx durable.Context, in string) (string, error) {
	limiter <- struct{}{}        // want DET202
	defer func() { <-limiter }() // want DET202
	return in, nil
}

//durable:orchestrator
func ContextValue(ctx durable.Context, in string) (string, error) {
	type key struct{}
	c := context.WithValue(context.Background(), key{}, in)
	s, _ := c.Value(key{}).(string) // want DUR104
	return s, nil
}

//durable:orchestrator
func ErrorsAs(ctx durable.Context, in string) (string, error) {
	var pe *fs.PathError
	if errors.As(fmt.Errorf("a: %w", &fs.PathError{Path: in}), &pe) {
		return pe.Path, nil
	}
	return "", nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

//durable:orchestrator
func MustParse(ctx durable.Context, in string) (time.Time, error) {
	return must(time.Parse(time.RFC3339, in)).Add(time.Hour), nil
}

//durable:orchestrator
func MustRead(ctx durable.Context, in string) (string, error) {
	return string(must(os.ReadFile(in))), nil // want DET301
}

//durable:orchestrator
func SelfMadeSet(ctx durable.Context, in []string) (int, error) {
	set := make(map[string]struct{})
	for _, s := range in {
		set[s] = struct{}{}
	}
	return len(set), nil
}

var errGone = errors.New("gone")

//durable:orchestrator
func SentinelError(ctx durable.Context, in string) error { return fmt.Errorf("%s: %w", in, errGone) }

var started = time.Now()

//durable:orchestrator
func StartedAt(ctx durable.Context, in string) (int, error) {
	return started.Year(), nil // want DET503
}

var startedIn = sync.OnceValue(func() int { return time.Now().Year() }) // want DET101

//durable:orchestrator
func LazilyStarted(ctx durable.Context, in string) (int, error) {
	return startedIn(), nil // want DET205
}

var config struct{ Limit int }

// Configure is for main.
func Configure(limit int) { config.Limit = limit }

//durable:orchestrator
func ReadsConfig(ctx durable.Context, in int) (int, error) {
	return min(in, config.Limit), nil // want DET502
}

var source = rand.New(rand.NewPCG(1, 2))

//durable:orchestrator
func GlobalSource(ctx durable.Context, in int) (int, error) {
	return source.IntN(in), nil // want DET501
}

//durable:orchestrator
func OwnSource(ctx durable.Context, in uint64) (int, error) {
	return rand.New(rand.NewPCG(in, 2)).IntN(6), nil
}

//durable:orchestrator
func SourceFromClock(ctx durable.Context, in int) (int, error) {
	return rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2)).IntN(6), nil // want DET101 DET114
}

//durable:orchestrator
func SourceFromContext(ctx durable.Context, in int) (int, error) {
	return rand.New(rand.NewPCG(uint64(ctx.Now().UnixNano()), 2)).IntN(6), nil
}

//durable:orchestrator
func DeepEquals(ctx durable.Context, in, more map[string]int) (bool, error) {
	return reflect.DeepEqual(in, more), nil
}

//durable:orchestrator
func LogPackage(ctx durable.Context, in string) error {
	log.New(io.Discard, "", 0).Println(in)
	return nil
}

//durable:orchestrator
func LogFatal(ctx durable.Context, in string) error {
	if in == "" {
		log.Fatal("empty") // want DET303
	}
	return nil
}

type handler func(durable.Context, string) (string, error)

func logs(next handler) handler {
	return func(ctx durable.Context, s string) (string, error) {
		ctx.Logger().Info("before")
		return next(ctx, s)
	}
}

func times(next handler) handler {
	return func(ctx durable.Context, s string) (string, error) {
		begin := time.Now() // want DET101
		defer func() {
			ctx.Logger().Info("took", "d", time.Since(begin)) // want DET101
		}()
		return next(ctx, s)
	}
}

func work(_ durable.Context, s string) (string, error) { return strings.ToUpper(s), nil }

//durable:orchestrator
func MiddlewareLogs(ctx durable.Context, in string) (string, error) { return logs(work)(ctx, in) }

//durable:orchestrator
func MiddlewareTimes(ctx durable.Context, in string) (string, error) {
	return logs(times(work))(ctx, in)
}

func primes() iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, p := range []int{2, 3, 5, 7} {
			if !yield(p) {
				return
			}
		}
	}
}

//durable:orchestrator
func OwnIterator(ctx durable.Context, in int) (n int, err error) {
	for p := range primes() {
		if p > in {
			break
		}
		n += p
	}
	return n, nil
}

func ticks() iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for yield(time.Now()) { // want DET101
		}
	}
}

//durable:orchestrator
func ClockIterator(ctx durable.Context, in int) (int, error) {
	for t := range ticks() {
		return t.Year(), nil
	}
	return 0, nil
}

func chain(seqs ...iter.Seq[string]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, s := range seqs {
			for v := range s {
				if !yield(v) {
					return
				}
			}
		}
	}
}

//durable:orchestrator
func ChainedKeys(ctx durable.Context, in, more map[string]int) ([]string, error) {
	return slices.Collect(chain(maps.Keys(in), maps.Keys(more))), nil // want DET404
}

//durable:orchestrator
func ChainedSlices(ctx durable.Context, in, more []string) ([]string, error) {
	return slices.Collect(chain(slices.Values(in), slices.Values(more))), nil
}
