package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// TestPermissions runs a server with the configuration that permissions.md shows: the worker works, the desk starts and
// wakes an orchestration and sees its end.
func TestPermissions(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	desk := desk(ctx, t)
	handle, err := workload.IdleOrchestrator.Start(ctx, desk)
	if err != nil {
		t.Fatalf("the desk may start: %v", err)
	}
	if _, err := handle.Status(ctx); err != nil {
		t.Errorf("the desk may see the status: %v", err)
	}
	if err := workload.WakeEvent.Raise(ctx, desk, handle.ID(), workload.Wake{Number: 7}); err != nil {
		t.Fatalf("the desk may wake: %v", err)
	}
	if _, err := desk.List(ctx, durable.Filter{}); err != nil {
		t.Errorf("the desk may list, without a consumer of its own: %v", err)
	}
	if got, err := handle.Wait(ctx); err != nil || got != "woken by 7" {
		t.Errorf("the result is %q (%v), want %q", got, err, "woken by 7")
	}
}

// TestFurtherPermissions: what the table in permissions.md adds is refused to the desk as it is, and enough.
func TestFurtherPermissions(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 300<<10) // more than a message holds
	for _, c := range []struct {
		name string
		more []string
		do   func(ctx context.Context, c *durable.Client, id string) error
	}{
		{"terminate", []string{"durable.default.workload.*.*.in.ctl.terminate"}, func(ctx context.Context, c *durable.Client, id string) error {
			return c.Terminate(ctx, id, "no longer needed")
		}},
		{"suspend", []string{"durable.default.workload.*.*.in.ctl.suspend"}, func(ctx context.Context, c *durable.Client, id string) error {
			return c.Suspend(ctx, id, "for a while")
		}},
		{"rewind", []string{"durable.default.workload.*.*.in.ctl.rewind"}, func(ctx context.Context, c *durable.Client, id string) error {
			hello := &durable.Orchestrator{Name: "workload.Hello", Group: "workload"}
			handle, err := durable.StartInstance[string](ctx, c, hello, "no three cities") // fails
			if err != nil {
				return err
			}
			if _, err := c.Wait(ctx, handle.ID()); err != nil {
				return err
			}
			return c.Rewind(ctx, handle.ID(), "fixed")
		}},
		{"purge", []string{"durable-archive.default.>", "$KV.durable_default_instances.>"}, func(ctx context.Context, c *durable.Client, id string) error {
			if err := workload.WakeEvent.Raise(ctx, c, id, workload.Wake{Number: 7}); err != nil {
				return err
			}
			if _, err := c.Wait(ctx, id); err != nil {
				return err
			}
			_, err := c.Purge(ctx, id)
			return err
		}},
		{"own id", []string{"$KV.durable_default_instances.>"}, func(ctx context.Context, c *durable.Client, id string) error {
			_, err := workload.IdleOrchestrator.Start(ctx, c, durable.InstanceID("chosen"))
			return err
		}},
		{"big payloads", []string{"$O.durable_default_payloads.>", "$JS.API.CONSUMER.*.OBJ_durable_default_payloads.>", "$JS.FC.OBJ_durable_default_payloads.>"}, func(ctx context.Context, c *durable.Client, id string) error {
			handle, err := workload.HelloOrchestrator.Start(ctx, c, [3]string{long, "Seattle", "London"})
			if err != nil {
				return err
			}
			_, err = handle.Wait(ctx)
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for _, more := range [][]string{nil, c.more} {
				desk := desk(ctx, t, more...)
				handle, err := workload.IdleOrchestrator.Start(ctx, desk)
				if err != nil {
					t.Fatal(err)
				}
				switch err := c.do(ctx, desk, handle.ID()); {
				case more == nil && !errors.Is(err, durable.ErrPermission):
					t.Errorf("without permission the error is %v, want ErrPermission", err)
				case more != nil && err != nil:
					t.Errorf("with permission: %v", err)
				}
			}
		})
	}
}

