package durable

import (
	"errors"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// Awaitable is something an orchestrator can wait for: a [Future] or a [Timer].
type Awaitable interface{ future() *engine.Future }

// Future is a result that may not be there yet. Two futures are equal when they are of the same call, so that the
// result of [Any] can be compared and switched on.
type Future[T any] struct{ f *engine.Future }

func (f Future[T]) future() *engine.Future { return f.f }

// Get waits and gives the result. A failed activity gives an [*ActivityError], a failed child an
// [*OrchestrationError]; errors.Is and errors.As see the registered errors in both.
func (f Future[T]) Get(ctx Context) (T, error) {
	ctx.co.Await(f.f)
	result, failure := f.f.Result()
	if failure != nil {
		var zero T
		return zero, errorOf(failure)
	}
	return decode[T](result)
}

// Err waits and drops the value.
func (f Future[T]) Err(ctx Context) error {
	_, err := f.Get(ctx)
	return err
}

// Ready reports whether Get would return at once. It does not wait.
func (f Future[T]) Ready() bool { return f.f.Done() }

// Timer is a durable timer.
type Timer struct {
	f  *engine.Future
	co *engine.Coroutine
}

func (t Timer) future() *engine.Future { return t.f }

// Stop ends the timer before it is due. Stopping one that has fired, or that was stopped, does nothing.
func (t Timer) Stop() { t.co.Cancel(t.f) }

// Wait waits until the timer fires or is stopped.
func (t Timer) Wait(ctx Context) { ctx.co.Await(t.f) }

// Fired reports whether the timer has fired.
func (t Timer) Fired() bool { return t.f.Done() && !t.f.Stopped() }

// NewTimer starts a timer that fires d from now, or at the next message if d is not positive. It costs no goroutine and
// no memory while the instance is not cached, so d may be years.
func NewTimer(ctx Context, d time.Duration) Timer {
	return Timer{f: timer(ctx.co, d), co: ctx.co}
}

func timer(co *engine.Coroutine, d time.Duration) *engine.Future {
	return co.Schedule(history.Slot{Kind: history.SlotTimer, Due: co.Now().Add(max(d, 0))})
}

// Sleep waits for d.
func Sleep(ctx Context, d time.Duration) { NewTimer(ctx, d).Wait(ctx) }

// Any waits until one of fs is complete and returns it, the first in argument order if several are. It panics without
// arguments. What it did not return goes on; a received event is never lost to a future that is no longer waited on.
func Any(ctx Context, fs ...Awaitable) Awaitable {
	if len(fs) == 0 {
		panic("durable: Any without anything to wait for would wait for ever")
	}
	return fs[ctx.co.Await(futures(fs)...)]
}

// All waits until all of fs are complete and joins their errors: none is lost.
func All(ctx Context, fs ...Awaitable) error {
	var errs []error
	for _, f := range futures(fs) {
		ctx.co.Await(f)
		if _, failure := f.Result(); failure != nil {
			errs = append(errs, errorOf(failure))
		}
	}
	return errors.Join(errs...)
}

// Collect waits for all of fs and gives their results in order. When some fail, their errors are joined and their
// places hold zero values.
func Collect[T any](ctx Context, fs []Future[T]) ([]T, error) {
	results := make([]T, len(fs))
	var errs []error
	for n, f := range fs {
		var err error
		if results[n], err = f.Get(ctx); err != nil {
			errs = append(errs, err)
		}
	}
	return results, errors.Join(errs...)
}

// Case is one way on in [Select].
type Case struct {
	f  *engine.Future
	do func(Context)
}

// On makes a case: when f is the one, do gets its result.
func On[T any](f Future[T], do func(ctx Context, v T, err error)) Case {
	return Case{f: f.f, do: func(ctx Context) {
		v, err := f.Get(ctx)
		do(ctx, v, err)
	}}
}

// OnTimer makes a case of a timer.
func OnTimer(t Timer, do func(ctx Context)) Case { return Case{f: t.f, do: do} }

// Select waits until one of the cases is complete, runs it, and returns its index; the first in argument order if
// several are.
func Select(ctx Context, cases ...Case) int {
	if len(cases) == 0 {
		panic("durable: Select without cases would wait for ever")
	}
	fs := make([]*engine.Future, len(cases))
	for n, c := range cases {
		fs[n] = c.f
	}
	n := ctx.co.Await(fs...)
	cases[n].do(ctx)
	return n
}

// Go runs fn as a coroutine of the orchestrator: concurrently, never in parallel. It first runs when its creator waits.
// A panic in it fails the orchestration. Coroutines that still run when the orchestrator returns are ended.
func Go[T any](ctx Context, fn func(Context) (T, error)) Future[T] {
	f := ctx.co.Promise()
	ctx.co.Go(func(co *engine.Coroutine) {
		v, err := fn(Context{co})
		if err != nil {
			co.Resolve(f, nil, failureOf(err))
			return
		}
		data, failure := encode(v)
		co.Resolve(f, data, failure)
	})
	return Future[T]{f}
}

func futures(fs []Awaitable) []*engine.Future {
	out := make([]*engine.Future, len(fs))
	for n, f := range fs {
		out[n] = f.future()
	}
	return out
}
