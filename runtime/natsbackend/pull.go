package natsbackend

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
)

const (
	pullExpires = 2 * time.Second
	heartbeat   = 500 * time.Millisecond
	silence     = 1250 * time.Millisecond // without a message or heartbeat: the pull is gone
	inboxWindow = 500                     // messages asked for at a time by an inbox
)

// puller takes messages from a pull consumer, as many as it has credit for. It is written on core NATS because the
// client's own consumers stand still for up to 30 s after a change of leader, and cannot be given credit.
//
// A generation is one subscription: whenever it is unclear what the server still holds of our requests (silence, a
// status, a reconnect), a new generation starts from nothing and the old one is only emptied.
type puller struct {
	b      *Backend
	link   *link
	next   string // subject of pull requests
	inbox  string // prefix of the subscriptions, with its dot
	group  string // priority group; "": none
	window int    // asked for again and again; 0: only what was granted

	// on handles a message. It is called by one goroutine at a time.
	on func(*nats.Msg)
	// lost is told, if not nil, that messages delivered to us may never have arrived.
	lost func()
	// denied is told, if not nil, that the server does not let us pull any more, as on handles a message.
	denied func(error)
	// outbid is told, if not nil, that another client is pinned. The puller then stands still until resume.
	outbid func()
	// void is told, if not nil, that what was delivered may be gone, as on handles a message.
	void func()

	handling sync.Mutex // held while a message is handled

	mu      sync.Mutex
	sub     *nats.Subscription
	gen     uint64
	credit  int // messages that may come, including the ones asked for
	asked   int // of them asked for in this generation
	pin     string
	heard   time.Time
	lively  bool      // something was handled since watch has looked; a clock a message is too much
	served  time.Time // when the consumer last did something for us, or we wanted nothing
	busy    int       // messages being handled or waiting to be
	pause   time.Duration
	standby bool // do not ask
	retry   *time.Timer
	refusal error
	closed  bool
	ending  chan struct{} // if not nil nothing more is asked for; closed when nothing is that may still come
	drained chan struct{} // closed when the subscription that stop ended is empty
}

func (b *Backend) newPuller(ctx context.Context, r role, consumer, group string, window int, on func(*nats.Msg)) (*puller, error) {
	l, err := b.delivery(ctx, r)
	if err != nil {
		return nil, err
	}
	return &puller{
		b: b, link: l, group: group, window: window, on: on,
		next:  b.api + b.nextOf(consumer),
		inbox: l.NewInbox() + ".",
	}, nil
}

// nextOf is the request for messages of a consumer of the log.
func (b *Backend) nextOf(consumer string) string {
	return "CONSUMER.MSG.NEXT." + b.names.log + "." + consumer
}

// start begins to pull, if the server lets us.
func (p *puller) start(ctx context.Context) error {
	if err := p.b.may(ctx, strings.TrimPrefix(p.next, p.b.api)); err != nil {
		return err
	}
	p.b.mu.Lock()
	if p.b.closed {
		p.b.mu.Unlock()
		return backend.ErrClosed
	}
	p.b.pullers[p] = struct{}{}
	p.b.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.served = time.Now()
	return p.renew()
}

// renew starts a generation. Lock held.
func (p *puller) renew() error {
	if p.closed {
		return backend.ErrClosed
	}
	old := p.sub
	p.gen++
	gen := p.gen
	sub, err := p.link.subscribe(p.inbox+strconv.FormatUint(gen, 36), func(m *nats.Msg) { p.handle(gen, m) })
	if err != nil {
		return err
	}
	p.sub, p.asked, p.heard = sub, 0, time.Now()
	if old != nil {
		_ = old.Drain() // what has come is handled; it fails only when the connection is closed
	}
	p.ask()
	return nil
}

// ask requests what there is credit for, in few requests: not before half of the credit is without one. Lock held.
func (p *puller) ask() {
	if p.ending != nil {
		p.checkEnded()
		return
	}
	want := max(p.credit, p.window)
	if p.closed || p.standby || want == 0 || 2*p.asked > want || p.asked == want {
		return
	}
	n := want - p.asked
	var req [160]byte
	body := append(req[:0], `{"expires":2000000000,"idle_heartbeat":500000000,"batch":`...)
	body = strconv.AppendInt(body, int64(n), 10)
	if p.group != "" {
		body = append(append(append(body, `,"group":"`...), p.group...), '"')
		if p.pin != "" {
			body = append(append(append(body, `,"id":"`...), p.pin...), '"')
		}
	}
	if p.asked == 0 {
		p.heard = time.Now()
	}
	if err := p.link.PublishRequest(p.next, p.sub.Subject, append(body, '}')); err == nil {
		p.asked = want
	}
}

