package durable_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

var errRefused = errors.New("flow: refused")

var _ = durable.RegisterError("flow.ErrRefused", errRefused)

// TestClientInterceptors: the first is outermost, sees every operation, and what it adds to a start is kept.
func TestClientInterceptors(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Steps")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			durable.SetQueryHandler(ctx, "q", func(durable.None) (int, error) { return 1, nil })
			durable.ReceiveEvent[int](ctx, "Number").Get(ctx)
			return ctx.Name() + " " + ctx.Tags()["a"] + ctx.Tags()["b"], nil
		}))
		var did notes
		c := durable.NewClient(h.m.View("client"), durable.ClientConfig{Interceptors: []durable.ClientInterceptor{
			func(ctx context.Context, op *durable.Operation, next func(context.Context) error) error {
				did.addf("outer %s %t %s", op.Verb, op.Instance != "", op.Name)
				if op.Verb == "start" {
					op.Tags["b"] = "added"
				}
				return next(context.WithValue(ctx, wait{}, "from outside"))
			},
			func(ctx context.Context, op *durable.Operation, next func(context.Context) error) error {
				err := next(ctx)
				did.addf("inner %s %t %v %v", op.Verb, op.Instance != "", ctx.Value(wait{}), err == nil)
				return err
			},
		}})
		t.Cleanup(func() { must(t, c.Close()) })
		tags := durable.Tags{"a": "own "}
		handle, err := durable.StartInstance[string](t.Context(), c, o, nil, tags)
		must(t, err)
		h.pass(time.Second)
		id := handle.ID()
		_, err = durable.Query[int](t.Context(), c, id, "q", nil)
		must(t, err)
		must(t, c.Suspend(t.Context(), id, ""))
		must(t, c.Resume(t.Context(), id, ""))
		must(t, c.Raise(t.Context(), id, "Number", 1))
		want(h, handle, "flow.Steps own added")
		h.pass(time.Second)
		for range c.Watch(t.Context(), id) {
		}
		_, err = c.Get(t.Context(), id)
		must(t, err)
		_, err = c.List(t.Context(), durable.Filter{})
		must(t, err)
		if err := c.Terminate(t.Context(), id, ""); !errors.Is(err, durable.ErrFinished) {
			t.Errorf("terminate: %v", err)
		}
		if err := c.Cancel(t.Context(), id, ""); !errors.Is(err, durable.ErrFinished) {
			t.Errorf("cancel: %v", err)
		}
		_, err = c.Wait(t.Context(), id)
		must(t, err)
		if diff := cmp.Diff([]string{
			"outer start false flow.Steps", "inner start true from outside true",
			"outer query true q", "inner query true from outside true",
			"outer suspend true ", "inner suspend true from outside true",
			"outer resume true ", "inner resume true from outside true",
			"outer raise true number", "inner raise true from outside true",
			"outer wait true ", "inner wait true from outside true",
			"outer watch true ", "inner watch true from outside true",
			"outer get true ", "inner get true from outside true",
			"outer list false ", "inner list false from outside true",
			"outer terminate true ", "inner terminate true from outside false",
			"outer cancel true ", "inner cancel true from outside false",
			"outer wait true ", "inner wait true from outside true",
		}, did.all()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(durable.Tags{"a": "own "}, tags); diff != "" {
			t.Errorf("the caller's tags (-want +got):\n%s", diff)
		}
	})
}

// TestClientInterceptorRefuses: nothing happens, and the error is the interceptor's; a loop that was left stays left.
func TestClientInterceptorRefuses(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		stored := len(h.m.Log())
		c := durable.NewClient(h.m.View("client"), durable.ClientConfig{Interceptors: []durable.ClientInterceptor{
			func(ctx context.Context, op *durable.Operation, next func(context.Context) error) error {
				if op.Verb == "watch" {
					if err := next(ctx); err != nil {
						return err
					}
				}
				return errRefused
			},
		}})
		t.Cleanup(func() { must(t, c.Close()) })
		_, err := durable.StartInstance[string](t.Context(), c, flow("Steps"), nil)
		if !errors.Is(err, errRefused) || len(h.m.Log()) != stored {
			t.Errorf("start: %v, %d messages", err, len(h.m.Log())-stored)
		}
		if _, err := c.Get(t.Context(), "x"); !errors.Is(err, errRefused) {
			t.Errorf("get: %v", err)
		}
		id := start[int](h, flow("Steps"), nil).ID()
		for range c.Watch(t.Context(), id) {
			break
		}
	})
}

