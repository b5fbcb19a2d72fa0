package natsbackend_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// run starts a server that ends with the test.
func run(t *testing.T, opts *server.Options) *server.Server {
	t.Helper()
	opts.Host, opts.Port, opts.NoSigs, opts.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("a server did not get ready")
	}
	return s
}

// TestLeavesAServerThatIsCutOff: a server that has lost its way to JetStream keeps its clients, and nothing tells them.
// All their connections go to another server, and what they had under way goes on there. Here it is JetStream that
// leaves the server, and the other one has a hub of its own.
func TestLeavesAServerThatIsCutOff(t *testing.T) {
	t.Parallel()
	far := run(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
	near := run(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
	there, err := natsbackend.Connect(within(t), natsbackend.Config{URL: near.ClientURL(), Provision: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := there.EnsureGroup(within(t), anna.Group); err != nil {
		t.Fatal(err)
	}
	there.Close()
	b, err := natsbackend.Connect(within(t), natsbackend.Config{
		URL: far.ClientURL() + "," + near.ClientURL(), Provision: true, Options: []nats.Option{nats.DontRandomize()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	_, got, _ := inbox(t, b, anna)
	put(t, b, anna, done(0))
	receive(t, got).Ack()
	if n := far.NumClients(); n != 2 {
		t.Fatalf("the first server has %d connections, want those for writes and for deliveries", n)
	}

	if err := far.DisableJetStream(); err != nil {
		t.Fatal(err)
	}
	put(t, b, anna, done(1))
	if slot := receive(t, got).Message.Record.(*history.Done).Slot; slot != 1 {
		t.Errorf("delivered %d, want 1", slot)
	}
	if n := near.NumClients(); n != 2 {
		t.Errorf("the other server has %d connections, want 2", n)
	}
}

// TestAfterStandby: whoever stood by while somebody else was pinned asks for what that one was given and has not
// acknowledged. It may have been a connection of our own that is gone.
func TestAfterStandby(t *testing.T) {
	t.Parallel()
	s := run(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
	b, err := natsbackend.Connect(within(t), natsbackend.Config{URL: s.ClientURL(), Provision: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	_, got, _ := inbox(t, b, anna)
	put(t, b, anna, done(0))
	receive(t, got).Ack()

	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	consumer := inboxOf(t, nc, anna)
	other, err := nc.SubscribeSync(nc.NewInbox())
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.PublishRequest("$JS.API.CONSUMER.MSG.NEXT.DURABLE_default."+consumer, other.Subject, []byte(`{"group":"owner","batch":1,"expires":25000000000}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.RequestWithContext(within(t), "$JS.API.CONSUMER.UNPIN.DURABLE_default."+consumer, []byte(`{"group":"owner"}`)); err != nil {
		t.Fatal(err)
	}
	put(t, b, anna, done(1))
	if m, err := other.NextMsgWithContext(within(t)); err != nil || m.Reply == "" {
		t.Fatalf("the other one is not served: %v, %v", m, err)
	}
	nc.Close()
	if slot := receive(t, got).Message.Record.(*history.Done).Slot; slot != 1 {
		t.Errorf("delivered %d, want 1", slot)
	}
}

// TestServedBeforeTheFirst: a former owner that is served once more after somebody has taken over, and is gone, keeps
// nothing from the new one.
func TestServedBeforeTheFirst(t *testing.T) {
	t.Parallel()
	s := run(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
	b, err := natsbackend.Connect(within(t), natsbackend.Config{URL: s.ClientURL(), Provision: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	if err := b.EnsureGroup(within(t), anna.Group); err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	consumer := inboxOf(t, nc, anna)
	former, err := nc.SubscribeSync(nc.NewInbox())
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.PublishRequest("$JS.API.CONSUMER.MSG.NEXT.DURABLE_default."+consumer, former.Subject, []byte(`{"group":"owner","batch":1,"expires":25000000000}`)); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	_, got, _ := inbox(t, b, anna) // its request waits behind that one
	put(t, b, anna, done(0))
	if _, err := former.NextMsgWithContext(within(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.RequestWithContext(within(t), "$JS.API.CONSUMER.UNPIN.DURABLE_default."+consumer, []byte(`{"group":"owner"}`)); err != nil {
		t.Fatal(err)
	}
	put(t, b, anna, done(1))
	collect(t, "inbox", 2, got, func(d backend.Delivery) (uint32, backend.Receipt) { return d.Message.Record.(*history.Done).Slot, d })
}

// inboxOf gives the consumer of an instance's partition.
func inboxOf(t *testing.T, nc *nats.Conn, of history.Address) string {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	log, err := js.Stream(within(t), "DURABLE_default")
	if err != nil {
		t.Fatal(err)
	}
	for name := range log.ConsumerNames(within(t)).Name() {
		if strings.HasSuffix(name, fmt.Sprint("_", history.Partition(of.ID, 8))) {
			return name
		}
	}
	t.Fatal("the partition has no consumer")
	return ""
}