// grant adds credit.
func (p *puller) grant(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.credit += n
	p.ask()
}

// handle is called for every message of a subscription, statuses included.
func (p *puller) handle(gen uint64, m *nats.Msg) {
	if m.Reply == "" {
		p.status(gen, m)
		return
	}
	p.handling.Lock()
	defer p.handling.Unlock()
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		p.link.answer(m.Reply, nak)
		return
	}
	if gen == p.gen {
		p.lively = true
		p.asked = max(p.asked-1, 0)
		p.pause = 0
	}
	p.credit = max(p.credit-1, 0)
	if p.group != "" {
		if pin := m.Header[headerPin]; len(pin) > 0 && pin[0] != p.pin && gen == p.gen {
			p.pin = pin[0]
		}
	}
	p.ask()
	p.busy++
	p.mu.Unlock()
	p.on(m)
	p.mu.Lock()
	p.busy--
	p.lively = true // the next ones were waiting behind this one
	p.mu.Unlock()
}

// status handles what is not a message.
func (p *puller) status(gen uint64, m *nats.Msg) {
	code, text := m.Header.Get("Status"), m.Header.Get("Description")
	p.mu.Lock()
	defer p.mu.Unlock()
	if gen != p.gen || p.closed {
		return
	}
	p.heard = time.Now()
	left, has := m.Header["Nats-Pending-Messages"]
	switch {
	case code == "100":
		p.served = p.heard
	case code == "404", code == "408", code == "409" && len(left) > 0:
		n := p.asked
		if has {
			n, _ = strconv.Atoi(left[0])
		}
		p.served = p.heard
		p.asked = max(p.asked-n, 0)
		p.ask()
	case code == "423":
		p.pin = ""
		p.again(0, false)
		p.standby = true
		if p.outbid != nil {
			go p.outbid()
		}
	case code == "503", code == "409":
		// No leader, or a new one, or the server stops. A deleted consumer looks the same until it is made again.
		level := slog.LevelDebug
		if p.pause = min(max(2*p.pause, tick), maxBackoff); p.pause == maxBackoff {
			level = slog.LevelWarn
		}
		p.b.cfg.Logger.Log(p.b.ctx, level, "a pull ended", "consumer", p.next, "status", code, "reason", text)
		p.again(p.pause, strings.Contains(text, "Leadership"))
	default:
		p.b.cfg.Logger.Warn("a pull was refused", "consumer", p.next, "status", code, "reason", text)
		p.again(maxBackoff, false)
	}
}

// again starts a new generation after a pause. Lock held.
func (p *puller) again(pause time.Duration, lost bool) {
	p.asked, p.gen = 0, p.gen+1 // statuses of the old one mean nothing any more
	if p.retry != nil {
		p.retry.Stop()
	}
	p.retry = time.AfterFunc(pause, func() {
		p.mu.Lock()
		err := p.renew()
		p.mu.Unlock()
		if err == nil && lost && p.lost != nil {
			p.lost()
		}
	})
}

// resume ends a standby.
func (p *puller) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.standby = false
	p.ask()
}

// reconnected starts anew: requests died with the old connection, and so did what was on it.
func (p *puller) reconnected() {
	p.mu.Lock()
	p.pause = 0
	p.again(0, true)
	p.mu.Unlock()
}

// watch starts anew when the server is silent while it owes us heartbeats. Silence while messages are being handled
// means only that we have not looked. It gives when we were last served, which is now if we want nothing.
func (p *puller) watch(now time.Time, slept bool) (served time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lively {
		p.heard, p.served, p.lively = now, now, false
	}
	if p.closed || p.standby || p.busy > 0 || max(p.credit, p.window) == 0 || p.sub == nil {
		p.served = now
		return now
	}
	n, _, err := p.sub.Pending()
	switch {
	case slept, err == nil && n > 0:
		p.served = now
	case err == nil && p.asked > 0 && now.Sub(p.heard) >= silence && p.link.IsConnected():
		p.b.cfg.Logger.Debug("a pull is silent", "consumer", p.next)
		p.again(0, true)
	}
	return p.served
}

