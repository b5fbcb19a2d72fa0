package harness

import (
	"errors"
	"fmt"
	"net"
	"sync"
)

// Cut is what has become of the network between two servers.
type Cut string

// The networks.
const (
	Whole   Cut = "whole"
	Refused Cut = "refused" // connections break, and new ones are refused
	Silent  Cut = "silent"  // nothing arrives, and nobody is told
)

// network holds the wires between the servers of a cluster, one in each direction for who dials whom.
type network struct {
	wires map[[2]int]*wire
	wg    sync.WaitGroup
}

// wire takes the connections that one server makes to another.
type wire struct {
	listener net.Listener
	target   string
	wg       *sync.WaitGroup

	mu     sync.Mutex
	cut    Cut
	moved  chan struct{} // closed when cut changes
	conns  map[net.Conn]struct{}
	closed bool
}

// newNetwork connects servers whose route ports are given.
func newNetwork(ports []int) (*network, error) {
	n := &network{wires: map[[2]int]*wire{}}
	for from := range ports {
		for to, port := range ports {
			if from == to {
				continue
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return nil, errors.Join(fmt.Errorf("harness: a network for servers: %w", err), n.close())
			}
			w := &wire{
				listener: l, target: fmt.Sprintf("127.0.0.1:%d", port), wg: &n.wg,
				cut: Whole, moved: make(chan struct{}), conns: map[net.Conn]struct{}{},
			}
			n.wires[[2]int{from, to}] = w
			n.wg.Go(w.accept)
		}
	}
	return n, nil
}

// routes gives the addresses at which a server reaches the others.
func (n *network) routes(from int) (routes []string) {
	for ends, w := range n.wires {
		if ends[0] == from {
			routes = append(routes, w.listener.Addr().String())
		}
	}
	return routes
}

// set changes the network between one server and all others.
func (n *network) set(server int, to Cut) {
	for ends, w := range n.wires {
		if ends[0] == server || ends[1] == server {
			w.set(to)
		}
	}
}

func (n *network) close() error {
	var errs []error
	for _, w := range n.wires {
		w.mu.Lock()
		w.closed = true
		w.mu.Unlock()
		errs = append(errs, w.listener.Close())
		w.set(Refused)
	}
	n.wg.Wait()
	return errors.Join(errs...)
}

func (w *wire) set(to Cut) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = to
	close(w.moved)
	w.moved = make(chan struct{})
	if to == Refused {
		for c := range w.conns {
			_ = c.Close() // it breaks, which is all that is wanted
		}
	}
}

func (w *wire) accept() {
	for {
		c, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.wg.Go(func() { w.carry(c) })
	}
}

// carry passes on what both ends of a connection say.
func (w *wire) carry(from net.Conn) {
	defer from.Close()
	if !w.keep(from) {
		return
	}
	defer w.forget(from)
	to, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer to.Close()
	if !w.keep(to) {
		return
	}
	defer w.forget(to)
	var both sync.WaitGroup
	both.Go(func() { w.pass(to, from) })
	both.Go(func() { w.pass(from, to) })
	both.Wait()
}

// pass ends when one of the connections does.
func (w *wire) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil || !w.open() {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// open waits while the wire is silent, and reports whether it carries anything.
func (w *wire) open() bool {
	for {
		w.mu.Lock()
		cut, moved := w.cut, w.moved
		w.mu.Unlock()
		if cut != Silent {
			return cut == Whole
		}
		<-moved
	}
}

func (w *wire) keep(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut == Refused || w.closed {
		return false
	}
	w.conns[c] = struct{}{}
	return true
}

func (w *wire) forget(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
}