// TestPermissionToAsk: without it a query is never answered, and nothing says why; with it, it is.
func TestPermissionToAsk(t *testing.T) {
	t.Parallel()
	o := &durable.Orchestrator{Name: "workload.Ask", Group: "workload", Source: "example.org/workload.Ask"}
	var each []string
	for n := range 8 {
		each = append(each, fmt.Sprintf("durable-signal.default.query=2Eworkload=2E%d", n))
	}
	for _, more := range [][]string{nil, each} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		desk := deskOf(ctx, t, []durable.Binding{durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			durable.SetQueryHandler(ctx, "answer", func(durable.None) (int, error) { return 42, nil })
			return 0, durable.Sleep(ctx, time.Hour)
		})}, more...)
		handle, err := durable.StartInstance[int](ctx, desk, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		asking := ctx
		if more == nil { // it asks three times until then
			var enough context.CancelFunc
			asking, enough = context.WithTimeout(ctx, 2*time.Second)
			defer enough()
		}
		got, err := durable.Query[int](asking, desk, handle.ID(), "answer", nil)
		switch {
		case more == nil && !errors.Is(err, context.DeadlineExceeded):
			t.Errorf("without permission: %d, %v, want no answer", got, err)
		case more != nil && (err != nil || got != 42):
			t.Errorf("with permission: %d, %v, want 42", got, err)
		}
	}
}

// TestPermissionToComplete: what activities.md says that a completion from outside needs.
func TestPermissionToComplete(t *testing.T) {
	t.Parallel()
	for _, more := range [][]string{nil, {"durable.default.workload.*.*.in.done", "durable.default.cancel"}} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		a := &durable.Activity{Name: "workload.Sign", Source: "example.org/workload.Sign"}
		o := &durable.Orchestrator{Name: "workload.Contract", Group: "workload", Source: "example.org/workload.Contract"}
		tokens := make(chan string, 1)
		desk := deskOf(ctx, t, []durable.Binding{
			durable.BindActivity(a, func(ctx context.Context, _ durable.None) (string, error) {
				token, err := durable.CompleteLater(ctx)
				if err != nil {
					return "", err
				}
				tokens <- token
				return "", durable.ErrCompleteLater
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
				return durable.StartActivity[string](ctx, a, nil).Get(ctx)
			}),
		}, more...)
		handle, err := durable.StartInstance[string](ctx, desk, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = desk.CompleteActivity(ctx, <-tokens, "signed")
		if more == nil {
			if !errors.Is(err, durable.ErrPermission) {
				t.Errorf("without permission the error is %v, want ErrPermission", err)
			}
			continue
		}
		if got, waitErr := handle.Wait(ctx); err != nil || waitErr != nil || got != "signed" {
			t.Errorf("with permission: %v; the result is %q, %v", err, got, waitErr)
		}
	}
}

// desk starts a server with hub.conf, a worker, and a client that is the desk with permission to publish to more.
func desk(ctx context.Context, t *testing.T, more ...string) *durable.Client {
	t.Helper()
	return deskOf(ctx, t, nil, more...)
}

// deskOf has the worker run more than the workload.
func deskOf(ctx context.Context, t *testing.T, bindings []durable.Binding, more ...string) *durable.Client {
	t.Helper()
	url := serve(t, "testdata/hub.conf", more)
	var code durable.Registry
	if err := workload.RegisterDurable(&code, workload.DurableReceivers{Gate: &workload.Gate{}}); err != nil {
		t.Fatal(err)
	}
	if err := code.Add(bindings...); err != nil {
		t.Fatal(err)
	}
	worker := durable.NewWorker(connect(ctx, t, natsbackend.Config{URL: url, Provision: true}, "worker", "w"), &code, durable.WorkerConfig{})
	if err := worker.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := worker.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return durable.NewClient(connect(ctx, t, natsbackend.Config{URL: url}, "desk", "d"), durable.ClientConfig{
		Logger: slog.New(slog.NewTextHandler(complaints{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
}

// complaints fails a test whose client warns of something: what is only tried may be refused without an error.
type complaints struct{ t *testing.T }

func (c complaints) Write(line []byte) (int, error) {
	c.t.Errorf("the client says: %s", line)
	return len(line), nil
}

// serve starts a server with a configuration file, on a port and in a folder of its own. The desk may publish to more.
func serve(t *testing.T, config string, more []string) (url string) {
	t.Helper()
	opts, err := server.ProcessConfigFile(config)
	if err != nil {
		t.Fatal(err)
	}
	opts.Host, opts.Port, opts.StoreDir, opts.NoSigs, opts.NoLog = "127.0.0.1", server.RANDOM_PORT, t.TempDir(), true, true
	for _, u := range opts.Users {
		if u.Username == "desk" {
			u.Permissions.Publish.Allow = append(u.Permissions.Publish.Allow, more...)
		}
	}
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
