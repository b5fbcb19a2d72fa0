package natsbackend_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// house is a server with an account in which each role of the hub "club" has a user, whose permissions are those that
// PermissionsOf gives and nothing else. The user root may do everything.
type house struct {
	t   *testing.T
	url string
}

// scope is what users of a role are for: starters may deal with the group "desk" only, and with large payloads.
func scope(role natsbackend.Role) natsbackend.Scope {
	s := natsbackend.Scope{Hub: "club", Inbox: "_INBOX_" + string(role), Large: role == natsbackend.RoleStarter}
	if role == natsbackend.RoleStarter || role == natsbackend.RoleViewer {
		s.Groups = []string{"desk"}
	}
	return s
}

func openHouse(t *testing.T) *house {
	t.Helper()
	t.Parallel()
	var users strings.Builder
	users.WriteString("{ user: root, password: p }\n")
	for _, role := range natsbackend.Roles() {
		user(t, &users, string(role), role, scope(role))
	}
	own := scope(natsbackend.RoleStarter)
	own.OwnIDs, own.Large = true, false
	user(t, &users, "chooser", natsbackend.RoleStarter, own)
	follow := scope(natsbackend.RoleViewer)
	follow.Follow = true
	user(t, &users, "follower", natsbackend.RoleViewer, follow)
	path := filepath.Join(t.TempDir(), "nats.conf")
	conf := fmt.Sprintf("jetstream {}\naccounts { CLUB { jetstream: enabled, users: [\n%s] } }\n", users.String())
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	opts, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, conf)
	}
	h := &house{t, external(t, opts).ClientURL()}
	for _, hub := range []string{"club", "other"} {
		h.as("root", natsbackend.Config{Hub: hub, Provision: true})
	}
	return h
}

func user(t *testing.T, w *strings.Builder, name string, role natsbackend.Role, s natsbackend.Scope) {
	t.Helper()
	p, err := natsbackend.PermissionsOf(role, s)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(w, "{ user: %s, password: p\n%s}\n", name, p)
}

// refusals fails a test whose connection was refused something that it did not report as an error.
type refusals struct{ t *testing.T }

func (r refusals) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "permitted") {
		r.t.Errorf("refused: %s", line)
	}
	return len(line), nil
}

