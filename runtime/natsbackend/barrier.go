package natsbackend

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/runtime/observe"
)

// SyncSubject is where a server is asked to make durable what it has acknowledged: of the stream that the body names, of all
// when it is empty. A server of package embedded whose durability is Strict answers "+OK" when the disk has everything that it
// had acknowledged, stored or delivered before the request came; others have nobody there.
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
// What waits while a round is under way shares the next one, unless it is of the log and the round is known to reach it. What
// nobody waits for has no round of its own: the next one takes it along.
//
// Most rounds are of the log alone, which is what steps wait for. The ends of runs, which go to two other streams and which
// nobody waits for, share a round of everything every few milliseconds.
type barrier struct {
	b  *Backend
	on atomic.Bool // the server is one of those

	mu      sync.Mutex
	server  string        // the process that sequences of the log below are of
	waiting []func(error) // for the next round
	whole   bool          // which is to be of everything
	aside   []func(error) // for the next one that is of everything
	round   []func(error) // for the one that is under way
	out     bool          // a round is under way
	handed  reach         // deliveries that were handed on at once
	news    uint64        // the highest sequence of the log that the server has told of
	going   reach         // what the round under way makes durable
	covered reach         // what is known to be durable
	soon    *time.Timer   // begins a round for those who have no round of their own
	late    *time.Timer   // begins one for aside
	closed  bool
	failing bool // the last round was in vain
}

// reach is how far something goes.
type reach struct {
	count uint64 // deliveries
	log   uint64 // a sequence of the log, which is durable from its beginning on
}

// spot is where a message is in the log of a server process; none: it is something else.
type spot struct {
	seq    uint64
	server string
}

var none spot

// need is what somebody waits for to be durable, and how.
type need int

const (
	theLog     need = iota
	theLogSoon      // nobody waits for it alone: it shares a round that is begun for others, or after patience
	everything
	everythingSoon // the same, after asidePatience
)

const (
	patience      = 500 * time.Microsecond
	asidePatience = 5 * time.Millisecond
)

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
		id := r.b.link.ConnectedServerId()
		r.b.calls.bind(id)
		r.bind(id)
		r.on.Store(true)
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, backend.ErrPermission): // an embedded server refuses nothing
	default:
		return fmt.Errorf("natsbackend: ask %s how durable it is: %w: %w", r.b.cfg.where(), backend.ErrUnavailable, err)
	}
	return nil
}

// bind forgets what is known of the log of another server process.
func (r *barrier) bind(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.server = id
	r.news, r.going.log, r.covered.log = 0, 0, 0
	if r.handed.log = 0; r.handed.count != r.covered.count {
		r.handed.log = math.MaxUint64 // by which process, only their number tells
	}
}

// note counts a delivery, which is handed on at once.
func (r *barrier) note(at spot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handed.count++
	if at.server != r.server {
		r.handed.log = math.MaxUint64
		return
	}
	r.handed.log, r.news = max(r.handed.log, at.seq), max(r.news, at.seq)
}

// within reports whether a message of the log is as durable as something. Lock held.
func (r *barrier) within(at spot, of reach) bool {
	return at.seq > 0 && at.seq <= of.log && at.server == r.server && !r.closed
}

// told hands on what the server has just told, when it is durable: fn is called with an error if that cannot be known.
func (r *barrier) told(at spot, of need, fn func(err error)) {
	r.mu.Lock()
	switch {
	case r.within(at, r.covered):
		r.mu.Unlock()
		fn(nil)
		return
	case r.out && r.within(at, r.going):
		r.round = append(r.round, fn)
	default:
		if at.server == r.server {
			r.news = max(r.news, at.seq)
		}
		r.hold(of, fn)
	}
	r.mu.Unlock()
}

// after calls fn when all that was handed on at once is durable: now, if a round has covered it already. What told hands on
// is durable when somebody first knows of it.
func (r *barrier) after(fn func(err error)) {
	if !r.on.Load() {
		fn(nil)
		return
	}
	r.mu.Lock()
	switch {
	case r.closed:
		r.hold(theLogSoon, fn)
	case r.handed.count == r.covered.count, r.handed.log <= r.covered.log:
		r.mu.Unlock()
		fn(nil)
		return
	case r.out && r.handed.log <= r.going.log:
		r.round = append(r.round, fn)
	default:
		r.hold(theLogSoon, fn)
	}
	r.mu.Unlock()
}

// hold has fn wait for the next round, which begins now, or soon if fn is patient. Lock held.
func (r *barrier) hold(of need, fn func(error)) {
	switch {
	case r.closed:
		go fn(backend.ErrClosed)
		return
	case of == everythingSoon:
		if r.aside = append(r.aside, fn); len(r.aside) == 1 {
			rearm(&r.late, asidePatience, r.takeAside)
		}
		return
	}
	r.waiting = append(r.waiting, fn)
	r.whole = r.whole || of == everything
	switch {
	case r.out:
	case of != theLogSoon:
		r.begin()
	case len(r.waiting) == 1: // else it has been begun for the others
		rearm(&r.soon, patience, r.takeWaiting)
	}
}

