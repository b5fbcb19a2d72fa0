package natsbackend

import (
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"github.com/durablegen/durablegen/internal/history"
)

// Signal implements backend.Signals.
func (b *Backend) Signal(topic string, data []byte) {
	// At most once: while the connection is down a signal is lost.
	_ = b.link.Publish(b.signal(topic), data)
}

func (b *Backend) signal(topic string) string { return b.names.signals + history.EncodeID(topic) }

// Listen implements backend.Signals.
func (b *Backend) Listen(topic string, fn func(data []byte)) (stop func(), err error) {
	var mu sync.Mutex
	stopped := false
	s, err := b.link.subscribe(b.signal(topic), func(m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			fn(m.Data)
		}
	})
	if err != nil {
		return nil, err
	}
	return func() {
		_ = s.Unsubscribe() // it fails only when the connection is closed, and then it is unsubscribed
		mu.Lock()
		defer mu.Unlock()
		stopped = true
	}, nil
}

// Topic implements backend.Signals.
func (b *Backend) Topic() string { return "reply-" + nuid.Next() }

// Connected implements backend.Signals.
func (b *Backend) Connected() bool { return b.link.IsConnected() }
