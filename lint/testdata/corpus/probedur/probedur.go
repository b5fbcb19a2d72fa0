// Package probedur has cases that were written before anybody knew what the linter says of them: the use of the runtime, and
// what travels as JSON.
package probedur

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// Money is what a Go team keeps behind methods, with its own JSON.
type Money struct {
	cents    int64
	currency string
}

func (m Money) MarshalJSON() ([]byte, error) {
	return json.Marshal(fmt.Sprintf("%d %s", m.cents, m.currency))
}

func (m *Money) UnmarshalJSON(b []byte) error {
	_, err := fmt.Sscanf(string(b), `"%d %s"`, &m.cents, &m.currency)
	return err
}

// Order has fields that encode themselves.
type Order struct {
	ID       string
	Price    Money
	Placed   time.Time
	Wait     time.Duration
	From     netip.Addr
	Raw      json.RawMessage
	Attrs    map[string]string
	Optional *int
	Kinds    [2]int8
	Blob     []byte
}

//durable:activity
func Charge(ctx context.Context, o Order) (Money, error) { return o.Price, nil }

//durable:activity
func Notify(who string) error { return nil }

//durable:activity
func Lengths(names []string) ([]int, error) { return nil, nil }

// Session has a lock beside what it says.
type Session struct {
	ID   string
	mu   sync.Mutex
	once *sync.Once
}

//durable:activity
func Open(s *Session) error { return nil }

// Cached keeps what it can compute again.
type Cached struct {
	Text string
	size int `json:"-"` // recomputed // want DUR202
}

//durable:activity
func Size(c Cached) (int, error) { return c.size, nil }

// Secret says itself that a field does not travel.
type Secret struct {
	User     string
	Password string `json:"-"` // want DUR202
}

//durable:activity
func Login(s Secret) (bool, error) { return s.Password != "", nil }

// Page is generic.
type Page[T any] struct {
	Items []T
	Next  string
}

//durable:activity
func Fetch(token string) (Page[Order], error) { return Page[Order]{}, nil }

// Base is embedded.
type Base struct{ ID string }

// Derived has it, and one that is not exported.
type Derived struct {
	Base
	extra
	Name string
}

type extra struct{ Note string }

//durable:activity
func Derive(d Derived) error { return nil }

//durable:activity
func Failing(n int) (err error) { return errors.New("no") }

//durable:orchestrator
func DirectCall(ctx durable.Context, in string) (string, error) {
	return in, Notify(in) // want DUR101
}

//durable:orchestrator
func CallThroughValue(ctx durable.Context, in string) (string, error) {
	send := Notify
	return in, send(in) // want DUR101
}

func tell(who string) error {
	return Notify(who) // want DUR101
}

//durable:orchestrator
func CallThroughHelper(ctx durable.Context, in string) (string, error) { return in, tell(in) }

//durable:orchestrator
func CallOfOrchestrator(ctx durable.Context, in string) (string, error) {
	return CallThroughHelper(ctx, in) // want DUR102
}

//durable:orchestrator
func Stub(ctx durable.Context, in string) (string, error) {
	return in, NotifyActivity.Call(ctx, in)
}

//durable:orchestrator
func StubOfChild(ctx durable.Context, in string) (string, error) {
	return StubOrchestrator.Call(ctx, in)
}

//durable:orchestrator
func OuterContext(ctx durable.Context, in string) (string, error) {
	f := durable.Go(ctx, func(inner durable.Context) (string, error) {
		return in, NotifyActivity.Call(ctx, in) // want DUR103
	})
	return f.Get(ctx)
}

//durable:orchestrator
func OwnContext(ctx durable.Context, in string) (string, error) {
	f := durable.Go(ctx, func(ctx durable.Context) (string, error) {
		return in, NotifyActivity.Call(ctx, in)
	})
	return f.Get(ctx)
}

type flow struct {
	ctx durable.Context
	in  string
}

//durable:orchestrator
func ContextInStruct(ctx durable.Context, in string) (string, error) {
	f := flow{ctx: ctx, in: in} // want DUR103
	return f.run()
}

func (f flow) run() (string, error) { return f.in, NotifyActivity.Call(f.ctx, f.in) }

//durable:orchestrator
func ForgetsFuture(ctx durable.Context, in string) (string, error) {
	NotifyActivity.Start(ctx, in) // want DUR105
	return in, nil
}

//durable:orchestrator
func GathersFutures(ctx durable.Context, in []string) ([]int, error) {
	var fs []durable.Future[[]int]
	for _, v := range in {
		fs = append(fs, LengthsActivity.Start(ctx, []string{v}))
	}
	var out []int
	for _, f := range fs {
		n, err := f.Get(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, n...)
	}
	return out, nil
}

//durable:orchestrator
func AwaitsInDefer(ctx durable.Context, in string) (out string, err error) {
	f := NotifyActivity.Start(ctx, in)
	if _, err := ChargeActivity.Call(ctx, Order{ID: in}); err != nil {
		_, _ = f.Get(ctx)
		return "", err
	}
	_, err = f.Get(ctx)
	return in, err
}

