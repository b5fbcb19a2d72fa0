// Package durfuture starts things, and waits for them or not.
package durfuture

import (
	"errors"
	"time"

	"github.com/durablegen/durablegen/lint/testdata/corpus/durlib"
	durable "github.com/durablegen/durablegen/runtime"
)

//durable:activity
func Ship(order string) (string, error) { return order, nil }

//durable:activity
func Tell(who string) error { return nil }

//durable:event
type Approval struct{ By string }

//durable:orchestrator
func Bare(ctx durable.Context, in string) (string, error) {
	TellActivity.Start(ctx, in) // want DUR105
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func Blank(ctx durable.Context, in string) (string, error) {
	_ = TellActivity.Start(ctx, in) // want DUR105
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func Detached(ctx durable.Context, in string) (string, error) {
	_ = TellActivity.Start(ctx, in) //durable:detached
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func DetachedAbove(ctx durable.Context, in string) (string, error) {
	//durable:detached
	_ = TellActivity.Start(ctx, in)
	f := BareOrchestrator.StartChild(ctx, in)
	_ = f // durable:detached
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func Overwritten(ctx durable.Context, in string) (string, error) {
	f := ShipActivity.Start(ctx, in) // want DUR105
	f = ShipActivity.Start(ctx, in+"2")
	return f.Get(ctx)
}

//durable:orchestrator
func EitherWay(ctx durable.Context, in string) (string, error) {
	var f durable.Future[string]
	if in == "" {
		f = ShipActivity.Start(ctx, "none")
	} else {
		f = ShipActivity.Start(ctx, in)
	}
	return f.Get(ctx)
}

//durable:orchestrator
func LeftOnAPath(ctx durable.Context, in string) (string, error) {
	f := ShipActivity.Start(ctx, in) // want DUR105
	if in == "" {
		return "nothing to wait for", nil
	}
	return f.Get(ctx)
}

//durable:orchestrator
func ChildLeftOnAPath(ctx durable.Context, in string) (string, error) {
	f := BareOrchestrator.StartChild(ctx, in) // want DUR105
	if err := TellActivity.Call(ctx, in); err == nil {
		return "told", nil
	}
	return f.Get(ctx)
}

// LeftByAnError fails, and what it began is cancelled.
//
//durable:orchestrator
func LeftByAnError(ctx durable.Context, in string) (string, error) {
	a, b := ShipActivity.Start(ctx, in), ShipActivity.Start(ctx, in+"2")
	x, err := a.Get(ctx)
	if err != nil {
		return "", err
	}
	if x == "" {
		return "", errors.New("durfuture: nothing shipped")
	}
	y, err := b.Get(ctx)
	return x + y, err
}

// SameCondition waits exactly when it has begun.
//
//durable:orchestrator
func SameCondition(ctx durable.Context, in string, gift bool) (string, error) {
	var wrap durable.Future[string]
	if gift {
		wrap = ShipActivity.Start(ctx, "paper")
	}
	if err := TellActivity.Call(ctx, in); err != nil {
		return "", err
	}
	if gift {
		if _, err := wrap.Get(ctx); err != nil {
			return "", err
		}
	}
	return in, nil
}

//durable:orchestrator
func Raced(ctx durable.Context, in string) (string, error) {
	f := ShipActivity.Start(ctx, in)
	deadline := durable.NewTimer(ctx, time.Hour)
	if durable.Any(ctx, f, deadline) == deadline {
		return "too late", nil
	}
	return f.Get(ctx)
}

//durable:orchestrator
func Gathered(ctx durable.Context, in []string) ([]string, error) {
	var fs []durable.Future[string]
	for _, item := range in {
		fs = append(fs, ShipActivity.Start(ctx, item))
	}
	return durable.Collect(ctx, fs)
}

//durable:orchestrator
func GatheredInALoop(ctx durable.Context, in []string) error {
	fs := make([]durable.Future[string], len(in))
	for i, item := range in {
		fs[i] = ShipActivity.Start(ctx, item)
	}
	for _, f := range fs {
		if _, err := f.Get(ctx); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func GatheredInAMap(ctx durable.Context, in []string) error {
	fs := map[string]durable.Future[string]{}
	for _, item := range in {
		fs[item] = ShipActivity.Start(ctx, item)
	}
	for _, item := range in {
		if _, err := fs[item].Get(ctx); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func GatheredForNothing(ctx durable.Context, in []string) (int, error) {
	var fs []durable.Future[string]
	for _, item := range in {
		fs = append(fs, ShipActivity.Start(ctx, item)) // want DUR105
	}
	return len(fs), nil
}

//durable:orchestrator
func Awaitables(ctx durable.Context, in []string) error {
	var all []durable.Awaitable
	for _, item := range in {
		all = append(all, TellActivity.Start(ctx, item))
	}
	return durable.All(ctx, all...)
}

type work struct{ f durable.Future[string] }

func (w work) wait(ctx durable.Context) (string, error) { return w.f.Get(ctx) }

//durable:orchestrator
func InStruct(ctx durable.Context, in string) (string, error) {
	w := work{ShipActivity.Start(ctx, in)}
	return w.wait(ctx)
}

func begin(ctx durable.Context, in string) durable.Future[string] { return ShipActivity.Start(ctx, in) }

//durable:orchestrator
func FromHelper(ctx durable.Context, in string) (string, error) {
	begin(ctx, in) // want DUR105
	return begin(ctx, in+"2").Get(ctx)
}

//durable:orchestrator
func FromElsewhere(ctx durable.Context, in string) (int, error) {
	durlib.Begin(ctx, in) // want DUR105
	a, b := durlib.Both(ctx, in, in)
	x, err := a.Get(ctx)
	if err != nil {
		return 0, err
	}
	y, err := b.Get(ctx)
	return x + y, err
}

//durable:orchestrator
func HalfFromElsewhere(ctx durable.Context, in string) (int, error) {
	a, _ := durlib.Both(ctx, in, in) // want DUR105
	return a.Get(ctx)
}

//durable:orchestrator
func ToHelper(ctx durable.Context, in string) (int, error) {
	return durlib.Await(ctx, durlib.Begin(ctx, in))
}

//durable:orchestrator
func ToForgetful(ctx durable.Context, in string) error {
	f := durlib.Begin(ctx, in) // want DUR105
	durlib.Forget(ctx, f)
	return nil
}

func ignore(ctx durable.Context, f durable.Future[string]) { ctx.SetStatus("begun") }

func pass(ctx durable.Context, f durable.Future[string]) { ignore(ctx, f) }

//durable:orchestrator
func ToForgetfulTwice(ctx durable.Context, in string) error {
	pass(ctx, ShipActivity.Start(ctx, in)) // want DUR105
	return nil
}

//durable:orchestrator
func InClosure(ctx durable.Context, in string) (string, error) {
	f := ShipActivity.Start(ctx, in)
	wait := func() (string, error) { return f.Get(ctx) }
	return wait()
}

//durable:orchestrator
func Coroutine(ctx durable.Context, in string) error {
	durable.Go(ctx, func(ctx durable.Context) (string, error) { return ShipActivity.Call(ctx, in) }) // want DUR105
	return durable.Sleep(ctx, time.Hour)
}

// GivenUp takes no event: one that comes is kept.
//
//durable:orchestrator
func GivenUp(ctx durable.Context, in string) (string, error) {
	answer := ApprovalEvent.Receive(ctx)
	if in == "" {
		return "not asked", nil
	}
	a, err := answer.Get(ctx)
	return a.By, err
}

//durable:orchestrator
func NeverReceived(ctx durable.Context, in string) (string, error) {
	ApprovalEvent.Receive(ctx) // want DUR105
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func TimerAlone(ctx durable.Context, in string) (string, error) {
	durable.NewTimer(ctx, time.Hour) // want DUR105
	return ShipActivity.Call(ctx, in)
}

// Scoped is ended by its context.
//
//durable:orchestrator
func Scoped(ctx durable.Context, in string) (string, error) {
	scoped, cancel := durable.WithCancel(ctx)
	defer cancel()
	f := ShipActivity.Start(scoped, in)
	if in == "" {
		return "", nil
	}
	return f.Get(ctx)
}

// Polled asks whether it is there.
//
//durable:orchestrator
func Polled(ctx durable.Context, in string) (bool, error) {
	f := ShipActivity.Start(ctx, in)
	if err := durable.Sleep(ctx, time.Hour); err != nil {
		return false, err
	}
	return f.Ready(), nil
}

//durable:orchestrator
func Patient(ctx durable.Context, in string) (string, error) {
	f := ShipActivity.Start(ctx, in)
	v, err := f.Within(ctx, time.Hour)
	if errors.Is(err, durable.ErrTimeout) {
		return "", nil
	}
	return v, err
}

//durable:orchestrator
func InDefer(ctx durable.Context, in string) (_ string, err error) {
	f := TellActivity.Start(ctx, in)
	defer func() { err = errors.Join(err, f.Err(durable.WithoutCancel(ctx))) }()
	return ShipActivity.Call(ctx, in)
}

func gone[T any](ctx durable.Context, f durable.Future[T]) {}

func got[T any](ctx durable.Context, f durable.Future[T]) (T, error) { return f.Get(ctx) }

//durable:orchestrator
func Generic(ctx durable.Context, in string) (string, error) {
	gone(ctx, ShipActivity.Start(ctx, in)) // want DUR105
	return got(ctx, ShipActivity.Start(ctx, in))
}

//durable:orchestrator
func LeftInALoop(ctx durable.Context, in []string) error {
	for _, item := range in {
		f := ShipActivity.Start(ctx, item) // want DUR105
		if item == "" {
			continue
		}
		if _, err := f.Get(ctx); err != nil {
			return err
		}
	}
	return nil
}

// OneAhead waits for the one before.
//
//durable:orchestrator
func OneAhead(ctx durable.Context, in []string) error {
	f := ShipActivity.Start(ctx, "first")
	for _, item := range in {
		next := ShipActivity.Start(ctx, item)
		if _, err := f.Get(ctx); err != nil {
			return err
		}
		f = next
	}
	_, err := f.Get(ctx)
	return err
}