func rearm(t **time.Timer, d time.Duration, fn func()) {
	if *t == nil {
		*t = time.AfterFunc(d, fn)
		return
	}
	(*t).Reset(d)
}

// takeWaiting begins a round for what has been patient.
func (r *barrier) takeWaiting() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.out && !r.closed && len(r.waiting) > 0 {
		r.begin()
	}
}

// takeAside has the next round be of everything.
func (r *barrier) takeAside() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.aside) == 0 {
		return
	}
	r.waiting, r.aside, r.whole = append(r.waiting, r.aside...), nil, true
	if !r.out {
		r.begin()
	}
}

// begin sends for a round. Lock held.
func (r *barrier) begin() {
	stream := r.b.names.log
	if r.whole {
		stream = ""
		r.waiting, r.aside = append(r.waiting, r.aside...), nil
	}
	r.round, r.waiting, r.out, r.whole = r.waiting, nil, true, false
	r.going = reach{r.handed.count, r.news}
	if r.b.cfg.Sync != nil {
		if !r.b.goes(func() { r.end(r.sync(stream)) }) {
			go r.end(backend.ErrClosed)
		}
		return
	}
	c := &call{msg: nats.Msg{Subject: SyncSubject, Data: []byte(stream)}, bare: true}
	c.read = func(answer []*nats.Msg, err error) {
		if err == nil && string(answer[0].Data) != synced {
			err = inVain(strings.TrimPrefix(string(answer[0].Data), "-ERR "))
		}
		r.end(err)
	}
	r.b.calls.start(c)
}

// sync is a round with a server in this process: a request would cost as much as the disk.
func (r *barrier) sync(stream string) error {
	err := r.b.cfg.Sync(stream)
	switch {
	case r.b.ctx.Err() != nil:
		return backend.ErrClosed
	case err != nil:
		return inVain(err.Error())
	}
	return nil
}

func inVain(why string) error {
	return fmt.Errorf("natsbackend: %w: the server cannot make durable what it has written: %s", backend.ErrUnavailable, why)
}

// end hands on what has waited for a round. The next one is under way meanwhile.
func (r *barrier) end(err error) {
	r.mu.Lock()
	if err == nil {
		r.covered.count, r.covered.log = max(r.covered.count, r.going.count), max(r.covered.log, r.going.log)
		if r.handed.count == r.covered.count {
			r.handed.log = 0
		}
	}
	r.tell(err)
	r.closed = r.closed || errors.Is(err, backend.ErrClosed)
	batch := r.round
	r.round = nil
	if r.closed || errors.Is(err, errSetBack) { // what waits for the next round was told by the old process, too
		batch = append(append(batch, r.waiting...), r.aside...)
		r.waiting, r.aside, r.whole = nil, nil, false
		r.handed = reach{r.handed.count + 1, math.MaxUint64}
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
		r.b.cfg.Logger.Error("nothing is acknowledged: the server does not make durable what it has written; was it replaced by one that is not embedded.Strict?", "subject", SyncSubject, observe.KeyError, err)
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
	r.told(none, everything, func(err error) { answer <- err })
	return <-answer
}

// Settle implements backend.Backend.
func (b *Backend) Settle(done func(err error)) {
	if !b.barrier.on.Load() {
		go done(nil)
		return
	}
	b.barrier.told(none, theLog, done)
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

// spotOf tells where a publish was stored, if that is in the log, and what its answer waits for. It is patient if nobody waits
// for it, neither a caller nor the next step of an orchestration, or its caller waits for more, as that of a start does: the
// first turn, which is on its way, has a round of its own. Of the projection, those are what owners write and what ends a run;
// a claim has a caller.
func (b *Backend) spotOf(m *nats.Msg, seq uint64, server string) (at spot, of need) {
	switch subject := m.Subject; {
	case strings.HasPrefix(subject, b.names.subjects):
		if strings.HasSuffix(subject, doneSuffix) || strings.HasSuffix(subject, startSuffix) {
			return spot{seq, server}, theLogSoon
		}
		return spot{seq, server}, theLog
	case strings.HasPrefix(subject, b.names.archiveSubjects),
		strings.HasPrefix(subject, b.states.put) && m.Header[headerOperation] == nil && (m.Header[headerNeed] != nil || m.Header[headerTTL] != nil):
		return none, everythingSoon
	}
	return none, everything
}

const doneSuffix, startSuffix = ".in.done", ".in.start"

// setBack is called when the connection leads to a new server process. Whoever holds what the old one delivered has to drop it
// before anything that follows from it can be sent again: it may be gone, and its sequences used for something else.
func (b *Backend) setBack(id string) {
	b.cfg.Logger.Warn("the server was started anew: what is cached is dropped", "server", b.link.ConnectedUrlRedacted())
	b.eachPuller(nil, (*puller).setBack)
	b.calls.rebind(id)
}
