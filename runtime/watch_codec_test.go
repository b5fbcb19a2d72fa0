package durable_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

// TestWatchAndQueryOfAnEncryptedHub: who has the key sees everything, at once; who has not is told so or gets no answer.
func TestWatchAndQueryOfAnEncryptedHub(t *testing.T) {
	inHubOf(t, membackend.Config{}, func(t *testing.T, h *hub) {
		o := flow("Steps")
		h.workOn(h.coded("a"), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			durable.SetQueryHandler(ctx, "echo", func(s string) (string, error) { return s, nil })
			return steps(ctx, durable.None{})
		}))
		c := h.clientOn(h.coded("a"))
		handle, err := durable.StartInstance[int](t.Context(), c, o, nil)
		must(t, err)
		h.pass(300 * time.Millisecond)

		blind := h.clientOn(h.coded())
		if _, err := watched(t.Context(), blind, handle.ID(), nil); !errors.Is(err, durable.ErrCodec) {
			t.Errorf("a watch without the key ends with %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := durable.Query[string](ctx, blind, handle.ID(), "echo", "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a query without the key ends with %v", err)
		}
		got, err := durable.Query[string](t.Context(), c, handle.ID(), "echo", classified)
		must(t, err)
		if got != classified {
			t.Errorf("the query gives %q", got)
		}
		saw, err := watched(t.Context(), c, handle.ID(), func(durable.Instance) bool { return true })
		must(t, err)
		if diff := cmp.Diff([]string{"10s Running 2", "20s Running 3", "30s Completed 34"}, saw[1:]); diff != "" {
			t.Errorf("it tells (-want +got):\n%s", diff)
		}
	})
}
