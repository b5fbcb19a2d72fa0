package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/durablegen/durablegen/internal/chaos/harness"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// guarded starts a server with a user of every name, who may not publish to the subjects given, and "admin", who may.
func guarded(t *testing.T, users map[string][]string) (login func(user string) natsbackend.Config) {
	t.Helper()
	_, login = guard(t, users)
	return login
}

// guard also gives a function that changes what the users may not.
func guard(t *testing.T, users map[string][]string) (change func(users map[string][]string), login func(user string) natsbackend.Config) {
	t.Helper()
	dir := t.TempDir()
	options := func(users map[string][]string, port int) *server.Options {
		opts := &server.Options{
			JetStream: true, StoreDir: dir, Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true,
			Users: []*server.User{{Username: "admin", Password: "p"}},
		}
		for name, deny := range users {
			opts.Users = append(opts.Users, &server.User{Username: name, Password: "p", Permissions: &server.Permissions{
				Publish: &server.SubjectPermission{Deny: deny},
			}})
		}
		return opts
	}
	s, err := server.NewServer(options(users, server.RANDOM_PORT))
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server did not get ready")
	}
	change = func(users map[string][]string) {
		t.Helper()
		if err := s.ReloadOptions(options(users, s.Addr().(*net.TCPAddr).Port)); err != nil {
			t.Fatal(err)
		}
	}
	return change, func(user string) natsbackend.Config {
		return natsbackend.Config{URL: strings.Replace(s.ClientURL(), "nats://", "nats://"+user+":p@", 1)}
	}
}

// eachPartition gives a subject of the consumer API for every partition of the errands' group.
func eachPartition(api string) (subjects []string) {
	for p := range 8 {
		subjects = append(subjects, fmt.Sprintf("$JS.API.CONSUMER.%s.%s.in_%s_%d", api, harness.LogStream, harness.Group, p))
	}
	return subjects
}

// TestPermissionRefusedToWorker: a worker that may not do something says so, in the end by parking the instance, and
// one that may goes on with it.
func TestPermissionRefusedToWorker(t *testing.T) {
	for _, c := range []struct {
		name   string
		deny   string
		parked []string // what the reason tells
	}{
		{"tasks", "durable.default.*.*.*.task.>", []string{"not permitted", ".task.chaos=2EEffect"}},
		{"records", "durable.default.*.*.*.turn", []string{"not permitted", ".turn"}},
		{"schedules", "durable.default.*.*.*.timer.>", []string{"not permitted", ".timer."}},
		{"children", "durable.default.*.*.*.in.start", []string{"not permitted", ".in.start"}},
		{"archive", "durable-archive.default.>", []string{"not permitted", "durable-archive"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			login := guarded(t, map[string][]string{"limited": {c.deny}})
			ledger := openLedger(t)
			ledger.allow(1 << 30)
			load := newLoad(t, login("admin"), ledger)
			stop := work(t, connect(t, login("limited")), ledger)
			load.begin(1, 1)
			until(t, func(ctx context.Context) string {
				all, err := load.client.List(ctx, durable.Filter{Name: "Errand"})
				switch {
				case err != nil:
					return err.Error()
				case len(all) != 1:
					return fmt.Sprintf("the list has %d errands", len(all))
				}
				for _, w := range c.parked {
					if !strings.Contains(all[0].Parked, w) {
						return fmt.Sprintf("%s is parked for %q, which does not tell %q", all[0].ID, all[0].Parked, w)
					}
				}
				return ""
			})
			stop(within(t))
			work(t, connect(t, login("admin")), ledger)
			load.finish()
		})
	}
}

// TestProjectionRefused: a worker that may not write what people see tells it in its log and does its work; the next
// one shows it.
func TestProjectionRefused(t *testing.T) {
	const deny = "$KV.durable_default_instances.>"
	login := guarded(t, map[string][]string{"limited": {deny}})
	ledger := openLedger(t)
	ledger.allow(1 << 30)
	load := newLoad(t, login("admin"), ledger)
	var log harness.Lines
	stop := workSaying(t, connect(t, login("limited")), ledger, &log)
	load.begin(1, 1)
	if err := load.More(within(t), 0, 1); err != nil { // it does not wait for the projection
		t.Fatal(err)
	}
	until(t, func(context.Context) string {
		if !log.Contains(`not permitted: publish to \"$KV.durable_default_instances.`) {
			return "the worker does not tell what it may not do: " + log.Tail()
		}
		return ""
	})
	stopInTime(t, stop)
	work(t, connect(t, login("admin")), ledger)
	load.finish()
}

// TestResultsRefused: a worker that may not say what came of its activities tells it in its log, and gives them to the
// next one when it stops.
func TestResultsRefused(t *testing.T) {
	login := guarded(t, map[string][]string{"limited": {"durable.default.*.*.*.in.done"}})
	ledger := openLedger(t)
	ledger.allow(1 << 30)
	load := newLoad(t, login("admin"), ledger)
	var log harness.Lines
	stop := workSaying(t, connect(t, login("limited")), ledger, &log)
	load.begin(1, 1)
	until(t, func(context.Context) string {
		if !log.Contains(`not permitted: publish to \"durable.default.`) {
			return "the worker does not tell what it may not do: " + log.Tail()
		}
		return ""
	})
	stopInTime(t, stop)
	work(t, connect(t, login("admin")), ledger)
	load.finish()
}

// stopInTime stops a worker that has something to store and never can: it does not wait for that.
func stopInTime(t *testing.T, stop func(context.Context)) {
	t.Helper()
	ctx := within(t)
	stop(ctx)
	if ctx.Err() != nil {
		t.Error("the worker has waited until the end for what it may not store")
	}
}

