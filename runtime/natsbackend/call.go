package natsbackend

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
)

const (
	publishEvery = 3 * time.Second       // an unanswered publish is sent again after this time
	batchWithin  = 10 * time.Second      // and the writes of an unanswered batch go singly
	readEvery    = time.Second           // and a read: a lost reply must not hold an instance for long
	giveUp       = 30 * time.Second      // then the answer is ErrUnavailable
	tick         = 50 * time.Millisecond // how exactly these times are kept
	firstRetries = 3                     // retries at once when nobody listened (a leader is being elected)
	maxBackoff   = time.Second           // then with growing pauses
	window       = 4096                  // calls sent and not answered; the server's own limit is 10,000 publishes a stream
)

// call is a request on its way: a publish to a stream or a read.
type call struct {
	msg   nats.Msg
	done  func(seq uint64, err error)         // of a publish
	read  func(answer []*nats.Msg, err error) // of a read
	batch bool                                // the answer of a read has several messages, closed by one with a status
	bare  bool                                // a round of the barrier: it waits neither for another one nor for the window
	got   []*nats.Msg

	batchOf []*call // one publish of several, see committer
	flies   *calls  // counts it as a part of its flight

	token uint64
	begun time.Time
	sent  time.Time // zero: not on the wire
	retry time.Time // when to send again, if not zero
	tries int
	why   error // last reason for sending again
}

// calls is the table of calls of the write connection. All answers come back on one inbox, told apart by a token.
// Calls of one caller to one subject go out in order: they are sent under the lock, and while the connection is down
// they wait here, not in the client's buffer.
type calls struct {
	link    *link
	barrier *barrier
	prefix  string // of the inbox, with its dot

	mu      sync.Mutex
	server  string // id of the only process that calls go to; "": of any
	open    table
	waiting []*call // beyond the window, in order
	commits committer
	timer   *time.Timer
	ticking bool
	closed  bool
	ticked  time.Time
	leaders [leaders]owing
}

func newCalls(l *link, r *barrier) (*calls, error) {
	t := &calls{link: l, barrier: r, prefix: l.NewInbox() + ".", open: table{}}
	t.timer = time.AfterFunc(time.Hour, t.tick)
	t.timer.Stop()
	if _, err := l.subscribe(t.prefix+"*", t.answered); err != nil {
		return nil, err
	}
	l.onRefused(t.refused)
	return t, nil
}

// publish stores a message; it returns at once.
func (t *calls) publish(subject string, header nats.Header, body []byte, done func(seq uint64, err error)) {
	c := &call{msg: nats.Msg{Subject: subject, Header: header, Data: body}, done: done}
	if t.commits.groups(subject) {
		t.board(c)
		return
	}
	t.start(c)
}

// unanswered counts the calls that wait for an answer.
func (t *calls) unanswered() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open.size + len(t.waiting)
}

// get sends a read; it returns at once.
func (t *calls) get(subject string, body []byte, batch bool, read func([]*nats.Msg, error)) {
	t.start(&call{msg: nats.Msg{Subject: subject, Data: body}, batch: batch, read: read})
}

// request sends a read and waits for its answer.
func (t *calls) request(ctx context.Context, subject string, body []byte) (*nats.Msg, error) {
	type result struct {
		msgs []*nats.Msg
		err  error
	}
	answer := make(chan result, 1)
	c := &call{msg: nats.Msg{Subject: subject, Data: body}, read: func(m []*nats.Msg, err error) { answer <- result{m, err} }}
	t.start(c)
	select {
	case r := <-answer:
		if r.err != nil {
			return nil, r.err
		}
		return r.msgs[0], nil
	case <-ctx.Done():
		t.forget(c)
		return nil, fmt.Errorf("natsbackend: %w: no answer from %s: %w", backend.ErrUnavailable, subject, context.Cause(ctx))
	}
}

