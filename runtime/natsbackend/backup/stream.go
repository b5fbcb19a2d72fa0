package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/runtime/natsbackend"
)

const (
	many     = 5000                  // messages asked for at once
	patience = 5 * time.Second       // for the next of them
	tick     = 50 * time.Millisecond // until it is tried again to hand over the first chunk
	giveUp   = time.Minute           // without one, while the server may be away
	readSize = 8 << 20               // bytes asked for at once
	idleTime = 30 * time.Second      // a consumer of a reader that died goes after it
)

// reader reads a stream to its live end, while others write to it.
//
// A message that is removed before the reader passes it has left something that is newer: a timer its firing, a
// cancellation its cause, a replaced value the new one. So the copy is whole when the reader is at least where the stream
// ended at a time when nothing more could be removed before it passed. That is the case when it is at the end, or when what
// it has passed since it asked for the end had no gap.
type reader struct {
	link     *natsbackend.Link
	stream   string
	each     func(m *nats.Msg, seq uint64, at time.Time) error
	together int    // messages asked for at once; 0: 5000
	position uint64 // all there is up to here has been read
}

func (r *reader) run(ctx context.Context) error {
	if r.together == 0 {
		r.together = many
	}
	for {
		end, err := r.end(ctx)
		if err != nil {
			return err
		}
		whole, err := r.readTo(ctx, end)
		if err != nil || whole {
			return err
		}
	}
}

func (r *reader) end(ctx context.Context) (uint64, error) {
	s, err := r.link.JetStream.Stream(ctx, r.stream)
	if err != nil {
		return 0, fmt.Errorf("backup: look at the stream %s: %w", r.stream, err)
	}
	return s.CachedInfo().State.LastSeq, nil
}

// readTo reads up to end, and tells whether the copy is whole then. After a lost connection it goes on where it was.
func (r *reader) readTo(ctx context.Context, end uint64) (whole bool, err error) {
	whole = true
	last := time.Now()
	for r.position < end {
		before := r.position
		unbroken, err := r.pull(ctx, end)
		whole = whole && unbroken
		var own callerError
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case errors.As(err, &own):
			return false, own.error
		case r.position == before && time.Since(last) > giveUp:
			return false, fmt.Errorf("backup: read the stream %s behind %d: %w", r.stream, r.position, err)
		}
		if r.position > before {
			last = time.Now()
		}
	}
	return whole, nil
}

// callerError is what a caller's own function refuses, and no reason to try again.
type callerError struct{ error }

// pull reads with one consumer, up to end or until it breaks.
func (r *reader) pull(ctx context.Context, end uint64) (unbroken bool, err error) {
	start, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := r.link.JetStream.CreateConsumer(start, r.stream, jetstream.ConsumerConfig{
		AckPolicy: jetstream.AckNonePolicy, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.position + 1,
		MemoryStorage: true, Replicas: 1, InactiveThreshold: idleTime,
	})
	if err != nil {
		return false, err
	}
	name := c.CachedInfo().Name
	defer func() { // it would go by itself
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		_ = r.link.JetStream.DeleteConsumer(after, r.stream, name)
	}()
	sub, err := r.link.SubscribeSync(r.link.NewInbox())
	if err != nil {
		return false, err
	}
	defer func() { _ = sub.Unsubscribe() }() // it fails when the connection is closed
	ask, err := json.Marshal(map[string]any{"batch": r.together, "max_bytes": max(readSize, 2*r.link.MaxPayload()), "no_wait": true})
	if err != nil {
		return false, err
	}
	p := pull{reader: r, sub: sub, unbroken: true}
	for r.position < end {
		if err := r.link.PublishRequest(fmt.Sprintf("%sCONSUMER.MSG.NEXT.%s.%s", r.link.API, r.stream, name), sub.Subject, ask); err != nil {
			return false, err
		}
		if err := p.batch(ctx, end); err != nil {
			return false, err
		}
	}
	return p.unbroken, nil
}

// pull is the state of a consumer.
type pull struct {
	*reader
	sub       *nats.Subscription
	delivered uint64 // sequence of the consumer
	unbroken  bool   // no sequence of the stream was missing
}

// batch takes the answers to one request.
func (p *pull) batch(ctx context.Context, end uint64) error {
	for n := 0; n < p.together; n++ {
		wait, cancel := context.WithTimeout(ctx, patience)
		m, err := p.sub.NextMsgWithContext(wait)
		cancel()
		if err != nil {
			return err
		}
		if status := m.Header.Get("Status"); status != "" && len(m.Data) == 0 {
			switch {
			case status == "404" || status == "408": // there is nothing more
				if p.position < end {
					p.position, p.unbroken = end, false
				}
				return nil
			case status == "409" && strings.Contains(m.Header.Get("Description"), "MaxBytes"):
				return nil
			}
			return fmt.Errorf("the server ended a read with %s %s", status, m.Header.Get("Description"))
		}
		at, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("a message on %s that is no delivery: %w", m.Subject, err)
		}
		if p.delivered++; at.Sequence.Consumer != p.delivered {
			return errors.New("a delivery was lost")
		}
		if err := p.each(m, at.Sequence.Stream, at.Timestamp); err != nil {
			return callerError{err}
		}
		p.unbroken = p.unbroken && at.Sequence.Stream == p.position+1
		p.position = at.Sequence.Stream
	}
	return nil
}
