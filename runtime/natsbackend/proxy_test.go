package natsbackend_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// proxy is a network between client and server that can swallow what the server says, and break.
type proxy struct {
	listener net.Listener
	target   string
	swallow  atomic.Bool   // all connections
	deafen   atomic.Bool   // connections made from now on, each from its first pull on
	lost     chan struct{} // a delivery was swallowed

	mu    sync.Mutex
	conns []net.Conn
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: strings.TrimPrefix(target, "nats://"), lost: make(chan struct{}, 1000)}
	t.Cleanup(func() { l.Close(); p.cut() })
	go p.accept()
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		deaf, deafen := &atomic.Bool{}, p.deafen.Load()
		go func() { io.Copy(pulls{server, deaf, deafen}, client); server.Close() }()
		go func() { io.Copy(throttle{p, client, deaf}, server); client.Close() }()
	}
}

// pulls writes to the server and makes the client deaf with its first pull.
type pulls struct {
	server net.Conn
	deaf   *atomic.Bool
	deafen bool
}

func (w pulls) Write(b []byte) (int, error) {
	if w.deafen && bytes.Contains(b, []byte("CONSUMER.MSG.NEXT.")) {
		w.deaf.Store(true)
	}
	return w.server.Write(b)
}

// throttle writes to the client unless the proxy swallows.
type throttle struct {
	p      *proxy
	client net.Conn
	deaf   *atomic.Bool
}

func (w throttle) Write(b []byte) (int, error) {
	if !w.p.swallow.Load() && !w.deaf.Load() {
		return w.client.Write(b)
	}
	if bytes.Contains(b, []byte("$JS.ACK.")) {
		select {
		case w.p.lost <- struct{}{}:
		default:
		}
	}
	return len(b), nil
}

// cut breaks all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// TestDeliveriesLostWithAConnection: the server believes that it has delivered. They come again when the connection is
// back, and not only after AckWait.
func TestDeliveriesLostWithAConnection(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{Listen: "127.0.0.1:0"})
	sender := open(t, s, natsbackend.Config{})
	p := newProxy(t, s.URL())
	b, err := natsbackend.Connect(within(t), natsbackend.Config{URL: "nats://" + p.listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	_, got, _ := inbox(t, b, anna)
	put(t, sender, anna, done(0))
	receive(t, got).Ack()

	p.swallow.Store(true)
	for slot := range uint32(20) {
		put(t, sender, anna, done(1+slot))
	}
	receive(t, p.lost)
	p.swallow.Store(false)
	p.cut()
	collect(t, "inbox", 20, got, func(d backend.Delivery) (uint32, backend.Receipt) { return d.Message.Record.(*history.Done).Slot, d })
}

// TestDeliveriesLostAgain: what comes again is lost too, with the next connection, while the heal that brought it is
// still at work. Then it must heal once more.
func TestDeliveriesLostAgain(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{Listen: "127.0.0.1:0"})
	sender := open(t, s, natsbackend.Config{})
	p := newProxy(t, s.URL())
	onlyDeliveries := func(o *nats.Options) error { // the heal itself gets through
		if strings.HasSuffix(o.Name, " partitions") {
			o.Servers = []string{"nats://" + p.listener.Addr().String()}
		}
		return nil
	}
	b, err := natsbackend.Connect(within(t), natsbackend.Config{URL: s.URL(), Options: []nats.Option{onlyDeliveries}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	_, got, _ := inbox(t, b, anna)
	put(t, sender, anna, done(0))
	receive(t, got).Ack()

	p.swallow.Store(true)
	put(t, sender, anna, done(1))
	receive(t, p.lost)
	p.deafen.Store(true)
	p.swallow.Store(false)
	p.cut()            // the next connection pulls, and hears nothing any more
	receive(t, p.lost) // what the heal brought
	p.deafen.Store(false)
	p.cut()
	for slot := uint32(0); slot != 1; { // the one before may come again
		d := receive(t, got)
		d.Ack()
		slot = d.Message.Record.(*history.Done).Slot
	}
}