func (t *calls) start(c *call) {
	t.mu.Lock()
	c.begun = t.now()
	if t.closed {
		t.mu.Unlock()
		go c.finish(0, backend.ErrClosed)
		return
	}
	if n := c.leader(); n >= 0 {
		of := &t.leaders[n]
		if of.since.IsZero() || t.open.owed[n] == 0 && c.begun.Sub(of.asked) > readEvery {
			of.since = c.begun
		}
		of.asked = c.begun
	}
	var err error
	if !c.bare && (len(t.waiting) > 0 || t.open.size >= window) {
		t.waiting = append(t.waiting, c)
	} else {
		err = t.send(c, c.begun)
	}
	t.wake()
	t.mu.Unlock()
	if err != nil {
		go c.finish(0, err)
	}
}

// settle ends a call that a server process has answered, once the answer is durable.
func (t *calls) settle(c *call, server string, seq uint64, err error) {
	if c.bare || !t.barrier.on.Load() {
		c.finish(seq, err)
		return
	}
	t.settleLater(c, server, seq, err)
}

// settleLater is apart from settle, whose arguments would be on the heap for it.
func (t *calls) settleLater(c *call, server string, seq uint64, err error) {
	at, of := t.barrier.b.spotOf(&c.msg, seq, server)
	t.barrier.told(at, of, func(lost error) {
		if lost != nil {
			seq, err = 0, lost
		}
		c.finish(seq, err)
	})
}

// finish ends a call. It is called once, without the lock.
func (c *call) finish(seq uint64, err error) {
	if c.done == nil {
		c.read(c.got, err)
		return
	}
	c.done(seq, err)
	if c.flies != nil {
		t := c.flies
		c.flies = nil
		t.landed()
	}
}

// send puts c into the table and on the wire. Its error means that it never will be: c is not in the table then. Lock held.
func (t *calls) send(c *call, now time.Time) error {
	if c.token == 0 || c.batch { // a late part of an earlier answer must not mix with the new one
		t.open.remove(c)
		t.open.add(c)
		c.got = nil
		var buf [64]byte
		c.msg.Reply = string(strconv.AppendUint(append(buf[:0], t.prefix...), c.token, 36))
	}
	c.sent, c.retry = now, time.Time{}
	if t.server != "" && t.link.ConnectedServerId() != t.server { // setBack is on its way
		c.sent = time.Time{}
		return nil
	}
	publish := t.link.PublishMsg
	if c.batchOf != nil {
		publish = func(*nats.Msg) error { return t.publishBatch(c) }
	}
	switch err := publish(&c.msg); err {
	case nil:
	case nats.ErrReconnectBufExceeded: // the connection is down
		c.sent = time.Time{}
	case nats.ErrConnectionClosed, nats.ErrConnectionDraining:
		t.open.remove(c)
		return backend.ErrClosed
	case nats.ErrMaxPayload:
		t.open.remove(c)
		return fmt.Errorf("natsbackend: %w: the message for %s is bigger than the server's limit of %d bytes", backend.ErrTooLarge, c.msg.Subject, t.link.MaxPayload())
	default:
		// A connection that broke in the middle of a write.
		c.sent, c.why = time.Time{}, err
	}
	return nil
}

// answered handles a reply, on the goroutine of the inbox.
func (t *calls) answered(m *nats.Msg) {
	token, err := strconv.ParseUint(m.Subject[len(t.prefix):], 36, 64)
	if err != nil {
		return
	}
	t.mu.Lock()
	now := t.now()
	c := t.open.get(token)
	if c == nil {
		t.mu.Unlock()
		return
	}
	status := statusOf(m)
	if status == "503" || status == "429" {
		why := fmt.Errorf("natsbackend: nobody serves %s (status %s)", c.msg.Subject, status)
		failed := why
		if c.batchOf != nil {
			t.open.remove(c)
		} else {
			failed = t.repeat(c, now, why)
		}
		t.mu.Unlock()
		if failed != nil {
			c.finish(0, failed)
		}
		return
	}
	var seq uint64
	if c.done != nil {
		var again bool
		if seq, err, again = parseAck(m.Data, c.msg.Subject); again && c.batchOf == nil {
			t.later(c, now, err)
			t.mu.Unlock()
			return
		}
	} else if c.got = append(c.got, m); c.batch && status == "" {
		t.mu.Unlock()
		return
	}
	t.open.remove(c)
	if n := c.leader(); n >= 0 && (c.done != nil || !bytes.Contains(m.Data, noLeader)) {
		t.leaders[n].since = time.Time{}
		if t.open.owed[n] > 0 {
			t.leaders[n].since = now
		}
	}
	failed, server := t.refill(now), t.server
	t.mu.Unlock()
	t.settle(c, server, seq, err)
	failed.finish()
}

