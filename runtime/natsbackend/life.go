package natsbackend

import (
	"fmt"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/runtime/observe"
)

var _ backend.Linked = (*Backend)(nil)

// Done implements backend.Linked.
func (b *Backend) Done() <-chan struct{} { return b.dead }

// Err implements backend.Linked.
func (b *Backend) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.death
}

// Status implements backend.Linked.
func (b *Backend) Status() observe.StoreStatus {
	s := observe.StoreStatus{Connected: b.link.IsConnected(), Reconnects: b.link.Stats().Reconnects, Unanswered: b.calls.unanswered()}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.deliveries {
		s.Connected = s.Connected && l.IsConnected()
		s.Reconnects += l.Stats().Reconnects
	}
	return s
}

// die notes the first reason for which there is no connection any more.
func (b *Backend) die(why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.death == nil {
		b.death = why
		close(b.dead)
	}
}

// gone is called when the client has given a connection up: by itself it never does, but options may let it.
func (b *Backend) gone(r role, why error) {
	if why == nil {
		why = backend.ErrClosed
	}
	b.die(fmt.Errorf("natsbackend: the connection %s %s was given up, and Config.Options say that it is not made again: %w", b.cfg.Name, r, why))
}
