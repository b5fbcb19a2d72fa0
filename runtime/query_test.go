package durable_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

// collector collects numbers that come as events, until it gets one that is negative. It says what it has.
func collector(ctx durable.Context, _ durable.None) ([]int, error) {
	var got []int
	durable.SetQueryHandler(ctx, "from", func(n int) ([]int, error) {
		if n > len(got) {
			return nil, errors.New("not so many yet")
		}
		return got[n:], nil
	})
	durable.SetQueryHandler(ctx, "panics", func(durable.None) (int, error) { return got[len(got)], nil })
	durable.SetQueryHandler(ctx, "waits", func(durable.None) (int, error) {
		durable.Sleep(ctx, time.Hour)
		return 0, nil
	})
	durable.SetQueryHandler(ctx, "long", func(durable.None) (string, error) { return strings.Repeat("x", durable.MaxQuery), nil })
	for {
		n, err := durable.ReceiveEvent[int](ctx, "Number").Get(ctx)
		if err != nil || n < 0 {
			return got, err
		}
		got = append(got, n)
	}
}

func (h *hub) raise(id string, n int) {
	h.t.Helper()
	must(h.t, h.client.Raise(h.t.Context(), id, "Number", n))
}

func asks[R any](h *hub, id, name string, args any, want R) {
	h.t.Helper()
	got, err := durable.Query[R](h.t.Context(), h.client, id, name, args)
	must(h.t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("query %s of %s (-want +got):\n%s", name, id, diff)
	}
}

// TestQueryReadsWhatIsInMemory: before and after events, on this worker and on the next, and nothing is written.
func TestQueryReadsWhatIsInMemory(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		bind := durable.BindOrchestrator(flow("Collect"), collector)
		w := h.work(bind)
		handle := start[[]int](h, flow("Collect"), nil)
		asks(h, handle.ID(), "from", 0, []int(nil))
		h.raise(handle.ID(), 7)
		h.raise(handle.ID(), 8)
		h.pass(time.Second)
		stored := len(h.m.Log())
		asks(h, handle.ID(), "from", 1, []int{8})
		h.stop(w)
		h.work(bind)
		h.pass(5 * time.Second)
		begin := time.Now()
		asks(h, handle.ID(), "from", 0, []int{7, 8}) // nobody has it in memory
		if d := taken(begin); d > 200*time.Millisecond {
			t.Errorf("an instance that has to be loaded answers after %v: the first question was lost", d)
		}
		asks(h, handle.ID(), "from", 2, []int{})
		if n := len(h.m.Log()); n != stored {
			t.Errorf("%d messages were stored by queries", n-stored)
		}
		h.raise(handle.ID(), 9)
		h.pass(time.Second)
		asks(h, handle.ID(), "from", 0, []int{7, 8, 9})
	})
}

func TestQueryFails(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		quiet := flow("Quiet")
		h.work(durable.BindOrchestrator(flow("Collect"), collector), durable.BindOrchestrator(quiet, steps))
		live, ended := start[[]int](h, flow("Collect"), nil).ID(), start[[]int](h, flow("Collect"), nil).ID()
		noQueries := start[int](h, quiet, nil).ID()
		h.pass(time.Second)
		h.raise(ended, -1)
		h.pass(time.Second)
		for _, c := range []struct {
			id, name string
			args     any
			is       error
			says     string
		}{
			{"nobody", "from", 0, durable.ErrNotFound, "nobody"},
			{ended, "from", 0, durable.ErrFinished, "from"},
			{live, "form", 0, durable.ErrUnknownQuery, "answers only from, long, panics, waits"},
			{noQueries, "from", 0, durable.ErrUnknownQuery, "answers no queries"},
			{live, "from", 1, nil, "not so many yet"},
			{live, "from", "one", nil, "its arguments"},
			{live, "from", strings.Repeat("x", durable.MaxQuery), durable.ErrPayload, "at most"},
			{live, "panics", nil, nil, "panic: runtime error: index out of range"},
			{live, "waits", nil, nil, "is used by the handler of a query"},
			{live, "long", nil, nil, "the answer has 262146 bytes"},
		} {
			_, err := durable.Query[[]int](t.Context(), h.client, c.id, c.name, c.args)
			says(t, err, c.says, c.name)
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("query %s of %s: %v, want %v", c.name, c.id, err, c.is)
			}
		}
		asks(h, live, "from", 0, []int(nil)) // it lives on
		h.raise(live, 1)
		h.pass(time.Second)
		if _, err := durable.Query[string](t.Context(), h.client, live, "from", 0); !errors.Is(err, durable.ErrPayload) {
			t.Errorf("an answer that does not fit: %v", err)
		}
	})
}

