package durcall

import (
	"errors"
	"time"

	"github.com/durablegen/durablegen/lint/testdata/corpus/durlib"
	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func SharedRead(ctx durable.Context, in string) (int, error) {
	n := 0
	f := durable.Go(ctx, func(ctx durable.Context) (string, error) {
		n++
		return ShipActivity.Call(ctx, in)
	})
	before := n // want DUR107
	_, err := f.Get(ctx)
	return before, err
}

//durable:orchestrator
func SharedWrite(ctx durable.Context, in string) (string, error) {
	what := in
	f := durable.Go(ctx, func(ctx durable.Context) (string, error) { return ShipActivity.Call(ctx, what) })
	what = "other" // want DUR107
	return f.Get(ctx)
}

type parcel struct{ Items []string }

//durable:orchestrator
func SharedField(ctx durable.Context, in string) (int, error) {
	var p parcel
	f := durable.Go(ctx, func(ctx durable.Context) (string, error) {
		p.Items = append(p.Items, in)
		return ShipActivity.Call(ctx, in)
	})
	n := len(p.Items) // want DUR107
	_, err := f.Get(ctx)
	return n, err
}

// Joined reads when the coroutine has ended.
//
//durable:orchestrator
func Joined(ctx durable.Context, in string) (int, error) {
	n := 0
	f := durable.Go(ctx, func(ctx durable.Context) (string, error) {
		n++
		return ShipActivity.Call(ctx, in)
	})
	if _, err := f.Get(ctx); err != nil {
		return 0, err
	}
	return n, nil
}

// JoinedAll gathers from many.
//
//durable:orchestrator
func JoinedAll(ctx durable.Context, in []string) (int, error) {
	n := 0
	var fs []durable.Future[string]
	for _, item := range in {
		fs = append(fs, durable.Go(ctx, func(ctx durable.Context) (string, error) {
			n++
			return ShipActivity.Call(ctx, item)
		}))
	}
	if _, err := durable.Collect(ctx, fs); err != nil {
		return 0, err
	}
	return n, nil
}

// JoinedInLoop waits for one after the other.
//
//durable:orchestrator
func JoinedInLoop(ctx durable.Context, in []string) (int, error) {
	n := 0
	var fs []durable.Future[string]
	for _, item := range in {
		fs = append(fs, durable.Go(ctx, func(ctx durable.Context) (string, error) {
			n++
			return ShipActivity.Call(ctx, item)
		}))
	}
	for _, f := range fs {
		if _, err := f.Get(ctx); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// ArgumentChanged is right: arguments are stored when the call is made.
//
//durable:orchestrator
func ArgumentChanged(ctx durable.Context, in string) (string, error) {
	what := in
	f := ShipActivity.Start(ctx, what)
	what = "other"
	a, err := f.Get(ctx)
	return a + what, err
}

//durable:activity
func Send(p *parcel) (string, error) { return "", nil }

//durable:activity
func SendAll(items []string, labels map[string]string) error { return nil }

//durable:orchestrator
func ChangedField(ctx durable.Context, in string) (string, error) {
	p := &parcel{Items: []string{in}}
	f := SendActivity.Start(ctx, p)
	p.Items = append(p.Items, "gift") // want DUR107
	return f.Get(ctx)
}

//durable:orchestrator
func ChangedElement(ctx durable.Context, in []string) error {
	labels := map[string]string{"to": "Ada"}
	f := SendAllActivity.Start(ctx, in, labels)
	in[0] = "gift"       // want DUR107
	labels["to"] = "Bob" // want DUR107
	return f.Err(ctx)
}

// ChangedLater has waited.
//
//durable:orchestrator
func ChangedLater(ctx durable.Context, in string) (string, error) {
	p := &parcel{Items: []string{in}}
	p.Items = append(p.Items, "card")
	f := SendActivity.Start(ctx, p, durable.Timeout(time.Minute))
	other := &parcel{}
	other.Items = p.Items
	s, err := f.Get(ctx)
	p.Items[0] = s
	return other.Items[0], err
}

// ReadOnly is shared, and nobody writes.
//
//durable:orchestrator
func ReadOnly(ctx durable.Context, in string) (string, error) {
	what := in + "!"
	f := durable.Go(ctx, func(ctx durable.Context) (string, error) { return ShipActivity.Call(ctx, what) })
	a, err := f.Get(ctx)
	return a + what, err
}

//durable:orchestrator
func DeferredCall(ctx durable.Context, in string) (string, error) {
	defer PackActivity.Call(ctx, in) // want DUR110
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func DeferredClosure(ctx durable.Context, in string) (_ string, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, PackActivity.Call(ctx, in)) // want DUR110
		}
	}()
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func DeferredRecover(ctx durable.Context, in string) (_ string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = PackActivity.Call(ctx, in) // want DUR110
		}
	}()
	return ShipActivity.Call(ctx, in)
}

