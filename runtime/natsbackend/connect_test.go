package natsbackend_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// external starts a server with options that the embedded one does not offer.
func external(t *testing.T, opts *server.Options) *server.Server {
	t.Helper()
	opts.Host, opts.NoSigs, opts.NoLog = "127.0.0.1", true, true
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	if opts.StoreDir == "" {
		opts.StoreDir = t.TempDir()
	}
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server did not get ready")
	}
	return s
}

func TestProvisionTwiceAndAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{Listen: "127.0.0.1:0"})
	cfg := natsbackend.Config{URL: s.URL(), Hub: "club", Partitions: 4}
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { errs <- natsbackend.Provision(within(t), cfg) }()
	}
	for range cap(errs) {
		if err := receive(t, errs); err != nil {
			t.Error(err)
		}
	}
	cfg.Partitions = 16 // too late
	b, err := natsbackend.Connect(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got := b.Info().Partitions; got != 4 {
		t.Errorf("%d partitions, want those of the hub, 4", got)
	}
	for range 2 {
		if err := errors.Join(b.EnsureGroup(within(t), "g"), b.EnsureActivity(within(t), backend.Activity{Name: "a", Concurrency: 7})); err != nil {
			t.Error(err)
		}
	}
	if err := b.EnsureActivity(within(t), backend.Activity{Name: "a", Concurrency: 9}); err != nil {
		t.Errorf("another concurrency: %v", err)
	}
	c, err := stream(t, s, "DURABLE_club").Consumer(within(t), "task_a")
	if err != nil || c.CachedInfo().Config.MaxAckPending != 9 {
		t.Errorf("consumer %v, %v", c, err)
	}
}