// TestActivityInterceptors: around every attempt, with its context and its error.
func TestActivityInterceptors(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Work"), flow("Work")
		var did notes
		note := func(who string) durable.ActivityInterceptor {
			return func(ctx context.Context, info durable.ActivityInfo, next func(context.Context) error) (err error) {
				defer func() { did.addf("%s %s %d %v", who, info.Activity, info.Attempt, err) }()
				return next(context.WithValue(ctx, wait{}, fmt.Sprint(ctx.Value(wait{}), who)))
			}
		}
		refused := func(ctx context.Context, info durable.ActivityInfo, next func(context.Context) error) error {
			if info.Attempt == 3 {
				return durable.NonRetryable(errRefused)
			}
			return next(ctx)
		}
		h.workAs(durable.WorkerConfig{Interceptors: durable.WorkerInterceptors{Activities: []durable.ActivityInterceptor{note("x"), note("y"), refused}}},
			durable.BindActivity(a, func(ctx context.Context, _ durable.None) (string, error) {
				return "", fmt.Errorf("saw %v", ctx.Value(wait{}))
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
				return call[string](ctx, a, nil, durable.RetryPolicy{Attempts: 9})
			}),
		)
		if err := fails(h, start[string](h, o, nil)); !errors.Is(err, errRefused) {
			t.Errorf("it ends with %v", err)
		}
		if diff := cmp.Diff([]string{
			"y flow.Work 1 saw <nil>xy", "x flow.Work 1 saw <nil>xy",
			"y flow.Work 2 saw <nil>xy", "x flow.Work 2 saw <nil>xy",
			"y flow.Work 3 flow: refused", "x flow.Work 3 flow: refused",
		}, did.all()); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
	})
}

// TestOrchestratorInterceptors: they run again with every replay, may bound the run, and see how it ends.
func TestOrchestratorInterceptors(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Long")
		bind := durable.BindOrchestrator(o, func(ctx durable.Context, again bool) (int, error) {
			if again {
				return 0, durable.Sleep(ctx, 24*time.Hour)
			}
			durable.Sleep(ctx, time.Minute)
			return 0, durable.ContinueWith(ctx, true)
		})
		var did notes
		cfg := durable.WorkerConfig{Interceptors: durable.WorkerInterceptors{Orchestrators: []durable.OrchestratorInterceptor{
			func(ctx durable.Context, next func(durable.Context) error) error {
				did.addf("begin %s %t", ctx.Name(), ctx.Replaying())
				err := next(ctx)
				did.addf("end %t %t", errors.Is(err, durable.ErrTimeout), ctx.Replaying())
				return err
			},
			func(ctx durable.Context, next func(durable.Context) error) error {
				scoped, cancel := durable.WithTimeout(ctx, time.Hour)
				defer cancel()
				return next(scoped)
			},
		}}}
		w := h.workAs(cfg, bind)
		handle := start[int](h, o, false)
		h.pass(2 * time.Minute)
		h.stop(w)
		h.workAs(cfg, bind)
		if err := fails(h, handle); !errors.Is(err, durable.ErrTimeout) {
			t.Errorf("it ends with %v", err)
		}
		if diff := cmp.Diff([]string{
			"begin flow.Long false", "end false false", // a new execution
			"begin flow.Long false", // unwound: the worker stops
			"begin flow.Long true", "end true false",
		}, did.all()); diff != "" {
			t.Errorf("runs (-want +got):\n%s", diff)
		}
	})
}
