package natscluster

import (
	"io"
	"net"
	"sync"
)

// door is an address that is kept for a server as long as the test runs, whatever port the server has found after a restart.
// A port that is given back and asked for again may be somebody else's by then: of the next test's server, say.
type door struct {
	net.Listener
	led    chan struct{} // closed when it leads to a server for the first time: whoever comes before waits, since servers try again only after a second
	closed chan struct{}

	mu    sync.Mutex
	to    string // address of the server; "": it is stopped
	conns map[net.Conn]struct{}
	wg    sync.WaitGroup
}

func newDoor() (*door, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &door{Listener: l, led: make(chan struct{}), closed: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	d.wg.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			d.wg.Go(func() { d.pass(from) })
		}
	})
	return d, nil
}

func (d *door) lead(to string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to = to
	select {
	case <-d.led:
	default:
		close(d.led)
	}
}

// pass copies in both directions until one side ends.
func (d *door) pass(from net.Conn) {
	defer d.drop(from)
	select {
	case <-d.led:
	case <-d.closed:
		return
	}
	d.mu.Lock()
	to := d.to
	d.conns[from] = struct{}{}
	d.mu.Unlock()
	if to == "" {
		return
	}
	into, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	d.wg.Go(func() {
		_, _ = io.Copy(from, into) // an end of either side ends both
		d.drop(from)
		into.Close()
	})
	_, _ = io.Copy(into, from)
	into.Close()
}

func (d *door) drop(c net.Conn) {
	d.mu.Lock()
	delete(d.conns, c)
	d.mu.Unlock()
	c.Close()
}

func (d *door) shut() {
	d.Close()
	close(d.closed)
	d.mu.Lock()
	for c := range d.conns {
		c.Close()
	}
	d.mu.Unlock()
	d.wg.Wait()
}
