package durable_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// beats lists what the hub keeps of heartbeats.
func (h *hub) beats() map[string][]byte {
	h.t.Helper()
	all, err := h.m.View("client").Meta().List(h.t.Context(), "beat")
	must(h.t, err)
	return all
}

// copying is an activity that copies so many pages, one a second, and beats after each; each attempt notes where it began.
func copying(pages int, began *notes, trouble func(ctx context.Context, page int) error) func(context.Context, durable.None) (int, error) {
	return func(ctx context.Context, _ durable.None) (int, error) {
		page, ok := durable.HeartbeatDetails[int](ctx)
		began.addf("%d %v", page, ok)
		for page < pages {
			if err := trouble(ctx, page); err != nil {
				return 0, err
			}
			<-time.After(time.Second)
			page++
			if err := durable.Heartbeat(ctx, page); err != nil {
				return 0, err
			}
		}
		return page, nil
	}
}

func TestNextAttemptGoesOnWhereTheLastOneBeat(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Copy"), flow("Call")
		a.Retry.Attempts = 4
		var began notes
		failed := map[int]bool{}
		h.work(
			durable.BindActivity(a, copying(9, &began, func(_ context.Context, page int) error {
				if page%3 == 0 && page > 0 && !failed[page] { // fails at 3 and at 6, and just before it has beaten again at 6
					failed[page] = true
					return errGone
				}
				return nil
			})),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) { return call[int](ctx, a, nil) }),
		)
		want(h, start[int](h, o, nil), 9)
		if diff := cmp.Diff([]string{"0 false", "3 true", "6 true"}, began.all()); diff != "" {
			t.Errorf("where attempts began (-want +got):\n%s", diff)
		}
		h.pass(time.Second)
		if left := h.beats(); len(left) > 0 {
			t.Errorf("after the end the hub still has %q", left)
		}
	})
}

// TestDetailsSurviveTheWorker: the same attempt is delivered again, and goes on.
func TestDetailsSurviveTheWorker(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Copy"), flow("Call")
		var began notes
		stuck, over := make(chan struct{}), make(chan struct{})
		var once atomic.Bool
		bindings := []durable.Binding{
			durable.BindActivity(a, copying(9, &began, func(_ context.Context, page int) error {
				if page == 5 && once.CompareAndSwap(false, true) {
					close(stuck)
					<-over
				}
				return nil
			})),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) { return call[int](ctx, a, nil) }),
		}
		view := h.m.View("dies")
		dies := durable.NewWorker(view, registry(t, bindings...), durable.WorkerConfig{})
		must(t, dies.Start(t.Context()))
		handle := start[int](h, o, nil)
		<-stuck
		h.pass(time.Second) // what was told last is stored
		must(t, view.Close())
		h.work(bindings...)
		want(h, handle, 9)
		close(over)
		_ = dies.Stop(t.Context())
		if diff := cmp.Diff([]string{"0 false", "5 true"}, began.all()); diff != "" {
			t.Errorf("where attempts began (-want +got):\n%s", diff)
		}
		h.pass(time.Second)
		if left := h.beats(); len(left) > 0 {
			t.Errorf("after the end the hub still has %q", left)
		}
	})
}

// TestDetailsSurviveAStop: a worker that is stopped hands the newest details over, however young.
func TestDetailsSurviveAStop(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Copy"), flow("Call")
		var began notes
		run := func(ctx context.Context, _ durable.None) (int, error) {
			n, ok := durable.HeartbeatDetails[int](ctx)
			began.addf("%d %v", n, ok)
			if ok {
				return n, nil
			}
			for n := range 100 { // far more often than the store is asked
				must(t, durable.Heartbeat(ctx, n))
			}
			<-ctx.Done()
			return 0, durable.Heartbeat(ctx, 100)
		}
		bindings := []durable.Binding{
			durable.BindActivity(a, run),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) { return call[int](ctx, a, nil) }),
		}
		w := h.work(bindings...)
		handle := start[int](h, o, nil)
		h.pass(time.Second)
		now, cancel := context.WithCancel(t.Context())
		cancel()
		must(t, w.Stop(now))
		h.work(bindings...)
		want(h, handle, 100)
	})
}

func TestAttemptThatDoesNotBeatIsTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		wait func(ctx context.Context, over chan struct{})
	}{
		{"it heeds its context", func(ctx context.Context, _ chan struct{}) { <-ctx.Done() }},
		{"it does not", func(_ context.Context, over chan struct{}) { <-over }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := task("Copy"), flow("Call")
				a.Heartbeat, a.Timeout, a.Retry = durable.HeartbeatTimeout(10*time.Second), durable.Timeout(time.Hour), durable.RetryPolicy{Attempts: 2}
				over := make(chan struct{})
				t.Cleanup(func() { close(over) })
				h.work(
					durable.BindActivity(a, func(ctx context.Context, _ durable.None) (string, error) {
						if info, _ := durable.InfoOf(ctx); info.Attempt == 2 {
							return info.LastError, nil
						}
						for range 10 { // 90 seconds without a pause of ten
							<-time.After(9 * time.Second)
							must(t, durable.Heartbeat(ctx, nil))
						}
						c.wait(ctx, over)
						return "", errors.Join(context.Cause(ctx), durable.Heartbeat(ctx, nil))
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) { return call[string](ctx, a, nil) }),
				)
				begin := time.Now()
				got, err := start[string](h, o, nil).Wait(t.Context())
				must(t, err)
				if !strings.Contains(got, "no heartbeat for 10s") {
					t.Errorf("the second attempt is told %q", got)
				}
				if took := taken(begin); took < 101*time.Second || took > 105*time.Second {
					t.Errorf("it took %v, want 90 s, 10 s of silence, and a second before the next attempt", took)
				}
			})
		})
	}
}

// TestHeartbeatTellsWhyToStop: with the cause of the context.
func TestHeartbeatTellsWhyToStop(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Copy"), flow("Call")
		a.Timeout = durable.Timeout(10 * time.Second)
		var why error
		h.work(
			durable.BindActivity(a, func(ctx context.Context, _ durable.None) (int, error) {
				for {
					<-time.After(time.Second)
					if why = durable.Heartbeat(ctx, "x"); why != nil {
						return 0, why
					}
				}
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) { return call[int](ctx, a, nil) }),
		)
		if err := fails(h, start[int](h, o, nil)); !errors.Is(err, durable.ErrTimeout) || !errors.Is(why, durable.ErrTimeout) {
			t.Errorf("the activity is told %v, the caller %v: want ErrTimeout for both", why, err)
		}
	})
}

func TestHeartbeatRefusesDetails(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Copy"), flow("Call")
		h.work(
			durable.BindActivity(a, func(ctx context.Context, _ durable.None) (int, error) {
				err := durable.Heartbeat(ctx, strings.Repeat("x", durable.MaxHeartbeat))
				says(t, err, "65538 bytes", "at most 65536")
				for _, err := range []error{err, durable.Heartbeat(ctx, func() {})} {
					if !errors.Is(err, durable.ErrPayload) {
						t.Errorf("got %v, want ErrPayload", err)
					}
				}
				return 1, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) { return call[int](ctx, a, nil) }),
		)
		want(h, start[int](h, o, nil), 1)
	})
}

func TestDetailsOfAnotherTypeAreNone(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Copy"), flow("Call")
		a.Retry.Attempts = 2
		h.work(
			durable.BindActivity(a, func(ctx context.Context, _ durable.None) (int, error) {
				if info, _ := durable.InfoOf(ctx); info.Attempt == 1 {
					return 0, errors.Join(errGone, durable.Heartbeat(ctx, "page seven"))
				}
				n, ok := durable.HeartbeatDetails[int](ctx)
				s, found := durable.HeartbeatDetails[string](ctx)
				if n != 0 || ok || s != "page seven" || !found {
					t.Errorf("details are %d %v, %q %v", n, ok, s, found)
				}
				return 1, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) { return call[int](ctx, a, nil) }),
		)
		want(h, start[int](h, o, nil), 1)
	})
}

func TestHeartbeatOutsideOfAnActivity(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := durable.Heartbeat(ctx, 1); err != nil {
		t.Errorf("Heartbeat gives %v", err)
	}
	if n, ok := durable.HeartbeatDetails[int](ctx); n != 0 || ok {
		t.Errorf("HeartbeatDetails gives %d, %v", n, ok)
	}
	cancel(errGone)
	if err := durable.Heartbeat(ctx, 1); !errors.Is(err, errGone) {
		t.Errorf("Heartbeat gives %v, want the cause of the context", err)
	}
	if _, err := durable.CompleteLater(t.Context()); err == nil {
		t.Error("CompleteLater gives a token")
	}
}
