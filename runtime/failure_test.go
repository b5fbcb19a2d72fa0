package durable_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

// leaves lists the failed activities behind an error, in the order of its tree.
func leaves(err error) (list []*durable.ActivityError) {
	if a, ok := err.(*durable.ActivityError); ok {
		return append(list, a)
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return leaves(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, w := range e.Unwrap() {
			list = append(list, leaves(w)...)
		}
	}
	return list
}

// TestNoFailureOfAFanOutIsLost: through several levels of children, each of which joins what went wrong below it.
func TestNoFailureOfAFanOutIsLost(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Fail"), flow("Level")
		errs := []error{errGone, limitError{1}, &declinedError{"51", nil}, errUnknown, limitError{2}, context.DeadlineExceeded}
		h.work(
			durable.BindActivity(a, func(_ context.Context, n int) (int, error) {
				if n == 5 {
					panic("boom")
				}
				return 0, fmt.Errorf("task %d: %w", n, errs[n])
			}),
			// A level runs two activities and, above the lowest, a child; the leaves are 0 to 5.
			durable.BindOrchestrator(o, func(ctx durable.Context, level int) (int, error) {
				fs := []durable.Awaitable{durable.StartActivity[int](ctx, a, 2*level), durable.StartActivity[int](ctx, a, 2*level+1)}
				if level < 2 {
					fs = append(fs, durable.StartChild[int](ctx, o, level+1))
				}
				if err := durable.All(ctx, fs...); err != nil {
					return 0, fmt.Errorf("level %d: %w", level, err)
				}
				return 0, nil
			}),
		)
		err := fails(h, start[int](h, o, 0))
		var got []string
		for _, leaf := range leaves(err) {
			got = append(got, fmt.Sprintf("%s %d: %s", leaf.Activity, leaf.Attempt, leaf.Message))
		}
		if diff := cmp.Diff([]string{
			"flow.Fail 1: task 0: flow: gone", "flow.Fail 1: task 1: flow: limit 1", "flow.Fail 1: task 2: flow: declined 51",
			"flow.Fail 1: task 3: flow: not registered", "flow.Fail 1: task 4: flow: limit 2", "flow.Fail 1: panic: boom",
		}, got); diff != "" {
			t.Errorf("failed activities (-want +got):\n%s", diff)
		}
		for _, is := range []error{errGone, limitError{1}, limitError{2}, durable.ErrPanic} {
			if !errors.Is(err, is) {
				t.Errorf("it is not %v", is)
			}
		}
		var declined *declinedError
		if !errors.As(err, &declined) || declined.Code != "51" {
			t.Errorf("it is no declinedError: %+v", declined)
		}
		says(t, err, "level 0", "level 1", "level 2", "task 0", "task 1", "task 2", "task 3", "task 4", "boom")
		says(t, errors.New(leaves(err)[5].Stack), "failure_test.go")
	})
}

// TestKindsSurviveBesideEachOther: kinds that the system makes are themselves on every level, beside each other.
func TestKindsSurviveBesideEachOther(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		slow, odd, child, parent := task("Slow"), task("Odd"), flow("Child"), flow("Parent")
		slow.Timeout = durable.Timeout(time.Second)
		h.work(
			durable.BindActivity(slow, func(ctx context.Context, _ durable.None) (int, error) { <-ctx.Done(); return 0, context.Cause(ctx) }),
			durable.BindActivity(odd, func(context.Context, string) (int, error) { return 0, nil }),
			durable.BindOrchestrator(child, func(ctx durable.Context, _ durable.None) (int, error) {
				return 0, durable.All(ctx,
					durable.StartActivity[int](ctx, slow, nil),
					durable.StartActivity[int](ctx, odd, 7), // not what it takes
					durable.StartActivity[int](ctx, slow, nil, durable.RetryPolicy{Deadline: time.Millisecond}))
			}),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.StartChild[int](ctx, child, nil).Get(ctx)
			}),
		)
		err := fails(h, start[int](h, parent, nil))
		all := leaves(err)
		if len(all) != 3 {
			t.Fatalf("%d failed activities in %v, want 3", len(all), err)
		}
		for n, want := range []error{durable.ErrTimeout, durable.ErrPayload, durable.ErrDeadline} {
			if !errors.Is(all[n], want) {
				t.Errorf("failure %d is %v, want %v", n, all[n], want)
			}
		}
		if errors.Is(all[0], durable.ErrDeadline) || errors.Is(all[1], durable.ErrTimeout) {
			t.Errorf("kinds are mixed up: %v; %v", all[0], all[1])
		}
	})
}

