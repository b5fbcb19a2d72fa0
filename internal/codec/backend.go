package codec

import (
	"context"
	"fmt"
	"strings"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Backend is another backend whose payloads are encoded. What it does not override holds no user's data.
type Backend struct {
	backend.Backend
	layers layers
}

// New wraps a backend. The codecs encode in this order and decode in the reverse one.
func New(b backend.Backend, codecs ...Codec) (*Backend, error) {
	if _, twice := b.(*Backend); twice {
		return nil, fmt.Errorf("the backend has codecs already: give all of them in one call")
	}
	l, err := newLayers(codecs, b.Info().MaxPayload)
	return &Backend{b, l}, err
}

// Open decodes a record. What cannot be decoded stays sealed, and the error (ErrCodec) tells why.
func (b *Backend) Open(r history.Record) (history.Record, error) {
	w := b.opening()
	return w.record(r), w.err
}

func (b *Backend) sealing() *pass { return &pass{layers: &b.layers} }
func (b *Backend) opening() *pass { return &pass{layers: &b.layers, opening: true} }

// refuse answers a call whose payload a codec could not encode.
func (b *Backend) refuse(done func(uint64, error), err error) {
	b.Clock().After(0, func() { done(0, err) })
}

// Append implements backend.Log.
func (b *Backend) Append(a backend.Append, done func(seq uint64, err error)) {
	w := b.sealing()
	if a.Record = w.record(a.Record); w.err != nil {
		b.refuse(done, w.err)
		return
	}
	b.Backend.Append(a, done)
}

// Load implements backend.Log.
func (b *Backend) Load(of history.Address, reach uint64, done func(backend.Loaded, error)) {
	b.Backend.Load(of, reach, b.opened(done))
}

// LoadAfter implements backend.Log.
func (b *Backend) LoadAfter(of history.Address, after, reach uint64, done func(backend.Loaded, error)) {
	b.Backend.LoadAfter(of, after, reach, b.opened(done))
}

// Retry implements backend.Log.
func (b *Backend) Retry(of history.Address, ref history.Ref, done func(*history.Timer, error)) {
	b.Backend.Retry(of, ref, func(t *history.Timer, err error) {
		if err == nil {
			w := b.opening()
			clear := *t
			clear.Task = w.task(t.Task)
			t, err = &clear, w.err
		}
		done(t, err)
	})
}

func (b *Backend) opened(done func(backend.Loaded, error)) func(backend.Loaded, error) {
	return func(l backend.Loaded, err error) {
		if err == nil {
			b.open(&l)
		}
		done(l, err)
	}
}

// open decodes what was loaded. A base holds all that its execution knows of the start, whose key may be gone by then.
func (b *Backend) open(l *backend.Loaded) {
	start, rest := b.opening(), b.opening()
	start.one(l.Start)
	rest.one(l.Base)
	l.Tail = rest.messages(l.Tail)
	if l.Err = rest.err; l.Base == nil && l.Err == nil {
		l.Err = start.err
	}
}

func (w *pass) one(m *history.Message) {
	if m != nil {
		m.Record = w.record(m.Record)
	}
}

// FollowLog implements backend.Log.
func (b *Backend) FollowLog(ctx context.Context, after uint64, yield func(backend.Happening) bool) (uint64, error) {
	return b.Backend.FollowLog(ctx, after, func(h backend.Happening) bool {
		h.Reason, h.Failure = b.opening().text(h.Reason), b.opening().failure(h.Failure)
		return yield(h)
	})
}

// Inbox implements backend.Backend.
func (b *Backend) Inbox(group string, p int) backend.Inbox {
	return inbox{b.Backend.Inbox(group, p), b}
}

type inbox struct {
	backend.Inbox
	b *Backend
}

// Open implements backend.Inbox.
func (i inbox) Open(ctx context.Context, deliver func(backend.Delivery)) (horizon uint64, err error) {
	return i.Inbox.Open(ctx, func(d backend.Delivery) {
		if d.Err == nil {
			d.Message.Record, d.Err = i.b.Open(d.Message.Record)
		}
		deliver(d)
	})
}

// Tasks implements backend.Backend.
func (b *Backend) Tasks(activity string, deliver func(backend.TaskDelivery)) (backend.TaskQueue, error) {
	return b.Backend.Tasks(activity, func(d backend.TaskDelivery) {
		if d.Err == nil {
			w := b.opening()
			d.Task = w.task(d.Task)
			d.Err = w.err
		}
		deliver(d)
	})
}

// PutState implements backend.States.
func (b *Backend) PutState(s backend.State, rev uint64, done func(rev uint64, err error)) {
	w := b.sealing()
	if s = w.state(s); w.err != nil {
		b.refuse(done, w.err)
		return
	}
	b.Backend.PutState(s, rev, done)
}

// GetState implements backend.States. A custom status or claim that cannot be decoded stays sealed: most of a state can
// be used without.
func (b *Backend) GetState(id string, done func(s backend.State, rev uint64, err error)) {
	b.Backend.GetState(id, func(s backend.State, rev uint64, err error) { done(b.openState(s), rev, err) })
}

// ListStates implements backend.States.
func (b *Backend) ListStates(ctx context.Context, yield func(backend.State) bool) error {
	return b.Backend.ListStates(ctx, func(s backend.State) bool { return yield(b.openState(s)) })
}

func (b *Backend) openState(s backend.State) backend.State {
	w := b.opening()
	s = w.state(s)
	s.Err = w.err
	return s
}

func (w *pass) state(s backend.State) backend.State {
	s.Custom = w.payload(s.Custom)
	s.Failure = w.text(s.Failure)
	s.Waiting = w.text(s.Waiting)
	if w.opening || !strings.HasPrefix(s.Parked, backend.ErrCodec.Error()) { // who lacks a key must be able to read that
		s.Parked = w.text(s.Parked)
	}
	s.Claim = w.start(s.Claim)
	return s
}

// PutArchive implements backend.Archives.
func (b *Backend) PutArchive(a backend.Archive, expect uint64, done func(seq uint64, err error)) {
	w := b.sealing()
	a.Messages, a.Late, a.Custom = w.messages(a.Messages), w.messages(a.Late), w.payload(a.Custom)
	if w.err != nil {
		b.refuse(done, w.err)
		return
	}
	b.Backend.PutArchive(a, expect, done)
}

// GetArchive implements backend.Archives.
func (b *Backend) GetArchive(of history.Address, done func(a backend.Archive, seq uint64, err error)) {
	b.Backend.GetArchive(of, func(a backend.Archive, seq uint64, err error) {
		if err == nil {
			w := b.opening()
			a.Messages, a.Late, a.Custom = w.messages(a.Messages), w.messages(a.Late), w.payload(a.Custom)
			a.Err = w.err
		}
		done(a, seq, err)
	})
}

// Signal implements backend.Signals. All but heartbeats are encoded as a whole: workers that have different keys must
// know of each other.
func (b *Backend) Signal(topic string, data []byte) {
	if !strings.HasPrefix(topic, backend.BeatTopic) {
		sealed, err := b.layers.seal(data)
		if err != nil {
			return // a signal may get lost
		}
		data = sealed
	}
	b.Backend.Signal(topic, data)
}

// Listen implements backend.Signals. A signal that cannot be decoded is lost.
func (b *Backend) Listen(topic string, fn func(data []byte)) (stop func(), err error) {
	return b.Backend.Listen(topic, func(data []byte) {
		if clear, err := b.layers.open(data); err == nil {
			fn(clear)
		}
	})
}

var _ backend.Backend = (*Backend)(nil)
