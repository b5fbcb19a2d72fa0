package durable

import (
	"cmp"
	"errors"
	"strings"
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
// [*OrchestrationError]; errors.Is and errors.As see the registered errors in both. A coroutine of [Go] gives what its
// function returned, the very same value and error. When ctx is cancelled first, or what the future was started with, the
// error is that of [Context.Err].
func (f Future[T]) Get(ctx Context) (T, error) {
	var zero T
	if ctx.co.AwaitIn(ctx.scope, f.f) < 0 {
		return zero, ctx.Err()
	}
	if own, ok := f.f.Value().(returned[T]); ok {
		return own.value, own.err
	}
	result, failure := f.f.Result()
	if failure != nil {
		return zero, errorAt(f.f, failure)
	}
	v, err := decode[T](result)
	if err != nil {
		return misread(ctx, v, err, f.payload())
	}
	return v, nil
}

// payload says what the result of a future is.
func (f Future[T]) payload() string {
	of := f.f.String()
	if of == "" || strings.HasPrefix(of, "event ") {
		return cmp.Or(of, "result")
	}
	return "result of " + of
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

// Wait waits until the timer fires or is stopped. When ctx is cancelled first, or what the timer was started with, the
// error is that of [Context.Err].
func (t Timer) Wait(ctx Context) error {
	if ctx.co.AwaitIn(ctx.scope, t.f) < 0 {
		return ctx.Err()
	}
	if _, failure := t.f.Result(); failure != nil {
		return errorOf(failure) // it was cancelled
	}
	return nil
}

// Fired reports whether the timer has fired.
func (t Timer) Fired() bool { return fired(t.f) }

func fired(f *engine.Future) bool {
	_, failure := f.Result()
	return f.Done() && !f.Stopped() && failure == nil
}

// NewTimer starts a timer that fires d from now, or at the next message if d is not positive. It costs no goroutine and
// no memory while the instance is not cached, so d may be years.
func NewTimer(ctx Context, d time.Duration) Timer {
	return Timer{f: timer(ctx.co, ctx.scope, d), co: ctx.co}
}

func timer(co *engine.Coroutine, in *engine.Scope, d time.Duration) *engine.Future {
	return co.ScheduleIn(in, timerSlot(co, d, ""))
}

func timerSlot(co *engine.Coroutine, d time.Duration, site string) history.Slot {
	return history.Slot{Kind: history.SlotTimer, Due: co.Now().Add(max(d, 0)), Site: site}
}

// Sleep waits for d, or until ctx is cancelled: then it gives [Context.Err].
func Sleep(ctx Context, d time.Duration) error { return NewTimer(ctx, d).Wait(ctx) }

// Any waits until one of fs is complete and returns it, the first in argument order if several are. It panics without
// arguments. What it did not return goes on; a received event is never lost to a future that is no longer waited on.
// It returns nil when ctx is cancelled before; what was started with the cancelled context is complete, too.
func Any(ctx Context, fs ...Awaitable) Awaitable {
	if len(fs) == 0 {
		panic("durable: Any without anything to wait for would wait for ever")
	}
	n := ctx.co.AwaitIn(ctx.scope, futures(fs)...)
	if n < 0 {
		return nil
	}
	return fs[n]
}

// All waits until all of fs are complete and joins their errors: none is lost. When ctx is cancelled before, what is not
// complete counts as an error.
func All(ctx Context, fs ...Awaitable) error {
	var errs []error
	for _, f := range futures(fs) {
		if ctx.co.AwaitIn(ctx.scope, f) < 0 {
			errs = append(errs, ctx.Err())
		}
		if err := errOf(f); err != nil {
			errs = append(errs, err)
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
// several are. When ctx is cancelled before, it runs none and returns -1.
func Select(ctx Context, cases ...Case) int {
	if len(cases) == 0 {
		panic("durable: Select without cases would wait for ever")
	}
	fs := make([]*engine.Future, len(cases))
	for n, c := range cases {
		fs[n] = c.f
	}
	n := ctx.co.AwaitIn(ctx.scope, fs...)
	if n >= 0 {
		cases[n].do(ctx)
	}
	return n
}

// Go runs fn as a coroutine of the orchestrator: concurrently, never in parallel. It first runs when its creator waits.
// What fn returns stays in memory: the future gives the very same value and error, registered or not, and their types
// need not fit JSON. A panic in it fails the orchestration. Its context is cancelled with ctx. Coroutines that still run
// when the orchestrator returns are ended.
func Go[T any](ctx Context, fn func(Context) (T, error)) Future[T] {
	f := ctx.co.Promise()
	ctx.co.Go(func(co *engine.Coroutine) {
		v, err := fn(Context{co, ctx.scope})
		co.Give(f, returned[T]{v, err})
	})
	return Future[T]{f}
}

// returned is what a coroutine returned.
type returned[T any] struct {
	value T
	err   error
}

func (r returned[T]) failed() error { return r.err }

// errOf gives the error of a complete future of any type.
func errOf(f *engine.Future) error {
	if own, ok := f.Value().(interface{ failed() error }); ok {
		return own.failed()
	}
	if _, failure := f.Result(); failure != nil {
		return errorAt(f, failure)
	}
	return nil
}

func futures(fs []Awaitable) []*engine.Future {
	out := make([]*engine.Future, len(fs))
	for n, f := range fs {
		out[n] = f.future()
	}
	return out
}
