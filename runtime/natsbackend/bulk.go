package natsbackend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
)

// abandoned is how long the server keeps a consumer that nobody reads from any more.
const abandoned = 30 * time.Second

// bulk calls yield as scan does, for what may be very many messages of very many subjects, up to where the stream ends now.
// For each page of a scan the server counts what is left, subject by subject, and serves nobody else on the connection
// meanwhile: with 150,000 instances 60 ms for every 1,000. A consumer counts once. Who may not create one, or no more of them, scans.
func (s source) bulk(ctx context.Context, seq uint64, filter string, yield func(stored) bool) error {
	state, err := s.state(ctx)
	if err != nil {
		return err
	}
	end, more := state.LastSeq, true
	err = s.consume(ctx, seq, filter, func(m stored) bool {
		seq = m.seq + 1
		more = yield(m)
		return more && seq <= end
	})
	switch {
	case errors.Is(err, backend.ErrPermission), errors.Is(err, jetstream.ErrMaximumConsumersLimit):
		return s.scan(seq, filter, yield)
	case err != nil || !more:
		return err
	}
	// What the consumer was to bring may be gone, or it may have been slow, or be on a replica that lags.
	return s.rest(seq, end, filter, yield)
}

// state asks the leader how far the stream goes.
func (s source) state(ctx context.Context) (state jetstream.StreamState, err error) {
	err = s.b.patiently(ctx, func(ctx context.Context) error {
		stream, err := s.b.js.Stream(ctx, s.stream)
		if err == nil {
			state = stream.CachedInfo().State
		}
		return err
	}, "STREAM.INFO."+s.stream)
	return state, asUnavailable(err)
}

// consume calls yield for what a consumer brings, until yield returns false or nothing comes.
func (s source) consume(ctx context.Context, seq uint64, filter string, yield func(stored) bool) error {
	ctx, end := s.b.link.guard(ctx, s.stream)
	return end(s.consumed(ctx, seq, filter, yield))
}

func (s source) consumed(ctx context.Context, seq uint64, filter string, yield func(stored) bool) error {
	var c jetstream.Consumer
	err := s.b.patiently(ctx, func(ctx context.Context) (err error) {
		c, err = s.b.js.CreateConsumer(ctx, s.stream, jetstream.ConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(seq, 1), FilterSubject: filter,
			AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: abandoned,
		})
		return err
	}, s.stream)
	if err != nil {
		return asUnavailable(err)
	}
	began := time.Now()
	for next := uint64(1); ; {
		page, err := c.FetchNoWait(pageMessages)
		if err != nil {
			return asUnavailable(err)
		}
		before := next
		for m := range page.Messages() {
			meta, err := m.Metadata()
			if err != nil {
				return fmt.Errorf("natsbackend: read the stream %s: %w", s.stream, err)
			}
			if meta.Sequence.Consumer != next {
				return fmt.Errorf("natsbackend: read the stream %s: %w: %w", s.stream, backend.ErrUnavailable, errHole)
			}
			next++
			if !yield(stored{m.Subject(), meta.Sequence.Stream, meta.Timestamp.UTC(), m.Headers(), m.Data()}) {
				return nil
			}
		}
		err = errors.Join(page.Error(), ctx.Err())
		if errors.Is(err, nats.ErrNoResponders) && ctx.Err() == nil && time.Since(began) < giveUp { // in a cluster a new consumer gets its leader in a moment
			select {
			case <-time.After(tick):
			case <-ctx.Done():
			}
			continue
		}
		if err != nil || next == before {
			return asUnavailable(err)
		}
	}
}
