// Package durgrow has loops, and payloads that are large.
package durgrow

import (
	_ "embed"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/durablegen/durablegen/lint/testdata/corpus/durlib"
	durable "github.com/durablegen/durablegen/runtime"
)

//durable:activity
func Poll(what string) (string, error) { return what, nil }

//durable:activity
func Count(what string) (int, error) { return len(what), nil }

//durable:activity
func Keep(data []byte) error { return nil }

//durable:event
type Tick struct{ N int }

//durable:event
type Stop struct{}

//durable:orchestrator
func Forever(ctx durable.Context, in string) error {
	for { // want DUR301
		if _, err := PollActivity.Call(ctx, in); err != nil {
			return err
		}
		durable.Sleep(ctx, time.Hour)
	}
}

//durable:orchestrator
func ForeverBlind(ctx durable.Context, in string) error {
	for { // want DUR301
		_, _ = PollActivity.Call(ctx, in)
		durable.Sleep(ctx, time.Hour)
	}
}

//durable:orchestrator
func WhileAlive(ctx durable.Context, in string) error {
	for ctx.Err() == nil { // want DUR301
		_, _ = PollActivity.Call(ctx, in)
		durable.Sleep(ctx, time.Hour)
	}
	return ctx.Err()
}

func round(ctx durable.Context, in string) error {
	if _, err := PollActivity.Call(ctx, in); err != nil {
		return err
	}
	return durable.Sleep(ctx, time.Minute)
}

//durable:orchestrator
func ForeverInHelper(ctx durable.Context, in string) error {
	for { // want DUR301
		if err := round(ctx, in); err != nil {
			return err
		}
	}
}

//durable:orchestrator
func ForeverElsewhere(ctx durable.Context, in string) error {
	for { // want DUR301
		if err := durlib.Step(ctx); err != nil {
			return err
		}
	}
}

func rounds(ctx durable.Context, in string) error {
	for { // want DUR301
		if err := round(ctx, in); err != nil {
			return err
		}
	}
}

//durable:orchestrator
func LoopInHelper(ctx durable.Context, in string) error { return rounds(ctx, in) }

func forEver(ctx durable.Context, step func(durable.Context) error) error {
	for {
		if err := step(ctx); err != nil {
			return err
		}
	}
}

//durable:orchestrator
func GivenToLoop(ctx durable.Context, in string) error {
	return forEver(ctx, func(ctx durable.Context) error { return round(ctx, in) }) // want DUR301
}

//durable:orchestrator
func GivenToLoopContinued(ctx durable.Context, in string) error {
	n := 0
	return forEver(ctx, func(ctx durable.Context) error {
		if n++; n > 100 {
			return GivenToLoopContinuedOrchestrator.ContinueAsNew(ctx, in)
		}
		return round(ctx, in)
	})
}

// Actor ends when somebody says so, who may say other things for ever.
//
//durable:orchestrator
func Actor(ctx durable.Context, in string) error {
	for { // want DUR301
		tick, err := TickEvent.Receive(ctx).Get(ctx)
		if err != nil {
			return err
		}
		if tick.N == 0 {
			return nil
		}
		if _, err := PollActivity.Call(ctx, in); err != nil {
			return err
		}
	}
}

//durable:orchestrator
func Heart(ctx durable.Context, in string) error {
	stop := StopEvent.Receive(ctx)
	for { // want DUR301
		beat := durable.NewTimer(ctx, time.Minute)
		if durable.Any(ctx, stop, beat) == stop {
			return nil
		}
		if _, err := PollActivity.Call(ctx, in); err != nil {
			return err
		}
	}
}

// Continued goes on as a new execution.
//
//durable:orchestrator
func Continued(ctx durable.Context, in string) error {
	for n := 0; ; n++ {
		if err := round(ctx, in); err != nil {
			return err
		}
		if n == 100 {
			return ContinuedOrchestrator.ContinueAsNew(ctx, in)
		}
	}
}

// ContinuedAtOnce does so every time.
//
//durable:orchestrator
func ContinuedAtOnce(ctx durable.Context, in string) error {
	if err := round(ctx, in); err != nil {
		return err
	}
	return ContinuedAtOnceOrchestrator.ContinueAsNew(ctx, in)
}

