package natsbackend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// followed are the subjects of the log that people follow.
var followed = [...]string{"in.start", "in.event.*", "in.ctl.*", "turn"}

// FollowLog implements backend.Log.
func (b *Backend) FollowLog(ctx context.Context, after uint64, yield func(backend.Happening) bool) (last uint64, err error) {
	guarded, end := b.link.guard(ctx, b.names.log)
	last, err = b.follow(guarded, after, yield)
	if err = end(err); err == nil {
		return last, nil
	}
	switch {
	case b.ctx.Err() != nil:
		err = backend.ErrClosed
	case errors.Is(err, backend.ErrPermission), ctx.Err() != nil:
	default:
		err = fmt.Errorf("%w: %w", backend.ErrUnavailable, err)
	}
	return last, fmt.Errorf("natsbackend: follow the log %s: %w", b.names.log, err)
}

// follow reads through a consumer, until that has gone.
func (b *Backend) follow(ctx context.Context, after uint64, yield func(backend.Happening) bool) (last uint64, err error) {
	last = after
	var c jetstream.Consumer
	err = b.patiently(ctx, func(ctx context.Context) error {
		if last == backend.TheEnd {
			s, err := b.js.Stream(ctx, b.names.log)
			if err != nil {
				return err
			}
			last = s.CachedInfo().State.LastSeq
		}
		c, err = b.js.CreateConsumer(ctx, b.names.log, b.follower(last))
		return err
	}, b.names.log)
	if err != nil {
		return last, err
	}
	messages, err := c.Messages(jetstream.PullHeartbeat(followHeartbeat))
	if err != nil {
		return last, err
	}
	defer messages.Stop()
	for next := uint64(1); ; next++ {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return last, err
		}
		meta, err := m.Metadata()
		if err != nil {
			return last, err
		}
		if meta.Sequence.Consumer != next {
			return last, errHole
		}
		h, ok, err := b.happening(stored{m.Subject(), meta.Sequence.Stream, meta.Timestamp.UTC(), m.Headers(), m.Data()})
		if err != nil {
			return last, err
		}
		last = meta.Sequence.Stream
		if ok && !yield(h) {
			return last, nil
		}
	}
}

const followHeartbeat = time.Second // of a follower's pulls: it is two of them until one notices that its consumer has gone

func (b *Backend) follower(after uint64) jetstream.ConsumerConfig {
	cfg := jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: abandoned,
	}
	for _, subject := range followed {
		cfg.FilterSubjects = append(cfg.FilterSubjects, b.names.subjects+"*.*.*."+subject)
	}
	return cfg
}

// happening is what a message is to people. Only of an end the body matters; one that is lost, or no record of ours, is
// nothing.
func (b *Backend) happening(s stored) (h backend.Happening, ok bool, err error) {
	pl, err := b.names.parse(s.subject)
	if err != nil {
		return h, false, nil
	}
	record, err := pl.decode(s.header, s.body, func() ([]byte, error) {
		if pl.kind != history.KindTurn {
			return nil, nil
		}
		return b.bodyFor(pl.kind, s.header, nil)
	})
	switch {
	case errors.Is(err, errForeign), errors.Is(err, errPayload):
		return h, false, nil
	case err != nil:
		return h, false, err
	}
	h, ok = backend.HappeningOf(pl.Address, history.Message{Seq: s.seq, Time: s.time, Record: record})
	return h, ok, nil
}
