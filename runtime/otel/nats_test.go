package durableotel_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// TestTraceOnNATS: on a real server, whose first worker is cut off in the middle of an orchestration without a word. The
// second one, in another process as far as anybody can tell, makes the span that the first one's activities belong to.
func TestTraceOnNATS(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	connect := func() *natsbackend.Backend {
		hub, err := server.Backend(ctx, natsbackend.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = hub.Close() })
		return hub
	}
	var code durable.Registry
	if err := code.Add(shop(t)...); err != nil {
		t.Fatal(err)
	}
	s, hub, first := newSpans(t), connect(), connect()
	client := durable.NewClient(hub, s.Client(durable.ClientConfig{}))
	t.Cleanup(func() { _ = client.Close() })
	doomed := durable.NewWorker(first, &code, s.Worker(durable.WorkerConfig{}))
	if err := doomed.Start(ctx); err != nil {
		t.Fatal(err)
	}
	handle, err := durable.StartInstance[bool](ctx, client, fulfil, "lamp")
	if err != nil {
		t.Fatal(err)
	}
	for inst, err := range client.Watch(ctx, handle.ID()) {
		if err != nil {
			t.Fatal(err)
		}
		if inst.CustomStatus != nil {
			break // it waits for the courier
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := durable.NewWorker(connect(), &code, s.Worker(durable.WorkerConfig{}))
	if err := second.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Stop(context.WithoutCancel(ctx)) })
	if err := client.Raise(ctx, handle.ID(), "Courier", true); err != nil {
		t.Fatal(err)
	}
	if ok, err := handle.Wait(ctx); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if diff := cmp.Diff(fulfilled, s.tree()); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}