func turn(ctx durable.Context, in string) error {
	tick, err := TickEvent.Receive(ctx).Get(ctx)
	if err != nil {
		return err
	}
	if tick.N > 10 {
		return ContinuedByHelperOrchestrator.ContinueAsNew(ctx, in)
	}
	return nil
}

//durable:orchestrator
func ContinuedByHelper(ctx durable.Context, in string) error {
	for {
		if err := turn(ctx, in); err != nil {
			return err
		}
	}
}

// Polling ends when its work says so.
//
//durable:orchestrator
func Polling(ctx durable.Context, in string) (string, error) {
	for {
		state, err := PollActivity.Call(ctx, in)
		if err != nil {
			return "", err
		}
		if state == "done" {
			return state, nil
		}
		durable.Sleep(ctx, time.Minute)
	}
}

// Until ends by the time.
//
//durable:orchestrator
func Until(ctx durable.Context, in time.Time) error {
	for ctx.Now().Before(in) {
		if err := round(ctx, "x"); err != nil {
			return err
		}
	}
	return nil
}

// Day ends when its timer fires.
//
//durable:orchestrator
func Day(ctx durable.Context, in string) (int, error) {
	day, n := durable.NewTimer(ctx, 24*time.Hour), 0
	for {
		tick := TickEvent.Receive(ctx)
		if durable.Any(ctx, tick, day) != tick {
			return n, ctx.Err()
		}
		n++
	}
}

// Twice asks, and asks again.
//
//durable:orchestrator
func Twice(ctx durable.Context, in string) (string, error) {
	answer := TickEvent.Receive(ctx)
	patience := durable.NewTimer(ctx, time.Hour)
	for asked := false; ; {
		switch durable.Any(ctx, answer, patience) {
		case answer:
			return "answered", nil
		case patience:
			if asked {
				return "nobody", nil
			}
			asked = true
			if _, err := PollActivity.Call(ctx, in); err != nil {
				return "", err
			}
			patience = durable.NewTimer(ctx, time.Hour)
		}
	}
}

// Tries are counted in a struct.
//
//durable:orchestrator
func Tries(ctx durable.Context, in string) error {
	state := struct{ Left int }{3}
	for state.Left > 0 {
		state.Left--
		if _, err := PollActivity.Call(ctx, in); err == nil {
			return nil
		}
	}
	return errors.New("durgrow: no more tries")
}

