package natsbackend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
)

// errPayload marks a body that will never be readable: its object is gone or not what was stored.
var errPayload = errors.New("natsbackend: the payload is lost")

// errLagging is a miss that a replica may have made up: the object store reads from any of them. Only several misses
// in a row, over more than three seconds, count.
var errLagging = errors.New("natsbackend: not there, or not there yet")

const lagging = 7

// putPayload stores the body of a message. Storing it twice is one object: of the log, whoever it is for.
func (b *Backend) putPayload(subject string, body []byte) (reference, error) {
	sum := sha256.Sum256(body)
	ref := reference{sum: hex.EncodeToString(sum[:]), size: len(body)}
	ref.name = b.objectName(subject, ref.sum)
	err := b.persist(ref.size, func(ctx context.Context) error {
		return b.link.guarded(ctx, func(ctx context.Context) error {
			if info, err := b.objects.GetInfo(ctx, ref.name); err == nil && info.Size == uint64(ref.size) && time.Since(info.ModTime) < reuse {
				return nil
			}
			_, err := b.objects.PutBytes(ctx, ref.name, body)
			return err
		}, b.names.payloads)
	})
	if err != nil {
		return ref, fmt.Errorf("natsbackend: store a payload of %d bytes: %w", ref.size, err)
	}
	return ref, nil
}

// bodyOf gives the body of a message, from the object store if it is there.
func (b *Backend) bodyOf(h nats.Header, body []byte) ([]byte, error) {
	return b.body(h, body, b.cfg.MaxPayload, "MaxPayload")
}

// historyOf is bodyOf a message that holds the history of a run.
func (b *Backend) historyOf(h nats.Header, body []byte) ([]byte, error) {
	return b.body(h, body, b.cfg.MaxHistory, "MaxHistory")
}

func (b *Backend) body(h nats.Header, body []byte, most int, limit string) ([]byte, error) {
	ref, outside, err := referenceOf(h)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPayload, err)
	}
	if !outside {
		return body, nil
	}
	if ref.size > most {
		return nil, fmt.Errorf("%w: it has %d bytes, and Config.%s is %d", errPayload, ref.size, limit, most)
	}
	return b.getPayload(ref)
}

// getPayload fetches a body and proves that it is the one that was stored.
func (b *Backend) getPayload(ref reference) ([]byte, error) {
	var body []byte
	misses := 0
	err := b.persist(ref.size, func(ctx context.Context) error {
		err := b.link.guarded(ctx, func(ctx context.Context) (err error) {
			body, err = b.objects.GetBytes(ctx, ref.name)
			return err
		}, b.names.payloads)
		missed := errors.Is(err, jetstream.ErrObjectNotFound) || errors.Is(err, jetstream.ErrDigestMismatch)
		if misses++; missed && b.replicas > 1 && misses < lagging {
			return fmt.Errorf("%w: %w", errLagging, err)
		}
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrObjectNotFound):
		return nil, fmt.Errorf("%w: object %s is not in %s", errPayload, ref.name, b.names.payloads)
	case errors.Is(err, jetstream.ErrDigestMismatch):
		return nil, fmt.Errorf("%w: object %s of %s is damaged: %w", errPayload, ref.name, b.names.payloads, err)
	case err != nil:
		return nil, fmt.Errorf("natsbackend: read payload %s: %w", ref.sum, err)
	}
	if sum := sha256.Sum256(body); len(body) != ref.size || hex.EncodeToString(sum[:]) != ref.sum {
		return nil, fmt.Errorf("%w: object %s of %s is damaged", errPayload, ref.name, b.names.payloads)
	}
	return body, nil
}

// persist repeats a call of the jetstream package that moves an object of some size while the server is away, as long as a
// publish would be repeated; longer for a large object.
func (b *Backend) persist(size int, call func(context.Context) error) error {
	const slow = 4 << 20 // bytes a second
	more := time.Duration(size) * time.Second / slow
	attempt, end := 5*time.Second+more, time.Now().Add(giveUp+3*more)
	for pause := tick; ; pause = min(2*pause, maxBackoff) {
		ctx, cancel := context.WithTimeout(b.ctx, attempt)
		err := call(ctx)
		cancel()
		switch {
		case err == nil || !away(err):
			return err
		case b.ctx.Err() != nil:
			return backend.ErrClosed
		case time.Now().After(end):
			return fmt.Errorf("%w: %w", backend.ErrUnavailable, err)
		}
		select {
		case <-b.ctx.Done():
			return backend.ErrClosed
		case <-time.After(pause):
		}
	}
}

// away reports an error of a server that may be back in a moment. The object store's own time-out, os.ErrDeadlineExceeded, is
// one: two that store the same payload at once remove each other's parts, and who reads then waits for one that is gone.
func away(err error) bool {
	for _, e := range [...]error{
		os.ErrDeadlineExceeded,
		context.DeadlineExceeded, context.Canceled, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected,
		nats.ErrReconnectBufExceeded, nats.ErrConnectionClosed, nats.ErrConnectionReconnecting, jetstream.ErrNoStreamResponse,
		jetstream.ErrNoHeartbeat, jetstream.ErrConnectionClosed, errLagging,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
		return false
	}
	var api jetstream.JetStreamError
	return errors.As(err, &api) && api.APIError() != nil && api.APIError().Code == 503
}
