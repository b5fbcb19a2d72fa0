package durable_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

var errSeat = errors.New("flow: no seat")

var _ = durable.RegisterError("flow.ErrSeat", errSeat)

// TestSagaUndoesNewestFirst: each compensation runs once, whatever the others say, and no error is lost.
func TestSagaUndoesNewestFirst(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Undo"), flow("Saga")
		var did notes
		h.work(
			durable.BindActivity(a, func(_ context.Context, step string) (durable.None, error) {
				did.addf("%s", step)
				if step == "b" {
					return durable.None{}, errSeven
				}
				return durable.None{}, nil
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (result string, err error) {
				var saga durable.Saga
				defer saga.RollbackOnError(ctx, &err)
				for _, step := range []string{"a", "b", "c"} {
					saga.Compensate(func(ctx durable.Context) error {
						_, err := call[durable.None](ctx, a, step)
						return err
					})
				}
				if step, err := "d", saga.Rollback(ctx); !errors.Is(err, errSeven) {
					return step, err
				}
				saga.Compensate(func(durable.Context) error { did.addf("again"); return nil })
				return "", errSeat
			}),
		)
		err := fails(h, start[string](h, o, nil))
		if !errors.Is(err, errSeat) {
			t.Errorf("%v does not hold what went wrong", err)
		}
		if diff := cmp.Diff([]string{"c", "b", "a", "again"}, did.all()); diff != "" {
			t.Errorf("compensations (-want +got):\n%s", diff)
		}
	})
}

// TestSagaWithNamedResult: the deferred roll back runs after an error, and only then.
func TestSagaWithNamedResult(t *testing.T) {
	for _, c := range []struct {
		name   string
		end    func(ctx durable.Context, again bool) (int, error)
		undone int
		says   []string // of the error; nil: there is none
	}{
		{"a result", func(durable.Context, bool) (int, error) { return 1, nil }, 0, nil},
		{"an error", func(durable.Context, bool) (int, error) { return 0, errSeat }, 1, []string{"no seat", "compensation 1", "seven"}},
		{"a new execution", func(ctx durable.Context, again bool) (int, error) {
			if again {
				return 1, nil
			}
			return 0, durable.ContinueWith(ctx, true)
		}, 0, nil},
		{"a panic", func(durable.Context, bool) (int, error) { panic("oh") }, 0, []string{"panic: oh"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := task("Undo"), flow("Saga")
				undone := 0
				h.work(
					durable.BindActivity(a, func(context.Context, durable.None) (int, error) { undone++; return 0, errSeven }),
					durable.BindOrchestrator(o, func(ctx durable.Context, again bool) (_ int, err error) {
						var saga durable.Saga
						defer saga.RollbackOnError(ctx, &err)
						saga.Compensate(func(ctx durable.Context) error { _, err := call[int](ctx, a, nil); return err })
						durable.Sleep(ctx, 1)
						return c.end(ctx, again)
					}),
				)
				handle := start[int](h, o, false)
				if c.says == nil {
					want(h, handle, 1)
				} else {
					says(t, fails(h, handle), c.says...)
				}
				if undone != c.undone {
					t.Errorf("undone %d times, want %d", undone, c.undone)
				}
			})
		})
	}
}

// TestSagaAcrossWorkers: a roll back that is under way goes on elsewhere, without doing again what is done.
func TestSagaAcrossWorkers(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a := task("Undo")
		var did notes
		_, err := restarted[int](t, h, 2, func(o *durable.Orchestrator) durable.Binding {
			return durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (_ int, err error) {
				var saga durable.Saga
				defer saga.RollbackOnError(ctx, &err)
				for _, step := range []string{"a", "b", "c"} {
					saga.Compensate(func(ctx durable.Context) error {
						_, err := call[durable.None](ctx, a, step)
						if step != "a" {
							next(ctx)
						}
						return err
					})
				}
				return 0, errSeat
			})
		}, durable.BindActivity(a, func(_ context.Context, step string) (durable.None, error) {
			did.addf("%s", step)
			return durable.None{}, nil
		}))
		if !errors.Is(err, errSeat) {
			t.Errorf("it ends with %v", err)
		}
		if diff := cmp.Diff([]string{"c", "b", "a"}, did.all()); diff != "" {
			t.Errorf("compensations (-want +got):\n%s", diff)
		}
	})
}
