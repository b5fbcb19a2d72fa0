package durable_test

import (
	"context"
	"maps"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// metered counts what is asked of a backend.
type metered struct {
	durable.Backend
	mu    sync.Mutex
	count map[string]int
}

func (c *metered) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count[what]++
}

func (c *metered) Append(a backend.Append, done func(uint64, error)) {
	c.add("append")
	c.Backend.Append(a, done)
}

func (c *metered) Load(of history.Address, reach uint64, done func(backend.Loaded, error)) {
	c.add("load")
	c.Backend.Load(of, reach, done)
}

func (c *metered) LoadAfter(of history.Address, after, reach uint64, done func(backend.Loaded, error)) {
	c.add("load")
	c.Backend.LoadAfter(of, after, reach, done)
}

func (c *metered) PutArchive(a backend.Archive, expect uint64, done func(uint64, error)) {
	c.add("put archive")
	c.Backend.PutArchive(a, expect, done)
}

func (c *metered) GetArchive(of history.Address, done func(backend.Archive, uint64, error)) {
	c.add("get archive")
	c.Backend.GetArchive(of, done)
}

func (c *metered) PutState(s backend.State, rev uint64, done func(uint64, error)) {
	c.add("put state")
	c.Backend.PutState(s, rev, done)
}

func (c *metered) GetState(id string, done func(backend.State, uint64, error)) {
	c.add("get state")
	c.Backend.GetState(id, done)
}

func (c *metered) Inbox(group string, p int) backend.Inbox {
	return meteredInbox{c.Backend.Inbox(group, p), c}
}

func (c *metered) Tasks(activity string, deliver func(backend.TaskDelivery)) (backend.TaskQueue, error) {
	return c.Backend.Tasks(activity, func(d backend.TaskDelivery) {
		d.Receipt = meteredReceipt{d.Receipt, c}
		deliver(d)
	})
}

type meteredInbox struct {
	backend.Inbox
	c *metered
}

func (i meteredInbox) Open(ctx context.Context, deliver func(backend.Delivery)) (uint64, error) {
	return i.Inbox.Open(ctx, func(d backend.Delivery) {
		if d.Receipt != nil {
			d.Receipt = meteredReceipt{d.Receipt, i.c}
		}
		deliver(d)
	})
}

type meteredReceipt struct {
	backend.Receipt
	c *metered
}

func (r meteredReceipt) Ack() {
	r.c.add("ack")
	r.Receipt.Ack()
}

// TestWhatASequenceCosts: three activities one after the other, and every message of it. One more is a price that each
// orchestration pays; a read is one that a cache was to save. The result comes with the hint.
func TestWhatASequenceCosts(t *testing.T) {
	for _, c := range []struct {
		name  string
		local bool
		want  map[string]int
	}{
		{"queued", false, map[string]int{"append": 8, "ack": 7, "put archive": 1, "put state": 1}},
		{"local", true, map[string]int{"append": 5, "ack": 4, "put archive": 1, "put state": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				cost := &metered{Backend: h.m.View("worker"), count: map[string]int{}}
				a, o := task("Add"), flow("Sequence")
				a.Local = c.local
				w := durable.NewWorker(cost, registry(t,
					durable.BindActivity(a, func(_ context.Context, n int) (int, error) { return n + 1, nil }),
					durable.BindOrchestrator(o, func(ctx durable.Context, n int) (_ int, err error) {
						for range 3 {
							if n, err = call[int](ctx, a, n); err != nil {
								return 0, err
							}
						}
						return n, nil
					}),
				), durable.WorkerConfig{})
				must(t, w.Start(t.Context()))
				client := durable.NewClient(cost, durable.ClientConfig{})
				t.Cleanup(func() { must(t, client.Close()) })
				handle, err := durable.StartInstance[int](t.Context(), client, o, 1)
				must(t, err)
				want(h, handle, 4)
				must(t, w.Stop(context.Background()))
				cost.mu.Lock()
				got := maps.Clone(cost.count)
				cost.mu.Unlock()
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("calls of the backend (-want +got):\n%s", diff)
				}
				if n := len(h.m.Log()); n != c.want["append"] {
					t.Errorf("the log holds %d messages, want %d", n, c.want["append"])
				}
			})
		})
	}
}
