package natsbackend_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/doctor"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// TestAccountIsNearlyFull: a hub takes five streams of the six that its account may have, and most of its consumers.
func TestAccountIsNearlyFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "nats.conf")
	conf := `jetstream {}
accounts { CLUB { jetstream: { max_store: 1G, max_streams: 6, max_consumers: 9 }, users: [ { user: root, password: p } ] } }`
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	opts, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := natsbackend.Connect(within(t), natsbackend.Config{
		URL: external(t, opts).ClientURL(), Provision: true, Options: []nats.Option{nats.UserInfo("root", "p")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	if err := b.EnsureGroup(within(t), "desk"); err != nil { // 8 consumers
		t.Fatal(err)
	}
	r, err := doctor.Examine(within(t), b, doctor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range r.Findings {
		if f.Kind != doctor.Full || f.Severity != doctor.Warning {
			t.Errorf("%+v", f)
		}
		said = append(said, f.What)
	}
	if got := strings.Join(said, "; "); !strings.Contains(got, "streams of the account: 5 of 6") || !strings.Contains(got, "consumers of the account: 8 of 9") || len(said) != 2 {
		t.Errorf("findings: %s", got)
	}
	u := r.Usage
	if u.User != "root" || u.Account != "CLUB" || !strings.Contains(u.Server, "nats-server 2.") || u.MaxMessage != 1<<20 || len(u.Stores) != 5 {
		t.Errorf("usage %+v", u)
	}
}

// TestForeignConsumersAreNoQueues: somebody else reads the log.
func TestForeignConsumersAreNoQueues(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	put(t, b, anna, start(1))
	n := 0
	if _, err := b.FollowLog(within(t), 0, func(backend.Happening) bool { n++; return false }); err != nil || n != 1 {
		t.Fatalf("%d, %v", n, err)
	}
	put(t, b, history.Address{Group: "g", ID: "i"}, &history.Task{Ref: history.Ref{Run: 1}, Name: "bank.Charge", Attempt: 1})
	queues, err := b.Queues(within(t))
	if err != nil || len(queues) != 1 || queues[0].Activity != "bank.Charge" {
		t.Errorf("queues %+v, %v, want that of the activity", queues, err)
	}
}
