package backup

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"
)

// The pieces hold messages in the form that nats-server 2.15 takes a stream back in: entries of varints, a name, and content,
// compressed with S2. Streams of S2 may be put one behind the other, so a restore passes them on as they are.

// magic stands before the first entry of what a server is given.
const magic = "NATSARC1"

// appendEntry appends an entry: a message, or with sequence 0 something that the name tells.
func appendEntry(b []byte, name string, at int64, seq uint64, header, body []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(name)))
	b = binary.AppendVarint(b, at)
	b = binary.AppendUvarint(b, seq)
	b = binary.AppendUvarint(b, uint64(len(header)))
	b = binary.AppendUvarint(b, uint64(len(body)))
	return append(append(append(b, name...), header...), body...)
}

// appendHeader appends what a message has before its body, as it is on the wire; nothing if it has none.
func appendHeader(b []byte, h nats.Header) []byte {
	if len(h) == 0 {
		return b
	}
	b = append(b, "NATS/1.0\r\n"...)
	for _, key := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[key] {
			b = append(append(append(append(b, key...), ": "...), value...), "\r\n"...)
		}
	}
	return append(b, "\r\n"...)
}

// opening is what a server is told before the messages of a stream: its state, and its consumers.
func (s *Stream) opening(now time.Time) ([]byte, error) {
	state, err := json.Marshal(map[string]any{
		"messages": s.Messages, "bytes": s.Bytes, "first_seq": s.First, "last_seq": s.Last, "consumer_count": len(s.Consumers),
	})
	if err != nil {
		return nil, err
	}
	b := appendEntry([]byte(magic), "state.json", now.UnixNano(), 0, nil, state)
	for _, c := range s.Consumers {
		text, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		b = appendEntry(b, "consumers/"+c.Config.Name, now.UnixNano(), 0, nil, text)
	}
	return compressed(b)
}

// closing is the entry behind the last message.
func closing() ([]byte, error) { return compressed(appendEntry(nil, "", 0, 0, nil, nil)) }

func compressed(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := s2.NewWriter(&out, s2.WriterConcurrency(1))
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
