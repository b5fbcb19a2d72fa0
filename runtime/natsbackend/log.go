package natsbackend

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// appendOf is one append.
type appendOf struct {
	to     history.Address
	record history.Record
	fenced bool
	fence  uint64
}

// Append implements backend.Log: one asynchronous publish. A body that is too big goes to the object store first; what
// else is appended to the same subject meanwhile waits for it, to keep the order.
func (b *Backend) Append(a backend.Append, done func(seq uint64, err error)) {
	subject, h, head, body, err := b.names.encode(&appendOf{a.To, a.Record, a.Fenced, a.Fence})
	if err != nil {
		go done(0, err)
		return
	}
	if holdsHistory(a.Record) {
		b.storeHistory(subject, h, head, body, done)
		return
	}
	b.storeBehind(subject, h, head, body, done)
}

// holdsHistory reports whether a record is as large as the history of a run.
func holdsHistory(r history.Record) bool {
	s, ok := r.(*history.Start)
	return ok && s.Prior != nil
}

// store publishes a message of any stream of the hub.
func (b *Backend) store(subject string, h nats.Header, body []byte, done func(seq uint64, err error)) {
	b.storeBehind(subject, h, nil, body, done)
}

// storeBehind publishes head and body as one. Of a body that is too big only the head is in the message.
func (b *Backend) storeBehind(subject string, h nats.Header, head, body []byte, done func(seq uint64, err error)) {
	if len(body) > b.cfg.MaxPayload {
		go done(0, fmt.Errorf("natsbackend: %w: %d bytes for %s, and Config.MaxPayload is %d", backend.ErrTooLarge, len(body), subject, b.cfg.MaxPayload))
		return
	}
	b.put(subject, h, head, body, done)
}

// storeHistory publishes a message that holds the history of a run.
func (b *Backend) storeHistory(subject string, h nats.Header, head, body []byte, done func(seq uint64, err error)) {
	if len(body) > b.cfg.MaxHistory {
		go done(0, fmt.Errorf("natsbackend: %w: a history of %d bytes for %s, and Config.MaxHistory is %d", backend.ErrTooLarge, len(body), subject, b.cfg.MaxHistory))
		return
	}
	b.put(subject, h, head, body, done)
}

func (b *Backend) put(subject string, h nats.Header, head, body []byte, done func(seq uint64, err error)) {
	if big := len(body) > b.cfg.InlinePayload; big || b.uploads.running.Load() > 0 {
		if b.uploads.pass(subject, big, upload{h, head, body, done}, b.upload) {
			return
		}
	}
	b.calls.publish(subject, h, join(head, body), done)
}

// join appends body to head, which has room for it.
func join(head, body []byte) []byte {
	if head == nil {
		return body
	}
	return append(head, body...)
}

// upload puts a body into the object store, then its message into the log: object first, so that whoever sees the
// message finds the object.
func (b *Backend) upload(subject string, u upload) {
	ref, err := b.putPayload(subject, u.body)
	if err == nil {
		err = b.barrier.settled()
	}
	if err != nil {
		u.done(0, err)
		return
	}
	h := maps.Clone(u.header)
	if h == nil {
		h = nats.Header{}
	}
	h.Set(headerPayload, ref.String())
	b.calls.publish(subject, h, u.head, u.done)
}

// upload is a message that waits for its object, or behind one that does.
type upload struct {
	header nats.Header
	head   []byte // what stands before the body
	body   []byte
	done   func(uint64, error)
}

// uploads keeps the order of the messages of each subject that has an upload running.
type uploads struct {
	running atomic.Int32 // subjects in queues: nearly always 0, then pass costs nothing
	inline  int          // bytes above which a body is uploaded
	plain   func(subject string, u upload)

	mu     sync.Mutex
	queues map[string][]upload // per subject, the first one being uploaded
	wg     sync.WaitGroup
	closed bool
}

// pass takes u over when it is big or has to wait behind one that is.
func (q *uploads) pass(subject string, big bool, u upload, put func(string, upload)) bool {
	if !big && q.running.Load() == 0 {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		go u.done(0, backend.ErrClosed)
		return true
	}
	queue, busy := q.queues[subject]
	if !busy && !big {
		return false
	}
	q.queues[subject] = append(queue, u)
	if !busy {
		q.running.Add(1)
		q.wg.Go(func() { q.run(subject, put) })
	}
	return true
}

// run works off the queue of a subject.
func (q *uploads) run(subject string, put func(string, upload)) {
	for {
		q.mu.Lock()
		u := q.queues[subject][0]
		q.mu.Unlock()
		if len(u.body) > q.inline {
			put(subject, u)
		} else {
			q.plain(subject, u)
		}
		q.mu.Lock()
		rest := q.queues[subject][1:]
		if len(rest) == 0 {
			delete(q.queues, subject)
			q.running.Add(-1)
			q.mu.Unlock()
			return
		}
		q.queues[subject] = rest
		q.mu.Unlock()
	}
}

// close waits for the running uploads, whose backend calls must have been ended before.
func (q *uploads) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.wg.Wait()
}

// CancelTimer implements backend.Log: a message that removes the schedule and, having a time to live, itself.
func (b *Backend) CancelTimer(to history.Address, ref history.Ref, done func(err error)) {
	h := headers(
		history.Field{Key: headerScheduleNext, Value: "purge"},
		history.Field{Key: headerScheduler, Value: b.names.instance(to) + timerSuffix(ref)},
		history.Field{Key: headerTTL, Value: "1s"})
	b.calls.publish(b.names.cancel, h, nil, func(_ uint64, err error) { done(err) })
}
