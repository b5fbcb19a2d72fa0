package durable

import (
	"cmp"
	"fmt"
	"log/slog"

	"github.com/durablegen/durablegen/internal/codec"
)

// Codec encodes payloads: arguments, results, events, custom statuses, failures, and the texts that tell of them. It may
// be used by many goroutines at once.
//
// Encode need not give the same bytes twice: codecs work below everything that compares payloads.
type Codec interface {
	// ID names the codec. It is stored with every payload, so it never changes: 1 to 32 lower-case letters, digits, '-'
	// and '.'.
	ID() string
	// Encode gives what is stored instead of plain, or nil to store plain as it is. It must not change plain.
	Encode(plain []byte) (stored []byte, err error)
	// Decode gives back what Encode was given. It must not change stored, nor make more of it than fits into memory. An
	// error says that this program cannot read the payload, and another might: nothing is dropped, the instance parks
	// until a worker comes that can. So wait in Decode for what only takes a while.
	Decode(stored []byte) (plain []byte, err error)
}

// WithCodec gives a backend whose payloads are encoded by the codecs, in this order: WithCodec(b, Gzip(0), AESGCM(key))
// compresses, then encrypts. Give it to the workers and clients instead of b; closing it closes b.
//
// Each payload says which codecs wrote it. Clear payloads are read too, so a hub can begin with codecs at any time, and
// stop with [ReadOnly]. A program without the codec or key destroys nothing: its client gets [ErrCodec], its worker
// leaves instances (parked) and activities to others.
//
// It panics without a codec, on a nil one, on an id of another form or given twice, and when b has codecs already.
func WithCodec(b Backend, codecs ...Codec) Backend {
	inner := make([]codec.Codec, len(codecs))
	for n, c := range codecs {
		inner[n] = c
	}
	coded, err := codec.New(b, inner...)
	if err != nil {
		panic(fmt.Sprintf("durable: WithCodec: %v", err))
	}
	return coded
}

// Gzip compresses payloads of at least min bytes that get smaller by it; 0: 1,024. Its id is "gzip". It decompresses no
// payload to more than [MaxPayload], so that a few bytes cannot take all memory.
func Gzip(min int) Codec {
	const room = 1 << 10 // for what codecs before it add
	return codec.Gzip{Min: cmp.Or(min, 1<<10), Limit: MaxPayload + room}
}

// Key is a secret key with the name by which payloads remember it. It prints as its id.
type Key struct {
	ID     string // 1 to 64 printable ASCII characters; goes into every payload in clear, and never means another secret
	Secret []byte `json:"-"` // 16, 24 or 32 random bytes, for AES-128, -192 or -256
}

// Format implements fmt.Formatter.
func (k Key) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "durable.Key %q", k.ID) }

// LogValue implements slog.LogValuer.
func (k Key) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// AESGCM encrypts payloads with AES in Galois counter mode, a random nonce for each. Its id is "aesgcm". current writes;
// current and older read. To change keys, give the new key as an older one to every program first, then make it current.
// One key is good for 2^32 payloads.
//
// The error tells which key has another length or id than it should.
func AESGCM(current Key, older ...Key) (Codec, error) {
	c := codec.NewAESGCM()
	for _, k := range append([]Key{current}, older...) {
		if err := c.Add(k.ID, k.Secret); err != nil {
			return nil, fmt.Errorf("durable: AESGCM: %w", err)
		}
	}
	return c, nil
}

// ReadOnly is a codec that decodes and encodes nothing more: for a hub that stops to use it.
func ReadOnly(c Codec) Codec { return readOnly{c} }

type readOnly struct{ Codec }

// Encode implements Codec.
func (readOnly) Encode([]byte) ([]byte, error) { return nil, nil }
