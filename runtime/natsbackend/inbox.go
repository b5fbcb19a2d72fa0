package natsbackend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Inbox implements backend.Backend.
func (b *Backend) Inbox(group string, p int) backend.Inbox {
	return &inbox{b: b, consumer: inboxConsumer(group, p), name: fmt.Sprintf("partition %d of group %s", p, group)}
}

// inbox is one partition of a group. Membership decides who owns it; the pin only keeps others out.
type inbox struct {
	b        *Backend
	consumer string
	name     string

	mu       sync.Mutex
	pull     *puller
	link     *link
	deliver  func(backend.Delivery)
	order    uint64      // of the newest delivery; 0: none since the last reset
	exact    bool        // order is what the consumer had delivered when we took it over
	pinned   bool        // a delivery has come since Open
	pin      string      // of the newest delivery
	term     uint64      // counts pins: a reset by somebody else begins the order anew, which must show as a gap
	check    *time.Timer // looks whether somebody else is pinned
	healing  bool
	lostMore bool // something was lost again while it was healing
	released bool
}

const (
	termShift    = 40                     // deliveries of one pin are fewer than 2^40
	firstCheck   = 500 * time.Millisecond // after Open: is it we who are pinned?
	lastCheck    = 4 * time.Second
	firstStandby = 100 * time.Millisecond // after we lost the pin: long enough for a new owner to pull
	nextStandby  = time.Second
	healEvery    = time.Second
)

// Open implements backend.Inbox. Whoever was pinned is unpinned, and what it holds is delivered again at once: without
// the reset it would come only after AckWait.
func (i *inbox) Open(ctx context.Context, deliver func(backend.Delivery)) (horizon uint64, err error) {
	i.mu.Lock()
	if i.pull != nil {
		i.mu.Unlock()
		return 0, fmt.Errorf("natsbackend: %s is open already", i.name)
	}
	p, err := i.b.newPuller(ctx, rolePartitions, i.consumer, pinGroup, inboxWindow, i.handle)
	if err != nil {
		i.mu.Unlock()
		return 0, fmt.Errorf("natsbackend: open %s: %w", i.name, err)
	}
	p.lost, p.outbid = i.heal, i.outbid
	p.denied = func(err error) { deliver(backend.Delivery{Err: err}) }
	p.void = func() { deliver(backend.Delivery{Err: backend.ErrSetBack}) }
	i.pull, i.link, i.deliver, i.order, i.exact, i.pinned, i.released = p, p.link, deliver, 0, false, false, false
	i.mu.Unlock()

	p.handling.Lock() // nothing is delivered inside Open
	defer p.handling.Unlock()
	if horizon, err = i.takeOver(ctx); err == nil {
		err = p.start(ctx)
	}
	if err != nil {
		p.abandon()
		i.mu.Lock()
		i.pull = nil
		i.mu.Unlock()
		return 0, fmt.Errorf("natsbackend: open %s: %w", i.name, err)
	}
	i.checkAfter(firstCheck, "")
	return horizon, nil
}

// takeOver unpins whoever is pinned and has its unacknowledged messages delivered again.
func (i *inbox) takeOver(ctx context.Context) (horizon uint64, err error) {
	if err := i.unpin(ctx); err != nil {
		return 0, err
	}
	info, err := i.info(ctx)
	if err != nil {
		return 0, err
	}
	// Read before the reset, which sets it back.
	horizon = info.Delivered.Stream
	order := info.Delivered.Consumer
	if info.NumAckPending > 0 {
		order = 0
		if err := i.reset(ctx); err != nil {
			return 0, err
		}
	}
	i.mu.Lock()
	i.order, i.exact = order, true
	i.mu.Unlock()
	return horizon, nil
}

// heal gets back what was delivered to us and never arrived: lost with a connection or a leader. Otherwise it would
// come after AckWait. What we do hold comes again too, with the order set back, which tells the owner.
func (i *inbox) heal() {
	i.mu.Lock()
	if i.healing || i.released || i.pull == nil {
		i.lostMore = i.healing
		i.mu.Unlock()
		return
	}
	i.healing, i.lostMore = true, false
	pull := i.pull
	i.mu.Unlock()
	i.b.goes(func() {
		ctx, cancel := context.WithTimeout(i.b.ctx, giveUp)
		defer cancel()
		err := i.redeliver(ctx, pull)
		if err != nil && i.b.ctx.Err() == nil {
			i.b.cfg.Logger.Warn("could not have lost messages delivered again", "inbox", i.name, observe.KeyError, err)
		}
		_ = i.b.pause(healEvery) // at most one reset in this time; on close there is nothing left to do
		i.mu.Lock()
		i.healing = false
		again := i.lostMore
		i.mu.Unlock()
		if again {
			i.heal()
		}
	})
}

