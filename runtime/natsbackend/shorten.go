package natsbackend

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
)

// Floor implements backend.Log. Only the consumers of the hub count. One that has nothing pending counts as at the end:
// its leader may be a replica that lags, which nobody can see; the log must not be shortened to its very end.
func (b *Backend) Floor(done func(floor, next uint64, err error)) {
	b.loads.do(func() {
		floor, next, err := b.floor()
		if err != nil {
			err = fmt.Errorf("natsbackend: how far the log %s is consumed: %w", b.names.log, err)
		}
		done(floor, next, err)
	})
}

func (b *Backend) floor() (floor, next uint64, err error) {
	err = b.patiently(b.ctx, func(ctx context.Context) error {
		s, err := b.js.Stream(ctx, b.names.log)
		if err != nil {
			return err
		}
		next = s.CachedInfo().State.LastSeq + 1
		floor = next
		list := s.ListConsumers(ctx)
		for c := range list.Info() {
			switch {
			case !ofHub(c.Name), c.NumPending == 0 && c.NumAckPending == 0:
			default:
				floor = min(floor, c.AckFloor.Stream+1)
			}
		}
		return list.Err()
	}, b.names.log)
	return floor, next, asUnavailable(err)
}

// ofHub reports whether a consumer of the log is one of ours.
func ofHub(consumer string) bool {
	return InboxConsumer(consumer) || TaskConsumer(consumer) || strings.HasPrefix(consumer, holdPrefix)
}

// Shorten implements backend.Log.
func (b *Backend) Shorten(before uint64, done func(err error)) {
	b.loads.do(func() {
		err := b.barrier.settled()
		if err == nil {
			err = asUnavailable(b.patiently(b.ctx, func(ctx context.Context) error {
				s, err := b.js.Stream(ctx, b.names.log)
				if err == nil {
					err = held(ctx, s)
				}
				if err == nil {
					err = s.Purge(ctx, jetstream.WithPurgeSequence(before))
				}
				return err
			}, b.names.log))
		}
		if err == nil {
			err = b.barrier.settled() // a block was written anew
		}
		if err != nil {
			err = fmt.Errorf("natsbackend: shorten the log %s below %d: %w", b.names.log, before, err)
		}
		done(err)
	})
}

func asUnavailable(err error) error {
	if err != nil && away(err) {
		return fmt.Errorf("%w: %w", backend.ErrUnavailable, err)
	}
	return err
}