func (h *house) config(name string, cfg natsbackend.Config) natsbackend.Config {
	if cfg.Hub == "" {
		cfg.Hub = "club"
	}
	cfg.URL = h.url
	cfg.Options = []nats.Option{nats.UserInfo(name, "p")}
	if name != "root" {
		role := strings.NewReplacer("chooser", "starter", "follower", "viewer").Replace(name)
		cfg.Options = append(cfg.Options, nats.CustomInboxPrefix("_INBOX_"+role))
	}
	if name == "chooser" { // an upload that is refused is refused in several parts, of which one is told
		return cfg
	}
	cfg.Logger = slog.New(slog.NewTextHandler(refusals{h.t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return cfg
}

// as connects a user.
func (h *house) as(name string, cfg natsbackend.Config) *natsbackend.Backend {
	h.t.Helper()
	b, err := natsbackend.Connect(within(h.t), h.config(name, cfg))
	if err != nil {
		h.t.Fatalf("connect as %s: %v", name, err)
	}
	h.t.Cleanup(func() { b.Close() })
	return b
}

func (h *house) client(name string) *durable.Client {
	return clientOf(h.t, h.as(name, natsbackend.Config{}))
}

var (
	errand = &durable.Orchestrator{Name: "desk.Errand", Group: "desk", Source: "example.com/desk.Errand"}
	try    = &durable.Orchestrator{Name: "desk.Try", Group: "desk", Source: "example.com/desk.Try"}
	other  = &durable.Orchestrator{Name: "vault.Open", Group: "vault", Source: "example.com/vault.Open"}
	carry  = &durable.Activity{Name: "desk.Carry", Source: "example.com/desk.Carry"}
	weighs = &durable.Activity{Name: "desk.Weigh", Source: "example.com/desk.Weigh", Local: true}
	broken = &durable.Activity{Name: "desk.Broken", Source: "example.com/desk.Broken"}
)

// deskWork does all that the engine can: an activity that tells how far it is, a local one, a timer, a child, an event, a
// query, results that are too big for a message, and failures until mended is set.
func deskWork(mended *atomic.Bool) []durable.Binding {
	return []durable.Binding{
		durable.BindActivity(carry, func(ctx context.Context, s string) (string, error) {
			return s + "!", durable.Heartbeat(ctx, "half way")
		}),
		durable.BindActivity(weighs, func(_ context.Context, s string) (int, error) { return len(s), nil }),
		durable.BindActivity(broken, func(context.Context, durable.None) (int, error) {
			if mended.Load() {
				return 1, nil
			}
			return 0, errors.New("broken")
		}),
		durable.BindOrchestrator(try, func(ctx durable.Context, _ durable.None) (int, error) {
			return durable.StartActivity[int](ctx, broken, nil).Get(ctx)
		}),
		durable.BindOrchestrator(other, func(durable.Context, durable.None) (int, error) { return 1, nil }),
		durable.BindOrchestrator(errand, func(ctx durable.Context, what string) (string, error) {
			durable.SetQueryHandler(ctx, "what", func(durable.None) (int, error) { return len(what), nil })
			if what == "small" {
				return what, nil
			}
			n, err := durable.StartActivity[int](ctx, weighs, what).Get(ctx)
			if err != nil || n != len(what) {
				return "", fmt.Errorf("it weighs %d: %w", n, err)
			}
			carried, err := durable.StartActivity[string](ctx, carry, what).Get(ctx)
			if err != nil {
				return "", err
			}
			if err := durable.Sleep(ctx, 50*time.Millisecond); err != nil {
				return "", err
			}
			if _, err := durable.StartChild[string](ctx, errand, "small").Get(ctx); err != nil {
				return "", err
			}
			more, err := durable.ReceiveEvent[string](ctx, "go").Get(ctx)
			return carried + more, err
		}),
	}
}

// works starts a worker of the hub, as the user worker.
func (h *house) works(mended *atomic.Bool) *durable.Worker {
	h.t.Helper()
	w := work(h.t, h.as("worker", natsbackend.Config{}), deskWork(mended)...)
	h.t.Cleanup(func() {
		if err := w.Stop(context.Background()); err != nil {
			h.t.Error(err)
		}
	})
	return w
}

// allowed fails the test unless all acts succeed.
func allowed(t *testing.T, acts ...act) {
	t.Helper()
	for _, a := range acts {
		if err := a.do(); err != nil {
			t.Fatalf("%s: %v", a.what, err)
		}
	}
}

// refused fails the test unless all acts are refused, in words that name the subject.
func refused(t *testing.T, acts ...act) {
	t.Helper()
	for _, a := range acts {
		if err := a.do(); !errors.Is(err, durable.ErrPermission) || !strings.Contains(err.Error(), `"`) {
			t.Errorf("%s: %v, want ErrPermission with the subject", a.what, err)
		}
	}
}

type act struct {
	what string
	do   func() error
}

// refusedRequests publishes to subjects of the API by hand.
func (h *house) refusedRequests(name string, subjects ...string) {
	h.t.Helper()
	errs := make(chan error, len(subjects))
	cfg := h.config(name, natsbackend.Config{})
	nc, err := nats.Connect(h.url, append(cfg.Options, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { errs <- err }))...)
	if err != nil {
		h.t.Fatal(err)
	}
	defer nc.Close()
	for _, s := range subjects {
		if err := nc.Publish(s, nil); err != nil {
			h.t.Fatal(err)
		}
		if err := receive(h.t, errs); !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), s) {
			h.t.Errorf("%s as %s: %v, want a violation", s, name, err)
		}
	}
}

func (h *house) mayNotWork(name string) act {
	return act{"work", func() error {
		var code durable.Registry
		if err := code.Add(deskWork(nil)...); err != nil {
			return err
		}
		return durable.NewWorker(h.as(name, natsbackend.Config{}), &code, durable.WorkerConfig{}).Start(within(h.t))
	}}
}

func (h *house) mayNotReach(name, hub string) act {
	return act{"reach the hub " + hub, func() error {
		_, err := natsbackend.Connect(within(h.t), h.config(name, natsbackend.Config{Hub: hub, Provision: true}))
		return err
	}}
}