func (i *inbox) redeliver(ctx context.Context, pull *puller) error {
	for {
		info, err := i.info(ctx)
		if err != nil || info.NumAckPending == 0 {
			return err
		}
		pull.mu.Lock()
		pin, standby := pull.pin, pull.standby || pull.closed
		pull.mu.Unlock()
		if standby {
			return nil // whoever is pinned has had them delivered again
		}
		if now := pinOf(info); now == "" || now == pin {
			break
		}
		// A new leader gives us a new pin, which we learn with its first delivery; or somebody else has one, which we
		// learn when we ask for more.
		if err := i.b.pause(tick); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	i.mu.Lock()
	i.order, i.exact = 0, false
	released := i.released
	i.mu.Unlock()
	if released {
		return nil
	}
	return i.reset(ctx)
}

// checkAfter looks, until the first delivery, whether the previous owner was pinned again: one that was idle when it
// was unpinned has a request waiting without an old pin, and may be the first in the queue. suspect is the pin that the
// look before saw: one look alone may find our own pin, whose first delivery is still on its way.
func (i *inbox) checkAfter(pause time.Duration, suspect string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.served() {
		return
	}
	i.check = time.AfterFunc(pause, func() {
		ctx, cancel := context.WithTimeout(i.b.ctx, silence)
		defer cancel()
		pin, next := "", min(2*pause, lastCheck)
		if info, err := i.info(ctx); err == nil {
			pin = pinOf(info)
		}
		i.mu.Lock()
		served := i.served()
		i.mu.Unlock()
		switch {
		case served:
			return
		case pin != "" && pin != suspect:
			next = firstCheck
		case pin != "":
			if _, err := i.takeOver(ctx); err != nil {
				i.b.cfg.Logger.Debug("could not take over", "inbox", i.name, observe.KeyError, err)
			}
			pin, next = "", firstCheck
		}
		i.checkAfter(next, pin)
	})
}

// served reports that there is nothing to check any more. Lock held.
func (i *inbox) served() bool { return i.released || i.pinned || i.b.ctx.Err() != nil }

// outbid is called when somebody else took the partition over, or our pin is gone with a restart of the server. We stand
// by until nobody is pinned: two workers that both believe they own a partition must not keep taking it from each other.
func (i *inbox) outbid() { i.standBy(firstStandby) }

func (i *inbox) standBy(pause time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.released || i.pull == nil || i.b.ctx.Err() != nil {
		return
	}
	pull := i.pull
	i.check = time.AfterFunc(pause, func() {
		ctx, cancel := context.WithTimeout(i.b.ctx, silence)
		defer cancel()
		if info, err := i.info(ctx); err == nil && pinOf(info) == "" {
			pull.resume()
			i.heal() // the pin may have been our own, of a connection that is gone with what it was delivered
			return
		}
		i.standBy(nextStandby)
	})
}

// Release implements backend.Inbox.
func (i *inbox) Release(ctx context.Context) error {
	i.mu.Lock()
	pull := i.pull
	i.released = true
	if i.check != nil {
		i.check.Stop()
	}
	i.mu.Unlock()
	if pull == nil {
		return nil
	}
	err := pull.stop(ctx)
	i.mu.Lock()
	i.pull = nil
	i.mu.Unlock()
	if err == nil {
		err = i.letGo(ctx, pull.pin)
	}
	if err != nil {
		return fmt.Errorf("natsbackend: release %s: %w", i.name, err)
	}
	return nil
}

// letGo unpins us, but not somebody who took over meanwhile.
func (i *inbox) letGo(ctx context.Context, pin string) error {
	if pin == "" {
		return nil
	}
	info, err := i.info(ctx)
	if err != nil || pinOf(info) != pin {
		return err
	}
	return i.unpin(ctx)
}

func pinOf(info *jetstream.ConsumerInfo) string {
	for _, g := range info.PriorityGroups {
		if g.Group == pinGroup {
			return g.PinnedClientID
		}
	}
	return ""
}

// handle turns a message into a delivery.
func (i *inbox) handle(m *nats.Msg) {
	d := backend.Delivery{Receipt: &receipt{i.link, m.Reply, &i.b.barrier}}
	at, ok := parseDelivery(m.Reply)
	if !ok {
		i.b.cfg.Logger.Error("a delivery has an unknown form", "inbox", i.name, "reply", m.Reply)
		return
	}
	d.Message.Seq, d.Message.Time = at.stream, at.time
	if i.b.barrier.on.Load() {
		i.b.barrier.note(spot{at.stream, i.link.ConnectedServerId()})
	}
	d.Order, d.Attempts = at.order, at.attempts
	var record history.Record
	if record, d.To, d.Err = i.b.record(m); errors.Is(d.Err, backend.ErrClosed) {
		return
	}
	d.Message.Record = record
	i.mu.Lock()
	// Before our first delivery, too: the former owner may have been served once more, when it had left already.
	gap := (i.order != 0 || i.exact) && at.order > i.order+1
	i.order, i.exact, i.pinned = at.order, false, true
	if pin := m.Header.Get(headerPin); pin != i.pin {
		i.pin = pin
		i.term++
	}
	d.Order += i.term << termShift
	deliver := i.deliver
	i.mu.Unlock()
	if gap {
		i.heal()
	}
	deliver(d)
}

// record decodes a delivered message.
func (b *Backend) record(m *nats.Msg) (history.Record, history.Address, error) {
	p, err := b.names.parse(m.Subject)
	if err != nil {
		return nil, p.Address, err
	}
	r, err := p.decode(m.Header, m.Data, func() ([]byte, error) { return b.fetch(p.kind, m) })
	if errors.Is(err, errForeign) {
		err = fmt.Errorf("message on %s: %w", m.Subject, err)
	}
	return r, p.Address, err
}

// fetch gets the body of a delivery from the object store. While the store is away it waits: nothing can be stored
// then either.
func (b *Backend) fetch(kind history.Kind, m *nats.Msg) ([]byte, error) {
	for {
		body, err := b.bodyFor(kind, m.Header, m.Data)
		if !errors.Is(err, backend.ErrUnavailable) {
			return body, err
		}
		b.cfg.Logger.Warn("waiting for a payload", "subject", m.Subject, observe.KeyError, err)
	}
}

// The requests about a consumer.

func (i *inbox) unpin(ctx context.Context) error {
	return i.request(ctx, "CONSUMER.UNPIN.", []byte(`{"group":"`+pinGroup+`"}`), nil)
}

func (i *inbox) reset(ctx context.Context) error { return i.request(ctx, "CONSUMER.RESET.", nil, nil) }

func (i *inbox) info(ctx context.Context) (*jetstream.ConsumerInfo, error) {
	info := &jetstream.ConsumerInfo{}
	return info, i.request(ctx, "CONSUMER.INFO.", nil, info)
}

func (i *inbox) request(ctx context.Context, api string, body []byte, into any) error {
	for {
		m, err := i.b.calls.request(ctx, i.b.api+api+i.b.names.log+"."+i.consumer, body)
		if err != nil {
			return err
		}
		var a struct {
			Error *apiError `json:"error"`
		}
		if err := json.Unmarshal(m.Data, &a); err != nil {
			return fmt.Errorf("the answer of %s is not understood: %w", api, err)
		}
		switch {
		case a.Error == nil && into == nil:
			return nil
		case a.Error == nil:
			return json.Unmarshal(m.Data, into)
		case a.Error.ErrCode == codeNoConsumer, a.Error.ErrCode == codeNoStream:
			return fmt.Errorf("%w: %w: EnsureGroup creates the consumer", backend.ErrNotFound, a.Error)
		case !a.Error.temporary():
			return a.Error
		case ctx.Err() != nil:
			return fmt.Errorf("%w: %w", backend.ErrUnavailable, a.Error)
		}
		if err := i.b.pause(tick); err != nil {
			return err
		}
	}
}
