package natsbackend_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// proxy is a network between client and server that can swallow what the server says, and break.
type proxy struct {
	listener net.Listener
	target   string
	swallow  atomic.Bool
	lost     chan int // bytes swallowed

	mu    sync.Mutex
	conns []net.Conn
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: strings.TrimPrefix(target, "nats://"), lost: make(chan int, 1000)}
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
		go func() { io.Copy(server, client); server.Close() }()
		go func() { io.Copy(throttle{p, client}, server); client.Close() }()
	}
}

// throttle writes to the client unless the proxy swallows.
type throttle struct {
	p      *proxy
	client net.Conn
}

func (w throttle) Write(b []byte) (int, error) {
	if w.p.swallow.Load() {
		select {
		case w.p.lost <- len(b):
		default:
		}
		return len(b), nil
	}
	return w.client.Write(b)
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
