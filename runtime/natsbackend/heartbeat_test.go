package natsbackend_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// TestDetailsSurviveTheWorker: the connection of a worker is cut while its activity runs. The server delivers the same
// attempt to another worker, which goes on where the first one was; after the end nothing is left.
func TestDetailsSurviveTheWorker(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	copying := &durable.Activity{Name: "files.Copy", Source: "example.com/files.Copy"}
	backup := &durable.Orchestrator{Name: "files.Backup", Group: "files", Source: "example.com/files.Backup"}
	var first atomic.Bool
	first.Store(true)
	over := make(chan struct{})
	work := func(b *natsbackend.Backend) *durable.Worker {
		code := &durable.Registry{}
		if err := code.Add(
			durable.BindActivity(copying, func(ctx context.Context, _ durable.None) (int, error) {
				if first.Swap(false) {
					err := durable.Heartbeat(ctx, 7)
					<-over
					return 0, errors.Join(errors.New("nobody hears this"), err)
				}
				file, ok := durable.HeartbeatDetails[int](ctx)
				if info, _ := durable.InfoOf(ctx); !ok || info.Attempt != 1 {
					return 0, errors.New("the worker's death is an attempt, or the details are lost")
				}
				return file, nil
			}),
			durable.BindOrchestrator(backup, func(ctx durable.Context, _ durable.None) (int, error) {
				return durable.StartActivity[int](ctx, copying, nil).Get(ctx)
			}),
		); err != nil {
			t.Fatal(err)
		}
		w := durable.NewWorker(b, code, durable.WorkerConfig{})
		if err := w.Start(within(t)); err != nil {
			t.Fatal(err)
		}
		return w
	}
	hub := open(t, s, natsbackend.Config{})
	beats := watch(t, hub, "beat")
	dies := open(t, s, natsbackend.Config{})
	dead := work(dies)
	client := durable.NewClient(hub, durable.ClientConfig{})
	t.Cleanup(func() { client.Close() })
	handle, err := durable.StartInstance[int](within(t), client, backup, nil)
	if err != nil {
		t.Fatal(err)
	}
	receive(t, beats) // the details are stored
	if err := dies.Close(); err != nil {
		t.Fatal(err)
	}
	lives := work(open(t, s, natsbackend.Config{}))
	if file, err := handle.Wait(within(t)); err != nil || file != 7 {
		t.Errorf("the copy ends with file %d, %v; want 7", file, err)
	}
	close(over)
	receive(t, beats) // and removed
	if left, err := hub.Meta().List(within(t), "beat"); err != nil || len(left) > 0 {
		t.Errorf("left in the hub: %q, %v", left, err)
	}
	_ = dead.Stop(within(t)) // it has no connection: there is nothing that it could hand over
	if err := lives.Stop(within(t)); err != nil {
		t.Error(err)
	}
}
