// Package concurrency starts goroutines, and waits for them.
package concurrency

import (
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Goes(ctx durable.Context, in []string) (int, error) {
	var wg sync.WaitGroup
	for range in {
		wg.Add(1)
		go func() { // want DET201
			defer wg.Done()
		}()
	}
	wg.Wait() // want DET204
	return len(in), nil
}

//durable:orchestrator
func GoesDeep(ctx durable.Context, in []string) (int, error) { return parallel(in), nil }

func parallel(in []string) int {
	go use(in) // want DET201
	return 1
}

func use([]string) {}

//durable:orchestrator
func GroupGo(ctx durable.Context, in []string) (int, error) {
	var wg sync.WaitGroup
	wg.Go(func() { use(in) }) // want DET201
	return 0, nil
}

//durable:orchestrator
func Channels(ctx durable.Context, in []int) (int, error) {
	ch := make(chan int, len(in)) // want DET202
	for _, v := range in {
		ch <- v // want DET202
	}
	close(ch) // want DET202
	total := 0
	for v := range ch { // want DET202
		total += v
	}
	return total + <-ch, nil // want DET202
}

//durable:orchestrator
func Selects(ctx durable.Context, in string) (string, error) {
	return wait(nil, nil), nil
}

func wait(a, b chan string) string {
	select { // want DET203
	case s := <-a:
		return s
	case s := <-b:
		return s
	}
}

//durable:orchestrator
func Polls(ctx durable.Context, in string) (string, error) {
	poll(nil)
	return in, nil
}

func poll(a chan string) {
	select { // want DET203
	case <-a:
	default:
	}
}

type guarded struct {
	sync.RWMutex
	n int
}

func (g *guarded) get() int {
	g.RLock() // want DET204
	defer g.RUnlock()
	return g.n
}

//durable:orchestrator
func Embedded(ctx durable.Context, in string) (int, error) {
	g := &guarded{}
	return g.get(), nil
}

//durable:orchestrator
func Conditions(ctx durable.Context, in string) (string, error) {
	c := sync.NewCond(&sync.Mutex{})
	c.Broadcast() // want DET204
	return in, nil
}

var once sync.Once

var pool = sync.Pool{New: func() any { return new([]byte) }}

var hits atomic.Int64

var calls int64

//durable:orchestrator
func Once(ctx durable.Context, in string) (string, error) {
	once.Do(func() {}) // want DET205
	return in, nil
}

//durable:orchestrator
func Pooled(ctx durable.Context, in string) (string, error) {
	b := pool.Get().(*[]byte) // want DET205
	defer pool.Put(b)
	return in, nil
}

//durable:orchestrator
func Atomic(ctx durable.Context, in string) (int64, error) {
	atomic.AddInt64(&calls, 1) // want DET205
	return hits.Add(1), nil    // want DET205
}

var table = sync.OnceValue(func() map[string]int { return map[string]int{"a": 1} })

//durable:orchestrator
func Lazy(ctx durable.Context, in string) (int, error) {
	return table()[in], nil // want DET205
}

//durable:orchestrator
func Scheduler(ctx durable.Context, in string) (string, error) {
	runtime.Gosched() // want DET206
	return in, nil
}

//durable:orchestrator
func Signals(ctx durable.Context, in string) (string, error) {
	signal.Ignore(os.Interrupt) // want DET206
	return in, nil
}

//durable:orchestrator
func Coroutines(ctx durable.Context, in []string) (int, error) {
	var fs []durable.Future[int]
	for _, s := range in {
		fs = append(fs, durable.Go(ctx, func(ctx durable.Context) (int, error) { return len(s), nil }))
	}
	ns, err := durable.Collect(ctx, fs)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, n := range ns {
		total += n
	}
	return total, nil
}

//durable:orchestrator
func Races(ctx durable.Context, in string) (string, error) {
	a := durable.ReceiveEvent[string](ctx, "a")
	t := durable.NewTimer(ctx, 5)
	got := ""
	durable.Select(ctx,
		durable.On(a, func(ctx durable.Context, v string, err error) { got = v }),
		durable.OnTimer(t, func(ctx durable.Context) { got = "late" }),
	)
	return got, nil
}

//durable:orchestrator
func Queue(ctx durable.Context, in []int) (int, error) {
	queue, total := append([]int(nil), in...), 0
	for len(queue) > 0 {
		total += queue[0]
		queue = queue[1:]
	}
	return total, nil
}

type channelled struct {
	results chan int // never made, never used
	n       int
}

//durable:orchestrator
func TypeOnly(ctx durable.Context, n int) (int, error) {
	c := channelled{n: n}
	return c.n, nil
}
