// Package clock reads the time, and computes with times.
package clock

import (
	"context"
	"fmt"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Since(ctx durable.Context, at time.Time) (time.Duration, error) {
	return time.Since(at), nil // want DET101
}

//durable:orchestrator
func Until(ctx durable.Context, at time.Time) (bool, error) {
	if time.Until(at) > 0 { // want DET101
		return true, nil
	}
	return false, nil
}

//durable:orchestrator
func Deferred(ctx durable.Context, in string) (took string, err error) {
	defer func() {
		took = time.Now().String() // want DET101
	}()
	return in, nil
}

type stopwatch struct{ begun time.Time }

func (s *stopwatch) start() {
	s.begun = time.Now() // want DET101
}

//durable:orchestrator
func Method(ctx durable.Context, in string) (string, error) {
	var s stopwatch
	s.start()
	return s.begun.String(), nil
}

//durable:orchestrator
func MethodValue(ctx durable.Context, in string) (string, error) {
	var s lap
	f := s.stop
	f()
	return in, nil
}

type lap struct{ at time.Time }

func (l *lap) stop() {
	l.at = time.Now() // want DET101
}

//durable:orchestrator
func InStruct(ctx durable.Context, in string) (string, error) {
	deps := struct{ now func() time.Time }{now: time.Now} // want DET101
	return deps.now().String(), nil
}

//durable:orchestrator
func InMap(ctx durable.Context, in string) (string, error) {
	funcs := map[string]func() time.Time{
		"now": func() time.Time {
			return time.Now() // want DET101
		},
	}
	return funcs[in]().String(), nil
}

//durable:orchestrator
func Recursive(ctx durable.Context, n int) (int, error) { return down(n), nil }

func down(n int) int {
	if n == 0 {
		return time.Now().Second() // want DET101
	}
	return down(n - 1)
}

//durable:orchestrator
func Sleeps(ctx durable.Context, in string) (string, error) {
	time.Sleep(time.Second) // want DET102
	return in, nil
}

//durable:orchestrator
func SleepsInLoop(ctx durable.Context, n int) (int, error) {
	for range n {
		pause()
	}
	return n, nil
}

func pause() {
	time.Sleep(time.Millisecond) // want DET102
}

//durable:orchestrator
func Timers(ctx durable.Context, in string) (string, error) {
	t := time.NewTimer(time.Hour) // want DET103
	defer t.Stop()
	_ = time.AfterFunc(time.Hour, func() {}) // want DET103
	_ = time.NewTicker(time.Hour)            // want DET103
	return in, nil
}

//durable:orchestrator
func Deadline(ctx durable.Context, in string) (string, error) {
	c, cancel := context.WithTimeout(context.Background(), time.Minute) // want DET104
	defer cancel()
	_ = c
	return in, nil
}

//durable:orchestrator
func LocalZone(ctx durable.Context, at time.Time) (string, error) {
	day := at.Local().Weekday() // want DET105
	return day.String(), nil
}

//durable:orchestrator
func LoadsZone(ctx durable.Context, at time.Time) (string, error) {
	loc, err := time.LoadLocation("Europe/Zurich") // want DET105
	if err != nil {
		return "", err
	}
	return at.In(loc).String(), nil
}

//durable:orchestrator
func FormatsUnix(ctx durable.Context, n int64) (string, error) {
	at := time.Unix(n, 0)
	return at.Format(time.RFC3339), nil // want DET105
}

//durable:orchestrator
func DateOfUnix(ctx durable.Context, n int64) (int, error) {
	return day(time.UnixMilli(n).Add(time.Hour)), nil
}

func day(t time.Time) int {
	return t.Day() // want DET105
}

//durable:orchestrator
func LocalDate(ctx durable.Context, n int) (time.Time, error) {
	return time.Date(2024, 1, n, 0, 0, 0, 0, time.Local), nil // want DET105
}

//durable:orchestrator
func Arithmetic(ctx durable.Context, in time.Time) (string, error) {
	now := ctx.Now()
	due := now.Add(48 * time.Hour).Truncate(time.Hour)
	if now.After(in) || due.Before(in) {
		return now.Format(time.RFC3339), nil
	}
	d, err := time.ParseDuration("90m")
	if err != nil {
		return "", err
	}
	return fmt.Sprint(due.Sub(in)+d, due.Year(), due.Month()), nil
}

//durable:orchestrator
func UnixInUTC(ctx durable.Context, n int64) (string, error) {
	at := time.Unix(n, 0).UTC()
	zone := time.FixedZone("CET", 3600)
	return at.Format(time.RFC3339) + at.In(zone).String() + time.Unix(n, 0).In(time.UTC).String(), nil
}

//durable:orchestrator
func UnixCompared(ctx durable.Context, n int64) (bool, error) {
	return time.Unix(n, 0).Before(ctx.Now()) && time.Unix(n, 0).Unix() > 3, nil
}

//durable:orchestrator
func Parsed(ctx durable.Context, in string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, in)
	if err != nil {
		return time.Time{}, err
	}
	return time.Date(2024, time.March, 1, 0, 0, 0, 0, time.UTC).Add(time.Since(t) * 0), nil // want DET101
}

//durable:orchestrator
func ParsedOnly(ctx durable.Context, in string) (bool, error) {
	t, err := time.Parse(time.RFC3339, in)
	return t.IsZero() && t.Equal(time.Time{}), err
}

//durable:orchestrator
func Durable(ctx durable.Context, in time.Duration) (string, error) {
	if err := durable.Sleep(ctx, in); err != nil {
		return "", err
	}
	t := durable.NewTimer(ctx, in)
	defer t.Stop()
	scoped, cancel := durable.WithTimeout(ctx, in)
	defer cancel()
	return scoped.Now().UTC().String(), t.Wait(ctx)
}

//durable:orchestrator
func Unreached(ctx durable.Context, in string) (string, error) {
	const debug = false
	if debug {
		return time.Now().String(), nil
	}
	return in, nil
}

// measure is only called by an activity.
func measure() time.Time { return time.Now() }

//durable:activity
func Measure(ctx context.Context, in string) (time.Time, error) {
	time.Sleep(time.Millisecond)
	return measure(), nil
}

//durable:orchestrator
func HandsOver(ctx durable.Context, in string) (string, error) {
	f := durable.Go(ctx, func(ctx durable.Context) (time.Time, error) { return ctx.Now(), nil })
	at, err := f.Get(ctx)
	return at.String(), err
}

//durable:orchestrator
func InCoroutine(ctx durable.Context, in string) (string, error) {
	f := durable.Go(ctx, func(ctx durable.Context) (time.Time, error) {
		return time.Now(), nil // want DET101
	})
	at, err := f.Get(ctx)
	return at.String(), err
}

//durable:orchestrator
func Chain(ctx durable.Context, in string) (string, error) {
	return fmt.Sprint(time.
		Now(). // want DET101
		Year()), nil
}