// refused hears that the server does not let us pull.
func (p *puller) refused(err error, subject string) (mine bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if subject != p.next && !strings.HasPrefix(subject, p.inbox) {
		return false
	}
	if p.refusal == nil {
		p.b.cfg.Logger.Error("not permitted to pull", "err", err)
		p.b.goes(p.deny)
	}
	p.refusal = err
	if !p.closed {
		p.again(maxBackoff, false)
	}
	return true
}

// deny passes a refusal on, in its turn.
func (p *puller) deny() {
	p.handling.Lock()
	defer p.handling.Unlock()
	p.mu.Lock()
	err, closed := p.refusal, p.closed
	p.mu.Unlock()
	if p.denied != nil && !closed {
		p.denied(err)
	}
}

// setBack passes on, in its turn, that what was delivered may be gone.
func (p *puller) setBack() {
	p.handling.Lock()
	defer p.handling.Unlock()
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if p.void != nil && !closed {
		p.void()
	}
}

// finish asks for no more and waits until what is asked for has come, or the server does not have it asked for any more. In
// a cluster the server that delivers hears later than ours that a subscription has ended, and until then what it delivers
// is lost until its ack wait has passed.
func (p *puller) finish(ctx context.Context) {
	if p.link.ConnectedClusterName() == "" {
		return
	}
	p.mu.Lock()
	ended := make(chan struct{})
	p.ending = ended
	p.checkEnded()
	p.mu.Unlock()
	select {
	case <-ended:
	case <-ctx.Done():
	case <-p.b.ctx.Done():
	}
}

// checkEnded ends finish when nothing is asked for. Lock held.
func (p *puller) checkEnded() {
	if p.asked > 0 {
		return
	}
	select {
	case <-p.ending:
	default:
		close(p.ending)
	}
}

// stop ends the deliveries, gives back what has come and not been handled, and waits until the handler has returned.
func (p *puller) stop(ctx context.Context) error {
	p.abandon()
	p.mu.Lock()
	drained := p.drained
	p.mu.Unlock()
	if drained != nil {
		select {
		case <-drained:
		case <-ctx.Done():
			return fmt.Errorf("natsbackend: %w: give back the messages of %s: %w", backend.ErrUnavailable, p.next, context.Cause(ctx))
		}
	}
	p.handling.Lock() // a handler of an older generation
	defer p.handling.Unlock()
	return nil
}

// abandon ends the deliveries without waiting.
func (p *puller) abandon() {
	p.b.mu.Lock()
	delete(p.b.pullers, p)
	p.b.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	if p.retry != nil {
		p.retry.Stop()
	}
	if p.sub == nil {
		return
	}
	drained := make(chan struct{})
	p.sub.SetClosedHandler(func(string) {
		p.link.wg.Done()
		close(drained)
	})
	if p.sub.Drain() == nil {
		p.drained = drained
	}
}

// The answers to a delivery.
var (
	ack      = []byte("+ACK")
	nak      = []byte("-NAK")
	progress = []byte("+WPI")
)

// answer answers a delivery. While the connection is down the answer waits in its buffer; if it is lost, the message
// comes again, and receivers drop duplicates.
func (l *link) answer(reply string, what []byte) {
	if err := l.Publish(reply, what); err != nil {
		l.log.Debug("an acknowledgement was lost", "err", err)
	}
}

// receipt implements backend.Receipt.
type receipt struct {
	link    *link
	reply   string
	barrier *barrier
}

// Ack implements backend.Receipt. An acknowledgement that waits in vain is not sent: the message comes again, if it is still
// there; its sequence may be that of another one by then.
func (r *receipt) Ack() {
	if !r.barrier.on.Load() {
		r.link.answer(r.reply, ack)
		return
	}
	r.barrier.after(func(err error) {
		if err == nil {
			r.link.answer(r.reply, ack)
		}
	})
}

// Nak implements backend.Receipt. It waits only to keep its place behind the acknowledgements.
func (r *receipt) Nak() { r.barrier.after(func(error) { r.link.answer(r.reply, nak) }) }

func (r *receipt) progress() { r.link.answer(r.reply, progress) }
