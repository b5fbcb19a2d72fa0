package durable_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

type answer struct {
	Code int
	Text string
}

func TestEventsAreTyped(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Ask")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (answer, error) {
			return durable.ReceiveEvent[answer](ctx, "Answer").Get(ctx)
		}))
		handle := start[answer](h, o, nil)
		must(t, durable.RaiseEvent(t.Context(), h.client, handle.ID(), "ANSWER", answer{7, "<ü>"}))
		want(h, handle, answer{7, "<ü>"})
	})
}

func TestEventsAreBufferedInOrder(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Gather")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) ([]string, error) {
			durable.Sleep(ctx, time.Minute) // all come before anybody waits
			var got []string
			for _, name := range []string{"b", "a", "A", "b", "a"} {
				v, err := durable.ReceiveEvent[string](ctx, name).Get(ctx)
				if err != nil {
					return nil, err
				}
				got = append(got, v)
			}
			return got, nil
		}))
		handle := start[[]string](h, o, nil)
		for _, e := range []string{"a1", "b1", "A2", "a3", "b2"} {
			must(t, h.client.Raise(t.Context(), handle.ID(), e[:1], e))
		}
		got, err := handle.Wait(t.Context())
		must(t, err)
		if diff := cmp.Diff([]string{"b1", "a1", "A2", "b2", "a3"}, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestAnAbandonedWaitEatsNoEvent(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Late")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			first := durable.ReceiveEvent[int](ctx, "e")
			if timer := durable.NewTimer(ctx, time.Minute); durable.Any(ctx, first, timer) != timer {
				return 0, errors.New("the event came too early")
			}
			durable.Sleep(ctx, 10*time.Minute)
			return durable.ReceiveEvent[int](ctx, "e").Get(ctx)
		}))
		handle := start[int](h, o, nil)
		h.pass(2 * time.Minute)
		must(t, h.client.Raise(t.Context(), handle.ID(), "e", 9))
		want(h, handle, 9)
	})
}

func TestEventFromAnOrchestrator(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, sender := flow("Receiver"), flow("Sender")
		h.work(
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) ([]int, error) {
				var got []int
				for range 3 {
					n, err := durable.ReceiveEvent[int](ctx, "number").Get(ctx)
					if err != nil {
						return nil, err
					}
					got = append(got, n)
				}
				return got, nil
			}),
			durable.BindOrchestrator(sender, func(ctx durable.Context, to string) (int, error) {
				durable.SendEvent(ctx, "nobody", "number", 0) // dropped
				for n := range 3 {
					durable.SendEvent(ctx, to, "Number", n)
				}
				return 0, nil
			}),
		)
		handle := start[[]int](h, o, nil)
		want(h, start[int](h, sender, handle.ID()), 0)
		got, err := handle.Wait(t.Context())
		must(t, err)
		if diff := cmp.Diff([]int{0, 1, 2}, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestSendEventRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		id    string
		event any
		says  string
	}{
		{"a wrong id", "", 1, "instance id is empty"},
		{"what cannot be stored", "x", func() {}, "cannot be stored"},
		{"what is too large", "x", strings.Repeat("x", durable.MaxPayload), "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Sender")
				h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
					durable.SendEvent(ctx, c.id, "e", c.event)
					return 0, nil
				}))
				says(t, fails(h, start[int](h, o, nil)), c.says)
			})
		})
	}
}

func TestRaiseRefuses(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Short")
		h.work(durable.BindOrchestrator(o, func(durable.Context, durable.None) (int, error) { return 1, nil }))
		want(h, start[int](h, o, nil, durable.InstanceID("done")), 1)
		h.pass(time.Second)
		for _, c := range []struct {
			name, id, event string
			value           any
			is              error
			says            []string
		}{
			{"nobody", "nobody", "e", 1, durable.ErrNotFound, []string{"raise e", `"nobody"`}},
			{"one that has ended", "done", "e", 1, durable.ErrFinished, []string{"raise e", `"done"`}},
			{"no id", "", "e", 1, nil, []string{"instance id is empty"}},
			{"a long id", strings.Repeat("x", 201), "e", 1, nil, []string{"201 bytes", "at most 200"}},
			{"an id that is no text", "a\xff", "e", 1, nil, []string{"UTF-8"}},
			{"no name", "done", "", 1, nil, []string{"name is empty"}},
			{"a wrong name", "done", "an event", 1, nil, []string{"an event"}},
			{"what cannot be stored", "done", "e", make(chan int), durable.ErrPayload, []string{"chan int"}},
			{"what is too large", "done", "e", strings.Repeat("x", durable.MaxPayload), durable.ErrPayload, []string{"at most 16777216"}},
		} {
			err := h.client.Raise(t.Context(), c.id, c.event, c.value)
			says(t, err, append(c.says, "durable: ")...)
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%s: got %v, want %v", c.name, err, c.is)
			}
		}
	})
}

func TestAnEventThatDoesNotFitIsTold(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Ask")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			_, err := durable.ReceiveEvent[answer](ctx, "answer").Get(ctx)
			if !errors.Is(err, durable.ErrPayload) {
				t.Errorf("got %v, want ErrPayload", err)
			}
			a, err := durable.ReceiveEvent[answer](ctx, "answer").Get(ctx)
			return a.Code, err
		}))
		handle := start[int](h, o, nil)
		must(t, h.client.Raise(t.Context(), handle.ID(), "answer", "a text"))
		must(t, h.client.Raise(t.Context(), handle.ID(), "answer", answer{Code: 3}))
		want(h, handle, 3)
	})
}
