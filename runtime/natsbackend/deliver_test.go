package natsbackend_test

import (
	"errors"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestDeliver on JetStream: to one that waits, to nobody, and to one that has ended.
func TestDeliver(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	gather := &durable.Orchestrator{Name: "deliver.Gather", Group: "deliver", Source: "example.com/deliver.Gather"}
	sender := &durable.Orchestrator{Name: "deliver.Sender", Group: "sender", Source: "example.com/deliver.Sender"}
	w := work(t, b,
		durable.BindOrchestrator(gather, func(ctx durable.Context, _ durable.None) (int, error) {
			return durable.ReceiveEvent[int](ctx, "number").Get(ctx)
		}),
		durable.BindOrchestrator(sender, func(ctx durable.Context, _ durable.None) ([]bool, error) {
			live := durable.DeliverEvent(ctx, "gather", "Number", 7)
			nobody := durable.DeliverEvent(ctx, "nobody", "Number", 7)
			var ended error
			for ended == nil { // until its end is projected
				if err := durable.Sleep(ctx, 100*time.Millisecond); err != nil {
					return nil, err
				}
				ended = durable.DeliverEvent(ctx, "gather", "Number", 8)
			}
			return []bool{live == nil, errors.Is(nobody, durable.ErrNotFound), errors.Is(ended, durable.ErrFinished)}, nil
		}),
	)
	defer w.Stop(within(t))
	client := clientOf(t, b)

	receiver, err := durable.StartInstance[int](within(t), client, gather, nil, durable.InstanceID("gather"))
	if err != nil {
		t.Fatal(err)
	}
	handle, err := durable.StartInstance[[]bool](within(t), client, sender, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := receiver.Wait(within(t)); n != 7 || err != nil {
		t.Errorf("the receiver gives %d, %v", n, err)
	}
	got, err := handle.Wait(within(t))
	if err != nil || len(got) != 3 || !got[0] || !got[1] || !got[2] {
		t.Errorf("delivered, nobody there, ended: %v, %v", got, err)
	}
}