// noLeader is in the answer to a read when a cluster has no leader for it.
var noLeader = []byte(`"code":503`)

// The leaders that calls are for. One that has lost its office still answers reads.
const (
	leaderOfReads = iota
	leaderOfWrites
	leaders
)

// owing tells what leaders owe an answer to.
type owing struct {
	asked time.Time // when one was last asked for anything
	since time.Time // since when none has answered; zero: none owes anything
}

// leader tells whose answer c waits for; -1: any server may give it, also one that is cut off from the rest.
func (c *call) leader() int {
	switch {
	case c.bare:
		return -1
	case c.done != nil:
		return leaderOfWrites
	case strings.Contains(c.msg.Subject, directGet):
		return -1
	}
	return leaderOfReads
}

// repeat sends c again because nobody listened: at once a few times, then later. Lock held.
func (t *calls) repeat(c *call, now time.Time, why error) error {
	if c.tries < firstRetries {
		c.tries++
		c.why = why
		return t.send(c, now)
	}
	t.later(c, now, why)
	return nil
}

// later sends c again after a pause. Lock held.
func (t *calls) later(c *call, now time.Time, why error) {
	c.tries++
	c.retry = now.Add(min(tick<<min(c.tries-1, 5), maxBackoff))
	c.why = why
}

// failures are calls that ended while the lock was held.
type failures []failure

type failure struct {
	*call
	err error
}

func (f failures) finish() {
	for _, c := range f {
		c.call.finish(0, c.err)
	}
}

// refill sends what waits for the window. Lock held.
func (t *calls) refill(now time.Time) (failed failures) {
	for len(t.waiting) > 0 && t.open.size < window {
		c := t.waiting[0]
		t.waiting[0] = nil
		t.waiting = t.waiting[1:]
		if err := t.send(c, now); err != nil {
			failed = append(failed, failure{c, err})
		}
	}
	return failed
}

// now is the time, not before the last tick: exact enough for what is kept by ticks, and a clock a call is not. Lock held.
func (t *calls) now() time.Time {
	if t.ticking {
		return t.ticked
	}
	return time.Now()
}

// wake starts the clock when there is something to watch. Lock held.
func (t *calls) wake() {
	if !t.ticking && t.open.size+len(t.waiting)+len(t.commits.queue) > 0 {
		t.ticking, t.ticked = true, time.Now()
		t.timer.Reset(tick)
	}
}

// tick sends again what has not been answered, and gives up what is too old.
func (t *calls) tick() {
	now := time.Now()
	t.mu.Lock()
	var failed failures
	var due []*call
	up, slept := t.link.Status() == nats.CONNECTED, now.Sub(t.ticked) > readEvery
	for c := range t.open.all {
		switch {
		case now.Sub(c.begun) > giveUp:
			failed = append(failed, failure{c, c.unavailable()})
			t.open.remove(c)
		case !c.retry.IsZero() && now.After(c.retry), c.retry.IsZero() && up && now.Sub(c.sent) > c.every():
			due = append(due, c)
		}
	}
	t.waiting = t.expire(t.waiting, now, &failed)
	t.commits.queue = t.expire(t.commits.queue, now, &failed)
	failed = append(failed, t.resend(due, now)...)
	failed = append(failed, t.refill(now)...)
	t.ticking = false
	if !t.closed {
		t.wake()
	}
	if slept { // nobody can have answered
		for n := range t.leaders {
			t.leaders[n].since = time.Time{}
		}
	}
	leaders := t.leaders
	t.mu.Unlock()
	failed.finish()
	for _, of := range leaders {
		if !of.since.IsZero() {
			t.link.unheard(of.since, now)
		}
	}
}

