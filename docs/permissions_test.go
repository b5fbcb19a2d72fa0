package docs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// TestPermissions runs a server with the configuration that operations.md shows: the worker works, the desk starts and
// wakes an orchestration and sees its end, and may not terminate one.
func TestPermissions(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	url := serve(t, "testdata/hub.conf")

	var code durable.Registry
	if err := workload.RegisterDurable(&code, workload.DurableReceivers{Gate: &workload.Gate{}}); err != nil {
		t.Fatal(err)
	}
	worker := durable.NewWorker(connect(ctx, t, natsbackend.Config{URL: url, Provision: true}, "worker", "w"), &code, durable.WorkerConfig{})
	if err := worker.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer worker.Stop(ctx)

	desk := durable.NewClient(connect(ctx, t, natsbackend.Config{URL: url}, "desk", "d"), durable.ClientConfig{})
	handle, err := workload.IdleOrchestrator.Start(ctx, desk)
	if err != nil {
		t.Fatalf("the desk may start: %v", err)
	}
	if err := handle.Terminate(ctx, "to see whether it may"); !errors.Is(err, durable.ErrPermission) {
		t.Errorf("the desk may not terminate: the error is %v, want ErrPermission", err)
	}
	if _, err := handle.Status(ctx); err != nil {
		t.Errorf("the desk may see the status: %v", err)
	}
	if err := workload.WakeEvent.Raise(ctx, desk, handle.ID(), workload.Wake{Number: 7}); err != nil {
		t.Fatalf("the desk may wake: %v", err)
	}
	if got, err := handle.Wait(ctx); err != nil || got != "woken by 7" {
		t.Errorf("the result is %q (%v), want %q", got, err, "woken by 7")
	}
}

// serve starts a server with a configuration file, on a port and in a folder of its own.
func serve(t *testing.T, config string) (url string) {
	t.Helper()
	opts, err := server.ProcessConfigFile(config)
	if err != nil {
		t.Fatal(err)
	}
	opts.Host, opts.Port, opts.StoreDir, opts.NoSigs, opts.NoLog = "127.0.0.1", server.RANDOM_PORT, t.TempDir(), true, true
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the server did not get ready")
	}
	return s.ClientURL()
}

func connect(ctx context.Context, t *testing.T, cfg natsbackend.Config, user, password string) durable.Backend {
	t.Helper()
	cfg.Options = []nats.Option{nats.UserInfo(user, password)}
	b, err := natsbackend.Connect(ctx, cfg)
	if err != nil {
		t.Fatalf("connect as %s: %v", user, err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}
