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

const (
	pinGroup          = "owner"
	pinnedTTL         = 5 * time.Second // longer than a pull lasts; taking over does not wait for it, it unpins
	inboxAckWait      = 30 * time.Second
	taskAckWait       = 5 * time.Second // a killed worker's task starts again after this; running ones report progress
	defaultAckPending = 50_000
)

// EnsureGroup implements backend.Backend.
func (b *Backend) EnsureGroup(ctx context.Context, group string) error {
	for p := range b.names.partitions {
		err := b.ensure(ctx, jetstream.ConsumerConfig{
			Durable:        inboxConsumer(group, p),
			Description:    fmt.Sprintf("inbox of partition %d of group %s", p, group),
			AckPolicy:      jetstream.AckExplicitPolicy,
			AckWait:        inboxAckWait,
			MaxAckPending:  defaultAckPending,
			MaxDeliver:     -1,
			FilterSubject:  fmt.Sprintf("%s%s.%d.*.in.>", b.names.subjects, history.EncodeID(group), p),
			PriorityPolicy: jetstream.PriorityPolicyPinned,
			PriorityGroups: []string{pinGroup},
			PinnedTTL:      pinnedTTL,
		})
		if err != nil {
			return fmt.Errorf("natsbackend: the inbox of group %s: %w", group, err)
		}
	}
	return b.barrier.settled()
}

// EnsureActivity implements backend.Backend.
func (b *Backend) EnsureActivity(ctx context.Context, a backend.Activity) error {
	err := b.ensure(ctx, jetstream.ConsumerConfig{
		Durable:       taskConsumer(a.Name),
		Description:   "tasks of activity " + a.Name,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       taskAckWait,
		MaxAckPending: or(a.Concurrency, defaultAckPending),
		MaxDeliver:    -1,
		FilterSubject: b.names.subjects + "*.*.*.task." + history.EncodeID(a.Name),
	})
	if err != nil {
		return fmt.Errorf("natsbackend: the task queue of activity %s: %w", a.Name, err)
	}
	return b.barrier.settled()
}

// ensure creates a consumer, or brings its configuration up to date.
func (b *Backend) ensure(ctx context.Context, want jetstream.ConsumerConfig) error {
	var have *jetstream.ConsumerInfo
	err := b.patiently(ctx, func(ctx context.Context) error {
		c, err := b.js.Consumer(ctx, b.names.log, want.Durable)
		if err == nil {
			have = c.CachedInfo()
			if same(have.Config, want) {
				return nil
			}
		} else if !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return err
		}
		c, err = b.js.CreateOrUpdateConsumer(ctx, b.names.log, want)
		if err == nil {
			have = c.CachedInfo()
		}
		return err
	}, want.Durable)
	switch {
	case errors.Is(err, jetstream.ErrMaximumConsumersLimit):
		return fmt.Errorf("the stream %s has its largest number of consumers: raise default_max_consumers of the server: %w", b.names.log, err)
	case err != nil && away(err):
		return fmt.Errorf("%w: consumer %s: %w", backend.ErrUnavailable, want.Durable, err)
	case err != nil:
		return fmt.Errorf("consumer %s: %w", want.Durable, err)
	case have.Config.FilterSubject != want.FilterSubject:
		return fmt.Errorf("the consumer %s of stream %s is taken: filter: want %s, have %s", want.Durable, b.names.log, want.FilterSubject, have.Config.FilterSubject)
	}
	return nil
}

func same(have, want jetstream.ConsumerConfig) bool {
	return have.AckPolicy == want.AckPolicy && have.AckWait == want.AckWait && have.MaxAckPending == want.MaxAckPending &&
		have.MaxDeliver == want.MaxDeliver && have.FilterSubject == want.FilterSubject &&
		have.PriorityPolicy == want.PriorityPolicy && have.PinnedTTL == want.PinnedTTL
}
