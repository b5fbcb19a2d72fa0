package natsbackend

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/durablegen/durablegen/internal/backend"
)

// Streams gives the names of the streams of a hub in the order in which a copy of a hub in use is taken, the positions of the
// log's inbox consumers before all of them: a write comes after what caused it, so what is copied first may lack the
// last writes, but has none whose cause the later ones lack. docs/backup.md has the argument.
func Streams(hub string) []string {
	n := namesOf(hub)
	return []string{"KV_" + n.meta, "KV_" + n.instances, n.archive, n.log, "OBJ_" + n.payloads}
}

// LogStream is the name of the stream that is a hub's log.
func LogStream(hub string) string { return namesOf(hub).log }

// SignalSubjects matches all that workers and clients of a hub tell each other over core NATS.
func SignalSubjects(hub string) string { return namesOf(hub).signals + ">" }

// InboxConsumer and TaskConsumer report whether a consumer of a log is that of a partition, or the queue of an activity.
func InboxConsumer(name string) bool { return strings.HasPrefix(name, inboxPrefix) }

// TaskConsumer is described at [InboxConsumer].
func TaskConsumer(name string) bool { return strings.HasPrefix(name, taskPrefix) }

// A Link is a plain connection beside those of a [Backend], for tools that look after the streams of a hub.
type Link struct {
	*nats.Conn
	JetStream jetstream.JetStream
	API       string // prefix of the subjects of JetStream's API, with its dot
}

// Dial connects with the address and login of cfg, whether or not the hub exists. The caller closes the connection.
func Dial(ctx context.Context, cfg Config) (*Link, error) {
	cfg, login, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	l, err := dial(ctx, cfg, login, roleWrite, "", func(role, error) {})
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(l.Conn)
	if cfg.Domain != "" {
		js, err = jetstream.NewWithDomain(l.Conn, cfg.Domain)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("natsbackend: Config.Domain %q: %w", cfg.Domain, err)
	}
	return &Link{Conn: l.Conn, JetStream: js, API: apiPrefix(cfg.Domain)}, nil
}

// holdPrefix begins the names of consumers that nobody reads: while there is one, the log keeps what it holds.
const holdPrefix = "hold_"

// holdTime is for how long a hold outlives who has asked for it and died.
const holdTime = time.Hour

// A Hold keeps the log of a hub from being shortened, and payloads from being removed, for as long as somebody copies it.
// Its methods are not to be called concurrently.
type Hold struct {
	js        jetstream.JetStream
	log, name string
}

// NewHold holds what the hub has now. It ends an hour after it was last renewed, when nobody releases it.
func NewHold(ctx context.Context, js jetstream.JetStream, hub string) (*Hold, error) {
	h := &Hold{js: js, log: namesOf(hub).log}
	return h, h.begin(ctx)
}

func (h *Hold) begin(ctx context.Context) error {
	name := holdPrefix + nuid.Next()
	_, err := h.js.CreateConsumer(ctx, h.log, jetstream.ConsumerConfig{
		Name: name, Description: "holds the log while it is copied", AckPolicy: jetstream.AckExplicitPolicy,
		DeliverPolicy: jetstream.DeliverAllPolicy, InactiveThreshold: holdTime,
	})
	if err != nil {
		return fmt.Errorf("natsbackend: hold the log %s: %w", h.log, err)
	}
	h.name = name
	return nil
}

// Renew begins another hour. It gives an error when the hold had ended, so that the log may have been shortened.
func (h *Hold) Renew(ctx context.Context) error {
	before := h.name
	if err := h.begin(ctx); err != nil {
		return err
	}
	if err := h.js.DeleteConsumer(ctx, h.log, before); err != nil {
		return fmt.Errorf("natsbackend: the log %s was not held all the time: %w", h.log, err)
	}
	return nil
}

// Release lets the log be shortened again.
func (h *Hold) Release(ctx context.Context) error {
	err := h.js.DeleteConsumer(ctx, h.log, h.name)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("natsbackend: let go of the log %s: it is held for an hour at most: %w", h.log, err)
	}
	return nil
}

// held gives an error while somebody copies the hub. It is asked between the decision that something is not needed and
// its removal: a copy that begins later does not need it either, because what an instance needs only moves forward.
func held(ctx context.Context, log jetstream.Stream) error {
	list := log.ListConsumers(ctx)
	found := ""
	for c := range list.Info() {
		if strings.HasPrefix(c.Name, holdPrefix) {
			found = c.Name
		}
	}
	if err := list.Err(); err != nil {
		return err
	}
	if found != "" {
		return fmt.Errorf("%w: the hub is being copied, under the consumer %s", backend.ErrConflict, found)
	}
	return nil
}
