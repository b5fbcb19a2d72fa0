package natsbackend_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// TestLocalActivitiesOnJetStream: one message each while their worker lives; the one that it leaves behind goes through
// the queue, and none that is complete runs again.
func TestLocalActivitiesOnJetStream(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	weigh := &durable.Activity{Name: "post.Weigh", Source: "example.com/post.Weigh", Local: true}
	parcel := &durable.Orchestrator{Name: "post.Parcel", Group: "post", Source: "example.com/post.Parcel"}
	var runs atomic.Int32
	stuck := make(chan struct{})
	begin := func() *durable.Worker {
		return work(t, open(t, s, natsbackend.Config{}),
			durable.BindActivity(weigh, func(ctx context.Context, n int) (int, error) {
				if runs.Add(1) == 3 {
					close(stuck)
					<-ctx.Done()
					return 0, ctx.Err()
				}
				return n + 1, nil
			}),
			durable.BindOrchestrator(parcel, func(ctx durable.Context, n int) (_ int, err error) {
				for range 4 {
					if n, err = durable.StartActivity[int](ctx, weigh, n).Get(ctx); err != nil {
						return 0, err
					}
				}
				return n, nil
			}),
		)
	}
	stored := func(what string) uint64 {
		info, err := stream(t, s, "DURABLE_default").Info(within(t), jetstream.WithSubjectFilter("durable.default.post.*.*."+what))
		if err != nil {
			t.Fatal(err)
		}
		var n uint64
		for _, count := range info.State.Subjects {
			n += count
		}
		return n
	}
	first := begin()
	client := clientOf(t, open(t, s, natsbackend.Config{}))
	handle, err := durable.StartInstance[int](within(t), client, parcel, 1)
	if err != nil {
		t.Fatal(err)
	}
	receive(t, stuck)
	if tasks, dones := stored("task.*"), stored("in.done"); tasks != 0 || dones != 2 {
		t.Errorf("after two activities the log holds %d tasks and %d completions, want 0 and 2", tasks, dones)
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = first.Stop(now) // it has no time to wait for the third
	second := begin()
	t.Cleanup(func() {
		if err := second.Stop(within(t)); err != nil {
			t.Error(err)
		}
	})
	if got, err := handle.Wait(within(t)); err != nil || got != 5 {
		t.Errorf("it gives %d, %v, want 5", got, err)
	}
	if n := runs.Load(); n != 5 {
		t.Errorf("the four activities ran %d times, want five", n)
	}
	// The fourth may be decided by the load that finds the third complete: then it is a task, too.
	if tasks, dones := stored("task.*"), stored("in.done"); tasks < 1 || tasks > 2 || dones != 4 {
		t.Errorf("at the end the log holds %d tasks and %d completions, want 1 or 2, and 4", tasks, dones)
	}
}