// expire gives up what waited too long to be sent. Lock held.
func (t *calls) expire(queue []*call, now time.Time, failed *failures) []*call {
	for len(queue) > 0 && now.Sub(queue[0].begun) > giveUp {
		*failed = append(*failed, failure{queue[0], queue[0].unavailable()})
		queue = queue[1:]
	}
	return queue
}

// resend sends calls again in the order they were begun. Lock held.
func (t *calls) resend(due []*call, now time.Time) (failed failures) {
	slices.SortFunc(due, func(a, b *call) int { return cmp.Compare(a.token, b.token) })
	for _, c := range due {
		if c.batchOf != nil {
			t.open.remove(c)
			failed = append(failed, failure{c, c.unavailable()})
		} else if err := t.send(c, now); err != nil {
			failed = append(failed, failure{c, err})
		}
	}
	return failed
}

func (c *call) every() time.Duration {
	switch {
	case c.batchOf != nil:
		return batchWithin
	case c.done != nil:
		return publishEvery
	}
	return readEvery
}

func (c *call) unavailable() error {
	if c.why != nil {
		return fmt.Errorf("natsbackend: %w: no answer from %s for %v; last: %w", backend.ErrUnavailable, c.msg.Subject, giveUp, c.why)
	}
	return fmt.Errorf("natsbackend: %w: no answer from %s for %v", backend.ErrUnavailable, c.msg.Subject, giveUp)
}

// reconnected sends everything again that is not answered: what was on the wire may be lost.
func (t *calls) reconnected() {
	now := time.Now()
	t.mu.Lock()
	due := make([]*call, 0, t.open.size)
	for c := range t.open.all {
		c.tries = 0
		due = append(due, c)
	}
	failed := t.resend(due, now)
	t.mu.Unlock()
	failed.finish()
}

// bind has calls go to one server process only.
func (t *calls) bind(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.server = id
}

// elsewhere reports that the connection leads to another process than the one that calls are bound to.
func (t *calls) elsewhere() (id string, yes bool) {
	id = t.link.ConnectedServerId()
	t.mu.Lock()
	defer t.mu.Unlock()
	return id, t.server != "" && id != "" && id != t.server
}

// rebind ends all calls, and has new ones go to another server process.
func (t *calls) rebind(id string) {
	t.bind(id)
	t.barrier.bind(id)
	t.fail(func(*call) bool { return true }, errSetBack)
}

// refused ends the calls whose subject the server does not let this user publish.
func (t *calls) refused(err error, subject string) bool {
	return t.fail(func(c *call) bool { return c.writesTo(subject) || subject == t.prefix+"*" }, err)
}

// fail ends calls; any tells that there were some.
func (t *calls) fail(which func(*call) bool, err error) (any bool) {
	t.mu.Lock()
	var failed failures
	for c := range t.open.all {
		if which(c) {
			failed = append(failed, failure{c, err})
			t.open.remove(c)
		}
	}
	drop := func(c *call) bool {
		if which(c) {
			failed = append(failed, failure{c, err})
			return true
		}
		return false
	}
	t.waiting = slices.DeleteFunc(t.waiting, drop)
	t.commits.queue = slices.DeleteFunc(t.commits.queue, drop)
	any = len(failed) > 0
	failed = append(failed, t.refill(time.Now())...)
	t.mu.Unlock()
	slices.SortStableFunc(failed, func(a, b failure) int { return cmp.Compare(a.token, b.token) })
	failed.finish()
	return any
}

// forget drops a call whose caller is gone.
func (t *calls) forget(c *call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open.remove(c)
	t.waiting = slices.DeleteFunc(t.waiting, func(w *call) bool { return w == c })
}

// close ends every call with ErrClosed.
func (t *calls) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.timer.Stop()
	t.fail(func(*call) bool { return true }, backend.ErrClosed)
}
