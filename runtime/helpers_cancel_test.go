package durable_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestWithinWhenCancelled: a cancellation is told as such, also to who has no patience.
func TestWithinWhenCancelled(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Within")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			event := durable.ReceiveEvent[int](ctx, "Number")
			_, first := event.Within(ctx, time.Hour)
			shielded := durable.WithoutCancel(ctx)
			other := durable.ReceiveEvent[int](shielded, "Number")
			_, second := other.Within(ctx, 0)
			_, third := other.Within(shielded, time.Minute)
			return fmt.Sprint(errors.Is(first, durable.ErrCanceled), errors.Is(second, durable.ErrCanceled), errors.Is(third, durable.ErrTimeout)), nil
		}))
		handle := start[string](h, o, nil)
		h.pass(time.Second)
		must(t, h.client.Cancel(t.Context(), handle.ID(), "enough"))
		want(h, handle, "true true true")
	})
}

// TestSagaWhenCancelled: what has been done is undone, although nothing else may be begun.
func TestSagaWhenCancelled(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Undo"), flow("Saga")
		var did notes
		h.work(
			durable.BindActivity(a, func(_ context.Context, step string) (durable.None, error) {
				did.addf("%s", step)
				return durable.None{}, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (_ int, err error) {
				var saga durable.Saga
				defer saga.RollbackOnError(ctx, &err)
				for _, step := range []string{"a", "b"} {
					saga.Compensate(func(ctx durable.Context) error { _, err := call[durable.None](ctx, a, step); return err })
				}
				return 0, durable.Sleep(ctx, time.Hour)
			}),
		)
		handle := start[int](h, o, nil)
		h.pass(time.Second)
		must(t, h.client.Cancel(t.Context(), handle.ID(), ""))
		if err := fails(h, handle); !errors.Is(err, durable.ErrCanceled) {
			t.Errorf("it ends with %v", err)
		}
		if diff := cmp.Diff([]string{"b", "a"}, did.all()); diff != "" {
			t.Errorf("compensations (-want +got):\n%s", diff)
		}
	})
}

// TestForEachWhenCancelled: what is under way comes to its end and is told, the rest does not begin.
func TestForEachWhenCancelled(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("ForEach")
		var inside error
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			scoped, cancel := durable.WithCancel(ctx)
			defer cancel()
			begun, ended := 0, 0
			inside = durable.ForEach(scoped, make([]int, 200_000), 3, func(scoped durable.Context, _ int) error {
				begun++
				if begun == 10 {
					cancel()
					return errSeven
				}
				err := durable.Sleep(scoped, time.Second)
				if err != nil {
					durable.Sleep(durable.WithoutCancel(scoped), time.Minute) // it clears up
				}
				ended++
				return err
			})
			return begun*100 + ended, nil
		}))
		want(h, start[int](h, o, nil), 1009)
		says(t, inside, "item 9: flow: seven", "199990 items were not begun")
		var failed durable.ItemErrors
		if !errors.As(inside, &failed) || len(failed) != 3 || !errors.Is(inside, errSeven) || !errors.Is(inside, durable.ErrCanceled) {
			t.Errorf("it gives %v, want the errors of three items and ErrCanceled", inside)
		}
	})
}

// TestHTTPWithinATimeout: polling ends with its context.
func TestHTTPWithinATimeout(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		w := &web{begin: time.Now(), answer: func(int, *http.Request) (*http.Response, error) { return reply(202, "", "Location", "/state") }}
		o := flow("Browse")
		r := registry(t, durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			scoped, cancel := durable.WithTimeout(ctx, 100*time.Second)
			defer cancel()
			_, err := durable.CallHTTP(scoped, durable.HTTPRequest{URL: "https://a.example"})
			return 0, err
		}))
		must(t, durable.RegisterHTTP(r, &http.Client{Transport: w}))
		worker := durable.NewWorker(h.m.View("worker"), r, durable.WorkerConfig{})
		must(t, worker.Start(t.Context()))
		t.Cleanup(func() { h.stop(worker) })
		if err := fails(h, start[int](h, o, nil)); !errors.Is(err, durable.ErrTimeout) {
			t.Errorf("it ends with %v", err)
		}
		if n := len(w.all()); n != 4 {
			t.Errorf("asked %d times in 100 s, want every 30 s", n)
		}
	})
}