//durable:orchestrator
func DropsError(ctx durable.Context, in string) (string, error) {
	NotifyActivity.Call(ctx, in) // want DUR106
	return in, nil
}

//durable:orchestrator
func DropsErrorOnPurpose(ctx durable.Context, in string) (string, error) {
	_ = NotifyActivity.Call(ctx, in)
	return in, nil
}

//durable:orchestrator
func DropsErrorOfResult(ctx durable.Context, in string) ([]int, error) {
	n, _ := LengthsActivity.Call(ctx, []string{in}) // want DUR106
	return n, nil
}

//durable:orchestrator
func LogsError(ctx durable.Context, in string) (string, error) {
	if err := NotifyActivity.Call(ctx, in); err != nil {
		ctx.Logger().Warn("not told", "err", err)
	}
	return in, nil
}

//durable:orchestrator
func DropsErrorOfTimer(ctx durable.Context, in string) (string, error) {
	durable.Sleep(ctx, time.Second)
	return in, nil
}

//durable:orchestrator
func MutatesArgument(ctx durable.Context, in []string) ([]int, error) {
	f := LengthsActivity.Start(ctx, in)
	in[0] = "changed" // want DUR107
	return f.Get(ctx)
}

//durable:orchestrator
func AppendsAfterStart(ctx durable.Context, in []string) ([]string, error) {
	f := LengthsActivity.Start(ctx, in)
	more := append(slices.Clone(in), "x")
	_, err := f.Get(ctx)
	return more, err
}

//durable:orchestrator
func SharesVariable(ctx durable.Context, in string) (int, error) {
	n := 0
	f := durable.Go(ctx, func(ctx durable.Context) (durable.None, error) {
		err := NotifyActivity.Call(ctx, in)
		n = 3
		return durable.None{}, err
	})
	if err := NotifyActivity.Call(ctx, in); err != nil {
		return 0, err
	}
	got := n // want DUR107
	_, err := f.Get(ctx)
	return got, err
}

//durable:orchestrator
func SharesAfterJoin(ctx durable.Context, in string) (int, error) {
	n := 0
	f := durable.Go(ctx, func(ctx durable.Context) (durable.None, error) {
		err := NotifyActivity.Call(ctx, in)
		n = 3
		return durable.None{}, err
	})
	if _, err := f.Get(ctx); err != nil {
		return 0, err
	}
	return n, nil
}

//durable:orchestrator
func DeferredCall(ctx durable.Context, in string) (string, error) {
	defer NotifyActivity.Call(ctx, in) // want DUR110
	return in, nil
}

//durable:orchestrator
func PollsForEver(ctx durable.Context, in string) (string, error) {
	for { // want DUR301
		if err := NotifyActivity.Call(ctx, in); err != nil {
			return "", err
		}
		if err := durable.Sleep(ctx, time.Hour); err != nil {
			return "", err
		}
	}
}

//durable:orchestrator
func PollsAndContinues(ctx durable.Context, in string) (string, error) {
	for range 100 {
		if err := NotifyActivity.Call(ctx, in); err == nil {
			return in, nil
		}
		if err := durable.Sleep(ctx, time.Hour); err != nil {
			return "", err
		}
	}
	return "", durable.ContinueWith(ctx, in)
}

//durable:orchestrator
func Recurses(ctx durable.Context, n int) (int, error) {
	return descend(ctx, n)
}

func descend(ctx durable.Context, n int) (int, error) {
	if err := NotifyActivity.Call(ctx, "x"); err != nil {
		return 0, err
	}
	return descend(ctx, n+1) // want DUR301
}

//durable:orchestrator
func RecursesToAnEnd(ctx durable.Context, n int) (int, error) {
	return walk(ctx, n)
}

func walk(ctx durable.Context, n int) (int, error) {
	if n == 0 {
		return 0, nil
	}
	if err := NotifyActivity.Call(ctx, "x"); err != nil {
		return 0, err
	}
	return walk(ctx, n-1)
}

//durable:orchestrator
func BusyWaits(ctx durable.Context, in string) (string, error) {
	done := false
	_ = durable.Go(ctx, func(ctx durable.Context) (durable.None, error) { // want DUR105
		done = true
		return durable.None{}, nil
	})
	for !done { // want DUR107 DUR303
	}
	return in, nil
}

//durable:orchestrator
func LoopOfInput(ctx durable.Context, in []string) (string, error) {
	for _, who := range in {
		if err := NotifyActivity.Call(ctx, who); err != nil {
			return "", err
		}
	}
	return "", nil
}

//durable:orchestrator
func Saga(ctx durable.Context, o Order) (id string, err error) {
	var undo []func(durable.Context) error
	defer func() {
		if err == nil {
			return
		}
		for _, u := range slices.Backward(undo) {
			err = errors.Join(err, u(durable.WithoutCancel(ctx)))
		}
	}()
	if _, err := ChargeActivity.Call(ctx, o); err != nil {
		return "", err
	}
	undo = append(undo, func(ctx durable.Context) error { return NotifyActivity.Call(ctx, o.ID) })
	return o.ID, NotifyActivity.Call(ctx, "shop")
}
