package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// Format is the version of the file that this package writes, and the newest that it reads.
const Format = 1

// ErrDamaged is in the tree of errors about files that are not whole, or are no copies of a hub.
var ErrDamaged = errors.New("backup: the file is not a whole copy of a hub")

// Header begins a file.
type Header struct {
	Format int       `json:"format"`
	Hub    string    `json:"hub"`
	Begun  time.Time `json:"begun"` // all that was acknowledged before is in the copy
}

// Manifest ends a file: what is in it.
type Manifest struct {
	Header
	Ended   time.Time `json:"ended"`
	Server  string    `json:"server"` // version of nats-server
	Streams []Stream  `json:"streams"`
}

// Stream is a stream in a file.
type Stream struct {
	Name      string                 `json:"name"`
	Config    jetstream.StreamConfig `json:"config"`
	First     uint64                 `json:"first"` // sequence of the first message; Last+1 when there is none
	Last      uint64                 `json:"last"`  // the next message of the stream has the one after it
	Messages  uint64                 `json:"messages"`
	Bytes     uint64                 `json:"bytes"` // of subjects, headers and bodies
	Pieces    []Piece                `json:"pieces"`
	Consumers []Consumer             `json:"consumers,omitempty"`
}

// Piece is a part of a stream's messages, one entry of the file.
type Piece struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Consumer is a consumer with its position, in the form that the server restores it from.
type Consumer struct {
	Config jetstream.ConsumerConfig `json:"config"`
	State  Position                 `json:"state"`
}

// Position is how far a consumer is.
type Position struct {
	Delivered Sequences           `json:"delivered"`
	Floor     Sequences           `json:"ack_floor"`
	Pending   map[uint64]Delivery `json:"pending,omitempty"` // delivered and not acknowledged, by sequence of the stream
}

// Sequences is a place in the deliveries of a consumer and in its stream.
type Sequences struct {
	Consumer uint64 `json:"consumer_seq"`
	Stream   uint64 `json:"stream_seq"`
}

// Delivery is one that has not been acknowledged.
type Delivery struct {
	Sequence  uint64 // of the consumer
	Timestamp int64  // when, in nanoseconds since 1970
}

// readHeader says whether a file is ours, before anything else of it is read.
func readHeader(text []byte) (h Header, err error) {
	if err := json.Unmarshal(text, &h); err != nil {
		return h, fmt.Errorf("%w: %s: %w", ErrDamaged, headerName, err)
	}
	switch {
	case h.Format > Format:
		return h, fmt.Errorf("backup: the file has format %d, and this version of durable reads formats up to %d: use the version that wrote it, or a newer one", h.Format, Format)
	case h.Format < 1:
		return h, fmt.Errorf("%w: %s says no format", ErrDamaged, headerName)
	}
	return h, nil
}

// check compares what the manifest says with itself and with the header. Restoring trusts it from then on.
func (m *Manifest) check(h Header, pieces []Piece) error {
	if m.Format != h.Format || m.Hub != h.Hub {
		return fmt.Errorf("%w: %s is not of the same copy as %s", ErrDamaged, manifestName, headerName)
	}
	want := natsbackend.Streams(m.Hub)
	if len(m.Streams) != len(want) {
		return fmt.Errorf("%w: it has %d streams, a hub has %d", ErrDamaged, len(m.Streams), len(want))
	}
	n := 0
	for k, s := range m.Streams {
		switch {
		case s.Name != want[k] || s.Config.Name != s.Name:
			return fmt.Errorf("%w: stream %d is %q, want %q", ErrDamaged, k, s.Name, want[k])
		case s.First == 0 || s.First > s.Last+1 || s.Messages > s.Last+1-s.First:
			return fmt.Errorf("%w: the stream %s cannot have %d messages from %d to %d", ErrDamaged, s.Name, s.Messages, s.First, s.Last)
		}
		for _, p := range s.Pieces {
			if n == len(pieces) || pieces[n] != p {
				return fmt.Errorf("%w: the piece %s is missing, or not what was written", ErrDamaged, p.Name)
			}
			n++
		}
	}
	if n != len(pieces) {
		return fmt.Errorf("%w: the piece %s is in no stream", ErrDamaged, pieces[n].Name)
	}
	return nil
}