// TestManyAndLargeFailuresAreBounded: what is stored has a bound, and the error says what is missing.
func TestManyAndLargeFailuresAreBounded(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, child, parent := task("Fail"), flow("Child"), flow("Parent")
		const many = 300
		h.work(
			durable.BindActivity(a, func(_ context.Context, n int) (int, error) {
				return 0, fmt.Errorf("task %d failed: %s%w", n, strings.Repeat("x", 3000), errGone)
			}),
			durable.BindOrchestrator(child, func(ctx durable.Context, _ durable.None) (int, error) {
				var fs []durable.Awaitable
				for n := range many {
					fs = append(fs, durable.StartActivity[int](ctx, a, n))
				}
				return 0, durable.All(ctx, fs...)
			}),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.StartChild[int](ctx, child, nil).Get(ctx)
			}),
		)
		err := fails(h, start[int](h, parent, nil))
		kept := len(leaves(err))
		if kept < 20 || kept == many {
			t.Errorf("%d of %d failures are kept", kept, many)
		}
		if !errors.Is(err, errGone) {
			t.Error("the error is not itself any more")
		}
		says(t, err, "task 0 failed", "bytes in all)")
		says(t, missing(err), fmt.Sprintf("and %d more failures", many-kept))
		for _, s := range h.m.Log() {
			turn, ok := s.Message.Record.(*history.Turn)
			if !ok || turn.End == nil {
				continue
			}
			text, err := json.Marshal(turn.End.Failure)
			must(t, err)
			if len(text) > 200<<10 {
				t.Errorf("a failure of %d bytes is stored", len(text))
			}
		}
	})
}

// missing finds the error that tells what was left out.
func missing(err error) error {
	if strings.HasPrefix(err.Error(), "durable: and ") {
		return err
	}
	if e, ok := err.(interface{ Unwrap() []error }); ok {
		for _, w := range e.Unwrap() {
			if found := missing(w); found != nil {
				return found
			}
		}
	}
	return nil
}

// TestErrorsOfOthersPassThrough: a program in the middle need not know the errors that it passes on.
func TestErrorsOfOthersPassThrough(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, child, parent := task("Fail"), flow("Child"), flow("Parent")
		theirs := []history.Named{{Name: "elsewhere.Limit", Details: history.Payload(`{"Limit":7}`)}}
		var outermost *history.Failure
		h.m.OnAppend(func(a backend.Append) membackend.Verdict {
			switch r := a.Record.(type) {
			case *history.Done:
				if r.Attempt > 0 { // the activity belongs to another program
					r.Failure.Names = theirs
				}
			case *history.Turn:
				if r.End != nil {
					outermost = r.End.Failure
				}
			}
			return membackend.Verdict{}
		})
		h.work(
			durable.BindActivity(a, func(context.Context, durable.None) (int, error) { return 0, errUnknown }),
			durable.BindOrchestrator(child, func(ctx durable.Context, _ durable.None) (int, error) { return call[int](ctx, a, nil) }),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.StartChild[int](ctx, child, nil).Get(ctx)
			}),
		)
		_ = fails(h, start[int](h, parent, nil))
		var got []history.Named
		for f := outermost; f != nil; f = f.Cause {
			got = append(got, f.Names...)
		}
		if diff := cmp.Diff(theirs, got); diff != "" {
			t.Errorf("names in the outermost failure (-want +got):\n%s", diff)
		}
	})
}
