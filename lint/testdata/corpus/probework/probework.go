// Package probework has cases that were written before anybody knew what the linter says of them: concurrency.
package probework

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func NamedGoroutine(ctx durable.Context, n int) (int, error) {
	go work(n) // want DET201
	return n, nil
}

func work(n int) int { return n * n }

type pool struct{ n int }

func (p *pool) run() {
	go p.step() // want DET201
}

func (p *pool) step() { p.n++ }

//durable:orchestrator
func GoroutineInMethod(ctx durable.Context, n int) (int, error) {
	p := &pool{n}
	p.run()
	return p.n, nil
}

//durable:orchestrator
func WaitGroupGo(ctx durable.Context, n int) (int, error) {
	var wg sync.WaitGroup // the hazard is what it does
	wg.Go(func() { n++ }) // want DET201
	wg.Wait()             // want DET204
	return n, nil
}

//durable:orchestrator
func BufferedChannel(ctx durable.Context, n int) (int, error) {
	ch := make(chan int, 1) // want DET202
	ch <- n                 // want DET202
	return <-ch, nil        // want DET202
}

func first(ch <-chan int) int {
	v, ok := <-ch // want DET202
	if !ok {
		return 0
	}
	return v
}

var numbers chan int

//durable:orchestrator
func ReceivesInHelper(ctx durable.Context, n int) (int, error) {
	return first(nil), nil
}

//durable:orchestrator
func SelectDefault(ctx durable.Context, n int) (int, error) {
	done := make(chan struct{}) // want DET202
	select {                    // want DET203
	case <-done:
		return 0, nil
	default:
		return n, nil
	}
}

//durable:orchestrator
func BlocksForEver(ctx durable.Context, n int) (int, error) {
	select {} // want DET203
}

//durable:orchestrator
func CapOfNil(ctx durable.Context, n int) (int, error) {
	var ch chan int
	return cap(ch) + len(ch), nil
}

type counter struct {
	sync.RWMutex
	n int
}

func (c *counter) read() int {
	c.RLock() // want DET204
	defer c.RUnlock()
	return c.n
}

//durable:orchestrator
func EmbeddedMutex(ctx durable.Context, n int) (int, error) {
	return (&counter{n: n}).read(), nil
}

//durable:orchestrator
func TryLock(ctx durable.Context, n int) (bool, error) {
	var mu sync.Mutex
	return mu.TryLock(), nil // want DET204
}

//durable:orchestrator
func CondWait(ctx durable.Context, n int) (int, error) {
	c := sync.NewCond(&sync.Mutex{})
	c.L.Lock() // want DET204
	c.Wait()   // want DET204
	return n, nil
}

//durable:orchestrator
func LocalOnce(ctx durable.Context, n int) (int, error) {
	var once sync.Once
	once.Do(func() { n++ }) // want DET205
	return n, nil
}

var setup = sync.OnceValue(func() int { return 3 })

//durable:orchestrator
func GlobalOnceValue(ctx durable.Context, n int) (int, error) {
	return setup() + n, nil // want DET205
}

var hits atomic.Int64

//durable:orchestrator
func CountsHits(ctx durable.Context, n int) (int64, error) {
	return hits.Add(1), nil // want DET205
}

//durable:orchestrator
func OldAtomics(ctx durable.Context, n int64) (int64, error) {
	return atomic.AddInt64(&n, 2), nil // want DET205
}

var buffers = sync.Pool{New: func() any { return new([64]byte) }}

//durable:orchestrator
func Pooled(ctx durable.Context, n int) (int, error) {
	b := buffers.Get().(*[64]byte) // want DET205
	defer buffers.Put(b)
	return int(b[0]), nil
}

//durable:orchestrator
func LoadsSyncMap(ctx durable.Context, n int) (bool, error) {
	var m sync.Map
	m.Store(n, true)
	_, ok := m.Load(n)
	return ok, nil
}

//durable:orchestrator
func Yields(ctx durable.Context, n int) (int, error) {
	runtime.Gosched() // want DET206
	return n, nil
}

//durable:orchestrator
func Signals(ctx durable.Context, n int) (int, error) {
	c := make(chan os.Signal, 1)   // want DET202
	signal.Notify(c, os.Interrupt) // want DET206
	return n, nil
}

//durable:orchestrator
func Finalizer(ctx durable.Context, n int) (int, error) {
	v := &counter{n: n}
	runtime.SetFinalizer(v, func(*counter) {}) // want DET206
	return v.n, nil
}

//durable:orchestrator
func Goroutines(ctx durable.Context, n int) (int, error) {
	return runtime.NumGoroutine(), nil // want DET305
}

//durable:orchestrator
func DoneOfContext(ctx durable.Context, n int) (int, error) {
	c, cancel := context.WithCancel(context.Background())
	cancel()
	<-c.Done() // want DET202 DUR104
	return n, nil
}

func produce(n int, yield func(int) bool) {
	for i := range n {
		if !yield(i) {
			return
		}
	}
}

//durable:orchestrator
func RangesOverFunc(ctx durable.Context, n int) (int, error) {
	sum := 0
	for v := range func(yield func(int) bool) { produce(n, yield) } {
		if v > 100 {
			break
		}
		sum += v
	}
	return sum, nil
}

//durable:orchestrator
func Futures(ctx durable.Context, in []int) (int, error) {
	var fs []durable.Future[int]
	for _, v := range in {
		fs = append(fs, durable.Go(ctx, func(ctx durable.Context) (int, error) { return v * v, nil }))
	}
	out, err := durable.Collect(ctx, fs)
	if err != nil {
		return 0, err
	}
	return slices.Max(out), nil
}

//durable:orchestrator
func GuardedByConstant(ctx durable.Context, n int) (int, error) {
	if debugging {
		go work(n)
	}
	return n, nil
}

const debugging = false

//durable:orchestrator
func PanicsAndRecovers(ctx durable.Context, n int) (out int, err error) {
	defer func() {
		if r := recover(); r != nil {
			var re runtime.Error
			if e, ok := r.(error); ok && errors.As(e, &re) {
				err = e
			}
		}
	}()
	return []int{1, 2}[n], nil
}

//durable:orchestrator
func ChannelOfFutures(ctx durable.Context, n int) (int, error) {
	results := make(chan durable.Future[int], 2)                                         // want DET202
	results <- durable.Go(ctx, func(ctx durable.Context) (int, error) { return n, nil }) // want DET202
	close(results)                                                                       // want DET202
	sum := 0
	for f := range results { // want DET202
		v, err := f.Get(ctx)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}

//durable:orchestrator
func MutexAsValueOnly(ctx durable.Context, n int) (int, error) {
	type guarded struct {
		mu sync.Mutex
		n  int
	}
	g := &guarded{n: n}
	return g.n, nil
}
