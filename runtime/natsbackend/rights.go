package natsbackend

import (
	"cmp"
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// MayOwn implements backend.Backend.
func (b *Backend) MayOwn(ctx context.Context, group string) error {
	var requests []string
	for p := range b.names.partitions {
		consumer := inboxConsumer(group, p)
		for _, api := range []string{"CONSUMER.UNPIN.", "CONSUMER.RESET."} {
			requests = append(requests, api+b.names.log+"."+consumer)
		}
		requests = append(requests, b.nextOf(consumer))
	}
	requests = append(requests, directGet+"."+b.names.log+"."+b.names.instance(history.Address{Group: group, ID: "any"})+"turn")
	for _, stream := range []string{b.names.log, b.names.archive, "KV_" + b.names.instances} {
		requests = append(requests, directGet+"."+stream)
		if b.replicas > 1 {
			requests = append(requests, leaderGet+"."+stream)
		}
	}
	if err := b.may(ctx, requests...); err != nil {
		return fmt.Errorf("natsbackend: own partitions of group %s: %w", group, err)
	}
	return nil
}

// may asks the server whether it lets us make some requests of its API: each is sent with a body that is no JSON, so
// that one which gets through is answered with an error and changes nothing.
func (b *Backend) may(ctx context.Context, requests ...string) error {
	answers := make(chan error, len(requests))
	for _, r := range requests {
		b.calls.get(b.api+r, []byte("{"), false, func(_ []*nats.Msg, err error) { answers <- err })
	}
	var first error
	more := -1
	for range requests {
		select {
		case err := <-answers:
			if err == nil {
				continue
			}
			first = cmp.Or(first, err)
			more++
		case <-ctx.Done():
			return fmt.Errorf("%w: ask for permissions: %w", backend.ErrUnavailable, context.Cause(ctx))
		}
	}
	if more > 0 {
		return fmt.Errorf("%w (and %d more requests)", first, more)
	}
	return first
}