//durable:orchestrator
func Items(ctx durable.Context, in []string) error {
	for _, item := range in {
		if _, err := PollActivity.Call(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

// Waiting gets shorter.
//
//durable:orchestrator
func Waiting(ctx durable.Context, in []string) error {
	waiting := in
	for len(waiting) > 0 {
		if _, err := PollActivity.Call(ctx, waiting[0]); err != nil {
			return err
		}
		waiting = waiting[1:]
	}
	return nil
}

type order struct {
	ID    string
	Count int
}

//durable:orchestrator
func FromInput(ctx durable.Context, in order) error {
	for i := 0; i < in.Count; i++ { // want DUR302
		if _, err := PollActivity.Call(ctx, in.ID); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func RangeOfInput(ctx durable.Context, in int) error {
	for range in { // want DUR302
		if err := durlib.Step(ctx); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func FromResult(ctx durable.Context, in string) error {
	n, err := CountActivity.Call(ctx, in)
	if err != nil {
		return err
	}
	for i := range n { // want DUR302
		if err := durable.Sleep(ctx, time.Duration(i)*time.Second); err != nil {
			return err
		}
	}
	return nil
}

func repeat(ctx durable.Context, n int, in string) error {
	for range n { // want DUR302
		if _, err := PollActivity.Call(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func FromInputByHelper(ctx durable.Context, in order) error { return repeat(ctx, in.Count, in.ID) }

func thrice(ctx durable.Context, n int, in string) error {
	for range n {
		if _, err := PollActivity.Call(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func ConstantToHelper(ctx durable.Context, in order) error { return thrice(ctx, 3, in.ID) }

//durable:orchestrator
func Capped(ctx durable.Context, in order) error {
	for range min(in.Count, 100) {
		if _, err := PollActivity.Call(ctx, in.ID); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func Checked(ctx durable.Context, in order) error {
	if in.Count > 100 {
		return errors.New("durgrow: too many")
	}
	for i := 0; i < in.Count; i++ {
		if _, err := PollActivity.Call(ctx, in.ID); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func Cut(ctx durable.Context, in order) error {
	n := in.Count
	if n > 100 {
		n = 100
	}
	for range n {
		if _, err := PollActivity.Call(ctx, in.ID); err != nil {
			return err
		}
	}
	return nil
}

// Computed loops over the input without a trace in the history.
//
//durable:orchestrator
func Computed(ctx durable.Context, in int) (int, error) {
	sum := 0
	for i := range in {
		sum += i
	}
	return sum, nil
}

//durable:orchestrator
func Many(ctx durable.Context, in string) error {
	for range 50_000 { // want DUR302
		if _, err := PollActivity.Call(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func Few(ctx durable.Context, in string) error {
	for range 5 {
		if _, err := PollActivity.Call(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func Spin(ctx durable.Context, in string) error {
	for { // want DUR303
	}
}

func begin(ctx durable.Context, in string) {
	_ = durable.Go(ctx, func(ctx durable.Context) (string, error) { return PollActivity.Call(ctx, in) }) //durable:detached
}

//durable:orchestrator
func SpinAndBegin(ctx durable.Context, in string) error {
	for { // want DUR303
		begin(ctx, in)
	}
}

//durable:orchestrator
func BusyFuture(ctx durable.Context, in string) (string, error) {
	f := PollActivity.Start(ctx, in)
	for !f.Ready() { // want DUR303
	}
	return f.Get(ctx)
}

//durable:orchestrator
func BusyVariable(ctx durable.Context, in string) (string, error) {
	done := false
	f := durable.Go(ctx, func(ctx durable.Context) (string, error) {
		s, err := PollActivity.Call(ctx, in)
		done = true
		return s, err
	})
	for !done { // want DUR303 DUR107
	}
	return f.Get(ctx)
}

//durable:orchestrator
func BusyClock(ctx durable.Context, in time.Time) error {
	for ctx.Now().Before(in) { // want DUR303
	}
	return nil
}

//durable:orchestrator
func BusyWithTimers(ctx durable.Context, in string) error {
	stop := StopEvent.Receive(ctx)
	for !stop.Ready() { // want DUR303
		_ = PollActivity.Start(ctx, in) //durable:detached
	}
	return nil
}

// Yields lets others run.
//
//durable:orchestrator
func Yields(ctx durable.Context, in string) (string, error) {
	f := PollActivity.Start(ctx, in)
	for !f.Ready() {
		if err := durlib.Pause(ctx); err != nil { // it ends with the work
			return "", err
		}
	}
	return f.Get(ctx)
}

// Collatz ends, as far as anybody knows.
//
//durable:orchestrator
func Collatz(ctx durable.Context, n int) (int, error) {
	steps := 0
	for n > 1 {
		if n%2 == 0 {
			n /= 2
		} else {
			n = 3*n + 1
		}
		steps++
	}
	return steps, nil
}

//go:embed durgrow.go
var manual []byte

//durable:orchestrator
func Embedded(ctx durable.Context, in string) error {
	return KeepActivity.Call(ctx, manual) // want DUR304
}

//durable:orchestrator
func Made(ctx durable.Context, in string) error {
	return KeepActivity.Call(ctx, make([]byte, 1<<20)) // want DUR304
}

//durable:orchestrator
func Repeated(ctx durable.Context, in string) (string, error) {
	return PollActivity.Call(ctx, strings.Repeat("all work and no play ", 10_000)) // want DUR304
}

//durable:orchestrator
func Small(ctx durable.Context, in string) (string, error) {
	return PollActivity.Call(ctx, strings.Repeat("-", 40))
}

//durable:activity
func ReadAll(path string) ([]byte, error) {
	return os.ReadFile(path) // want DUR304
}

//durable:activity
func ReadSize(path string) (int, error) {
	b, err := os.ReadFile(path)
	return len(b), err
}
