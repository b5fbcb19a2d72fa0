package durable_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

var (
	errGone    = errors.New("flow: gone")
	errUnknown = errors.New("flow: not registered")
)

// limitError travels by value, declinedError by pointer.
type limitError struct{ Limit int }

func (e limitError) Error() string { return fmt.Sprintf("flow: limit %d", e.Limit) }

type declinedError struct {
	Code  string
	inner error
}

func (e *declinedError) Error() string { return "flow: declined " + e.Code }
func (e *declinedError) Unwrap() error { return e.inner }

var (
	_ = durable.RegisterError("flow.errGone", errGone)
	_ = durable.RegisterErrorType[limitError]("flow.limitError")
	_ = durable.RegisterErrorType[*declinedError]("flow.declinedError")
)

// TestErrorsSurviveTheWire sends errors through activity, orchestrator, parent and client: four hops, each its own JSON.
func TestErrorsSurviveTheWire(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		ok   func(err error) bool
	}{
		{"a sentinel", errGone, func(err error) bool { return errors.Is(err, errGone) }},
		{"a wrapped sentinel", fmt.Errorf("at home: %w", errGone), func(err error) bool { return errors.Is(err, errGone) }},
		{"a joined sentinel", errors.Join(errUnknown, errGone), func(err error) bool { return errors.Is(err, errGone) }},
		{"one that is not registered", errUnknown, func(err error) bool { return !errors.Is(err, errUnknown) }},
		{"a typed error by value", limitError{7}, func(err error) bool {
			var e limitError
			return errors.As(err, &e) && e.Limit == 7
		}},
		{"a typed error by pointer", &declinedError{Code: "51"}, func(err error) bool {
			var e *declinedError
			return errors.As(err, &e) && e.Code == "51"
		}},
		{"a typed error and what it wraps", &declinedError{"51", errGone}, func(err error) bool {
			var e *declinedError
			return errors.As(err, &e) && e.Code == "51" && errors.Is(err, errGone)
		}},
		{"one that cannot be tried again", durable.NonRetryable(errGone), func(err error) bool { return errors.Is(err, errGone) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, child, parent := task("Fail"), flow("Child"), flow("Parent")
				var hops notes
				look := func(where string, err error) {
					var of *durable.ActivityError
					hops.addf("%s %v", where, c.ok(err) && errors.As(err, &of) && of.Activity == a.Name && of.Attempt == 1 && c.ok(of))
				}
				h.work(
					durable.BindActivity(a, func(context.Context, durable.None) (int, error) { return 0, c.err }),
					durable.BindOrchestrator(child, func(ctx durable.Context, _ durable.None) (int, error) {
						n, err := call[int](ctx, a, nil)
						look("child", err)
						return n, fmt.Errorf("child: %w", err)
					}),
					durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
						// Through a coroutine, which is a hop, too.
						n, err := durable.Go(ctx, func(ctx durable.Context) (int, error) {
							return durable.StartChild[int](ctx, child, nil).Get(ctx)
						}).Get(ctx)
						look("parent", err)
						return n, fmt.Errorf("parent: %w", err)
					}),
				)
				err := fails(h, start[int](h, parent, nil))
				look("client", err)
				if diff := cmp.Diff([]string{"child true", "parent true", "client true"}, hops.all()); diff != "" {
					t.Errorf("where the error is known (-want +got):\n%s", diff)
				}
				var of *durable.OrchestrationError
				if !errors.As(err, &of) || of.Orchestrator != parent.Name {
					t.Errorf("the client gets %#v, want an OrchestrationError of the parent", err)
				}
				says(t, err, "flow.Parent", "parent: ", "flow.Child", "child: ", "flow.Fail", c.err.Error())
			})
		})
	}
}

func TestAllErrorsOfAFanOutSurvive(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Fail"), flow("FanOut")
		h.work(
			durable.BindActivity(a, func(_ context.Context, n int) (int, error) {
				return n, [...]error{nil, errGone, limitError{3}}[n]
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) ([]int, error) {
				var fs []durable.Future[int]
				for n := range 3 {
					fs = append(fs, durable.StartActivity[int](ctx, a, n))
				}
				got, err := durable.Collect(ctx, fs)
				if diff := cmp.Diff([]int{0, 0, 0}, got); diff != "" {
					t.Errorf("results (-want +got):\n%s", diff)
				}
				all := durable.All(ctx, fs[0], fs[1], fs[2])
				if all.Error() != err.Error() {
					t.Errorf("All gives %v, Collect %v", all, err)
				}
				return got, err
			}),
		)
		err := fails(h, start[[]int](h, o, nil))
		var limit limitError
		if !errors.Is(err, errGone) || !errors.As(err, &limit) {
			t.Errorf("got %v, want both errors", err)
		}
	})
}

func TestOrchestratorPanicFails(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, parent := flow("Explode"), flow("Parent")
		h.work(
			durable.BindOrchestrator(o, func(durable.Context, durable.None) (int, error) { panic("boom") }),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
				_, err := durable.StartChild[int](ctx, o, nil).Get(ctx)
				var of *durable.OrchestrationError
				if !errors.Is(err, durable.ErrPanic) || !errors.As(err, &of) || of.Orchestrator != o.Name {
					t.Errorf("the parent gets %v", err)
				}
				return 1, nil
			}),
		)
		err := fails(h, start[int](h, o, nil))
		var of *durable.OrchestrationError
		if !errors.Is(err, durable.ErrPanic) || !errors.As(err, &of) {
			t.Fatalf("got %v, want a panic", err)
		}
		says(t, errors.New(of.Stack), "errors_test.go")
		want(h, start[int](h, parent, nil), 1)
	})
}

func TestCoroutinePanicFailsTheOrchestration(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Explode")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			return durable.Go(ctx, func(durable.Context) (int, error) { panic("boom") }).Get(ctx)
		}))
		if err := fails(h, start[int](h, o, nil)); !errors.Is(err, durable.ErrPanic) {
			t.Errorf("got %v, want a panic", err)
		}
	})
}

func TestRegisterErrorRefuses(t *testing.T) {
	t.Parallel()
	type uncomparable struct {
		error
		list []int
	}
	for _, c := range []struct {
		name     string
		register func()
		says     string
	}{
		{"nil", func() { durable.RegisterError("flow.nil", nil) }, "nil"},
		{"an error that cannot be compared", func() { durable.RegisterError("flow.list", uncomparable{list: []int{1}}) }, "comparable"},
		{"a name that is taken", func() { durable.RegisterError("flow.errGone", errors.New("another")) }, `two errors are registered as "flow.errGone"`},
		{"a sentinel that is registered", func() { durable.RegisterError("flow.other", errGone) }, "registered already, as flow.errGone"},
		{"a type that is registered", func() { durable.RegisterErrorType[limitError]("flow.otherLimit") }, "registered already, as flow.limitError"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				got := recover()
				says(t, fmt.Errorf("%v", got), c.says)
			}()
			c.register()
			t.Error("it is registered")
		})
	}
}

func TestMissingReceiverNamesTheField(t *testing.T) {
	t.Parallel()
	says(t, durable.MissingReceiver("example.com/club", "Notifier"), "example.com/club", "DurableReceivers.Notifier", "nil")
}
