package natsbackend

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
)

// SyncSubject is where a server is asked, by a request without a body, to make durable what it has acknowledged. A server
// of package embedded whose durability is Strict answers "+OK" when the disk has everything that it had acknowledged, stored
// or delivered before the request came; others have nobody there.
const SyncSubject = "durable-sync"

const synced = "+OK"

// barrier stands between a server that acknowledges before it is durable and the world. A power cut then takes back the end
// of each stream, which is the same as an earlier crash as long as nothing outside the log has acted on it. So the log itself
// is written and delivered at once, and all else waits for a round, in which the server makes durable what it has so far:
//
//   - answers: acknowledgements of publishes, refusals, and what is read;
//   - tasks, and whatever asks by Settle: activities change the world;
//   - writes to the other streams, and acknowledgements of deliveries: they may be durable before what they follow from.
//
// What waits while a round is under way shares the next one.
type barrier struct {
	b  *Backend
	on atomic.Bool // the server is one of those

	mu      sync.Mutex
	waiting []func(error) // for the next round
	out     bool          // a round is under way
	news    uint64        // counts what has come from the server
	covered uint64        // how much of it is known to be durable
	closed  bool
	failing bool // the last round was in vain
}

// errSetBack is the answer to everything that was under way when the server was started anew.
var errSetBack = fmt.Errorf("natsbackend: %w: the server was started anew, and may have lost what was not durable yet", backend.ErrUnavailable)

// learn finds out what kind of server this is.
func (r *barrier) learn(ctx context.Context) error {
	err := r.b.patiently(ctx, func(ctx context.Context) error {
		_, err := r.b.link.RequestWithContext(ctx, SyncSubject, nil)
		return err
	}, SyncSubject)
	switch {
	case err == nil:
		r.b.calls.bind(r.b.link.ConnectedServerId())
		r.on.Store(true)
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, backend.ErrPermission): // an embedded server refuses nothing
	default:
		return fmt.Errorf("natsbackend: ask %s how durable it is: %w: %w", r.b.cfg.URL, backend.ErrUnavailable, err)
	}
	return nil
}

// note counts a delivery, which is handed on at once.
func (r *barrier) note() {
	if r.on.Load() {
		r.mu.Lock()
		r.news++
		r.mu.Unlock()
	}
}

// told hands on what the server has just told, when it is durable: fn is called with an error if that cannot be known.
func (r *barrier) told(fn func(err error)) {
	r.mu.Lock()
	r.news++
	r.hold(fn)
	r.mu.Unlock()
}

// after calls fn when all that the server has told so far is durable: at once, if a round has covered it already.
func (r *barrier) after(fn func(err error)) {
	if !r.on.Load() {
		fn(nil)
		return
	}
	r.mu.Lock()
	if r.covered == r.news && !r.closed {
		r.mu.Unlock()
		fn(nil)
		return
	}
	r.hold(fn)
	r.mu.Unlock()
}

// hold has fn wait for the next round. Lock held.
func (r *barrier) hold(fn func(error)) {
	if r.closed {
		go fn(backend.ErrClosed)
		return
	}
	r.waiting = append(r.waiting, fn)
	if !r.out {
		r.begin()
	}
}

// begin sends for a round. Lock held.
func (r *barrier) begin() {
	batch, upto := r.waiting, r.news
	r.waiting, r.out = nil, true
	c := &call{msg: nats.Msg{Subject: SyncSubject}, bare: true}
	c.read = func(answer []*nats.Msg, err error) {
		if err == nil && string(answer[0].Data) != synced {
			err = fmt.Errorf("natsbackend: %w: the server cannot make durable what it has written: %s", backend.ErrUnavailable, strings.TrimPrefix(string(answer[0].Data), "-ERR "))
		}
		r.end(batch, upto, err)
	}
	r.b.calls.start(c)
}

// end hands on what has waited for a round. The next one is under way meanwhile.
func (r *barrier) end(batch []func(error), upto uint64, err error) {
	r.mu.Lock()
	if err == nil {
		r.covered = max(r.covered, upto)
	}
	r.tell(err)
	r.closed = r.closed || errors.Is(err, backend.ErrClosed)
	if r.closed || errors.Is(err, errSetBack) { // what waits for the next round was told by the old process, too
		batch, r.waiting = append(batch, r.waiting...), nil
		r.news++
	}
	if r.out = len(r.waiting) > 0; r.out {
		r.begin()
	}
	r.mu.Unlock()
	for _, fn := range batch {
		fn(err)
	}
}

// tell logs when rounds begin to fail, and when they succeed again. Lock held.
func (r *barrier) tell(err error) {
	switch {
	case errors.Is(err, backend.ErrClosed), errors.Is(err, errSetBack):
	case err != nil && !r.failing:
		r.failing = true
		r.b.cfg.Logger.Error("nothing is acknowledged: the server does not make durable what it has written; was it replaced by one that is not embedded.Strict?", "subject", SyncSubject, "err", err)
	case err == nil && r.failing:
		r.failing = false
		r.b.cfg.Logger.Info("acknowledgements go on: the server makes durable what it has written", "subject", SyncSubject)
	}
}

// settled waits until all that the server has told so far is durable; calls of the jetstream package are not counted.
func (r *barrier) settled() error {
	if !r.on.Load() {
		return nil
	}
	answer := make(chan error, 1)
	r.told(func(err error) { answer <- err })
	return <-answer
}

// Settle implements backend.Backend.
func (b *Backend) Settle(done func(err error)) {
	if !b.barrier.on.Load() {
		go done(nil)
		return
	}
	b.barrier.told(done)
}

// aside publishes to a stream beside the log, which may be durable before the log is.
func (b *Backend) aside(publish func(), done func(seq uint64, err error)) {
	b.barrier.after(func(err error) {
		if err != nil {
			done(0, err)
			return
		}
		publish()
	})
}

// setBack is called when the connection leads to a new server process. Whoever holds what the old one delivered has to drop it
// before anything that follows from it can be sent again: it may be gone, and its sequences used for something else.
func (b *Backend) setBack(id string) {
	b.cfg.Logger.Warn("the server was started anew: what is cached is dropped", "server", b.link.ConnectedUrlRedacted())
	b.eachPuller(nil, (*puller).setBack)
	b.calls.rebind(id)
}