// TestStartRefused: what a worker needs from the first moment on is refused by Start.
func TestStartRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		deny []string
	}{
		{"claim names", []string{"$KV.durable_default_meta.>"}},
		{"read names", []string{"$JS.API.DIRECT.GET.KV_durable_default_meta.>"}},
		{"make consumers", []string{"$JS.API.CONSUMER.CREATE.DURABLE_default.>", "$JS.API.CONSUMER.DURABLE.CREATE.DURABLE_default.>"}},
		{"look at consumers", []string{"$JS.API.CONSUMER.INFO.DURABLE_default.>"}},
		{"pull inboxes", eachPartition("MSG.NEXT")},
		{"unpin inboxes", eachPartition("UNPIN")},
		{"reset inboxes", eachPartition("RESET")},
		{"one partition", eachPartition("MSG.NEXT")[3:4]},
		{"read the log", []string{"$JS.API.DIRECT.GET.DURABLE_default"}},
		{"read heads of the log", []string{"$JS.API.DIRECT.GET.DURABLE_default.>"}},
		{"read archives", []string{"$JS.API.DIRECT.GET.DURABLE_default_ARCHIVE"}},
		{"read states", []string{"$JS.API.DIRECT.GET.KV_durable_default_instances"}},
		{"read the stream", []string{"$JS.API.CONSUMER.MSG.NEXT.DURABLE_default.>", "$JS.API.DIRECT.GET.DURABLE_default.>"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			login := guarded(t, map[string][]string{"limited": c.deny})
			hub := login("admin")
			hub.Provision = true
			connect(t, hub)
			w := durable.NewWorker(connect(t, login("limited")), harness.Registry(nil), quick)
			err := w.Start(within(t))
			if !errors.Is(err, durable.ErrPermission) {
				t.Errorf("Start gave %v, want ErrPermission", err)
			}
			if err := w.Stop(within(t)); err != nil {
				t.Errorf("stop: %v", err)
			}
		})
	}
}

// TestRightsTakenFromAWorker: a worker that may not pull its inboxes any more leaves its partitions to the others, and
// gets its share again when it may.
func TestRightsTakenFromAWorker(t *testing.T) {
	change, login := guard(t, map[string][]string{"limited": nil})
	load := newLoad(t, login("admin"), openLedger(t))
	limited, other := join(t, login("limited").URL, "limited"), join(t, login("admin").URL, "other")
	share := func(when string, want func(a, b []int) bool) {
		t.Helper()
		until(t, func(context.Context) string {
			if a, b := limited.group.Owned(), other.group.Owned(); len(a)+len(b) != 8 || !want(a, b) {
				return fmt.Sprintf("the limited worker owns %v, the other %v", a, b)
			}
			return ""
		})
		load.handOver(load.relays(when))
	}
	both := func(a, b []int) bool { return len(a) > 0 && len(b) > 0 }
	share("before", both)
	change(map[string][]string{"limited": eachPartition("MSG.NEXT")})
	share("taken", func(a, _ []int) bool { return len(a) == 0 })
	change(map[string][]string{"limited": nil})
	share("given back", both)
	for _, m := range []*member{limited, other} {
		if err := m.group.Stop(within(t)); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
}

// TestClientRefused: a client is told at once what it may not do.
func TestClientRefused(t *testing.T) {
	login := guarded(t, map[string][]string{
		"states": {"$KV.durable_default_instances.>"},
		"starts": {"durable.default.*.*.*.in.start"},
		"events": {"durable.default.*.*.*.in.event.>"},
		"lister": {"$JS.API.CONSUMER.CREATE.KV_durable_default_instances.>", "$JS.API.DIRECT.GET.KV_durable_default_instances"},
		"reader": {"$JS.API.DIRECT.GET.KV_durable_default_instances.>", "$JS.API.STREAM.MSG.GET.KV_durable_default_instances"},
	})
	admin := newLoad(t, login("admin"), openLedger(t))
	h, err := durable.StartInstance[int](within(t), admin.client, &harness.ErrandInfo, 1)
	if err != nil {
		t.Fatal(err)
	}
	start := func(opts ...durable.StartOption) func(context.Context, *durable.Client) error {
		return func(ctx context.Context, c *durable.Client) error {
			_, err := durable.StartInstance[int](ctx, c, &harness.ErrandInfo, 1, opts...)
			return err
		}
	}
	if err := start(durable.InstanceID("claimed"))(within(t), admin.client); err != nil { // it is projected at once, and so listed
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, user, subject string
		do                  func(context.Context, *durable.Client) error
	}{
		{"own id", "states", "$KV.durable_default_instances.", start(durable.InstanceID("mine"))},
		{"start", "starts", ".in.start", start()},
		{"event", "events", ".in.event.", func(ctx context.Context, c *durable.Client) error {
			return durable.RaiseEvent(ctx, c, h.ID(), harness.GoAhead, 1)
		}},
		{"get", "reader", "KV_durable_default_instances", func(ctx context.Context, c *durable.Client) error {
			_, err := c.Get(ctx, h.ID())
			return err
		}},
		{"wait", "reader", "KV_durable_default_instances", func(ctx context.Context, c *durable.Client) error {
			_, err := c.Wait(ctx, h.ID())
			return err
		}},
		{"list", "lister", "KV_durable_default_instances", func(ctx context.Context, c *durable.Client) error {
			_, err := c.List(ctx, durable.Filter{})
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := durable.NewClient(connect(t, login(c.user)), durable.ClientConfig{})
			defer client.Close()
			if err := c.do(within(t), client); !errors.Is(err, durable.ErrPermission) || !strings.Contains(err.Error(), c.subject) {
				t.Errorf("%v, want ErrPermission for %s", err, c.subject)
			}
		})
	}
}