// TestConnectErrors gives every mistake and what its error must tell.
func TestConnectErrors(t *testing.T) {
	s := serve(t, embedded.Config{Listen: "127.0.0.1:0"})
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(within(t), jetstream.StreamConfig{Name: "DURABLE_aged", Subjects: []string{"durable.aged.>"}, MaxAge: 1e9}); err != nil {
		t.Fatal(err)
	}
	bare := external(t, &server.Options{})
	small := external(t, &server.Options{JetStream: true, MaxPayload: 1000})
	users := external(t, &server.Options{JetStream: true, Users: []*server.User{{Username: "u", Password: "p"}}})
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	contexts := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "nats", "context")
	if err := os.MkdirAll(contexts, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"broken": "{", "proxy": `{"socks_proxy":"socks5://x"}`, "nokey": `{"nkey":"nowhere.nk"}`} {
		if err := os.WriteFile(filepath.Join(contexts, name+".json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		cfg  natsbackend.Config
		want []string
		is   error
	}{
		{name: "hub name", cfg: natsbackend.Config{Hub: "a.b"}, want: []string{"Config.Hub", `"a.b"`, "letters"}},
		{name: "hub name of an archive", cfg: natsbackend.Config{Hub: "a_ARCHIVE"}, want: []string{"Config.Hub", "_ARCHIVE"}},
		{name: "partitions", cfg: natsbackend.Config{Partitions: -1}, want: []string{"Config.Partitions", "-1"}},
		{name: "replicas", cfg: natsbackend.Config{Replicas: 9}, want: []string{"Config.Replicas", "9"}},
		{name: "nobody there", cfg: natsbackend.Config{URL: "nats://127.0.0.1:1"}, want: []string{"nats://127.0.0.1:1", "is a NATS server"}},
		{name: "not a URL", cfg: natsbackend.Config{URL: "nats://[::1"}, want: []string{"nats://[::1", "Config.URL"}},
		{name: "no credentials file", cfg: natsbackend.Config{URL: s.URL(), Creds: "nowhere.creds"}, want: []string{"nowhere.creds"}},
		{name: "wrong password", cfg: natsbackend.Config{URL: strings.Replace(users.ClientURL(), "nats://", "nats://u:q@", 1)}, want: []string{"refused the login", "Config.Creds"}, is: backend.ErrPermission},
		{name: "small messages", cfg: natsbackend.Config{URL: small.ClientURL()}, want: []string{"max_payload", "1000"}},
		{name: "no JetStream", cfg: natsbackend.Config{URL: bare.ClientURL()}, want: []string{"no JetStream", "-js"}},
		{name: "no such domain", cfg: natsbackend.Config{URL: s.URL(), Domain: "elsewhere"}, want: []string{"no JetStream", "elsewhere"}},
		{name: "hub missing", cfg: natsbackend.Config{URL: s.URL(), Hub: "none"}, want: []string{"none", "DURABLE_none", "durable init"}, is: backend.ErrNotFound},
		{name: "stream does not fit", cfg: natsbackend.Config{URL: s.URL(), Hub: "aged"}, want: []string{"DURABLE_aged", "max age", "none", "1s"}},
		{name: "no such context", cfg: natsbackend.Config{Context: "none"}, want: []string{`"none"`, "nats context ls"}},
		{name: "a path for a context", cfg: natsbackend.Config{Context: "../x"}, want: []string{"../x", "not a name"}},
		{name: "a broken context", cfg: natsbackend.Config{Context: "broken"}, want: []string{"broken.json"}},
		{name: "a context with a proxy", cfg: natsbackend.Config{Context: "proxy"}, want: []string{"socks_proxy", "proxy.json"}},
		{name: "a context without its nkey", cfg: natsbackend.Config{Context: "nokey"}, want: []string{"nkey", "nowhere.nk"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := natsbackend.Connect(within(t), c.cfg)
			if err == nil {
				b.Close()
				t.Fatal("it connected")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%v\ndoes not tell %q", err, w)
				}
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
		})
	}
}

func TestContextOfTheNatsCommand(t *testing.T) {
	s := external(t, &server.Options{JetStream: true, Users: []*server.User{{
		Username: "u", Password: "p",
		// Only inboxes with the prefix of the context are permitted.
		Permissions: &server.Permissions{Subscribe: &server.SubjectPermission{Allow: []string{"_I_u.>"}}},
	}}})
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	dir := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "nats", "context")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	text := `{"description":"test","url":"` + s.ClientURL() + `","user":"u","password":"p","inbox_prefix":"_I_u"}`
	if err := os.WriteFile(filepath.Join(dir, "club.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := natsbackend.Connect(within(t), natsbackend.Config{Context: "club", Provision: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	_, got, _ := inbox(t, b, anna)
	put(t, b, anna, start(1))
	receive(t, got).Ack()
}

// TestPermissionRefusals shows that a refusal is told as such, with its subject, at once: nothing waits for a time-out.
func TestPermissionRefusals(t *testing.T) {
	t.Parallel()
	deny := func(pub ...string) *server.Permissions {
		return &server.Permissions{Publish: &server.SubjectPermission{Deny: pub}}
	}
	s := external(t, &server.Options{JetStream: true, Users: []*server.User{
		{Username: "admin", Password: "p"},
		{Username: "noinfo", Password: "p", Permissions: deny("$JS.API.INFO")},
		{Username: "nocreate", Password: "p", Permissions: deny("$JS.API.STREAM.CREATE.>")},
		{Username: "noinbox", Password: "p", Permissions: &server.Permissions{Subscribe: &server.SubjectPermission{Deny: []string{"_INBOX.>"}}}},
		{Username: "limited", Password: "p", Permissions: deny(
			"durable.default.*.*.*.in.ctl.terminate", "$KV.durable_default_instances.>", "$JS.API.CONSUMER.UNPIN.>",
			"$JS.API.CONSUMER.MSG.NEXT.DURABLE_default.task_a", "$JS.API.CONSUMER.DURABLE.CREATE.DURABLE_default.task_b", "$JS.API.CONSUMER.CREATE.DURABLE_default.task_b.>",
			"$JS.API.DIRECT.GET.DURABLE_default_ARCHIVE.>", "$JS.API.CONSUMER.CREATE.KV_durable_default_meta.>")},
	}})
	login := func(user, hub string, provision bool) (*natsbackend.Backend, error) {
		b, err := natsbackend.Connect(within(t), natsbackend.Config{
			URL: strings.Replace(s.ClientURL(), "nats://", "nats://"+user+":p@", 1), Hub: hub, Provision: provision,
		})
		if err == nil {
			t.Cleanup(func() { b.Close() })
		}
		return b, err
	}
	refused := func(t *testing.T, err error, subject string) {
		t.Helper()
		if !errors.Is(err, backend.ErrPermission) || !strings.Contains(err.Error(), subject) {
			t.Errorf("%v, want a refusal of %s", err, subject)
		}
	}
	admin, err := login("admin", "default", true)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(admin.EnsureGroup(within(t), anna.Group), admin.EnsureActivity(within(t), backend.Activity{Name: "a"})); err != nil {
		t.Fatal(err)
	}
	_, err = login("noinfo", "default", false)
	refused(t, err, "$JS.API.INFO")
	_, err = login("nocreate", "other", true)
	refused(t, err, "$JS.API.STREAM.CREATE.DURABLE_other")
	_, err = login("noinbox", "default", false)
	refused(t, err, "_INBOX.")

	b, err := login("limited", "default", false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = await(t, func(done func(uint64, error)) {
		b.Append(backend.Append{To: anna, Record: &history.Control{Verb: history.Terminate, ID: "c"}}, done)
	})
	refused(t, err, ".in.ctl.terminate")
	_, err = putState(t, b, backend.State{Address: anna}, 0)
	refused(t, err, "$KV.durable_default_instances.")
	_, err = b.Inbox(anna.Group, 0).Open(within(t), func(backend.Delivery) {})
	refused(t, err, "$JS.API.CONSUMER.UNPIN.DURABLE_default.")
	refused(t, b.EnsureActivity(within(t), backend.Activity{Name: "b"}), "task_b")
	_, err = b.Tasks("a", func(backend.TaskDelivery) {})
	refused(t, err, "$JS.API.CONSUMER.MSG.NEXT.DURABLE_default.task_a")
	_, err = await(t, func(done func(backend.Archive, error)) {
		b.GetArchive(anna, func(a backend.Archive, _ uint64, err error) { done(a, err) })
	})
	refused(t, err, "$JS.API.DIRECT.GET.DURABLE_default_ARCHIVE.durable-archive.default.anna=40example=2Ecom")
	refused(t, b.Meta().Watch(within(t), "names", func(string, []byte, uint64) {}), "KV_durable_default_meta")
	put(t, b, anna, start(1)) // the rest still works
}

func TestConnectHonoursItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := serve(t, embedded.Config{Listen: "127.0.0.1:0"})
	if b, err := natsbackend.Connect(ctx, natsbackend.Config{URL: s.URL(), Provision: true}); err == nil {
		b.Close()
		t.Error("it connected")
	}
}