func release(ctx durable.Context, in string) { _ = PackActivity.Call(ctx, in) }

//durable:orchestrator
func DeferredHelper(ctx durable.Context, in string) (string, error) {
	defer release(ctx, in) // want DUR110
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func DeferredElsewhere(ctx durable.Context, in string) (string, error) {
	defer durlib.Step(ctx) // want DUR110
	return ShipActivity.Call(ctx, in)
}

// DeferredRight is what defer is for.
//
//durable:orchestrator
func DeferredRight(ctx durable.Context, in string) (_ string, err error) {
	var saga durable.Saga
	defer saga.RollbackOnError(ctx, &err)
	deadline := durable.NewTimer(ctx, time.Hour)
	defer deadline.Stop()
	scoped, cancel := durable.WithTimeout(ctx, time.Hour)
	defer cancel()
	defer func() { ctx.SetStatus(ctx.Now()) }()
	saga.Compensate(func(ctx durable.Context) error { return PackActivity.Call(ctx, in) })
	return ShipActivity.Call(scoped, in)
}

// DeferredDetached goes on when the orchestration is cancelled.
//
//durable:orchestrator
func DeferredDetached(ctx durable.Context, in string) (_ string, err error) {
	defer func() { err = errors.Join(err, PackActivity.Call(durable.WithoutCancel(ctx), in)) }()
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func AfterContinue(ctx durable.Context, in string) (string, error) {
	next := AfterContinueOrchestrator.ContinueAsNew(ctx, in)
	if err := PackActivity.Call(ctx, in); err != nil { // want DUR110
		return "", err
	}
	return "", next
}

//durable:orchestrator
func ContinueAtEnd(ctx durable.Context, in string) (string, error) {
	if in == "" {
		return "", ContinueAtEndOrchestrator.ContinueAsNew(ctx, "x")
	}
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func ContinueDropped(ctx durable.Context, in string) (string, error) {
	ContinueDroppedOrchestrator.ContinueAsNew(ctx, in) // want DUR305
	return "", nil
}

//durable:orchestrator
func ContinueBlank(ctx durable.Context, in string) (string, error) {
	_ = ContinueBlankOrchestrator.ContinueAsNew(ctx, in) // want DUR305
	return "", nil
}

//durable:orchestrator
func ContinueKept(ctx durable.Context, in string) (string, error) {
	err := ContinueKeptOrchestrator.ContinueAsNew(ctx, in)
	return "", err
}

func again(ctx durable.Context, in string) error {
	return ContinueKeptOrchestrator.ContinueAsNew(ctx, in)
}

//durable:orchestrator
func ContinueInHelper(ctx durable.Context, in string) (string, error) {
	again(ctx, in) // want DUR305
	return "", nil
}

//durable:orchestrator
func QueryActs(ctx durable.Context, in string) (string, error) {
	durable.SetQueryHandler(ctx, "ship", func(what string) (string, error) {
		return ShipActivity.Call(ctx, what) // want DUR111
	})
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func QueryAsksContext(ctx durable.Context, in string) (string, error) {
	durable.SetQueryHandler(ctx, "now", func(durable.None) (time.Time, error) {
		return ctx.Now(), nil // want DUR111
	})
	return ShipActivity.Call(ctx, in)
}

//durable:orchestrator
func QueryWrites(ctx durable.Context, in string) (int, error) {
	asked := 0
	durable.SetQueryHandler(ctx, "asked", func(durable.None) (int, error) {
		asked++ // want DUR111
		return asked, nil
	})
	_, err := ShipActivity.Call(ctx, in)
	return asked, err
}

// QueryReads is what a query is for.
//
//durable:orchestrator
func QueryReads(ctx durable.Context, in string) (int, error) {
	steps := 0
	durable.SetQueryHandler(ctx, "steps", func(durable.None) (int, error) { return steps, nil })
	if err := PackActivity.Call(ctx, in); err != nil {
		return 0, err
	}
	steps++
	_, err := ShipActivity.Call(ctx, in)
	return steps, err
}

var errLost = errors.New("durcall: lost")

//durable:orchestrator
func HandleActs(ctx durable.Context, in string) (string, error) {
	return ShipActivity.Call(ctx, in, durable.RetryPolicy{Attempts: 3, Handle: func(err error) bool {
		return PackActivity.Call(ctx, in) == nil // want DUR111
	}})
}

//durable:orchestrator
func HandleLooks(ctx durable.Context, in string) (string, error) {
	return ShipActivity.Call(ctx, in, durable.RetryPolicy{Attempts: 3, Handle: func(err error) bool { return !errors.Is(err, errLost) }})
}

func _(ctx durable.Context) { PackActivity.Start(ctx, "nobody calls it") }
