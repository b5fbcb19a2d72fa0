package backup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// Progress tells how far a copy is. It comes at each piece.
type Progress struct {
	Stream   string
	Messages uint64 // of it so far
	Of       uint64 // about as many as there are
	Bytes    int64  // of the file
}

// pieceSize is about how many bytes of messages become a piece; it bounds the memory that a copy takes.
const pieceSize = 8 << 20

// copying is a copy that is being made.
type copying struct {
	link     *natsbackend.Link
	hub      string
	out      *writer
	progress func(Progress)
	written  int64
	hold     *natsbackend.Hold
	renewed  time.Time
}

// Write copies the hub of cfg into a new file, also while workers use it. The copy has everything that was acknowledged
// before Write began, and of what came later what fits to it. The file has its name when it is whole; while it is written it
// ends in .partial, and after an error nothing is left. While it runs the hub removes nothing from its log.
//
// os.ErrExist is in the tree of the error when there is a file of that name. progress may be nil.
func Write(ctx context.Context, cfg natsbackend.Config, path string, progress func(Progress)) (m Manifest, err error) {
	if err := exists(ctx, cfg); err != nil {
		return m, err
	}
	link, err := natsbackend.Dial(ctx, cfg)
	if err != nil {
		return m, err
	}
	defer link.Close()
	if cfg.Hub == "" {
		cfg.Hub = "default"
	}
	m.Header = Header{Format: Format, Hub: cfg.Hub, Begun: time.Now().UTC()}
	m.Server = link.ConnectedServerVersion()
	c := copying{link: link, hub: cfg.Hub, progress: progress}
	if c.out, err = create(path, m.Header); err != nil {
		return m, err
	}
	if m.Streams, err = c.streams(ctx); err != nil {
		c.out.abandon()
		return m, err
	}
	m.Ended = time.Now().UTC()
	return m, c.out.finish(&m)
}

// exists verifies the hub.
func exists(ctx context.Context, cfg natsbackend.Config) error {
	b, err := natsbackend.Connect(ctx, cfg)
	if err != nil {
		return err
	}
	return b.Close()
}

// streams copies all streams in the order that makes them fit. Consumers come first: what they say is acknowledged is in
// everything that is copied later (I4).
func (c *copying) streams(ctx context.Context) (all []Stream, err error) {
	if c.hold, err = natsbackend.NewHold(ctx, c.link.JetStream, c.hub); err != nil {
		return nil, err
	}
	c.renewed = time.Now()
	defer func() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		err = errors.Join(err, c.hold.Release(after))
	}()
	before, err := c.consumers(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range natsbackend.Streams(c.hub) {
		s, err := c.stream(ctx, name, before)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, c.hold.Renew(ctx) // it has held all the time
}

const renewEvery = 10 * time.Minute

// renew keeps the hold alive during a long copy.
func (c *copying) renew(ctx context.Context) error {
	if time.Since(c.renewed) < renewEvery {
		return nil
	}
	c.renewed = time.Now()
	return c.hold.Renew(ctx)
}

// consumers lists the log's, with their floors.
func (c *copying) consumers(ctx context.Context) (all []Consumer, err error) {
	log, err := c.link.JetStream.Stream(ctx, natsbackend.LogStream(c.hub))
	if err != nil {
		return nil, fmt.Errorf("backup: look at the log: %w", err)
	}
	list := log.ListConsumers(ctx)
	for info := range list.Info() {
		if !natsbackend.InboxConsumer(info.Name) && !natsbackend.TaskConsumer(info.Name) {
			continue
		}
		cfg := info.Config
		cfg.Name, cfg.Replicas, cfg.Metadata = info.Name, 0, lasting(cfg.Metadata)
		floor := Sequences{Consumer: info.AckFloor.Consumer, Stream: info.AckFloor.Stream}
		all = append(all, Consumer{Config: cfg, State: Position{Delivered: floor, Floor: floor}})
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("backup: list the consumers of the log: %w", err)
	}
	return all, nil
}

// lasting leaves out what a server says of itself.
func lasting(metadata map[string]string) map[string]string {
	kept := map[string]string{}
	for key, value := range metadata {
		if !strings.HasPrefix(key, "_nats.") {
			kept[key] = value
		}
	}
	return kept
}

// stream copies one stream.
func (c *copying) stream(ctx context.Context, name string, before []Consumer) (s Stream, err error) {
	info, err := c.link.JetStream.Stream(ctx, name)
	if err != nil {
		return s, fmt.Errorf("backup: look at the stream %s: %w", name, err)
	}
	s = Stream{Name: name, Config: info.CachedInfo().Config}
	s.Config.Metadata = lasting(s.Config.Metadata)
	var done *tasks
	if name == natsbackend.LogStream(c.hub) {
		now, err := c.consumers(ctx)
		if err != nil {
			return s, err
		}
		s.Consumers, done = joined(before, now), newTasks(s, now)
	}
	p := pieces{copying: c, stream: &s, about: info.CachedInfo().State.Msgs}
	r := reader{link: c.link, stream: name, each: func(m *nats.Msg, seq uint64, at time.Time) error {
		if done != nil {
			done.note(m, seq, at)
		}
		if err := c.renew(ctx); err != nil {
			return err
		}
		return p.add(m, seq, at)
	}}
	if err := r.run(ctx); err != nil {
		return s, err
	}
	s.Last = r.position
	if s.First == 0 {
		s.First = s.Last + 1
	}
	for k, consumer := range s.Consumers {
		if natsbackend.TaskConsumer(consumer.Config.Name) {
			s.Consumers[k].State = done.position(activityOf(consumer))
		}
	}
	return s, p.flush()
}

// joined is what is there now; partitions as they were before anything was copied, new ones at their beginning.
func joined(before, now []Consumer) []Consumer {
	floors := map[string]Position{}
	for _, c := range before {
		floors[c.Config.Name] = c.State
	}
	for k, c := range now {
		now[k].State = floors[c.Config.Name]
	}
	return now
}

// pieces writes the messages of a stream.
type pieces struct {
	*copying
	stream *Stream
	about  uint64
	plain  []byte
}

func (p *pieces) add(m *nats.Msg, seq uint64, at time.Time) error {
	s := p.stream
	if s.First == 0 {
		s.First = seq
	}
	header := appendHeader(nil, m.Header)
	p.plain = appendEntry(p.plain, m.Subject, at.UnixNano(), seq, header, m.Data)
	s.Messages++
	s.Bytes += uint64(len(m.Subject) + len(header) + len(m.Data))
	if len(p.plain) < pieceSize {
		return nil
	}
	return p.flush()
}

func (p *pieces) flush() error {
	if len(p.plain) > 0 {
		content, err := compressed(p.plain)
		if err != nil {
			return fmt.Errorf("backup: compress: %w", err)
		}
		piece, err := p.out.piece(fmt.Sprintf("%s/%06d", p.stream.Name, len(p.stream.Pieces)+1), content)
		if err != nil {
			return err
		}
		p.stream.Pieces = append(p.stream.Pieces, piece)
		p.written += piece.Size
		p.plain = p.plain[:0]
	}
	if p.progress != nil {
		p.progress(Progress{Stream: p.stream.Name, Messages: p.stream.Messages, Of: max(p.about, p.stream.Messages), Bytes: p.written})
	}
	return nil
}