// TestQueryAsksAgain: signals get lost, workers come late.
func TestQueryAsksAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults membackend.Faults
		late   time.Duration // of the worker
	}{{"signals get lost", membackend.Faults{SignalLost: 0.7}, 0}, {"the worker is late", membackend.Faults{}, 10 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				id := start[[]int](h, flow("Collect"), nil).ID()
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				_, err := durable.Query[[]int](ctx, h.client, id, "from", 0)
				says(t, err, "no worker has answered")
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("it ends with %v", err)
				}
				h.m.SetFaults(c.faults)
				time.AfterFunc(c.late, func() { h.work(durable.BindOrchestrator(flow("Collect"), collector)) })
				for range 10 {
					asks(h, id, "from", 0, []int(nil))
				}
				h.m.SetFaults(membackend.Faults{})
			})
		})
	}
}

// TestQueryOfAParkedInstance: nobody has it in memory, and the error says why.
func TestQueryOfAParkedInstance(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		h.work(durable.BindOrchestrator(flow("Other"), steps))
		id := start[[]int](h, flow("Collect"), nil).ID()
		h.pass(time.Second)
		_, err := durable.Query[[]int](t.Context(), h.client, id, "from", 0)
		says(t, err, "no worker runs it", "flow.Collect")
	})
}

// TestQueryFollowsTheOwner: partitions move, answers come from where they are.
func TestQueryFollowsTheOwner(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		bind := durable.BindOrchestrator(flow("Collect"), collector)
		first := h.work(bind)
		var ids []string
		for n := range 8 {
			ids = append(ids, start[[]int](h, flow("Collect"), nil).ID())
			h.raise(ids[n], n)
		}
		h.work(bind)
		h.pass(5 * time.Second)
		for n, id := range ids {
			asks(h, id, "from", 0, []int{n})
		}
		h.stop(first)
		for n, id := range ids {
			asks(h, id, "from", 0, []int{n})
		}
	})
}

// TestQueryOfTheNextExecution: handlers are of an execution, each sets its own.
func TestQueryOfTheNextExecution(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Again")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
			name := []string{"first", "second"}[n]
			durable.SetQueryHandler(ctx, name, func(durable.None) (int, error) { return n, nil })
			next(ctx)
			return 0, durable.ContinueWith(ctx, n+1)
		}))
		id := start[int](h, o, 0).ID()
		asks(h, id, "first", nil, 0)
		must(t, h.client.Raise(t.Context(), id, "next", nil))
		h.pass(time.Second)
		asks(h, id, "second", nil, 1)
		_, err := durable.Query[int](t.Context(), h.client, id, "first", nil)
		says(t, err, "answers only second")
	})
}

// TestQueryHidesNoGap: an instance that a query has loaded is trusted no more than others when a delivery got lost (I5).
func TestQueryHidesNoGap(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		bind := durable.BindOrchestrator(flow("Collect"), collector)
		w := h.work(bind)
		handle := start[[]int](h, flow("Collect"), nil)
		h.pass(time.Second)
		h.stop(w)
		h.work(bind)
		asks(h, handle.ID(), "from", 0, []int(nil)) // before the partition has had any delivery
		lost := false
		h.m.OnDelivery(func(string, backend.Delivery) bool {
			first := !lost
			lost = true
			return first
		})
		h.raise(handle.ID(), 1)
		h.pass(time.Second)
		h.raise(handle.ID(), 2)
		h.pass(time.Second)
		asks(h, handle.ID(), "from", 0, []int{1, 2})
	})
}
