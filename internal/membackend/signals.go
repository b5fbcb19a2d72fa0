package membackend

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/durablegen/durablegen/internal/backend"
)

// listener hears a topic. All but view, topic and fn is under the hub's lock.
type listener struct {
	view    *View
	fn      func([]byte)
	lane    int64 // when the newest signal arrives
	stopped bool
	busy    chan struct{} // closed when the running fn returns; nil: none runs
}

// Signal implements backend.Signals.
func (v *View) Signal(topic string, data []byte) {
	m := v.m
	data = bytes.Clone(data)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tell(v, op{verb: "signal", id: topic}, m.faults.SignalLost, func() {
		if v.muted {
			return
		}
		for _, l := range m.topics[topic] {
			l.send(data)
		}
	})
}

func (l *listener) send(data []byte) {
	m, epoch := l.view.m, l.view.epoch
	if !l.view.reachable() || l.view.muted {
		return
	}
	l.lane = max(l.lane, m.now()+int64(l.view.trip("signal", l.view.name)))
	m.at(l.lane, l.view, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if l.stopped || l.view.closed || epoch != l.view.epoch {
			return
		}
		busy := make(chan struct{})
		l.busy = busy
		m.mu.Unlock()
		l.fn(bytes.Clone(data))
		m.mu.Lock()
		l.busy = nil
		close(busy)
	})
}

// Listen implements backend.Signals. Called within fn, stop does not wait for it in virtual mode, and must not be
// called there in live mode.
func (v *View) Listen(topic string, fn func(data []byte)) (stop func(), err error) {
	m := v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if v.closed || v.killed {
		return nil, fmt.Errorf("membackend: listen on %s: %w", topic, backend.ErrClosed)
	}
	l := &listener{view: v, fn: fn}
	m.topics[topic] = append(m.topics[topic], l)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		l.stopped = true
		m.topics[topic] = slices.DeleteFunc(m.topics[topic], func(x *listener) bool { return x == l })
		for l.busy != nil && m.cfg.Live {
			busy := l.busy
			m.mu.Unlock()
			<-busy
			m.mu.Lock()
		}
	}, nil
}

// Topic implements backend.Signals.
func (v *View) Topic() string {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.m.topic++
	return fmt.Sprintf("reply-%d", v.m.topic)
}

// Connected implements backend.Signals.
func (v *View) Connected() bool {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	return v.reachable()
}
