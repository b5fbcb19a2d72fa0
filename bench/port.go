package main

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
)

// port publishes to streams without waiting: all answers come back on one inbox, told apart by a token.
type port struct {
	nc     *nats.Conn
	prefix string // of the inbox, with its dot
	fail   func(error)

	mu    sync.Mutex
	token uint64
	open  map[uint64]func(error)
}

func newPort(nc *nats.Conn, fail func(error)) (*port, error) {
	p := &port{nc: nc, prefix: nats.NewInbox() + ".", fail: fail, open: map[uint64]func(error){}}
	_, err := subscribe(nc, p.prefix+"*", p.answered)
	return p, err
}

func subscribe(nc *nats.Conn, subject string, fn func(*nats.Msg)) (*nats.Subscription, error) {
	s, err := nc.Subscribe(subject, fn)
	if err == nil {
		err = s.SetPendingLimits(-1, -1)
	}
	if err != nil {
		return nil, fmt.Errorf("bench: subscribe to %s: %w", subject, err)
	}
	return s, nil
}

// publish stores a message; done is called when it is stored, or refused.
func (p *port) publish(m *nats.Msg, done func(error)) {
	p.mu.Lock()
	p.token++
	token := p.token
	p.open[token] = done
	m.Reply = p.prefix + strconv.FormatUint(token, 36)
	err := p.nc.PublishMsg(m)
	if err != nil {
		delete(p.open, token)
	}
	p.mu.Unlock()
	if err != nil {
		done(fmt.Errorf("bench: publish to %s: %w", m.Subject, err))
	}
}

func (p *port) answered(m *nats.Msg) {
	token, err := strconv.ParseUint(m.Subject[len(p.prefix):], 36, 64)
	if err != nil {
		p.fail(fmt.Errorf("bench: an answer to nothing: %w", err))
		return
	}
	p.mu.Lock()
	done := p.open[token]
	delete(p.open, token)
	p.mu.Unlock()
	if !bytes.Contains(m.Data, []byte(`"seq":`)) || bytes.Contains(m.Data, []byte(`"error":`)) {
		err = fmt.Errorf("bench: not stored: %s %v", m.Data, m.Header)
	}
	if done != nil {
		done(err)
	}
}

// pull takes messages from a pull consumer, always having asked for some.
type pull struct {
	nc     *nats.Conn
	next   string
	inbox  *nats.Subscription
	group  string // priority group; "": none
	window int
	on     func(*nats.Msg)

	mu    sync.Mutex
	asked int
	pin   string
}

func newPull(nc *nats.Conn, next, group string, window int, on func(*nats.Msg)) (p *pull, err error) {
	p = &pull{nc: nc, next: next, group: group, window: window, on: on}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inbox, err = subscribe(nc, nats.NewInbox(), p.handle); err != nil {
		return nil, err
	}
	return p, p.ask()
}

// ask requests more when half of the window is not asked for. Lock held.
func (p *pull) ask() error {
	if 2*p.asked > p.window {
		return nil
	}
	req := `{"expires":2000000000,"idle_heartbeat":500000000,"batch":` + strconv.Itoa(p.window-p.asked)
	if p.group != "" {
		req += `,"group":"` + p.group + `"`
	}
	if p.pin != "" {
		req += `,"id":"` + p.pin + `"`
	}
	p.asked = p.window
	return p.nc.PublishRequest(p.next, p.inbox.Subject, []byte(req+"}"))
}

func (p *pull) handle(m *nats.Msg) {
	p.mu.Lock()
	n := 1
	if m.Reply == "" { // a status: 100 is a heartbeat, after the others the rest of the request is void
		n, _ = strconv.Atoi(m.Header.Get("Nats-Pending-Messages"))
	}
	p.asked = max(p.asked-n, 0)
	if pin := m.Header.Get("Nats-Pin-Id"); pin != "" {
		p.pin = pin
	}
	_ = p.ask() // it fails only when the connection is closed
	p.mu.Unlock()
	if m.Reply != "" {
		p.on(m)
	}
}
