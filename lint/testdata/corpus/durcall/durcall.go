// Package durcall calls activities, orchestrators and contexts in the right and in the wrong way.
package durcall

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/lint/testdata/corpus/durlib"
	durable "github.com/durablegen/durablegen/runtime"
)

type bank struct{ Account string }

//durable:activity
func (b *bank) Charge(ctx context.Context, amount int) (string, error) { return b.Account, nil }

//durable:activity
func Ship(ctx context.Context, order string) (string, error) { return order, nil }

//durable:activity
func Pack(order string) error { return nil }

// Courier calls another activity, which is its own affair.
//
//durable:activity
func Courier(ctx context.Context, order string) (string, error) { return Ship(ctx, order) }

//durable:event
type Approval struct{ By string }

//durable:orchestrator
func Direct(ctx durable.Context, in string) (string, error) {
	return Ship(context.Background(), in) // want DUR101
}

//durable:orchestrator
func ByHandle(ctx durable.Context, in string) (string, error) {
	if err := PackActivity.Call(ctx, in); err != nil {
		return "", err
	}
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func DirectMethod(ctx durable.Context, in int) (string, error) {
	b := &bank{"1"}
	return b.Charge(context.Background(), in) // want DUR101
}

//durable:orchestrator
func DirectValue(ctx durable.Context, in string) (string, error) {
	ship := Ship
	if in == "" {
		ship = Courier
	}
	return ship(context.Background(), in) // want DUR101
}

//durable:orchestrator
func DirectMethodValue(ctx durable.Context, in int) (string, error) {
	charge := (&bank{"1"}).Charge
	return charge(context.Background(), in) // want DUR101
}

type shipper interface {
	Charge(ctx context.Context, amount int) (string, error)
}

//durable:orchestrator
func DirectInterface(ctx durable.Context, in int) (string, error) {
	var s shipper = &bank{"1"}
	return s.Charge(context.Background(), in) // want DUR101
}

var shipping = Ship

//durable:orchestrator
func DirectVariable(ctx durable.Context, in string) (string, error) {
	return shipping(context.Background(), in) // want DUR101
}

var means = map[string]func(ctx context.Context, order string) (string, error){"ship": Ship, "courier": Courier}

//durable:orchestrator
func DirectMap(ctx durable.Context, in string) (string, error) {
	return means[in](context.Background(), in) // want DUR101
}

type office struct {
	ship func(ctx context.Context, order string) (string, error)
}

//durable:orchestrator
func DirectField(ctx durable.Context, in string) (string, error) {
	o := office{ship: Ship}
	return o.ship(context.Background(), in) // want DUR101
}

//durable:orchestrator
func DirectExpression(ctx durable.Context, in int) (string, error) {
	return (*bank).Charge(&bank{}, context.Background(), in) // want DUR101
}

func helper(in string) error {
	return Pack(in) // want DUR101
}

//durable:orchestrator
func DirectInHelper(ctx durable.Context, in string) error { return helper(in) }

//durable:orchestrator
func DirectInClosure(ctx durable.Context, in string) error {
	pack := func() error { return Pack(in) } // want DUR101
	return pack()
}

//durable:orchestrator
func DirectElsewhere(ctx durable.Context, in string) (int, error) {
	return durlib.Print(context.Background(), in) // want DUR101
}

//durable:orchestrator
func DirectBehindHelper(ctx durable.Context, in string) (int, error) {
	return durlib.Inline(in) // want DUR101
}

func retry(times int, do func(string) error, what string) (err error) {
	for range times {
		if err = do(what); err == nil {
			break
		}
	}
	return err
}

//durable:orchestrator
func DirectByRetry(ctx durable.Context, in string) error {
	return retry(3, Pack, in) // want DUR101
}

func named(do func(string) error) string { return fmt.Sprint(do != nil) }

// HandedOn is not called.
//
//durable:orchestrator
func HandedOn(ctx durable.Context, in string) (string, error) { return named(Pack), nil }

// notCalled is no orchestrator's: a test, say.
func notCalled() (string, error) { return Ship(context.Background(), "x") }

// bindings hands activities on as values.
func bindings(b *bank) []durable.Binding {
	return []durable.Binding{ShipActivity.Bind(Ship), ChargeActivity.Bind(b.Charge), PackActivity.Bind(Pack)}
}

//durable:orchestrator
func Child(ctx durable.Context, in string) (string, error) { return ShipActivity.Call(ctx, in) }

//durable:orchestrator
func DirectChild(ctx durable.Context, in string) (string, error) {
	return Child(ctx, in) // want DUR102
}

//durable:activity
func Weigh(s string) error { return nil }

//durable:orchestrator
func Leaf(ctx durable.Context) (string, error) { return ShipActivity.Call(ctx, "leaf") }

//durable:orchestrator
func ChildAsCoroutine(ctx durable.Context) (string, error) {
	return durable.Go(ctx, Leaf).Get(ctx) // want DUR102
}

//durable:orchestrator
func ChildByHandle(ctx durable.Context, in string) (string, error) {
	return ChildOrchestrator.Call(ctx, in)
}

//durable:orchestrator
func Captured(ctx durable.Context, in string) (string, error) {
	f := durable.Go(ctx, func(own durable.Context) (string, error) {
		return ShipActivity.Call(ctx, in) // want DUR103
	})
	return f.Get(ctx)
}

//durable:orchestrator
func CapturedBlank(ctx durable.Context, in string) (string, error) {
	f := durable.Go(ctx, func(durable.Context) (string, error) {
		return ShipActivity.Call(ctx, in) // want DUR103
	})
	return f.Get(ctx)
}

//durable:orchestrator
func OwnContext(ctx durable.Context, in string) (string, error) {
	f := durable.Go(ctx, func(ctx durable.Context) (string, error) {
		return ShipActivity.Call(ctx, in)
	})
	return f.Get(ctx)
}

//durable:orchestrator
func CapturedInForEach(ctx durable.Context, in []string) error {
	return durable.ForEach(ctx, in, 3, func(c durable.Context, item string) error {
		return PackActivity.Call(ctx, item) // want DUR103
	})
}

//durable:orchestrator
func CapturedInMap(ctx durable.Context, in []string) ([]string, error) {
	return durable.Map(ctx, in, 3, func(c durable.Context, item string) (string, error) {
		return ShipActivity.Call(c, item)
	})
}

//durable:orchestrator
func CapturedInSaga(ctx durable.Context, in string) (_ string, err error) {
	var saga durable.Saga
	defer saga.RollbackOnError(ctx, &err)
	saga.Compensate(func(durable.Context) error { return PackActivity.Call(ctx, in) }) // want DUR103
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func CapturedInScope(ctx durable.Context, in string) (string, error) {
	scoped, cancel := durable.WithCancel(ctx)
	defer cancel()
	f := durable.Go(scoped, func(ctx durable.Context) (string, error) {
		return ShipActivity.Call(scoped, in) // want DUR103
	})
	return f.Get(ctx)
}

// InSelect is right: the cases run in the coroutine of the Select.
//
//durable:orchestrator
func InSelect(ctx durable.Context, in string) (result string, err error) {
	durable.Select(ctx,
		durable.On(ApprovalEvent.Receive(ctx), func(_ durable.Context, a Approval, e error) { result, err = ShipActivity.Call(ctx, in) }),
		durable.OnTimer(durable.NewTimer(ctx, time.Hour), func(durable.Context) { result = "nobody" }),
	)
	return result, err
}

// Plain closures run where they are called.
//
//durable:orchestrator
func PlainClosure(ctx durable.Context, in string) (string, error) {
	ship := func(what string) (string, error) { return ShipActivity.Call(ctx, what) }
	return ship(in)
}

//durable:orchestrator
func CapturedElsewhere(ctx durable.Context, in string) (int, error) {
	f := durlib.Spawn(ctx, func(own durable.Context) (int, error) {
		return durlib.PrintActivity.Call(ctx, in) // want DUR103
	})
	return f.Get(ctx)
}

type flow struct {
	ctx durable.Context
	in  string
}

func (f flow) run() (string, error) { return ShipActivity.Call(f.ctx, f.in) }

//durable:orchestrator
func InStruct(ctx durable.Context, in string) (string, error) {
	f := flow{ctx: ctx, in: in} // want DUR103
	return f.run()
}

var last durable.Context

//durable:orchestrator
func InGlobal(ctx durable.Context, in string) (string, error) {
	last = ctx // want DUR103 DET501
	return ShipActivity.Call(ctx, in)
}

type key struct{}

//durable:orchestrator
func InStandard(ctx durable.Context, in string) (string, error) {
	std := context.WithValue(context.Background(), key{}, ctx) // want DUR103
	return fmt.Sprint(std == nil), nil
}

// Shadowed has a variable of its own.
//
//durable:orchestrator
func Shadowed(ctx durable.Context, in string) (string, error) {
	inner := ctx
	return ShipActivity.Call(inner, in)
}

//durable:orchestrator
func StandardContext(ctx durable.Context, in string) (string, error) {
	std := context.Background()
	if std.Err() != nil { // want DUR104
		return "", std.Err() // want DUR104
	}
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func StandardValue(ctx durable.Context, in string) (string, error) {
	tenant, _ := context.TODO().Value(key{}).(string) // want DUR104
	return ShipActivity.Call(ctx, tenant+in)
}

//durable:orchestrator
func OwnErr(ctx durable.Context, in string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func Dropped(ctx durable.Context, in string) error {
	PackActivity.Call(ctx, in) // want DUR106
	return nil
}

//durable:orchestrator
func DroppedBeside(ctx durable.Context, in string) (string, error) {
	tracking, _ := ShipActivity.Call(ctx, in) // want DUR106
	return tracking, nil
}

//durable:orchestrator
func DroppedOfFuture(ctx durable.Context, in string) (string, error) {
	f := ShipActivity.Start(ctx, in)
	tracking, _ := f.Get(ctx) // want DUR106
	return tracking, nil
}

//durable:orchestrator
func Overwritten(ctx durable.Context, in string) (string, error) {
	a, err := ShipActivity.Call(ctx, in) // want DUR106
	b, err := ShipActivity.Call(ctx, in+a)
	if err != nil {
		return "", err
	}
	return b, nil
}

func pack(ctx durable.Context, in string) error {
	if err := PackActivity.Call(ctx, in); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return nil
}

//durable:orchestrator
func DroppedOfHelper(ctx durable.Context, in string) error {
	pack(ctx, in) // want DUR106
	return nil
}

//durable:orchestrator
func DroppedElsewhere(ctx durable.Context, in string) error {
	durlib.Step(ctx) // want DUR106
	return nil
}

//durable:orchestrator
func DroppedOfAll(ctx durable.Context, in string) error {
	durable.All(ctx, PackActivity.Start(ctx, in), ShipActivity.Start(ctx, in)) // want DUR106
	return nil
}

//durable:orchestrator
func DroppedOfForEach(ctx durable.Context, in []string) error {
	durable.ForEach(ctx, in, 3, func(ctx durable.Context, item string) error { return PackActivity.Call(ctx, item) }) // want DUR106
	return nil
}

// AllThenGet asks each future for its error.
//
//durable:orchestrator
func AllThenGet(ctx durable.Context, in string) (string, error) {
	a, b := ShipActivity.Start(ctx, in), ShipActivity.Start(ctx, in)
	durable.All(ctx, a, b)
	x, err := a.Get(ctx)
	y, err2 := b.Get(ctx)
	return x + y, errors.Join(err, err2)
}

// Decided says that it does not matter.
//
//durable:orchestrator
func Decided(ctx durable.Context, in string) error {
	_ = PackActivity.Call(ctx, in)
	_, _ = ShipActivity.Call(ctx, in)
	return nil
}

// Timers tell a cancellation only, which the next operation tells again.
//
//durable:orchestrator
func Timers(ctx durable.Context, in string) (string, error) {
	durable.Sleep(ctx, time.Hour)
	durable.NewTimer(ctx, time.Hour).Wait(ctx)
	return ShipActivity.Call(ctx, in)
}

// Events that have come have no error.
//
//durable:orchestrator
func Events(ctx durable.Context, in string) (string, error) {
	answer := ApprovalEvent.Receive(ctx)
	a, _ := answer.Get(ctx)
	return a.By, nil
}

// Logged looks at the error.
//
//durable:orchestrator
func Logged(ctx durable.Context, in string) error {
	if err := PackActivity.Call(ctx, in); err != nil {
		ctx.SetStatus(err.Error())
	}
	return nil
}
